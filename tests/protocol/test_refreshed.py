"""Renewed tokens: what asks for them, what answers, and whom a refreshed id token is about (O07, O08)."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from cobot_oidc.errors import APIError, CobotOIDCError, ConfigurationError, ProviderError, TokenError
from cobot_oidc.protocol.authentication import AssertionTerms
from cobot_oidc.protocol.client import Client
from cobot_oidc.protocol.id_token import Expected, UnverifiedIDToken
from cobot_oidc.protocol.refreshed import REFRESHED_RULES, Original, nonce_hash
from cobot_oidc.protocol.tokens import RefreshResponse, TokenResponse, refresh_request

from .tokens import CLIENT_ID, ISSUER, NONCE, NOW, REMOVED, claims, key_set, token

TERMS = AssertionTerms(ISSUER, NOW, "the-token-id")
ORIGINAL = Original("u-1", NOW - 3600.0, nonce_hash(NONCE), azp=False)
GOOD = {"access_token": "at-2", "token_type": "Bearer", "refresh_token": "rt-2", "expires_in": 300, "id_token": "a.b.c"}


def checked(original: Original = ORIGINAL, **changes: Any) -> None:
    expected = Expected(ISSUER, CLIENT_ID, nonce=None)
    text = token(claims(**{"nonce": REMOVED} | changes))
    unverified = UnverifiedIDToken.parse(text, expected, now=NOW, rules=REFRESHED_RULES)
    original.check(unverified.verify(key_set(), access_token=None))


@pytest.mark.covers("O07")
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"nonce": NONCE},
        {"auth_time": NOW - 3600},
        {"auth_time": NOW - 3600.0},
        {"aud": [CLIENT_ID]},
    ],
)
def test_a_refreshed_id_token_about_the_same_login(changes: dict[str, Any]) -> None:
    checked(**changes)


@pytest.mark.covers("O07", "S22")
@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("subject_changed", {"sub": "u-2"}),
        ("subject_changed", {"sub": "U-1"}),
        ("subject_malformed", {"sub": REMOVED}),
        ("issuer_mismatch", {"iss": ISSUER + "/"}),
        ("audience_mismatch", {"aud": "other"}),
        ("authorized_party_mismatch", {"azp": "other"}),
        ("authorized_party_mismatch", {"azp": CLIENT_ID}),  # the login's token named none
        ("authentication_changed", {"auth_time": NOW}),
        ("nonce_mismatch", {"nonce": "other"}),
        ("nonce_mismatch", {"nonce": 7}),
        ("issued_too_long_ago", {"iat": NOW - 601}),
        ("clock_skew", {"iat": NOW + 61}),
        ("expired", {"exp": NOW - 61, "iat": NOW - 120}),
    ],
)
def test_a_refreshed_id_token_about_another_login(code: str, changes: dict[str, Any]) -> None:
    with pytest.raises(TokenError) as caught:
        checked(**changes)

    assert caught.value.code == code


@pytest.mark.covers("O07")
def test_what_the_login_s_id_token_said_counts() -> None:
    checked(ORIGINAL._replace(auth_time=None), auth_time=NOW)
    checked(ORIGINAL._replace(azp=True), azp=CLIENT_ID)
    checked(ORIGINAL._replace(azp=True))


def test_what_is_remembered_of_a_nonce_stays_the_same_from_release_to_release() -> None:
    assert nonce_hash("abc") == "ungWv48Bz-pBQUDeXa4iI7"  # FIPS 180-4's example, and 22 characters of it


@pytest.mark.covers("O07", "J20")
def test_a_nonce_that_cannot_be_written_as_utf_8_is_another_one() -> None:
    with pytest.raises(TokenError, match="nonce_mismatch"):
        ORIGINAL.check(claims(nonce="\ud800"))


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic", "none"])
def test_the_request_for_another_token(method: Any) -> None:
    secret = None if method == "none" else "s3cret"
    request = refresh_request(Client("portal", secret, method), TERMS, refresh_token="r+t")
    form = parse_qs(request.body, strict_parsing=True)

    assert form["grant_type"] == ["refresh_token"]
    assert form["refresh_token"] == ["r+t"]
    assert ("client_secret" in form) == (method == "client_secret_post")
    assert ("Authorization" in request.headers) == (method == "client_secret_basic")
    assert "r+t" not in repr(request)


def answer(**changes: Any) -> bytes:
    return json.dumps({name: value for name, value in (GOOD | changes).items() if value is not REMOVED}).encode()


def test_a_refresh_response_is_read() -> None:
    assert RefreshResponse.parse(200, answer()) == RefreshResponse("at-2", "rt-2", "a.b.c", 300)
    bare = RefreshResponse.parse(200, answer(refresh_token=REMOVED, id_token=REMOVED, expires_in=REMOVED))
    assert bare == RefreshResponse("at-2", None, None, None)
    shown = repr(RefreshResponse.parse(200, answer()))
    assert "t-2" not in shown
    assert "a.b.c" not in shown


@pytest.mark.covers("O08")
@pytest.mark.parametrize(
    ("status", "body", "error", "code"),
    [
        (400, b'{"error": "invalid_grant"}', APIError, "refresh_refused"),
        (401, b'{"error": "invalid_grant"}', APIError, "refresh_refused"),
        (200, b'{"error": "invalid_grant"}', APIError, "refresh_refused"),
        (401, b'{"error": "invalid_client"}', ConfigurationError, "client_refused"),
        (401, b"", ConfigurationError, "client_refused"),
        (400, b'{"error": "invalid_request"}', ProviderError, "token_response_unusable"),
        (403, b"", ProviderError, "token_response_unusable"),  # a firewall, perhaps: it says nothing about the token
        (200, b"<html>", ProviderError, "token_response_unusable"),
        (200, answer(access_token=REMOVED), ProviderError, "token_response_unusable"),
        (200, answer(access_token="a\n"), ProviderError, "token_response_unusable"),
        (200, answer(token_type="mac"), ProviderError, "token_response_unusable"),
        (200, answer(id_token=7), ProviderError, "token_response_unusable"),
        (200, answer(id_token=""), ProviderError, "token_response_unusable"),
    ],
)
def test_only_invalid_grant_says_that_the_refresh_token_is_not_valid(
    status: int, body: bytes, error: type[Exception], code: str
) -> None:
    with pytest.raises(error) as caught:
        RefreshResponse.parse(status, body)

    assert caught.value.code == code  # type: ignore[attr-defined] # each of them has one


@pytest.mark.covers("O08")
@pytest.mark.parametrize(
    ("status", "answer", "details"),
    [
        (400, {"error": "invalid_grant", "error_description": "late"}, {"description": "'late'"}),
        (400, {"error": "invalid_grant"}, {"description": "''"}),
        (403, {"error": "access_denied"}, {"http_status": 403, "error": "'access_denied'"}),
        (403, {}, {"http_status": 403, "error": "''"}),
    ],
)
def test_the_operator_reads_why_no_token_came(status: int, answer: dict[str, str], details: dict[str, Any]) -> None:
    with pytest.raises(CobotOIDCError) as caught:
        RefreshResponse.parse(status, json.dumps(answer).encode())

    assert caught.value.details == details


@pytest.mark.parametrize(("given", "kept"), [("rt-1", "rt-1"), (None, None), (7, None), ("", None), ("r\nt", None)])
def test_a_login_s_refresh_token_is_text_or_none(given: Any, kept: str | None) -> None:
    response = TokenResponse.parse(200, answer(refresh_token=given))

    assert response.refresh_token == kept
    assert "rt-1" not in repr(response)
