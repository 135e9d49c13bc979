"""Whether an id token is for us, from whom we asked, about this login, and now: OIDC Core 2 and 3.1.3.7.

The time and the expectations are passed in as values. There are two steps, because no keys are fetched for a token that
cannot be valid anyway: ``UnverifiedIDToken.parse`` reads the token and checks every claim, and
``UnverifiedIDToken.verify`` checks its signature.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from ..errors import TokenError
from .claims import Claims, clean_claims
from .jws import ParsedJWS
from .keys import KeySet
from .strict_json import JSONError, loads

# For direct callers; the extension passes its settings.
LEEWAY = 60  # seconds that the provider's clock may differ from ours
MAX_IAT_AGE = 600  # seconds from the token's issue to its use
FURTHEST_EXP = 366 * 86400  # seconds
LARGEST_TIME = 2**53

_NOTHING: Mapping[str, Sequence[str]] = MappingProxyType({})
_SUBJECT = re.compile(r"(?! )[\x20-\x7e]{1,255}(?<! )")  # Core 2: at most 255 ASCII characters
_HASHES = {
    "256": hashlib.sha256,
    "384": hashlib.sha384,
    "512": hashlib.sha512,
    "DSA": hashlib.sha512,
    "25519": hashlib.sha512,
}


class Expected(NamedTuple):
    """What an id token has to say, and how strictly the clock is read.

    :param issuer: the issuer that was asked.
    :param client_id: ours; the only audience, apart from ``trusted_audiences``.
    :param nonce: the login's; ``None`` only if none was sent, and then the token must not have one.
    :param algorithms: those that the token may be signed with.
    :param leeway: seconds that clocks may differ.
    :param max_iat_age: seconds after its issue for which a token is accepted.
    :param max_age: seconds since the person last logged in at the provider, if the request contained it.
    :param trusted_audiences: further audiences that the token may have.
    :param require_kid: refuse a token without a ``kid``.
    :param required: claims that the request asked for as essential, and the values that it accepts; none for any.
    """

    issuer: str
    client_id: str
    nonce: str | None
    algorithms: Sequence[str] = ("RS256",)
    leeway: float = LEEWAY
    max_iat_age: float = MAX_IAT_AGE
    max_age: float | None = None
    trusted_audiences: Sequence[str] = ()
    require_kid: bool = False
    required: Mapping[str, Sequence[str]] = _NOTHING

    def __repr__(self) -> str:
        return f"<Expected of {self.issuer!r} for {self.client_id!r}>"


def verify_id_token(
    token: str,
    keys: KeySet,
    *,
    issuer: str,
    client_id: str,
    nonce: str | None,
    now: float,
    algorithms: Sequence[str] = ("RS256",),
    leeway: float = LEEWAY,
    max_age: float | None = None,
    access_token: str | None = None,
    max_iat_age: float = MAX_IAT_AGE,
    trusted_audiences: Sequence[str] = (),
    require_kid: bool = False,
    required: Mapping[str, Sequence[str]] = _NOTHING,
) -> Claims:
    """Verify an id token as OpenID Connect Core 3.1.3.7 requires, and a little more strictly.

    :param token: the id token, at most 16 kB.
    :param keys: the issuer's keys.
    :param now: seconds since the epoch.
    :param access_token: the one from the same response; required if the token has an ``at_hash`` (Core 3.1.3.8).
    :returns: the cleaned claims.
    :raises TokenError: with the code of the first rule that is violated. Errors about the clock have
        ``difference_seconds`` in ``details``.

    The other parameters are those of ``Expected``.
    """
    expected = Expected(
        issuer, client_id, nonce, algorithms, leeway, max_iat_age, max_age, trusted_audiences, require_kid, required
    )
    return UnverifiedIDToken.parse(token, expected, now=now).verify(keys, access_token=access_token)


class UnverifiedIDToken(NamedTuple):
    """An id token whose claims are as expected, but whose signature has not been checked yet."""

    jws: ParsedJWS
    expected: Expected
    unverified_claims: dict[str, object]

    def __repr__(self) -> str:
        return f"<UnverifiedIDToken {self.jws!r} {self.expected!r}>"

    @classmethod
    def parse(
        cls, token: object, expected: Expected, *, now: float, rules: "Sequence[Rule] | None" = None
    ) -> "UnverifiedIDToken":
        """Read a token and check every claim, before any key is needed (K21).

        :param rules: those of a refreshed id token (``refreshed``); otherwise ``RULES``.
        :raises TokenError: see ``verify_id_token``.
        """
        jws = ParsedJWS.parse(token, expected.algorithms)
        claims = read_claims(jws)
        for rule in RULES if rules is None else rules:
            rule.check(claims, expected, now)
        return cls(jws, expected, claims)

    def verify(self, keys: KeySet, *, access_token: str | None) -> Claims:
        """Check the signature, then whether the token belongs to the access token.

        :raises TokenError: see ``ParsedJWS.check_signature``; ``at_hash_mismatch`` (Core 3.1.3.8).
        """
        self.jws.check_signature(keys, require_kid=self.expected.require_kid)
        check_at_hash(self.unverified_claims, self.jws.header.algorithm, access_token)
        return clean_claims(self.unverified_claims, self.jws.payload.decode())


def read_claims(jws: ParsedJWS) -> dict[str, object]:
    """What a token says, which nobody has verified.

    :raises TokenError: ``payload_malformed``.
    """
    try:
        claims = loads(jws.payload)
    except JSONError as error:
        raise TokenError("payload_malformed", reason=error.reason) from error
    if not isinstance(claims, dict):
        raise TokenError("payload_malformed", reason="not an object")
    return claims


class Rule(NamedTuple):
    """One rule about claims.

    :ivar about: the claims that it is about.
    :ivar section: where it is written down.
    :ivar check: raises ``TokenError`` if the claims violate it, expected as they are, at this time.
    """

    about: str
    section: str
    check: Callable[[Mapping[str, object], Expected, float], None]


def _check_issuer(claims: Mapping[str, object], expected: Expected, _now: float) -> None:
    if claims.get("iss") != expected.issuer:
        raise TokenError("issuer_mismatch", expected=expected.issuer, got=claims.get("iss"))


def _check_audience(claims: Mapping[str, object], expected: Expected, _now: float) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in audiences:
        raise TokenError("audience_mismatch", expected=expected.client_id, got=audience)
    for other in audiences:
        if other != expected.client_id and not (isinstance(other, str) and other in expected.trusted_audiences):
            raise TokenError("audience_untrusted", expected=expected.client_id, got=audience)


def _check_authorized_party(claims: Mapping[str, object], expected: Expected, _now: float) -> None:
    audience = claims.get("aud")
    needed = isinstance(audience, list) and len(audience) > 1
    if ("azp" in claims or needed) and claims.get("azp") != expected.client_id:
        raise TokenError("authorized_party_mismatch", expected=expected.client_id, got=claims.get("azp"))


def _check_expiry(claims: Mapping[str, object], expected: Expected, now: float) -> None:
    exp = _time(claims, "exp")
    if now >= exp + expected.leeway:
        raise TokenError("expired", difference_seconds=now - exp)
    if exp > now + FURTHEST_EXP:
        raise TokenError("exp_too_far", difference_seconds=exp - now)


def _check_issue(claims: Mapping[str, object], expected: Expected, now: float) -> None:
    iat = _time(claims, "iat")
    if iat > now + expected.leeway:
        raise TokenError("clock_skew", difference_seconds=iat - now)
    if now - iat > expected.max_iat_age:
        raise TokenError("issued_too_long_ago", difference_seconds=now - iat)


def _check_order(claims: Mapping[str, object], _expected: Expected, _now: float) -> None:
    exp, iat = _time(claims, "exp"), _time(claims, "iat")
    if exp <= iat:
        raise TokenError("exp_not_after_iat", difference_seconds=iat - exp)


def _check_not_before(claims: Mapping[str, object], expected: Expected, now: float) -> None:
    if "nbf" in claims and (nbf := _time(claims, "nbf")) > now + expected.leeway:
        raise TokenError("not_yet_valid", difference_seconds=nbf - now)


def _check_nonce(claims: Mapping[str, object], expected: Expected, _now: float) -> None:
    nonce = claims.get("nonce")
    if expected.nonce is None:
        if nonce is not None:
            raise TokenError("nonce_unexpected")
    elif not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise TokenError("nonce_mismatch")


def _check_subject(claims: Mapping[str, object], _expected: Expected, _now: float) -> None:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise TokenError("subject_malformed", got=subject)


def _check_required(claims: Mapping[str, object], expected: Expected, _now: float) -> None:
    for name, values in expected.required.items():
        if claims.get(name) is None or (values and claims[name] not in values):
            raise TokenError("requested_claim_unmet", name=name, expected=list(values) or "any", got=claims.get(name))


def _check_auth_time(claims: Mapping[str, object], expected: Expected, now: float) -> None:
    if expected.max_age is None:
        return
    auth_time = _time(claims, "auth_time")
    if auth_time > now + expected.leeway:
        raise TokenError("clock_skew", difference_seconds=auth_time - now)
    if now - auth_time > expected.max_age + expected.leeway:
        raise TokenError("authentication_too_old", difference_seconds=now - auth_time)


# In the order of the specification; a token is refused for the first one that it violates.
SHARED_RULES = (  # with logout tokens (OpenID Connect Back-Channel Logout 1.0 section 2.6)
    Rule("iss", "OIDC Core 3.1.3.7 (2)", _check_issuer),
    Rule("aud", "OIDC Core 3.1.3.7 (3)", _check_audience),
    Rule("azp", "OIDC Core 3.1.3.7 (4), (5)", _check_authorized_party),
    Rule("exp", "OIDC Core 3.1.3.7 (9)", _check_expiry),
    Rule("iat", "OIDC Core 3.1.3.7 (10)", _check_issue),
    Rule("exp after iat", "RFC 7519 4.1.4", _check_order),
    Rule("nbf", "RFC 7519 4.1.5", _check_not_before),
)
SUBJECT_RULE = Rule("sub", "OIDC Core 2", _check_subject)
RULES = (
    *SHARED_RULES,
    Rule("nonce", "OIDC Core 3.1.3.7 (11)", _check_nonce),
    SUBJECT_RULE,
    Rule("requested claims", "OIDC Core 3.1.3.7 (12), 5.5.1.1", _check_required),
    Rule("auth_time", "OIDC Core 3.1.3.7 (13)", _check_auth_time),
)


def check_at_hash(claims: Mapping[str, object], algorithm: str, access_token: str | None) -> None:
    """The token belongs to this access token (Core 3.1.3.8).

    :raises TokenError: ``at_hash_mismatch``.
    """
    if "at_hash" not in claims:
        return
    at_hash = claims["at_hash"]
    if not isinstance(at_hash, str) or access_token is None:
        raise TokenError("at_hash_mismatch")
    digest = _HASHES[algorithm[2:]](access_token.encode(errors="replace")).digest()
    half = urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    if not hmac.compare_digest(at_hash.encode(), half):
        raise TokenError("at_hash_mismatch")


def _time(claims: Mapping[str, object], name: str) -> float:
    """Seconds since the epoch (RFC 7519 section 2, NumericDate)."""
    value = claims.get(name)
    if (type(value) is int or type(value) is float) and 0 < value < LARGEST_TIME:  # a bool is an int, but not a time
        return value
    raise TokenError("time_malformed", name=name, got=value)
