"""Who uses a keyboard, a screen reader, large letters or colours of their own can use every page of the portal."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from cobot_oidc.standin import StandIn

from ..screenshots import shoot
from .conftest import NewPage
from .every_page import visit_every_page
from .test_bookings_in_a_browser import log_in


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(new_page: NewPage, booked: StandIn, dark: bool) -> None:
    axe = Axe()

    def look(page: Page, name: str) -> None:
        page.wait_for_load_state()
        found = axe.run(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"

    visit_every_page(new_page(390, 800, dark), booked, look)


def test_letters_of_twice_the_size_fit(new_page: NewPage, booked: StandIn) -> None:
    """A window of 1280 px at 200 % is one of 640, and with 400 % one of 320 (WCAG 1.4.10)."""

    def look(page: Page, name: str) -> None:
        page.wait_for_load_state()
        for width in (640, 320):
            page.set_viewport_size({"width": width, "height": 500})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)

    visit_every_page(new_page(640, 500), booked, look)


def test_with_colours_of_the_person_s_own(new_page: NewPage, booked: StandIn) -> None:
    """Forced colours take all backgrounds away: what is a control, a badge or the current page keeps an edge."""
    page = new_page(1000, 800)
    page.emulate_media(forced_colors="active")
    del booked
    log_in(page, "/co-up/")
    width_of = "(element, side) => getComputedStyle(element)[`border${side}Width`]"
    for selector, side in ((".badge", "Top"), (".button", "Top"), (".avatar", "Top"), ("[aria-current]", "Bottom")):
        assert page.locator(selector).first.evaluate(width_of, side) != "0px", selector
    shoot(page, "portal_home_forced_colours")


def test_from_the_welcome_page_to_more_bookings_by_keyboard(page: Page, booked: StandIn) -> None:
    del booked
    page.goto("/")
    go(page, "Log in with Cobot at co.up Coworking")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Log in to")
    page.wait_for_load_state("load")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Ada Lovelace")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Allow")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Today at co.up Coworking")
    go(page, "Bookings")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your bookings")
    go(page, "Show more")

    expect(page.locator(".booking").nth(10)).to_be_focused()


def go(page: Page, name: str) -> None:
    """Tab to a link, see that the focus is visible on it, and follow it."""
    page.wait_for_load_state("load")  # with its script
    link = page.get_by_role("link", name=name, exact=True)
    for _ in range(40):
        page.keyboard.press("Tab")
        if link.evaluate("element => element === document.activeElement"):
            break
    expect(link).to_be_focused()
    assert link.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    page.keyboard.press("Enter")
