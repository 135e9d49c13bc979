"""A logout at the provider too: with the id token of the login as a hint, it asks nothing and sends people back."""

import time
from base64 import b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, session
from flask_session import Session
from redis import Redis

from cobot_oidc import CobotOIDC
from cobot_oidc.standin import StandIn

from .conftest import CALLBACK, Clock, MakePortal, Visitor
from .redis_server import RedisServer

THERE: dict[str, Any] = {"COBOT_OIDC_LOGOUT_AT_PROVIDER": True, "COBOT_OIDC_AFTER_LOGOUT": "/bye"}


@pytest.fixture
def cobot(cobot: StandIn) -> StandIn:
    """A provider that offers logouts, and knows where people go afterwards."""
    cobot.offer_logout()
    cobot.register_client(
        "portal",
        secret="s3cret-of-the-portal",
        redirect_uri=CALLBACK,
        post_logout_redirect_uri="http://localhost/bye",
    )
    return cobot


def hint_in(location: str) -> str | None:
    return parse_qs(urlsplit(location).query).get("id_token_hint", [None])[0]


def session_of(visitor: Visitor) -> str:
    return next(cookie.value for cookie in visitor.cookies if cookie.key == "session")


def left_out(portal: Flask) -> int:
    return CobotOIDC().counts(portal).get(("logout_hint_left_out", ""), 0)


@pytest.mark.covers("O02")
def test_with_the_hint_the_provider_logs_out_at_once_and_sends_people_back(
    make_portal: MakePortal, cobot: StandIn
) -> None:
    ada = Visitor(make_portal(**THERE), cobot)
    ada.log_in("/desk")
    answer = ada.at_cobot(ada.log_out().location)

    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"] == "http://localhost/bye"
    assert ada.sees("/") is None
    assert "Log in" in ada.at_cobot(ada.begin("/desk")).text  # nobody is logged in there any more


def test_without_a_hint_it_asks_them_and_sends_them_nowhere(make_portal: MakePortal, cobot: StandIn) -> None:
    """What the hint is for: this is the stand-in's own doing, and that of most providers."""
    portal = make_portal(**THERE)
    ada = Visitor(portal, cobot)
    ada.log_in("/desk")
    location = ada.log_out().location
    page = ada.at_cobot(location.partition("&id_token_hint=")[0])

    assert page.status_code == 200
    assert "does not say whom it means" in page.text


@pytest.mark.covers("O02", "M09")
def test_the_hint_is_the_id_token_of_the_login_that_ends(make_portal: MakePortal, cobot: StandIn) -> None:
    tokens: list[str] = []

    def note(text: str) -> str:
        tokens.append(text)
        return text

    cobot.alter("id_token", note)
    ada = Visitor(make_portal(**THERE), cobot)
    ada.log_in("/desk")
    ada.log_in("/co-up/desk")

    location = ada.log_out("co-up").location
    assert location.startswith(cobot.space_issuer("co-up"))
    assert hint_in(location) == tokens[1]
    location = ada.log_out().location
    assert location.startswith(f"{cobot.issuer}/oauth/logout?")
    assert hint_in(location) == tokens[0]


@pytest.mark.covers("O09", "A02")
def test_nobody_reads_the_id_token_in_the_cookie(make_portal: MakePortal, cobot: StandIn) -> None:
    """The watch of ``cobot`` looks for the token itself; here, for what it says."""
    ada = Visitor(make_portal(**THERE), cobot)
    ada.log_in("/desk")
    with ada.browser.session_transaction() as held:
        [entry] = [str(value) for key, value in held.items() if key.startswith("cobot:")]

    assert "'h':" in entry
    assert not any(part in entry for secret in cobot.secrets for part in secret.split(".") if len(part) >= 20)


@pytest.mark.covers("O09", "A01")
def test_another_login_s_hint_cannot_be_opened(make_portal: MakePortal, cobot: StandIn) -> None:
    portal = make_portal(**THERE)
    ada, grace = Visitor(portal, cobot), Visitor(portal, cobot)
    ada.log_in("/desk", "ada")
    grace.log_in("/desk", "grace")
    with ada.browser.session_transaction() as adas:
        [key] = [key for key in adas if key.startswith("cobot:")]
        hint = adas[key][2][2]["h"]
    with grace.browser.session_transaction() as held:
        held[key] = [*held[key][:2], [held[key][2][0], None, {"h": hint}], *held[key][3:]]

    assert hint_in(grace.log_out().location) is None


@pytest.mark.covers("O09", "A04")
@pytest.mark.parametrize("ending", ["logout", "lifetime"])
def test_a_copy_of_a_session_that_has_ended_gets_no_id_token(
    make_portal: MakePortal, cobot: StandIn, clock: Clock, ending: str
) -> None:
    """The hint is in the cookie itself, so the copy still has it: it must not come out by a logout."""
    portal = make_portal(**THERE)
    ada = Visitor(portal, cobot)
    ada.log_in("/desk")
    copy = f"session={session_of(ada)}"
    if ending == "logout":
        assert hint_in(ada.log_out().location) is not None
    else:
        clock.move(portal.extensions["cobot_oidc"].terms.lifetime)

    thief = portal.test_client(use_cookies=False)
    answer = thief.post("/cobot/logout", headers={"Cookie": copy, "Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303
    assert hint_in(answer.location) is None


@pytest.mark.covers("O09")
def test_no_id_token_is_kept_unless_it_is_for_a_logout(make_portal: MakePortal, cobot: StandIn) -> None:
    plain, hinted = Visitor(make_portal(), cobot), Visitor(make_portal(**THERE), cobot)
    plain.log_in("/desk")
    hinted.log_in("/desk")
    with plain.browser.session_transaction() as held:
        assert "'h'" not in str(dict(held))
    assert len(session_of(hinted)) - len(session_of(plain)) > 700
    cobot.alter("metadata", lambda document: {**document, "end_session_endpoint": None})
    nowhere = Visitor(make_portal(**THERE), cobot)
    nowhere.log_in("/desk")
    assert len(session_of(nowhere)) == pytest.approx(len(session_of(plain)), abs=8)


# ---------------------------------------------------------------------- room in the cookie


def with_long_id_tokens(cobot: StandIn, length: int) -> None:
    cobot.alter(
        "id_token_claims", lambda claims: {**claims, "groups": "".join(chr(65 + n % 26) for n in range(length))}
    )


@pytest.mark.covers("O09", "X14")
def test_a_hint_that_does_not_fit_is_left_out_and_the_login_ends_well(make_portal: MakePortal, cobot: StandIn) -> None:
    portal = make_portal(**THERE)
    with_long_id_tokens(cobot, 2000)
    ada = Visitor(portal, cobot)
    ada.log_in("/desk")

    assert ada.sees("/") is not None
    assert left_out(portal) == 1
    location = ada.log_out().location
    assert location.startswith(f"{cobot.issuer}/oauth/logout?")
    assert hint_in(location) is None


@pytest.mark.covers("O09", "X14")
def test_a_hint_leaves_room_for_what_the_app_keeps_later(make_portal: MakePortal, cobot: StandIn) -> None:
    portal = make_portal(**THERE)
    with_long_id_tokens(cobot, 700)

    @portal.get("/keep")
    def keep() -> str:
        session["cart"] = [f"{number:x}" for number in range(1, 10**18, 10**16)][:60]
        return ""

    ada = Visitor(portal, cobot)
    ada.log_in("/desk")
    assert left_out(portal) == 0
    assert len(session_of(ada)) > 1900
    assert ada.get("/keep").status_code == 200  # ``BrowserClient`` fails if a browser would drop the cookie
    assert hint_in(ada.log_out().location) is not None


@pytest.mark.covers("O09", "X14")
def test_no_login_and_no_claim_goes_for_the_sake_of_a_hint(make_portal: MakePortal, cobot: StandIn) -> None:
    spaces = [f"space-{number}" for number in range(12)]
    cobot.spaces.update({space: space for space in spaces})
    seen = []
    for settings in ({}, THERE):
        ada = Visitor(make_portal(**settings), cobot)
        ada.log_in("/desk")
        for space in spaces:
            ada.log_in(f"/{space}/desk")
        seen.append([ada.get(f"/{space}/open").json for space in spaces])

    assert seen[0] == seen[1]
    assert all(page and page["user"] for page in seen[0])


@pytest.mark.covers("O09", "X14")
def test_the_hint_of_an_earlier_login_goes_before_a_later_login_does(make_portal: MakePortal, cobot: StandIn) -> None:
    portal = make_portal(**THERE)
    with_long_id_tokens(cobot, 1050)
    ada = Visitor(portal, cobot)
    ada.log_in("/desk")
    assert left_out(portal) == 0
    name = "".join(
        b64encode(sha256(bytes([number])).digest()).decode()[:43] for number in range(23)
    )  # no compression makes it shorter
    cobot.alter("id_token_claims", {"name": name, "email": f"{name[::-1][:300]}@example.org"})
    ada.log_in("/co-up/desk")

    assert left_out(portal) == 2
    assert ada.sees("/") is not None
    assert ada.get("/co-up/open").json["claims"]["name"] == name  # type: ignore[index] # it is JSON
    ada.log_out("co-up")
    assert hint_in(ada.log_out().location) is None


def test_an_id_token_that_no_url_could_carry_is_left_out(
    make_portal: MakePortal, cobot: StandIn, redis: RedisServer
) -> None:
    portal = make_portal(**THERE, COBOT_OIDC_REDIS_URL=redis.url)
    with_long_id_tokens(cobot, 4000)
    ada = Visitor(portal, cobot)
    ada.log_in("/desk")

    assert left_out(portal) == 1
    assert hint_in(ada.log_out().location) is None


def test_a_session_on_the_server_has_room(make_portal: MakePortal, cobot: StandIn, redis: RedisServer) -> None:
    portal = make_portal(**THERE, SESSION_TYPE="redis", SESSION_REDIS=Redis.from_url(redis.url))
    Session(portal)
    with_long_id_tokens(cobot, 2000)
    ada = Visitor(portal, cobot)
    ada.log_in("/desk")

    assert hint_in(ada.log_out().location) is not None
    assert left_out(portal) == 0


# ---------------------------------------------------------------------- in Redis


@pytest.fixture
def shared(make_portal: MakePortal, redis: RedisServer) -> Flask:
    return make_portal(**THERE, COBOT_OIDC_REDIS_URL=redis.url)


@pytest.mark.covers("O09", "A02")
def test_with_redis_the_cookie_holds_a_name_alone_and_the_dump_is_useless(
    shared: Flask, cobot: StandIn, redis: RedisServer
) -> None:
    with_long_id_tokens(cobot, 1000)
    ada = Visitor(shared, cobot)
    ada.log_in("/desk")
    [name] = [key for key in redis.values() if ":hint:" in key]

    assert len(session_of(ada)) < 600
    assert 0 < redis.lifetime(name) <= 12 * 3600
    dump = str(redis.values())
    assert not any(part in dump for secret in cobot.secrets for part in secret.split(".") if len(part) >= 20)
    assert hint_in(ada.log_out().location) is not None
    assert name not in redis.values()


@pytest.mark.covers("A04")
def test_another_login_and_a_logout_of_all_leave_none_in_redis(
    shared: Flask, cobot: StandIn, redis: RedisServer
) -> None:
    ada = Visitor(shared, cobot)
    ada.log_in("/desk")
    ada.log_in("/co-up/desk")
    ada.browser.get(ada.answer(ada.begin("/cobot/login")))
    assert len([key for key in redis.values() if ":hint:" in key]) == 2

    assert ada.log_out().location == "/bye"  # one browser can be sent to one provider
    assert not [key for key in redis.values() if ":hint:" in key]


@pytest.mark.covers("O09")
def test_a_logout_waits_for_redis_no_longer_than_without_a_hint(
    shared: Flask, make_portal: MakePortal, cobot: StandIn, clock: Clock, redis: RedisServer
) -> None:
    def hanging(portal: Flask) -> tuple[float, str]:
        clock.move(10)
        ada = Visitor(portal, cobot)
        ada.log_in("/desk")
        redis.hang()
        began = time.monotonic()
        try:
            location = ada.log_out().location
        finally:
            took = time.monotonic() - began
            redis.go_on()
        assert ada.sees("/") is None
        return took, location

    without = min(hanging(make_portal(COBOT_OIDC_REDIS_URL=redis.url))[0] for _ in range(3))
    hinted = [hanging(shared) for _ in range(3)]

    assert min(took for took, _ in hinted) < without + 0.2
    assert all(location.startswith(f"{cobot.issuer}/oauth/logout?") for _, location in hinted)
    # If Redis was too slow at a login, that login's hint is in its cookie: a busy machine may have one of those.
    assert not all(hint_in(location) for _, location in hinted)


def test_a_login_whose_hint_redis_does_not_take_keeps_it_in_the_cookie(
    shared: Flask, cobot: StandIn, redis: RedisServer
) -> None:
    redis.stop()
    ada = Visitor(shared, cobot)
    ada.log_in("/desk")

    assert hint_in(ada.log_out().location) is not None
