"""A provider ends logins by a request of its own: which, in every process, and never another issuer's (O03, M11)."""

import json
import logging
import threading
import time
from typing import Any

import pytest
from flask import Flask, jsonify
from flask_wtf.csrf import CSRFProtect
from werkzeug.test import TestResponse, create_environ, run_wsgi_app

from cobot_oidc import CobotOIDC, current_users, from_view_arg
from cobot_oidc.errors import ConfigurationError
from cobot_oidc.protocol.logout_token import EVENT
from cobot_oidc.standin import StandIn
from cobot_oidc.standin.alterations import REMOVED

from .conftest import CALLBACK, SECRET_KEY, Clock, MakePortal, Visitor
from .redis_server import RedisServer
from .serving import listening

HERE = "/cobot/backchannel-logout"
SECRET = "s3cret-of-the-portal"


@pytest.fixture
def cobot(cobot: StandIn) -> StandIn:
    """A provider that sends logout tokens."""
    cobot.offer_logout()
    return cobot


@pytest.fixture
def make_portal(make_portal: MakePortal, redis: RedisServer) -> MakePortal:
    """Makes a process of a portal that lets providers end logins."""

    def make(**changes: Any) -> Flask:
        return make_portal(**{"COBOT_OIDC_BACKCHANNEL_LOGOUT": True, "COBOT_OIDC_REDIS_URL": redis.url} | changes)

    return make


@pytest.fixture
def portal(make_portal: MakePortal) -> Flask:
    return make_portal()


def told(portal: Flask, token: str, where: str = HERE, **options: Any) -> TestResponse:
    """What the portal answers to a logout token."""
    return portal.test_client().post(where, data={"logout_token": token}, **options)


def code_of(answer: TestResponse) -> str:
    """Why a logout token was refused."""
    assert answer.status_code == 400
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json is not None
    assert answer.json["error"] == "invalid_request"
    return str(answer.json["error_description"])


def logged_in(portal: Flask, cobot: StandIn, *paths: str, person: str = "ada") -> Visitor:
    visitor = Visitor(portal, cobot)
    for path in paths or ("/desk",):
        visitor.log_in(path, person)
    return visitor


def junk(cobot: StandIn, **about: Any) -> str:
    """A logout token as anybody can write one: all is right but the key."""
    cobot.alter("logout_token_header", {"kid": "invented"}, times=1)
    return cobot.logout_token("grace", **about)


def cookie_of(visitor: Visitor) -> str:
    return "; ".join(f"{cookie.key}={cookie.value}" for cookie in visitor.cookies)


# ---------------------------------------------------------------------- which logins end


@pytest.mark.covers("O03")
def test_oidcc_client_test_rp_backchannel_rpinitlogout(portal: Flask, cobot: StandIn, clock: Clock) -> None:
    ada, grace = logged_in(portal, cobot), logged_in(portal, cobot, person="grace")
    answer = told(portal, cobot.logout_token("ada", cobot.sids("ada")[-1]))

    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    assert ada.sees("/") is None
    assert grace.sees("/") is not None
    assert CobotOIDC().counts(portal)["logged_out_by_provider", ""] == 1
    clock.move(1)
    ada.log_in("/desk")
    assert ada.sees("/") is not None


@pytest.mark.covers("O03")
def test_a_logout_of_a_session_ends_that_session_alone(portal: Flask, cobot: StandIn) -> None:
    at_home, at_work = logged_in(portal, cobot), logged_in(portal, cobot)
    home, work = cobot.sids("ada")
    for about in (("ada", home), (None, home)):
        assert told(portal, cobot.logout_token(*about)).status_code == 200
        assert at_home.sees("/") is None
        assert at_work.sees("/") is not None

    assert told(portal, cobot.logout_token(None, work)).status_code == 200
    assert at_work.sees("/") is None


@pytest.mark.covers("O03")
def test_a_logout_of_a_subject_ends_all_its_sessions(portal: Flask, cobot: StandIn) -> None:
    browsers = [logged_in(portal, cobot) for _ in range(3)]
    copy = cookie_of(browsers[0])

    assert told(portal, cobot.logout_token("ada")).status_code == 200
    assert [visitor.sees("/") for visitor in browsers] == [None] * 3
    assert browsers[0].get_with(copy, "/").json["user"] is None  # type: ignore[index] # it is JSON


@pytest.mark.covers("O03")
def test_a_login_whose_session_nobody_knows_ends_with_any_of_its_subject(portal: Flask, cobot: StandIn) -> None:
    cobot.alter("id_token_claims", {"sid": REMOVED}, times=1)
    nameless, named = logged_in(portal, cobot), logged_in(portal, cobot)

    assert told(portal, cobot.logout_token("ada", "of-another-device")).status_code == 200
    assert nameless.sees("/") is None
    assert named.sees("/") is not None


@pytest.mark.covers("O03")
def test_whatever_session_an_id_token_can_name_a_provider_can_end(make_portal: MakePortal, cobot: StandIn) -> None:
    sid = "s" * 1000
    cobot.alter("id_token_claims", {"sid": sid})
    portal = make_portal()
    ada = logged_in(portal, cobot)

    assert told(portal, cobot.logout_token("ada", sid)).status_code == 200
    assert ada.sees("/") is None


@pytest.mark.covers("O03")
def test_a_login_after_the_logout_is_not_ended(portal: Flask, cobot: StandIn, clock: Clock) -> None:
    token = cobot.logout_token("ada")
    assert told(portal, token).status_code == 200
    clock.move(1)
    ada = logged_in(portal, cobot)

    assert ada.sees("/") is not None
    assert told(portal, token).status_code == 200  # a provider that sends it again, or somebody who has a copy
    assert ada.sees("/") is not None


def with_sid(claims: dict[str, Any], sid: object) -> dict[str, Any]:
    rest = {name: value for name, value in claims.items() if name != "sid"}
    return rest if sid is REMOVED else rest | {"sid": sid}


@pytest.mark.covers("O03")
@pytest.mark.parametrize("about", ["subject", "session", "subject without session"])
@pytest.mark.parametrize("heard_elsewhere", [False, True])
def test_a_login_that_was_under_way_during_the_logout_is_refused(
    make_portal: MakePortal, cobot: StandIn, clock: Clock, about: str, heard_elsewhere: bool
) -> None:
    portal, subject = make_portal(COBOT_OIDC_KEEP_TOKEN=True), cobot.people["ada"].subject
    sids = {"subject": None, "session": "ada-s", "subject without session": "of-another-device"}
    sid_in_token = REMOVED if about == "subject without session" else "ada-s"
    cobot.alter(
        "id_token_claims", lambda claims: with_sid(claims, sid_in_token) if claims["sub"] == subject else claims
    )
    ada, grace = Visitor(portal, cobot), Visitor(portal, cobot)
    late = ada.answer(ada.begin("/desk"))
    as_late = grace.answer(grace.begin("/desk"), "grace")
    clock.move(2)
    token = cobot.logout_token(None if about == "session" else "ada", sids[about])
    assert told(make_portal() if heard_elsewhere else portal, token).status_code == 200
    clock.move(2)

    answer = ada.get(late, headers={"Accept": "text/html"})
    assert answer.status_code == 400
    assert "/cobot/login?next=/desk" in answer.text  # the page offers another
    assert CobotOIDC().counts(portal)["login_failed", "ended_meanwhile"] == 1
    assert ada.sees("/") is None
    assert grace.get(as_late).status_code == 303
    ada.log_in("/desk")
    assert ada.sees("/") is not None


@pytest.mark.covers("O03", "M11", "M05")
def test_a_logout_at_one_issuer_ends_no_login_at_another(portal: Flask, cobot: StandIn) -> None:
    ada = logged_in(portal, cobot, "/desk", "/co-up/desk", "/betahaus/desk")

    assert told(portal, cobot.logout_token("ada", issuer=cobot.space_issuer("co-up"))).status_code == 200
    assert [ada.sees(path) is None for path in ("/", "/co-up/open", "/betahaus/open")] == [False, True, False]
    assert told(portal, cobot.logout_token("ada")).status_code == 200
    assert [ada.sees(path) is None for path in ("/", "/co-up/open", "/betahaus/open")] == [True, True, False]


@pytest.mark.covers("O03", "M11")
def test_the_same_session_name_at_two_issuers_is_two_sessions(portal: Flask, cobot: StandIn) -> None:
    cobot.alter("id_token_claims", {"sid": "same"})
    ada = logged_in(portal, cobot, "/desk", "/co-up/desk")

    assert told(portal, cobot.logout_token(None, "same", issuer=cobot.space_issuer("co-up"))).status_code == 200
    assert ada.sees("/co-up/open") is None
    assert ada.sees("/") is not None


@pytest.mark.covers("O03", "M11", "X01")
def test_an_issuer_with_a_client_of_its_own_has_a_url_of_its_own(make_portal: MakePortal, cobot: StandIn) -> None:
    cobot.domains["shed.localhost"] = "nebenan"
    shed = f"http://shed.localhost:{cobot.port}"
    cobot.register_client("own", secret="s3cret-of-the-own-client", redirect_uri=f"{CALLBACK}/nebenan")
    own = {"issuer": shed, "client_id": "own", "client_secret": "s3cret-of-the-own-client"}
    portal = make_portal(COBOT_OIDC_SPACE_ISSUERS={"nebenan": own})
    ada = logged_in(portal, cobot, "/desk", "/nebenan/desk")
    of_shed = cobot.logout_token("ada", issuer=shed, client_id="own")

    assert code_of(told(portal, of_shed)) == "logout_issuer_unknown"
    assert code_of(told(portal, of_shed, f"{HERE}/co-up")) == "logout_issuer_unknown"
    assert code_of(told(portal, cobot.logout_token("ada"), f"{HERE}/nebenan")) == "logout_issuer_unknown"
    as_honest = cobot.logout_token("ada", issuer=shed, client_id="portal")
    assert code_of(told(portal, as_honest, f"{HERE}/nebenan")) == "audience_mismatch"
    assert [ada.sees(path) is None for path in ("/", "/nebenan/open")] == [False, False]
    assert told(portal, of_shed, f"{HERE}/nebenan").status_code == 200
    assert [ada.sees(path) is None for path in ("/", "/nebenan/open")] == [False, True]


def test_everything_that_tells_who_is_logged_in_agrees(portal: Flask, cobot: StandIn) -> None:
    portal.add_url_rule("/all", "all", lambda: jsonify([user.space for user in current_users()]))
    ada = logged_in(portal, cobot, "/desk", "/co-up/desk")
    told(portal, cobot.logout_token("ada"))

    assert ada.get("/all").json == ["co-up"]
    assert ada.get("/desk").status_code == 302


def test_over_real_http_when_somebody_logs_out_at_the_provider(make_portal: MakePortal, cobot: StandIn) -> None:
    """The whole way: our logout leads to the provider, whose logout token arrives while another browser looks on."""
    with listening() as listener:
        cobot.register_client(
            "portal",
            secret=SECRET,
            redirect_uri=CALLBACK,
            post_logout_redirect_uri="http://localhost/bye",
            backchannel_logout_uri=f"http://localhost:{listener.port}{HERE}",
        )
        portal = make_portal(COBOT_OIDC_LOGOUT_AT_PROVIDER=True, COBOT_OIDC_AFTER_LOGOUT="/bye")
        listener.app = portal
        ada = logged_in(portal, cobot)
        copy = Visitor(portal, cobot)
        cookie = cookie_of(ada)
        there = ada.at_cobot(ada.begin("/co-up/desk").partition("?")[0].replace("authorize", "logout"))
        assert there.status_code == 200  # another host of the provider's: nobody is logged in there
        portal.extensions["cobot_oidc"].ended_logins._names.clear()  # what the logout here would tell
        sent_on = ada.log_out().location
        portal.extensions["cobot_oidc"].ended_logins._names.clear()
        assert ada.at_cobot(sent_on).status_code == 302
        answer = cobot.send_logout_token(f"http://localhost:{listener.port}{HERE}", cobot.logout_token("grace"))

        assert answer == 200
        assert copy.get_with(cookie, "/").json["user"] is None  # type: ignore[index] # it is JSON
        assert CobotOIDC().counts(portal)["logged_out_by_provider", ""] == 2


# ---------------------------------------------------------------------- tokens that end nothing


@pytest.mark.covers("O03")
@pytest.mark.parametrize(
    ("part", "change", "code"),
    [
        pytest.param("claims", {"iss": "https://other.example"}, "logout_issuer_unknown", id="wrong-iss"),
        pytest.param("claims", {"aud": "another"}, "audience_mismatch", id="wrong-aud"),
        pytest.param("claims", {"events": {EVENT + "x": {}}}, "event_missing", id="wrong-event"),
        pytest.param("claims", {"events": REMOVED}, "event_missing", id="no-event"),
        pytest.param("claims", {"nonce": "n"}, "nonce_unexpected", id="with-nonce"),
        pytest.param("token", "none", "algorithm_forbidden", id="alg-none"),
        pytest.param("token", "HS256", "algorithm_forbidden", id="wrong-alg"),
        pytest.param("claims", {"jti": REMOVED}, "jti_malformed", id="no-jti"),
        pytest.param("claims", {"iat": REMOVED}, "time_malformed", id="no-iat"),
        pytest.param("claims", {"exp": REMOVED}, "time_malformed", id="no-exp"),
        pytest.param("claims", {"iat": 1_799_990_000, "exp": 1_799_999_000}, "expired", id="expired"),
        pytest.param("claims", {"sub": REMOVED}, "logout_of_nobody", id="nobody"),
        pytest.param("header", {"typ": "at+jwt"}, "token_type_wrong", id="wrong-typ"),
        pytest.param("header", {"kid": "unknown"}, "key_unknown", id="unknown-key"),
        pytest.param("token", "cut", "signature_invalid", id="wrong-signature"),
    ],
)
def test_oidcc_client_test_rp_backchannel_rpinitlogout_spoilt(
    portal: Flask, cobot: StandIn, part: str, change: Any, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The Foundation's modules of these names, and more: each ends nothing."""
    ada = logged_in(portal, cobot)
    if part == "token":
        token = spoilt(cobot.logout_token("ada"), change)
    else:
        cobot.alter(f"logout_token_{part}", change)  # type: ignore[arg-type] # two of its parts
        token = cobot.logout_token("ada")

    assert code_of(told(portal, token)) == code
    assert ada.sees("/") is not None
    assert CobotOIDC().counts(portal)["provider_logout_failed", code] == 1
    [record] = [record for record in caplog.records if getattr(record, "event", "") == "provider_logout_failed"]
    assert (record.levelno, record.__dict__["code"]) == (logging.WARNING, code)
    assert ("logged_out_by_provider", "") not in CobotOIDC().counts(portal)


def spoilt(token: str, how: str) -> str:
    from .protocol.tokens import as_json, b64

    header, payload, signature = token.split(".")
    if how == "cut":
        return f"{header}.{payload}.{signature[:-10]}AAAAAAAAAA"
    return f"{b64(as_json({'alg': how, 'typ': 'logout+jwt'}))}.{payload}.{signature}"


@pytest.mark.covers("O03")
@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"data": {}}, "logout_request_malformed"),
        (
            {"data": "logout_token=a&logout_token=b", "content_type": "application/x-www-form-urlencoded"},
            "logout_request_malformed",
        ),
        ({"json": {"logout_token": "a.b.c"}}, "logout_request_malformed"),
        ({"data": {"logout_token": "a.b.c"}, "content_type": "multipart/form-data"}, "logout_request_malformed"),
        ({"query_string": {"logout_token": "a.b.c"}, "data": {}}, "logout_request_malformed"),
        ({"data": {"logout_token": "x" * 33_000}}, "logout_request_malformed"),
        ({"data": {"logout_token": "x" * 20_000}}, "token_too_large"),
        ({"data": {"logout_token": "rubbish"}}, "token_malformed"),
        (
            {"data": b"\xff\x00logout_token=%", "content_type": "application/x-www-form-urlencoded"},
            "logout_request_malformed",
        ),
    ],
)
def test_requests_that_are_no_logout(portal: Flask, options: dict[str, Any], code: str) -> None:
    assert code_of(portal.test_client().post(HERE, **options)) == code


@pytest.mark.covers("O10")
def test_a_body_without_a_length_is_read_to_the_limit_and_no_further(portal: Flask, cobot: StandIn) -> None:
    read = []

    class Endless:
        def read(self, size: int = -1) -> bytes:
            read.append(size)
            return b"logout_token=" + b"x" * (max(size, 14) - 13)

    environ = create_environ(HERE, method="POST", content_type="application/x-www-form-urlencoded")
    environ |= {"wsgi.input": Endless(), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    body, status, _ = run_wsgi_app(portal, environ)

    assert status.startswith("400")
    assert json.loads(b"".join(body))["error_description"] == "token_too_large"
    assert len(read) < 20
    assert cobot.requests == []


@pytest.mark.covers("O03")
@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_only_a_post_is_a_logout(portal: Flask, cobot: StandIn, method: str) -> None:
    client = portal.test_client()
    answer = getattr(client, method)(HERE, query_string={"logout_token": cobot.logout_token("ada")})

    assert answer.status_code == 405


@pytest.mark.covers("L01", "L03")
def test_a_logout_token_is_in_no_log_and_nothing_in_it_forges_one(
    portal: Flask, cobot: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "cobot_oidc")
    cobot.alter("logout_token_claims", {"iss": "https://x\nERROR forged " + "y" * 5000})
    token = cobot.logout_token("ada")
    told(portal, token)
    text = "\n".join(record.getMessage() for record in caplog.records if record.name == "cobot_oidc")

    assert "\nERROR forged" not in text
    assert len(text) < 1500
    assert token[:50] not in text


# ---------------------------------------------------------------------- what a stranger can cost


@pytest.mark.covers("O10", "K21", "K12")
def test_nothing_is_fetched_for_a_token_that_no_key_could_make_valid(portal: Flask, cobot: StandIn) -> None:
    issuer = cobot.issuer
    for change in (
        {"iss": "https://other.example"},
        {"aud": "x"},
        {"exp": 1},
        {"events": 1},
        {"nonce": "n"},
        {"jti": 1},
    ):
        cobot.alter("logout_token_claims", change, times=1)
        code_of(told(portal, cobot.logout_token("ada", issuer=issuer)))

    assert cobot.requests == []


@pytest.mark.covers("O10", "K12")
def test_a_flood_of_invented_keys_costs_few_fetches_and_nobody_s_login(
    portal: Flask, cobot: StandIn, clock: Clock
) -> None:
    ada = logged_in(portal, cobot)
    before = cobot.asked("/jwks.json")
    for number in range(60):
        cobot.alter("logout_token_header", {"kid": f"invented-{number}"}, times=1)
        assert code_of(told(portal, cobot.logout_token("grace"))) == "key_unknown"
        clock.move(1)
    assert cobot.asked("/jwks.json") - before == 1

    cobot.keys.rotate(keep_old=False)  # the budget of logins is untouched: a new key is found at once
    ada.browser.get(ada.answer(ada.begin("/cobot/login")))
    assert ada.sees("/") is not None
    clock.move(1)
    assert told(portal, cobot.logout_token("ada")).status_code == 200


@pytest.mark.covers("O10", "K12")
def test_junk_in_the_names_of_several_spaces_does_not_use_up_what_logins_may_fetch(
    make_portal: MakePortal, cobot: StandIn
) -> None:
    """Cobot's spaces share one key set, and what logins may fetch of it."""
    portal = make_portal(COBOT_OIDC_SPACES=["co-up", "betahaus"])
    ada = logged_in(portal, cobot)
    before = cobot.asked("/jwks.json")
    for issuer in (cobot.issuer, *map(cobot.space_issuer, ("co-up", "betahaus"))):
        assert code_of(told(portal, junk(cobot, issuer=issuer))) == "key_unknown"
    assert cobot.asked("/jwks.json") - before == 1

    cobot.keys.rotate(keep_old=False)
    assert ada.browser.get(ada.answer(ada.begin("/cobot/login"))).status_code == 303


@pytest.mark.covers("O10", "K12")
def test_while_redis_is_away_junk_fetches_no_keys(make_portal: MakePortal, cobot: StandIn, redis: RedisServer) -> None:
    portal = make_portal()
    ada = logged_in(portal, cobot)
    before = cobot.asked("/jwks.json")
    redis.stop()
    for _ in range(3):
        assert code_of(told(portal, junk(cobot))) == "key_unknown"
    assert cobot.asked("/jwks.json") == before

    cobot.keys.rotate(keep_old=False)
    assert ada.browser.get(ada.answer(ada.begin("/cobot/login"))).status_code == 303


@pytest.mark.covers("O10", "K08")
def test_a_logout_token_of_a_new_key_counts_at_once(portal: Flask, cobot: StandIn) -> None:
    ada = logged_in(portal, cobot)
    cobot.keys.rotate(keep_old=False)

    assert told(portal, cobot.logout_token("ada")).status_code == 200
    assert ada.sees("/") is None


@pytest.mark.covers("O10", "K19")
def test_spaces_that_a_stranger_invents_are_asked_for_nothing(
    portal: Flask, cobot: StandIn, redis: RedisServer
) -> None:
    for number in range(80):
        cobot.alter("logout_token_claims", {"iss": cobot.space_issuer(f"invented-{number}")}, times=1)
        assert code_of(told(portal, cobot.logout_token("ada"))) == "logout_issuer_unknown"
    cobot.alter("logout_token_claims", {"iss": cobot.space_issuer("betahaus")}, times=1)  # it exists, and is empty
    assert code_of(told(portal, cobot.logout_token("ada"))) == "logout_issuer_unknown"

    assert cobot.requests == []
    kept = redis.keys()
    assert not [key for key in kept if "invented" in key]
    ada = logged_in(portal, cobot, "/co-up/desk")  # the budget for looking up new spaces is untouched
    assert told(portal, cobot.logout_token("ada", issuer=cobot.space_issuer("co-up"))).status_code == 200
    assert ada.sees("/co-up/open") is None


@pytest.mark.covers("O10", "M01")
@pytest.mark.parametrize("space", ["www", "api", "CO-UP", "co-up.", "evil.example/", "xn--co-up"])
def test_an_issuer_that_is_no_space_s_is_unknown(portal: Flask, cobot: StandIn, space: str) -> None:
    logged_in(portal, cobot, "/co-up/desk")
    cobot.alter("logout_token_claims", {"iss": cobot.space_issuer(space)}, times=1)
    if space == "www":  # the provider's own: known, and about nobody else
        assert told(portal, cobot.logout_token("grace")).status_code == 200
    else:
        assert code_of(told(portal, cobot.logout_token("ada"))) == "logout_issuer_unknown"


@pytest.mark.covers("O10")
def test_a_space_that_the_app_does_not_serve_ends_nothing(make_portal: MakePortal, cobot: StandIn) -> None:
    portal = make_portal(COBOT_OIDC_SPACES=["betahaus"])
    ada = logged_in(portal, cobot, "/betahaus/desk")

    assert (
        code_of(told(portal, cobot.logout_token("ada", issuer=cobot.space_issuer("co-up")))) == "logout_issuer_unknown"
    )
    assert told(portal, cobot.logout_token("ada", issuer=cobot.space_issuer("betahaus"))).status_code == 200
    assert ada.sees("/betahaus/open") is None


@pytest.mark.covers("O10", "X06")
def test_junk_that_waits_for_keys_holds_up_few_threads(portal: Flask, cobot: StandIn) -> None:
    logged_in(portal, cobot)
    cobot.reply("key_set", delay=4)
    cobot.alter("logout_token_header", {"kid": "invented"})
    tokens = [cobot.logout_token("ada") for _ in range(12)]
    times: list[float] = []

    def send(token: str) -> None:
        began = time.monotonic()
        told(portal, token)
        times.append(time.monotonic() - began)

    threads = [threading.Thread(target=send, args=(token,)) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cobot.asked("/jwks.json") == 2
    assert sorted(times)[10] < 3.5  # one waits for the fetch


# ---------------------------------------------------------------------- every process learns of it


@pytest.mark.covers("O11")
def test_every_process_learns_of_it_and_none_lets_somebody_in_by_what_it_knew_before(
    make_portal: MakePortal, cobot: StandIn, clock: Clock
) -> None:
    first, second = make_portal(), make_portal()
    ada = logged_in(first, cobot)
    elsewhere, cookie = Visitor(second, cobot), cookie_of(ada)
    assert elsewhere.get_with(cookie, "/").json["user"] is not None  # type: ignore[index] # it is JSON
    assert told(first, cobot.logout_token("ada")).status_code == 200
    clock.move(10)  # an idle process, whose first page this is

    assert elsewhere.get_with(cookie, "/").json["user"] is None  # type: ignore[index] # it is JSON
    later = Visitor(make_portal(), cobot)  # a process that was started since
    assert later.get_with(cookie, "/").json["user"] is None  # type: ignore[index] # it is JSON


@pytest.mark.covers("O03", "O11")
def test_a_token_counts_once_for_all_processes_for_as_long_as_it_could_count(
    make_portal: MakePortal, cobot: StandIn, clock: Clock
) -> None:
    processes = [make_portal(), make_portal(), make_portal()]
    cobot.alter("logout_token_claims", {"exp": int(clock.now) + 3600})
    token = cobot.logout_token("ada")
    assert told(processes[0], token).status_code == 200
    clock.move(1)
    cookie = cookie_of(logged_in(processes[0], cobot))
    clock.move(300)
    assert told(processes[1], token).status_code == 200
    clock.move(299)
    assert told(processes[2], token).status_code == 200
    clock.move(11)

    for process in processes:
        assert Visitor(process, cobot).get_with(cookie, "/").json["user"] is not None  # type: ignore[index]
    assert code_of(told(processes[1], token)) == "issued_too_long_ago"


@pytest.mark.covers("O11")
def test_who_can_write_to_redis_ends_nobody_s_login_and_moves_no_time(
    make_portal: MakePortal, cobot: StandIn, clock: Clock, redis: RedisServer
) -> None:
    first = make_portal()
    told(first, cobot.logout_token("ada"))
    [(key, notes)] = redis.notes().items()
    clock.move(1)
    ada = logged_in(first, cobot)
    later = int(clock.now) + 100
    for note in list(notes):
        _, at, name, mac = note.split(":")
        forged = [
            f"until:{later}:{name}:{mac}",
            f"until:{later}:{name}",
            "until:::",
            "until:x:y:z",
            f"until:{at}:é:{mac}",
        ]
        redis.put_notes({key: dict.fromkeys(forged, clock.now)})
    clock.move(11)

    assert Visitor(make_portal(), cobot).get_with(cookie_of(ada), "/").json["user"] is not None  # type: ignore[index]


@pytest.mark.covers("O11")
def test_a_logout_that_redis_does_not_take_is_refused_and_can_come_again(
    portal: Flask, make_portal: MakePortal, cobot: StandIn, clock: Clock, redis: RedisServer
) -> None:
    ada = logged_in(portal, cobot)
    token = cobot.logout_token("ada")
    redis.stop()
    assert code_of(told(portal, token)) == "logout_not_shared"
    assert ada.sees("/") is None  # here it counts nevertheless
    redis.start()
    clock.move(5)
    statuses = [told(portal, token).status_code for _ in range(2)]

    assert statuses[-1] == 200
    clock.move(11)
    elsewhere = Visitor(make_portal(), cobot)
    assert elsewhere.get_with(cookie_of(ada), "/").json["user"] is None  # type: ignore[index] # it is JSON


@pytest.mark.covers("O11")
def test_a_logout_is_not_lost_if_redis_hangs_and_takes_late_what_it_was_sent(
    make_portal: MakePortal, cobot: StandIn, clock: Clock, redis: RedisServer
) -> None:
    first, second = make_portal(), make_portal()
    ada = logged_in(first, cobot)
    token = cobot.logout_token("ada")
    redis.hang()
    try:
        assert code_of(told(first, token)) == "logout_not_shared"
    finally:
        redis.go_on()
    redis.keys()  # it has answered, and so has carried out what it was sent before
    clock.move(5)
    assert told(first, token).status_code == 200  # the provider tries again, as it was told to
    clock.move(11)

    page = Visitor(second, cobot).get_with(cookie_of(ada), "/")
    assert page.json["user"] is None  # type: ignore[index] # it is JSON


@pytest.mark.covers("O11", "X10")
def test_while_redis_is_away_pages_go_on_and_wait_for_it_once(
    portal: Flask, cobot: StandIn, clock: Clock, redis: RedisServer
) -> None:
    ada = logged_in(portal, cobot)
    clock.move(11)
    redis.hang()
    try:
        began = time.monotonic()
        pages = [ada.sees("/") for _ in range(40)]
        took = time.monotonic() - began
    finally:
        redis.go_on()

    assert None not in pages
    assert took < 8  # each on its own would take ten seconds


def test_marks_of_long_ago_are_forgotten(portal: Flask, cobot: StandIn, clock: Clock) -> None:
    ended = portal.extensions["cobot_oidc"].ended_logins
    told(portal, cobot.logout_token("ada"))
    assert len(ended._ended_until) == 1
    clock.move(12 * 3600 + 1)
    told(portal, cobot.logout_token("grace"))

    assert len(ended._ended_until) == 1


# ---------------------------------------------------------------------- beside other extensions


@pytest.mark.parametrize("order", ["before", "after"])
def test_flask_wtf_lets_it_pass_and_nothing_else(
    settings: dict[str, Any], cobot: StandIn, clock: Clock, redis: RedisServer, order: str
) -> None:
    app, csrf = Flask("portal"), CSRFProtect()
    app.config.update(settings | {"COBOT_OIDC_BACKCHANNEL_LOGOUT": True, "COBOT_OIDC_REDIS_URL": redis.url})
    if order == "before":
        csrf.init_app(app)
    CobotOIDC(app, space=from_view_arg("space"), clock=clock)
    if order == "after":
        csrf.init_app(app)
    app.add_url_rule("/form", "form", lambda: "sent", methods=["POST"])

    assert told(app, cobot.logout_token("ada")).status_code == 200
    assert app.test_client().post("/form").status_code == 400
    same_origin = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert app.test_client().post("/cobot/logout", headers=same_origin).status_code == 400


def test_an_app_that_cobot_frames_takes_it_too(make_portal: MakePortal, cobot: StandIn) -> None:
    portal = make_portal(COBOT_OIDC_EMBEDDED=True, COBOT_OIDC_REDIRECT_URI="https://portal.example/cobot/callback")

    assert told(portal, cobot.logout_token("ada"), base_url="https://portal.example").status_code == 200


def test_a_handler_of_every_request_may_have_read_the_form(portal: Flask, cobot: StandIn) -> None:
    from flask import request

    portal.before_request(lambda: request.form.get("x") and None)

    assert told(portal, cobot.logout_token("ada")).status_code == 200


# ---------------------------------------------------------------------- settings


def test_it_needs_redis() -> None:
    app = Flask("portal")
    app.config.update(SECRET_KEY=SECRET_KEY, COBOT_OIDC_CLIENT_ID="portal", COBOT_OIDC_BACKCHANNEL_LOGOUT=True)
    with pytest.raises(ConfigurationError, match="COBOT_OIDC_BACKCHANNEL_LOGOUT") as caught:
        CobotOIDC(app)

    assert "COBOT_OIDC_REDIS_URL" in str(caught.value)


def test_an_app_that_does_not_ask_for_it_has_no_such_url(make_portal: MakePortal, cobot: StandIn) -> None:
    portal = make_portal(COBOT_OIDC_BACKCHANNEL_LOGOUT=False)
    ada = logged_in(portal, cobot)

    assert told(portal, cobot.logout_token("ada")).status_code == 404
    assert ada.sees("/") is not None
    with ada.browser.session_transaction() as held:
        assert "'s'" not in json.dumps(dict(held)).replace('"', "'")


def test_a_login_keeps_a_short_text_of_any_session_name(portal: Flask, cobot: StandIn) -> None:
    cobot.alter("id_token_claims", {"sid": "s" * 255})
    ada = logged_in(portal, cobot)
    with ada.browser.session_transaction() as held:
        [kept] = [value[2][2]["s"] for key, value in held.items() if key.startswith("cobot:")]

    assert len(kept) == 16
    assert told(portal, cobot.logout_token(None, "s" * 255)).status_code == 200
    assert ada.sees("/") is None
