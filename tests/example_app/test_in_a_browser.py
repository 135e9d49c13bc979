"""The example app as a member meets it: in a real browser, over real HTTP."""

import re

import pytest
from playwright.sync_api import Page, expect

from cobot_oidc.standin import StandIn

from .conftest import NewPage


def sign_in(page: Page, person: str, *, chosen: bool = False) -> None:
    """On the stand-in's pages: be this person (unless Cobot knows already), and allow the portal."""
    if not chosen:
        page.get_by_role("button", name=person).click()
    allow(page)


def allow(page: Page) -> None:
    """Press the button on the stand-in's page, and wait for the page that comes then, with its script."""
    with page.expect_navigation():
        page.get_by_role("button", name="Allow").click()


def expect_heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def test_a_member_logs_in_and_out(page: Page, demo_cobot: StandIn) -> None:
    page.goto("/")
    page.get_by_role("link", name="Log in with Cobot", exact=True).click()
    expect(page.get_by_role("note")).to_have_text(re.compile("not Cobot"))
    sign_in(page, "Ada Lovelace")

    expect_heading(page, "Your profile at Cobot")
    expect(page.locator("main")).to_contain_text(demo_cobot.issuer)
    expect(page.locator("main")).to_contain_text("ada@example.org")

    page.get_by_role("button", name="Log out everywhere").click()
    expect_heading(page, "You are logged out")
    expect(page.get_by_role("link", name="Log in again", exact=True)).to_be_visible()


@pytest.mark.parametrize("person", ["Ada Lovelace", "Grace Hopper", "Alex Admin", "Nina Neu", "村上 春樹"])
def test_everybody_sees_who_they_are_in_a_space(page: Page, demo_cobot: StandIn, person: str) -> None:
    page.goto("/betahaus/profile")
    sign_in(page, person)

    expect_heading(page, "Your profile at Betahaus")
    expect(page.locator("main")).to_contain_text(demo_cobot.space_issuer("betahaus"))
    key = next(key for key, somebody in demo_cobot.people.items() if somebody.name == person)
    expect(page.locator("dl")).to_contain_text(demo_cobot.people[key].subject)


@pytest.mark.covers("M04")
def test_a_member_of_one_space_is_nobody_in_another(page: Page) -> None:
    page.goto("/co-up/")
    sign_in(page, "Grace Hopper")
    expect_heading(page, "Today at co.up Coworking")

    page.goto("/betahaus/")
    expect_heading(page, "Log in to Betahaus")
    sign_in(page, "Nina Neu")
    expect_heading(page, "Today at Betahaus")

    page.goto("/co-up/")
    expect(page.locator("main")).to_contain_text("Grace Hopper")


@pytest.mark.covers("S18")
def test_the_back_button_after_logging_out_shows_nobody(page: Page) -> None:
    page.goto("/profile")
    sign_in(page, "Ada Lovelace")
    page.get_by_role("button", name="Log out everywhere").click()
    expect_heading(page, "You are logged out")

    page.go_back()

    expect(page.get_by_text("ada@example.org")).to_have_count(0)


@pytest.mark.covers("F03")
def test_the_back_button_after_logging_in_leads_on(page: Page) -> None:
    callbacks: list[str] = []
    page.on("request", lambda request: callbacks.append(request.url) if "/cobot/callback" in request.url else None)
    page.goto("/profile")
    sign_in(page, "Ada Lovelace")
    expect_heading(page, "Your profile at Cobot")

    page.goto(callbacks[0])

    expect_heading(page, "Welcome")
    expect(page.get_by_text("Good to see you, Ada Lovelace")).to_be_visible()


@pytest.mark.covers("F03")
def test_the_back_button_to_a_consent_that_was_given_leads_on(page: Page) -> None:
    page.goto("/profile")
    sign_in(page, "Ada Lovelace")
    expect_heading(page, "Your profile at Cobot")

    page.go_back()
    allow(page)

    expect(page.get_by_text("Good to see you, Ada Lovelace")).to_be_visible()


@pytest.mark.covers("F06")
@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["as begun", "the other way round"])
def test_two_tabs_end_where_each_began(page: Page, order: tuple[int, int]) -> None:
    tabs = [page, page.context.new_page()]
    for tab, path in zip(tabs, ["/co-up/", "/betahaus/"], strict=True):
        tab.goto(path)
    for number in order:
        sign_in(tabs[number], "Grace Hopper")

    expect_heading(tabs[0], "Today at co.up Coworking")
    expect_heading(tabs[1], "Today at Betahaus")
    tabs[1].close()


def test_who_logs_out_in_one_tab_is_logged_out_in_the_other(page: Page) -> None:
    page.goto("/betahaus/")
    sign_in(page, "Grace Hopper")
    other = page.context.new_page()
    other.goto("/betahaus/")
    other.get_by_role("button", name="Log out of Betahaus").click()
    expect_heading(other, "You are logged out")
    other.close()

    page.reload()

    expect_heading(page, "Allow Portal?")
    page.go_back()
    expect(page.get_by_text("grace@example.org")).to_have_count(0)


def test_a_photo_that_cannot_be_loaded_leaves_the_initial(page: Page) -> None:
    page.goto("/co-up/")
    sign_in(page, "Ada Lovelace")

    expect(page.locator(".person .avatar")).to_have_text("AL")
    expect(page.locator(".person .avatar img")).to_have_attribute("src", "https://pictures.example/ada.jpg")


@pytest.mark.covers("F18")
def test_who_cancels_reads_so(page: Page) -> None:
    page.goto("/profile")
    page.get_by_role("button", name="Cancel").click()

    expect_heading(page, "You cancelled the login")
    page.get_by_role("link", name="Go to the start page").click()
    expect_heading(page, "Welcome")


@pytest.mark.covers("N10")
def test_cobot_is_down(page: Page, demo_cobot: StandIn) -> None:
    page.goto("/co-up/profile")
    sign_in(page, "Ada Lovelace")
    demo_cobot.stop()

    page.goto("/co-up/profile")
    expect_heading(page, "Your profile at co.up Coworking")
    page.goto("/betahaus/")
    expect_heading(page, "The login service cannot be reached at the moment")
    expect(page.get_by_role("link", name="Log in again")).to_be_visible()


def test_on_a_phone_in_the_dark(new_page: NewPage) -> None:
    page = new_page(width=360, height=740, dark=True)
    page.goto("/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("link", name="Log in with Cobot at co.up Coworking").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    sign_in(page, "村上 春樹")

    expect(page.locator("main")).to_contain_text("+81 3-1234-5678")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_with_the_keyboard_alone(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Log in with Cobot", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Log in to"))
    page.wait_for_load_state("load")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Ada Lovelace")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Allow")).to_be_focused()
    page.keyboard.press("Enter")

    expect_heading(page, "Your profile at Cobot")


def test_the_stand_in_can_be_made_to_lie(page: Page, demo_cobot: StandIn) -> None:
    page.goto(f"{demo_cobot.issuer}/stand-in")
    page.get_by_role("combobox").select_option("wrong-audience")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("status")).to_contain_text("for another app")

    page.goto("/profile")
    sign_in(page, "Ada Lovelace")
    expect_heading(page, "The login service's answer could not be verified, so you were not logged in")

    page.goto(f"{demo_cobot.issuer}/stand-in")
    page.get_by_role("button", name="Reset").click()
    expect(page.get_by_role("status")).to_contain_text("everything is reset")
    page.get_by_role("button", name="Rotate the signing key").click()
    expect(page.get_by_role("status")).to_contain_text("from now on")
    page.goto("/profile")
    sign_in(page, "Ada Lovelace", chosen=True)
    expect_heading(page, "Your profile at Cobot")


def test_a_space_that_is_none(page: Page) -> None:
    response = page.goto("/atlantis/")

    assert response is not None
    assert response.status == 404
    expect_heading(page, "There is no such space here")
