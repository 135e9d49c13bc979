"""The login from a frame in a real browser: two clicks at most, and nobody else gets in."""

import time
from typing import Any, Literal
from urllib.parse import urlencode

import pytest
from playwright.sync_api import BrowserContext, FrameLocator, Page, Request, Route, expect

from cobot_oidc.standin import StandIn


def shown_at(context: BrowserContext, origin: str, *sources: str, script: str = "") -> Page:
    """A page of this origin that shows these addresses in frames."""
    frames = "".join(f'<iframe id="f{number}" width="700" height="420"></iframe>' for number in range(len(sources)))
    sources_set = "".join(f"f{number}.src = {source!r};" for number, source in enumerate(sources))
    html = f"<!doctype html><title>outside</title>{frames}<script>{script};{sources_set}</script>"

    def answer(route: Route) -> None:
        route.fulfill(body=html, content_type="text/html")

    page = context.new_page()
    page.route(f"{origin}/outside", answer)
    page.goto(f"{origin}/outside")
    return page


def embed(portal: str, cobot: StandIn, person: str = "ada", path: str = "/co-up/desk") -> str:
    """The address that Cobot shows to somebody."""
    hint = {
        "cobot_embed": "true",
        "cobot_subdomain": "co-up",
        "cobot_user_id": cobot.people[person].subject,
        "cobot_locale": "en",
    }
    return f"{portal}{path}?{urlencode(hint)}"


@pytest.fixture
def page(context: BrowserContext, live_cobot: StandIn, portal: str) -> Page:
    """A page of the space's at Cobot that shows the app to Ada."""
    return shown_at(context, live_cobot.space_issuer("co-up"), embed(portal, live_cobot))


def frame(page: Page, number: int = 0) -> FrameLocator:
    return page.frame_locator(f"#f{number}")


def log_in(page: Page, number: int = 0) -> Page:
    """Click the button: the window that opens."""
    with page.context.expect_page() as opened:
        frame(page, number).get_by_role("link", name="Log in", exact=True).click()
    return opened.value


def be(window: Page, person: str = "Ada Lovelace") -> None:
    """In the window, on the stand-in's pages."""
    window.get_by_role("button", name=person).click()
    window.get_by_role("button", name="Allow").click()


def expect_closed(window: Page) -> None:
    """The window has closed itself, or does so now; nothing is heard of the browser between the two lines."""
    if not window.is_closed():
        window.wait_for_event("close")


def expect_user(page: Page, cobot: StandIn, person: str = "ada", number: int = 0) -> None:
    expect(frame(page, number).locator("#who")).to_have_text(cobot.people[person].subject)


def expect_button(page: Page, number: int = 0) -> None:
    expect(frame(page, number).get_by_role("link", name="Log in", exact=True)).to_be_visible()


@pytest.mark.parametrize("third_party_cookies", ["blocked", "allowed"])
def test_a_click_and_a_login_lead_into_the_frame(page: Page, live_cobot: StandIn, portal: str) -> None:
    window = log_in(page)
    be(window)

    expect_user(page, live_cobot)
    expect_closed(window)
    assert page.frames[1].url.startswith(f"{portal}/co-up/desk?")
    frame(page).get_by_role("button", name="Note").click()
    expect(frame(page).locator("body")).to_have_text(f"noted for {live_cobot.people['ada'].subject}")


@pytest.mark.covers("E04")
def test_a_whole_login_over_https_under_csrf_protect(
    context: BrowserContext, live_cobot: StandIn, https_portal: str
) -> None:
    """Flask-WTF refuses there what brings no Referer, and our pages ask for none to be sent: the script asks for it.

    A browser that blocks third-party cookies keeps those alone that are ``Partitioned``, and under a name with
    ``__Host-`` none that is not ``Secure``.
    """
    page = shown_at(context, live_cobot.space_issuer("co-up"), embed(https_portal, live_cobot))
    window = log_in(page)
    with page.expect_response(f"{https_portal}/cobot/frame") as redeemed:
        be(window)
    assert redeemed.value.status == 204
    expect_user(page, live_cobot)
    in_frame = str(frame(page).locator("#cookies").text_content()).split()
    frame(page).get_by_role("button", name="Note").click()
    expect(frame(page).locator("body")).to_have_text(f"noted for {live_cobot.people['ada'].subject}")
    own = context.new_page()
    own.goto(f"{https_portal}/co-up/desk")
    on_own_page = str(own.locator("#cookies").text_content()).split()

    assert {"__Host-cobot_oidc_frame", "__Host-cobot_oidc_frame_session"} <= set(in_frame)
    assert all(name.startswith("__Host-") for name in in_frame)
    assert "session" in on_own_page
    assert not any("frame" in name for name in on_own_page)


@pytest.mark.parametrize("third_party_cookies", ["blocked", "allowed"])
def test_one_click_is_enough_for_who_is_logged_in_to_the_app(
    page: Page, context: BrowserContext, live_cobot: StandIn, portal: str
) -> None:
    own = context.new_page()
    own.goto(f"{portal}/co-up/desk")
    be(own)
    expect(own.locator("#who")).to_have_text(live_cobot.people["ada"].subject)
    expect_button(page)  # the app's own login is not the frame's
    log_in(page)

    expect_user(page, live_cobot)


@pytest.mark.covers("E07")
@pytest.mark.parametrize("policy", ["same-origin", "same-origin-allow-popups"])
def test_a_second_click_finishes_if_the_provider_cuts_the_window_off(
    page: Page, live_cobot: StandIn, policy: Literal["same-origin", "same-origin-allow-popups"]
) -> None:
    live_cobot.cut_off_openers(policy)
    window = log_in(page)
    be(window)
    expect(window.get_by_role("heading", name="You are logged in")).to_be_visible()
    expect(window.get_by_text("log in once more on the page that you came from")).to_be_visible()
    expect_button(page)
    window.close()
    log_in(page)

    expect_user(page, live_cobot)


def test_a_window_that_is_closed_early_may_be_opened_again(page: Page, live_cobot: StandIn) -> None:
    log_in(page).close()
    expect(frame(page).get_by_role("status")).to_contain_text("Go on in the other window")
    be(log_in(page))

    expect_user(page, live_cobot)


def test_a_frame_that_is_reloaded_meanwhile_is_the_same_frame(page: Page, live_cobot: StandIn) -> None:
    window = log_in(page)
    page.frames[1].evaluate("window.isTheOldPage = true; location.reload()")
    page.frames[1].wait_for_function("document.readyState === 'complete' && !window.isTheOldPage")
    expect_button(page)
    be(window)  # its page is gone, and nobody takes the ticket
    expect_button(page)
    log_in(page)

    expect_user(page, live_cobot)


def test_two_frames_at_once(context: BrowserContext, live_cobot: StandIn, portal: str) -> None:
    origin, source = live_cobot.space_issuer("co-up"), embed(portal, live_cobot)
    page = shown_at(context, origin, source, source)
    expect_button(page, 0)
    expect_button(page, 1)
    first, second = log_in(page, 0), log_in(page, 1)
    expect(first.get_by_role("button", name="Ada Lovelace")).to_be_visible()  # it does not know her yet
    be(second)
    expect_user(page, live_cobot, number=1)
    be(first)

    expect_user(page, live_cobot, number=0)
    expect_user(page, live_cobot, number=1)


def test_a_blocked_window_is_told_about(page: Page, portal: str) -> None:
    page.frames[1].evaluate("window.open = () => null")
    frame(page).get_by_role("link", name="Log in", exact=True).click()

    expect(frame(page).get_by_role("status")).to_contain_text("Your browser did not open the window.")
    alone = frame(page).get_by_role("link", name="Open as a page of its own")
    assert str(alone.get_attribute("href")).startswith("/co-up/desk")
    with page.context.expect_page() as opened:
        alone.click()
    expect(opened.value.get_by_role("button", name="Ada Lovelace")).to_be_visible()  # an ordinary login
    assert portal


def test_somebody_else_at_cobot_is_somebody_else_in_the_frame(
    page: Page, context: BrowserContext, live_cobot: StandIn, portal: str
) -> None:
    be(log_in(page))
    expect_user(page, live_cobot)
    other = shown_at(context, live_cobot.space_issuer("co-up"), embed(portal, live_cobot, "grace"))

    expect_button(other)
    expect(frame(other).get_by_text("Somebody else is logged in here")).to_be_visible()
    assert live_cobot.people["ada"].subject not in frame(other).locator("body").inner_text()


def test_a_logout_in_the_frame_ends_it(page: Page, live_cobot: StandIn, portal: str) -> None:
    be(log_in(page))
    expect_user(page, live_cobot)
    frame(page).get_by_role("button", name="Log out").click()
    expect(frame(page).get_by_role("heading", name="You are logged out")).to_be_visible()
    own = page.context.new_page()
    own.goto(f"{portal}/co-up/desk")

    expect(own.get_by_role("button", name="Allow")).to_be_visible()  # Cobot still knows Ada; the app does not


# ---------------------------------------------------------------------- attacks


def note_messages(page: Page) -> None:
    """The first frame keeps what it hears from now on, after its own script has heard it."""
    page.frames[1].evaluate("window.heard = []; addEventListener('message', (event) => heard.push(event.data))")


def expect_messages(page: Page, count: int) -> None:
    """So many have come. What the frame's own script asks for because of them, it has asked for."""
    page.frames[1].wait_for_function("count => heard.length === count", arg=count)


@pytest.mark.covers("E06")
def test_a_hostile_site_cannot_show_the_app(context: BrowserContext, live_cobot: StandIn, portal: str) -> None:
    with context.expect_console_message(lambda message: "frame-ancestors" in message.text):  # the refusal
        page = shown_at(context, f"http://evil.localhost:{live_cobot.port}", embed(portal, live_cobot))

    assert page.frames[1].url in ("chrome-error://chromewebdata/", "about:blank")


@pytest.mark.covers("E09")
def test_a_stranger_s_window_that_opens_ours_gets_no_ticket(
    context: BrowserContext, live_cobot: StandIn, portal: str
) -> None:
    """Somebody who is logged in to the app visits a hostile page, which opens our window for its own frame."""
    own = context.new_page()
    own.goto(f"{portal}/co-up/desk")
    be(own)
    expect(own.locator("#who")).to_have_text(live_cobot.people["ada"].subject)
    hostile = shown_at(
        context,
        f"http://evil.localhost:{live_cobot.port}",
        script="window.heard = []; window.addEventListener('message', (event) => heard.push(event.data))",
    )
    with context.expect_page() as opened:
        hostile.evaluate(f"window.open('{portal}/cobot/frame?space=co-up&frame={'0' * 43}')")
    expect_closed(opened.value)

    assert hostile.evaluate("heard") == []


@pytest.mark.covers("E10")
def test_a_frame_takes_no_message_but_that_of_its_own_window(
    context: BrowserContext, live_cobot: StandIn, portal: str
) -> None:
    """A page around the frame, and another frame of the app's own origin, send a ticket that nobody asked for."""
    origin, source = live_cobot.space_issuer("co-up"), embed(portal, live_cobot)
    page = shown_at(context, origin, source, source)
    expect_button(page, 0)
    expect_button(page, 1)
    redeemed: list[str] = []
    page.on("request", lambda request: redeemed.append(request.url) if request.method == "POST" else None)
    note_messages(page)
    message = "{type: 'cobot_oidc ticket', ticket: 'x'}"
    page.evaluate(f"frames[0].postMessage({message}, '*')")
    page.frames[2].evaluate(f"parent.frames[0].postMessage({message}, '*')")
    page.frames[1].evaluate(f"window.postMessage({message}, '*')")
    expect_messages(page, 3)

    assert redeemed == []


@pytest.mark.covers("E10")
def test_a_window_that_was_led_astray_is_not_listened_to(page: Page, live_cobot: StandIn) -> None:
    redeemed: list[str] = []
    page.on("request", lambda request: redeemed.append(request.url) if request.method == "POST" else None)
    window = log_in(page)
    expect(window.get_by_role("button", name="Ada Lovelace")).to_be_visible()
    evil = f"http://evil.localhost:{live_cobot.port}/outside"
    window.route(evil, lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    with window.expect_navigation(url=evil):
        window.evaluate(f"location = '{evil}'")
    note_messages(page)
    window.evaluate("opener.postMessage({type: 'cobot_oidc ticket', ticket: 'x'}, '*')")
    expect_messages(page, 1)

    assert redeemed == []
    expect_button(page)


@pytest.mark.parametrize("third_party_cookies", ["blocked", "allowed"])
@pytest.mark.covers("E04")
def test_the_frame_s_session_is_not_that_of_the_app_s_own_pages(
    page: Page, context: BrowserContext, live_cobot: StandIn, portal: str
) -> None:
    be(log_in(page))
    expect_user(page, live_cobot)
    framed: list[Any] = []
    end = time.monotonic() + 30
    while not framed:  # the browser's process for cookies tells of them when it gets to it
        assert time.monotonic() < end
        framed = [cookie for cookie in context.cookies() if "frame" in cookie["name"]]

    assert all(cookie["sameSite"] == "None" and cookie["secure"] for cookie in framed)
    own = context.new_page()
    requests: list[Request] = []
    own.on("request", lambda request: requests.append(request))
    own.goto(f"{portal}/co-up/desk")
    assert requests
    assert not any("frame" in request.all_headers().get("cookie", "") for request in requests)
