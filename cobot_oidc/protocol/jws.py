"""The only reader and verifier of signed tokens: JWS compact serialization (RFC 7515), as RFC 8725 advises.

There are two steps, because keys may have to be fetched in between, and nothing is fetched for junk:
``ParsedJWS.parse`` checks all that can be checked without a key, ``ParsedJWS.check_signature`` the rest. The bytes that
were signed are decoded only once.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, cast

from ..errors import TokenError
from . import base64url
from .keys import LONGEST_KID, SIGNING_ALGORITHMS, Key, KeySet
from .strict_json import JSONError, loads

LARGEST_TOKEN = 16 * 1024  # characters
LARGEST_HEADER = 2 * 1024  # bytes
MOST_TRIALS = 4  # keys tried for a token that names none

# A token must not bring a key or an extension, or be encrypted, compressed or nested (J05, J10–J12).
_FORBIDDEN = ("crit", "b64", "jwk", "jku", "x5u", "x5c", "enc", "zip", "cty")


@dataclass(frozen=True, slots=True)
class VerifiedJWS:
    """A token whose signature has been verified.

    :ivar header: the JOSE header.
    :ivar payload: the bytes that were signed.
    """

    header: dict[str, object]
    payload: bytes = field(repr=False)


def verify_jws(
    token: str, keys: KeySet, *, algorithms: Sequence[str] = ("RS256",), require_kid: bool = False
) -> VerifiedJWS:
    """Verify a token in JWS compact serialization (RFC 7515 section 5.2).

    :param token: at most 16 kB.
    :param keys: the provider's keys.
    :param algorithms: the allowed algorithms; HMAC and ``none`` are never allowed.
    :param require_kid: refuse a token without a ``kid``.
    :raises TokenError: for everything that is not such a token with a valid signature.
    """
    parsed = ParsedJWS.parse(token, algorithms)
    parsed.check_signature(keys, require_kid=require_kid)
    return VerifiedJWS(deepcopy(dict(parsed.header.members)), parsed.payload)


@dataclass(frozen=True, slots=True)
class Header:
    """A token's header, checked.

    :ivar algorithm: its ``alg``: an asymmetric algorithm that we know.
    :ivar kid: the name of the key, ``None`` if the token has none.
    :ivar typ: what kind of token it is, in capitals and without ``application/``.
    :ivar members: all members of the header.
    """

    algorithm: str
    kid: str | None
    typ: str
    members: Mapping[str, object]


class ParsedJWS(NamedTuple):
    """A token that is well formed, but not verified yet."""

    header: Header
    payload: bytes
    signing_input: bytes
    signature: bytes

    def __repr__(self) -> str:
        return f"<ParsedJWS {self.header}>"

    @classmethod
    def parse(cls, token: object, algorithms: Sequence[str], *, types: Sequence[str] = ("JWT",)) -> "ParsedJWS":
        """Read a token as far as possible without a key.

        :param types: the kinds of tokens that are meant, in capitals; one without ``typ`` is a ``JWT``.
        :raises TokenError: ``token_malformed``, ``token_too_large``, or a code about the header.
        """
        if not isinstance(token, str):
            raise TokenError("token_malformed", reason="not text")
        if len(token) > LARGEST_TOKEN:  # before anything is split (J17)
            raise TokenError("token_too_large", characters=len(token))
        signing_input, _, last = token.encode("ascii", "replace").rpartition(b".")  # "?" is not in the alphabet
        first, _, middle = signing_input.partition(b".")
        if not (first and middle and last):
            raise TokenError("token_malformed", reason="not three segments")
        header = _header(first)
        if header.typ not in types:  # RFC 8725 section 3.11 (J22)
            raise TokenError("token_type_wrong", expected=types[0], got=header.members.get("typ"))
        if header.algorithm not in algorithms:
            raise TokenError("algorithm_forbidden", expected=list(algorithms), got=header.algorithm)
        try:
            payload, signature = base64url.decode(middle), base64url.decode(last)
        except ValueError as error:
            raise TokenError("token_malformed", reason="not canonical base64url") from error
        return cls(header, payload, signing_input, signature)

    def check_signature(self, keys: KeySet, *, require_kid: bool) -> None:
        """Check that the signature was made with one of these keys (RFC 7515 section 5.2, RFC 7517 section 4).

        :raises TokenError: ``key_unknown`` if no key has the token's kid, ``key_unsuitable`` if it is not for this
            algorithm, ``key_ambiguous`` if too many keys could be meant, ``kid_required``, ``signature_invalid``.
        """
        if self.header.kid is None and require_kid:
            raise TokenError("kid_required")
        for key in _candidates(self.header, keys):
            if key.verifies(self.header.algorithm, self.signing_input, self.signature):
                return
        raise TokenError("signature_invalid", kid=self.header.kid)

    def is_signed_by(self, keys: KeySet, *, require_kid: bool) -> bool:
        """Whether the signature was made with one of these keys."""
        try:
            self.check_signature(keys, require_kid=require_kid)
        except TokenError:
            return False
        return True


def _candidates(header: Header, keys: KeySet) -> Sequence[Key]:
    named = keys.named(header.kid)
    if not named:
        raise TokenError("key_unknown", kid=header.kid)
    suitable = [key for key in named if header.algorithm in key.algorithms]
    if not suitable:
        raise TokenError("key_unsuitable", kid=header.kid, alg=header.algorithm)
    if len(suitable) == 1:
        return suitable
    different = {key.material: key for key in suitable}
    if len(different) > (1 if header.kid is not None else MOST_TRIALS):  # K05, J08
        raise TokenError("key_ambiguous", kid=header.kid, keys=len(different))
    return list(different.values())


@lru_cache(maxsize=64)
def _header(segment: bytes) -> Header:
    """The header in this segment. A provider sends the same header with every token, so it is read only once."""
    try:
        header = loads(base64url.decode(segment), largest=LARGEST_HEADER)
    except JSONError as error:
        raise TokenError("header_malformed", reason=error.reason) from error
    except ValueError as error:
        raise TokenError("token_malformed", reason="not canonical base64url") from error
    if not isinstance(header, dict):
        raise TokenError("header_malformed", reason="not an object")
    for name in _FORBIDDEN:
        if name in header:
            raise TokenError("header_forbidden", name=name)
    typ = header.get("typ", "JWT")
    if not isinstance(typ, str):
        raise TokenError("token_type_wrong", expected="JWT", got=typ)
    algorithm = header.get("alg")
    # What no key can do, no configuration can allow: HMAC and ``none`` are impossible, not just turned off (J01, J03).
    if not isinstance(algorithm, str) or algorithm not in SIGNING_ALGORITHMS:
        raise TokenError("algorithm_forbidden", got=algorithm)
    kid = header.get("kid")
    if "kid" in header and (not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_KID):
        raise TokenError("kid_malformed", got=kid)
    kind = typ.upper().removeprefix("APPLICATION/")  # which means the same with and without it: RFC 7515 section 4.1.9
    return Header(algorithm, cast("str | None", kid), kind, MappingProxyType(header))
