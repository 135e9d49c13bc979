"""A walk through the portal in a browser: each page, and each state that a page may be in."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from cobot_oidc.standin import StandIn

from .test_in_a_browser import sign_in

Look = Callable[[Page, str], None]


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
    expect(page.get_by_role("heading", level=1)).to_have_text("You are checked in")
    look(page, "checked_in")
    page.goto("/betahaus/")
    sign_in(page, "Ada Lovelace")
    look(page, "not_a_member")
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
    look(page, "logged_out")
