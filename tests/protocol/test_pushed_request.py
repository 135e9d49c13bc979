"""The request that is pushed, the provider's answer to it, and the URL that is left for the browser (RFC 9126)."""

import json
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from cobot_oidc.errors import CobotOIDCError, ConfigurationError, ProviderError
from cobot_oidc.protocol.authentication import AssertionTerms
from cobot_oidc.protocol.authorization import AuthorizationRequest, pushed_url
from cobot_oidc.protocol.client import Client
from cobot_oidc.protocol.pushed_request import PushedResponse, pushed_request
from cobot_oidc.protocol.tokens import code_request

REQUEST = AuthorizationRequest(
    client_id="portal",
    redirect_uri="https://portal.example/cb",
    scopes=("openid", "email"),
    state="the-state",
    nonce="the-nonce",
    code_verifier="v" * 43,
    options={"prompt": "login", "login_hint": "ada", "max_age": "60"},
    further=(("prompt", "consent"), ("resource", "urn:a"), ("resource", "urn:b")),
)
TERMS = AssertionTerms("https://op.example", 1_800_000_000, "the-token-id")
GOOD = {"request_uri": "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c", "expires_in": 60}


def test_what_is_pushed_is_what_the_url_would_carry() -> None:
    form = pushed_request(Client("portal", None, "none"), REQUEST, TERMS)

    pushed = parse_qsl(form.body, strict_parsing=True)
    carried = parse_qsl(urlsplit(REQUEST.url("https://op.example/authorize")).query, strict_parsing=True)
    assert sorted(pushed) == sorted(carried)
    assert dict(pushed) == {
        "response_type": "code",
        "client_id": "portal",
        "redirect_uri": "https://portal.example/cb",
        "scope": "openid email",
        "state": "the-state",
        "nonce": "the-nonce",
        "code_challenge": dict(pushed)["code_challenge"],
        "code_challenge_method": "S256",
        "prompt": "consent",  # the app's own, and once
        "login_hint": "ada",
        "max_age": "60",
        "resource": "urn:b",
    }
    assert len(pushed) == 13
    assert "code_verifier" not in form.body
    assert "v" * 43 not in form.body


def test_a_resource_is_in_the_token_request_as_often_as_it_was_asked_for() -> None:
    code = {"code": "c", "redirect_uri": "https://portal.example/cb", "code_verifier": "v" * 43}

    form = parse_qs(
        code_request(Client("portal", None, "none"), TERMS, **code, resources=("urn:a", "urn:b")).body,
        strict_parsing=True,
    )

    assert form == {name: [value] for name, value in code.items()} | {
        "grant_type": ["authorization_code"],
        "client_id": ["portal"],
        "resource": ["urn:a", "urn:b"],
    }


@pytest.mark.covers("P05")
def test_the_browser_carries_the_client_and_the_name_of_the_request_alone() -> None:
    url = pushed_url("https://op.example/authorize?tenant=a", client_id="por:tal", request_uri="urn:a&b")

    assert parse_qs(urlsplit(url).query) == {"tenant": ["a"], "client_id": ["por:tal"], "request_uri": ["urn:a&b"]}
    for endpoint in ("https://op.example/?client_id=x", "https://op.example/?request_uri=x"):
        with pytest.raises(ProviderError, match="endpoint_unusable"):
            pushed_url(endpoint, client_id="portal", request_uri="urn:a")


def parse(status: int = 201, **changes: Any) -> PushedResponse:
    return PushedResponse.parse(status, json.dumps(GOOD | changes).encode())


def failure(status: int, body: bytes) -> CobotOIDCError:
    with pytest.raises(CobotOIDCError) as raised:
        PushedResponse.parse(status, body)
    return raised.value


def test_a_good_answer() -> None:
    answer = parse(more={"a": 1})

    assert (answer.request_uri, answer.expires_in) == (GOOD["request_uri"], 60)
    assert "6esc" not in repr(answer)
    assert parse(expires_in=1).expires_in == 1


@pytest.mark.parametrize("uri", ["urn:a", "https://op.example/requests/1?a=b", "a:" + "x" * 510, "x+y.z-1:!$~"])
def test_the_name_of_a_request_is_an_absolute_uri(uri: str) -> None:
    assert parse(request_uri=uri).request_uri == uri


@pytest.mark.covers("P06")
@pytest.mark.parametrize(
    "uri",
    [
        None,
        "",
        5,
        ["urn:a"],
        "a",
        ":a",
        "urn:",
        "1a:b",
        "urn:a b",
        "urn:a\n",
        "urn:ä",
        "urn:a#b",
        'urn:"',
        "a:" + "x" * 511,
    ],
)
def test_what_is_no_absolute_uri_names_no_request(uri: Any) -> None:
    with pytest.raises(ProviderError, match="pushed_request_unusable"):
        parse(request_uri=uri)


@pytest.mark.covers("P06")
@pytest.mark.parametrize("expires_in", [None, 0, -1, "60", 60.0, True, [60]])
def test_a_lifetime_is_a_positive_number_of_seconds(expires_in: Any) -> None:
    with pytest.raises(ProviderError, match="pushed_request_unusable"):
        parse(expires_in=expires_in)


@pytest.mark.covers("P06")
@pytest.mark.parametrize("status", [200, 202, 204, 302, 400, 404, 403])
def test_only_201_says_that_the_request_was_taken(status: int) -> None:
    error = failure(status, json.dumps(GOOD).encode())

    assert (error.code, error.details["http_status"]) == ("pushed_request_unusable", status)


@pytest.mark.covers("P06")
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"5", b"<p>", b'{"request_uri": "urn:a", "request_uri": "urn:b", "expires_in": 6}', b"\xff"]
)
def test_what_is_no_strict_json_object_names_no_request(body: bytes) -> None:
    assert failure(201, body).code == "pushed_request_unusable"


def test_an_answer_has_16_kb_at_most() -> None:
    body = json.dumps(GOOD).encode()

    assert PushedResponse.parse(201, body + b" " * (16 * 1024 - len(body))).expires_in == 60
    assert failure(201, body + b" " * (16 * 1024 - len(body) + 1)).code == "pushed_request_unusable"


@pytest.mark.covers("P06")
@pytest.mark.parametrize(
    ("status", "answer", "code"),
    [
        (400, {"error": "invalid_request", "error_description": "why"}, "pushed_request_refused"),
        (201, GOOD | {"error": "invalid_request", "error_description": "why"}, "pushed_request_refused"),
        (400, {"error": 5}, "pushed_request_unusable"),
        (400, {"error": "invalid_client"}, "client_refused"),
        (401, {"error": "invalid_client"}, "client_refused"),
        (400, {"error": "unauthorized_client"}, "client_refused"),
        (401, {}, "client_refused"),
        (401, {"error": "invalid_request", "error_description": "why"}, "pushed_request_refused"),
        (403, {}, "pushed_request_unusable"),
    ],
)
def test_a_refusal_says_whose_mistake_it_is(status: int, answer: dict[str, Any], code: str) -> None:
    error = failure(status, json.dumps(answer).encode())

    assert error.code == code
    assert isinstance(error, ConfigurationError) == (code == "client_refused")
    assert error.details["http_status"] == status
    if code == "pushed_request_refused":
        assert (error.details["error"], error.details["description"]) == ("'invalid_request'", "'why'")
    if code == "client_refused":
        assert error.details["error"] == repr(answer.get("error", ""))


def test_a_refusal_without_words_has_none() -> None:
    assert failure(400, b'{"error": "invalid_request"}').details["description"] == "''"
