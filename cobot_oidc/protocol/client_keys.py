"""The client's own keys: private ones that sign assertions, and the public set to register at the provider.

RFC 7517, RFC 7518 section 6, RFC 7638. Nothing here shows a private key: not in ``repr``, nor in a message. An app that
has no such key never imports this module.
"""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, cast

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import Algorithm, ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.exceptions import InvalidKeyError

from .keys import LONGEST_KID, KeySet
from .strict_json import JSONError, loads

MOST_KEYS = 4  # one signs, the others are about to, or were until recently

_PUBLIC = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_LIBRARY: Mapping[str, type[Algorithm]] = {"RSA": RSAAlgorithm, "EC": ECAlgorithm, "OKP": OKPAlgorithm}
_KID = re.compile(r"[\x21-\x7e]+")
_SIGNING = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


class KeyUnfit(ValueError):
    """Why a key cannot be the client's; says nothing of the key itself."""


@dataclass(frozen=True, slots=True, eq=False)
class ClientKey:
    """One key of the client.

    :ivar kid: its name: the key's own, or its thumbprint (RFC 7638).
    :ivar algorithm: what it signs with.
    :ivar public: the public JWK, as the provider has to know it.
    """

    kid: str
    algorithm: str
    public: Mapping[str, str]
    _private: Any = field(repr=False)

    @classmethod
    def read(cls, given: object, algorithm: str | None = None) -> "ClientKey":
        """Read a private key.

        :param given: a PEM text without a passphrase (PKCS #8, or the older forms), or a JWK as a mapping or JSON text.
        :param algorithm: what it signs with; by default the JWK's ``alg``, or else the usual one of its type.
        :raises KeyUnfit: if it is no such key, is weak, or cannot be used with the algorithm.
        """
        member = _member(given)
        private = _private_key(member)
        kty = cast(str, member["kty"])
        whole = _LIBRARY[kty].to_jwk(private.public_key(), as_dict=True)
        public = {"kty": kty} | {name: str(whole[name]) for name in _PUBLIC[kty]}
        # The rules that a provider's keys have to fulfil here: no provider should be asked to accept a weaker one.
        checked = KeySet.parse({"keys": [public]})
        if not checked.keys:
            raise KeyUnfit(checked.reasons[0].removeprefix("key 0: "))
        chosen = _algorithm(member, checked.keys[0].algorithms, algorithm)
        kid = member.get("kid", _thumbprint(public))
        if not isinstance(kid, str) or not _KID.fullmatch(kid) or len(kid) > LONGEST_KID:
            raise KeyUnfit("its kid is not a text of 1 to 256 printable ASCII characters")
        return cls(kid, chosen, public | {"kid": kid, "use": "sig", "alg": chosen}, private)

    def sign(self, claims: Mapping[str, object], *, typ: str) -> str:
        """A JWT with these claims, signed with this key."""
        return jwt.encode(dict(claims), self._private, self.algorithm, headers={"typ": typ, "kid": self.kid})


def read_keys(given: object, algorithm: str | None = None) -> tuple[ClientKey, ...]:
    """Read one key or several.

    :param given: as for ``ClientKey.read``; a list of those; or a JWK Set.
    :raises KeyUnfit: as ``ClientKey.read``; also if two keys share a name, or if there are none, or more than four.
    """
    if isinstance(given, Mapping) and "keys" in given:
        given = given["keys"]
    several: Sequence[object] = given if isinstance(given, (list, tuple)) else [given]
    if not 1 <= len(several) <= MOST_KEYS:
        raise KeyUnfit(f"there have to be 1 to {MOST_KEYS} keys")
    keys = tuple(ClientKey.read(each, algorithm) for each in several)
    if len({key.kid for key in keys}) != len(keys):
        raise KeyUnfit("two keys have the same kid")
    return keys


def public_key_set(keys: Sequence[ClientKey]) -> dict[str, object]:
    """The JWK Set to register at the provider (RFC 7591 section 2, ``jwks``)."""
    return {"keys": [dict(key.public) for key in keys]}


def _member(given: object) -> Mapping[str, object]:
    """The key as a JWK, whichever way it was given."""
    if isinstance(given, str) and given.lstrip().startswith("{"):
        try:
            given = loads(given.encode("utf-8", "replace"))
        except JSONError:
            given = None
    if isinstance(given, str):
        return _from_pem(given)
    if not isinstance(given, Mapping):
        raise KeyUnfit("it is neither a PEM text nor a JWK")
    if not isinstance(given.get("kty"), str) or given["kty"] not in _LIBRARY or "d" not in given:
        raise KeyUnfit("it is not a private JWK of the type RSA, EC or OKP")
    operations = given.get("key_ops", ["sign"])
    if given.get("use", "sig") != "sig" or not isinstance(operations, list) or "sign" not in operations:
        raise KeyUnfit("its use or key_ops is not for signing")
    return given


def _from_pem(text: str) -> Mapping[str, object]:
    if "BEGIN ENCRYPTED" in text or "Proc-Type: 4,ENCRYPTED" in text:
        raise KeyUnfit("it has a passphrase: remove it, and keep the key where only the app can read it")
    try:
        key: Any = load_pem_private_key(text.strip().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None  # raised below, as the library's own message may hold a part of the text
    for library in _LIBRARY.values():
        try:
            member: dict[str, object] = library.to_jwk(key, as_dict=True)
        except (InvalidKeyError, AttributeError):
            continue
        return member
    raise KeyUnfit("it is not a private key in PEM format of the type RSA, EC or Ed25519")


def _private_key(member: Mapping[str, object]) -> Any:
    try:
        key = _LIBRARY[cast(str, member["kty"])].from_jwk(dict(member))
    except (InvalidKeyError, ValueError, TypeError):
        key = None  # as above
    if key is None:
        raise KeyUnfit("its numbers do not make a private key")
    return key


def _algorithm(member: Mapping[str, object], possible: Sequence[str], configured: str | None) -> str:
    own = member.get("alg")
    if own is not None and configured is not None and own != configured:
        raise KeyUnfit(f"its alg is not {configured}, which is configured")
    chosen = next(each for each in (own, configured, possible[0]) if each is not None)
    if chosen not in possible or chosen not in _SIGNING:
        raise KeyUnfit(f"a key of its type signs with {' '.join(name for name in possible if name in _SIGNING)}")
    return chosen


def _thumbprint(public: Mapping[str, str]) -> str:
    """RFC 7638 section 3: the hash of the members that define the key, in the order of their names."""
    written = json.dumps(public, sort_keys=True, separators=(",", ":")).encode()
    return urlsafe_b64encode(sha256(written).digest()).rstrip(b"=").decode()
