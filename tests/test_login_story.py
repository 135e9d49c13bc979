"""A person logs in: globally, in a space, in several side by side, and out again."""

import pytest
from flask import Flask

from cobot_oidc import User, current_user, user_logged_in, user_logged_out
from cobot_oidc.standin import StandIn

from .conftest import Clock, MakePortal, Visitor

PEOPLE = ["ada", "grace", "alex", "nina", "haruki"]


@pytest.mark.parametrize("person", PEOPLE)
def test_everybody_can_log_in_globally(visitor: Visitor, cobot: StandIn, person: str) -> None:
    page = visitor.log_in("/desk?day=today", person)

    somebody = cobot.people[person]
    assert page.request.path == "/desk"
    assert page.request.query_string == b"day=today"
    assert page.json == {
        "user": f"{cobot.issuer}#{somebody.subject}",
        "space": None,
        "claims": {"iss": cobot.issuer, "sub": somebody.subject, "name": somebody.name, "email": somebody.email},
    }


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("space", ["co-up", "betahaus"])
def test_everybody_can_log_in_to_a_space(visitor: Visitor, cobot: StandIn, space: str, person: str) -> None:
    page = visitor.log_in(f"/{space}/desk", person)

    somebody = cobot.people[person]
    assert page.json is not None
    assert page.json["user"] == f"{cobot.space_issuer(space)}#{somebody.subject}"
    assert page.json["space"] == space
    membership = somebody.memberships.get(space)
    claims = page.json["claims"]
    assert claims["name"] == (membership.name if membership else somebody.name)
    assert claims.get("picture") == (membership.picture if membership else None)
    # What a member left empty is absent, not empty.
    assert claims.get("phone_number") == ((membership.phone_number or None) if membership else None)


@pytest.mark.covers("M04")
def test_who_logged_in_to_one_space_is_nobody_elsewhere(visitor: Visitor) -> None:
    visitor.log_in("/co-up/desk", "grace")

    assert visitor.sees("/co-up/open") is not None
    assert visitor.sees("/betahaus/open") is None
    assert visitor.sees("/") is None
    assert visitor.get("/betahaus/desk").status_code == 302
    assert visitor.get("/desk").status_code == 302


@pytest.mark.covers("M04")
def test_who_logged_in_globally_is_nobody_in_a_space(visitor: Visitor) -> None:
    visitor.log_in("/desk", "grace")

    assert visitor.sees("/co-up/open") is None
    assert visitor.get("/co-up/desk").status_code == 302


@pytest.mark.covers("M05")
def test_the_same_subject_at_three_issuers_is_three_users(visitor: Visitor, cobot: StandIn) -> None:
    subject = cobot.people["grace"].subject
    for path in ("/desk", "/co-up/desk", "/betahaus/desk"):
        visitor.log_in(path, "grace")

    assert visitor.sees("/") == f"{cobot.issuer}#{subject}"
    assert visitor.sees("/co-up/open") == f"{cobot.space_issuer('co-up')}#{subject}"
    assert visitor.sees("/betahaus/open") == f"{cobot.space_issuer('betahaus')}#{subject}"


@pytest.mark.covers("M11")
def test_logging_out_of_a_space_leaves_the_others(visitor: Visitor) -> None:
    for path in ("/desk", "/co-up/desk", "/betahaus/desk"):
        visitor.log_in(path, "grace")

    assert visitor.log_out("co-up").status_code == 303

    assert visitor.sees("/co-up/open") is None
    assert visitor.sees("/betahaus/open") is not None
    assert visitor.sees("/") is not None


def test_logging_out_without_a_space_is_logging_out_of_all(visitor: Visitor) -> None:
    for path in ("/desk", "/co-up/desk"):
        visitor.log_in(path, "grace")

    response = visitor.log_out()

    assert response.status_code == 303
    assert response.location == "/cobot/logged-out"
    assert visitor.sees("/co-up/open") is None
    assert visitor.sees("/") is None


@pytest.mark.covers("O01")
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="says nothing"),
        pytest.param({"Origin": "https://evil.example"}, id="foreign origin"),
        pytest.param({"Origin": "null"}, id="null origin"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="cross-site"),
        pytest.param({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"}, id="same-site"),
    ],
)
def test_another_site_logs_nobody_out(visitor: Visitor, headers: dict[str, str]) -> None:
    visitor.log_in("/desk")

    assert visitor.browser.post("/cobot/logout", headers=headers).status_code == 403
    assert visitor.browser.get("/cobot/logout").status_code == 405
    assert visitor.sees("/") is not None


@pytest.mark.covers("F24")
def test_logging_in_as_another_person_drops_the_first(visitor: Visitor, portal: Flask, cobot: StandIn) -> None:
    visitor.log_in("/desk", "ada")
    with visitor.browser.session_transaction() as session:
        session["cart"] = "something of Ada's"

    response = visitor.get(Visitor(portal, cobot).answer(visitor.begin("/cobot/login"), "grace"))

    assert response.status_code == 303
    assert visitor.sees("/") == f"{cobot.issuer}#{cobot.people['grace'].subject}"
    with visitor.browser.session_transaction() as session:
        assert "cart" not in session


def test_a_view_for_one_space_wants_that_space(visitor: Visitor, cobot: StandIn) -> None:
    visitor.log_in("/desk")
    assert visitor.get("/board").location == "/cobot/login?space=co-up&next=/board"

    page = visitor.log_in("/board")

    assert page.json is not None
    assert page.json["space"] == "co-up"
    assert page.json["user"].startswith(cobot.space_issuer("co-up"))


@pytest.mark.covers("M01")
@pytest.mark.parametrize("name", ["Co-Up", "co_up", "www", "api", "a.b", "-a", "xn--a", "x" * 64, "nowhere%00"])
def test_what_is_no_space_is_not_found(visitor: Visitor, cobot: StandIn, name: str) -> None:
    visitor.log_in("/desk")

    assert visitor.get(f"/{name}/desk").status_code == 404
    assert visitor.get("/cobot/login", query_string={"space": name}).status_code == 404
    assert visitor.sees(f"/{name}/open") is None
    assert cobot.asked("/.well-known/openid-configuration") == 1


@pytest.mark.covers("K19")
def test_a_space_that_the_app_does_not_serve_is_not_found(make_portal, cobot: StandIn) -> None:  # type: ignore[no-untyped-def] #
    for spaces in (["co-up"], lambda: ["co-up"], lambda space: space == "co-up"):
        visitor = Visitor(make_portal(COBOT_OIDC_SPACES=spaces), cobot)
        assert visitor.get("/betahaus/desk").status_code == 404
        assert visitor.log_in("/co-up/desk").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Accept": "application/json"}, id="Accept"),
        pytest.param({"Accept": "application/problem+json"}, id="problem"),
        pytest.param({"X-Requested-With": "XMLHttpRequest"}, id="XHR"),
    ],
)
def test_a_program_gets_a_problem_document_and_no_redirect(visitor: Visitor, headers: dict[str, str]) -> None:
    response = visitor.get("/co-up/desk?day=1", headers=headers)

    assert response.status_code == 401
    assert response.content_type == "application/problem+json"
    assert response.headers["WWW-Authenticate"]
    assert response.json is not None
    assert response.json["status"] == 401
    assert response.json["code"] == "login_required"
    assert response.json["login_url"] == "/cobot/login?space=co-up&next=/co-up/desk?day%3D1"


def test_a_browser_is_no_program(visitor: Visitor) -> None:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    assert visitor.get("/desk", headers={"Accept": accept}).status_code == 302
    assert visitor.get("/desk", headers={"Accept": "*/*"}).status_code == 302


def test_signals_tell_who_came_and_went(visitor: Visitor, portal: Flask, cobot: StandIn) -> None:
    heard: list[tuple[str, str, bool]] = []

    def came(_app: Flask, user: User) -> None:
        heard.append(("in", user.get_id(), current_user == user))

    def went(_app: Flask, user: User) -> None:
        heard.append(("out", user.get_id(), current_user == user))

    with user_logged_in.connected_to(came, portal), user_logged_out.connected_to(went, portal):
        visitor.log_in("/co-up/desk")
        visitor.log_out("co-up")

    ada = f"{cobot.space_issuer('co-up')}#{cobot.people['ada'].subject}"
    assert heard == [("in", ada, True), ("out", ada, False)]


def test_an_app_can_refuse_somebody(visitor: Visitor, portal: Flask) -> None:
    from werkzeug.exceptions import Forbidden

    def refuse(_app: Flask, user: User) -> None:
        raise Forbidden(user.subject)

    with user_logged_in.connected_to(refuse, portal):
        response = visitor.get(visitor.answer(visitor.begin("/desk")))

    assert response.status_code == 403
    assert visitor.sees("/") is None


@pytest.mark.covers("S08")
def test_a_login_lasts_twelve_hours(visitor: Visitor, clock: Clock) -> None:
    visitor.log_in("/desk")

    clock.move(12 * 3600 - 1)
    assert visitor.get("/desk").status_code == 200
    clock.move(1)
    assert visitor.get("/desk").status_code == 302


@pytest.mark.covers("S08")
def test_a_login_ends_an_hour_after_the_last_visit_where_the_app_says_so(
    make_portal: MakePortal, cobot: StandIn, clock: Clock
) -> None:
    visitor = Visitor(make_portal(COBOT_OIDC_SESSION_IDLE_LIFETIME=3600), cobot)
    visitor.log_in("/desk")

    for _ in range(5):
        clock.move(3599)
        assert visitor.get("/desk").status_code == 200
    clock.move(3600)
    assert visitor.get("/desk").status_code == 302
    assert visitor.sees("/") is None


@pytest.mark.covers("S08")
def test_visits_never_make_a_login_last_longer_than_twelve_hours(
    make_portal: MakePortal, cobot: StandIn, clock: Clock
) -> None:
    visitor = Visitor(make_portal(COBOT_OIDC_SESSION_IDLE_LIFETIME=3600), cobot)
    visitor.log_in("/desk")

    for _ in range(23):
        clock.move(1800)
        assert visitor.get("/desk").status_code == 200
    clock.move(1800)
    assert visitor.get("/desk").status_code == 302


@pytest.mark.covers("S08")
def test_a_visit_is_written_down_now_and_then(make_portal: MakePortal, cobot: StandIn, clock: Clock) -> None:
    visitor = Visitor(make_portal(COBOT_OIDC_SESSION_IDLE_LIFETIME=3600), cobot)
    visitor.log_in("/desk")

    clock.move(299)
    assert "Set-Cookie" not in visitor.get("/desk").headers
    clock.move(1)
    assert "Set-Cookie" in visitor.get("/desk").headers
    assert "Set-Cookie" not in visitor.get("/desk").headers


@pytest.mark.covers("M04", "S08")
def test_a_visit_to_one_space_keeps_no_other_login_alive(make_portal: MakePortal, cobot: StandIn, clock: Clock) -> None:
    visitor = Visitor(make_portal(COBOT_OIDC_SESSION_IDLE_LIFETIME=3600), cobot)
    visitor.log_in("/co-up/desk")
    visitor.log_in("/betahaus/desk")

    for _ in range(2):
        clock.move(1800)
        assert visitor.get("/co-up/desk").status_code == 200
    assert visitor.get("/betahaus/desk").status_code == 302


def test_once_caches_are_warm_a_login_costs_one_request_and_a_page_none(visitor: Visitor, cobot: StandIn) -> None:
    visitor.log_in("/co-up/desk")
    visitor.log_out()
    cobot.requests.clear()

    visitor.log_in("/co-up/desk")
    ours = [request for request in cobot.requests if request.path != "/oauth/authorize"]
    assert [(request.method, request.path) for request in ours] == [("POST", "/oauth/access_token")]

    cobot.requests.clear()
    page = visitor.get("/co-up/desk")
    assert cobot.requests == []
    assert "Set-Cookie" not in page.headers


def test_who_is_logged_in_stays_so_while_cobot_is_down(visitor: Visitor, cobot: StandIn) -> None:
    visitor.log_in("/co-up/desk")
    cobot.stop()
    try:
        assert visitor.get("/co-up/desk").status_code == 200
    finally:
        cobot.start()


@pytest.mark.covers("S10", "S11", "S12")
def test_no_answer_of_ours_is_kept_framed_or_told_to_others(visitor: Visitor) -> None:
    login = visitor.get("/cobot/login")
    callback = visitor.get(visitor.answer(login.location))
    logout = visitor.log_out()

    assert (login.status_code, callback.status_code, logout.status_code) == (302, 303, 303)
    for answer in (login, callback, logout):
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Cookie" in answer.headers["Vary"]
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
