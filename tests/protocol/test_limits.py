"""The limits, as docs/protocol.md lists them: what is at a limit passes, what is one beyond does not."""

from typing import Any

import pytest

from cobot_oidc.protocol import KeySet, ProviderError, ProviderMetadata, TokenError, safe_next, verify_jws
from cobot_oidc.protocol.id_token import Expected, UnverifiedIDToken
from cobot_oidc.protocol.strict_json import JSONError, loads

from .tokens import (
    CLIENT_ID,
    ISSUER,
    NONCE,
    NOW,
    REMOVED,
    as_json,
    at_hash,
    b64,
    claims,
    ec_key,
    ed_key,
    jwk,
    key_set,
    rsa_key,
    token,
    verify,
)


def nested(depth: int, opening: str = "[", closing: str = "]", inner: bytes = b"") -> bytes:
    return opening.encode() * depth + inner + closing.encode() * depth


def reason(data: bytes, **options: Any) -> str | None:
    """Why this is refused, ``None`` where it is read."""
    try:
        loads(data, **options)
    except JSONError as error:
        return error.reason
    return None


@pytest.mark.covers("J16", "J18", "J19", "J20")
@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        pytest.param(nested(32), nested(33), "too_deep", id="arrays"),  # J18
        pytest.param(nested(16, '[{"a":', "}]", b"1"), nested(16, '[{"a":', "}]", b"[]"), "too_deep", id="both"),
        pytest.param(b"[" + b"[]," * 40 + b"[]]", b"[" + b"[]," * 40 + nested(32) + b"]", "too_deep", id="wide"),
        pytest.param(b"[" + b"[]," * 40 + b"[]]", b"[" + nested(32) + b",[]]", "too_deep", id="side by side"),
        pytest.param(
            b'["' + b"[" * 40 + b'"]', b'["' + b'\\"' * 40 + b'",' + nested(32) + b"]", "too_deep", id="quoted"
        ),
        pytest.param(b'["' + b"]" * 40 + b'"]', b'["]]]",' + nested(32) + b"]", "too_deep", id="closing quoted"),
        pytest.param(b"9007199254740992", b"9007199254740993", "number", id="2^53"),  # J19
        pytest.param(b"-9007199254740992", b"-9007199254740993", "number", id="-2^53"),
        pytest.param(b"999999999999999", b"9" * 5000, "number", id="Python's digit limit"),
        pytest.param(b"999999999999999", b"1" + b"0" * 17, "number", id="18 digits"),
        pytest.param(b"0." + b"1" * 398, b"0." + b"1" * 399, "number", id="digits of a fraction"),
        pytest.param(b"1e308", b"1e309", "number", id="infinite"),
        pytest.param(b"-1.5E-3", b"-Infinity", "number", id="-Infinity"),
        pytest.param(b" \t\r\n{} \t\r\n", b"\x0b{}", "syntax", id="whitespace"),
        pytest.param(b"{}", b"X{}", "syntax", id="before"),
        pytest.param(b"{}", b"{}X", "syntax", id="after"),
        pytest.param(b'"\\ud83d\\ude00"', b'"\\ud83d"', "surrogate", id="half a character"),  # J20
        pytest.param('"\ufeff"'.encode(), b"\xef\xbb\xbf{}", "encoding", id="byte order mark"),
        pytest.param(b"{}", "{}".encode("utf-16"), "encoding", id="UTF-16"),
        pytest.param(b'{"a":1,"b":1}', b'{"a":1,"\\u0061":1}', "duplicate_name", id="escaped-equal names"),  # J16
    ],
)
def test_limits_of_json(good: bytes, bad: bytes, expected: str) -> None:
    assert reason(good) is None
    assert reason(bad) == expected


@pytest.mark.covers("L02")
@pytest.mark.parametrize(
    "secret", [b'{"access_token":"s3cret"', b'{"access_token":"s3cret\xff"}', b'{"s3cret":"\\ud800"}']
)
def test_what_cannot_be_read_does_not_travel_with_the_error(secret: bytes) -> None:
    with pytest.raises(JSONError) as caught:
        loads(secret)
    assert str(caught.value) == caught.value.reason
    assert caught.value.__context__ is None


@pytest.mark.covers("N02")
def test_json_is_bounded_in_bytes() -> None:
    assert reason(b'"' + b"a" * (256 * 1024 - 2) + b'"') is None
    assert reason(b'"' + b"a" * (256 * 1024 - 1) + b'"') == "too_large"
    assert reason(b"[1]", largest=3) is None
    assert reason(b"[11]", largest=3) == "too_large"


@pytest.mark.covers("J18")
def test_a_string_that_never_ends_is_read_in_linear_time() -> None:
    assert reason(b"[" * 33 + b'"' + b'\\"' * 100_000) == "too_deep"


def of_size(size: int) -> str:
    """A well signed token of so many characters."""
    for filler in range(4):
        header = {"alg": "RS256", "x": "x" * filler}
        rest = size - len(b64(as_json(header))) - len("..") - len(b64(bytes(256)))
        if rest % 4 != 1:  # no base64url has that length
            return token(b"a" * (rest * 3 // 4), raw_header=as_json(header))
    raise AssertionError


@pytest.mark.covers("J17")
def test_a_token_has_at_most_16_kb() -> None:
    largest = of_size(16 * 1024)
    assert len(largest) == 16 * 1024
    assert len(verify_jws(largest, key_set()).payload) > 11_000
    with pytest.raises(TokenError, match="token_too_large"):
        verify_jws(of_size(16 * 1024 + 1), key_set())


@pytest.mark.covers("J17")
def test_a_header_has_at_most_2_kb() -> None:
    def header(size: int) -> bytes:
        return b'{"alg":"RS256","x":"%s"}' % (b"a" * (size - 22))

    assert len(header(2048)) == 2048
    verify_jws(token(raw_header=header(2048)), key_set())
    with pytest.raises(TokenError, match="header_malformed"):
        verify_jws(token(raw_header=header(2049)), key_set())


@pytest.mark.covers("J21")
@pytest.mark.parametrize("raw", [b"[]", b'"alg"', b"1", b"null", b'["alg"]', b"", b"{", b'{"alg":"RS256"}x'])
def test_a_header_is_an_object(raw: bytes) -> None:
    with pytest.raises(TokenError) as caught:
        verify_jws(token(raw_header=raw), key_set())
    assert caught.value.code == ("token_malformed" if raw == b"" else "header_malformed")


@pytest.mark.covers("J06", "J09")
def test_a_kid_has_1_to_256_characters() -> None:
    for kid in ("a", "a" * 256):
        keys = key_set(jwk(rsa_key(), kid=kid))
        assert (len(keys), keys.skipped) == (1, 0)
        verify_jws(token(header={"kid": kid}), keys)
        with pytest.raises(TokenError) as unknown:
            verify_jws(token(header={"kid": "other"}), keys)
        assert (unknown.value.code, unknown.value.details["kid"]) == ("key_unknown", "'other'")
    for wrong in ("", "a" * 257, None, 1):
        assert key_set(jwk(rsa_key(), kid=wrong), jwk(rsa_key())).skipped == 1
        with pytest.raises(TokenError, match="kid_malformed"):
            verify_jws(token(header={"kid": wrong}), key_set())


@pytest.mark.covers("J07", "J08")
def test_a_token_without_a_kid_is_taken_unless_one_is_required() -> None:
    nameless = token(header={"kid": REMOVED})
    verify_jws(nameless, key_set())
    assert verify(nameless).subject == "u-1"
    assert verify(token(), require_kid=True).subject == "u-1"
    for check in (
        lambda: verify_jws(nameless, key_set(), require_kid=True),
        lambda: verify(nameless, require_kid=True),
    ):
        with pytest.raises(TokenError, match="kid_required"):
            check()


@pytest.mark.covers("N02")
def test_a_document_has_at_most_64_kb() -> None:
    def padded(document: dict[str, Any], size: int) -> bytes:
        return as_json(document).ljust(size)

    keys = {"keys": [jwk(rsa_key())]}
    metadata = {"issuer": ISSUER} | {
        name: f"{ISSUER}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
    }
    assert len(KeySet.parse(padded(keys, 64 * 1024))) == 1
    assert ProviderMetadata.parse(padded(metadata, 64 * 1024), issuer=ISSUER).issuer == ISSUER
    with pytest.raises(ProviderError, match="key_set_unusable"):
        KeySet.parse(padded(keys, 64 * 1024 + 1))
    with pytest.raises(ProviderError, match="metadata_unusable"):
        ProviderMetadata.parse(padded(metadata, 64 * 1024 + 1), issuer=ISSUER)


@pytest.mark.covers("R05")
def test_a_next_has_at_most_2048_characters() -> None:
    assert safe_next("/" + "a" * 2047) == "/" + "a" * 2047
    assert safe_next("/" + "a" * 2048) is None


@pytest.mark.covers("R02")
@pytest.mark.parametrize("path", ["/%2561", "/a%252525252fb", "/a%2525252f/b", "/?a=%2f%2fevil", "/#//evil"])
def test_a_path_that_means_the_same_however_often_it_is_decoded(path: str) -> None:
    assert safe_next(path) == path


@pytest.mark.covers("R02")
@pytest.mark.parametrize("path", ["/a%2f/b", "/a%252f/b", "/a%25252f/b", "/%25252e%25252e/a"])
def test_a_path_that_changes_when_it_is_decoded_up_to_three_times(path: str) -> None:
    assert safe_next(path) is None


@pytest.mark.covers("K01")
@pytest.mark.parametrize(
    ("bits", "usable"), [(2047, False), (2048, True), (8192, True), (8193, False), (1_000_000 // 8, False)]
)
def test_an_rsa_modulus_has_2048_to_8192_bits(bits: int, usable: bool) -> None:
    modulus = b64(((1 << (bits - 1)) + 1).to_bytes((bits + 7) // 8, "big"))
    assert len(key_set(jwk(rsa_key(), n=modulus), jwk(rsa_key()))) == 1 + usable


@pytest.mark.covers("K01")
@pytest.mark.parametrize(
    ("exponent", "usable"),
    [(3, False), (65535, False), (65536, False), (65537, True), (2**32 - 1, True), (2**32 + 1, False), (2**64, False)],
)
def test_an_rsa_exponent_is_odd_and_has_17_to_32_bits(exponent: int, usable: bool) -> None:
    e = b64(exponent.to_bytes((exponent.bit_length() + 7) // 8, "big"))
    assert len(key_set(jwk(rsa_key(), e=e), jwk(rsa_key()))) == 1 + usable


@pytest.mark.covers("K03", "K04", "K06")
@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ("AQAB", "not an object"),
        ({"kty": "oct", "k": "AAAA"}, "symmetric"),
        *[(jwk(rsa_key()) | {name: "AQAB"}, "private") for name in ("d", "p", "q", "dp", "dq", "qi", "oth", "k")],
        (jwk(rsa_key(), use="enc"), "use is not sig"),
        (jwk(rsa_key(), key_ops="verify"), "key_ops is not a list"),
        (jwk(rsa_key(), key_ops=["verify", 1]), "key_ops is not a list"),
        (jwk(rsa_key(), key_ops=["sign"]), "not for verifying"),
        (jwk(rsa_key(), key_ops=["verify", "verify"]), "not for verifying"),
        (jwk(rsa_key(), ext="true"), "ext"),
        (jwk(rsa_key(), kty="X"), "unknown kty"),
        (jwk(rsa_key(), kid=""), "kid"),
        (jwk(rsa_key(), alg="ES256"), "alg does not fit"),
        (jwk(rsa_key(), n=jwk(rsa_key())["n"] + "="), "canonical"),
        (jwk(rsa_key(), n="AAAA" + jwk(rsa_key())["n"]), "Base64urlUInt"),
        (jwk(rsa_key(), n=""), "Base64urlUInt"),
        (jwk(rsa_key(), e=65537), "not a string"),
        (jwk(rsa_key(), e=REMOVED), "missing"),
        (jwk(rsa_key(), e="\u212a"), "canonical"),
        (jwk(ec_key(), crv="secp256k1"), "unknown crv"),
        (jwk(ec_key(), x=b64(bytes(31))), "x does not have the length"),
        (jwk(ec_key(), y=b64(bytes(33))), "y does not have the length"),
        (jwk(ec_key(), y=b64(bytes(32))), "cryptography library"),
    ],
)
def test_the_operator_is_told_why_a_key_is_skipped(member: Any, reason: str) -> None:
    keys = key_set(jwk(rsa_key()), member)
    assert (len(keys), keys.skipped) == (1, 1)
    assert keys.reasons[0].startswith("key 1: ")
    assert reason in keys.reasons[0]


def test_extractable_or_not_makes_no_difference() -> None:
    assert len(key_set(jwk(rsa_key(), ext=False))) == 1
    assert len(key_set(jwk(rsa_key(), ext=True))) == 1


@pytest.mark.covers("K10")
def test_key_sets_of_the_same_material_are_told_from_others() -> None:
    one = key_set(jwk(rsa_key()), jwk(ec_key(), kid="k2"))
    assert one.same_material(key_set(jwk(ec_key(), kid="k2"), jwk(rsa_key()), {"kty": "oct"}))
    assert list(one) == list(one.keys)
    for other in (
        key_set(jwk(rsa_key())),
        key_set(jwk(rsa_key()), jwk(ec_key(), kid="k3")),
        key_set(jwk(rsa_key(), alg="RS512"), jwk(ec_key(), kid="k2")),
        key_set(jwk(rsa_key(1)), jwk(ec_key(), kid="k2")),
    ):
        assert not one.same_material(other)


@pytest.mark.covers("C13", "C20")
@pytest.mark.parametrize(
    ("auth_time", "code", "difference"),
    [
        (NOW + 60, None, 0),
        (NOW + 61, "clock_skew", 61),
        (NOW - 360, None, 0),
        (NOW - 361, "authentication_too_old", 361),
    ],
)
def test_how_long_ago_an_authentication_may_be(auth_time: int, code: str | None, difference: int) -> None:
    signed = token(claims(auth_time=auth_time))
    if code is None:
        assert verify(signed, max_age=300)["auth_time"] == auth_time
        return
    with pytest.raises(TokenError) as caught:
        verify(signed, max_age=300)
    assert (caught.value.code, caught.value.details["difference_seconds"]) == (code, difference)


@pytest.mark.covers("J19", "C05")
def test_a_time_is_positive_and_below_2_to_the_53() -> None:
    for name, limit in (("nbf", 0.5), ("nbf", 1)):
        assert verify(token(claims(**{name: limit})))[name] == limit
    for wrong in (0, -1, -0.5, 2**53, True):
        with pytest.raises(TokenError, match="time_malformed"):
            verify(token(claims(nbf=wrong)))


@pytest.mark.covers("C12")
@pytest.mark.parametrize(
    ("alg", "key", "digest"),
    [
        ("RS256", rsa_key(), "sha256"),
        ("RS384", rsa_key(), "sha384"),
        ("PS512", rsa_key(), "sha512"),
        ("ES256", ec_key(), "sha256"),
        ("ES384", ec_key("P-384"), "sha384"),
        ("ES512", ec_key("P-521"), "sha512"),
        ("EdDSA", ed_key(), "sha512"),
        ("Ed25519", ed_key(), "sha512"),
    ],
)
def test_at_hash_is_of_the_algorithms_own_digest(alg: str, key: Any, digest: str) -> None:
    keys = key_set(jwk(key, alg=alg))
    for used in ("sha256", "sha384", "sha512"):
        signed = token(claims(at_hash=at_hash("access", used)), key=key, alg=alg)
        options: dict[str, Any] = {"algorithms": (alg,), "access_token": "access"}
        if used == digest:
            assert verify(signed, keys, **options).subject == "u-1"
            continue
        with pytest.raises(TokenError, match="at_hash_mismatch"):
            verify(signed, keys, **options)


@pytest.mark.covers("K07", "N04")
@pytest.mark.parametrize("document", [None, 1, "{}", [], b"[]", b"", b"null", b"1", b'"x"', b"{", {}, {"keys": None}])
def test_what_is_no_object_is_no_document(document: Any) -> None:
    with pytest.raises(ProviderError, match="key_set_unusable"):
        KeySet.parse(document)
    with pytest.raises(ProviderError, match=r"metadata_unusable|metadata_issuer_mismatch"):
        ProviderMetadata.parse(document, issuer=ISSUER)
    assert safe_next(document) is None


@pytest.mark.covers("L02")
def test_what_travels_shows_no_secret() -> None:
    expected = Expected(ISSUER, CLIENT_ID, NONCE)
    unverified = UnverifiedIDToken.parse(token(), expected, now=NOW)
    verified = verify_jws(token(), key_set())
    for shown in map(repr, (expected, unverified, unverified.jws, verified)):
        assert NONCE not in shown
        assert "u-1" not in shown


def test_what_is_expected_has_defaults() -> None:
    nameless = token(header={"kid": REMOVED})
    unverified = UnverifiedIDToken.parse(nameless, Expected(ISSUER, CLIENT_ID, NONCE), now=NOW)
    assert unverified.verify(key_set(), access_token=None).subject == "u-1"
