"""Access tokens: where the app keeps them, for whom they can be opened, and when they are gone."""

import json
import threading
from typing import Any

import pytest
from flask import Flask, jsonify, request

from cobot_oidc import (
    APIError,
    CobotAPI,
    CobotOIDC,
    SpaceToken,
    User,
    current_user,
    from_view_arg,
    login_required,
    user_logged_in,
    user_logged_out,
)
from cobot_oidc.standin import StandIn

from .conftest import SECRET_KEY, Clock, Visitor
from .patience import background_work_ends
from .redis_server import RedisServer

JSON = {"Accept": "application/json"}


@pytest.fixture
def make_app(settings: dict[str, Any], clock: Clock) -> Any:
    """Makes a portal that keeps tokens, and shows what the API says to them."""

    def make(**changes: Any) -> Flask:
        app = Flask("portal")
        app.config.update(settings | {"COBOT_OIDC_KEEP_TOKEN": True, "COBOT_OIDC_SCOPES": "openid read_user"} | changes)
        oidc = CobotOIDC(app, space=from_view_arg("space"), clock=clock)

        @app.get("/me")
        @app.get("/<space>/me")
        @login_required
        def me(**_: str) -> Any:
            return jsonify(oidc.api.me().id)

        @app.post("/<space>/token")
        @login_required
        def keep(space: str) -> Any:
            oidc.space_tokens.keep(space, oidc.api.space_token(request.args.get("id", space)))
            return ""

        return app

    return make


@pytest.fixture
def app(make_app: Any) -> Flask:
    made: Flask = make_app()
    return made


def in_the_background() -> None:
    background_work_ends("cobot-oidc-revocation")


def session_of(visitor: Visitor) -> str:
    return next(cookie.value for cookie in visitor.cookies if cookie.key == "session")


# ---------------------------------------------------------------------- kept in the session


def test_the_api_answers_as_who_is_logged_in(app: Flask, cobot: StandIn) -> None:
    ada, grace = Visitor(app, cobot), Visitor(app, cobot)

    assert ada.log_in("/me", "ada").json == cobot.people["ada"].subject
    assert grace.log_in("/co-up/me", "grace").json == cobot.people["grace"].subject


@pytest.mark.covers("A02")
def test_nobody_reads_the_token_in_the_cookie(app: Flask, cobot: StandIn) -> None:
    """The watch of ``cobot`` looks for it in every header as well; here, inside of what Flask only signs."""
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    with ada.browser.session_transaction() as session:
        shown = json.dumps(dict(session))

    assert '"t":' in shown
    assert not any(secret in shown for secret in cobot.secrets if len(secret) >= 8)


def test_an_app_that_keeps_no_token_has_none_in_its_cookie(make_app: Any, cobot: StandIn) -> None:
    plain, keeping = Visitor(make_app(COBOT_OIDC_KEEP_TOKEN=False), cobot), Visitor(make_app(), cobot)
    plain.log_in("/me")
    keeping.log_in("/me")

    assert len(session_of(keeping)) - len(session_of(plain)) >= 120
    answer = plain.get("/me", headers=JSON)
    assert answer.json["code"] == "setting_missing"  # type: ignore[index] # it is JSON
    assert answer.status_code == 500


def moved_token(app: Flask, cobot: StandIn, source: str, target: str, person: str) -> Any:
    """The page of somebody into whose session Ada's sealed token was put."""
    ada, other = Visitor(app, cobot), Visitor(app, cobot)
    ada.log_in(source, "ada")
    other.log_in(target, person)
    with ada.browser.session_transaction() as session:
        [adas] = [session[key] for key in session if key.startswith("cobot:")]
    with other.browser.session_transaction() as session:
        [key] = [key for key in session if key.startswith("cobot:")]
        session[key] = [*session[key][:2], [session[key][2][0], None, adas[2][2]], *session[key][3:]]
    return other.get(target, headers=JSON)


@pytest.mark.covers("A01")
@pytest.mark.parametrize(
    ("source", "target", "person"),
    [
        ("/me", "/me", "grace"),  # another person's
        ("/co-up/me", "/betahaus/me", "ada"),  # another space's
        ("/me", "/co-up/me", "ada"),
    ],
)
def test_another_login_s_token_cannot_be_opened(
    app: Flask, cobot: StandIn, source: str, target: str, person: str
) -> None:
    answer = moved_token(app, cobot, source, target, person)

    assert answer.status_code == 401
    assert answer.json["code"] == "token_missing"


def test_a_page_about_a_missing_token_leads_to_another_login(app: Flask, cobot: StandIn) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/co-up/me")
    with ada.browser.session_transaction() as session:
        [key] = [key for key in session if key.startswith("cobot:")]
        session[key] = [*session[key][:2], session[key][2][0], *session[key][3:]]
    page = ada.get("/co-up/me?week=4")

    assert page.status_code == 401
    assert 'href="/cobot/login?space=co-up&amp;next=/co-up/me?week%3D4"' in page.text
    assert ada.log_in("/cobot/login?space=co-up&next=/co-up/me").json == cobot.people["ada"].subject


def test_the_operator_finds_what_failed_under_the_reference_of_the_page(
    app: Flask, cobot: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    cobot.revoke_tokens("ada")
    page = ada.get("/me")
    [record] = [record for record in caplog.records if getattr(record, "event", "") == "request_failed"]

    assert record.__dict__["code"] == "token_refused"
    assert record.__dict__["correlation_id"] in page.text
    assert CobotOIDC().counts(app)["request_failed", "token_refused"] == 1


def test_the_operator_reads_which_setting_a_page_needs(
    make_app: Any, cobot: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    ada = Visitor(make_app(COBOT_OIDC_KEEP_TOKEN=False), cobot)
    page = ada.log_in("/me")
    [record] = [record for record in caplog.records if getattr(record, "event", "") == "request_failed"]

    assert page.status_code == 500
    assert "COBOT_OIDC_KEEP_TOKEN" in record.getMessage()
    assert record.__dict__["correlation_id"] in page.text


def test_the_app_s_keys_may_be_rotated(make_app: Any, cobot: StandIn) -> None:
    old, new = make_app(), make_app(SECRET_KEY="n" * 32, SECRET_KEY_FALLBACKS=[SECRET_KEY])
    ada = Visitor(old, cobot)
    ada.log_in("/me")
    cookie = f"session={session_of(ada)}"

    assert ada.get_with(cookie, "/me").json == cobot.people["ada"].subject
    assert new.test_client(use_cookies=False).get("/me", headers={"Cookie": cookie}).json
    other = make_app(SECRET_KEY="x" * 32)
    assert other.test_client(use_cookies=False).get("/me", headers={"Cookie": cookie}).status_code == 302


def test_a_token_that_does_not_fit_into_a_cookie_is_told_about(make_app: Any, cobot: StandIn) -> None:
    app = make_app()
    cobot.alter("token", {"access_token": "x" * 4000})
    cobot.alter("id_token_claims", lambda claims: {name: claims[name] for name in claims if name != "at_hash"})
    ada = Visitor(app, cobot)
    answer = ada.browser.get(ada.answer(ada.begin("/me")), headers=JSON)

    assert answer.status_code == 500
    assert answer.json["code"] == "session_too_large"  # type: ignore[index] # it is JSON


# ---------------------------------------------------------------------- gone


@pytest.mark.covers("A04", "S09")
def test_a_session_s_copy_is_worth_nothing_after_the_logout(app: Flask, cobot: StandIn) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    cookie = f"session={session_of(ada)}"
    ada.log_out()

    assert ada.get_with(cookie, "/me").status_code == 302
    assert cobot.asked("/api/user") == 1


@pytest.mark.covers("A04", "S09")
def test_a_copy_of_an_earlier_session_calls_nobody_after_the_logout(
    settings: dict[str, Any], cobot: StandIn, clock: Clock
) -> None:
    app = Flask("portal")
    keep = {"COBOT_OIDC_KEEP_TOKEN": True, "COBOT_OIDC_REVOKE_TOKEN": True}
    app.config.update(settings | keep)
    oidc = CobotOIDC(app, space=from_view_arg("space"), clock=clock)

    @app.get("/<space>/scopes")
    @login_required
    def scopes(space: str) -> str:
        del space
        return " ".join(oidc.api.granted_scopes())

    ada = Visitor(app, cobot)
    ada.log_in("/co-up/scopes")
    copy = session_of(ada)
    clock.move(50)
    ada.get(ada.answer(ada.begin("/cobot/login?space=co-up")))
    clock.move(50)
    ada.log_out()
    background_work_ends("cobot-oidc-revocation")

    assert ada.get_with(f"session={copy}", "/co-up/scopes").status_code == 302


def test_a_logout_leaves_the_token_valid_at_cobot_unless_the_app_wants_it_revoked(app: Flask, cobot: StandIn) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    ada.log_out()
    in_the_background()

    assert not [request for request in cobot.requests if request.method == "DELETE"]


@pytest.mark.covers("A04")
@pytest.mark.parametrize("space", [None, "co-up"])
def test_a_logout_revokes_the_token_in_the_background(make_app: Any, cobot: StandIn, space: str | None) -> None:
    app = make_app(COBOT_OIDC_REVOKE_TOKEN=True)
    ada = Visitor(app, cobot)
    ada.log_in(f"/{space}/me" if space else "/me")
    assert ada.log_out().status_code == 303
    in_the_background()
    [revoked] = [request for request in cobot.requests if request.method == "DELETE"]

    assert revoked.host == f"www.cobot.localhost:{cobot.port}"
    with app.app_context(), pytest.raises(APIError) as caught:
        CobotAPI(revoked.path.rpartition("/")[2]).me()
    assert caught.value.code == "token_refused"


@pytest.mark.covers("A04")
@pytest.mark.parametrize("ending", ["logout", "lifetime"])
def test_a_logout_by_an_old_copy_tells_and_revokes_nothing_again(
    make_app: Any, cobot: StandIn, clock: Clock, ending: str
) -> None:
    app = make_app(COBOT_OIDC_REVOKE_TOKEN=True)
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    copy = f"session={session_of(ada)}"
    if ending == "logout":
        ada.log_out()
        in_the_background()
    else:
        clock.move(app.extensions["cobot_oidc"].terms.lifetime)
    revoked = [request for request in cobot.requests if request.method == "DELETE"]
    told: list[User] = []

    def note(_app: Flask, user: User) -> None:
        told.append(user)

    with user_logged_out.connected_to(note, app):
        for _ in range(3):
            answer = app.test_client(use_cookies=False).post(
                "/cobot/logout", headers={"Cookie": copy, "Sec-Fetch-Site": "same-origin"}
            )
            assert answer.status_code == 303
    in_the_background()

    assert told == []
    assert CobotOIDC().counts(app).get(("logged_out", ""), 0) == len(revoked)
    assert [request for request in cobot.requests if request.method == "DELETE"] == revoked


@pytest.mark.covers("A04")
@pytest.mark.parametrize(("same", "revoked"), [(False, 1), (True, 0)])
def test_another_login_revokes_the_token_of_the_one_before(
    make_app: Any, cobot: StandIn, same: bool, revoked: int
) -> None:
    """Unless the provider gives the same token again."""
    ada = Visitor(make_app(COBOT_OIDC_REVOKE_TOKEN=True), cobot)
    if same:
        token = cobot.issue_token("ada", "openid read_user")
        cobot.alter("token", {"access_token": token})
        cobot.alter("id_token_claims", lambda claims: {name: claims[name] for name in claims if name != "at_hash"})
    ada.log_in("/me")
    ada.browser.get(ada.answer(ada.begin("/cobot/login")))
    in_the_background()

    assert len([request for request in cobot.requests if request.method == "DELETE"]) == revoked
    assert ada.get("/me").status_code == 200


def test_no_logout_fails_because_cobot_is_away(make_app: Any, cobot: StandIn) -> None:
    app = make_app(COBOT_OIDC_REVOKE_TOKEN=True)
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    cobot.reply("api", status=500)

    assert ada.log_out().status_code == 303
    in_the_background()
    assert ada.get("/me").status_code == 302
    assert _oidc_of(app).counts(app)["token_not_revoked", ""] == 1


def test_the_app_is_told_of_a_token_that_is_not_revoked_because_nobody_knows_the_spaces(
    make_app: Any, cobot: StandIn
) -> None:
    def serves(space: str) -> bool:
        if threading.current_thread().name == "cobot-oidc-revocation":
            raise RuntimeError("the database is away")
        return space == "co-up"

    app = make_app(COBOT_OIDC_REVOKE_TOKEN=True, COBOT_OIDC_SPACES=serves)
    ada = Visitor(app, cobot)
    ada.log_in("/co-up/me")
    assert ada.log_out().status_code == 303
    in_the_background()

    assert _oidc_of(app).counts(app)["token_not_revoked", ""] == 1


# ---------------------------------------------------------------------- during the login alone


@pytest.mark.covers("A04")
def test_a_listener_may_use_the_token_until_the_login_has_ended(make_app: Any, cobot: StandIn) -> None:
    app, used = make_app(COBOT_OIDC_KEEP_TOKEN=False), []

    def came(_app: Flask, user: User, api: CobotAPI) -> None:
        assert api.me().id == user.subject
        used.append(api)

    with user_logged_in.connected_to(came, app):
        visitor = Visitor(app, cobot)
        visitor.browser.get(visitor.answer(visitor.begin("/me")))

    with app.app_context(), pytest.raises(APIError) as caught:
        used[0].me()
    assert caught.value.code == "token_spent"
    assert cobot.asked("/api/user") == 1


@pytest.mark.covers("A04", "X09")
def test_a_listener_that_refuses_the_login_ends_the_use_too(make_app: Any, cobot: StandIn) -> None:
    app, used = make_app(COBOT_OIDC_KEEP_TOKEN=False), []

    def refuse(_app: Flask, api: CobotAPI, **_: Any) -> None:
        used.append(api)
        raise APIError("request_forbidden")

    with user_logged_in.connected_to(refuse, app):
        visitor = Visitor(app, cobot)
        assert visitor.browser.get(visitor.answer(visitor.begin("/me"))).status_code == 403

    with app.app_context(), pytest.raises(APIError) as caught:
        used[0].me()
    assert caught.value.code == "token_spent"
    assert visitor.get("/me").status_code == 302


def test_listeners_of_every_kind_are_told(make_app: Any, cobot: StandIn) -> None:
    told: list[tuple[str, object]] = []
    app = make_app()

    def only_the_user(_app: Flask, user: User) -> None:
        told.append(("user", user.subject))

    def anything(_app: Flask, **more: Any) -> None:
        told.append(("anything", sorted(more)))

    with user_logged_in.connected_to(only_the_user, app), user_logged_in.connected_to(anything, app):
        Visitor(app, cobot).log_in("/me")

    assert sorted(told) == [("anything", ["api", "user"]), ("user", cobot.people["ada"].subject)]


def test_a_login_that_nobody_asks_the_api_about_costs_cobot_no_request(make_app: Any, cobot: StandIn) -> None:
    visitor = Visitor(make_app(), cobot)
    visitor.browser.get(visitor.answer(visitor.begin("/me")))

    assert not [request for request in cobot.requests if request.path.startswith("/api/")]


# ---------------------------------------------------------------------- kept in Redis


@pytest.fixture
def shared_app(make_app: Any, redis: RedisServer) -> Flask:
    made: Flask = make_app(COBOT_OIDC_REDIS_URL=redis.url)
    return made


def test_with_redis_the_cookie_holds_a_name_alone(
    shared_app: Flask, make_app: Any, cobot: StandIn, redis: RedisServer
) -> None:
    shared, alone = Visitor(shared_app, cobot), Visitor(make_app(), cobot)
    assert shared.log_in("/me").json == cobot.people["ada"].subject
    alone.log_in("/me")

    assert len(session_of(shared)) < len(session_of(alone)) - 80
    [key] = [key for key in redis.values() if ":token:" in key]
    assert 0 < redis.lifetime(key) <= 12 * 3600


@pytest.mark.covers("A02")
def test_a_dump_of_redis_is_useless(shared_app: Flask, cobot: StandIn, redis: RedisServer) -> None:
    Visitor(shared_app, cobot).log_in("/me")
    dump = json.dumps(redis.values())

    assert ":token:" in dump
    assert not any(secret in dump for secret in cobot.secrets if len(secret) >= 8)


@pytest.mark.covers("A01")
def test_in_redis_too_another_login_s_token_cannot_be_opened(shared_app: Flask, cobot: StandIn) -> None:
    answer = moved_token(shared_app, cobot, "/me", "/me", "grace")

    assert (answer.status_code, answer.json["code"]) == (401, "token_missing")


@pytest.mark.covers("A04")
@pytest.mark.parametrize("how", ["logout", "another login"])
def test_the_token_leaves_redis(shared_app: Flask, cobot: StandIn, redis: RedisServer, how: str) -> None:
    ada = Visitor(shared_app, cobot)
    ada.log_in("/me")
    [first] = [key for key in redis.values() if ":token:" in key]
    if how == "logout":
        ada.log_out()
    else:
        ada.browser.get(ada.answer(ada.begin("/cobot/login")))

    assert first not in redis.values()


@pytest.mark.covers("A04", "X09")
def test_a_refused_login_leaves_no_token(shared_app: Flask, cobot: StandIn, redis: RedisServer) -> None:
    def refuse(_app: Flask, user: User) -> None:
        raise APIError("request_forbidden", subject=user.subject)

    with user_logged_in.connected_to(refuse, shared_app):
        ada = Visitor(shared_app, cobot)
        assert ada.browser.get(ada.answer(ada.begin("/me"))).status_code == 403

    assert not [key for key in redis.values() if ":token:" in key]


def test_a_redis_that_is_away_at_the_login_costs_nothing(shared_app: Flask, cobot: StandIn, redis: RedisServer) -> None:
    redis.stop()

    assert Visitor(shared_app, cobot).log_in("/me").json == cobot.people["ada"].subject


def test_a_redis_that_is_away_later_sends_nobody_to_log_in_again(
    shared_app: Flask, cobot: StandIn, redis: RedisServer, clock: Clock
) -> None:
    ada = Visitor(shared_app, cobot)
    ada.log_in("/me")
    redis.stop()
    answer = ada.get("/me", headers=JSON)

    assert answer.status_code == 503
    assert answer.json["code"] == "token_unavailable"  # type: ignore[index] # it is JSON
    assert "login_url" not in answer.json  # type: ignore[operator] # it is JSON
    redis.start()
    statuses = set()
    for _ in range(10):  # one caller finds out that it is back, and another may not have heard of it yet
        clock.move(5)
        statuses.add(ada.get("/me").status_code)
    assert 401 in statuses  # this Redis keeps nothing, so the token is gone


def test_an_async_listener_is_waited_for(make_app: Any, cobot: StandIn) -> None:
    app = make_app()

    async def refuse(_app: Flask, user: User) -> None:
        raise APIError("request_forbidden", subject=user.subject)

    ada, statuses = Visitor(app, cobot), []

    def log_in() -> None:
        statuses.append(ada.browser.get(ada.answer(ada.begin("/me"))).status_code)

    with user_logged_in.connected_to(refuse, app):
        thread = threading.Thread(target=log_in)  # in that of the tests, Playwright may have an event loop
        thread.start()
        thread.join()
    assert statuses == [403]
    assert ada.get("/me").status_code == 302


def test_a_login_goes_on_in_every_process(shared_app: Flask, make_app: Any, cobot: StandIn, redis: RedisServer) -> None:
    ada = Visitor(shared_app, cobot)
    ada.log_in("/me")
    other = make_app(COBOT_OIDC_REDIS_URL=redis.url).test_client(use_cookies=False)

    assert other.get("/me", headers={"Cookie": f"session={session_of(ada)}"}).json == cobot.people["ada"].subject


# ---------------------------------------------------------------------- a space's


@pytest.mark.covers("A02")
def test_a_job_works_with_the_token_that_an_admin_left(
    shared_app: Flask, make_app: Any, cobot: StandIn, redis: RedisServer
) -> None:
    alex = Visitor(shared_app, cobot)
    alex.log_in("/co-up/me", "alex")
    assert alex.browser.post("/co-up/token").status_code == 200
    assert not any(secret in json.dumps(redis.values()) for secret in cobot.secrets if len(secret) >= 8)
    worker = make_app(COBOT_OIDC_REDIS_URL=redis.url)
    oidc = _oidc_of(worker)
    with worker.app_context():
        assert len(oidc.space_tokens.api("co-up").get("/api/plans")) == 3
        assert oidc.space_tokens.api("co-up").granted_scopes()
        with pytest.raises(APIError) as caught:
            oidc.space_tokens.api("betahaus")
        assert caught.value.code == "space_token_missing"
        oidc.space_tokens.forget("co-up")
        with pytest.raises(APIError):
            oidc.space_tokens.api("co-up")


@pytest.mark.covers("A01")
def test_one_space_s_token_does_not_open_as_another_s(shared_app: Flask, cobot: StandIn, redis: RedisServer) -> None:
    oidc = _oidc_of(shared_app)
    with shared_app.app_context():
        oidc.space_tokens.keep("co-up", SpaceToken("t" * 64, "co-up", ()))
        [key] = [key for key in redis.values() if "space token" in key]
        redis.put(key.replace("co-up", "betahaus"), redis.values()[key])
        with pytest.raises(APIError) as caught:
            oidc.space_tokens.api("betahaus")

    assert caught.value.code == "space_token_missing"
    assert cobot.requests == []


def test_a_space_s_token_that_cannot_be_kept_is_told_about(
    shared_app: Flask, cobot: StandIn, redis: RedisServer
) -> None:
    redis.stop()
    with shared_app.app_context(), pytest.raises(APIError) as caught:
        _oidc_of(shared_app).space_tokens.keep("co-up", SpaceToken("t" * 64, "co-up", ()))

    assert caught.value.code == "space_token_not_kept"
    assert cobot.requests == []


def test_only_admins_get_a_space_s_token(shared_app: Flask, cobot: StandIn) -> None:
    ada = Visitor(shared_app, cobot)
    ada.log_in("/co-up/me", "ada")

    assert ada.browser.post("/co-up/token").status_code == 403


def _oidc_of(app: Flask) -> CobotOIDC:
    """Another object for the same app: what it needs is in the app."""
    assert "cobot_oidc" in app.extensions
    return CobotOIDC()


def test_a_user_s_own_words_hold_no_token(app: Flask, cobot: StandIn) -> None:
    shown: list[str] = []

    @app.get("/shown")
    @login_required
    def show() -> str:
        shown.append(f"{current_user!r} {current_user.claims}")
        return ""

    Visitor(app, cobot).log_in("/shown")

    assert not any(secret in shown[0] for secret in cobot.secrets if len(secret) >= 8)
