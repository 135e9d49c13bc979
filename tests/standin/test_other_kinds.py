"""The stand-in as a provider of another kind than Cobot: pushed requests, assertions, signed userinfo, ``acr``."""

import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from cobot_oidc.standin import StandIn

from ..conftest import CALLBACK, Clock

KEY, OTHER = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
SECRET = "a-secret-of-32-characters-or-more"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
REQUEST = {
    "response_type": "code",
    "client_id": "by-key",
    "redirect_uri": CALLBACK,
    "scope": "openid",
    "state": "s" * 8,
}


@pytest.fixture
def provider(unwatched_cobot: StandIn) -> StandIn:
    """A stand-in that takes pushed requests, and knows a client by its key and one by its secret."""
    unwatched_cobot.take_pushed_requests("allowed")
    public = {"keys": [KEY.as_dict(private=False)]}
    unwatched_cobot.register_client("by-key", secret=None, redirect_uri=CALLBACK, public_keys=public)
    unwatched_cobot.register_client(
        "by-secret", secret=SECRET, redirect_uri=CALLBACK, authentication="client_secret_jwt"
    )
    return unwatched_cobot


def assertion(provider: StandIn, clock: Clock, **changes: Any) -> str:
    now = int(clock())
    key, header = changes.pop("key", KEY), {"alg": "ES256", "typ": "client-authentication+jwt"}
    header |= changes.pop("header", {})
    claims = {"iss": "by-key", "sub": "by-key", "aud": provider.issuer, "jti": "j", "iat": now, "exp": now + 60}
    return jwt.encode(header, {n: v for n, v in (claims | changes).items() if v is not ...}, key)


def push(provider: StandIn, proof: str | None, **changes: Any) -> requests.Response:
    form = REQUEST | ({"client_assertion": proof, "client_assertion_type": ASSERTION} if proof else {}) | changes
    return requests.post(
        f"http://127.0.0.1:{provider.port}/oauth/par",
        data={name: value for name, value in form.items() if value is not ...},
        headers={"Host": urlsplit(provider.issuer).netloc},
        timeout=60,
    )


def authorize(provider: StandIn, **query: str) -> requests.Response:
    url = f"http://127.0.0.1:{provider.port}/oauth/authorize?{urlencode(query)}"
    return requests.get(url, headers={"Host": urlsplit(provider.issuer).netloc}, allow_redirects=False, timeout=60)


def test_an_assertion_of_the_client_s_key_is_taken_once(provider: StandIn, clock: Clock) -> None:
    proof = assertion(provider, clock)

    assert push(provider, proof).status_code == 201
    assert push(provider, proof).json()["error"] == "invalid_client"


def test_an_assertion_by_the_secret_is_taken(provider: StandIn, clock: Clock) -> None:
    proof = assertion(
        provider, clock, iss="by-secret", sub="by-secret", key=OctKey.import_key(SECRET), header={"alg": "HS256"}
    )

    assert push(provider, proof, client_id="by-secret").status_code == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"key": OTHER},
        {"key": OctKey.import_key(SECRET), "header": {"alg": "HS256"}},
        {"aud": "http://elsewhere.example"},
        {"aud": ...},
        {"iss": "somebody"},
        {"sub": "by-secret"},
        {"sub": "nobody", "iss": "nobody"},
        {"jti": ...},
        {"exp": ...},
        {"exp": 1_799_999_999},
        {"exp": 1_800_009_999},
        {"iat": 1_800_009_999},
        {"header": {"typ": "JWT"}},
    ],
    ids=str,
)
def test_any_other_assertion_is_refused(provider: StandIn, clock: Clock, changes: dict[str, Any]) -> None:
    response = push(provider, assertion(provider, clock, **changes))

    assert response.json()["error"] == "invalid_client"
    assert response.status_code in (400, 401)


def test_an_assertion_for_several_audiences_or_for_an_endpoint_is_refused(provider: StandIn, clock: Clock) -> None:
    for audience in ([provider.issuer], [provider.issuer, "x"], f"{provider.issuer}/oauth/access_token"):
        assert push(provider, assertion(provider, clock, aud=audience)).json()["error"] == "invalid_client"


def test_a_client_with_a_key_cannot_do_without_it(provider: StandIn) -> None:
    assert push(provider, None).json()["error"] == "invalid_client"
    assert push(provider, None, client_secret=SECRET, client_id="by-secret").json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    "changes",
    [{"request_uri": "urn:a"}, {"client_id": "by-secret"}, {"redirect_uri": "http://evil.example/"}, {"scope": "x"}],
    ids=str,
)
def test_a_request_that_is_not_valid_is_not_taken(provider: StandIn, clock: Clock, changes: dict[str, str]) -> None:
    response = push(provider, assertion(provider, clock), **changes)

    assert (response.status_code, "request_uri" in response.json()) == (400, False)


def test_a_pushed_request_is_that_of_its_client_for_a_minute_and_once(provider: StandIn, clock: Clock) -> None:
    answer = push(provider, assertion(provider, clock)).json()
    uri = answer["request_uri"]
    mine = {"client_id": "by-key", "request_uri": uri}

    assert answer["expires_in"] == 60
    for query in (mine | {"client_id": "by-secret"}, mine | {"request_uri": "urn:a"}, mine | {"state": "x"}):
        assert authorize(provider, **query).status_code != 200
    clock.move(59)
    assert authorize(provider, **mine).status_code == 200
    callback = provider.sign_in(f"{provider.issuer}/oauth/authorize?{urlencode(mine)}")
    assert parse_qs(urlsplit(callback).query)["state"] == ["ssssssss"]
    assert authorize(provider, **mine).status_code != 200

    later = push(provider, assertion(provider, clock, jti="other")).json()["request_uri"]
    clock.move(60)
    assert authorize(provider, client_id="by-key", request_uri=later).status_code != 200


def test_pushing_is_off_until_it_is_asked_for_and_can_be_demanded(provider: StandIn, clock: Clock) -> None:
    document = f"http://127.0.0.1:{provider.port}/.well-known/openid-configuration"
    host = {"Host": urlsplit(provider.issuer).netloc}
    plain = {"response_type": "code", "client_id": "by-key", "redirect_uri": CALLBACK, "scope": "openid"}

    assert authorize(provider, **plain).status_code == 200
    provider.take_pushed_requests()
    assert authorize(provider, **plain).status_code == 302  # back, with an error
    assert requests.get(document, headers=host, timeout=60).json()["require_pushed_authorization_requests"] is True
    provider.reset()
    assert push(provider, assertion(provider, clock)).status_code == 404
    assert not [name for name in requests.get(document, headers=host, timeout=60).json() if "pushed" in name]


@pytest.mark.parametrize(
    ("asked", "acr"),
    [
        ({"acr_values": "a b"}, "a"),
        ({"claims": json.dumps({"id_token": {"acr": {"essential": True, "values": ["c", "d"]}}})}, "c"),
        ({"claims": json.dumps({"id_token": {"acr": {"value": "e"}}}), "acr_values": "a"}, "e"),
        ({"claims": json.dumps({"id_token": {"acr": {"essential": True}}})}, "urn:cobot.localhost:one-click"),
        ({"claims": json.dumps({"id_token": {"acr": None}})}, None),
        ({}, None),
    ],
    ids=str,
)
def test_the_acr_that_is_asked_for_is_in_the_id_token(
    unwatched_cobot: StandIn, asked: dict[str, str], acr: str | None
) -> None:
    tokens: list[dict[str, Any]] = []

    def note(claims: dict[str, Any]) -> dict[str, Any]:
        tokens.append(claims)
        return claims

    unwatched_cobot.alter("id_token_claims", note)
    query = {"response_type": "code", "client_id": "portal", "redirect_uri": CALLBACK, "scope": "openid", **asked}

    callback = unwatched_cobot.sign_in(f"{unwatched_cobot.issuer}/oauth/authorize?{urlencode(query)}")
    form = {"grant_type": "authorization_code", "code": parse_qs(urlsplit(callback).query)["code"][0]}
    form |= {"redirect_uri": CALLBACK, "client_id": "portal", "client_secret": "s3cret-of-the-portal"}
    requests.post(
        f"http://127.0.0.1:{unwatched_cobot.port}/oauth/access_token",
        data=form,
        headers={"Host": urlsplit(unwatched_cobot.issuer).netloc},
        timeout=60,
    ).raise_for_status()

    assert tokens[0].get("acr") == acr
