"""A booking in a real browser: by keyboard alone, as a screen reader hears it, without scripts, and in a frame."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from cobot_oidc.standin import StandIn

from .conftest import BERLIN, NewPage
from .test_access import go
from .test_bookings_in_a_browser import log_in, note_what_is_said_meanwhile, refusals, said_meanwhile
from .test_in_a_browser import allow, expect_heading
from .test_inside_cobot import frame, open_area
from .test_inside_cobot import log_in as log_in_from_the_frame

pytestmark = pytest.mark.usefixtures("_one_day")


def in_days(days: int) -> str:
    return (datetime.now(BERLIN) + timedelta(days=days)).date().isoformat()


def begin(page: Page) -> None:
    """Log in, and let the portal book: Cobot asks for that when it is first needed."""
    log_in(page, "/co-up/bookings/new")
    allow(page)


def fill_in(
    page: Page | FrameLocator, *, resource: str = "Meeting Room", start: str = "10:00", end: str = "11:00"
) -> None:
    page.get_by_role("radio", name=resource).check()
    page.get_by_label("Day", exact=True).fill(in_days(1))
    page.get_by_label("From", exact=True).fill(start)
    page.get_by_label("To", exact=True).fill(end)


def tab_to(page: Page, control: Locator) -> None:
    """Go there with the Tab key, and see that the focus can be seen."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if control.evaluate("element => element === document.activeElement"):
            break
    expect(control).to_be_focused()


def test_from_the_welcome_page_to_a_booking_by_keyboard_alone(page: Page, booked: StandIn) -> None:
    booked.world.of("co-up").bookings.clear()
    with refusals(page):
        page.goto("/")
        go(page, "Log in with Cobot at co.up Coworking")
        tab_to(page, page.get_by_role("button", name="Ada Lovelace"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Allow")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Today at co.up Coworking")
        go(page, "Book a room or desk")
        expect(page.get_by_text("Book and cancel rooms and desks for you")).to_be_visible()  # Cobot asks once more
        expect(page.get_by_role("button", name="Allow")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Book a room or desk at co.up Coworking")

        tab_to(page, page.get_by_role("radio", name="Meeting Room"))
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("radio", name="Workshop")).to_be_checked()
        tab_to(page, page.get_by_label("Day", exact=True))
        tomorrow = datetime.now(BERLIN) + timedelta(days=1)
        page.keyboard.type(f"{tomorrow:%m%d%Y}")  # as Chromium's field for American English wants it
        expect(page.get_by_label("Day", exact=True)).to_have_value(in_days(1))
        tab_to(page, page.get_by_label("From", exact=True))
        page.keyboard.type("1000AM")
        tab_to(page, page.get_by_label("To", exact=True))
        page.keyboard.type("1130AM")
        tab_to(page, page.get_by_label("What for?"))
        page.keyboard.type("Planning")
        page.keyboard.press("Enter")

        expect(page.get_by_role("heading", level=1)).to_have_text("Planning")
        expect(page.get_by_role("status")).to_have_text("You have booked Workshop: Tomorrow, 10:00–11:30.")
        expect(page.get_by_role("status")).to_be_focused()
        go(page, "Bookings")
        expect(page.get_by_role("link", name="Planning")).to_be_visible()
        assert [booking.title for booking in booked.world.of("co-up").bookings.values()] == ["Planning"]


def test_what_a_screen_reader_hears_from_the_welcome_page_to_a_booking(page: Page, booked: StandIn) -> None:
    """Titles, landmarks, names and states come from Chromium's accessibility tree, which screen readers read out."""
    booked.world.of("co-up").bookings.clear()
    page.goto("/")
    expect(page).to_have_title("Welcome · Member portal")
    expect(page.get_by_role("main")).to_match_aria_snapshot("""
      - main:
        - heading "Welcome" [level=1]
        - link "Log in with Cobot"
        - heading "Your spaces" [level=2]
        - list:
          - listitem:
            - heading "co.up Coworking" [level=3]
            - paragraph: You are not logged in here.
            - link "Log in with Cobot at co.up Coworking"
    """)
    log_in(page, "/co-up/")
    expect(page).to_have_title("co.up Coworking · Member portal")
    expect(page.get_by_role("navigation", name="co.up Coworking")).to_match_aria_snapshot("""
      - navigation "co.up Coworking":
        - link "Today"
        - link "Bookings"
        - link "Invoices"
        - link "Profile"
    """)
    expect(page.get_by_role("link", name="Today")).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="Book a room or desk").click()
    allow(page)
    expect(page).to_have_title("Book a room or desk · Member portal")
    expect(page.get_by_role("main")).to_match_aria_snapshot("""
      - main:
        - heading "Book a room or desk at co.up Coworking" [level=1]
        - group "What?":
          - radio "Meeting Room"
          - radio "Workshop"
          - radio "Phone Booth"
          - radio "Day Desk"
        - group "When?":
          - textbox "Day"
          - textbox "From"
          - textbox "To"
        - textbox "What for? (You may leave this empty.)"
        - paragraph:
          - button "Book it"
    """)
    expect(page.get_by_role("radio", name="Meeting Room")).to_have_accessible_description(
        re.compile(r"For up to 8 people, €20.00 an hour \S+: free")
    )
    page.get_by_label("To", exact=True).fill("")
    page.get_by_role("button", name="Book it").click()

    expect(page).to_have_title("That did not work yet: Book a room or desk · Member portal")
    problem = page.get_by_role("alert", name="That did not work yet")
    expect(problem).to_be_focused()
    expect(problem).to_match_aria_snapshot("""
      - alert "That did not work yet":
        - heading "That did not work yet" [level=2]
        - list:
          - listitem:
            - link "Please choose what you want to book."
          - listitem:
            - link "Please enter when it ends."
    """)
    expect(page.get_by_role("group", name="What?")).to_have_accessible_description(
        "Please choose what you want to book."
    )
    problem.get_by_role("link", name="Please enter when it ends.").click()
    end = page.get_by_label("To", exact=True)
    expect(end).to_be_focused()
    expect(end).to_have_accessible_description("Please enter when it ends.")
    expect(end).to_have_attribute("aria-invalid", "true")
    fill_in(page)
    page.get_by_role("button", name="Book it").click()

    expect(page).to_have_title(re.compile(r"^You have booked Meeting Room: Tomorrow, 10:00–11:00\. · "))
    expect(page.get_by_role("status")).to_be_focused()


def test_what_is_taken_on_another_day_comes_without_leaving_the_page(page: Page, booked: StandIn) -> None:
    booked.world.of("co-up").bookings.clear()
    begin(page)
    fill_in(page)
    page.get_by_role("button", name="Book it").click()
    expect(page.get_by_role("status")).to_contain_text("You have booked")
    page.goto("/co-up/bookings/new")
    room = page.locator(".choice", has_text="Meeting Room")
    page.get_by_label("Day", exact=True).fill(in_days(1))

    expect(room).to_contain_text("Tomorrow: taken 10:00–11:00")
    booked.reply("api", status=500, path="/bookings")
    page.get_by_label("Day", exact=True).fill(in_days(2))
    expect(page.get_by_role("status")).to_have_text("Could not load when things are taken.")
    expect(room).not_to_contain_text("taken")


def test_a_booking_under_way_shows_progress_and_is_made_once(page: Page, booked: StandIn) -> None:
    booked.world.of("co-up").bookings.clear()
    begin(page)
    fill_in(page)
    expect(page.locator(".choice", has_text="Meeting Room")).to_contain_text("Tomorrow: free")
    booked.reply("api", delay=1.5, path="/bookings", times=1)
    note_what_is_said_meanwhile(page)
    page.get_by_role("button", name="Book it").dblclick()

    expect(page.get_by_role("status")).to_contain_text("You have booked")
    assert said_meanwhile(page) == ["Booking…", True]
    assert len(booked.world.of("co-up").bookings) == 1


def test_a_booking_is_made_and_cancelled_without_javascript(chromium: Browser, address: str, booked: StandIn) -> None:
    booked.world.of("co-up").bookings.clear()
    context = chromium.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    begin(page)
    fill_in(page)
    page.get_by_role("button", name="Book it").click()
    expect(page.get_by_text("You have booked Meeting Room")).to_be_visible()

    page.get_by_role("link", name="Cancel this booking").click()
    expect_heading(page, "Cancel this booking?")
    page.get_by_role("link", name="Keep it").click()
    page.get_by_role("link", name="Cancel this booking").click()
    page.get_by_role("button", name="Cancel the booking").click()

    expect(page.get_by_text("Your booking of Meeting Room is cancelled.")).to_be_visible()
    assert booked.world.of("co-up").bookings == {}
    context.close()


def test_a_booking_is_made_and_cancelled_inside_cobot(new_page: NewPage, booked: StandIn) -> None:
    booked.world.of("co-up").bookings.clear()
    page = new_page(1280, 900)
    open_area(page, booked)
    log_in_from_the_frame(page)
    frame(page).get_by_role("link", name="Book a room or desk").click()
    log_in_from_the_frame(page)  # the scope is asked for in a window, too
    expect(frame(page).get_by_role("heading", level=1)).to_have_text("Book a room or desk at co.up Coworking")
    fill_in(frame(page))
    frame(page).get_by_role("button", name="Book it").click()
    expect(frame(page).get_by_role("status")).to_contain_text("You have booked Meeting Room")
    assert len(booked.world.of("co-up").bookings) == 1

    frame(page).get_by_role("link", name="Cancel this booking").click()
    frame(page).get_by_role("button", name="Cancel the booking").click()
    expect(frame(page).get_by_role("status")).to_have_text("Your booking of Meeting Room is cancelled.")
    assert booked.world.of("co-up").bookings == {}
