"""The messages between us and the provider: RFC 6749, 7636 and 9207."""

import base64
import re
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cobot_oidc.protocol import CobotOIDCError, ConfigurationError, LoginError, ProviderError
from cobot_oidc.protocol.authentication import AssertionTerms
from cobot_oidc.protocol.authorization import (
    AuthorizationRequest,
    AuthorizationResponse,
    logout_url,
    request_options,
)
from cobot_oidc.protocol.client import Client
from cobot_oidc.protocol.tokens import TokenResponse, code_request

from .tokens import REMOVED, as_json

REQUEST = AuthorizationRequest(
    client_id="portal",
    redirect_uri="https://portal.example/cobot/callback",
    scopes=("openid", "email"),
    state="the-state",
    nonce="the-nonce",
    code_verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
)


@pytest.mark.covers("F09")
def test_the_authorization_request() -> None:
    url = urlsplit(REQUEST.url("https://www.cobot.me/oauth/authorize"))

    assert (url.scheme, url.netloc, url.path) == ("https", "www.cobot.me", "/oauth/authorize")
    assert dict(parse_qsl(url.query, strict_parsing=True)) == {
        "response_type": "code",
        "client_id": "portal",
        "redirect_uri": "https://portal.example/cobot/callback",
        "scope": "openid email",
        "state": "the-state",
        "nonce": "the-nonce",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",  # RFC 7636 appendix B
        "code_challenge_method": "S256",
    }


def test_an_endpoint_may_have_a_query_of_its_own() -> None:
    query = parse_qs(urlsplit(REQUEST.url("https://op.example/authorize?tenant=a")).query)
    assert query["tenant"] == ["a"]
    assert query["state"] == ["the-state"]
    for endpoint in ("https://op.example/?client_id=evil", "https://op.example/?STATE=x&state="):
        with pytest.raises(ProviderError, match="endpoint_unusable"):
            REQUEST.url(endpoint)


@pytest.mark.covers("L02")
def test_nothing_secret_is_shown() -> None:
    shown = repr(REQUEST)
    shown += repr(AuthorizationResponse.parse(b"code=the-code&state=the-state"))
    shown += repr(Client("portal", "the-secret", "client_secret_post"))
    for client in CLIENTS.values():
        request = code_request(client, TERMS, **CODE)
        shown += repr(request)
        assert request.headers.get("Authorization", "nothing") not in shown
        assert request.body not in shown
    shown += repr(TokenResponse.parse(200, as_json(GOOD)))
    for secret in ("the-state", "the-nonce", REQUEST.code_verifier, "the-code", "the-secret", "the-token", "a.b.c"):
        assert secret not in shown


@pytest.mark.covers("F21")
@pytest.mark.parametrize(
    ("query", "options"),
    [
        ({"prompt": "login", "max_age": "60", "client_id": "evil"}, {"prompt": "login", "max_age": "60"}),
        ({"prompt": "none"}, {}),
        ({"prompt": "login none"}, {}),
        ({"prompt": "NONE"}, {}),
        ({"prompt": "login None"}, {}),
        ({"prompt": "nonesuch"}, {"prompt": "nonesuch"}),
        ({"max_age": "-1"}, {}),
        ({"max_age": "1e9"}, {}),
        ({"max_age": "٣"}, {}),
        ({"login_hint": "x" * 257}, {}),
        ({"login_hint": "x" * 256}, {"login_hint": "x" * 256}),
        ({"login_hint": "x"}, {"login_hint": "x"}),
        ({"login_hint": "a\nb"}, {}),
        ({"ui_locales": ""}, {}),
        ({"ui_locales": "de en"}, {"ui_locales": "de en"}),
    ],
)
def test_what_may_travel_on(query: dict[str, str], options: dict[str, str]) -> None:
    assert request_options(query) == options


@pytest.mark.covers("F16", "F20", "F23")
@pytest.mark.parametrize(
    "query",
    [
        b"code=c&error=e&state=s",  # F16
        b"state=s&state=s&code=c",
        b"code=c&code=d&state=s",
        b"iss=a&iss=a",
        b"x=1&x=2&code=c&state=s",
        b"error=e&error=e",
        *(
            b"state=s&code=c&" + name + b"=x" for name in (b"id_token", b"access_token", b"token_type", b"response")
        ),  # F20
        *(name + b"=%0A" for name in (b"state", b"code", b"iss", b"error")),  # F23
        *(name + b"=%C3%A9" for name in (b"state", b"code", b"iss", b"error")),
        b"code=" + b"x" * 4097,
        b"error_description=" + b"x" * 4097,
        b"a=" + b"x" * 16384,
        b"&".join(b"p%d=1" % number for number in range(33)),
        b"a=%FF",
        b"a=\xff",
    ],
)
def test_an_answer_that_is_malformed(query: bytes) -> None:
    with pytest.raises(LoginError) as caught:
        AuthorizationResponse.parse(query)
    assert caught.value.code == "response_malformed"


def test_an_answer_at_its_limits() -> None:
    answer = AuthorizationResponse.parse(b"code=" + b"x" * 4096 + b"&state=s%20&error_description=%C3%A9&unknown=1")
    assert (answer.code, answer.state, answer.error_description) == ("x" * 4096, "s ", "é")
    assert answer.authorization_code() == "x" * 4096
    largest = b"&".join((b"a=" + b"x" * 4094, b"b=" + b"x" * 4094, b"c=" + b"x" * 4093, b"d=" + b"x" * 4092))
    assert len(largest) == 16384
    assert AuthorizationResponse.parse(largest).state is None
    with pytest.raises(LoginError):
        AuthorizationResponse.parse(largest + b"x")
    many = b"&".join(b"p%d=1" % number for number in range(31))
    assert AuthorizationResponse.parse(many + b"&state=s").state == "s"
    with pytest.raises(LoginError):
        AuthorizationResponse.parse(many + b"&state=s&q=1")


@pytest.mark.parametrize("error", ["login_required", "interaction_required", "account_selection_required"])
def test_a_provider_that_wants_the_person_to_act(error: str) -> None:
    with pytest.raises(LoginError) as caught:
        AuthorizationResponse.parse(f"error={error}&state=s".encode()).authorization_code()
    assert caught.value.code == "interaction_required"


def test_the_operator_reads_what_the_provider_says() -> None:
    with pytest.raises(LoginError) as caught:
        AuthorizationResponse.parse(b"error=server_error&error_description=busy%0A").authorization_code()
    assert caught.value.details == {"error": "'server_error'", "description": "'busy\\n'"}
    with pytest.raises(LoginError) as caught:
        AuthorizationResponse.parse(b"error=server_error").authorization_code()
    assert caught.value.details == {"error": "'server_error'", "description": "''"}


@pytest.mark.covers("O02")
def test_the_end_of_a_session_at_the_provider() -> None:
    url = logout_url("https://op.example/end?a=b", client_id="portal", post_logout_redirect_uri="https://p.example/bye")
    assert urlsplit(url)._replace(query="").geturl() == "https://op.example/end"
    assert dict(parse_qsl(urlsplit(url).query, strict_parsing=True)) == {
        "a": "b",
        "client_id": "portal",
        "post_logout_redirect_uri": "https://p.example/bye",
    }
    known = logout_url(
        "https://op.example/end",
        client_id="portal",
        post_logout_redirect_uri="https://p.example/",
        id_token_hint="a.b.c",
    )
    assert parse_qsl(urlsplit(known).query, strict_parsing=True) == [
        ("client_id", "portal"),
        ("post_logout_redirect_uri", "https://p.example/"),
        ("id_token_hint", "a.b.c"),
    ]


@pytest.mark.covers("O02")
@pytest.mark.parametrize("name", ["client_id", "post_logout_redirect_uri", "id_token_hint"])
def test_an_end_of_a_session_that_has_our_parameters_already_is_refused(name: str) -> None:
    with pytest.raises(ProviderError) as caught:
        logout_url(
            f"https://op.example/end?{name}=x",
            client_id="portal",
            post_logout_redirect_uri="https://p.example/bye",
            id_token_hint="a.b.c",
        )
    assert caught.value.code == "endpoint_unusable"


@pytest.mark.covers("F16", "F23")
@given(st.binary(max_size=200))
def test_any_query_is_an_answer_or_malformed(query: bytes) -> None:
    try:
        answer = AuthorizationResponse.parse(query)
    except CobotOIDCError as error:
        assert error.code == "response_malformed"  # noqa: PT017 - it may also be an answer
    else:
        for value in (answer.state, answer.code, answer.issuer, answer.error):
            assert value is None or re.fullmatch(r"[\x20-\x7e]*", value)


@pytest.mark.covers("F18")
@pytest.mark.parametrize(
    ("query", "code"),
    [
        (b"error=access_denied&state=s", "cancelled"),
        (b"error=consent_required&state=s", "cancelled"),
        (b"error=login_required&state=s", "interaction_required"),
        (b"error=server_error&error_description=%3Cb%3E%0A&state=s", "provider_declined"),
        (b"error=&state=s", "provider_declined"),
        (b"state=s", "response_malformed"),
        (b"code=&state=s", "response_malformed"),
    ],
)
def test_an_answer_without_a_code(query: bytes, code: str) -> None:
    with pytest.raises(LoginError, match=code):
        AuthorizationResponse.parse(query).authorization_code()


@pytest.mark.covers("F13")
def test_the_answer_names_its_issuer() -> None:
    issuer = "https://www.cobot.me"
    AuthorizationResponse.parse(b"code=c").check_issuer(issuer, promised=False)
    AuthorizationResponse.parse(b"code=c&iss=https://www.cobot.me").check_issuer(issuer, promised=True)
    with pytest.raises(LoginError, match="response_issuer_missing"):
        AuthorizationResponse.parse(b"code=c").check_issuer(issuer, promised=True)
    for other in (b"", b"https://www.cobot.me/", b"https://WWW.cobot.me", b"https://co-up.cobot.me"):
        with pytest.raises(LoginError, match="response_issuer_mismatch"):
            AuthorizationResponse.parse(b"code=c&iss=" + other).check_issuer(issuer, promised=False)


SECRET = "s p:a%c+e&=~"
TERMS = AssertionTerms("https://op.example", 1_800_000_000, "the-token-id")
CLIENTS = {
    "client_secret_post": Client("por:tal", SECRET, "client_secret_post"),
    "client_secret_basic": Client("por:tal", SECRET, "client_secret_basic"),
    "none": Client("por:tal", None, "none"),
}
CODE = {"code": "the-code", "redirect_uri": "https://portal.example/cb", "code_verifier": "v" * 43}


@pytest.mark.covers("F27")
@pytest.mark.parametrize("method", CLIENTS)
def test_the_token_request(method: str) -> None:
    request = code_request(CLIENTS[method], TERMS, **CODE)
    form = dict(parse_qsl(request.body, strict_parsing=True))

    assert form.items() >= {"grant_type": "authorization_code", **CODE}.items()
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.headers["Accept"] == "application/json"
    if method == "client_secret_basic":
        scheme, _, credentials = request.headers["Authorization"].partition(" ")
        user, _, password = base64.b64decode(credentials).decode().partition(":")
        # RFC 6749 section 2.3.1: each part form-urlencoded before they are joined
        assert (scheme, unquote_plus(user), unquote_plus(password)) == ("Basic", "por:tal", SECRET)
        assert ":" not in user
        assert "client_secret" not in form
    else:
        assert "Authorization" not in request.headers
        assert form["client_id"] == "por:tal"
        assert form.get("client_secret") == (SECRET if method == "client_secret_post" else None)


GOOD = {"access_token": "the-token", "token_type": "bearer", "id_token": "a.b.c"}


@pytest.mark.covers("F26")
@pytest.mark.parametrize(
    ("changes", "expires_in"),
    [
        ({}, None),
        ({"token_type": "Bearer"}, None),
        ({"token_type": "BEARER"}, None),
        ({"expires_in": 3600, "scope": "openid", "refresh_token": "x", "extra": {"a": 1}}, 3600),
        ({"expires_in": "3600"}, 3600),
        ({"expires_in": 0}, 0),
        ({"expires_in": -1}, None),
        ({"expires_in": "soon"}, None),
        ({"expires_in": True}, None),
        ({"expires_in": None}, None),
    ],
)
def test_a_token_response(changes: dict[str, Any], expires_in: int | None) -> None:
    response = TokenResponse.parse(200, as_json(GOOD | changes))

    assert (response.access_token, response.id_token, response.expires_in) == ("the-token", "a.b.c", expires_in)


@pytest.mark.parametrize(
    ("scope", "scopes"),
    [
        ("openid", ("openid",)),
        ("openid  read_user ", ("openid", "read_user")),
        ("", ()),
        (REMOVED, None),
        (None, None),
        (["openid"], None),
    ],
)
def test_the_scopes_that_were_granted(scope: Any, scopes: tuple[str, ...] | None) -> None:
    body = {name: value for name, value in (GOOD | {"scope": scope}).items() if value is not REMOVED}

    assert TokenResponse.parse(200, as_json(body)).scopes == scopes


@pytest.mark.covers("C19", "F26", "N08")
@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (200, {"id_token": None}, ProviderError, "token_response_unusable"),  # C19
        (200, {"id_token": ""}, ProviderError, "token_response_unusable"),
        (200, {"id_token": 7}, ProviderError, "token_response_unusable"),
        (200, {"id_token": ["a.b.c"]}, ProviderError, "token_response_unusable"),
        (200, {"access_token": None}, ProviderError, "token_response_unusable"),
        (200, {"access_token": "a\nb"}, ProviderError, "token_response_unusable"),
        (200, {"access_token": "é"}, ProviderError, "token_response_unusable"),
        (200, {"token_type": None}, ProviderError, "token_response_unusable"),  # F26
        (200, {"token_type": "mac"}, ProviderError, "token_response_unusable"),
        (200, {"token_type": ["bearer"]}, ProviderError, "token_response_unusable"),
        (201, {}, ProviderError, "token_response_unusable"),
        (200, {"error": "invalid_grant"}, LoginError, "code_refused"),  # N08
        (400, {"error": "invalid_grant", "error_description": "<b>"}, LoginError, "code_refused"),
        (401, {"error": "invalid_grant"}, LoginError, "code_refused"),
        (401, {"error": "invalid_request"}, ProviderError, "token_response_unusable"),
        (403, {"error": "invalid_grant"}, LoginError, "code_refused"),
        (403, {"error": "access_denied"}, LoginError, "code_refused"),
        (403, {"error": None}, LoginError, "code_refused"),
        (403, b"<html>Forbidden</html>", LoginError, "code_refused"),
        (403, b"", LoginError, "code_refused"),
        (403, {"error": "invalid_client"}, ConfigurationError, "client_refused"),
        (403, {"error": "unauthorized_client"}, ConfigurationError, "client_refused"),
        (401, {"error": "invalid_client"}, ConfigurationError, "client_refused"),
        (400, {"error": "unauthorized_client"}, ConfigurationError, "client_refused"),
        (400, {"error": ["invalid_grant"]}, ProviderError, "token_response_unusable"),
        (400, b"<html>no</html>", ProviderError, "token_response_unusable"),
        (401, b"", ConfigurationError, "client_refused"),
        (200, b"", ProviderError, "token_response_unusable"),
        (200, b"[]", ProviderError, "token_response_unusable"),
        (200, b'{"access_token":"a","access_token":"b"}', ProviderError, "token_response_unusable"),
        (200, b"\xef\xbb\xbf{}", ProviderError, "token_response_unusable"),
    ],
)
def test_what_is_no_token_response(status: int, body: Any, kind: type[CobotOIDCError], code: str) -> None:
    data = body if isinstance(body, bytes) else as_json(GOOD | body)
    with pytest.raises(kind) as caught:
        TokenResponse.parse(status, data)
    assert caught.value.code == code
    assert "the-token" not in str(caught.value)


@pytest.mark.covers("N08")
@pytest.mark.parametrize(
    ("answer", "details"),
    [
        ({"error": "invalid_grant", "error_description": "late"}, {"description": "'late'"}),
        ({"error": "invalid_grant"}, {"description": "''"}),
        ({"error": "invalid_client"}, {"http_status": 400, "error": "'invalid_client'"}),
        ({"error": "x", "error_description": "y"}, {"http_status": 400, "error": "'x'", "description": "'y'"}),
        ({}, {"http_status": 400, "error": "''", "description": "''"}),
    ],
)
def test_the_operator_reads_why_a_code_was_refused(answer: dict[str, str], details: dict[str, Any]) -> None:
    with pytest.raises(CobotOIDCError) as caught:
        TokenResponse.parse(400, as_json(answer))
    assert caught.value.details == details


@pytest.mark.parametrize(
    ("body", "details"),
    [
        (b"<html>Forbidden</html>", {"http_status": 403, "error": "''", "description": "''"}),
        (
            b'{"error": "access_denied", "error_description": "no"}',
            {"http_status": 403, "error": "'access_denied'", "description": "'no'"},
        ),
    ],
)
def test_the_operator_reads_that_a_code_was_refused_with_403(body: bytes, details: dict[str, Any]) -> None:
    with pytest.raises(LoginError) as caught:
        TokenResponse.parse(403, body)
    assert caught.value.details == details


@pytest.mark.covers("N08")
def test_a_refusal_without_a_word() -> None:
    with pytest.raises(ConfigurationError) as caught:
        TokenResponse.parse(401, b"")
    assert caught.value.details == {"http_status": 401, "error": "''"}
