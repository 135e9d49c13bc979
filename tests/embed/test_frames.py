"""Requests from a frame, and the way of a login into it, as HTTP: what each of them may, and what it may not."""

import re
from typing import Any

import pytest
from flask import Flask, jsonify, session
from flask.testing import FlaskClient
from flask_session import Session
from flask_wtf.csrf import CSRFProtect
from werkzeug.test import TestResponse
from werkzeug.wrappers import Response

from cobot_oidc import (
    CobotOIDC,
    ConfigurationError,
    current_user,
    current_users,
    from_view_arg,
    login_required,
    membership_required,
)
from cobot_oidc.standin import StandIn

from ..conftest import Clock, Visitor

JSON = {"Accept": "application/json"}
FRAMED = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "cross-site"}
SCRIPT = {
    "Sec-Fetch-Dest": "empty",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Site": "same-origin",
    "Origin": "http://localhost",
}
TOP = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}


@pytest.fixture
def make_app(settings: dict[str, Any], clock: Clock) -> Any:
    """Makes an app that is shown inside Cobot."""

    def make(**changes: Any) -> Flask:
        app = Flask("portal")
        app.config.update(settings | {"COBOT_OIDC_EMBEDDED": True} | changes)
        oidc = CobotOIDC(app, space=from_view_arg("space"), clock=clock)

        @app.get("/<space>/desk")
        @login_required
        def desk(space: str) -> str:
            return f"{current_user.subject} at {space}"

        @app.get("/<space>/open")
        @app.get("/open")
        def open_page(**_: str) -> Any:
            hint = oidc.embed
            return jsonify(
                user=current_user.subject,
                embed=hint and [hint.space, hint.user_id, hint.locale],
                kept=session.get("kept"),
            )

        @app.post("/<space>/note")
        def note(space: str) -> str:
            session["kept"] = space
            return "noted"

        return app

    return make


@pytest.fixture
def app(make_app: Any) -> Flask:
    made: Flask = make_app()
    return made


class Frame:
    """A frame of Cobot's with its own cookies, as browsers keep them apart from those of the app's pages."""

    def __init__(self, app: Flask, embed: str = "") -> None:
        self.client: FlaskClient = app.test_client()
        self.embed = embed

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers=FRAMED | headers)

    def post(self, path: str, data: Any = None, **headers: str) -> TestResponse:
        return self.client.post(path, data=data, headers=SCRIPT | headers)

    @property
    def cookies(self) -> dict[Any, Any]:
        """What its browser keeps, by domain, path and name."""
        return dict(self.client._cookies or {})

    def button(self, path: str) -> tuple[str, TestResponse]:
        """The address of the window that the button opens, and the page that the button is on."""
        answer = self.get(path)
        assert answer.status_code == 302
        page = self.get(answer.location)
        assert page.status_code == 200
        window = re.findall(r'href="([^"]+)" target="_blank" rel="opener"', page.text)[0]
        return str(window).replace("&amp;", "&"), page


def opened(visitor: Visitor, window: str, person: str = "ada") -> TestResponse:
    """The window, once the person has done in it what it asks for."""
    page = visitor.browser.get(window, headers=TOP)
    while page.status_code == 302:
        if page.location.startswith("/"):
            page = visitor.browser.get(page.location, headers=TOP)
        else:
            page = visitor.browser.get(visitor.answer(page.location, person), headers=TOP)
            assert page.status_code == 303
            page = visitor.browser.get(page.location, headers=TOP)
    return page


def ticket_in(page: TestResponse) -> str:
    assert page.status_code == 200, page.text
    return str(re.findall(r'data-ticket="([^"]+)"', page.text)[0])


def logged_in(app: Flask, cobot: StandIn, path: str = "/co-up/desk", person: str = "ada") -> tuple[Frame, Visitor]:
    """A frame that somebody has logged in to, and their browser's own pages."""
    frame, visitor = Frame(app), Visitor(app, cobot)
    window, _ = frame.button(path)
    assert frame.post("/cobot/frame", {"ticket": ticket_in(opened(visitor, window, person))}).status_code == 204
    return frame, visitor


# ---------------------------------------------------------------------- the way in


def test_a_login_reaches_the_frame(app: Flask, cobot: StandIn) -> None:
    frame, _ = logged_in(app, cobot)

    assert frame.get("/co-up/desk").text == f"{cobot.people['ada'].subject} at co-up"


def test_who_is_logged_in_on_the_app_s_own_pages_needs_one_click(app: Flask, cobot: StandIn) -> None:
    frame, ada = Frame(app), Visitor(app, cobot)
    ada.log_in("/co-up/desk")
    asked = len(cobot.requests)
    window, _ = frame.button("/co-up/desk")
    page = ada.browser.get(window, headers=TOP)

    assert frame.post("/cobot/frame", {"ticket": ticket_in(page)}).status_code == 204
    assert frame.get("/co-up/desk").status_code == 200
    assert len(cobot.requests) == asked


def test_the_button_s_page_goes_on_where_the_frame_was(app: Flask, cobot: StandIn) -> None:
    _, page = Frame(app).button("/co-up/desk?day=monday")

    assert 'data-next="/co-up/desk?day=monday"' in page.text
    assert cobot.requests == []


def test_a_link_to_the_login_leads_to_the_button_in_a_frame(app: Flask, cobot: StandIn) -> None:
    frame = Frame(app)
    answer = frame.get("/cobot/login?space=co-up&next=/co-up/desk")

    assert answer.location == "/cobot/embedded?space=co-up&next=/co-up/desk"
    assert frame.get(answer.location).status_code == 200
    assert cobot.requests == []


def test_the_button_s_page_is_a_login_on_a_page_of_its_own(app: Flask, cobot: StandIn) -> None:
    answer = app.test_client().get("/cobot/embedded?space=co-up&next=/co-up/desk", headers=TOP)

    assert answer.location == "/cobot/login?space=co-up&next=/co-up/desk"
    assert cobot.requests == []


def test_a_script_in_the_frame_is_told_where_the_button_is(app: Flask, cobot: StandIn) -> None:
    frame = Frame(app)
    frame.get("/co-up/open")
    answer = frame.client.get("/co-up/desk", headers=SCRIPT | JSON)

    assert answer.status_code == 401
    assert answer.json["login_url"].startswith("/cobot/embedded?")  # type: ignore[index] # it is JSON
    assert cobot.requests == []


# ---------------------------------------------------------------------- the ticket


@pytest.mark.covers("E01")
def test_a_ticket_counts_once(app: Flask, cobot: StandIn) -> None:
    frame, ada = Frame(app), Visitor(app, cobot)
    ticket = ticket_in(opened(ada, frame.button("/co-up/desk")[0]))

    assert frame.post("/cobot/frame", {"ticket": ticket}).status_code == 204
    assert frame.post("/cobot/frame", {"ticket": ticket}).status_code == 400


@pytest.mark.covers("E01")
def test_a_ticket_lives_for_a_minute(app: Flask, cobot: StandIn, clock: Clock) -> None:
    frame, ada = Frame(app), Visitor(app, cobot)
    ticket = ticket_in(opened(ada, frame.button("/co-up/desk")[0]))
    clock.move(61)

    assert frame.post("/cobot/frame", {"ticket": ticket}).status_code == 400
    assert frame.get("/co-up/desk").status_code == 302


@pytest.mark.covers("E02")
def test_nobody_else_s_frame_takes_the_ticket(app: Flask, cobot: StandIn) -> None:
    """Mallory began it in his own frame, and made Ada's browser finish it."""
    mallory, other = Frame(app), Frame(app)
    other.get("/co-up/open")
    ticket = ticket_in(opened(Visitor(app, cobot), mallory.button("/co-up/desk")[0]))

    assert other.post("/cobot/frame", {"ticket": ticket}).status_code == 400
    assert other.get("/co-up/desk").status_code == 302


@pytest.mark.covers("E02")
def test_nobody_learns_by_asking_that_a_login_is_done(app: Flask, cobot: StandIn) -> None:
    mallory = Frame(app)
    window, _ = mallory.button("/co-up/desk")
    opened(Visitor(app, cobot), window)

    assert mallory.get("/co-up/desk").status_code == 302
    assert mallory.get(window).status_code == 302  # his own browser is nobody's
    assert mallory.post("/cobot/frame", {"ticket": ""}).status_code == 400
    assert mallory.get("/cobot/embedded?space=co-up").status_code == 200


@pytest.mark.covers("E03")
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_only_our_own_pages_redeem(app: Flask, cobot: StandIn, headers: dict[str, str]) -> None:
    frame = Frame(app)
    ticket = ticket_in(opened(Visitor(app, cobot), frame.button("/co-up/desk")[0]))

    assert frame.post("/cobot/frame", {"ticket": ticket}, **headers).status_code == 403
    assert frame.get("/co-up/desk").status_code == 302


@pytest.mark.covers("E03")
def test_a_page_of_its_own_redeems_nothing(app: Flask, cobot: StandIn) -> None:
    ada, frame = Visitor(app, cobot), Frame(app)
    ticket = ticket_in(opened(ada, frame.button("/co-up/desk")[0]))
    answer = app.test_client().post("/cobot/frame", data={"ticket": ticket}, headers=SCRIPT)

    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("ticket", ["", "x", "x" * 9000, "\x00", "é" * 40, "A" * 200])
def test_what_is_no_ticket_is_refused(app: Flask, cobot: StandIn, ticket: str) -> None:
    frame = Frame(app)
    frame.get("/co-up/open")
    answer = frame.post("/cobot/frame", {"ticket": ticket}, Accept="application/json")

    assert answer.status_code == 400
    assert answer.json["code"] == "ticket_refused"  # type: ignore[index] # it is JSON
    assert cobot.requests == []


@pytest.mark.parametrize("name", ["", "x", "0" * 42, "0" * 44, "G" * 43, "../" + "0" * 40])
def test_a_window_for_no_frame_gives_no_ticket(app: Flask, cobot: StandIn, name: str) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/co-up/desk")
    answer = ada.browser.get("/cobot/frame", query_string={"frame": name, "space": "co-up"}, headers=TOP)

    assert answer.status_code == 400
    assert "data-ticket" not in answer.text


def test_another_app_s_ticket_is_refused(app: Flask, make_app: Any, cobot: StandIn) -> None:
    frame = Frame(app)
    ticket = ticket_in(opened(Visitor(app, cobot), frame.button("/co-up/desk")[0]))
    other = Frame(make_app(SECRET_KEY="o" * 32))
    other.client._cookies = frame.client._cookies

    assert other.post("/cobot/frame", {"ticket": ticket}).status_code == 400


def test_a_ticket_of_a_login_that_has_ended_is_refused(app: Flask, cobot: StandIn) -> None:
    frame, ada = Frame(app), Visitor(app, cobot)
    ticket = ticket_in(opened(ada, frame.button("/co-up/desk")[0]))
    ada.log_out()

    assert frame.post("/cobot/frame", {"ticket": ticket}).status_code == 400


# ---------------------------------------------------------------------- the frame's own session


@pytest.mark.covers("E04")
def test_the_frame_s_cookies_are_partitioned(app: Flask, cobot: StandIn) -> None:
    frame = Frame(app)
    window, _ = frame.button("/co-up/desk")
    answer = frame.post("/cobot/frame", {"ticket": ticket_in(opened(Visitor(app, cobot), window))})
    headers = answer.headers.getlist("Set-Cookie")

    assert headers
    for header in headers:
        name, *attributes = re.split("; ?", header)
        assert name.startswith("__Host-")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=None", "Partitioned"} <= set(attributes)
        assert not any(attribute.startswith("Domain") for attribute in attributes)


@pytest.mark.covers("E04")
def test_the_frame_s_session_is_worth_nothing_elsewhere_nor_the_other_in_it(app: Flask, cobot: StandIn) -> None:
    frame, ada = logged_in(app, cobot)
    [framed] = [cookie.value for cookie in frame.client._cookies.values() if cookie.key.endswith("session")]  # type: ignore[union-attr] # it has cookies
    [own] = [cookie.value for cookie in ada.cookies if cookie.key == "session"]
    client = app.test_client(use_cookies=False)

    assert client.get("/co-up/desk", headers={"Cookie": f"session={framed}"} | TOP).status_code == 302
    swapped = {"Cookie": f"__Host-cobot_oidc_frame_session={own}"} | FRAMED
    assert client.get("/co-up/desk", headers=swapped).status_code == 302


def test_what_the_app_keeps_in_the_frame_stays_there(app: Flask, cobot: StandIn) -> None:
    frame, ada = logged_in(app, cobot)
    assert frame.post("/co-up/note").text == "noted"

    assert frame.get("/co-up/open").json["kept"] == "co-up"  # type: ignore[index] # it is JSON
    assert ada.get("/co-up/open").json["kept"] is None  # type: ignore[index] # it is JSON


@pytest.mark.covers("E11")
def test_who_planted_the_frame_s_cookies_is_nobody_after_the_login(app: Flask, cobot: StandIn) -> None:
    """Mallory opened the frame, filled its session, and put all of its cookies into Ada's browser."""
    mallory, ada = Frame(app), Frame(app)
    mallory.button("/co-up/desk")
    mallory.post("/co-up/note")
    planted = mallory.cookies
    assert [name for _, _, name in planted if name.endswith("session")]
    ada.client._cookies = dict(planted)
    ticket = ticket_in(opened(Visitor(app, cobot), ada.button("/co-up/desk")[0]))
    assert ada.post("/cobot/frame", {"ticket": ticket}).status_code == 204

    assert ada.get("/co-up/open").json["user"] == cobot.people["ada"].subject  # type: ignore[index] # it is JSON
    assert mallory.cookies == planted
    assert mallory.get("/co-up/open").json["user"] is None  # type: ignore[index] # it is JSON
    assert mallory.get("/co-up/desk").status_code == 302
    assert mallory.post("/cobot/frame", {"ticket": ticket}).status_code == 400  # not even if he learned it by now


@pytest.mark.covers("E11")
def test_a_planted_secret_redeems_nothing_before_the_victim_does(app: Flask, cobot: StandIn) -> None:
    """Mallory knows the frame's secret, and everything that its page says; the ticket is Ada's window's and frame's."""
    mallory, ada = Frame(app), Frame(app)
    mallory.button("/co-up/desk")
    ada.client._cookies = mallory.cookies
    window, page = ada.button("/co-up/desk")
    ticket = ticket_in(opened(Visitor(app, cobot), window))
    known = [*re.findall(r'data-[a-z-]+="([^"]*)"', page.text), window, window.partition("frame=")[2][:43]]

    assert [mallory.post("/cobot/frame", {"ticket": one}).status_code for one in known] == [400] * len(known)
    assert mallory.get(window).status_code == 302
    assert mallory.get("/co-up/desk").status_code == 302
    assert ada.post("/cobot/frame", {"ticket": ticket}).status_code == 204


@pytest.mark.covers("E11", "F24")
def test_another_person_s_planted_login_is_replaced(app: Flask, cobot: StandIn) -> None:
    """Grace's session, with what the app kept in it, is in the frame that Ada logs in to."""

    @app.get("/everybody")
    def everybody() -> str:
        return " ".join(user.subject for user in current_users())

    grace, _ = logged_in(app, cobot, person="grace")
    grace.post("/co-up/note")
    planted, frame = grace.cookies, Frame(app)
    frame.client._cookies = dict(planted)
    subject = cobot.people["ada"].subject
    window, page = frame.button(f"/co-up/desk?cobot_embed=true&cobot_user_id={subject}")
    assert "Somebody else is logged in here" in page.text
    ticket = ticket_in(opened(Visitor(app, cobot), window))
    assert frame.post("/cobot/frame", {"ticket": ticket}).status_code == 204
    frame.get("/open?cobot_embed=true")  # no hint hides anybody from here on

    assert frame.get("/everybody").text == subject
    assert frame.get("/co-up/open").json == {"user": subject, "embed": [None, None, None], "kept": None}
    assert grace.cookies == planted
    assert grace.get("/everybody").text == cobot.people["grace"].subject


@pytest.mark.covers("E11")
def test_another_person_s_planted_login_at_another_issuer_does_not_count(app: Flask, cobot: StandIn) -> None:
    """It stays beside the new one, as on the app's own pages, but Cobot says whom it shows the frame to."""
    grace, _ = logged_in(app, cobot, "/betahaus/desk", "grace")
    frame = Frame(app)
    frame.client._cookies = grace.cookies
    subject = cobot.people["ada"].subject
    window, _ = frame.button(f"/co-up/desk?cobot_embed=true&cobot_user_id={subject}")
    ticket = ticket_in(opened(Visitor(app, cobot), window))
    assert frame.post("/cobot/frame", {"ticket": ticket}).status_code == 204

    assert frame.get("/co-up/desk").text == f"{subject} at co-up"
    assert frame.get("/betahaus/open").json["user"] is None  # type: ignore[index] # it is JSON
    assert frame.get("/betahaus/desk").status_code == 302


@pytest.mark.covers("E05", "E11")
def test_a_planted_csrf_token_changes_nothing_from_another_site(app: Flask, cobot: StandIn) -> None:
    """What the app keeps for a visitor survives the login (S01), and so does Flask-WTF's token, which Mallory knows."""
    CSRFProtect(app)
    mallory, ada = Frame(app), Frame(app)
    _, page = mallory.button("/co-up/desk")
    [token] = re.findall(r'data-csrf-token="([^"]+)"', page.text)
    ada.client._cookies = mallory.cookies
    ticket = ticket_in(opened(Visitor(app, cobot), ada.button("/co-up/desk")[0]))
    assert ada.post("/cobot/frame", {"ticket": ticket}, **{"X-CSRFToken": token}).status_code == 204
    forged = FRAMED | {"Origin": "https://evil.example"}

    assert ada.post("/co-up/note", {"csrf_token": token}, **forged).status_code == 403
    assert ada.get("/co-up/open").json["kept"] is None  # type: ignore[index] # it is JSON
    assert ada.post("/co-up/note", {"csrf_token": token}).status_code == 200


def test_a_logout_in_the_frame_ends_the_login_everywhere(app: Flask, cobot: StandIn) -> None:
    frame, ada = logged_in(app, cobot)
    answer = frame.post("/cobot/logout", **(FRAMED | {"Sec-Fetch-Site": "same-origin"}))

    assert answer.status_code == 303
    assert frame.get("/co-up/desk").status_code == 302
    assert ada.get("/co-up/desk").status_code == 302


def test_a_logout_on_the_app_s_own_pages_ends_the_frame_s_login(app: Flask, cobot: StandIn) -> None:
    frame, ada = logged_in(app, cobot)
    ada.log_out()

    assert frame.get("/co-up/desk").status_code == 302


def test_the_frame_s_login_ends_with_the_login(app: Flask, cobot: StandIn, clock: Clock) -> None:
    frame, _ = logged_in(app, cobot)
    clock.move(12 * 3600)

    assert frame.get("/co-up/desk").status_code == 302


@pytest.mark.covers("E05")
@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_only_our_own_pages_change_something_from_a_frame(app: Flask, cobot: StandIn, site: str) -> None:
    frame, _ = logged_in(app, cobot)

    assert (
        frame.post("/co-up/note", **(FRAMED | {"Sec-Fetch-Site": site, "Origin": "https://evil.example"})).status_code
        == 403
    )
    assert frame.get("/co-up/open").json["kept"] is None  # type: ignore[index] # it is JSON


def test_outside_of_frames_nothing_changes(app: Flask, cobot: StandIn) -> None:
    ada = Visitor(app, cobot)
    response = ada.browser.get(ada.answer(ada.begin("/co-up/desk")), headers=TOP)
    [header] = [header for header in response.headers.getlist("Set-Cookie") if header.startswith("session=")]

    assert "SameSite=Lax" in header
    assert "Partitioned" not in header
    assert (
        ada.browser.post("/co-up/note", headers={"Origin": "https://evil.example"}).status_code == 200
    )  # the app's to refuse


def test_an_app_that_is_not_embedded_knows_no_frames(make_app: Any, cobot: StandIn) -> None:
    app = make_app(COBOT_OIDC_EMBEDDED=False)
    frame = Frame(app)

    assert frame.get("/co-up/desk").location.startswith("/cobot/login?")
    assert frame.get("/cobot/embedded").status_code == 404
    assert frame.get("/co-up/open?cobot_embed=true&cobot_user_id=x").json["embed"] is None  # type: ignore[index] # it is JSON
    assert "Content-Security-Policy" not in frame.get("/co-up/open").headers
    assert frame.get("/cobot/callback?state=x").headers["X-Frame-Options"] == "DENY"
    assert cobot.requests == []


def test_a_frame_on_the_app_s_own_pages_is_a_page_of_its_own(app: Flask, cobot: StandIn) -> None:
    """The browser sends the app's own cookies into it: there is nothing to hand over."""
    ada = Visitor(app, cobot)
    ada.log_in("/co-up/desk")

    assert ada.browser.get("/co-up/desk", headers=FRAMED | {"Sec-Fetch-Site": "same-origin"}).status_code == 200


# ---------------------------------------------------------------------- who may show it


@pytest.mark.covers("E06")
def test_cobot_and_the_space_alone_may_show_a_page(app: Flask, cobot: StandIn) -> None:
    policy = Frame(app).get("/co-up/open").headers["Content-Security-Policy"]

    assert policy == f"frame-ancestors {cobot.issuer} {cobot.space_issuer('co-up')}"


@pytest.mark.covers("E06")
def test_a_space_s_own_domain_may_show_its_pages(make_app: Any, cobot: StandIn) -> None:
    app = make_app(
        COBOT_OIDC_SPACE_ISSUERS={
            "nebenan": {"issuer": "https://rooms.example", "client_id": "n", "client_secret": "another-secret"}
        }
    )

    assert "https://rooms.example" in Frame(app).get("/nebenan/open").headers["Content-Security-Policy"]
    assert "https://rooms.example" not in Frame(app).get("/co-up/open").headers["Content-Security-Policy"]
    assert cobot.requests == []


@pytest.mark.covers("E06")
def test_the_space_that_shows_a_global_page_may(make_app: Any, cobot: StandIn) -> None:
    app = make_app(COBOT_OIDC_SPACES=["co-up"])
    frame = Frame(app)

    assert (
        frame.get("/open?cobot_embed=true&cobot_subdomain=co-up")
        .headers["Content-Security-Policy"]
        .endswith(cobot.space_issuer("co-up"))
    )
    elsewhere = frame.get("/open?cobot_embed=true&cobot_subdomain=evil").headers["Content-Security-Policy"]
    assert elsewhere == f"frame-ancestors {cobot.issuer}"


@pytest.mark.covers("E06")
def test_the_login_s_own_window_is_never_framed(app: Flask, cobot: StandIn) -> None:
    ada, frame = Visitor(app, cobot), Frame(app)
    page = opened(ada, frame.button("/co-up/desk")[0])

    assert page.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def test_what_the_app_says_about_frames_itself_stays(make_app: Any, cobot: StandIn) -> None:
    app = make_app()

    def policy(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = "default-src 'self'"
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
        return response

    app.after_request(policy)

    response = Frame(app).get("/co-up/open")

    own, ours = response.headers.getlist("Content-Security-Policy")  # browsers keep to both
    assert own == "default-src 'self'"
    assert ours.startswith("frame-ancestors http")
    assert "X-Frame-Options" not in response.headers
    assert cobot.requests == []


@pytest.mark.covers("E07")
@pytest.mark.parametrize(
    "path", ["/cobot/login?space=co-up", "/cobot/callback?state=x", "/cobot/frame?frame=" + "0" * 43]
)
def test_nothing_on_the_way_cuts_the_window_off(make_app: Any, cobot: StandIn, path: str) -> None:
    app = make_app()

    def policy(response: Response) -> Response:
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        return response

    app.after_request(policy)

    assert "Cross-Origin-Opener-Policy" not in app.test_client().get(path, headers=TOP).headers
    assert app.test_client().get("/open", headers=TOP).headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert cobot.requests == [] or "login" in path


# ---------------------------------------------------------------------- what Cobot says


def test_the_context_is_a_hint_that_the_frame_remembers(app: Flask, cobot: StandIn) -> None:
    frame = Frame(app)
    first = frame.get("/open?cobot_embed=true&cobot_subdomain=co-up&cobot_user_id=u-1&cobot_locale=de")

    assert first.json["embed"] == ["co-up", "u-1", "de"]  # type: ignore[index] # it is JSON
    assert frame.get("/open").json["embed"] == ["co-up", "u-1", "de"]  # type: ignore[index] # it is JSON
    assert frame.get("/open").json["user"] is None  # type: ignore[index] # it is JSON
    again = frame.get("/open?cobot_embed=true&cobot_subdomain=co-up&cobot_user_id=u-2&cobot_locale=en")
    assert again.json["embed"] == ["co-up", "u-2", "en"]  # type: ignore[index] # it is JSON
    assert cobot.requests == []


def test_the_context_counts_in_frames_alone(app: Flask, cobot: StandIn) -> None:
    answer = app.test_client().get("/open?cobot_embed=true&cobot_subdomain=co-up", headers=TOP)

    assert answer.json["embed"] is None  # type: ignore[index] # it is JSON
    assert "Set-Cookie" not in answer.headers
    assert cobot.requests == []


@pytest.mark.parametrize(
    ("query", "embed"),
    [
        ("cobot_embed=true", [None, None, None]),
        ("cobot_embed=false&cobot_subdomain=co-up", [None, None, None]),
        ("cobot_embed=true&cobot_subdomain=CO-UP&cobot_user_id=&cobot_locale=../x", [None, None, None]),
        ("cobot_embed=true&cobot_user_id=" + "x" * 256, [None, None, None]),
        ("cobot_embed=true&cobot_user_id=a%00b&cobot_locale=de-AT", [None, None, "de-AT"]),
    ],
)
def test_what_is_no_context_is_left_out(app: Flask, cobot: StandIn, query: str, embed: list[str | None]) -> None:
    assert Frame(app).get(f"/open?{query}").json["embed"] == embed  # type: ignore[index] # it is JSON
    assert cobot.requests == []


@pytest.mark.parametrize("cookie", ["", "x", "W10", "WzEsMiwzLDRd", "é", "[" * 3000, "x; __Host-cobot_oidc_frame=y"])
def test_no_cookie_makes_a_frame_fail(app: Flask, cobot: StandIn, cookie: str) -> None:
    client = app.test_client(use_cookies=False)
    answer = client.get(
        "/open", headers=FRAMED | {"Cookie": f"__Host-cobot_oidc_frame={cookie}".encode().decode("latin-1")}
    )

    assert answer.json["embed"] == [None, None, None]  # type: ignore[index] # it is JSON
    assert cobot.requests == []


@pytest.mark.covers("E02")
def test_two_frames_that_begin_at_the_same_moment_need_one_click_each(app: Flask, cobot: StandIn) -> None:
    """Neither has a cookie when it comes, and the browser keeps the one that was set last for both."""
    first, second, ada = Frame(app), Frame(app), Visitor(app, cobot)
    windows = [frame.button("/co-up/desk")[0] for frame in (first, second)]
    shared = first.client._cookies = second.client._cookies = first.cookies | second.cookies
    assert len([name for _, _, name in shared if name.startswith("__Host-cobot_oidc_frame")]) == 3

    for frame, window in zip((first, second), windows, strict=True):
        assert frame.post("/cobot/frame", {"ticket": ticket_in(opened(ada, window))}).status_code == 204
        assert frame.get("/co-up/desk").status_code == 200


@pytest.mark.covers("E02")
def test_of_many_frames_that_begin_at_once_the_last_four_are_known(app: Flask, cobot: StandIn) -> None:
    ada, frames = Visitor(app, cobot), [Frame(app) for _ in range(6)]
    windows = [frame.button("/co-up/desk")[0] for frame in frames]
    shared: dict[Any, Any] = {}
    for frame in frames:
        shared |= frame.cookies
    statuses = []
    for frame, window in zip(frames, windows, strict=True):
        frame.client._cookies = dict(shared)
        statuses.append(frame.post("/cobot/frame", {"ticket": ticket_in(opened(ada, window))}).status_code)

    assert statuses == [400, 400, 204, 204, 204, 204]


def test_under_csrf_protect_a_ticket_is_redeemed_over_https(make_app: Any, cobot: StandIn) -> None:
    """Flask-WTF demands a referrer there. ``test_handover_in_a_browser`` shows that the script lets it be sent."""
    site = {"base_url": "https://localhost"}
    app = make_app(COBOT_OIDC_REDIRECT_URI="https://localhost/cobot/callback")
    cobot.register_client(
        "portal", secret="s3cret-of-the-portal", redirect_uri="https://localhost/cobot/callback", name="Portal"
    )
    CSRFProtect(app)
    ada, frame = Visitor(app, cobot), app.test_client()
    page = frame.get("/cobot/embedded?space=co-up&next=/co-up/desk", headers=FRAMED, **site)
    [window] = re.findall(r'href="([^"]+)" target="_blank" rel="opener"', page.text)
    [token] = re.findall(r'data-csrf-token="([^"]+)"', page.text)
    referrer = {"Referer": "https://localhost/cobot/embedded"}
    headers = SCRIPT | {"Origin": "https://localhost", "X-CSRFToken": token} | referrer
    login = ada.browser.get(window.replace("&amp;", "&"), headers=TOP, **site)
    start = ada.browser.get(login.location, headers=TOP, **site)
    back = ada.browser.get(ada.answer(start.location), headers=TOP)
    ticket = ticket_in(ada.browser.get(back.location, headers=TOP, **site))

    assert frame.post("/cobot/frame", data={"ticket": ticket}, headers=headers, **site).status_code == 204
    assert frame.get("/co-up/desk", headers=FRAMED, **site).status_code == 200


def test_a_frame_that_lost_its_cookie_needs_one_more_click(app: Flask, cobot: StandIn) -> None:
    first, second, ada = Frame(app), Frame(app), Visitor(app, cobot)
    window, page = first.button("/co-up/desk")
    second.button("/co-up/desk")
    first.client._cookies = second.client._cookies
    refused = first.post("/cobot/frame", {"ticket": ticket_in(opened(ada, window))})
    assert refused.status_code == 400

    again = first.get(re.findall(r'data-again="([^"]+)"', page.text)[0].replace("&amp;", "&"))
    assert '<p data-when="failed">' in again.text
    window = re.findall(r'href="([^"]+)" target="_blank" rel="opener"', again.text)[0].replace("&amp;", "&")
    assert first.post("/cobot/frame", {"ticket": ticket_in(opened(ada, window))}).status_code == 204
    assert first.get("/co-up/desk").status_code == 200


def test_our_pages_speak_the_language_of_the_frame(app: Flask, cobot: StandIn) -> None:
    frame = Frame(app)
    frame.get("/open?cobot_embed=true&cobot_locale=de")
    page = frame.get("/cobot/embedded?space=co-up", **{"Accept-Language": "en"})

    assert '<html lang="de">' in page.text
    assert cobot.requests == []


@pytest.mark.covers("E08")
def test_somebody_whom_cobot_does_not_mean_is_nobody(app: Flask, cobot: StandIn) -> None:
    frame, _ = logged_in(app, cobot)
    ada, grace = cobot.people["ada"].subject, cobot.people["grace"].subject

    assert frame.get(f"/co-up/open?cobot_embed=true&cobot_user_id={ada}").json["user"] == ada  # type: ignore[index] # it is JSON
    shown = frame.get(f"/co-up/open?cobot_embed=true&cobot_user_id={grace}")
    assert shown.json["user"] is None  # type: ignore[index] # it is JSON
    assert frame.get("/co-up/open").json["user"] is None  # type: ignore[index] # it is JSON
    assert frame.get("/co-up/desk").status_code == 302
    assert frame.get(f"/co-up/open?cobot_embed=true&cobot_user_id={ada}").json["user"] == ada  # type: ignore[index] # it is JSON


@pytest.mark.covers("E08")
def test_a_forged_user_id_takes_a_login_away_and_gives_none(app: Flask, cobot: StandIn) -> None:
    frame = Frame(app)
    answer = frame.get(f"/co-up/desk?cobot_embed=true&cobot_user_id={cobot.people['ada'].subject}")

    assert answer.status_code == 302


def test_who_was_switched_at_cobot_logs_in_again_as_the_other(app: Flask, cobot: StandIn, clock: Clock) -> None:
    """Ada is logged in to the app; then Grace logs in to Cobot, and opens the frame."""
    frame, browser = logged_in(app, cobot)
    clock.move(3600)
    grace = cobot.people["grace"].subject
    window, page = frame.button(f"/co-up/desk?cobot_embed=true&cobot_user_id={grace}")
    assert "Somebody else is logged in here" in page.text
    at_cobot = Visitor(app, cobot)
    at_cobot.browser = browser.browser
    ticket = ticket_in(opened(at_cobot, window, "grace"))

    assert frame.post("/cobot/frame", {"ticket": ticket}).status_code == 204
    assert frame.get("/co-up/desk").text == f"{grace} at co-up"


def test_somebody_else_s_login_does_not_go_in_circles(app: Flask, cobot: StandIn) -> None:
    frame, ada = Frame(app), Visitor(app, cobot)
    window, _ = frame.button(f"/co-up/desk?cobot_embed=true&cobot_user_id={cobot.people['grace'].subject}")
    page = opened(ada, window, "ada")

    assert page.status_code == 403
    assert "At Cobot you are logged in as a different person" in page.text
    assert "data-ticket" not in page.text


def test_no_ticket_of_somebody_else_is_redeemed(app: Flask, cobot: StandIn) -> None:
    frame, ada = Frame(app), Visitor(app, cobot)
    ticket = ticket_in(opened(ada, frame.button("/co-up/desk")[0]))
    frame.get("/open?cobot_embed=true&cobot_user_id=somebody-else")

    assert frame.post("/cobot/frame", {"ticket": ticket}).status_code == 403


def test_cobot_s_id_may_differ_from_the_subject(make_app: Any, cobot: StandIn) -> None:
    """With the membership, Cobot has told its id (docs/cobot.md 5)."""
    app = make_app(COBOT_OIDC_MEMBERSHIP=True)
    cobot.alter("api", {"id": "cobot-id-of-ada"}, path="/api/user")
    frame, ada = Frame(app), Visitor(app, cobot)
    window, _ = frame.button("/co-up/desk?cobot_embed=true&cobot_user_id=cobot-id-of-ada")

    assert frame.post("/cobot/frame", {"ticket": ticket_in(opened(ada, window))}).status_code == 204
    assert frame.get("/co-up/desk").status_code == 200


# ---------------------------------------------------------------------- set-up


def test_a_frame_needs_flask_s_own_session(settings: dict[str, Any], cobot: StandIn) -> None:
    app = Flask("portal")
    app.config.update(settings | {"COBOT_OIDC_EMBEDDED": True, "SESSION_TYPE": "cachelib"})
    app.config["SESSION_CACHELIB"] = __import__("cachelib").SimpleCache()
    Session(app)
    with pytest.raises(ConfigurationError, match="COBOT_OIDC_EMBEDDED"):
        CobotOIDC(app)
    assert cobot.requests == []


def test_a_session_cookie_for_every_site_is_refused(make_app: Any, cobot: StandIn) -> None:
    with pytest.raises(ConfigurationError, match="SESSION_COOKIE_SAMESITE"):
        make_app(SESSION_COOKIE_SAMESITE="None")
    assert cobot.requests == []

    """A guard in the frame would show the button again, however often it is clicked."""
    before = Visitor(make_app(), cobot)
    before.log_in("/co-up/desk")
    app = make_app(COBOT_OIDC_MEMBERSHIP=True)
    app.view_functions["desk"] = membership_required(lambda space: f"member of {space}")
    frame, ada = Frame(app), Visitor(app, cobot)
    for cookie in before.cookies:
        ada.browser.set_cookie(cookie.key, cookie.decoded_value, domain=cookie.domain, path=cookie.path)
    window, _ = frame.button("/co-up/desk")
    ticket = ticket_in(opened(ada, window))

    assert frame.post("/cobot/frame", {"ticket": ticket}).status_code == 204
    assert frame.get("/co-up/desk").text == "member of co-up"
