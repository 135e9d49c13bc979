"""Which published keys verify anything: K01-K07; RFC 7517, RFC 7518 section 6."""

import math
from typing import Any

import pytest

from cobot_oidc.protocol import CobotOIDCError, KeySet, ProviderError, TokenError

from .tokens import REMOVED, as_json, b64, ec_key, ed_key, integer, jwk, key_set, rsa_key, token, verify


def skipped(member: Any) -> None:
    """The member is skipped and counted, and the good one beside it works."""
    keys = KeySet.parse(as_json({"keys": [member, jwk(rsa_key())]}))
    assert (len(keys), keys.skipped, len(keys.reasons)) == (1, 1, 1)
    assert verify(token(), keys)
    alone = KeySet.parse(as_json({"keys": [member]}))
    assert (len(alone), alone.skipped) == (0, 1)
    with pytest.raises(TokenError):
        verify(token(), alone)


MODULUS = rsa_key().public_key().public_numbers().n


@pytest.mark.covers("K01")
@pytest.mark.parametrize(
    "changes",
    [
        {"n": integer(rsa_key(0, 1024).public_key().public_numbers().n)},
        {"n": integer((1 << 2046) | 1)},
        {"n": integer((1 << 2047) | 2)},
        {"n": integer(0)},
        {"n": integer((1 << 8192) | 1)},
        {"n": integer((1 << 16383) | 1)},
        {"n": integer((1 << 100_000) | 1)},
        {"n": ""},
        {"n": b64(b"\0" + MODULUS.to_bytes(256, "big"))},
        {"n": integer(MODULUS) + "="},
        {"n": "!!"},
        {"n": 1},
        {"n": REMOVED},
        {"e": integer(1)},
        {"e": integer(3)},
        {"e": integer(17)},
        {"e": integer(65536)},
        {"e": integer(2**32 + 1)},
        {"e": integer(MODULUS - 2)},
        {"e": b64(b"\0\1\0\1")},
        {"e": REMOVED},
        {"e": 65537},
    ],
)
def test_a_weak_or_malformed_rsa_key(changes: dict[str, Any]) -> None:
    skipped(jwk(rsa_key(), **changes))


@pytest.mark.covers("K02")
def test_a_key_of_which_the_private_half_can_be_worked_out() -> None:
    primes = [number for number in range(2, 168) if all(number % divisor for divisor in range(2, number))]
    product = math.prod(primes)
    above = -(-(2**2047) // product)
    for exponent in (1, 2, 65537):
        modulus = pow(65537, exponent, product) + product * (above + exponent)
        skipped(jwk(rsa_key()) | {"n": integer(modulus)})
    for prime in primes[1:]:
        other = pow(65537, 2, product) + product * above
        while other % prime in {pow(65537, power, prime) for power in range(prime)}:
            other += 2 * product // prime  # the same for every other prime
        assert len(KeySet.parse({"keys": [jwk(rsa_key()) | {"n": integer(other)}]})) == 1


@pytest.mark.covers("K01")
@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_a_strong_rsa_key(bits: int) -> None:
    key = rsa_key(0, bits)
    assert verify(token(key=key), key_set(jwk(key)))


@pytest.mark.covers("K03")
@pytest.mark.parametrize(
    "changes",
    [
        {"use": "enc"},
        {"use": ""},
        {"use": None},
        {"use": ["sig"]},
        {"key_ops": ["encrypt"]},
        {"key_ops": []},
        {"key_ops": ["verify", "verify"]},
        {"key_ops": "verify"},
        {"key_ops": [1]},
        {"key_ops": None},
        {"alg": "RSA-OAEP"},
        {"alg": "none"},
        {"alg": "ES256"},
        {"alg": "HS256"},
        {"alg": None},
        {"alg": ["RS256"]},
        {"ext": "x"},
    ],
)
def test_a_key_for_something_else(changes: dict[str, Any]) -> None:
    skipped(jwk(rsa_key(), **changes))


@pytest.mark.covers("K03")
def test_a_key_for_another_algorithm_is_kept_and_not_used() -> None:
    keys = key_set(jwk(rsa_key(), alg="RS512"))
    assert (len(keys), keys.skipped) == (1, 0)
    with pytest.raises(TokenError, match="key_unsuitable"):
        verify(token(), keys)


def test_a_key_for_verifying() -> None:
    for changes in ({"key_ops": ["verify"]}, {"use": REMOVED, "key_ops": ["sign", "verify"]}, {"ext": True, "x": 1}):
        assert verify(token(), key_set(jwk(rsa_key(), **changes)))


@pytest.mark.covers("K04")
@pytest.mark.parametrize(
    "member",
    [
        jwk(rsa_key(), d="AQAB"),
        jwk(rsa_key(), p="AQAB"),
        jwk(rsa_key(), oth=[]),
        jwk(ec_key(), d="AQAB"),
        {"kty": "oct", "k": b64(b"secret"), "kid": "k1", "alg": "HS256"},
        {"kty": "oct", "kid": "k1"},
    ],
)
def test_a_secret_that_was_published(member: dict[str, Any]) -> None:
    skipped(member)


@pytest.mark.covers("J24", "K06")
@pytest.mark.parametrize(
    "member",
    [
        {},
        None,
        [],
        "key",
        7,
        {"kty": "RSA"},
        {"kty": "XYZ"},
        {"kty": ["RSA"]},
        {"kty": {"a": 1}},
        {"kty": None},
        {"keys": [jwk(rsa_key())]},
        jwk(rsa_key(), kid=1),
        jwk(rsa_key(), kid=""),
        jwk(rsa_key(), kid="x" * 257),
        jwk(rsa_key(), kid=["k1"]),
        jwk(ec_key(), crv="P-192"),
        jwk(ec_key(), crv="secp256k1"),
        jwk(ec_key(), crv="P-384"),
        jwk(ec_key(), crv=["P-256"]),
        jwk(ec_key(), crv=REMOVED),
        jwk(ec_key(), x=b64(bytes(32))),  # J24: not on the curve
        jwk(ec_key(), x=b64(bytes(31))),
        jwk(ec_key(), x=b64(bytes(33))),
        jwk(ec_key(), y=REMOVED),
        jwk(ed_key(), crv="Ed448"),
        jwk(ed_key(), crv="X25519"),
        jwk(ed_key(), x=b64(bytes(31))),
    ],
)
def test_a_member_that_is_no_key(member: Any) -> None:
    skipped(member)


@pytest.mark.covers("J24")
@pytest.mark.parametrize("sign", [0x00, 0x80])
@pytest.mark.parametrize(
    "y",
    [
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    ],
)
def test_a_point_that_anybody_can_sign_for(y: str, sign: int) -> None:
    encoded = bytearray.fromhex(y)
    encoded[-1] |= sign
    skipped({"kty": "OKP", "crv": "Ed25519", "x": b64(bytes(encoded))})


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_every_curve(curve: str) -> None:
    key = ec_key(curve)
    alg = jwk(key)["alg"]
    assert verify(token(key=key, alg=alg), key_set(jwk(key)), algorithms=(alg,))


@pytest.mark.covers("K05")
def test_two_keys_of_one_name() -> None:
    with pytest.raises(TokenError, match="key_ambiguous"):
        verify(token(), key_set(jwk(rsa_key()), jwk(rsa_key(1))))
    assert verify(token(), key_set(jwk(rsa_key()), jwk(rsa_key())))
    assert verify(token(), key_set(jwk(rsa_key()), jwk(ec_key()), jwk(rsa_key(1), use="enc")))


@pytest.mark.covers("K07")
@pytest.mark.parametrize(
    "document",
    [
        {},
        {"keys": {}},
        {"keys": None},
        {"keys": "x"},
        {"keys": []},
        {"keys": [jwk(rsa_key())] * 51},
        {"keys": [{}] * 10_000},
        [],
        [jwk(rsa_key())],
        None,
        "keys",
    ],
)
def test_what_is_no_key_set(document: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        KeySet.parse(as_json(document))
    assert caught.value.code == "key_set_unusable"
    if isinstance(document, dict):
        with pytest.raises(ProviderError):
            KeySet.parse(document)


@pytest.mark.covers("J18", "N04")
@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>",
        b"\xef\xbb\xbf{}",
        b'{"keys":[],"keys":[]}',
        b'{"keys":[NaN]}',
        b"[" * 100_000,
        b'{"keys":[' + b" " * 65_536 + b"]}",
        as_json({"keys": [jwk(rsa_key())]}).decode().encode("utf-16"),
    ],
)
def test_what_is_no_strict_json(document: bytes) -> None:
    with pytest.raises(ProviderError):
        KeySet.parse(document)


def test_the_operator_is_told_which_key_and_why() -> None:
    keys = key_set(jwk(rsa_key(), use="enc"), jwk(rsa_key()), {"kty": "oct"})
    assert [reason.partition(": ")[0] for reason in keys.reasons] == ["key 0", "key 2"]
    assert all(reason.partition(": ")[2] and not reason.partition(": ")[2].startswith("X") for reason in keys.reasons)


@pytest.mark.covers("K07")
def test_fifty_keys_are_read() -> None:
    keys = key_set(*(jwk(rsa_key(), kid=f"k{number}") for number in range(50)))
    assert (len(keys), keys.skipped) == (50, 0)
    assert verify(token(header={"kid": "k49"}), keys)


def test_a_key_set_can_come_as_a_mapping() -> None:
    keys = KeySet.parse({"keys": [jwk(rsa_key())]})
    assert [key.kid for key in keys] == ["k1"]
    assert keys.same_material(key_set())
    assert not keys.same_material(key_set(jwk(rsa_key(1))))


@pytest.mark.covers("K04", "L02")
def test_reasons_name_no_secret() -> None:
    keys = KeySet.parse(as_json({"keys": [jwk(rsa_key(), d="s3cret-exponent"), {"kty": "oct", "k": "s3cret"}]}))
    assert "s3cret" not in repr(keys)
    assert all(isinstance(reason, str) for reason in keys.reasons)
    assert issubclass(ProviderError, CobotOIDCError)
