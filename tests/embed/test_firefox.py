"""A login in Firefox, which keeps what each site's frames have apart (Total Cookie Protection), as it is installed."""

from collections.abc import Iterator

import pytest

from cobot_oidc.standin import StandIn

from ..conftest import needed_program
from ..firefox import Firefox, FirefoxError

COOKIE_BEHAVIOUR = "return Services.prefs.getIntPref('network.cookie.cookieBehavior')"
PARTITIONED = 5  # Firefox's default since 2022
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
        _started.go_to(other)
        _started.close_window()
    _started.go_to(first)
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


def click_log_in(firefox: Firefox) -> None:
    with firefox.in_frame():
        firefox.find("//a[. = 'Log in']")
        firefox.until(
            firefox.is_loaded, "the script of the page"
        )  # without it, the link opens a window that the frame forgets
        firefox.click("//a[. = 'Log in']")


def log_in(firefox: Firefox) -> str:
    """Click the button in the frame, and go to the window that it opens: the window from before."""
    before = firefox.window()
    click_log_in(firefox)
    firefox.until(lambda: len(firefox.windows()) == 2, "a window")
    firefox.go_to(next(window for window in firefox.windows() if window != before))
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


def expect_user(firefox: Firefox, cobot: StandIn, person: str = "ada") -> None:
    with firefox.in_frame():
        assert firefox.text("//*[@id='who']") == cobot.people[person].subject


def test_a_member_logs_in_on_a_page_of_the_app_s_own(firefox: Firefox, live_cobot: StandIn, portal: str) -> None:
    firefox.open(f"{portal}/co-up/desk")
    firefox.click(button("Ada Lovelace"))
    firefox.click(button("Allow"))

    assert firefox.text("//*[@id='who']") == live_cobot.people["ada"].subject
    assert firefox.url() == f"{portal}/co-up/desk"


@pytest.mark.covers("E04")
def test_a_click_and_a_login_lead_into_the_frame(members_area: Firefox, live_cobot: StandIn) -> None:
    before = log_in(members_area)
    allow(members_area)
    back_to(members_area, before)

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
        members_area.find("//a[. = 'Log in']")  # the app's own login is not the frame's
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
