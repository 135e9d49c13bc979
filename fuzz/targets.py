"""What a fuzzer may do to the readers: bytes in, and nothing out but a value that keeps the rules, or an error of ours.

Each target takes any bytes. It fails by raising anything that is not a ``CobotOIDCError``, or an ``AssertionError``
where something came through that should not have.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from cobot_oidc.protocol import (
    Claims,
    CobotOIDCError,
    KeySet,
    ProviderMetadata,
    safe_next,
    verify_id_token,
    verify_jws,
)
from cobot_oidc.protocol.id_token import Expected
from cobot_oidc.protocol.logout_token import EVENT, UnverifiedLogoutToken
from cobot_oidc.protocol.strict_json import JSONError, loads

ISSUER = "https://www.cobot.me"
CLIENT_ID = "portal"
NONCE = "nonce"
NOW = 1_800_000_000
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")


_RS256 = RSAAlgorithm(RSAAlgorithm.SHA256)


@cache
def _signing_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@cache
def _keys() -> KeySet:
    return KeySet.parse({"keys": [RSAAlgorithm.to_jwk(_signing_key().public_key(), as_dict=True)]})


def _signed(header: bytes, payload: bytes) -> str:
    signing_input = b".".join(map(_b64, (header, payload)))
    return (signing_input + b"." + _b64(_RS256.sign(signing_input, _signing_key()))).decode()


def _verified(token: str) -> Claims | None:
    try:
        return verify_id_token(
            token, _keys(), issuer=ISSUER, client_id=CLIENT_ID, nonce=NONCE, now=NOW, algorithms=ALGORITHMS
        )
    except CobotOIDCError:
        return None


def token(data: bytes) -> None:
    """Any text as a token: none is signed, so none gets through."""
    text = data.decode("utf-8", "surrogateescape")
    assert _verified(text) is None
    try:
        verify_jws(text, _keys(), algorithms=ALGORITHMS)
    except CobotOIDCError:
        return
    raise AssertionError("a token that nobody signed")


def payload(data: bytes) -> None:
    """Any bytes, well signed: what gets through is what was expected, and clean."""
    claims = _verified(_signed(b'{"alg":"RS256"}', data))
    if claims is None:
        return
    said = json.loads(data)  # another reader understands the same
    assert (said["iss"], said["aud"] in (CLIENT_ID, [CLIENT_ID]), said["nonce"]) == (ISSUER, True, NONCE)
    assert said["exp"] > NOW - 60
    assert said["iat"] <= NOW + 60
    assert claims.subject == said["sub"]
    assert claims.subject.isascii()
    assert claims.subject.isprintable()
    for text in (claims.name, claims.email, claims.picture, claims.phone_number):
        assert text is None or (0 < len(text) <= 1000 and not set(text) & set("\0\r\n\x1b\u202e"))
    assert claims.picture is None or claims.picture.startswith("https://")
    json.dumps(dict(claims), ensure_ascii=False).encode()  # fit for a cookie


def logout_payload(data: bytes) -> None:
    """Any bytes as what a logout token says, well signed: strangers may send it."""
    try:
        unverified = UnverifiedLogoutToken.parse(_signed(b'{"alg":"RS256","typ":"logout+jwt"}', data), ALGORITHMS)
        unverified.check(Expected(ISSUER, CLIENT_ID, nonce=None), now=NOW)
        logout = unverified.verify(_keys(), require_kid=False)
    except CobotOIDCError:
        return
    said = json.loads(data)
    assert (said["iss"], said["aud"] in (CLIENT_ID, [CLIENT_ID]), "nonce" in said) == (ISSUER, True, False)
    assert (logout.issuer, logout.subject, logout.sid) == (ISSUER, said.get("sub"), said.get("sid"))
    assert logout.subject or logout.sid
    assert isinstance(said["events"][EVENT], dict)
    assert said["exp"] > NOW - 60
    assert 0 < len(logout.jti) <= 255


def header(data: bytes) -> None:
    """Any bytes as a header, well signed."""
    try:
        verified = verify_jws(_signed(data, b"{}"), _keys())
    except CobotOIDCError:
        return
    assert verified.header["alg"] == "RS256"
    assert not verified.header.keys() & {"crit", "b64", "jwk", "jku", "x5u", "x5c", "enc", "zip"}


def key_set(data: bytes) -> None:
    """Any bytes as a key set."""
    try:
        keys = KeySet.parse(data)
    except CobotOIDCError:
        return
    assert len(keys) + keys.skipped == len(json.loads(data)["keys"]) <= 50
    assert all(key.public_key is not None and not any(name.startswith("HS") for name in key.algorithms) for key in keys)


def provider_document(data: bytes) -> None:
    """Any bytes as a discovery document."""
    try:
        metadata = ProviderMetadata.parse(data, issuer=ISSUER)
    except CobotOIDCError:
        return
    assert metadata.issuer == json.loads(data)["issuer"] == ISSUER
    for endpoint in (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri):
        assert endpoint.split("/")[0] == "https:"
        assert (endpoint.split("/")[2].split(":")[0].split("?")[0]).endswith("cobot.me")


def strict_json(data: bytes) -> None:
    """Any bytes as JSON: what is accepted, Python's own reader accepts with the same meaning."""
    try:
        value = loads(data)
    except JSONError:
        return
    assert value == json.loads(data)
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


def next_path(data: bytes) -> None:
    """Any text as ``next``."""
    path = safe_next(data.decode("utf-8", "replace"))
    assert path is None or (path[:1] == "/" and path[1:2] not in ("/", "\\") and path.isascii() and path.isprintable())


def _b64(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (token, payload, logout_payload, header, key_set, provider_document, strict_json, next_path)
}
