"""A helper makes a valid token; each test spoils one thing."""

import base64
import hashlib
import json
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from cobot_oidc.protocol import Claims, KeySet, verify_id_token

ISSUER = "https://co-up.cobot.me"
CLIENT_ID = "portal"
NONCE = "n-0S6_WzA2Mj"
NOW = 1_800_000_000

REMOVED: Any = object()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def as_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


@cache
def rsa_key(number: int = 0, bits: int = 2048, exponent: int = 65537) -> rsa.RSAPrivateKey:
    del number  # tells keys of one size apart
    return rsa.generate_private_key(public_exponent=exponent, key_size=bits)


@cache
def ec_key(curve: str = "P-256", number: int = 0) -> ec.EllipticCurvePrivateKey:
    del number
    curves = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1(), "secp256k1": ec.SECP256K1()}
    return ec.generate_private_key(curves[curve])


@cache
def ed_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def integer(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8 or 1, "big"))


def jwk(key: Any, **members: Any) -> dict[str, Any]:
    """The public key as a member of a key set; ``REMOVED`` leaves a member out."""
    public = key.public_key()
    document: dict[str, Any]
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        document = {"kty": "RSA", "n": integer(numbers.n), "e": integer(numbers.e), "alg": "RS256"}
    elif isinstance(public, ec.EllipticCurvePublicKey):
        name, alg, size = {
            256: ("P-256", "ES256", 32),
            384: ("P-384", "ES384", 48),
            521: ("P-521", "ES512", 66),
        }[public.curve.key_size]
        point = public.public_numbers()
        coordinates = {"x": b64(point.x.to_bytes(size, "big")), "y": b64(point.y.to_bytes(size, "big"))}
        document = {"kty": "EC", "crv": name, "alg": alg, **coordinates}
    else:
        document = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": b64(public.public_bytes_raw())}
    document |= {"kid": "k1", "use": "sig"} | members
    return {name: value for name, value in document.items() if value is not REMOVED}


def key_set(*members: Any) -> KeySet:
    return KeySet.parse(as_json({"keys": list(members) or [jwk(rsa_key())]}))


def claims(**changes: Any) -> dict[str, Any]:
    good = {
        "iss": ISSUER,
        "aud": CLIENT_ID,
        "sub": "u-1",
        "nonce": NONCE,
        "iat": NOW,
        "exp": NOW + 3600,
        "name": "Ada Lovelace",
    }
    return {name: value for name, value in (good | changes).items() if value is not REMOVED}


def sign(key: Any, alg: str, signing_input: bytes) -> bytes:
    if alg in ("EdDSA", "Ed25519"):
        return bytes(key.sign(signing_input))
    digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[alg[2:]]
    if alg.startswith("RS"):
        return bytes(key.sign(signing_input, padding.PKCS1v15(), digest))
    if alg.startswith("PS"):
        salt = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
        return bytes(key.sign(signing_input, salt, digest))
    r, s = decode_dss_signature(key.sign(signing_input, ec.ECDSA(digest)))
    size = (key.curve.key_size + 7) // 8
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def token(
    payload: Any = None, header: Any = None, *, key: Any = None, alg: str = "RS256", raw_header: bytes | None = None
) -> str:
    """A signed token; ``payload`` and ``raw_header`` may be any bytes."""
    head = {"alg": alg, "kid": "k1", "typ": "JWT"} | (header or {})
    head = {name: value for name, value in head.items() if value is not REMOVED}
    first = b64(raw_header if raw_header is not None else as_json(head))
    middle = b64(payload if isinstance(payload, bytes) else as_json(claims() if payload is None else payload))
    signing_input = f"{first}.{middle}"
    return f"{signing_input}.{b64(sign(key or rsa_key(), alg, signing_input.encode()))}"


def verify(token_: Any, keys: KeySet | None = None, **changes: Any) -> Claims:
    expected: dict[str, Any] = {"issuer": ISSUER, "client_id": CLIENT_ID, "nonce": NONCE, "now": NOW}
    return verify_id_token(token_, key_set() if keys is None else keys, **(expected | changes))


def at_hash(access_token: str, digest: str = "sha256") -> str:
    value = hashlib.new(digest, access_token.encode()).digest()
    return b64(value[: len(value) // 2])
