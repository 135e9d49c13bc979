"""The portal's newer pages in a real browser: bookings that load on demand, membership, and a scope asked for late."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from cobot_oidc.standin import StandIn

from ..screenshots import shoot
from .conftest import NewPage
from .every_page import visit_every_page
from .test_in_a_browser import allow, expect_heading, sign_in

FIRST_VIEW = 60_000  # bytes
SIZES = [(390, 760, False), (390, 760, True), (1280, 800, False), (1280, 800, True)]


def log_in(page: Page, path: str, person: str = "Ada Lovelace") -> None:
    page.goto(path)
    sign_in(page, person)


def test_more_bookings_come_on_demand(page: Page, booked: StandIn) -> None:
    del booked
    log_in(page, "/co-up/bookings")
    expect(page.locator(".booking")).to_have_count(10)
    expect(page.locator("#progress")).to_be_hidden()

    page.get_by_role("link", name="Show more").press("Enter")

    expect(page.locator(".booking")).to_have_count(20)
    expect(page.locator(".booking").nth(10)).to_be_focused()
    assert page.url.endswith("/co-up/bookings")

    page.get_by_role("link", name="Show more").click()

    expect(page.locator(".booking")).to_have_count(25)
    expect(page.get_by_text("That is all.")).to_be_visible()
    expect(page.get_by_role("link", name="Show more")).to_have_count(0)
    assert len(set(page.locator(".booking .name").all_inner_texts())) == 25


@contextmanager
def held(page: Page, pattern: str) -> Iterator[list[Route]]:
    """What the page asks for at such addresses gets no answer before the end of the block."""
    asked: list[Route] = []
    page.route(pattern, lambda route: asked.append(route))
    yield asked
    for route in asked:
        route.continue_()
    page.unroute(pattern)


def test_a_line_shows_progress_while_cobot_is_slow(page: Page, booked: StandIn) -> None:
    del booked
    log_in(page, "/co-up/bookings")
    with held(page, "**/bookings?page=2") as asked:
        page.get_by_role("link", name="Show more").dblclick()

        expect(page.locator("#progress")).to_be_visible()
        expect(page.get_by_role("status")).to_have_text("Loading more bookings…")
        expect(page.locator("#bookings")).to_have_attribute("aria-busy", "true")
        shoot(page, "portal_bookings_loading", full_page=False)
    expect(page.locator(".booking")).to_have_count(20)
    assert len(asked) == 1  # though it was clicked twice
    expect(page.locator("#progress")).to_be_hidden()
    expect(page.get_by_role("status")).to_have_text("")


def note_what_is_said_meanwhile(page: Page) -> None:
    """Playwright asks nothing of a page that is being left, so the page itself keeps it."""
    page.evaluate(
        """document.querySelector("form[data-busy]").addEventListener("submit", () => setTimeout(() => {
          const words = document.querySelector("form[data-busy] [role=status]").textContent;
          sessionStorage.meanwhile = JSON.stringify([words, !document.getElementById("progress").hidden]);
        }))"""
    )


def said_meanwhile(page: Page) -> list[object]:
    """What the status said, and whether the line of progress was there."""
    told: list[object] = page.evaluate("JSON.parse(sessionStorage.meanwhile)")
    return told


def test_checking_in_shows_progress_and_happens_once(page: Page, booked: StandIn) -> None:
    log_in(page, "/co-up/check-in")
    allow(page)  # Cobot asks for more when it is first needed
    before = len(booked.world.of("co-up").check_ins)
    booked.reply("api", delay=1.5, path="/api/check_ins", times=1)
    note_what_is_said_meanwhile(page)
    page.get_by_role("button", name="Check in now").dblclick()

    expect(page.get_by_role("heading", level=1)).to_have_text("You are checked in")
    assert said_meanwhile(page) == ["Checking you in…", True]
    assert len(booked.world.of("co-up").check_ins) == before + 1


def test_who_wants_less_motion_sees_a_line_that_stands_still(new_page: NewPage, booked: StandIn) -> None:
    page = new_page()
    page.emulate_media(reduced_motion="reduce")
    del booked
    log_in(page, "/co-up/bookings")
    with held(page, "**/bookings?page=2"):
        page.get_by_role("link", name="Show more").click()

        expect(page.locator("#progress")).to_be_visible()
        style = "getComputedStyle(document.getElementById('progress'), '::before').animationName"
        assert page.evaluate(style) == "none"
    expect(page.locator("#progress")).to_be_hidden()


def test_if_loading_fails_one_can_try_again(page: Page, booked: StandIn) -> None:
    log_in(page, "/co-up/bookings")
    booked.reply("api", status=500, path="/bookings", times=3)  # so often a page tries

    page.get_by_role("link", name="Show more").click()

    expect(page.get_by_role("status")).to_have_text("Could not load more.")
    expect(page.locator(".booking")).to_have_count(10)
    shoot(page, "portal_bookings_failed")
    page.get_by_role("link", name="Try again").click()
    expect(page.locator(".booking")).to_have_count(20)
    expect(page.get_by_role("status")).to_have_text("")


def test_who_has_been_logged_out_meanwhile_is_sent_to_log_in(page: Page, booked: StandIn) -> None:
    del booked
    log_in(page, "/co-up/bookings")
    page.context.clear_cookies(domain="localhost")

    page.get_by_role("link", name="Show more").click()

    allow(page)
    expect_heading(page, "Your bookings")
    expect(page).to_have_url(re.compile(r"/co-up/bookings\?page=2$"))


def test_without_javascript_more_bookings_are_pages(chromium: Browser, address: str, booked: StandIn) -> None:
    del booked
    context = chromium.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    log_in(page, "/co-up/bookings")

    page.get_by_role("link", name="Show more").click()
    expect(page).to_have_url(re.compile(r"/co-up/bookings\?page=2$"))
    page.get_by_role("link", name="Show more").click()

    expect(page).to_have_url(re.compile(r"/co-up/bookings\?page=3$"))
    expect(page.locator(".booking")).to_have_count(5)
    expect(page.get_by_text("That is all.")).to_be_visible()
    page.get_by_role("link", name="Show earlier bookings").click()
    expect(page).to_have_url(re.compile(r"/co-up/bookings\?page=2$"))
    page.get_by_role("link", name="Show earlier bookings").click()
    expect(page).to_have_url(re.compile(r"/co-up/bookings$"))
    context.close()


def test_nothing_booked(page: Page, demo_cobot: StandIn) -> None:
    demo_cobot.world.of("co-up").bookings.clear()
    log_in(page, "/co-up/bookings")

    expect(page.get_by_text("Nothing booked yet")).to_be_visible()
    expect(page.get_by_role("link", name="Book a room or desk")).to_be_visible()


def test_an_admin_is_asked_once_and_comes_back(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Log in with Cobot at co.up Coworking").click()
    sign_in(page, "Alex Admin")
    expect_heading(page, "Your profile at co.up Coworking")

    page.get_by_role("link", name="See the people").click()
    expect(page.get_by_text("See memberships")).to_be_visible()
    allow(page)

    expect_heading(page, "People of co.up Coworking")
    expect(page.get_by_role("listitem")).to_have_count(3)
    page.get_by_role("link", name="Profile", exact=True).click()
    page.get_by_role("link", name="See the people").click()
    expect_heading(page, "People of co.up Coworking")


def test_an_admin_who_does_not_allow_it_reads_why(page: Page) -> None:
    log_in(page, "/co-up/profile", "Alex Admin")
    page.get_by_role("link", name="See the people").click()
    page.get_by_role("button", name="Cancel").click()

    expect_heading(page, "You cancelled the login")
    page.goto("/co-up/profile")
    expect_heading(page, "Your profile at co.up Coworking")


def test_who_is_no_member_reads_so(page: Page, demo_cobot: StandIn) -> None:
    log_in(page, "/betahaus/")

    expect(page.get_by_role("heading", level=1)).to_contain_text("not a member")
    link = page.get_by_role("link", name="Go to the space at Cobot")
    expect(link).to_have_attribute("href", demo_cobot.space_issuer("betahaus"))


@contextmanager
def refusals(page: Page) -> Iterator[None]:
    """Nothing on a page is refused by its own policy, and no script fails."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if "Security" in message.text else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    yield
    assert found == []


HEADINGS = "[...document.querySelectorAll('h1, h2, h3')].map((heading) => Number(heading.tagName[1]))"
LOADED = "[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]"


def check(page: Page, name: str, width: int, scheme: str) -> None:
    """A page fits, can be read, has its headings in order, and is small; and what it looks like."""
    page.wait_for_load_state()
    levels = page.evaluate(HEADINGS)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels)), levels
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.get_by_role("main").count() == page.get_by_role("banner").count() == 1
    assert page.evaluate(f"{LOADED}.reduce((sum, entry) => sum + entry.transferSize, 0)") < FIRST_VIEW
    shoot(page, f"portal_{name}", scheme, width)


@pytest.mark.parametrize(("width", "height", "dark"), SIZES)
def test_every_page_can_be_read(new_page: NewPage, booked: StandIn, width: int, height: int, dark: bool) -> None:
    page = new_page(width, height, dark)
    with refusals(page):
        visit_every_page(page, booked, lambda page, name: check(page, name, width, "dark" if dark else "light"))
