"""A login in Firefox, which keeps what each site's frames have apart (Total Cookie Protection), as it is installed."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from cobot_oidc.standin import StandIn

from ..conftest import needed_program
from ..firefox import Firefox, FirefoxError

ALONE = "//a[. = 'Open as a page of its own']"
LOG_IN = "//a[. = 'Log in']"
TAB, ENTER = "\ue004", "\ue007"  # WebDriver section 17.4.2
COOKIE_BEHAVIOUR = "return Services.prefs.getIntPref('network.cookie.cookieBehavior')"
PARTITIONED = 5  # Firefox's default since 2022
ALL_BLOCKED = 1  # "All cross-site cookies" in the settings
COOKIES = "return Services.cookies.cookies.map(one => [one.name, one.originAttributes.partitionKey])"


@pytest.fixture(scope="module")
def _started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """Started once, as that takes seconds."""
    browser = Firefox(needed_program("Firefox", "COBOT_OIDC_TEST_FIREFOX"), tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def firefox(_started: Firefox) -> Iterator[Firefox]:
    """Firefox with one window and without cookies."""
    _started.as_browser("Services.cookies.removeAll()")
    first = _started.window()
    yield _started
    for other in set(_started.windows()) - {first}:
        with suppress(FirefoxError):  # it closes itself at this moment
            _started.go_to(other)
            _started.close_window()
    back_to(_started, first)
    _started.open("about:blank")


@pytest.fixture
def members_area(firefox: Firefox, live_cobot: StandIn, portal: str) -> Firefox:
    """The page of a space that shows the app to Ada, in a frame."""
    live_cobot.register_client(
        "p",
        secret="secret-of-p",
        redirect_uri=f"{portal}/cobot/callback",
        name="Portal",
        embed_url=f"{portal}/{{space}}/desk",
    )
    firefox.open(f"{live_cobot.space_issuer('co-up')}/members")
    firefox.click(button("Ada Lovelace"))
    return firefox


def button(words: str) -> str:
    return f"//button[contains(., '{words}')]"


def find_log_in(firefox: Firefox) -> None:
    """The button is there, with its script: without it, it opens a window that the frame forgets."""
    firefox.find(LOG_IN)
    firefox.until(firefox.is_loaded, "the script of the page")


def click_log_in(firefox: Firefox, number: int = 1) -> None:
    with firefox.in_frame(number):
        find_log_in(firefox)
        firefox.click(LOG_IN)


def log_in(firefox: Firefox, number: int = 1) -> str:
    """Click the button in the frame, and go to the window that it opens: the window from before."""
    before, others = firefox.window(), set(firefox.windows())
    click_log_in(firefox, number)
    [opened] = firefox.until(lambda: set(firefox.windows()) - others, "a window")
    firefox.go_to(opened)
    return before


def allow(firefox: Firefox) -> None:
    """Press the button until its page is left: a window that is still opening may lose a click."""

    def is_left() -> bool:
        try:
            firefox.do("WebDriver:ElementClick", id=firefox.find(button("Allow")))
            return not firefox.do("WebDriver:FindElements", using="xpath", value=button("Allow"))
        except FirefoxError:  # the page or its window has gone
            return True

    firefox.until(is_left, "the end of the page that asks for consent")


def back_to(firefox: Firefox, window: str) -> None:
    """The other window has closed itself."""
    firefox.until(lambda: firefox.windows() == [window], "the end of the window")
    firefox.go_to(window)


def expect_new_page(firefox: Firefox) -> None:
    """The frame's page is another one than the one that was marked as the old one."""
    with firefox.in_frame():
        firefox.until(lambda: firefox.run("return !window.isTheOldPage"), "a new page in the frame")
        firefox.until(firefox.is_loaded, "the page in the frame")


def expect_somebody_else(firefox: Firefox, cobot: StandIn) -> None:
    """The frame says so, and nothing about Ada."""
    with firefox.in_frame():
        firefox.find("//p[contains(., 'Somebody else is logged in here')]")
        find_log_in(firefox)
        assert cobot.people["ada"].subject not in firefox.text("//body")


def log_in_to_the_end(firefox: Firefox) -> None:
    """Log in, and be back at the frame."""
    before = log_in(firefox)
    allow(firefox)
    back_to(firefox, before)


def expect_user(firefox: Firefox, cobot: StandIn, person: str = "ada", number: int = 1) -> None:
    with firefox.in_frame(number):
        assert firefox.text("//*[@id='who']") == cobot.people[person].subject


def test_a_member_logs_in_on_a_page_of_the_app_s_own(firefox: Firefox, live_cobot: StandIn, portal: str) -> None:
    firefox.open(f"{portal}/co-up/desk")
    firefox.click(button("Ada Lovelace"))
    firefox.click(button("Allow"))

    assert firefox.text("//*[@id='who']") == live_cobot.people["ada"].subject
    assert firefox.url() == f"{portal}/co-up/desk"


@pytest.mark.covers("E04")
def test_a_click_and_a_login_lead_into_the_frame(members_area: Firefox, live_cobot: StandIn) -> None:
    log_in_to_the_end(members_area)

    expect_user(members_area, live_cobot)
    with members_area.in_frame():
        members_area.click(button("Note"))  # a form that is posted in the frame
        assert members_area.text("//body[contains(., 'noted')]") == f"noted for {live_cobot.people['ada'].subject}"
    assert members_area.as_browser(COOKIE_BEHAVIOUR) == PARTITIONED
    kept = dict(members_area.as_browser(COOKIES))
    assert {kept[name] for name in kept if "frame" in name} == {"(http,cobot.localhost)"}
    assert kept["session"] == ""  # of the window, at the top


def test_one_click_is_enough_for_who_is_logged_in_to_the_app(
    members_area: Firefox, live_cobot: StandIn, portal: str
) -> None:
    members_area.open(f"{portal}/co-up/desk")
    members_area.click(button("Allow"))
    members_area.find("//*[@id='who']")
    members_area.open(f"{live_cobot.space_issuer('co-up')}/members")
    with members_area.in_frame():
        members_area.find(LOG_IN)  # the app's own login is not the frame's
    click_log_in(members_area)

    expect_user(members_area, live_cobot)


@pytest.mark.covers("E07")
def test_a_second_click_finishes_if_the_provider_cuts_the_window_off(
    members_area: Firefox, live_cobot: StandIn
) -> None:
    live_cobot.cut_off_openers("same-origin")
    before = log_in(members_area)
    allow(members_area)
    members_area.find("//h1[. = 'You are logged in']")
    members_area.close_window()
    members_area.go_to(before)
    click_log_in(members_area)

    expect_user(members_area, live_cobot)


def test_a_window_that_is_closed_early_may_be_opened_again(members_area: Firefox, live_cobot: StandIn) -> None:
    before = log_in(members_area)
    members_area.close_window()
    members_area.go_to(before)
    with members_area.in_frame():
        members_area.until(
            lambda: "Go on in the other window" in members_area.text("//*[@role='status']"), "what to do now"
        )
    log_in(members_area)
    allow(members_area)
    back_to(members_area, before)

    expect_user(members_area, live_cobot)


def test_a_frame_that_is_reloaded_meanwhile_is_the_same_frame(members_area: Firefox, live_cobot: StandIn) -> None:
    before = log_in(members_area)
    opened = members_area.window()
    members_area.go_to(before)
    with members_area.in_frame():
        members_area.run("window.isTheOldPage = true; location.reload()")
    expect_new_page(members_area)
    members_area.go_to(opened)
    allow(members_area)  # the page that opened the window is gone, and nobody takes the ticket
    back_to(members_area, before)
    click_log_in(members_area)

    expect_user(members_area, live_cobot)


def test_two_frames_at_once(members_area: Firefox, live_cobot: StandIn) -> None:
    members_area.run("document.querySelector('main').append(document.querySelector('iframe').cloneNode())")
    before = log_in(members_area, 1)
    first = members_area.window()
    members_area.go_to(before)
    log_in(members_area, 2)
    allow(members_area)
    members_area.until(lambda: set(members_area.windows()) == {before, first}, "the end of the second window")
    members_area.go_to(before)
    expect_user(members_area, live_cobot, number=2)
    with members_area.in_frame(1):
        members_area.find(LOG_IN)
    members_area.go_to(first)
    allow(members_area)
    back_to(members_area, before)

    expect_user(members_area, live_cobot, number=1)
    expect_user(members_area, live_cobot, number=2)


def test_a_blocked_window_is_told_about(members_area: Firefox) -> None:
    before = members_area.window()
    with members_area.preferring(  # Marionette lets pages open windows as they like
        dom__disable_open_during_load=True, dom__popup_allowed_events="", dom__popup_maximum=0
    ):
        click_log_in(members_area)
        with members_area.in_frame():
            members_area.until(
                lambda: "Your browser did not open the window." in members_area.text("//*[@role='status']"),
                "what has happened",
            )
    assert members_area.windows() == [before]
    with members_area.in_frame():
        members_area.click(ALONE)
    [opened] = members_area.until(lambda: set(members_area.windows()) - {before}, "a page of its own")
    members_area.go_to(opened)
    members_area.find(button("Allow"))  # an ordinary login


def test_with_the_cookies_of_other_sites_blocked_altogether_the_app_is_a_page_of_its_own(
    members_area: Firefox, live_cobot: StandIn
) -> None:
    with members_area.preferring(network__cookie__cookieBehavior=ALL_BLOCKED):
        members_area.open(members_area.url())  # what is blocked is settled when a page is opened
        before = log_in(members_area)
        allow(members_area)
        back_to(members_area, before)
        with members_area.in_frame():
            members_area.find("//p[@data-when='failed' and not(@hidden)]")
            find_log_in(members_area)
            assert "That did not work." in members_area.text("//*[@role='status']")
            members_area.click(ALONE)
        [opened] = members_area.until(lambda: set(members_area.windows()) - {before}, "a page of its own")
        members_area.go_to(opened)

        assert members_area.text("//*[@id='who']") == live_cobot.people["ada"].subject


def test_a_logout_in_the_frame_ends_it(members_area: Firefox, live_cobot: StandIn, portal: str) -> None:
    log_in_to_the_end(members_area)
    expect_user(members_area, live_cobot)
    with members_area.in_frame():
        members_area.click(button("Log out"))
        members_area.find("//h1[. = 'You are logged out']")
    members_area.open(f"{portal}/co-up/desk")

    members_area.find(button("Allow"))  # Cobot still knows Ada; the app does not


@pytest.mark.covers("E08")
def test_somebody_else_at_cobot_is_somebody_else_in_the_frame(members_area: Firefox, live_cobot: StandIn) -> None:
    log_in_to_the_end(members_area)
    expect_user(members_area, live_cobot)
    members_area.click("//option[. = 'Grace Hopper']")
    members_area.click(button("Switch"))

    expect_somebody_else(members_area, live_cobot)


@pytest.mark.covers("E08")
def test_an_address_that_names_somebody_else_makes_nobody_them(members_area: Firefox, live_cobot: StandIn) -> None:
    log_in_to_the_end(members_area)
    expect_user(members_area, live_cobot)
    ada, grace = live_cobot.people["ada"].subject, live_cobot.people["grace"].subject
    with members_area.in_frame():
        members_area.run("window.isTheOldPage = true")
    members_area.run(
        f"const frame = document.querySelector('iframe'); frame.src = frame.src.replace('{ada}', '{grace}')"
    )
    expect_new_page(members_area)
    expect_somebody_else(members_area, live_cobot)
    before = log_in(members_area)
    members_area.find("//p[contains(., 'At Cobot you are logged in as a different person')]")  # the window is Ada's
    members_area.close_window()
    members_area.go_to(before)

    expect_somebody_else(members_area, live_cobot)


def test_the_keyboard_reaches_the_button_in_the_frame(members_area: Firefox, live_cobot: StandIn) -> None:
    before = members_area.window()
    with members_area.in_frame():
        find_log_in(members_area)

    def is_focused() -> bool:
        members_area.press(TAB)
        with members_area.in_frame():
            return bool(members_area.run("return document.hasFocus() && document.activeElement.innerText === 'Log in'"))

    members_area.until(is_focused, "the focus")
    with members_area.in_frame():
        members_area.press(ENTER)
    [opened] = members_area.until(lambda: set(members_area.windows()) - {before}, "a window")
    members_area.go_to(opened)
    allow(members_area)
    back_to(members_area, before)

    expect_user(members_area, live_cobot)
