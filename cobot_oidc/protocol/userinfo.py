"""A signed userinfo response: OpenID Connect Core 5.3.2. A plain one is a JSON object, which only has to be read.

As for an id token there are two steps, so that no keys are fetched for an answer that cannot be valid anyway. The key
set, the algorithms and the clock are those of id tokens.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ..errors import ProviderError, TokenError
from .claims import Claims, clean_claims
from .id_token import RULES, Expected, read_claims
from .jws import ParsedJWS
from .keys import KeySet

# Core 5.3.2 gives such an answer no type of its own. Some providers do, and their names for it are no other token's.
_TYPES = ("JWT", "USERINFO+JWT", "TOKEN-USERINFO+JWT")
_SEGMENTS_OF_JWE = 5  # RFC 7516 section 3.1
# The rules of an id token that such an answer is held to as well. Its times may be missing; then it is as old as it is.
_ALWAYS = ("iss", "aud", "azp", "sub")
_IF_THERE = ("exp", "iat", "nbf")
# Other tokens of the same issuer about the same person: an id token, and a logout token or another security event.
_OF_OTHER_TOKENS = ("nonce", "at_hash", "events")


class UnverifiedUserinfo(NamedTuple):
    """A signed answer whose claims are as expected, but whose signature has not been checked yet."""

    jws: ParsedJWS
    require_kid: bool
    unverified_claims: dict[str, object]

    def __repr__(self) -> str:
        return f"<UnverifiedUserinfo {self.jws!r}>"

    @classmethod
    def parse(cls, body: bytes, expected: Expected, *, subject: str, now: float) -> "UnverifiedUserinfo":
        """Read an answer of the type ``application/jwt`` and check every claim.

        :param subject: of the verified id token.
        :raises ProviderError: ``userinfo_encrypted``; ``userinfo_unusable`` if it is about another subject.
        :raises TokenError: as for an id token; ``token_type_wrong`` for a token of another kind.
        """
        if body.count(b".") == _SEGMENTS_OF_JWE - 1:
            raise ProviderError("userinfo_encrypted")
        jws = ParsedJWS.parse(body.decode("ascii", "replace"), expected.algorithms, types=_TYPES)
        claims = read_claims(jws)
        for name in _OF_OTHER_TOKENS:
            if name in claims:
                raise TokenError("token_type_wrong", expected="userinfo", got=name)
        for rule in RULES:
            if rule.about in _ALWAYS or (rule.about in _IF_THERE and rule.about in claims):
                rule.check(claims, expected, now)
        check_subject(claims, subject)
        return cls(jws, expected.require_kid, claims)

    def verify(self, keys: KeySet) -> Claims:
        """Check the signature.

        :raises TokenError: see ``ParsedJWS.check_signature``.
        """
        self.jws.check_signature(keys, require_kid=self.require_kid)
        return clean_claims(self.unverified_claims)


def check_subject(claims: Mapping[str, object], subject: str) -> None:
    """Check that userinfo is about the subject of the id token (Core 5.3.2, O04).

    :raises ProviderError: ``userinfo_unusable``.
    """
    if claims.get("sub") != subject:
        raise ProviderError("userinfo_unusable", reason="not about this subject")
