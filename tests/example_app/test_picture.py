"""The picture of the portal on the first page of the documentation."""

from cobot_oidc.standin import StandIn

from ..pictures import take_picture
from .conftest import NewPage
from .test_in_a_browser import expect_heading, sign_in


def test_the_picture_of_the_portal(new_page: NewPage, demo_cobot: StandIn) -> None:
    demo_cobot.world.of("co-up").bookings.clear()
    demo_cobot.add_bookings("co-up", person="ada", count=3)
    page = new_page()
    page.goto("/co-up/")
    sign_in(page, "Ada Lovelace")

    expect_heading(page, "Today at co.up Coworking")
    take_picture(page, "portal.png", 900, 560)
