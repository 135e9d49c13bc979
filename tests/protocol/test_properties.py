"""Whatever comes: a changed token is rejected, any value anywhere is rejected or valid, and nothing else."""

from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cobot_oidc.protocol import CobotOIDCError, KeySet, ProviderMetadata, TokenError, verify_jws

from .tokens import ISSUER, as_json, claims, jwk, key_set, rsa_key, token, verify

GOOD = token(claims(email="ada@example.org", picture="https://pictures.example/a.jpg"))

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([ISSUER, "portal", "RS256", "none", "k1", 2**53, 10**400, "\ud800", "\0", "x" * 2000]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
CLAIM_NAMES = st.sampled_from(
    [
        "iss",
        "aud",
        "sub",
        "exp",
        "iat",
        "nbf",
        "nonce",
        "azp",
        "at_hash",
        "auth_time",
        "name",
        "email",
        "picture",
        "email_verified",
        "locale",
        "x",
    ]
)
HEADER_NAMES = st.sampled_from(
    ["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5u", "x5c", "cty", "enc", "zip", "x"]
)


@cache
def keys() -> KeySet:
    return key_set()


@given(st.integers(0, len(GOOD) - 1), st.characters(max_codepoint=0x17F))
def test_one_changed_character_is_one_too_many(place: int, other: str) -> None:
    spoilt = GOOD[:place] + other + GOOD[place + 1 :]
    if spoilt != GOOD:
        with pytest.raises(TokenError):
            verify(spoilt, keys())


@pytest.mark.parametrize(
    "spoil", [lambda t, n: t[:n] + t[n + 1 :], lambda t, n: t[:n] + "A" + t[n:], lambda t, n: t[:n]]
)
def test_one_character_more_or_less_is_rejected(spoil: Any) -> None:
    for place in range(0, len(GOOD), 7):
        spoilt = spoil(GOOD, place)
        if spoilt != GOOD:
            with pytest.raises(TokenError):
                verify(spoilt, keys())


@given(CLAIM_NAMES, JSON_VALUES)
def test_any_value_in_any_claim_is_rejected_or_valid(name: str, value: Any) -> None:
    try:
        verified = verify(token(claims(**{name: value})), keys())
    except CobotOIDCError:
        return
    assert verified.subject.isascii()
    assert verified.name is None or verified.name.isprintable() or "\u200c" in verified.name or verified.name
    assert verified.picture is None or verified.picture.startswith("https://")
    "".join(str(part) for part in verified.values()).encode()


@given(HEADER_NAMES, JSON_VALUES)
def test_any_value_in_any_header_is_rejected_or_valid(name: str, value: Any) -> None:
    signed = token(header={name: value})
    for check in (lambda: verify(signed, keys()), lambda: verify_jws(signed, keys())):
        try:
            check()
        except CobotOIDCError:
            continue


@given(st.dictionaries(st.text(max_size=8), JSON_VALUES) | JSON_VALUES)
def test_any_payload_is_rejected_or_valid(payload: Any) -> None:
    with pytest.raises(TokenError):
        verify(token(as_json(payload)), keys())


@given(st.text(max_size=400) | JSON_VALUES)
def test_anything_as_a_token_is_rejected(value: Any) -> None:
    with pytest.raises(TokenError):
        verify(value, keys())


MEMBER_NAMES = st.sampled_from(
    ["kty", "n", "e", "crv", "x", "y", "kid", "alg", "use", "key_ops", "ext", "d", "k", "x5c"]
)


@given(st.dictionaries(MEMBER_NAMES, JSON_VALUES))
def test_any_member_of_a_key_set_is_usable_or_skipped(changes: dict[str, Any]) -> None:
    try:
        keys = KeySet.parse(as_json({"keys": [jwk(rsa_key()) | changes, jwk(rsa_key(1), kid="k2")]}))
    except CobotOIDCError:
        return
    assert len(keys) + keys.skipped == 2
    assert "k2" in [key.kid for key in keys]


@given(st.binary(max_size=200) | JSON_VALUES.map(as_json) | st.dictionaries(st.just("keys"), JSON_VALUES).map(as_json))
def test_any_document_is_read_or_refused(document: bytes) -> None:
    for read in (KeySet.parse, lambda data: ProviderMetadata.parse(data, issuer=ISSUER)):
        try:
            read(document)
        except CobotOIDCError:
            continue


@given(
    st.sampled_from(["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"]),
    JSON_VALUES,
)
def test_any_value_in_a_document_is_refused_or_safe(name: str, value: Any) -> None:
    good = {key: f"{ISSUER}/{key}" for key in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    try:
        metadata = ProviderMetadata.parse(as_json({"issuer": ISSUER} | good | {name: value}), issuer=ISSUER)
    except CobotOIDCError:
        return
    for endpoint in (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri):
        assert endpoint.startswith("https://")
