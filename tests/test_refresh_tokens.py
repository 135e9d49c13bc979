"""Access tokens that expire: renewed for who needs one, once for all, and never at the cost of a login (O06-O08)."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask, jsonify, request
from werkzeug.datastructures import FileStorage

from cobot_oidc import APIError, CobotOIDC, User, current_user, from_view_arg, login_required, user_logged_out
from cobot_oidc.errors import ConfigurationError
from cobot_oidc.protocol.client_keys import public_key_set, read_keys
from cobot_oidc.standin import StandIn
from cobot_oidc.standin.alterations import REMOVED
from cobot_oidc.standin.keys import rsa_key

from .conftest import CALLBACK, SECRET_KEY, Clock, Visitor
from .patience import Held, background_work_ends
from .redis_server import RedisServer

JSON = {"Accept": "application/json"}
LIFETIME = 300  # seconds of an access token


@pytest.fixture
def cobot(cobot: StandIn) -> StandIn:
    """A provider whose tokens expire, and whose refresh tokens count once."""
    cobot.offer_refresh_tokens(LIFETIME)
    return cobot


@pytest.fixture
def make_app(settings: dict[str, Any], clock: Clock) -> Any:
    """Makes a portal that keeps tokens and renews them, and shows what the API says to them."""

    def make(**changes: Any) -> Flask:
        app = Flask("portal")
        ours = {
            "COBOT_OIDC_KEEP_TOKEN": True,
            "COBOT_OIDC_REFRESH_TOKENS": True,
            "COBOT_OIDC_SCOPES": "openid read_user write_memberships",
        }
        app.config.update(settings | ours | changes)
        oidc = CobotOIDC(app, space=from_view_arg("space"), clock=clock)

        @app.get("/me")
        @app.get("/<space>/me")
        @login_required
        def me(**_: str) -> Any:
            return jsonify(oidc.api.me().id)

        @app.get("/twice")
        @login_required
        def twice() -> Any:
            api = oidc.api
            first = api.me().id
            if request.args.get("revoke"):
                app.extensions["revoke"]()
            return jsonify([first, api.me().id])

        @app.post("/upload")
        @login_required
        def upload() -> Any:
            return jsonify(oidc.api.post("/api/photo", files={"photo": FileStorage(request.stream, "photo.jpg")}))

        @app.get("/who")
        def who(**_: str) -> Any:
            return jsonify(current_user.get_id())

        @app.get("/<space>/member")
        @login_required
        def member(**_: str) -> Any:
            return jsonify(current_user.is_member)

        return app

    return make


@pytest.fixture
def app(make_app: Any) -> Flask:
    made: Flask = make_app()
    return made


def cookie_of(visitor: Visitor) -> str:
    return "; ".join(f"{cookie.key}={cookie.value}" for cookie in visitor.cookies)


def exchanges(cobot: StandIn) -> int:
    return cobot.asked("/oauth/access_token")


def counts(app: Flask) -> dict[tuple[str, str], int]:
    return CobotOIDC().counts(app)


# ---------------------------------------------------------------------- when a token is renewed


@pytest.mark.module("oidcc-client-test-refresh-token")
def test_a_token_is_renewed_by_the_first_call_that_needs_it(app: Flask, cobot: StandIn, clock: Clock) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    for _ in range(3):
        clock.move(LIFETIME - 11)
        assert ada.get("/me").json == cobot.people["ada"].subject  # still fresh
        clock.move(2)
        assert ada.get("/me").json == cobot.people["ada"].subject

    assert exchanges(cobot) == 1 + 3
    assert cobot.reused_refresh_tokens == 0
    assert counts(app)["token_renewed", ""] == 3


def test_a_page_that_calls_no_api_costs_nothing(app: Flask, cobot: StandIn, clock: Clock) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    clock.move(3 * LIFETIME)
    before = len(cobot.requests)
    page = ada.get("/who")

    assert page.json is not None
    assert "Set-Cookie" not in page.headers
    assert len(cobot.requests) == before


def test_with_redis_a_renewal_writes_no_session(
    make_app: Any, cobot: StandIn, clock: Clock, redis: RedisServer
) -> None:
    ada = Visitor(make_app(COBOT_OIDC_REDIS_URL=redis.url), cobot)
    ada.log_in("/me")
    [name] = [key for key in redis.values() if ":token:" in key]
    clock.move(LIFETIME)
    page = ada.get("/me")

    assert page.json == cobot.people["ada"].subject
    assert "Set-Cookie" not in page.headers
    assert [key for key in redis.values() if ":token:" in key] == [name]
    assert redis.lifetime(name) <= 12 * 3600 - LIFETIME


@pytest.mark.parametrize("lifetime", [{}, {"expires_in": REMOVED}])
def test_a_token_that_cobot_refuses_is_renewed_once(app: Flask, cobot: StandIn, lifetime: dict[str, Any]) -> None:
    cobot.alter("token", lifetime)
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    cobot.revoke_tokens("ada")

    assert ada.get("/me").json == cobot.people["ada"].subject
    assert exchanges(cobot) == 2
    assert ada.get("/me").json == cobot.people["ada"].subject
    assert exchanges(cobot) == 2


def test_one_client_goes_on_with_the_new_token(app: Flask, cobot: StandIn) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    app.extensions["revoke"] = lambda: cobot.revoke_tokens("ada")

    assert ada.get("/twice?revoke=1").json == [cobot.people["ada"].subject] * 2
    assert exchanges(cobot) == 2


def test_a_new_token_that_cobot_refuses_too_is_not_renewed_again(app: Flask, cobot: StandIn) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    cobot.reply("api", status=401)
    answer = ada.get("/me", headers=JSON)

    assert (answer.status_code, answer.json["code"]) == (401, "token_refused")  # type: ignore[index] # it is JSON
    assert exchanges(cobot) == 2
    assert ada.get("/who").json is not None


def test_an_upload_is_not_sent_twice(app: Flask, cobot: StandIn) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    cobot.reply("api", status=401, path="/api/photo")
    answer = ada.browser.post("/upload", data=b"photo", headers=JSON)

    assert answer.json["code"] == "token_refused"  # type: ignore[index] # it is JSON
    assert cobot.asked("/api/photo") == 1


def test_a_provider_that_keeps_its_refresh_tokens(app: Flask, cobot: StandIn, clock: Clock) -> None:
    cobot.offer_refresh_tokens(LIFETIME, rotate=False)
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    cobot.alter("token", {"refresh_token": REMOVED})
    for _ in range(2):
        clock.move(LIFETIME)
        assert ada.get("/me").json == cobot.people["ada"].subject


def test_a_client_with_a_key_renews_with_a_new_assertion(make_app: Any, cobot: StandIn, clock: Clock) -> None:
    key = rsa_key(0).as_dict(private=True)
    cobot.register_client("portal", secret=None, redirect_uri=CALLBACK, public_keys=public_key_set(read_keys(key)))
    ada = Visitor(make_app(COBOT_OIDC_CLIENT_SECRET=None, COBOT_OIDC_CLIENT_KEY=key), cobot)
    ada.log_in("/me")
    clock.move(LIFETIME)

    assert ada.get("/me").json == cobot.people["ada"].subject
    login, renewal = cobot.token_requests
    assert renewal["grant_type"] == ["refresh_token"]
    assert "client_secret" not in renewal
    assert renewal["client_assertion"] != login["client_assertion"]


def test_a_provider_that_gives_none(app: Flask, cobot: StandIn, clock: Clock) -> None:
    cobot.alter("token", {"refresh_token": REMOVED})
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    clock.move(LIFETIME)
    answer = ada.get("/me", headers=JSON)

    assert (answer.status_code, answer.json["code"]) == (401, "token_refused")  # type: ignore[index] # it is JSON
    assert exchanges(cobot) == 1


def test_an_app_that_does_not_ask_for_it_keeps_none(make_app: Any, cobot: StandIn, clock: Clock) -> None:
    lengths = []
    for changes in ({"COBOT_OIDC_REFRESH_TOKENS": False}, {}):
        ada = Visitor(make_app(**changes), cobot)
        ada.log_in("/me")
        with ada.browser.session_transaction() as held:
            [kept] = [value[2][2]["t"] for key, value in held.items() if key.startswith("cobot:")]
        lengths.append(len(kept))
        clock.move(LIFETIME)
        assert (ada.get("/me").status_code == 200) == (not changes)

    assert lengths[0] == 123  # the access token alone: 64 characters, sealed
    assert lengths[1] > 300


@pytest.mark.covers("A02")
@pytest.mark.parametrize("shared", [False, True])
def test_nobody_reads_a_refresh_token(
    make_app: Any, cobot: StandIn, clock: Clock, redis: RedisServer, shared: bool
) -> None:
    ada = Visitor(make_app(COBOT_OIDC_REDIS_URL=redis.url if shared else None), cobot)
    ada.log_in("/me")
    clock.move(LIFETIME)
    ada.get("/me")
    with ada.browser.session_transaction() as held:
        shown = json.dumps([dict(held), redis.values()])

    assert len([secret for secret in cobot.secrets if len(secret) == 64]) >= 4
    assert not any(secret in shown for secret in cobot.secrets if len(secret) >= 8)


# ---------------------------------------------------------------------- many at once


def at_once(how_many: int, ask: Any) -> list[Any]:
    barrier = threading.Barrier(how_many)

    def run(number: int) -> Any:
        barrier.wait(60)
        return ask(number)

    with ThreadPoolExecutor(how_many) as pool:
        return list(pool.map(run, range(how_many)))


@pytest.mark.covers("O06")
def test_requests_at_the_same_time_share_one_renewal(app: Flask, cobot: StandIn, clock: Clock) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    cookie = cookie_of(ada)
    clock.move(LIFETIME)
    cobot.reply("token", delay=0.2)
    pages = at_once(8, lambda _: ada.get_with(cookie, "/me"))

    assert [page.json for page in pages] == [cobot.people["ada"].subject] * 8
    assert exchanges(cobot) == 2
    assert all("session=" in page.headers["Set-Cookie"] for page in pages)  # whichever the browser keeps
    assert ada.get_with(cookie, "/me").status_code == 200  # a page that was loaded before
    clock.move(LIFETIME)
    latest = pages[-1].headers["Set-Cookie"].partition(";")[0]
    assert ada.get_with(latest, "/me").status_code == 200
    assert ada.get_with(cookie, "/me").status_code == 200
    assert (exchanges(cobot), cobot.reused_refresh_tokens) == (3, 0)


@pytest.mark.covers("O06")
def test_with_redis_processes_share_one_renewal(
    make_app: Any, cobot: StandIn, clock: Clock, redis: RedisServer
) -> None:
    apps = [make_app(COBOT_OIDC_REDIS_URL=redis.url) for _ in range(3)]
    ada = Visitor(apps[0], cobot)
    ada.log_in("/me")
    cookie = cookie_of(ada)
    visitors = [Visitor(each, cobot) for each in apps]
    for visitor in visitors:
        assert visitor.get_with(cookie, "/me").status_code == 200
    cobot.reply("token", delay=0.2)
    for _ in range(2):
        clock.move(LIFETIME)
        pages = at_once(6, lambda number: visitors[number % 3].get_with(cookie, "/me"))
        assert [page.json for page in pages] == [cobot.people["ada"].subject] * 6

    assert exchanges(cobot) == 1 + 2
    assert cobot.reused_refresh_tokens == 0


def test_two_processes_without_redis_end_the_login_if_refresh_tokens_count_once(
    make_app: Any, cobot: StandIn, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Why the documentation asks for Redis, and ``init_app`` warns."""
    apps = [make_app(), make_app()]
    assert caplog.text.count("COBOT_OIDC_REFRESH_TOKENS is set without COBOT_OIDC_REDIS_URL") == 2
    ada = Visitor(apps[0], cobot)
    ada.log_in("/me")
    cookie = cookie_of(ada)
    clock.move(LIFETIME)

    assert ada.get_with(cookie, "/me").status_code == 200
    assert Visitor(apps[1], cobot).get_with(cookie, "/me", **JSON).status_code == 401
    assert cobot.reused_refresh_tokens == 1


@pytest.mark.parametrize("embedded", [False, True])
def test_an_app_in_a_frame_is_warned_that_even_one_process_needs_redis(
    make_app: Any, caplog: pytest.LogCaptureFixture, embedded: bool
) -> None:
    """Frame and page hold the same refresh token in two cookies, and only the process knows that it was renewed."""
    make_app(COBOT_OIDC_EMBEDDED=embedded)
    [warned] = [each.getMessage() for each in caplog.records if "COBOT_OIDC_REDIS_URL" in each.getMessage()]
    assert ("a frame and the app's own pages after a restart" in warned) is embedded


@pytest.mark.covers("O06")
def test_who_gives_up_waiting_does_not_lose_the_new_token(make_app: Any, cobot: StandIn, clock: Clock) -> None:
    app = make_app(COBOT_OIDC_MEMBERSHIP=True, COBOT_OIDC_MEMBERSHIP_LIFETIME=60)
    ada = Visitor(app, cobot)
    ada.log_in("/co-up/me")
    clock.move(LIFETIME)
    held = Held()
    cobot.alter("token", held)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cobot_oidc.identity.standings.LONGEST_WAIT", 0.1)
        assert ada.get("/co-up/member").json is False
    held.may_go.set()
    background_work_ends("cobot-oidc-renewal")

    assert ada.get("/co-up/me").json == cobot.people["ada"].subject
    assert (exchanges(cobot), cobot.reused_refresh_tokens) == (2, 0)


# ---------------------------------------------------------------------- when it fails


@pytest.mark.covers("O08")
@pytest.mark.parametrize("shared", [False, True])
def test_a_refresh_token_that_is_refused_ends_the_login(
    make_app: Any, cobot: StandIn, clock: Clock, redis: RedisServer, shared: bool
) -> None:
    app = make_app(COBOT_OIDC_REDIS_URL=redis.url if shared else None)
    ada, told = Visitor(app, cobot), []
    ada.log_in("/me")
    ada.log_in("/co-up/me")
    cookie = cookie_of(ada)
    clock.move(LIFETIME)
    cobot.alter("token", lambda _: {"error": "invalid_grant"}, issuer=cobot.issuer)

    def went(_app: Flask, user: User) -> None:
        told.append(user.get_id())

    with user_logged_out.connected_to(went, app):
        answer = ada.get("/me", headers=JSON)

    assert (answer.status_code, answer.json["code"]) == (401, "refresh_refused")  # type: ignore[index] # it is JSON
    assert ada.get("/who").json is None
    assert ada.get("/co-up/me").status_code == 200  # another issuer's login
    assert ada.get_with(cookie, "/who").json is None  # a copy of the session
    assert told == [f"{cobot.issuer}#{cobot.people['ada'].subject}"]
    assert counts(app)["logged_out", ""] == 1
    assert counts(app)["request_failed", "refresh_refused"] == 1
    if shared:
        assert len([key for key in redis.values() if ":token:" in key]) == 1


@pytest.mark.covers("O08")
def test_the_page_about_a_refused_refresh_token_offers_another_login(app: Flask, cobot: StandIn, clock: Clock) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    clock.move(LIFETIME)
    cobot.revoke_refresh_tokens()
    page = ada.get("/me")

    assert page.status_code == 401
    assert 'href="/cobot/login?next=/me"' in page.text
    clock.move(1)
    assert ada.log_in("/me").json == cobot.people["ada"].subject


@pytest.mark.covers("O08")
@pytest.mark.parametrize(
    "reply", [{"status": 500}, {"status": 503, "body": b"<html>"}, {"status": 200, "body": b"{}"}, {"status": 429}]
)
def test_while_the_provider_fails_the_old_token_serves_until_it_expires(
    app: Flask, cobot: StandIn, clock: Clock, reply: dict[str, Any]
) -> None:
    cobot.offer_refresh_tokens(LIFETIME, rotate=False)  # this one renews first, and then says that it failed
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    cobot.reply("token", **reply, times=2)
    clock.move(LIFETIME - 5)
    assert ada.get("/me").json == cobot.people["ada"].subject
    clock.move(5)
    answer = ada.get("/me", headers=JSON)

    assert (answer.status_code, answer.json["code"]) == (503, "token_not_renewed")  # type: ignore[index] # it is JSON
    assert ada.get("/who").json is not None
    clock.move(5)
    assert ada.get("/me").json == cobot.people["ada"].subject
    assert cobot.reused_refresh_tokens == 0


@pytest.mark.covers("O08")
def test_a_provider_that_fails_is_not_asked_by_every_page(app: Flask, cobot: StandIn, clock: Clock) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    clock.move(LIFETIME)
    cobot.reply("token", status=500)
    codes = [ada.get("/me").status_code for _ in range(4)]

    assert codes == [503] * 4
    assert exchanges(cobot) == 2


@pytest.mark.covers("O08")
def test_a_client_secret_that_was_changed_at_the_provider_logs_nobody_out(
    app: Flask, cobot: StandIn, clock: Clock
) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    clock.move(LIFETIME)
    cobot.alter("token", lambda _: {"error": "invalid_client"})
    answer = ada.get("/me", headers=JSON)

    assert (answer.status_code, answer.json["code"]) == (503, "token_not_renewed")  # type: ignore[index] # it is JSON
    assert ada.get("/who").json is not None


@pytest.mark.covers("O08")
def test_a_key_set_that_cannot_be_fetched_ends_no_login_when_a_token_is_renewed(
    make_app: Any, cobot: StandIn, clock: Clock
) -> None:
    """The provider has rotated its keys, and its key set is down for a moment: nobody has refused anything."""
    cobot.offer_refresh_tokens(LIFETIME, rotate=False)
    ada = Visitor(make_app(), cobot)
    ada.log_in("/me")
    clock.move(LIFETIME)
    cobot.keys.rotate(keep_old=False)
    cobot.reply("key_set", status=503, times=2)

    assert ada.get("/me", headers=JSON).status_code == 503
    assert ada.get("/who").json is not None
    clock.move(60)
    assert ada.get("/me").status_code == 200


@pytest.mark.module("oidcc-client-test-refresh-token-invalid-issuer")
@pytest.mark.module("oidcc-client-test-refresh-token-invalid-sub")
@pytest.mark.covers("O07", "S22")
@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "0a1b2c3d4e5f60718293a4b5c6d7e8f9"},  # Grace
        {"iss": "https://elsewhere.example"},
        {"aud": "another"},
        {"nonce": "another"},
        {"auth_time": 1},
        {"iat": 1},
    ],
)
def test_a_refreshed_id_token_about_another_login_ends_it(
    app: Flask, cobot: StandIn, clock: Clock, changes: dict[str, Any]
) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    clock.move(LIFETIME)
    cobot.alter("id_token_claims", changes)
    answer = ada.get("/me", headers=JSON)

    assert (answer.status_code, answer.json["code"]) == (401, "refresh_refused")  # type: ignore[index] # it is JSON
    assert ada.get("/who").json is None


@pytest.mark.covers("O07")
def test_a_forged_id_token_beside_the_new_token_ends_the_login(app: Flask, cobot: StandIn, clock: Clock) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    clock.move(LIFETIME)
    cobot.alter("id_token", lambda text: text[:-10] + "AAAAAAAAAA")

    assert ada.get("/me").status_code == 401
    assert ada.get("/who").json is None


@pytest.mark.covers("O07")
def test_a_refresh_need_bring_no_id_token_and_may_repeat_the_nonce(app: Flask, cobot: StandIn, clock: Clock) -> None:
    nonces: list[str] = []

    def repeat(claims: dict[str, Any]) -> dict[str, Any]:
        nonces.append(claims.get("nonce", ""))
        return {**claims, "nonce": nonces[0]}

    cobot.alter("id_token_claims", repeat)
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    clock.move(LIFETIME)
    assert ada.get("/me").status_code == 200
    cobot.alter("token", {"id_token": REMOVED})
    clock.move(LIFETIME)

    assert ada.get("/me").status_code == 200
    assert len(nonces) == 3


@pytest.mark.covers("O07", "K08")
def test_the_refreshed_id_token_may_be_signed_with_a_new_key(app: Flask, cobot: StandIn, clock: Clock) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    clock.move(LIFETIME)
    cobot.keys.rotate(keep_old=False)

    assert ada.get("/me").status_code == 200


def test_a_new_token_that_does_not_fit_into_the_cookie_serves_this_process(
    app: Flask, cobot: StandIn, clock: Clock
) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    clock.move(LIFETIME)
    cobot.alter("token", {"refresh_token": "x" * 4000})

    assert ada.get("/me").json == cobot.people["ada"].subject
    assert counts(app)["token_not_kept", ""] == 1
    assert ada.get("/who").json is not None
    answer = ada.get("/me", headers=JSON)
    assert (answer.status_code, answer.json["code"]) == (401, "token_missing")  # type: ignore[index] # it is JSON


def test_redis_that_is_away_ends_no_login(make_app: Any, cobot: StandIn, clock: Clock, redis: RedisServer) -> None:
    ada = Visitor(make_app(COBOT_OIDC_REDIS_URL=redis.url), cobot)
    ada.log_in("/me")
    clock.move(LIFETIME)
    redis.stop()
    answer = ada.get("/me", headers=JSON)

    assert (answer.status_code, answer.json["code"]) == (503, "token_unavailable")  # type: ignore[index] # it is JSON
    assert exchanges(cobot) == 1
    assert ada.get("/who").json is not None


# ---------------------------------------------------------------------- memberships


@pytest.mark.parametrize("shared", [False, True])
def test_who_is_a_member_is_asked_with_a_renewed_token(
    make_app: Any, cobot: StandIn, clock: Clock, redis: RedisServer, shared: bool
) -> None:
    app = make_app(COBOT_OIDC_MEMBERSHIP=True, COBOT_OIDC_REDIS_URL=redis.url if shared else None)
    ada = Visitor(app, cobot)
    assert ada.log_in("/co-up/member").json is True
    for _ in range(2):
        clock.move(700)
        assert ada.get("/co-up/member").json is True
    clock.move(500)
    assert ada.get("/co-up/member").json is True  # still known; asked in the background
    background_work_ends("cobot-oidc-membership")

    assert cobot.reused_refresh_tokens == 0
    assert exchanges(cobot) == (4 if shared else 3)  # without Redis, no session could keep what a thread renews
    clock.move(200)
    assert ada.get("/co-up/member").json is True
    assert exchanges(cobot) == 4


# ---------------------------------------------------------------------- settings


def test_refresh_tokens_need_tokens_that_are_kept() -> None:
    app = Flask("portal")
    app.config.update(SECRET_KEY=SECRET_KEY, COBOT_OIDC_CLIENT_ID="portal", COBOT_OIDC_REFRESH_TOKENS=True)
    with pytest.raises(ConfigurationError, match="COBOT_OIDC_REFRESH_TOKENS") as caught:
        CobotOIDC(app)

    assert "COBOT_OIDC_KEEP_TOKEN" in str(caught.value)


def test_a_client_that_gets_no_other_token_raises_as_before(app: Flask, cobot: StandIn) -> None:
    from cobot_oidc import CobotAPI

    asked: list[str] = []
    with app.app_context(), pytest.raises(APIError, match="token_refused"):
        CobotAPI("x" * 64, renew=lambda refused: asked.append(refused)).me()

    assert len(asked) == 1
    assert cobot.asked("/api/user") == 1


# ---------------------------------------------------------------------- revoked


def in_the_background() -> None:
    """Wait for what logouts leave to a thread."""
    background_work_ends("cobot-oidc-revocation")


def revocations(cobot: StandIn) -> tuple[int, int]:
    """How often the provider's endpoint and Cobot's API were asked to revoke a token."""
    return cobot.asked("/oauth/revoke"), len([each for each in cobot.requests if each.method == "DELETE"])


@pytest.mark.covers("A04")
@pytest.mark.parametrize("rotate", [True, False])
def test_after_a_logout_no_copy_renews_a_token_in_another_process(
    make_app: Any, cobot: StandIn, clock: Clock, rotate: bool
) -> None:
    """Without Redis, the other process does not know of the logout: the provider does."""
    cobot.offer_refresh_tokens(LIFETIME, rotate=rotate)
    here, there = (make_app(COBOT_OIDC_REVOKE_TOKEN=True) for _ in range(2))
    ada = Visitor(here, cobot)
    ada.log_in("/me")
    copies = [cookie_of(ada)]
    clock.move(LIFETIME)
    assert ada.get("/me").status_code == 200  # renewed: the first copy is an older one
    copies.append(cookie_of(ada))
    assert ada.log_out().status_code == 303
    in_the_background()

    assert revocations(cobot) == (1, 1)
    clock.move(LIFETIME)
    for copy in copies:
        assert Visitor(there, cobot).get_with(copy, "/me", **JSON).status_code == 401
    assert counts(here).get(("token_not_revoked", ""), 0) == 0


@pytest.mark.covers("A04", "O06")
def test_a_token_that_is_renewed_while_somebody_logs_out_ends_too(
    make_app: Any, cobot: StandIn, clock: Clock, redis: RedisServer
) -> None:
    app = make_app(COBOT_OIDC_REDIS_URL=redis.url, COBOT_OIDC_REVOKE_TOKEN=True)
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    cookie, answers = cookie_of(ada), list[Any]()
    clock.move(LIFETIME)
    held = Held()
    cobot.alter("token", held)
    page = threading.Thread(target=lambda: answers.append(ada.get_with(cookie, "/me", **JSON)))
    page.start()
    assert held.came.wait(60)
    ada.log_out()  # it has forgotten the token, whenever the revocation happens
    held.may_go.set()
    page.join()
    background_work_ends("cobot-oidc-renewal", "cobot-oidc-revocation")

    assert [(answer.status_code, answer.json["code"]) for answer in answers] == [(401, "token_missing")]
    assert not [key for key in redis.values() if ":token:" in key]
    revoked = [request.path for request in cobot.requests if request.method == "DELETE"]
    assert len(set(revoked)) == 2  # the old one and the new one


@pytest.mark.covers("A04")
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt"])
def test_a_provider_without_cobot_s_api_revokes_both_tokens(make_app: Any, cobot: StandIn, method: str) -> None:
    secret = "s3cret-of-the-portal-that-is-long-enough"
    authentication = "client_secret_jwt" if method == "client_secret_jwt" else None
    cobot.register_client("portal", secret=secret, redirect_uri=CALLBACK, name="Portal", authentication=authentication)
    app = make_app(
        COBOT_OIDC_ISSUER=cobot.space_issuer("co-up"),  # beside a host that is not named www., no API 2 is known
        COBOT_OIDC_ALLOWED_HOSTS="www.cobot.localhost",  # where its keys are
        COBOT_OIDC_SPACE_ISSUER=None,
        COBOT_OIDC_SPACES=None,
        COBOT_OIDC_CLIENT_SECRET=secret,
        COBOT_OIDC_CLIENT_AUTH=method,
        COBOT_OIDC_REVOKE_TOKEN=True,
    )
    ada = Visitor(app, cobot)
    for _ in range(2):
        ada.get(ada.answer(ada.begin("/cobot/login")))
        in_the_background()
    # Some providers would end the new login's tokens with those of the old one, and Cobot's API is not there.
    assert revocations(cobot) == (0, 0)
    ada.log_out()
    in_the_background()

    assert revocations(cobot) == (2, 0)
    assert counts(app).get(("token_not_revoked", ""), 0) == 0


@pytest.mark.covers("A04")
def test_a_space_with_somebody_else_s_issuer_revokes_both_tokens_there(make_app: Any, cobot: StandIn) -> None:
    own = {"issuer": cobot.issuer, "client_id": "other", "client_secret": "s3cret-of-the-other"}
    callback = f"{CALLBACK}/co-up"
    cobot.register_client("other", secret="s3cret-of-the-other", redirect_uri=callback, name="Portal")
    app = make_app(
        COBOT_OIDC_ISSUER="https://www.cobot.me",  # whose API is no other issuer's
        COBOT_OIDC_SPACE_ISSUER=None,
        COBOT_OIDC_ALLOWED_HOSTS=[],
        COBOT_OIDC_SPACES=["co-up"],
        COBOT_OIDC_SPACE_ISSUERS={"co-up": own},
        COBOT_OIDC_REVOKE_TOKEN=True,
    )
    ada = Visitor(app, cobot)
    ada.get(ada.answer(ada.begin("/cobot/login?space=co-up")))
    ada.log_out()
    in_the_background()

    assert revocations(cobot) == (2, 0)
    assert counts(app).get(("token_not_revoked", ""), 0) == 0


@pytest.mark.parametrize("trouble", ["no endpoint", "refused", "down", "another host"])
def test_a_logout_ends_well_whatever_the_revocation_endpoint_does(make_app: Any, cobot: StandIn, trouble: str) -> None:
    if trouble == "no endpoint":
        cobot.alter("metadata", {"revocation_endpoint": REMOVED})
    elif trouble == "another host":
        cobot.alter("metadata", {"revocation_endpoint": "http://evil.example/revoke"})
    else:
        cobot.reply("revocation", status=400 if trouble == "refused" else 503)
    app = make_app(COBOT_OIDC_REVOKE_TOKEN=True)
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    assert ada.log_out().status_code == 303
    in_the_background()

    assert revocations(cobot)[1] == 1
    assert counts(app).get(("token_not_revoked", ""), 0) == (trouble in ("refused", "down"))


def test_no_token_is_revoked_unless_the_app_wants_it(app: Flask, cobot: StandIn) -> None:
    ada = Visitor(app, cobot)
    ada.log_in("/me")
    ada.log_out()
    in_the_background()

    assert revocations(cobot) == (0, 0)
