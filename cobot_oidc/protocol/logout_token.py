"""Whether a logout token is for us, from an issuer of ours, and now: OpenID Connect Back-Channel Logout 1.0.

Anybody can send one, so there are three steps: what it claims to be is read first, then every claim is checked, and
only then is a key needed (sections 2.4 and 2.6). Time and expectations are passed in as values.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..errors import TokenError
from .claims import LONGEST_TEXT
from .id_token import SHARED_RULES, SUBJECT_RULE, Expected, Rule, read_claims
from .jws import ParsedJWS
from .keys import KeySet

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TYPES = ("LOGOUT+JWT", "JWT")  # the first is recommended, and providers before 2022 did not know it (section 2.4)
LONGEST_NAME = LONGEST_TEXT  # characters of a ``jti`` or ``sid``: no session that an id token names is beyond a logout


class LogoutToken(NamedTuple):
    """What a verified logout token says.

    :ivar subject: whose logins end; ``None`` if only a session is named.
    :ivar sid: the session at the provider whose logins end; ``None`` for all of the subject.
    :ivar jti: the token's own name.
    """

    issuer: str
    subject: str | None
    sid: str | None
    jti: str


class UnverifiedLogoutToken(NamedTuple):
    """A logout token whose signature has not been checked yet."""

    jws: ParsedJWS
    unverified_claims: dict[str, object]

    def __repr__(self) -> str:
        return f"<UnverifiedLogoutToken {self.jws!r}>"

    @classmethod
    def parse(cls, token: object, algorithms: Sequence[str]) -> "UnverifiedLogoutToken":
        """Read a token.

        :param algorithms: those that any token may be signed with.
        :raises TokenError: see ``ParsedJWS.parse``; ``payload_malformed``.
        """
        jws = ParsedJWS.parse(token, algorithms, types=TYPES)
        return cls(jws, read_claims(jws))

    @property
    def claimed_issuer(self) -> str | None:
        """Who the token says that it is from: to be looked up among the issuers that the app trusts, no more."""
        issuer = self.unverified_claims.get("iss")
        return issuer if isinstance(issuer, str) else None

    def check(self, expected: Expected, *, now: float) -> None:
        """Check every claim.

        :raises TokenError: with the code of the first rule that is violated.
        """
        for rule in LOGOUT_RULES:
            rule.check(self.unverified_claims, expected, now)

    def check_algorithm(self, algorithms: Sequence[str]) -> None:
        """The algorithm is one that the issuer's document leaves.

        :raises TokenError: ``algorithm_forbidden``.
        """
        if self.jws.header.algorithm not in algorithms:
            raise TokenError("algorithm_forbidden", expected=list(algorithms), got=self.jws.header.algorithm)

    def verify(self, keys: KeySet, *, require_kid: bool) -> LogoutToken:
        """Check the signature. To be called after ``check``.

        :raises TokenError: see ``ParsedJWS.check_signature``.
        """
        self.jws.check_signature(keys, require_kid=require_kid)
        claims = self.unverified_claims
        return LogoutToken(str(claims["iss"]), _text(claims, "sub"), _text(claims, "sid"), str(claims["jti"]))


def _check_target(claims: Mapping[str, object], expected: Expected, now: float) -> None:
    if "sub" not in claims and "sid" not in claims:
        raise TokenError("logout_of_nobody")
    if "sub" in claims:
        SUBJECT_RULE.check(claims, expected, now)
    if "sid" in claims and not _is_name(claims["sid"]):
        raise TokenError("session_malformed", got=claims["sid"])


def _check_event(claims: Mapping[str, object], _expected: Expected, _now: float) -> None:
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise TokenError("event_missing", expected=EVENT, got=events)


def _check_no_nonce(claims: Mapping[str, object], _expected: Expected, _now: float) -> None:
    if "nonce" in claims:  # an id token in disguise
        raise TokenError("nonce_unexpected")


def _check_own_name(claims: Mapping[str, object], _expected: Expected, _now: float) -> None:
    if not _is_name(claims.get("jti")):
        raise TokenError("jti_malformed", got=claims.get("jti"))


# In the order of the specification. Whether the token was used before, only the caller can tell (section 2.6, step 7).
LOGOUT_RULES = (
    *SHARED_RULES,
    Rule("sub or sid", "Back-Channel Logout 2.6 (4)", _check_target),
    Rule("events", "Back-Channel Logout 2.6 (5)", _check_event),
    Rule("nonce", "Back-Channel Logout 2.6 (6)", _check_no_nonce),
    Rule("jti", "Back-Channel Logout 2.4", _check_own_name),
)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable()


def _text(claims: Mapping[str, object], name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) else None
