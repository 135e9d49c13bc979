"""The portal in a frame of Cobot's pages, as the stand-in shows it to members: in a real browser, on two sites."""

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from cobot_oidc.standin import StandIn

from .conftest import NewPage
from .test_in_a_browser import expect_heading


@pytest.fixture
def area(new_page: NewPage, demo_cobot: StandIn) -> Page:
    """The members' area of co.up, with Ada in front of it."""
    page = new_page(1280, 900)
    open_area(page, demo_cobot)
    return page


def open_area(page: Page, cobot: StandIn, person: str = "Ada Lovelace") -> None:
    page.goto(f"{cobot.space_issuer('co-up')}/members")
    page.get_by_role("button", name=person).click()
    expect(page.locator("iframe")).to_be_visible()


def frame(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


def log_in(page: Page, button: str = "Log in") -> None:
    """Two clicks: one in the frame, one in the window that it opens."""
    link = frame(page).get_by_role("link", name=button, exact=True)
    expect(link).to_be_visible()
    page.frames[1].wait_for_load_state(
        "load"
    )  # before its script is there, the link opens a window that the frame forgets
    with page.expect_popup() as opened:
        link.click()
    opened.value.get_by_role("button", name="Allow").click()


def test_two_clicks_lead_to_the_home_of_the_space(area: Page) -> None:
    log_in(area)

    expect(frame(area).get_by_role("heading", level=1)).to_have_text("Today at co.up Coworking")
    expect(frame(area).get_by_role("link", name="Member portal")).to_have_count(0)  # Cobot's page is around it
    frame(area).get_by_role("link", name="Bookings", exact=True).click()
    expect(frame(area).get_by_role("heading", level=1)).to_have_text("Your bookings")
    expect(frame(area).locator(".booking").first).to_be_visible()


def test_a_logout_in_the_frame_says_so(area: Page) -> None:
    log_in(area)
    frame(area).get_by_role("button", name="Log out of co.up Coworking").click()

    expect(frame(area).get_by_role("heading", level=1)).to_have_text("You are logged out")
    frame(area).get_by_role("link", name="Go to the start page").click()
    expect(frame(area).get_by_role("link", name="Log in", exact=True)).to_be_visible()


def test_a_scope_is_asked_for_from_the_frame_too(area: Page) -> None:
    log_in(area)
    frame(area).get_by_role("link", name="Check in", exact=True).click()
    log_in(area)
    frame(area).get_by_role("button", name="Check in now").click()

    expect(frame(area).get_by_role("heading", level=1)).to_have_text("You are checked in")


def test_the_frame_speaks_the_language_that_cobot_names(area: Page, address: str) -> None:
    area.get_by_label("Language").select_option("de")
    area.get_by_role("button", name="Switch").click()
    expect(frame(area).get_by_text("Bitte melde dich zuerst an")).to_be_visible()
    log_in(area, "Anmelden")

    expect(frame(area).get_by_role("heading", level=1)).to_have_text("Heute bei co.up Coworking")
    frame(area).get_by_role("link", name="Buchungen", exact=True).click()
    expect(frame(area).get_by_role("heading", level=1)).to_have_text("Deine Buchungen")
    area.frames[1].goto(f"{address}/co-up/people")  # for those who run the space
    expect(frame(area).locator("html")).to_have_attribute("lang", "de")
    link = frame(area).get_by_role("link", name="Zum Space bei Cobot")
    expect(link).to_have_attribute("target", "_blank")  # Cobot is not to be shown inside of itself


def test_somebody_else_at_cobot_is_nobody_in_the_frame(area: Page) -> None:
    log_in(area)
    expect(frame(area).get_by_role("heading", level=1)).to_have_text("Today at co.up Coworking")
    area.get_by_label("Who is logged in").select_option("Grace Hopper")
    area.get_by_role("button", name="Switch").click()

    expect(frame(area).get_by_role("link", name="Log in", exact=True)).to_be_visible()
    expect(frame(area).get_by_text("Ada Lovelace")).to_have_count(0)


def test_alone_it_is_a_portal_of_all_spaces(area: Page, address: str) -> None:
    log_in(area)
    expect(frame(area).get_by_role("heading", level=1)).to_have_text("Today at co.up Coworking")
    own = area.context.new_page()
    own.goto(address)

    expect_heading(own, "Welcome")
    expect(own.get_by_role("banner").get_by_role("link", name="Member portal")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_the_frame_fits(new_page: NewPage, demo_cobot: StandIn, width: int, dark: bool) -> None:
    page = new_page(width, 900, dark)
    open_area(page, demo_cobot)
    expect(frame(page).get_by_role("link", name="Log in", exact=True)).to_be_visible()
    inner = page.frames[1]
    inner.wait_for_load_state("load")  # with its style
    assert inner.evaluate("document.documentElement.scrollWidth <= innerWidth")
    log_in(page)
    expect(frame(page).get_by_role("heading", level=1)).to_have_text("Today at co.up Coworking")
    inner.wait_for_load_state("load")
    assert inner.evaluate("document.documentElement.scrollWidth <= innerWidth")
