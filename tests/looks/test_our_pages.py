"""Each of the extension's own pages, on phones and desks, in light and dark, under a strict policy and before axe."""

import pytest
from playwright.sync_api import Page, expect

from cobot_oidc.standin import StandIn

from ..accessibility import violations
from ..screenshots import shoot
from .conftest import LOOKS, Look, Open, Portal, look_at, served

PAGES = {
    "logged_out": ("/cobot/logged-out", "You are logged out"),
    "logged_out_of_space": ("/cobot/logged-out?space=co-up", "You are logged out"),
    "cookies_missing": ("/cobot/callback?state=x&code=y", "That did not work"),
    "space_unknown": ("/cobot/login?space=atlantis", "Not found"),
    "cancelled": ("/fails/LoginError/cancelled", "Login cancelled"),
    "provider_unreachable": ("/fails/ProviderError/provider_unreachable", "Not available at the moment"),
    "provider_busy": ("/fails/ProviderError/provider_busy", "Not available at the moment"),
    "misconfigured": ("/fails/ConfigurationError/client_refused", "That did not work"),
    "membership_required": ("/co-up/fails/LoginError/membership_required", "For members only"),
    "admin_required": ("/co-up/fails/LoginError/admin_required", "Only for those who run the space"),
    "membership_unknown": ("/co-up/fails/LoginError/membership_unknown", "Not available at the moment"),
    "api_401": ("/co-up/fails/APIError/token_refused", "Log in to go on"),
    "api_403": ("/co-up/fails/APIError/request_forbidden", "Not permitted"),
    "api_404": ("/co-up/fails/APIError/resource_not_found", "Not found"),
    "api_503": ("/co-up/fails/APIError/api_unreachable", "Not available at the moment"),
}


def expect_a_good_page(page: Page, name: str, look: Look) -> None:
    """A card in the middle that fits, with one clear action, and nothing that axe finds."""
    shoot(page, f"page_{name}", look.scheme, look.width)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= look.width
    card = page.locator("main").bounding_box()
    assert card is not None
    assert abs(card["x"] * 2 + card["width"] - look.width) <= 1
    assert card["width"] <= 600
    for button in page.locator(".button").all():
        assert (button.bounding_box() or {"height": 0})["height"] >= 44


@pytest.mark.parametrize("name", PAGES)
def test_each_page_says_what_happened_and_offers_one_clear_action(portal: Portal, open_window: Open, name: str) -> None:
    path, headline = PAGES[name]
    page, refused = open_window()
    page.goto(portal.url + path)

    expect(page.get_by_role("heading", level=1)).to_have_text(headline)
    expect(page.locator(".button:not(.quiet)")).to_have_count(1)
    assert page.locator(".button").count() <= 2
    expect(page.locator("svg.picture")).to_be_visible()
    expect(page.locator("header")).to_contain_text("Member portal")
    for look in LOOKS:
        look_at(page, look)
        expect_a_good_page(page, name, look)
    assert refused == []


def test_what_debug_mode_adds(portal: Portal, open_window: Open) -> None:
    portal.app.debug = True
    page, _ = open_window()
    page.goto(f"{portal.url}/cobot/callback?state=x&code=y")

    expect(page.locator(".developer")).to_contain_text("cookies_missing")
    for look in LOOKS:
        look_at(page, look)
        expect_a_good_page(page, "debug", look)


def test_the_page_in_a_frame_and_its_window(live_cobot: StandIn, open_window: Open) -> None:
    with served(live_cobot, frame_options=None) as portal:
        for look in LOOKS:
            page, refused = open_window(look)
            page.goto(f"{live_cobot.space_issuer('co-up')}/members")
            page.get_by_role("button", name="Ada Lovelace").click()
            inside = page.frame_locator("iframe")
            expect(inside.get_by_role("heading", level=1)).to_have_text("Please log in first")
            frame = page.frames[1]
            frame.wait_for_load_state("load")  # with its style and its script
            assert violations(frame) == []
            assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")
            shoot(page, "page_embedded", look.scheme, look.width)

            with page.expect_popup() as opened:
                inside.get_by_role("link", name="Log in", exact=True).click()
            expect(inside.get_by_role("status")).to_contain_text("Go on in the other window")
            assert violations(frame) == []
            shoot(page, "page_embedded_waiting", look.scheme, look.width)
            opened.value.close()

            page.goto(f"{portal.url}/co-up/")
            page.get_by_role("button", name="Allow").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("co-up")
            page.goto(f"{portal.url}/cobot/frame?frame={'0' * 43}&space=co-up")
            expect(page.get_by_role("heading", level=1)).to_have_text("You are logged in")
            expect_a_good_page(page, "frame", look)
            assert refused == []


def test_the_page_speaks_german_too(portal: Portal, open_window: Open) -> None:
    page, _ = open_window(locale="de-DE")
    page.goto(portal.url + PAGES["admin_required"][0])

    expect(page.get_by_role("heading", level=1)).to_have_text("Nur für die Leute, die den Space betreiben")
    for look in LOOKS[:2]:
        look_at(page, look)
        expect_a_good_page(page, "german", look)
