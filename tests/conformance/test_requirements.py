"""Requirements of the specifications that no attack is about: what exactly we send, and what we ignore."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import request

from cobot_oidc.standin import StandIn

from ..conftest import CALLBACK, MakePortal, Visitor
from .conftest import RelyingParty

FORM = "application/x-www-form-urlencoded"


@pytest.mark.requirement(
    "Core-3.1.2.1-1", "Core-3.1.2.1-2", "Core-13.1-1", "Core-14-2", "RFC6749-3.1.1-1", "RFC6749-3.1.2.3-1"
)
@pytest.mark.requirement("Core-3.1.2.1-7", "RFC6749-10.3-2", "RFC9700-2.1.2-2", "RFC9700-2.3-1")
def test_the_authorization_request(relying_party: RelyingParty, cobot: StandIn) -> None:
    endpoint, _, query = relying_party.begin("/desk").partition("?")

    asked = parse_qs(query, strict_parsing=True)
    assert endpoint == f"{cobot.issuer}/oauth/authorize"
    assert {name: values for name, values in asked.items() if name not in ("state", "nonce", "code_challenge")} == {
        "response_type": ["code"],
        "client_id": ["portal"],
        "redirect_uri": [CALLBACK],
        "scope": ["openid email profile"],
        "code_challenge_method": ["S256"],
    }


@pytest.mark.requirement("RFC6749-3.1-1")
def test_the_authorization_endpoint_keeps_its_own_query(relying_party: RelyingParty, cobot: StandIn) -> None:
    cobot.alter("metadata", {"authorization_endpoint": f"{cobot.issuer}/oauth/authorize?tenant=a%20b"})

    asked = parse_qs(urlsplit(relying_party.begin("/desk")).query)

    assert asked["tenant"] == ["a b"]
    assert asked["client_id"] == ["portal"]


@pytest.mark.requirement("RFC6749-3.1-1", "RFC6749-3.1-3")
def test_an_authorization_endpoint_that_sets_our_parameters_is_not_visited(
    relying_party: RelyingParty, cobot: StandIn
) -> None:
    cobot.alter("metadata", {"authorization_endpoint": f"{cobot.issuer}/oauth/authorize?client_id=evil"})

    assert relying_party.get("/cobot/login").status_code == 502
    assert relying_party.codes == ["endpoint_unusable"]


@pytest.mark.requirement("RFC6749-3.1-2", "RFC6749-3.2-3")
@pytest.mark.parametrize(
    ("endpoint", "path"),
    [("authorization_endpoint", "/oauth/authorize#x"), ("token_endpoint", "/oauth/access_token#x")],
)
def test_an_endpoint_with_a_fragment_is_not_visited(
    relying_party: RelyingParty, cobot: StandIn, endpoint: str, path: str
) -> None:
    cobot.alter("metadata", {endpoint: cobot.issuer + path})

    assert relying_party.get("/cobot/login").status_code == 502
    assert relying_party.codes == ["endpoint_forbidden"]


@pytest.mark.requirement("RFC6749-3.2-2")
def test_the_token_endpoint_keeps_its_own_query(relying_party: RelyingParty, cobot: StandIn) -> None:
    queries: list[bytes] = []

    def note(document: Any) -> Any:
        queries.append(request.query_string)
        return document

    cobot.alter("metadata", {"token_endpoint": f"{cobot.issuer}/oauth/access_token?tenant=a"})
    cobot.alter("token", note)
    relying_party.accepts()

    assert queries == [b"tenant=a"]


@pytest.mark.requirement(
    "RFC6749-2.3-1", "RFC6749-2.3.1-2", "RFC6749-3.2-1", "RFC6749-3.2.1-1", "RFC6749-3.2.1-2", "RFC6749-4.1.3-1"
)
@pytest.mark.requirement("Core-3.1.3.1-1", "Core-13.1-1", "RFC7636-4.5-1", "RFC9700-2.4-1")
@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic", "none"])
def test_the_token_request(make_portal: MakePortal, cobot: StandIn, method: str) -> None:
    secret = None if method == "none" else "s3cret-of-the-portal"
    cobot.register_client("portal", secret=secret, redirect_uri=CALLBACK, name="P")
    asked: list[dict[str, Any]] = []

    def note(document: Any) -> Any:
        has_header = request.headers.get("Authorization", "").startswith("Basic ")
        asked.append({"method": request.method, "type": request.mimetype, "query": request.query_string} | request.form)
        asked[-1]["has_header"] = has_header
        return document

    cobot.alter("token", note)
    Visitor(make_portal(COBOT_OIDC_CLIENT_SECRET=secret, COBOT_OIDC_CLIENT_AUTH=method), cobot).log_in("/desk")

    [sent] = asked
    assert (sent.pop("method"), sent.pop("type"), sent.pop("query")) == ("POST", FORM, b"")
    assert sent.pop("has_header") == (method == "client_secret_basic")
    assert sent.pop("client_secret", None) == (secret if method == "client_secret_post" else None)
    assert sent.pop("client_id", None) == (None if method == "client_secret_basic" else "portal")
    assert sent.pop("grant_type") == "authorization_code"
    assert sent.pop("redirect_uri") == CALLBACK
    assert sent.keys() == {"code", "code_verifier"}


@pytest.mark.requirement("Core-5.3.1-1", "RFC6750-2-1", "RFC6750-2.1-1", "RFC6750-2.2-1", "RFC6750-2.3-1")
@pytest.mark.requirement("RFC9700-4.3.2-1")
def test_the_userinfo_request(relying_party: RelyingParty, cobot: StandIn) -> None:
    asked: list[tuple[str, str, bytes, bytes]] = []

    def note(claims: Any) -> Any:
        scheme = request.headers["Authorization"].partition(" ")[0]
        asked.append((request.method, scheme, request.query_string, request.get_data()))
        return claims

    cobot.alter("userinfo", note)
    relying_party.accepts()

    assert asked == [("GET", "Bearer", b"", b"")]


@pytest.mark.requirement("Core-2-4", "Core-3.1.3.3-1", "RFC6749-4.1.2-2", "RFC6749-5.1-1")
def test_what_is_not_understood_is_ignored(relying_party: RelyingParty, cobot: StandIn) -> None:
    more = {"x": {"y": [1, None, "z"]}, "birthdate": "1815-12-10", "session_state": "s"}
    for part in ("metadata", "token", "id_token_claims", "userinfo"):
        cobot.alter(part, lambda members: more | members)

    callback = relying_party.answer(relying_party.begin("/desk"))
    ended = relying_party.get(f"{callback}&session_state=abc&x=1")
    page = relying_party.get(ended.location)

    assert page.json is not None
    assert page.json["claims"].keys() == {"iss", "sub", "name", "email"}


@pytest.mark.requirement("Discovery-4.1-1")
def test_the_document_is_asked_for_by_the_first_login(relying_party: RelyingParty, cobot: StandIn) -> None:
    relying_party.get("/")
    assert cobot.requests == []

    relying_party.begin("/desk")

    first = cobot.requests[0]
    assert (first.method, first.path) == ("GET", "/.well-known/openid-configuration")
