"""Who is a member, and who runs the space: asked of Cobot at the login, and again while the token is kept."""

import threading
import time
from typing import Any

import pytest
from flask import Flask, jsonify

from cobot_oidc import (
    APIError,
    CobotOIDC,
    admin_required,
    current_user,
    from_view_arg,
    login_required,
    membership_required,
    require_membership,
    user_logged_in,
)
from cobot_oidc.standin import StandIn
from cobot_oidc.standin.alterations import REMOVED

from .conftest import Clock, Visitor
from .leaks import frames_with
from .patience import background_work_ends
from .redis_server import RedisServer

JSON = {"Accept": "application/json"}
LIFETIME = 600  # seconds


@pytest.fixture
def make_space_app(settings: dict[str, Any], clock: Clock) -> Any:
    """Makes a portal that asks for memberships."""

    def make(**changes: Any) -> Flask:
        app = Flask("portal")
        app.config.update(settings | {"COBOT_OIDC_MEMBERSHIP": True} | changes)
        CobotOIDC(app, space=from_view_arg("space"), clock=clock)

        @app.get("/<space>/who")
        @login_required
        def who(space: str) -> Any:
            membership = current_user.membership
            return jsonify(
                membership=membership and [membership.id, membership.space],
                is_member=current_user.is_member,
                is_admin=current_user.is_admin,
                space=space,
            )

        if not app.config["COBOT_OIDC_MEMBERSHIP"]:  # an app with the guards would be refused
            return app

        @app.get("/<space>/desk")
        @membership_required
        def desk(space: str) -> str:
            return f"member {current_user.membership and current_user.membership.id} of {space}"

        @app.get("/<space>/office")
        @admin_required
        def office(space: str) -> str:
            return f"admin of {space}"

        @app.get("/board")
        @membership_required(space="co-up")
        def board() -> str:
            return "board of co-up"

        return app

    return make


@pytest.fixture
def space_app(make_space_app: Any) -> Flask:
    app: Flask = make_space_app()
    return app


@pytest.fixture
def keeping_app(make_space_app: Any) -> Flask:
    """The same, which keeps the token."""
    app: Flask = make_space_app(COBOT_OIDC_KEEP_TOKEN=True)
    return app


def times_asked(cobot: StandIn) -> int:
    return cobot.asked("/api/user")


def own_domain(cobot: StandIn) -> tuple[str, dict[str, Any]]:
    """A space with an issuer of its own, which may be hostile (A05, X01)."""
    cobot.domains["rooms.localhost"] = "nebenan"
    issuer = f"http://rooms.localhost:{cobot.port}"
    redirect_uri = "http://localhost/cobot/callback/nebenan"
    cobot.register_client("nebenans", secret="another-secret-of-ours", redirect_uri=redirect_uri)
    client = {"issuer": issuer, "client_id": "nebenans", "client_secret": "another-secret-of-ours"}
    return issuer, {"COBOT_OIDC_SPACE_ISSUERS": {"nebenan": client}}


def in_the_background() -> None:
    """Wait for what pages have begun without waiting for it."""
    background_work_ends("cobot-oidc-membership")


# ---------------------------------------------------------------------- at the login


def test_a_member_is_let_in_and_has_a_membership(space_app: Flask, cobot: StandIn) -> None:
    ada = Visitor(space_app, cobot)

    assert ada.log_in("/co-up/desk").text == "member m-ada of co-up"
    assert ada.get("/co-up/who").json == {
        "membership": ["m-ada", "co-up"],
        "is_member": True,
        "is_admin": False,
        "space": "co-up",
    }


def test_a_typed_view_requires_the_membership_with_the_errors_of_the_guard(make_space_app: Any, cobot: StandIn) -> None:
    app: Flask = make_space_app()
    app.add_url_rule("/<space>/typed", "typed", lambda space: f"{require_membership().id} at {space}")
    ada, grace = Visitor(app, cobot), Visitor(app, cobot)

    assert ada.get("/co-up/typed", headers=JSON).json["code"] == "login_required"  # type: ignore[index] # it is JSON
    ada.log_in("/co-up/who")
    assert ada.get("/co-up/typed").text == "m-ada at co-up"
    ada.log_in("/betahaus/who")
    for path in ("/betahaus/desk", "/betahaus/typed"):
        answer = ada.get(path, headers=JSON)
        assert (answer.status_code, (answer.json or {})["code"]) == (403, "membership_required")
    cobot.reply("api", path="/api/user", status=403)
    grace.log_in("/co-up/who", "grace")
    for path in ("/co-up/desk", "/co-up/typed"):
        answer = grace.get(path, headers=JSON)
        assert (answer.status_code, (answer.json or {})["code"]) == (503, "membership_unknown")


def test_cobot_is_asked_once_by_a_login_and_by_no_page(space_app: Flask, cobot: StandIn) -> None:
    ada = Visitor(space_app, cobot)
    ada.log_in("/co-up/desk")
    requests = len(cobot.requests)
    for _ in range(5):
        assert ada.get("/co-up/desk").status_code == 200

    assert times_asked(cobot) == 1
    assert len(cobot.requests) == requests


def test_who_is_no_member_reads_so_and_is_sent_to_the_space(space_app: Flask, cobot: StandIn) -> None:
    page = Visitor(space_app, cobot).log_in("/betahaus/desk", "ada")

    assert page.status_code == 403
    assert "You are not a member of this space." in page.text
    assert f'href="{cobot.space_issuer("betahaus")}"' in page.text
    assert "Log in again" not in page.text


@pytest.mark.parametrize(
    ("path", "person", "code"),
    [
        ("/betahaus/desk", "ada", "membership_required"),
        ("/co-up/office", "ada", "admin_required"),
        ("/co-up/desk", "alex", "membership_required"),  # who runs a space is no member by that
    ],
)
def test_a_program_gets_403_and_a_code(space_app: Flask, cobot: StandIn, path: str, person: str, code: str) -> None:
    visitor = Visitor(space_app, cobot)
    visitor.log_in(path, person)
    answer = visitor.get(path, headers=JSON)

    assert answer.status_code == 403
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == code  # type: ignore[index] # it is JSON


def test_an_admin_is_let_in_where_they_are_one(space_app: Flask, cobot: StandIn) -> None:
    alex = Visitor(space_app, cobot)

    assert alex.log_in("/co-up/office", "alex").text == "admin of co-up"
    assert alex.get("/co-up/who").json["is_admin"] is True  # type: ignore[index] # it is JSON


def test_a_guard_may_name_its_space(space_app: Flask, cobot: StandIn) -> None:
    assert Visitor(space_app, cobot).log_in("/board").text == "board of co-up"


def test_who_is_not_logged_in_is_sent_to_log_in(space_app: Flask, cobot: StandIn) -> None:
    stranger = Visitor(space_app, cobot)

    assert stranger.get("/co-up/desk").status_code == 302
    assert stranger.get("/co-up/desk", headers=JSON).json["code"] == "login_required"  # type: ignore[index] # it is JSON


def test_a_membership_counts_in_its_own_space_alone(space_app: Flask, cobot: StandIn) -> None:
    grace = Visitor(space_app, cobot)

    assert grace.log_in("/co-up/desk", "grace").text == "member m-grace-1 of co-up"
    assert grace.get("/betahaus/desk").status_code == 302
    assert grace.log_in("/betahaus/desk", "grace").text == "member m-grace-2 of betahaus"
    assert grace.get("/co-up/desk").text == "member m-grace-1 of co-up"


def test_the_scope_is_asked_for_without_being_configured(space_app: Flask, cobot: StandIn) -> None:
    assert "scope=openid+email+profile+read_user" in Visitor(space_app, cobot).begin("/co-up/desk")


def test_an_app_that_does_not_ask_lets_nobody_in(make_space_app: Any, cobot: StandIn) -> None:
    app = make_space_app(COBOT_OIDC_MEMBERSHIP=False)
    app.add_url_rule("/<space>/typed", "typed", lambda space: f"{require_membership().id} at {space}")
    ada = Visitor(app, cobot)

    ada.log_in("/co-up/who")
    assert ada.get("/co-up/who").json["is_member"] is False  # type: ignore[index] # it is JSON
    assert ada.get("/co-up/typed").status_code == 500
    answer = ada.get("/co-up/typed", headers=JSON)
    assert answer.json["code"] == "setting_missing"  # type: ignore[index] # it is JSON


# ---------------------------------------------------------------------- switched on while people are logged in


def cookie_of(visitor: Visitor) -> str:
    return "; ".join(f"{cookie.key}={cookie.value}" for cookie in visitor.cookies)


@pytest.fixture
def earlier(make_space_app: Any, space_app: Flask, cobot: StandIn) -> Visitor:
    """Ada at the app, logged in when it did not ask for memberships yet."""
    before = Visitor(make_space_app(COBOT_OIDC_MEMBERSHIP=False), cobot)
    before.log_in("/co-up/who")
    ada = Visitor(space_app, cobot)
    for cookie in before.cookies:
        ada.browser.set_cookie(cookie.key, cookie.decoded_value, domain=cookie.domain, path=cookie.path)
    assert ada.get("/co-up/who").json["is_member"] is False  # type: ignore[index] # logged in, but not a member
    return ada


def test_a_login_from_before_the_setting_is_sent_to_log_in_once_more(earlier: Visitor) -> None:
    redirected = earlier.get("/co-up/desk")

    assert redirected.status_code == 302
    assert redirected.location == "/cobot/login?space=co-up&next=/co-up/desk"
    assert earlier.log_in("/co-up/desk").text == "member m-ada of co-up"
    assert earlier.get("/co-up/office").status_code == 403


def test_a_program_with_a_login_from_before_the_setting_gets_401_and_where_to_log_in(earlier: Visitor) -> None:
    answer = earlier.get("/co-up/office", headers=JSON)

    assert answer.status_code == 401
    assert (answer.json or {})["code"] == "login_required"
    assert (answer.json or {})["login_url"] == "/cobot/login?space=co-up&next=/co-up/office"


def test_a_typed_view_asks_a_login_from_before_the_setting_to_log_in_again(space_app: Flask, earlier: Visitor) -> None:
    space_app.debug = True
    space_app.view_functions["who"] = lambda space: f"{require_membership().id} at {space}"
    page = earlier.get("/co-up/who")

    assert page.status_code == 401
    assert 'href="/cobot/login?space=co-up&amp;next=/co-up/who"' in page.text
    assert "from before COBOT_OIDC_MEMBERSHIP was set" in page.text


def test_a_login_from_before_the_setting_does_not_go_in_circles_while_cobot_cannot_tell(
    earlier: Visitor, cobot: StandIn
) -> None:
    cobot.reply("api", path="/api/user", status=403)

    assert earlier.log_in("/co-up/desk").status_code == 503
    assert earlier.get("/co-up/desk").status_code == 503


# ---------------------------------------------------------------------- Cobot cannot be asked


@pytest.mark.covers("A06")
@pytest.mark.parametrize(
    "lie",
    [
        {"status": 500},
        {"status": 429, "headers": {"Retry-After": "3600"}},
        {"status": 403},
        {"body": b"<html>", "headers": {"Content-Type": "text/html"}},
        {"body": b"[]"},
        {"body": b'{"id": 7, "memberships": []}'},
        {"body": b'{"id": "x", "memberships": [{"id": "m-ada"}]}'},
        {"body": b'{"id": "x", "memberships": "co-up"}'},
    ],
)
def test_a_login_ends_well_without_an_answer_and_the_guard_stays_closed(
    space_app: Flask, cobot: StandIn, monkeypatch: pytest.MonkeyPatch, lie: dict[str, Any]
) -> None:
    monkeypatch.setattr("cobot_oidc.api.places.sleep", lambda _: None)
    cobot.reply("api", path="/api/user", **lie)
    ada = Visitor(space_app, cobot)
    page = ada.log_in("/co-up/desk")

    assert page.status_code == 503
    assert "Cobot cannot tell at the moment whether you are a member" in page.text
    assert ada.get("/co-up/who").json["is_member"] is False  # type: ignore[index] # it is JSON
    assert ada.get("/co-up/desk", headers=JSON).json["code"] == "membership_unknown"  # type: ignore[index] # it is JSON
    assert CobotOIDC().counts(space_app)["membership_unknown", ""] >= 1


def test_a_membership_that_cobot_does_not_name_is_none(space_app: Flask, cobot: StandIn) -> None:
    cobot.alter("api", {"memberships": REMOVED}, path="/api/user")

    assert Visitor(space_app, cobot).log_in("/co-up/desk").status_code == 403


# ---------------------------------------------------------------------- afterwards


def test_without_a_kept_token_the_answer_is_as_old_as_the_login(space_app: Flask, cobot: StandIn, clock: Clock) -> None:
    ada = Visitor(space_app, cobot)
    ada.log_in("/co-up/desk")
    del cobot.people["ada"].memberships["co-up"]
    clock.move(11 * 3600)

    assert ada.get("/co-up/desk").status_code == 200
    assert times_asked(cobot) == 1
    ada.log_out()
    assert ada.log_in("/co-up/desk").status_code == 403


@pytest.mark.covers("A07")
def test_with_a_kept_token_who_left_is_out_within_the_lifetime(
    keeping_app: Flask, cobot: StandIn, clock: Clock
) -> None:
    ada = Visitor(keeping_app, cobot)
    ada.log_in("/co-up/desk")
    del cobot.people["ada"].memberships["co-up"]
    clock.move(LIFETIME)

    assert ada.get("/co-up/desk").status_code == 403
    assert times_asked(cobot) == 2


@pytest.mark.covers("A07")
def test_a_young_answer_is_renewed_without_making_anybody_wait(
    keeping_app: Flask, cobot: StandIn, clock: Clock
) -> None:
    ada = Visitor(keeping_app, cobot)
    ada.log_in("/co-up/desk")
    del cobot.people["ada"].memberships["co-up"]
    clock.move(0.9 * LIFETIME)

    assert ada.get("/co-up/desk").status_code == 200  # by the answer at hand
    in_the_background()
    assert times_asked(cobot) == 2
    assert ada.get("/co-up/desk").status_code == 403


def test_who_becomes_an_admin_is_one_within_the_lifetime(keeping_app: Flask, cobot: StandIn, clock: Clock) -> None:
    ada = Visitor(keeping_app, cobot)
    ada.log_in("/co-up/office")
    cobot.people["ada"].admin_of = ("co-up",)
    clock.move(LIFETIME)

    assert ada.get("/co-up/office").status_code == 200


@pytest.mark.covers("A06")
def test_nobody_is_let_in_by_an_old_answer_while_cobot_is_away(
    keeping_app: Flask, cobot: StandIn, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cobot_oidc.api.places.sleep", lambda _: None)
    ada = Visitor(keeping_app, cobot)
    ada.log_in("/co-up/desk")
    cobot.reply("api", status=503)
    clock.move(LIFETIME)

    assert ada.get("/co-up/desk").status_code == 503
    assert ada.get("/co-up/who").json["is_member"] is False  # type: ignore[index] # it is JSON


def test_the_app_may_let_an_older_answer_count(
    make_space_app: Any, cobot: StandIn, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cobot_oidc.api.places.sleep", lambda _: None)
    ada = Visitor(make_space_app(COBOT_OIDC_KEEP_TOKEN=True, COBOT_OIDC_MEMBERSHIP_STALE=3600), cobot)
    ada.log_in("/co-up/desk")
    cobot.reply("api", status=503)
    clock.move(LIFETIME + 3599)

    assert ada.get("/co-up/desk").status_code == 200
    clock.move(1)
    assert ada.get("/co-up/desk").status_code == 503


@pytest.mark.covers("A06")
def test_a_cobot_that_is_away_is_not_asked_by_every_page(
    keeping_app: Flask, cobot: StandIn, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cobot_oidc.api.places.sleep", lambda _: None)
    people = [Visitor(keeping_app, cobot) for _ in range(3)]
    for visitor, name in zip(people, ("ada", "grace", "haruki"), strict=True):
        visitor.log_in("/co-up/desk", name)
    cobot.reply("api", status=503)
    clock.move(LIFETIME)
    asked = times_asked(cobot)
    for visitor in people:
        assert visitor.get("/co-up/desk").status_code == 503

    assert times_asked(cobot) == asked + 3  # one page's three tries
    clock.move(5)
    people[0].get("/co-up/desk")
    assert times_asked(cobot) == asked + 6


@pytest.mark.covers("A06", "N10")
def test_somebody_who_is_logged_in_stays_so_while_cobot_is_away(
    keeping_app: Flask, cobot: StandIn, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cobot_oidc.api.places.sleep", lambda _: None)

    @keeping_app.get("/<space>/subject")
    @login_required
    def subject(space: str) -> str:
        del space
        return current_user.subject or ""

    ada = Visitor(keeping_app, cobot)
    ada.log_in("/co-up/desk")
    cobot.reply("api", status=503)
    clock.move(LIFETIME)
    asked = len(cobot.requests)

    assert ada.get("/co-up/subject").text == cobot.people["ada"].subject
    assert len(cobot.requests) == asked


def test_a_revoked_token_ends_in_a_way_to_log_in_again(keeping_app: Flask, cobot: StandIn, clock: Clock) -> None:
    ada = Visitor(keeping_app, cobot)
    ada.log_in("/co-up/desk")
    cobot.revoke_tokens("ada")
    clock.move(LIFETIME)
    page = ada.get("/co-up/desk")

    assert page.status_code == 401
    assert "Cobot no longer accepts this login." in page.text
    assert 'href="/cobot/login?space=co-up&amp;next=/co-up/desk"' in page.text
    assert ada.get("/co-up/desk", headers=JSON).json["login_url"] == "/cobot/login?space=co-up&next=/co-up/desk"  # type: ignore[index] # it is JSON
    assert ada.log_in("/cobot/login?space=co-up&next=/co-up/desk").text == "member m-ada of co-up"


@pytest.mark.covers("L02")
def test_no_error_of_a_guard_holds_the_token(keeping_app: Flask, cobot: StandIn, clock: Clock) -> None:
    found: list[str] = []

    def handle(error: APIError) -> Any:
        found.extend(f for secret in cobot.secrets if len(secret) > 20 for f in frames_with(error, secret))
        return "", 401

    keeping_app.register_error_handler(APIError, handle)
    ada = Visitor(keeping_app, cobot)
    ada.log_in("/co-up/desk")
    clock.move(LIFETIME + 1)
    cobot.revoke_tokens()
    assert ada.get("/co-up/desk").status_code == 401

    assert found == []


def test_a_refused_token_is_not_tried_by_every_page(keeping_app: Flask, cobot: StandIn, clock: Clock) -> None:
    ada = Visitor(keeping_app, cobot)
    ada.log_in("/co-up/desk")
    cobot.revoke_tokens("ada")
    clock.move(LIFETIME)
    for _ in range(3):
        assert ada.get("/co-up/desk").status_code == 401
        assert ada.get("/co-up/who").json["is_member"] is False  # type: ignore[index] # it is JSON

    assert times_asked(cobot) == 2
    clock.move(30)
    ada.get("/co-up/desk")
    assert times_asked(cobot) == 3


@pytest.mark.covers("A07")
def test_no_old_answer_helps_a_revoked_token(make_space_app: Any, cobot: StandIn, clock: Clock) -> None:
    ada = Visitor(make_space_app(COBOT_OIDC_KEEP_TOKEN=True, COBOT_OIDC_MEMBERSHIP_STALE=3600), cobot)
    ada.log_in("/co-up/desk")
    cobot.revoke_tokens("ada")
    clock.move(LIFETIME)

    assert ada.get("/co-up/desk").status_code == 401


def test_many_pages_at_once_ask_once(keeping_app: Flask, cobot: StandIn, clock: Clock) -> None:
    ada = Visitor(keeping_app, cobot)
    ada.log_in("/co-up/desk")
    cookie = "; ".join(f"{cookie.key}={cookie.value}" for cookie in ada.cookies)
    clock.move(LIFETIME)
    cobot.reply("api", delay=0.3, path="/api/user")
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(ada.get_with(cookie, "/co-up/desk").status_code))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [200] * 8
    assert times_asked(cobot) == 2


@pytest.mark.covers("X06")
def test_a_cobot_that_hangs_makes_few_threads_wait(make_space_app: Any, cobot: StandIn, clock: Clock) -> None:
    app = make_space_app(COBOT_OIDC_KEEP_TOKEN=True)
    visitors = []
    for person in ("ada", "nina", "grace", "alex"):
        for space in ("co-up", "betahaus"):
            visitors.append((Visitor(app, cobot), f"/{space}/desk"))
            visitors[-1][0].log_in(visitors[-1][1], person)
    clock.move(LIFETIME + 1)
    cobot.reply("api", delay=4, path="/api/user")
    waited: list[float] = []

    def ask(visitor: Visitor, path: str) -> None:
        began = time.monotonic()
        visitor.get(path)
        waited.append(time.monotonic() - began)

    threads = [threading.Thread(target=ask, args=each) for each in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len([seconds for seconds in waited if seconds > 3]) <= 4


def test_a_clock_that_was_ahead_at_the_login_makes_no_page_ask(
    keeping_app: Flask, cobot: StandIn, clock: Clock
) -> None:
    clock.move(200)
    ada = Visitor(keeping_app, cobot)
    ada.log_in("/co-up/desk")
    clock.move(-200)
    asked = cobot.asked("/api/user")
    for _ in range(5):
        ada.get("/co-up/desk")

    assert cobot.asked("/api/user") <= asked + 1


def test_a_listener_sees_the_membership_of_the_login_it_is_told_about(space_app: Flask, cobot: StandIn) -> None:
    seen: list[object] = []

    def came(_app: Flask, user: Any) -> None:
        seen.append((user.is_member, user.is_admin))

    with user_logged_in.connected_to(came, space_app):
        Visitor(space_app, cobot).log_in("/co-up/desk")

    assert seen == [(True, False)]


def test_a_user_outside_of_a_request_is_no_member(space_app: Flask, cobot: StandIn) -> None:
    """A job that got the user from a signal does not learn more than it was told."""
    users: list[Any] = []

    def came(_app: Flask, user: Any) -> None:
        users.append(user)

    with user_logged_in.connected_to(came, space_app):
        Visitor(space_app, cobot).log_in("/co-up/desk")
    with space_app.app_context():
        assert users[0].is_member is False


# ---------------------------------------------------------------------- guards with a space of their own


def pinned(settings: dict[str, Any], clock: Clock) -> Flask:
    """A portal whose guards name their space, whatever the URL says."""
    app = Flask("portal")
    kept = {"COBOT_OIDC_KEEP_TOKEN": True, "COBOT_OIDC_MEMBERSHIP": True, "COBOT_OIDC_SPACES": "co-up betahaus"}
    app.config.update(settings | kept)
    oidc = CobotOIDC(app, space=from_view_arg("space"), clock=clock)

    @app.get("/board")
    @app.get("/<space>/board")
    @membership_required(space="co-up")
    def board(**_: str) -> str:
        return "board"

    @app.get("/me")
    @login_required(space="co-up")
    def me() -> str:
        return oidc.api.me().id

    return app


@pytest.mark.covers("L06")
def test_a_space_that_nobody_serves_in_the_url_of_a_guarded_page_is_no_500(
    settings: dict[str, Any], cobot: StandIn, clock: Clock
) -> None:
    app = pinned(settings | {"COBOT_OIDC_EMBEDDED": True}, clock)  # whose pages name the space that may frame them
    alex = Visitor(app, cobot)
    app.testing = False  # what fails is a page, not an exception
    alex.log_in("/board", "alex")

    assert alex.get("/nowhere/board").status_code == 403


def test_a_refused_token_leads_to_a_login_at_the_guard_s_own_space(
    settings: dict[str, Any], cobot: StandIn, clock: Clock
) -> None:
    ada = Visitor(pinned(settings, clock), cobot)
    ada.log_in("/me")
    cobot.revoke_tokens()
    answer = ada.get("/me", headers=JSON)

    assert answer.status_code == 401
    assert "space=co-up" in answer.json["login_url"]  # type: ignore[index] # it is JSON


def test_who_is_no_member_is_sent_to_the_guard_s_own_space(
    settings: dict[str, Any], cobot: StandIn, clock: Clock
) -> None:
    page = Visitor(pinned(settings, clock), cobot).log_in("/board", "alex")

    assert f'href="{cobot.space_issuer("co-up")}"' in page.text


# ---------------------------------------------------------------------- forged


@pytest.mark.covers("A03")
def test_a_membership_that_cannot_be_read_is_unknown(space_app: Flask, cobot: StandIn) -> None:
    ada = Visitor(space_app, cobot)
    ada.log_in("/co-up/desk")
    with ada.browser.session_transaction() as session:
        [key] = [key for key in session if key.startswith("cobot:")]
        identity = session[key]
        identity[2][2] = {"m": "a member"}
        session[key] = identity

    assert ada.get("/co-up/desk").status_code == 503


@pytest.mark.covers("A03")
@pytest.mark.parametrize(
    "kept", [None, [], "x", {"m": "x"}, {"m": [1]}, {"m": [1, 2, 3]}, {"t": 7}, {"m": ["x", "y", 1]}]
)
def test_nothing_in_a_session_makes_a_page_fail(space_app: Flask, cobot: StandIn, kept: object) -> None:
    ada = Visitor(space_app, cobot)
    ada.log_in("/co-up/desk")
    with ada.browser.session_transaction() as session:
        [key] = [key for key in session if key.startswith("cobot:")]
        session[key] = [*session[key][:2], [session[key][2][0], None, kept], *session[key][3:]]

    assert ada.get("/co-up/desk").status_code in (302, 503)
    assert ada.get("/co-up/who").status_code == 200


@pytest.mark.covers("A05", "M07")
def test_a_space_with_its_own_domain_says_nothing_about_other_spaces(make_space_app: Any, cobot: StandIn) -> None:
    """Whoever runs that domain makes everybody a member of it, and of nothing else."""
    issuer, changes = own_domain(cobot)
    app = make_space_app(**changes)
    membership = {"id": "m-x", "space_subdomain": "co-up", "space_name": "co.up"}
    cobot.alter("api", {"memberships": [membership], "admin_of": [membership]}, path="/api/user", issuer=issuer)
    nina = Visitor(app, cobot)

    assert nina.log_in("/nebenan/desk", "nina").status_code == 403
    assert nina.get("/co-up/desk").status_code == 302
    asked = [request.host for request in cobot.requests if request.path == "/api/user"]
    assert asked == [f"rooms.localhost:{cobot.port}"]


@pytest.mark.covers("A05")
def test_a_hostile_space_closes_no_other_space(make_space_app: Any, cobot: StandIn, clock: Clock) -> None:
    issuer, changes = own_domain(cobot)
    app = make_space_app(COBOT_OIDC_KEEP_TOKEN=True, **changes)
    ada, mallory = Visitor(app, cobot), Visitor(app, cobot)
    assert ada.log_in("/co-up/desk").status_code == 200
    mallory.log_in("/nebenan/who", "nina")
    clock.move(LIFETIME + 1)
    cobot.alter("api", {"id": 5}, path="/api/user", issuer=issuer)
    mallory.get("/nebenan/who")

    assert ada.get("/co-up/desk").status_code == 200


@pytest.mark.covers("A05", "A07")
def test_a_hostile_space_keeps_nobody_in_whose_token_was_revoked(
    make_space_app: Any, cobot: StandIn, clock: Clock
) -> None:
    issuer, changes = own_domain(cobot)
    app = make_space_app(COBOT_OIDC_KEEP_TOKEN=True, COBOT_OIDC_MEMBERSHIP_STALE=3600, **changes)
    ada, mallory = Visitor(app, cobot), Visitor(app, cobot)
    assert ada.log_in("/co-up/desk").status_code == 200
    mallory.log_in("/nebenan/who", "nina")
    clock.move(LIFETIME + 1)
    cobot.revoke_tokens("ada")
    cobot.alter("api", {"id": 5}, path="/api/user", issuer=issuer)
    mallory.get("/nebenan/who")

    assert ada.get("/co-up/desk", headers=JSON).status_code == 401


# ---------------------------------------------------------------------- many processes


def test_processes_share_their_answers(make_space_app: Any, cobot: StandIn, clock: Clock, redis: RedisServer) -> None:
    shared = {"COBOT_OIDC_KEEP_TOKEN": True, "COBOT_OIDC_REDIS_URL": redis.url}
    one, other = make_space_app(**shared), make_space_app(**shared)
    ada = Visitor(one, cobot)
    ada.log_in("/co-up/desk")
    clock.move(LIFETIME)
    assert ada.get("/co-up/desk").status_code == 200
    assert times_asked(cobot) == 2
    cookie = "; ".join(f"{cookie.key}={cookie.value}" for cookie in ada.cookies)
    answer = other.test_client(use_cookies=False).get("/co-up/desk", headers={"Cookie": cookie})

    assert answer.status_code == 200
    assert times_asked(cobot) == 2


@pytest.mark.covers("A03")
def test_what_lies_in_redis_does_not_make_a_member(
    make_space_app: Any, cobot: StandIn, clock: Clock, redis: RedisServer
) -> None:
    """A03: who can write to Redis, but does not know the app's key."""
    app = make_space_app(COBOT_OIDC_KEEP_TOKEN=True, COBOT_OIDC_REDIS_URL=redis.url)
    grace, ada = Visitor(app, cobot), Visitor(app, cobot)
    grace.log_in("/betahaus/desk", "grace")
    ada.log_in("/betahaus/desk", "ada")
    clock.move(LIFETIME)
    grace.get("/betahaus/desk")
    [graces] = [key for key in redis.values() if "standing:" in key]
    ada.get("/betahaus/desk")
    [adas] = [key for key in redis.values() if "standing:" in key and key != graces]
    redis.put(adas, redis.values()[graces])
    other = make_space_app(COBOT_OIDC_KEEP_TOKEN=True, COBOT_OIDC_REDIS_URL=redis.url)
    cookie = "; ".join(f"{cookie.key}={cookie.value}" for cookie in ada.cookies)
    answer = other.test_client(use_cookies=False).get("/betahaus/desk", headers={"Cookie": cookie})

    assert answer.status_code == 403
