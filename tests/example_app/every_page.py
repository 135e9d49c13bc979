"""A walk through the portal in a browser: each page, and each state that a page may be in."""

from collections.abc import Callable
from datetime import date, timedelta

from playwright.sync_api import Page, expect

from cobot_oidc.standin import StandIn

from .test_in_a_browser import allow, expect_heading, sign_in

Look = Callable[[Page, str], None]
LONG = "Prof. Dr. Maximiliane-Charlotte Freifrau von Donaudampfschifffahrtsgesellschaft-Hohenstein"


def book(page: Page, look: Look) -> None:
    """The form, what may be wrong with it, what was booked, and cancelling it."""
    page.goto("/co-up/bookings/new")
    allow(page)
    look(page, "book")
    page.get_by_label("To", exact=True).fill("")
    page.get_by_role("button", name="Book it").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(page, "book_wrong")
    page.get_by_role("radio", name="Workshop").check()
    page.get_by_label("Day", exact=True).fill((date.today() + timedelta(days=30)).isoformat())  # noqa: DTZ011 - any day will do
    page.get_by_label("From", exact=True).fill("10:00")
    page.get_by_label("To", exact=True).fill("11:30")
    page.get_by_label("What for?").fill("Planning")
    page.get_by_role("button", name="Book it").click()
    expect(page.get_by_role("status")).to_contain_text("You have booked Workshop")
    look(page, "booked")
    page.get_by_role("link", name="Cancel this booking").click()
    expect_heading(page, "Cancel this booking?")
    look(page, "cancel")
    page.get_by_role("button", name="Cancel the booking").click()
    expect(page.get_by_text("Your booking of Workshop is cancelled.")).to_be_focused()
    look(page, "cancelled")


def speak_german(page: Page, *, no_longer: bool = False) -> None:
    page.set_extra_http_headers({"Accept-Language": "en" if no_longer else "de"})


def visit_every_page(page: Page, cobot: StandIn, look: Look) -> None:
    """As Ada, who runs the space too."""
    cobot.people["ada"].admin_of = ("co-up",)
    page.goto("/")
    look(page, "welcome_nobody")
    page.goto("/profile")
    sign_in(page, "Ada Lovelace")
    look(page, "profile")
    for path, name in (("/co-up/", "home"), ("/co-up/check-in", "check_in"), ("/co-up/people", "people")):
        page.goto(path)
        sign_in(page, "Ada Lovelace", chosen=name != "home")
        look(page, name)
    page.goto("/co-up/check-in")
    page.get_by_role("button", name="Check in now").click()
    expect_heading(page, "You are checked in")
    look(page, "checked_in")
    page.goto("/betahaus/")
    sign_in(page, "Ada Lovelace")
    look(page, "not_a_member")
    book(page, look)
    for path, name in (
        ("/", "welcome"),
        ("/co-up/", "home_checked_in"),
        ("/co-up/bookings", "bookings"),
        ("/co-up/invoices", "invoices"),
        ("/co-up/profile", "space_profile"),
        ("/nothing/here", "not_found"),
    ):
        page.goto(path)
        look(page, name)
    speak_german(page)
    page.goto("/")
    look(page, "welcome_german")
    page.goto("/co-up/")
    look(page, "home_german")
    page.goto("/co-up/bookings/new")
    look(page, "book_german")
    speak_german(page, no_longer=True)
    cobot.people["ada"].memberships["co-up"].name, short = LONG, cobot.people["ada"].memberships["co-up"].name
    page.context.clear_cookies(domain="localhost")
    page.goto("/co-up/")
    sign_in(page, "Ada Lovelace", chosen=True)
    look(page, "home_long_name")
    cobot.people["ada"].memberships["co-up"].name = short
    contents = cobot.world.of("co-up")
    contents.bookings.clear()
    contents.invoices.clear()
    page.goto("/co-up/bookings")
    look(page, "bookings_none")
    page.goto("/co-up/invoices")
    look(page, "invoices_none")
    for path in ("/bookings", "/api/invoices", "/api/check_ins"):
        cobot.reply("api", status=500, path=path)
    page.goto("/co-up/")
    look(page, "home_failing")
    page.goto("/co-up/bookings")
    look(page, "api_failing")
    page.goto("/co-up/profile")
    page.get_by_role("button", name="Log out of").click()
    expect_heading(page, "You are logged out")
    look(page, "logged_out")
