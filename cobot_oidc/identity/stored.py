"""One login as the session holds it: who, in which space, since when, a few claims, and what is kept for Cobot's API.

Values in, values out: what an older release or another library may have left in a session is read here, and not
believed. Every byte travels with every request.
"""

import hashlib
import math
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from .user import Membership, Standing, User

KEY = "cobot:"  # and the issuer: an entry for each identity
TAG_LENGTH, LOGIN_ID_LENGTH, NOT_CLAIMS = 3, 3, 3  # characters; members of a stored identity
CLOCK_DISAGREEMENT = 300  # seconds that the machines behind one app may disagree
_FORM = 2  # of a stored identity: of an older release's, nothing is read
_HEAD_LENGTH = TAG_LENGTH + LOGIN_ID_LENGTH


@dataclass(frozen=True, slots=True)
class Terms:
    """What the app keeps of a login, and for how long.

    :ivar claims: the names of the claims that it keeps, in their order in a stored identity.
    :ivar tag: stands for these names in a stored identity: what was stored under other names is not read.
    :ivar lifetime: seconds from the login. ``idle_lifetime``: seconds from the last visit, if that matters.
    :ivar find_standing: tells what a user is in their space, if the app wants to know.
    """

    claims: tuple[str, ...]
    tag: str
    lifetime: int
    idle_lifetime: int | None
    find_standing: Callable[[User], Standing | None] | None

    @classmethod
    def of(
        cls,
        claims: tuple[str, ...],
        *,
        lifetime: int,
        idle_lifetime: int | None,
        find_standing: Callable[[User], Standing | None] | None = None,
    ) -> "Terms":
        """The terms with their tag: three characters."""
        names = tuple(name for name in claims if name not in ("iss", "sub"))
        tag = urlsafe_b64encode(hashlib.sha256(f"{_FORM} {' '.join(names)}".encode()).digest())[:TAG_LENGTH].decode()
        return cls(names, tag, lifetime, idle_lifetime, find_standing)


class Kept(NamedTuple):
    """What a login leaves for calls of Cobot's API, if the app wants any of it; read when somebody asks for it.

    :ivar members: as the session holds them, and as short as they can be: only what there is.
    :ivar space: the space of the login.
    """

    members: Mapping[str, Any] = MappingProxyType({})
    space: str | None = None

    @classmethod
    def of(
        cls,
        space: str | None,
        *,
        token: str | None,
        standing: Standing | None,
        granted: Iterable[str],
        declined: Iterable[str],
        cobot_id: str | None,
        hint: str | None = None,
        session_hash: str | None = None,
        was_asked: bool = False,
    ) -> "Kept":
        """What a login leaves.

        :param token: the access token as ``tokens`` keeps it.
        :param standing: what Cobot said at the login.
        :param granted: the scopes that were granted beyond the configured ones.
        :param declined: those that were asked for, and not granted.
        :param cobot_id: Cobot's id for the person, if it is known to differ from the subject (docs/cobot.md 5).
        :param hint: the id token for a logout at the provider, as ``hints`` keeps it.
        :param session_hash: stands for the session at the provider, if that can end the login (``ended_logins``).
        :param was_asked: whether Cobot was asked for the standing, be there an answer or not.
        """
        membership = standing.membership.id if standing is not None and standing.membership is not None else None
        members = {
            "t": token,
            "m": int(was_asked) if standing is None else [standing.asked_at, membership, int(standing.is_admin)],
            "g": " ".join(granted),
            "d": " ".join(declined),
            "u": cobot_id,
            "h": hint,
            "s": session_hash,
        }
        return cls({name: member for name, member in members.items() if member}, space)

    @property
    def token(self) -> str | None:
        """The access token as ``tokens`` keeps it."""
        return self._text("t")

    @property
    def cobot_id(self) -> str | None:
        """Cobot's id for the person, if it is known to differ from the subject."""
        return self._text("u")

    @property
    def hint(self) -> str | None:
        """The id token for a logout at the provider, as ``hints`` keeps it."""
        return self._text("h")

    @property
    def session_hash(self) -> str | None:
        """What stands for the session at the provider."""
        return self._text("s")

    def replaced(self, **members: str | None) -> "Kept":
        """The same with other members; ``None`` removes one."""
        changed = {name: member for name, member in {**self.members, **members}.items() if member is not None}
        return Kept(changed, self.space)

    @property
    def granted(self) -> list[str]:
        """The scopes that were granted beyond the configured ones."""
        return (self._text("g") or "").split()

    @property
    def declined(self) -> list[str]:
        """The scopes that were asked for, and not granted."""
        return (self._text("d") or "").split()

    @property
    def standing(self) -> Standing | None:
        """What Cobot said at the login."""
        match self.members.get("m"):
            case [int(asked_at), str() | None as name, int(is_admin)]:
                membership = Membership(name, self.space or "") if name else None
                return Standing(membership, bool(is_admin), asked_at)
        return None

    @property
    def can_tell_standing(self) -> bool:
        """Whether Cobot was asked at the login, or can be: only another login helps if not, as the app did not ask."""
        return "m" in self.members or self.token is not None

    @property
    def asked_at(self) -> float:
        """When Cobot was asked, in seconds since the epoch; long ago if it was not."""
        # Not matched as in ``standing``: that takes a microsecond, on each page of a member.
        asked = self.members.get("m")
        return asked[0] if isinstance(asked, list) and asked and isinstance(asked[0], int) else -math.inf

    def _text(self, name: str) -> str | None:
        text = self.members.get(name)
        return text if isinstance(text, str) else None


NOTHING_KEPT = Kept()


class Identity(NamedTuple):
    """One login as the session holds it.

    :ivar seen_at: the last visit that was noted, in seconds since the epoch.
    :ivar kept: for Cobot's API.
    """

    user: User
    seen_at: int | None = None
    kept: Kept = NOTHING_KEPT

    @classmethod
    def read(cls, issuer: str, stored: object, terms: Terms) -> "Identity | None":
        """The identity that is stored; ``None`` for what an older release or another library may have left there."""
        names = terms.claims
        if not isinstance(stored, list) or not 0 <= len(stored) - NOT_CLAIMS <= len(names):
            return None
        head, subject, at, *values = stored
        authenticated_at, seen_at, kept = (*at, None, None)[:3] if isinstance(at, list) and at else (at, None, None)
        if (
            not isinstance(head, str)
            or len(head) < _HEAD_LENGTH
            or not head.startswith(terms.tag)
            or not isinstance(subject, str)
            or not isinstance(authenticated_at, int)
            or not (seen_at is None or isinstance(seen_at, int))
        ):
            return None
        claims = dict(zip(names, values, strict=False))
        if None in values:
            claims = {name: value for name, value in claims.items() if value is not None}
        login_id, space = head[TAG_LENGTH:_HEAD_LENGTH], head[_HEAD_LENGTH:] or None
        user = User(issuer, subject, space, claims, authenticated_at, terms.find_standing, login_id)
        return cls(user, seen_at, Kept(kept, space) if isinstance(kept, dict) else NOTHING_KEPT)

    def stored(self, terms: Terms) -> list[object]:
        """As short as it can be, as every byte travels with every request: claims stand in the order of the terms."""
        user = self.user
        at: object = user.authenticated_at if self.seen_at is None else [user.authenticated_at, self.seen_at]
        if self.kept.members:
            at = [user.authenticated_at, self.seen_at, self.kept.members]
        values = [user.kept_claims.get(name) for name in terms.claims]
        while values and values[-1] is None:
            del values[-1]
        return [terms.tag + user.login_id + (user.space or ""), user.subject, at, *values]

    def is_alive(self, now: float, terms: Terms) -> bool:
        """Whether the login is still valid. ``now`` in seconds since the epoch."""
        if not -CLOCK_DISAGREEMENT <= now - self.user.authenticated_at < terms.lifetime:
            return False
        return terms.idle_lifetime is None or -CLOCK_DISAGREEMENT <= self.unseen_for(now) < terms.idle_lifetime

    def without_hint(self) -> "Identity":
        """The same without what a logout at the provider would take along."""
        return self._replace(kept=self.kept.replaced(h=None)) if self.kept.hint is not None else self

    def unseen_for(self, now: float) -> float:
        """Seconds since the last visit that was noted, or since the login."""
        return now - (self.user.authenticated_at if self.seen_at is None else self.seen_at)
