"""A signed userinfo response, claim by claim (OpenID Connect Core 5.3.2)."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from joserfc import jws

from cobot_oidc.errors import CobotOIDCError, ProviderError, TokenError
from cobot_oidc.protocol import KeySet
from cobot_oidc.protocol.id_token import Expected
from cobot_oidc.protocol.userinfo import UnverifiedUserinfo, check_subject
from cobot_oidc.standin.keys import SigningKeys, rsa_key

ISSUER, NOW = "https://op.example", 1_800_000_000
KEYS = SigningKeys()
EXPECTED = Expected(ISSUER, "portal", None)
GOOD = {"iss": ISSUER, "aud": "portal", "sub": "ada", "email": "ada@example.org", "name": "a\x00b"}


@cache
def published() -> KeySet:
    return KeySet.parse(KEYS.document())


def signed(header: dict[str, Any] | None = None, **changes: Any) -> bytes:
    claims = {name: value for name, value in (GOOD | changes).items() if value is not ...}
    members = {"alg": "RS256", "kid": KEYS.kid} | (header or {})
    return jws.serialize_compact(members, json.dumps(claims).encode(), KEYS.signing_key).encode()


def parse(body: bytes, expected: Expected = EXPECTED) -> UnverifiedUserinfo:
    return UnverifiedUserinfo.parse(body, expected, subject="ada", now=NOW)


def failure(call: Callable[[], object]) -> CobotOIDCError:
    with pytest.raises(CobotOIDCError) as raised:
        call()
    return raised.value


def test_an_answer_is_read_once_it_is_verified_and_its_claims_are_cleaned() -> None:
    unverified = parse(signed())

    claims = unverified.verify(published())

    assert dict(claims) == {"iss": ISSUER, "aud": "portal", "sub": "ada", "email": "ada@example.org"}
    assert unverified.jws.is_signed_by(published(), require_kid=False)
    assert "ada" not in repr(unverified)


@pytest.mark.covers("P11")
def test_the_signature_is_of_a_published_key_and_a_kid_may_be_required() -> None:
    others = KeySet.parse({"keys": [{**rsa_key(3).as_dict(private=False), "kid": KEYS.kid}]})
    assert not parse(signed()).jws.is_signed_by(others, require_kid=False)
    assert failure(lambda: parse(signed()).verify(others)).code == "signature_invalid"
    strict = EXPECTED._replace(require_kid=True)
    nameless = jws.serialize_compact({"alg": "RS256"}, json.dumps(GOOD).encode(), KEYS.signing_key).encode()
    assert parse(nameless).verify(published())["sub"] == "ada"
    assert failure(lambda: parse(nameless, strict).verify(published())).code == "kid_required"


@pytest.mark.covers("P11")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://op.example/"}, "issuer_mismatch"),
        ({"iss": ...}, "issuer_mismatch"),
        ({"aud": "another"}, "audience_mismatch"),
        ({"aud": ...}, "audience_mismatch"),
        ({"aud": ["portal", "another"], "azp": "portal"}, "audience_untrusted"),
        ({"azp": "another"}, "authorized_party_mismatch"),
        ({"sub": ...}, "subject_malformed"),
        ({"sub": "x" * 256}, "subject_malformed"),
        ({"sub": "grace"}, "userinfo_unusable"),
        ({"exp": NOW - 60}, "expired"),
        ({"exp": None}, "time_malformed"),
        ({"exp": NOW + 400 * 86400}, "exp_too_far"),
        ({"iat": NOW + 61}, "clock_skew"),
        ({"iat": NOW - 601}, "issued_too_long_ago"),
        ({"iat": "now"}, "time_malformed"),
        ({"nbf": NOW + 61}, "not_yet_valid"),
        ({"nonce": "n"}, "token_type_wrong"),
        ({"at_hash": None}, "token_type_wrong"),
        ({"events": {}}, "token_type_wrong"),
    ],
)
def test_a_claim_that_is_not_as_expected(changes: dict[str, Any], code: str) -> None:
    assert failure(lambda: parse(signed(**changes))).code == code


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["portal"]},
        {"azp": "portal"},
        {"exp": NOW - 59, "iat": NOW - 600, "nbf": NOW + 60},
        {"exp": NOW + 60, "iat": NOW + 60},
    ],
)
def test_what_may_be_there_as_well(changes: dict[str, Any]) -> None:
    assert parse(signed(**changes)).verify(published())["sub"] == "ada"


def test_when_the_person_logged_in_is_a_matter_of_the_id_token() -> None:
    old = signed(auth_time=NOW - 3600)

    assert parse(old, EXPECTED._replace(max_age=60)).verify(published())["auth_time"] == NOW - 3600


@pytest.mark.covers("P11")
def test_further_audiences_are_those_of_id_tokens() -> None:
    two = signed(aud=["portal", "api"], azp="portal")

    assert parse(two, EXPECTED._replace(trusted_audiences=("api",))).verify(published())["sub"] == "ada"


@pytest.mark.covers("P11", "J12")
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"a.b.c.d.e", "userinfo_encrypted"),
        (b"....", "userinfo_encrypted"),
        (b"a.b.c.d", "token_malformed"),
        (b"a.b", "token_malformed"),
        (b"", "token_malformed"),
        (b"\xff.b.c", "token_malformed"),
        (b"a" * (16 * 1024 + 1), "token_too_large"),
    ],
)
def test_what_is_no_signed_token(body: bytes, code: str) -> None:
    error = failure(lambda: parse(body))

    assert error.code == code
    assert isinstance(error, ProviderError if code == "userinfo_encrypted" else TokenError)


@pytest.mark.covers("P11", "J22")
def test_another_algorithm_or_kind_is_refused_before_any_key_is_looked_at() -> None:
    assert failure(lambda: parse(signed(), EXPECTED._replace(algorithms=("ES256",)))).code == "algorithm_forbidden"
    assert failure(lambda: parse(signed({"typ": "at+jwt"}))).code == "token_type_wrong"


@pytest.mark.parametrize(
    "typ", ["JWT", "application/jwt", "userinfo+jwt", "token-userinfo+jwt", "application/token-userinfo+jwt"]
)
def test_an_answer_may_say_that_it_is_userinfo(typ: str) -> None:
    assert parse(signed({"typ": typ})).jws.is_signed_by(published(), require_kid=False)


@pytest.mark.covers("P11", "J22")
@pytest.mark.parametrize("name", ["nonce", "at_hash", "events"])
def test_whatever_it_says_another_token_is_no_userinfo(name: str) -> None:
    """Glewlwyd, for one, calls its answers so; an id token in such a wrapping is still none."""
    assert failure(lambda: parse(signed({"typ": "token-userinfo+jwt"}, **{name: "x"}))).code == "token_type_wrong"


@pytest.mark.covers("O04")
def test_the_subject_is_compared_exactly() -> None:
    check_subject({"sub": "ada"}, "ada")
    for sub in ("Ada", "ada ", None, ["ada"], 5):
        with pytest.raises(ProviderError, match="userinfo_unusable"):
            check_subject({"sub": sub}, "ada")
