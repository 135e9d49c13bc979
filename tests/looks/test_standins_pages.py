"""Each page of the stand-in, on phones and desks, in light and dark: it fits, and axe finds nothing."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from cobot_oidc.standin import StandIn

from ..accessibility import violations
from ..screenshots import shoot
from .conftest import LOOKS, Open, Portal, look_at

QUERY = {"response_type": "code", "client_id": "demo", "scope": "openid email profile read_bookings", "state": "s"}


NAMES = ("Ada Lovelace", "Grace Hopper", "Alex Admin", "Nina Neu", "村上 春樹")


def choose_a_person(page: Page, cobot: StandIn, portal: Portal, client_id: str = "demo") -> None:
    query = {**QUERY, "client_id": client_id, "redirect_uri": f"{portal.url}/cobot/callback"}
    page.goto(f"{cobot.space_issuer('co-up')}/oauth/authorize?{urlencode(query)}")


def consent(page: Page, cobot: StandIn, portal: Portal) -> None:
    choose_a_person(page, cobot, portal)
    page.get_by_role("button", name="Ada Lovelace").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Allow Member portal?")
    page.wait_for_load_state("load")


def refused(page: Page, cobot: StandIn, portal: Portal) -> None:
    choose_a_person(page, cobot, portal, client_id="unknown")


def control(page: Page, cobot: StandIn, portal: Portal) -> None:
    consent(page, cobot, portal)
    page.goto(f"{cobot.space_issuer('co-up')}/stand-in")
    page.get_by_role("button", name="Rotate").click()
    expect(page.get_by_role("status")).to_contain_text("Done")
    page.wait_for_load_state("load")


def members(page: Page, cobot: StandIn, portal: Portal) -> None:
    del portal
    page.goto(f"{cobot.space_issuer('co-up')}/members")
    page.get_by_role("button", name="Ada Lovelace").click()
    expect(page.locator("iframe")).to_be_visible()
    page.wait_for_load_state("load")


def not_an_admin(page: Page, cobot: StandIn, portal: Portal) -> None:
    consent(page, cobot, portal)
    page.goto(f"{cobot.space_issuer('co-up')}/admin")


PAGES: dict[str, tuple[Callable[[Page, StandIn, Portal], None], str]] = {
    "choose_a_person": (choose_a_person, "Log in to co.up Coworking"),
    "consent": (consent, "Allow Member portal?"),
    "refused": (refused, "This request does not fit the app’s registration"),
    "control": (control, "How the stand-in behaves"),
    "members": (members, "Members’ area of co.up Coworking"),
    "not_an_admin": (not_an_admin, "Admin area of co.up Coworking"),
}


@pytest.mark.parametrize("name", PAGES)
def test_each_page_fits_and_is_for_everybody(live_cobot: StandIn, portal: Portal, open_window: Open, name: str) -> None:
    go, headline = PAGES[name]
    page, _ = open_window()
    go(page, live_cobot, portal)

    expect(page.get_by_role("heading", level=1)).to_have_text(headline)
    expect(page.get_by_role("banner")).to_contain_text("It is not Cobot")
    for look in LOOKS:
        look_at(page, look)
        shoot(page, f"standin_{name}", look.scheme, look.width)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= look.width
        for button in page.get_by_role("button").all():
            assert (button.bounding_box() or {"height": 0})["height"] >= 36


def test_people_are_buttons_with_their_names_and_what_they_are(
    live_cobot: StandIn, portal: Portal, open_window: Open
) -> None:
    page, _ = open_window()
    choose_a_person(page, live_cobot, portal)

    for name in NAMES:
        expect(page.get_by_role("button", name=name)).to_be_visible()
    # The initials are for the eyes alone.
    expect(
        page.get_by_role("button", name="Grace Hopper member of co.up Coworking, member of Betahaus", exact=True)
    ).to_be_visible()
