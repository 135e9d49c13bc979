"""The stand-in shows apps in an iframe as Cobot does (docs/cobot.md 6), and its login pages refuse to be in one."""

import html
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from flask import Flask, request
from playwright.sync_api import Browser, FrameLocator, Page, expect

from cobot_oidc.standin import StandIn
from cobot_oidc.standin.state import OpenerPolicy

from ..screenshots import shoot
from ..serving import listening

QUERY = {
    "response_type": "code",
    "client_id": "portal",
    "redirect_uri": "http://localhost/cobot/callback",
    "scope": "openid",
    "state": "s",
}
FRAME = re.compile(r'<iframe title="([^"]*)" src="([^"]*)"')


class Window:
    """A browser window at the stand-in, which presses the buttons of its pages."""

    def __init__(self, url: str) -> None:
        self._cookies: dict[str, str] = {}
        self.url = url
        self.show()

    def show(self) -> "Window":
        self.answer = self._ask("GET", self.url)
        return self

    def press(self, **form: str) -> "Window":
        assert self.send(**form) == 303
        return self.show()

    def send(self, **form: str) -> int:
        """Send the form of this page with these values; the status of the answer."""
        csrf = re.search(r'name="csrf" value="([^"]+)"', self.answer.text)
        assert csrf, self.answer.text
        return self._ask("POST", self.url, data={"csrf": csrf[1], **form}).status_code

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def text(self) -> str:
        return html.unescape(self.answer.text)

    @property
    def frame(self) -> str | None:
        """What the iframe loads, if there is one."""
        found = FRAME.search(self.answer.text)
        return html.unescape(found[2]) if found else None

    def told(self) -> dict[str, str]:
        """The parameters of what the iframe loads."""
        return dict(parse_qsl(urlsplit(self.frame or "").query))

    def _ask(self, method: str, url: str, **options: dict[str, str]) -> requests.Response:
        parts = urlsplit(url)
        address = parts._replace(netloc=f"127.0.0.1:{parts.port}").geturl()
        answer = requests.request(
            method,
            address,
            headers={"Host": parts.netloc},
            cookies=self._cookies,
            timeout=60,
            allow_redirects=False,
            **options,  # type: ignore[arg-type]
        )
        self._cookies |= answer.cookies.get_dict()
        return answer


def members_page(
    cobot: StandIn, person: str, *, space: str = "co-up", area: str = "members", query: str = ""
) -> Window:
    """That page, as this person sees it."""
    return Window(f"{cobot.space_issuer(space)}/{area}{query}").press(person=person)


def login_page(cobot: StandIn, **changes: str) -> Window:
    return Window(f"{cobot.space_issuer('co-up')}/oauth/authorize?{urlencode({**QUERY, **changes})}")


def test_the_frame_is_told_the_space_the_person_and_the_language_as_cobot_tells_them(cobot: StandIn) -> None:
    cobot.register_client(
        "portal", secret="s", redirect_uri="http://localhost/cb", embed_url="http://app.test/{space}/"
    )

    frame = members_page(cobot, "ada").frame

    assert frame == (
        "http://app.test/co-up/?cobot_embed=true&cobot_subdomain=co-up"
        f"&cobot_user_id={cobot.people['ada'].subject}&cobot_locale=en"
    )


def test_without_an_embed_url_the_frame_shows_the_start_page_beside_the_callback(cobot: StandIn) -> None:
    frame = urlsplit(members_page(cobot, "ada").frame or "")

    assert (frame.scheme, frame.netloc, frame.path) == ("http", "localhost", "/")


@pytest.mark.parametrize(
    ("embed_url", "at_the_space", "at_www"),
    [
        ("http://app.test/{space}/", "http://app.test/co-up/?", "http://app.test/?"),
        ("http://{space}.app.test/", "http://co-up.app.test/?", "http://www.app.test/?"),
        ("http://app.test/x?of={space}#top", "http://app.test/x?of=co-up&", "http://app.test/x?of=www&"),
    ],
    ids=["path", "host", "query"],
)
def test_the_embed_url_names_the_space_and_at_www_none(
    cobot: StandIn, embed_url: str, at_the_space: str, at_www: str
) -> None:
    cobot.register_client("portal", secret="s", redirect_uri="http://localhost/cb", embed_url=embed_url)

    assert (members_page(cobot, "ada").frame or "").startswith(f"{at_the_space}cobot_embed=true")
    www = members_page(cobot, "ada", space="www")
    assert (www.frame or "").startswith(f"{at_www}cobot_embed=true")
    assert www.told()["cobot_subdomain"] == "www"


def test_a_space_on_its_own_domain_shows_its_apps_too(cobot: StandIn) -> None:
    cobot.domains["members.localhost"] = "co-up"

    window = Window(f"http://members.localhost:{cobot.port}/members").press(person="ada")

    assert window.told()["cobot_subdomain"] == "co-up"


def test_who_is_logged_out_chooses_a_person_first_and_comes_back(cobot: StandIn) -> None:
    window = Window(f"{cobot.space_issuer('co-up')}/members?app=portal")
    assert "Who would you like to be?" in window.text
    assert window.frame is None
    assert "Cancel" not in window.text  # there is no app to go back to

    window.press(person="ada")

    assert window.url.endswith("/members?app=portal")
    assert window.told()["cobot_user_id"] == cobot.people["ada"].subject


def test_the_switch_changes_whom_the_frame_is_told(cobot: StandIn) -> None:
    window = members_page(cobot, "ada")
    window.press(action="switch", person="grace", locale="de")
    assert window.told()["cobot_user_id"] == cobot.people["grace"].subject
    assert window.told()["cobot_locale"] == "de"

    assert window.press(action="switch", person="haruki").told()["cobot_locale"] == "de"
    assert window.answer.headers["Cache-Control"] == "no-store"  # the way back must not show Ada's frame
    assert window.press(action="log-out").frame is None
    assert "Who would you like to be?" in window.text


def test_who_is_switched_to_is_whom_the_next_login_finds(cobot: StandIn) -> None:
    window = members_page(cobot, "ada").press(action="switch", person="grace")
    window.url = f"{cobot.space_issuer('co-up')}/oauth/authorize?{urlencode(QUERY)}"

    assert "Grace Hopper" in window.show().text
    assert "Allow Portal?" in window.text


@pytest.mark.parametrize(
    "form",
    [{"person": "nobody"}, {"person": "ada", "locale": "fr"}, {"person": "ada", "csrf": "made-up"}],
    ids=["a stranger", "an unknown language", "another site's form"],
)
def test_the_switch_takes_only_what_it_offers(cobot: StandIn, form: dict[str, str]) -> None:
    window = members_page(cobot, "grace")

    assert window.send(action="switch", **form) == 400

    assert window.show().told()["cobot_user_id"] == cobot.people["grace"].subject
    assert window.told()["cobot_locale"] == "en"


@pytest.mark.parametrize(
    ("person", "space", "area", "said"),
    [
        ("nina", "co-up", "members", "Nina Neu is not a member of co.up Coworking,"),
        ("ada", "co-up", "admin", "Ada Lovelace is not an admin of co.up Coworking,"),
        ("alex", "nebenan", "admin", "Alex Admin is not an admin of Nebenan,"),
        ("alex", "www", "members", "Alex Admin is not a member of any space,"),
        ("ada", "www", "admin", "Ada Lovelace is not an admin of any space,"),
    ],
)
def test_who_does_not_belong_here_reads_so(cobot: StandIn, person: str, space: str, area: str, said: str) -> None:
    window = members_page(cobot, person, space=space, area=area)

    assert window.status == 403
    assert said in window.text
    assert window.frame is None


@pytest.mark.parametrize("space", ["co-up", "betahaus", "www"])
def test_admins_have_a_page_until_their_right_is_revoked(cobot: StandIn, space: str) -> None:
    window = members_page(cobot, "alex", space=space, area="admin")
    assert window.status == 200
    assert window.told()["cobot_user_id"] == "user-langalex"

    for of in ("co-up", "betahaus"):
        cobot.revoke_right("alex", of)

    assert window.show().status == 403


def test_each_registered_app_can_be_chosen() -> None:
    with StandIn() as cobot:
        assert "No app is registered yet." in members_page(cobot, "ada").text
        cobot.register_client("portal", secret="p", redirect_uri="http://localhost/cb", name="Portal")
        cobot.register_client("doors & keys", secret="d", redirect_uri="http://doors.test/cb", name="Doors & <keys>")

        window = members_page(cobot, "ada")
        assert (window.frame or "").startswith("http://localhost/?")
        assert app_links(window) == [("?app=portal", True), ("?app=doors%20%26%20keys", False)]

        doors = members_page(cobot, "ada", query="?app=doors%20%26%20keys")
        assert (doors.frame or "").startswith("http://doors.test/?")
        assert '<iframe title="Doors &amp; &lt;keys&gt;"' in doors.answer.text
        assert app_links(doors) == [("?app=portal", False), ("?app=doors%20%26%20keys", True)]

        assert members_page(cobot, "ada", query="?app=windows").status == 404


def app_links(window: Window) -> list[tuple[str, bool]]:
    """Where the links to the apps lead, and whether each is the app that is shown."""
    return [(url, bool(now)) for url, now in re.findall(r'<a href="(\?app=[^"]*)"( aria-current="page")?', window.text)]


@pytest.mark.parametrize("host", ["atlantis", "api"])
def test_there_are_no_such_pages_where_no_space_is(cobot: StandIn, host: str) -> None:
    assert Window(f"http://{host}.cobot.localhost:{cobot.port}/members").status == 404


def test_the_login_pages_refuse_to_be_framed(cobot: StandIn) -> None:
    window = login_page(cobot)
    assert "Who would you like to be?" in window.text
    for page in (window.answer, window.press(person="ada").answer, login_page(cobot, client_id="unknown").answer):
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
        assert "Cross-Origin-Opener-Policy" not in page.headers
    assert "X-Frame-Options" not in members_page(cobot, "ada").answer.headers


def test_the_login_pages_cut_off_openers_if_they_are_told_to(cobot: StandIn) -> None:
    policies: tuple[OpenerPolicy, ...] = ("same-origin", "same-origin-allow-popups")
    for policy in policies:
        cobot.cut_off_openers(policy)
        window = login_page(cobot)
        for page in (window.answer, window.press(person="ada").answer):
            assert page.headers["Cross-Origin-Opener-Policy"] == policy
        assert "Cross-Origin-Opener-Policy" not in members_page(cobot, "ada").answer.headers

    cobot.cut_off_openers(None)
    assert "Cross-Origin-Opener-Policy" not in login_page(cobot).answer.headers

    cobot.cut_off_openers()
    cobot.reset()
    assert "Cross-Origin-Opener-Policy" not in login_page(cobot).answer.headers


def test_the_control_page_can_cut_off_openers(cobot: StandIn) -> None:
    control = Window(f"{cobot.issuer}/stand-in")
    assert "login pages cut off the window that opened them" in control.text

    control.press(action="lie", lie="no-opener")

    assert login_page(cobot).answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_the_cookie_of_the_stand_in_is_lax(cobot: StandIn) -> None:
    assert "SameSite=Lax" in Window(f"{cobot.issuer}/members").answer.headers["Set-Cookie"]


# In a real browser


@pytest.fixture
def window(chromium: Browser) -> Iterator[Page]:
    """A window of a browser profile of its own."""
    context = chromium.new_context(viewport={"width": 1000, "height": 800})
    yield context.new_page()
    context.close()


@pytest.fixture
def app_elsewhere(cobot: StandIn) -> Iterator[str]:
    """A tiny app at another site, ``portal.localhost``, which says what it was told and opens the login when asked."""
    app = Flask(__name__)

    @app.get("/<space>/")
    def home(space: str) -> str:
        told = " ".join(f"{name}={value}" for name, value in request.args.items())
        fetched = f"{request.headers['Sec-Fetch-Dest']} {request.headers['Sec-Fetch-Site']}"
        login = html.escape(f"{cobot.space_issuer(space)}/oauth/authorize?{urlencode({**QUERY, 'redirect_uri': back})}")
        return (
            f"<p id=told>{html.escape(told)}</p><p id=fetched>{html.escape(fetched)}</p>"
            f'<button data-login="{login}" onclick="window.open(this.dataset.login)">Log in</button>'
            f'<iframe src="{login}"></iframe>'
        )

    @app.get("/back")
    def came_back() -> str:
        script = "document.getElementById('opener').textContent = opener ? 'kept' : 'cut off'"
        return f"<p id=opener></p><script>{script}</script>"

    with listening() as server:
        address = f"http://portal.localhost:{server.port}"
        back = f"{address}/back"
        cobot.register_client("portal", secret="s", redirect_uri=back, name="Portal", embed_url=f"{address}/{{space}}/")
        server.app = app
        yield address


def open_members_page(window: Page, cobot: StandIn) -> FrameLocator:
    """As Ada; what comes back is the app's frame."""
    window.goto(f"{cobot.space_issuer('co-up')}/members")
    window.get_by_role("button", name="Ada Lovelace").click()
    return window.frame_locator("iframe[title=Portal]")


@pytest.mark.usefixtures("app_elsewhere")
def test_a_browser_loads_the_app_in_the_frame_and_the_switch_loads_it_anew(window: Page, cobot: StandIn) -> None:
    frame = open_members_page(window, cobot)
    told = "cobot_embed=true cobot_subdomain=co-up cobot_user_id={} cobot_locale={}"
    expect(frame.locator("#told")).to_have_text(told.format(cobot.people["ada"].subject, "en"))
    expect(frame.locator("#fetched")).to_have_text("iframe cross-site")

    window.get_by_label("Who is logged in at Cobot").select_option("Grace Hopper")
    window.get_by_label("Language").select_option("Deutsch")
    window.get_by_role("button", name="Switch").click()
    expect(frame.locator("#told")).to_have_text(told.format(cobot.people["grace"].subject, "de"))

    expect(window.get_by_label("Who is logged in at Cobot")).to_have_value("grace")
    expect(window.get_by_label("Language")).to_have_value("de")

    window.get_by_role("button", name="Log out of Cobot").click()
    expect(window.get_by_role("heading", level=1)).to_have_text("Log in to co.up Coworking")
    expect(window.locator("iframe")).to_have_count(0)


@pytest.mark.usefixtures("app_elsewhere")
def test_a_browser_does_not_show_the_login_in_a_frame(window: Page, cobot: StandIn) -> None:
    with window.expect_console_message(lambda message: "frame-ancestors" in message.text):
        frame = open_members_page(window, cobot)

    expect(frame.locator("#told")).not_to_be_empty()
    window.wait_for_load_state("load")
    assert not any("Allow Portal?" in shown.content() for shown in window.frames)


@pytest.mark.parametrize(
    ("policy", "opener"), [(None, "kept"), ("same-origin", "cut off"), ("same-origin-allow-popups", "cut off")]
)
def test_a_window_that_a_frame_opens_for_the_login_keeps_its_opener_unless_it_is_cut_off(
    window: Page, cobot: StandIn, app_elsewhere: str, policy: OpenerPolicy | None, opener: str
) -> None:
    cobot.cut_off_openers(policy)
    frame = open_members_page(window, cobot)

    with window.expect_popup() as opened:
        frame.get_by_role("button", name="Log in").click()
    popup = opened.value
    popup.get_by_role("button", name="Allow").click()

    expect(popup.locator("#opener")).to_have_text(opener)
    assert popup.url.startswith(app_elsewhere)


@pytest.mark.usefixtures("app_elsewhere")
@pytest.mark.parametrize("width", [360, 1000])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_phones_and_its_headings_are_in_order(
    chromium: Browser, cobot: StandIn, width: int, scheme: str
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme)  # type: ignore[arg-type]
    window = context.new_page()
    frame = open_members_page(window, cobot)
    expect(frame.locator("#told")).not_to_be_empty()
    window.wait_for_load_state("load")  # with its style

    assert window.evaluate("document.documentElement.scrollWidth") <= width
    assert window.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(h => h.tagName)") == ["H1", "H2"]
    shoot(window, "standin_area", scheme, width)
    context.close()
