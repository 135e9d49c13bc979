"""What the second attack found: back-channel logouts, refresh tokens, and the example portal."""

import base64
import logging
import threading
from typing import Any
from urllib.parse import quote_plus

import pytest
from flask import Flask

from cobot_oidc.standin import StandIn
from cobot_oidc.standin.alterations import REMOVED

from .conftest import CALLBACK, Clock, MakePortal, Visitor
from .example_app.test_making_a_booking import Member, ada, app, cobot_with_free_rooms
from .example_app.test_spaces_by_host import by_host
from .patience import Held, background_work_ends
from .redis_server import RedisServer
from .test_backchannel_logout import code_of, cookie_of, logged_in, make_portal, told
from .test_refresh_tokens import JSON, LIFETIME, make_app

__all__ = ["ada", "app", "cobot_with_free_rooms", "make_app", "make_portal"]  # fixtures


@pytest.fixture
def ending_logins(cobot: StandIn) -> StandIn:
    """A provider that sends logout tokens."""
    cobot.offer_logout()
    return cobot


def junk(cobot: StandIn, **about: Any) -> str:
    """A logout token as anybody can write one: all is right but the key."""
    cobot.alter("logout_token_header", {"kid": "invented"}, times=1)
    return cobot.logout_token("grace", **about)


# ---------------------------------------------------------------------- back-channel logouts


@pytest.mark.covers("O10", "K12")
def test_junk_in_the_names_of_several_spaces_does_not_use_up_what_logins_may_fetch(
    make_portal: MakePortal, ending_logins: StandIn
) -> None:
    """Cobot's spaces share one key set, and what logins may fetch of it."""
    portal = make_portal(COBOT_OIDC_SPACES=["co-up", "betahaus"])
    ada = logged_in(portal, ending_logins)
    before = ending_logins.asked("/jwks.json")
    for issuer in (ending_logins.issuer, *map(ending_logins.space_issuer, ("co-up", "betahaus"))):
        assert code_of(told(portal, junk(ending_logins, issuer=issuer))) == "key_unknown"
    assert ending_logins.asked("/jwks.json") - before == 1

    ending_logins.keys.rotate(keep_old=False)
    assert ada.browser.get(ada.answer(ada.begin("/cobot/login"))).status_code == 303


@pytest.mark.covers("O10", "K12")
def test_while_redis_is_away_junk_fetches_no_keys(
    make_portal: MakePortal, ending_logins: StandIn, redis: RedisServer
) -> None:
    portal = make_portal()
    ada = logged_in(portal, ending_logins)
    before = ending_logins.asked("/jwks.json")
    redis.stop()
    for _ in range(3):
        assert code_of(told(portal, junk(ending_logins))) == "key_unknown"
    assert ending_logins.asked("/jwks.json") == before

    ending_logins.keys.rotate(keep_old=False)
    assert ada.browser.get(ada.answer(ada.begin("/cobot/login"))).status_code == 303


@pytest.mark.covers("O11")
def test_a_logout_is_not_lost_if_redis_hangs_and_takes_late_what_it_was_sent(
    make_portal: MakePortal, ending_logins: StandIn, clock: Clock, redis: RedisServer
) -> None:
    first, second = make_portal(), make_portal()
    ada = logged_in(first, ending_logins)
    token = ending_logins.logout_token("ada")
    redis.hang()
    try:
        assert code_of(told(first, token)) == "logout_not_shared"
    finally:
        redis.go_on()
    redis.keys()  # it has answered, and so has carried out what it was sent before
    clock.move(5)
    assert told(first, token).status_code == 200  # the provider tries again, as it was told to
    clock.move(11)

    page = Visitor(second, ending_logins).get_with(cookie_of(ada), "/")
    assert page.json["user"] is None  # type: ignore[index] # it is JSON


@pytest.mark.covers("O03")
def test_whatever_session_an_id_token_can_name_a_provider_can_end(
    make_portal: MakePortal, ending_logins: StandIn
) -> None:
    sid = "s" * 1000
    ending_logins.alter("id_token_claims", {"sid": sid})
    portal = make_portal()
    ada = logged_in(portal, ending_logins)

    assert told(portal, ending_logins.logout_token("ada", sid)).status_code == 200
    assert ada.sees("/") is None


# ---------------------------------------------------------------------- refresh tokens


@pytest.mark.covers("A04", "O06")
def test_a_token_that_is_renewed_while_somebody_logs_out_ends_too(
    make_app: Any, cobot: StandIn, clock: Clock, redis: RedisServer
) -> None:
    cobot.offer_refresh_tokens(LIFETIME)
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
    ada.log_out()
    background_work_ends("cobot-oidc-revocation")  # of the old one
    held.may_go.set()
    page.join()
    background_work_ends("cobot-oidc-renewal", "cobot-oidc-revocation")

    assert [(answer.status_code, answer.json["code"]) for answer in answers] == [(401, "token_missing")]
    assert not [key for key in redis.values() if ":token:" in key]
    revoked = [request.path for request in cobot.requests if request.method == "DELETE"]
    assert len(set(revoked)) == 2  # the old one and the new one


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


# ---------------------------------------------------------------------- how strongly somebody has logged in


@pytest.mark.covers("P03", "C15")
@pytest.mark.parametrize("claim", [{"acr": "urn:example:mfa"}, {"amr": ["mfa"]}, {"auth_time": 1_800_000_000}])
def test_userinfo_does_not_say_how_somebody_has_logged_in(
    make_portal: MakePortal, cobot: StandIn, claim: dict[str, object]
) -> None:
    """The page about the authorization request lets a view look at ``acr``, which the id token has verified."""
    cobot.alter("id_token_claims", dict.fromkeys(("acr", "amr", "auth_time"), REMOVED))
    cobot.alter("userinfo", claim)
    portal = make_portal(COBOT_OIDC_USERINFO=True, COBOT_OIDC_CLAIMS="name acr amr auth_time")
    page = Visitor(portal, cobot).log_in("/desk")

    assert page.json["claims"].keys() == {"iss", "sub", "name"}  # type: ignore[index] # it is JSON


# ---------------------------------------------------------------------- secrets that come back


@pytest.mark.covers("L01", "F27")
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_provider_that_repeats_the_secret_as_it_was_sent_writes_it_into_no_log(
    make_portal: MakePortal, cobot: StandIn, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "cobot_oidc")
    secret = "s3+c/r=t of&the%portal"
    cobot.register_client("portal", secret=secret, redirect_uri=CALLBACK, name="Portal")
    visitor = Visitor(make_portal(COBOT_OIDC_CLIENT_SECRET=secret, COBOT_OIDC_CLIENT_AUTH=method), cobot)
    sent = quote_plus(secret)
    if method == "client_secret_basic":
        sent = base64.b64encode(f"portal:{sent}".encode()).decode()
    cobot.alter("token", lambda _: {"error": "invalid_request", "error_description": f"not liked: {sent}"})

    assert visitor.get(visitor.answer(visitor.begin("/desk"))).status_code == 502
    assert "not shown, as it repeats a secret" in caplog.text
    assert sent not in "".join(record.getMessage() for record in caplog.records if record.name == "cobot_oidc")


# ---------------------------------------------------------------------- the example portal


@pytest.mark.covers("A14")
@pytest.mark.parametrize(
    "typed",
    [
        *("bookings/%2e%2e", "bookings/a%0d%0ab", "bookings/%C3%A9", "bookings/a%23", "bookings/%2e%2e/cancel"),
        *("invoices/a%22b.pdf", "invoices/%2e%2e.pdf", f"bookings/{'a' * 3000}"),
    ],
)
def test_what_no_id_can_be_is_a_page_that_is_not_there(
    ada: Member, cobot_with_free_rooms: StandIn, typed: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = len(cobot_with_free_rooms.requests)

    assert ada.get(f"/co-up/{typed}").status_code == 404
    assert len(cobot_with_free_rooms.requests) == before
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.covers("R06")
@pytest.mark.parametrize("is_by_host", [False, True])
@pytest.mark.parametrize("host", ["..portal.localhost", "a..portal.localhost", f"{'a' * 64}.portal.localhost"])
def test_a_host_that_is_none_gets_a_plain_answer(app: Flask, live_cobot: StandIn, is_by_host: bool, host: str) -> None:
    """A page about it had no link that could be made, and neither had the page about that."""
    portal = by_host(live_cobot, 5000) if is_by_host else app
    answer = portal.test_client().get("/", headers={"Host": host})

    assert (answer.status_code, answer.text) == (400, "This host is not served here.")
