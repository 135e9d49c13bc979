"""Every way in which a login can fail ends in its own clear page and status, and touches no session."""

import logging
import socket
from typing import Any

import pytest
from flask import Flask, request

from cobot_oidc import CobotOIDCError, login_failed
from cobot_oidc.standin import StandIn
from cobot_oidc.standin.alterations import REMOVED

from .conftest import Clock, MakePortal, Visitor

UNREACHABLE = "The login service cannot be reached at the moment."
UNVERIFIED = "could not be verified, so you were not logged in."
START_AGAIN = "Please start again."


class Heard(list[CobotOIDCError]):
    """The errors that ``login_failed`` told."""

    @property
    def code(self) -> str:
        return self[-1].code


@pytest.fixture
def heard(portal: Flask) -> Any:
    errors = Heard()

    def hear(_app: Flask, error: CobotOIDCError) -> None:
        errors.append(error)

    with login_failed.connected_to(hear, portal):
        yield errors


def assert_page(response: Any, status: int, sentence: str) -> None:  # S10, S11, S12
    assert response.status_code == status, response.text
    assert sentence in response.text
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.covers("K14", "N06")
def test_a_provider_that_is_down(visitor: Visitor, cobot: StandIn, heard: Heard) -> None:
    visitor.log_in("/co-up/desk")
    cobot.stop()
    try:
        response = visitor.get("/cobot/login?next=/desk")
        assert_page(response, 503, UNREACHABLE)
        assert int(response.headers["Retry-After"]) > 0
        assert 'href="/cobot/login?next=/desk"' in response.text
        assert heard.code == "provider_unreachable"
        assert visitor.get("/co-up/desk").status_code == 200
    finally:
        cobot.start()


def test_a_provider_that_goes_down_during_the_login(visitor: Visitor, cobot: StandIn, heard: Heard) -> None:
    callback = visitor.answer(visitor.begin("/desk"))
    cobot.stop()
    try:
        assert_page(visitor.get(callback), 503, UNREACHABLE)
        assert heard.code == "provider_unreachable"
    finally:
        cobot.start()


@pytest.mark.covers("N01")
def test_a_provider_that_answers_nothing(make_portal: MakePortal, cobot: StandIn) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        portal = make_portal(
            COBOT_OIDC_ISSUER=f"http://localhost:{silent.getsockname()[1]}",
            COBOT_OIDC_READ_TIMEOUT=0.05,
            COBOT_OIDC_TOTAL_TIMEOUT=0.1,
        )
        assert_page(Visitor(portal, cobot).get("/cobot/login"), 503, UNREACHABLE)


@pytest.mark.covers("R11", "N02", "N03", "N04")
@pytest.mark.parametrize(
    ("page", "reply", "status", "code"),
    [
        ("metadata", {"status": 500}, 503, "provider_failing"),
        ("metadata", {"status": 404}, 500, "issuer_not_found"),
        ("metadata", {"body": b"<html>", "headers": {"Content-Type": "text/html"}}, 502, "response_unusable"),  # N04
        ("metadata", {"body": b"["}, 502, "metadata_unusable"),
        ("metadata", {"body": b'"' + b"x" * 70_000 + b'"'}, 502, "response_unusable"),  # N02
        ("metadata", {"headers": {"Content-Encoding": "gzip"}}, 502, "response_unusable"),  # N03
        ("metadata", {"status": 302, "headers": {"Location": "http://localhost/"}}, 502, "response_unusable"),  # R11
    ],
)
def test_a_document_that_is_none(
    visitor: Visitor, cobot: StandIn, heard: Heard, page: Any, reply: Any, status: int, code: str
) -> None:
    cobot.reply(page, **reply)

    response = visitor.get("/cobot/login")

    assert response.status_code == status
    assert heard.code == code


@pytest.mark.covers("R08", "R09", "R12")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"issuer": "https://www.cobot.me"}, "metadata_issuer_mismatch"),  # R12
        ({"issuer": ["x"]}, "metadata_issuer_mismatch"),
        ({"token_endpoint": "https://evil.example/token"}, "endpoint_forbidden"),  # R09
        ({"authorization_endpoint": "http://evil.example/"}, "endpoint_forbidden"),  # R08
        ({"jwks_uri": REMOVED}, "endpoint_forbidden"),
        ({"jwks_uri": "file:///etc/passwd"}, "endpoint_forbidden"),
    ],
)
def test_a_document_that_lies(visitor: Visitor, cobot: StandIn, heard: Heard, change: Any, code: str) -> None:
    cobot.alter("metadata", change)

    assert_page(visitor.get("/cobot/login"), 502, UNVERIFIED)
    assert heard.code == code


@pytest.mark.covers("J23", "K03", "K07", "C01", "C02", "C03", "C05", "C06", "C09", "C11", "C12", "C19", "F26", "N08")
@pytest.mark.parametrize(
    ("part", "change", "status", "code"),
    [
        ("token", {"id_token": REMOVED}, 502, "token_response_unusable"),  # C19
        ("token", {"id_token": None}, 502, "token_response_unusable"),
        ("token", {"token_type": "mac"}, 502, "token_response_unusable"),  # F26
        ("token", {"access_token": ""}, 502, "token_response_unusable"),
        ("token", {"access_token": "a" * 64}, 502, "at_hash_mismatch"),  # C12
        ("token", {"error": "invalid_grant"}, 400, "code_refused"),  # N08
        ("token", {"error": "invalid_client"}, 500, "client_refused"),
        ("id_token_claims", {"iss": "https://www.cobot.me"}, 502, "issuer_mismatch"),  # C01
        ("id_token_claims", {"aud": "another"}, 502, "audience_mismatch"),  # C02
        ("id_token_claims", {"aud": ["portal", "another"]}, 502, "audience_untrusted"),  # C03
        ("id_token_claims", {"nonce": "another"}, 502, "nonce_mismatch"),  # C11
        ("id_token_claims", {"nonce": REMOVED}, 502, "nonce_mismatch"),
        ("id_token_claims", {"sub": ""}, 502, "subject_malformed"),  # C09
        ("id_token_claims", {"exp": 1_799_999_000}, 502, "expired"),  # C05
        ("id_token_claims", {"iat": 1_800_000_061}, 502, "clock_skew"),  # C06
        ("id_token", lambda token: token[:-1] + ("A" if token[-1] != "A" else "Q"), 502, "signature_invalid"),  # J23
        ("id_token", lambda token: "." + token, 502, "token_malformed"),
        ("key_set", lambda _: {"name": "Cobot"}, 502, "key_set_unusable"),  # K07
        ("key_set", lambda keys: {"keys": [{**keys["keys"][0], "use": "enc"}]}, 502, "key_set_unusable"),  # K03
    ],
)
def test_an_answer_that_lies(
    visitor: Visitor, cobot: StandIn, clock: Clock, heard: Heard, part: Any, change: Any, status: int, code: str
) -> None:
    visitor.log_in("/co-up/desk")
    if part == "key_set":
        clock.move(4200)  # until then the key set that both issuers share stays in use
    cobot.alter(part, change)

    response = visitor.get(visitor.answer(visitor.begin("/desk")))

    assert response.status_code == status, response.text
    assert heard.code == code
    assert visitor.sees("/") is None
    assert visitor.sees("/co-up/open") is not None


def test_the_page_about_a_mistake_in_the_settings_offers_no_login_that_cannot_help(
    visitor: Visitor, cobot: StandIn
) -> None:
    cobot.alter("token", {"error": "invalid_client"})

    response = visitor.get(visitor.answer(visitor.begin("/desk")))

    assert_page(response, 500, "This app is not set up correctly")
    assert "Log in again" not in response.text
    assert '<a class="button" href="/">Go to the start page</a>' in response.text


@pytest.mark.covers("F18")
def test_a_login_that_is_cancelled(visitor: Visitor, cobot: StandIn, heard: Heard) -> None:
    response = visitor.get(visitor.answer(visitor.begin("/desk?a=1"), cancel=True))

    assert_page(response, 403, "You cancelled the login.")
    assert 'href="/cobot/login?next=/desk?a%3D1"' in response.text
    assert heard.code == "cancelled"
    assert cobot.asked("/oauth/access_token") == 0


@pytest.mark.covers("F03", "F18")
def test_the_page_of_a_cancelled_login_is_reloaded(visitor: Visitor, heard: Heard, clock: Clock) -> None:
    callback = visitor.answer(visitor.begin("/desk"), cancel=True)
    visitor.get(callback)

    response = visitor.get(callback)

    assert_page(response, 400, START_AGAIN)
    assert heard.code == "transaction_used"
    clock.move(61)
    visitor.get(callback)
    assert heard.code != "transaction_used"  # it is remembered for a minute


@pytest.mark.covers("F05")
def test_a_login_that_took_too_long(visitor: Visitor, cobot: StandIn, clock: Clock, heard: Heard) -> None:
    callback = visitor.answer(visitor.begin("/desk"))
    clock.move(601)

    response = visitor.get(callback)

    assert_page(response, 400, START_AGAIN)
    assert heard.code == "transaction_expired"
    assert any("cobot_oidc_" in cookie and "Max-Age=0" in cookie for cookie in response.headers.getlist("Set-Cookie"))
    assert cobot.asked("/oauth/access_token") == 0


@pytest.mark.covers("F03")
def test_the_same_answer_twice(visitor: Visitor, cobot: StandIn) -> None:
    callback = visitor.answer(visitor.begin("/desk"))
    assert visitor.get(callback).status_code == 303

    again = visitor.get(callback)

    assert (again.status_code, again.location) == (303, "/")
    assert cobot.asked("/oauth/access_token") == 1
    visitor.log_out()
    assert visitor.get(callback).status_code == 400
    assert cobot.asked("/oauth/access_token") == 1


@pytest.mark.covers("F01", "F04", "F25")
def test_an_answer_in_another_browser(portal: Flask, cobot: StandIn, heard: Heard) -> None:
    attacker, victim = Visitor(portal, cobot), Visitor(portal, cobot)
    victim.log_in("/desk", "ada")
    callback = attacker.answer(attacker.begin("/desk"), "grace")

    assert_page(victim.get(callback), 400, START_AGAIN)

    assert heard.code == "transaction_unknown"
    assert cobot.asked("/oauth/access_token") == 1  # the victim's own login
    assert victim.sees("/") == f"{cobot.issuer}#{cobot.people['ada'].subject}"


@pytest.mark.covers("F02", "F11", "F16", "F17", "F20", "F23")
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "transaction_unknown"),
        ("code=x", "transaction_unknown"),  # F02
        ("code=x&state=", "transaction_unknown"),
        ("code=x&state=%C3%A9", "response_malformed"),
        ("code=x&state=" + "x" * 5000, "response_malformed"),  # F23
        ("code=x&state=a&state=b", "response_malformed"),  # F16
        ("code=x&code=y&state=a", "response_malformed"),
        ("code=x&error=y&state=a", "response_malformed"),
        ("code=%00&state=a", "response_malformed"),
        ("id_token=x&state=a", "response_malformed"),  # F20
        ("error=access_denied", "transaction_unknown"),  # F17
        ("code=x&state=a&code_verifier=b&nonce=c", "transaction_unknown"),  # F11
        ("a=%FF", "response_malformed"),
        ("&".join(f"p{n}=1" for n in range(40)), "response_malformed"),
    ],
)
def test_an_answer_to_no_login(visitor: Visitor, cobot: StandIn, heard: Heard, query: str, code: str) -> None:
    visitor.log_in("/desk")
    cobot.requests.clear()

    response = visitor.get(f"/cobot/callback?{query}")

    assert response.status_code == 400
    assert heard.code == code
    assert visitor.sees("/") is not None
    assert cobot.requests == []


@pytest.mark.covers("F19")
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD"])
def test_the_callback_is_for_get_alone(visitor: Visitor, method: str) -> None:
    assert visitor.browser.open("/cobot/callback?code=x&state=y", method=method).status_code == 405


@pytest.mark.covers("F13", "F14")
@pytest.mark.parametrize("issuer", ["https://evil.example", "", "other"])
def test_an_answer_of_another_issuer_sends_no_code_anywhere(
    visitor: Visitor, cobot: StandIn, heard: Heard, issuer: str
) -> None:
    callback = visitor.answer(visitor.begin("/desk"))
    iss = cobot.space_issuer("co-up") if issuer == "other" else issuer

    assert visitor.get(f"{callback}&iss={iss}").status_code == 400

    assert heard.code == "response_issuer_mismatch"
    assert cobot.asked("/oauth/access_token") == 0


@pytest.mark.covers("F13")
def test_an_issuer_that_was_promised_has_to_come(visitor: Visitor, cobot: StandIn, heard: Heard) -> None:
    cobot.alter("metadata", {"authorization_response_iss_parameter_supported": True})
    assert visitor.get(visitor.answer(visitor.begin("/desk"))).status_code == 400
    assert heard.code == "response_issuer_missing"

    callback = visitor.answer(visitor.begin("/desk"))
    assert visitor.get(f"{callback}&iss={cobot.issuer}").status_code == 303


@pytest.mark.covers("F15", "M03")
def test_the_answer_of_one_space_ends_no_login_of_another(visitor: Visitor, heard: Heard) -> None:
    # the same keys, the same client, the same person
    to_co_up = visitor.answer(visitor.begin("/co-up/desk"), "grace")
    to_betahaus = visitor.answer(visitor.begin("/betahaus/desk"), "grace")
    code = to_co_up.partition("code=")[2].partition("&")[0]
    other = to_betahaus.partition("code=")[2].partition("&")[0]

    assert visitor.get(to_betahaus.replace(other, code)).status_code == 400

    assert heard.code == "code_refused"
    assert visitor.sees("/betahaus/open") is None


@pytest.mark.covers("L03", "L04")
def test_the_operator_reads_why_under_the_reference_that_the_person_sees(
    visitor: Visitor, cobot: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    cobot.alter("token", {"error": "invalid_scope", "error_description": "<script>\r\n\x1b[31m" + "x" * 500})

    with caplog.at_level(logging.WARNING, "cobot_oidc"):
        page = visitor.get(visitor.answer(visitor.begin("/desk")))

    record = caplog.records[-1]
    reference = record.correlation_id  # type: ignore[attr-defined]
    message = record.getMessage()
    assert reference in page.text
    assert reference in message
    assert "token_response_unusable" in message
    assert "\n" not in message
    assert "\x1b" not in message
    assert "x" * 201 not in message
    assert "<script>" not in page.text


def test_an_app_shows_failures_in_its_own_way(portal: Flask, visitor: Visitor) -> None:
    portal.register_error_handler(CobotOIDCError, lambda error: (f"Oh: {error.code}", error.status))

    response = visitor.get("/cobot/callback?error=access_denied")

    assert (response.status_code, response.text) == (400, "Oh: transaction_unknown")
    assert response.headers["Cache-Control"] == "no-store"


def test_a_program_gets_a_problem_document(visitor: Visitor) -> None:
    response = visitor.get("/cobot/callback?state=x", headers={"Accept": "application/json"})

    assert response.content_type == "application/problem+json"
    assert response.json is not None
    assert response.json["code"] == "cookies_missing"
    assert response.json["status"] == response.status_code == 400
    assert response.json["correlation_id"]


@pytest.mark.covers("F28")
def test_a_browser_that_keeps_no_cookies_is_told_so(portal: Flask, visitor: Visitor, heard: Heard) -> None:
    callback = visitor.answer(visitor.begin("/desk"))

    assert_page(portal.test_client().get(callback), 400, "Please allow cookies for this site")

    assert heard.code == "cookies_missing"


@pytest.mark.covers("F28")
def test_a_browser_that_loses_its_session_is_told_so(visitor: Visitor, clock: Clock, heard: Heard) -> None:
    for _ in range(3):
        visitor.log_in("/desk")
        visitor.browser.delete_cookie("session")

    response = visitor.get("/cobot/login")

    assert response.status_code == 403
    assert "does not keep you logged in" in response.text
    assert heard.code == "login_stuck"
    clock.move(61)
    assert visitor.get("/cobot/login").status_code == 302


@pytest.mark.covers("F08")
def test_nothing_is_begun_for_a_machine_that_looks_ahead(visitor: Visitor, cobot: StandIn) -> None:
    for response in (
        visitor.browser.head("/cobot/login"),
        visitor.get("/cobot/login", headers={"Sec-Purpose": "prefetch"}),
    ):
        assert response.status_code in (204, 503)
        assert "Set-Cookie" not in response.headers
    assert cobot.requests == []


@pytest.mark.covers("L01", "L02")
@pytest.mark.parametrize("part", ["error", "error_description", "token_type"])
@pytest.mark.parametrize("secret", ["code", "code_verifier", "client_secret"])
def test_what_a_provider_repeats_of_our_secrets_is_told_nobody(
    make_portal: MakePortal, cobot: StandIn, caplog: pytest.LogCaptureFixture, part: str, secret: str
) -> None:
    portal = make_portal(DEBUG=True)

    def repeats(answer: dict[str, Any]) -> dict[str, Any]:
        failure = {} if part == "token_type" else {"error": "invalid_scope"}
        return answer | failure | {part: f"you sent {request.form[secret]} and {answer.get(part)}"}

    cobot.alter("token", repeats)
    visitor = Visitor(portal, cobot)

    with caplog.at_level(logging.DEBUG, "cobot_oidc"):  # and the watch around each test looks everywhere
        page = visitor.get(visitor.answer(visitor.begin("/desk")))

    assert page.status_code in (400, 500, 502)
    assert "not shown, as it repeats a secret" in caplog.text
