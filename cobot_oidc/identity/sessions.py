"""Who is logged in, as the session remembers it: one identity for each issuer, side by side.

The session holds who, not how: subject, space, time and a few claims, and a token only if the app wants it kept, sealed
(``tokens``). Knows Flask's ``session`` and the session interface behind it (Flask's cookie, Flask-Session), and nothing
of the protocol.
"""

import hashlib
import math
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from flask.sessions import SecureCookieSessionInterface, SessionInterface

from ..context import the_app, the_session
from ..errors import ConfigurationError, LoginError
from .user import Membership, Standing, User

KEY = "cobot:"  # and the issuer: an entry for each identity
TAG_LENGTH, LOGIN_ID_LENGTH, NOT_CLAIMS = 3, 3, 3  # characters; members of a stored identity
LARGEST_COOKIE = 3800  # bytes; browsers drop a cookie beyond 4096 without a word (S06)
CLOCK_DISAGREEMENT = 300  # seconds that the machines behind one app may disagree
LARGEST_WITH_HINT = 2800  # bytes: a hint for the logout leaves this much of a cookie to what the app keeps later
LONGEST_NAME = 40  # characters of a hint of which the session holds a name alone
_FORM = 2  # of a stored identity: of an older release's, nothing is read
_HEAD_LENGTH = TAG_LENGTH + LOGIN_ID_LENGTH
NOTED_EACH = 12  # parts of the idle lifetime: that often a visit is written down, and a cookie set


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
        asked = self.members.get(
            "m"
        )  # not matched as in ``standing``: that takes a microsecond, on each page of a member
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


def check_store(interface: SessionInterface) -> None:
    """A login needs a new session id: whoever planted the old one would be logged in too (S01).

    Flask's own cookie has no id: its content is the session. A store on the server has to be able to give a new one.

    :raises ConfigurationError: ``session_store_unsafe``.
    """
    if isinstance(interface, SecureCookieSessionInterface) or callable(getattr(interface, "regenerate", None)):
        return
    raise ConfigurationError(
        "session_store_unsafe",
        setting="session_interface",
        found=f"{type(interface).__module__}.{type(interface).__qualname__}",
        expected="flask-session>=0.7, Flask's own session cookie, or another store with a method regenerate(session)",
    )


def find(issuer: str, space: str | None, terms: Terms, *, now: float) -> Identity | None:
    """The identity that this browser has at this issuer and space, if the login is still valid.

    :param issuer: whose identity is asked for; one of another issuer never counts (M04, M05).
    :param space: the space that the identity has to be logged in to; ``None`` for the global provider.
    :param now: seconds since the epoch.
    """
    identity = Identity.read(issuer, the_session().get(KEY + issuer), terms)
    if identity is None or identity.user.space != space or not identity.is_alive(now, terms):
        return None
    return identity


def everyone(terms: Terms, *, now: float) -> list[Identity]:
    """Every login of this browser that is still alive, the earliest first. Writes no visit down."""
    alive = [identity for identity in _identities(terms).values() if identity.is_alive(now, terms)]
    return sorted(alive, key=lambda identity: identity.user.authenticated_at)


def note_visit(identity: Identity, terms: Terms, *, now: float) -> None:
    """Write down that the user was here: not each time, but often enough for the idle lifetime."""
    if terms.idle_lifetime is not None and identity.unseen_for(now) >= terms.idle_lifetime / NOTED_EACH:
        the_session()[KEY + identity.user.issuer] = identity._replace(seen_at=int(now)).stored(terms)


def start(identity: Identity, terms: Terms) -> list[str]:
    """Let the session hold this login, beside the identities at other issuers that are still alive.

    What the app keeps for a visitor stays, unless another person was logged in at that issuer: then everything goes,
    other identities too (S01, F24).

    :param identity: who logged in now, at ``identity.user.authenticated_at``.
    :returns: the issuers whose hint for a logout was left out, as there is no room for it.
    :raises LoginError: ``session_too_large`` if the browser would drop the cookie; the session is untouched then.
    """
    session, before, user = the_session(), _identities(terms), identity.user
    previous = before.pop(user.issuer, None)
    if previous is not None and previous.user.subject != user.subject:
        others, rest = {}, {}
    else:
        others = {issuer: one for issuer, one in before.items() if one.is_alive(user.authenticated_at, terms)}
        rest = _rest()
    oldest_first = sorted(others.values(), key=lambda other: other.user.authenticated_at)
    hinted = [one.user.issuer for one in (*oldest_first, identity) if one.kept.hint is not None]
    identities = _within_a_cookie([*oldest_first, identity], rest, terms)
    permanent = session.permanent
    session.clear()
    session.update(rest | _entries(identities, terms))
    if permanent:
        session.permanent = True
    without = {one.user.issuer for one in identities if one.kept.hint is None}
    return [issuer for issuer in hinted if issuer in without]


def keep_token(identity: Identity, held: str | None, terms: Terms) -> bool:
    """Let this login's entry hold another token, if the cookie has room for it; otherwise it holds none from now on.

    :param held: as ``tokens`` keeps it.
    :returns: whether it holds the token.
    """
    session, identities, rest = the_session(), _identities(terms), _rest()
    renewed = identity._replace(kept=identity.kept.replaced(t=held))
    others = [one for issuer, one in identities.items() if issuer != identity.user.issuer]
    if fits := _cookie_size([*others, renewed], rest, terms) <= LARGEST_COOKIE:
        session[KEY + identity.user.issuer] = renewed.stored(terms)
    else:
        session[KEY + identity.user.issuer] = identity._replace(kept=identity.kept.replaced(t=None)).stored(terms)
    return fits


def join(logins: Iterable[Identity], terms: Terms) -> None:
    """Let the session hold these logins too, if there is room: they ended at other issuers at the same moment.

    Their session and this one were begun from the same one, and a browser keeps only the last that it is sent.
    """
    session, held, rest = the_session(), _identities(terms), _rest()
    for login in logins:
        issuer = login.user.issuer
        has_room = _cookie_size([*held.values(), login], rest, terms) <= LARGEST_WITH_HINT
        entry = login if has_room else login.without_hint()
        if issuer not in held and _cookie_size([*held.values(), entry], rest, terms) <= LARGEST_COOKIE:
            held[issuer] = entry
            session[KEY + issuer] = entry.stored(terms)


def rotate() -> None:
    """Give a session in a server-side store a new id. Flask's own cookie needs none: the content is the session."""
    regenerate = getattr(the_app().session_interface, "regenerate", None)
    if regenerate is not None:
        regenerate(the_session())


@contextmanager
def undone_on_error() -> Iterator[None]:
    """Leave the session as it was if what happens inside raises, whoever has written to it (X09)."""
    session = the_session()
    before = deepcopy(dict(session))
    try:
        yield
    except BaseException:
        session.clear()
        session.update(before)
        raise


def end(terms: Terms, issuers: Iterable[str] | None = None) -> list[Identity]:
    """Forget the identities at these issuers, or all of them; with the last one goes everything in the session.

    :param issuers: ``None`` for every one.
    :returns: the logins that were valid until now.
    """
    session, identities = the_session(), _identities(terms)
    ending = [issuer for issuer in (identities if issuers is None else issuers) if issuer in identities]
    if ending and len(ending) == len(identities):
        session.clear()
    for issuer in ending:
        session.pop(KEY + issuer, None)
    return [identities[issuer] for issuer in ending]


def logins(terms: Terms) -> list[Identity]:
    """What the session holds, alive or not."""
    return list(_identities(terms).values())


def issuers(terms: Terms) -> Collection[str]:
    """The issuers that this browser has an identity of."""
    return _identities(terms).keys()


def _identities(terms: Terms) -> dict[str, Identity]:
    stored = {key.removeprefix(KEY): value for key, value in the_session().items() if key.startswith(KEY)}
    read = {issuer: Identity.read(issuer, value, terms) for issuer, value in stored.items()}
    return {issuer: identity for issuer, identity in read.items() if identity is not None}


def _rest() -> dict[str, object]:
    """What the app keeps in the session."""
    return {key: value for key, value in the_session().items() if not key.startswith(KEY)}


def _entries(identities: Iterable[Identity], terms: Terms) -> dict[str, object]:
    return {KEY + identity.user.issuer: identity.stored(terms) for identity in identities}


def _within_a_cookie(identities: list[Identity], rest: Mapping[str, object], terms: Terms) -> list[Identity]:
    """As many identities as one cookie can hold: the newest, then of the others those that logged in last.

    Before a login goes, those that take more than their share lose their longest claims (X14).

    :param identities: the one that logged in longest ago first.
    :param rest: what the app keeps in the session.
    """
    if any(one.kept.hint is not None for one in identities):
        identities = _with_room_for_hints(identities, rest, terms)
    if _cookie_size(identities, rest, terms) <= LARGEST_COOKIE:
        return identities
    newest = identities[-1].user
    if (size := _cookie_size(identities[-1:], rest, terms)) > LARGEST_COOKIE:
        raise LoginError(
            "session_too_large",
            bytes=size,
            bytes_of_the_app=_cookie_size([], rest, terms),
            subject_length=len(newest.subject),
            claim_lengths={name: len(str(value)) for name, value in newest.kept_claims.items()},
            token_length=len(identities[-1].kept.token or ""),
        )
    while _cookie_size(identities, rest, terms) > LARGEST_COOKIE:
        largest = _over_its_share(identities, LARGEST_COOKIE - _cookie_size([], rest, terms), terms)
        if largest is None:
            identities = identities[1:]
        else:
            shorter = _without_longest_claim(largest)
            identities = [shorter if identity is largest else identity for identity in identities]
    return identities


def _with_room_for_hints(identities: list[Identity], rest: Mapping[str, object], terms: Terms) -> list[Identity]:
    """These identities, with as many of their hints as there is room for.

    A hint is worth less than any login or claim, and than what the app may yet put into the session: the newest is
    kept only if it leaves room for that. Earlier ones go, the oldest first, before anything else does.
    """
    *others, newest = identities
    if len(newest.kept.hint or "") > LONGEST_NAME and _cookie_size(identities, rest, terms) > LARGEST_WITH_HINT:
        identities = [*others, newest.without_hint()]
    for place, identity in enumerate(identities):
        if _cookie_size(identities, rest, terms) > LARGEST_COOKIE:
            identities = [*identities[:place], identity.without_hint(), *identities[place + 1 :]]
    return identities


def _over_its_share(identities: list[Identity], room: int, terms: Terms) -> Identity | None:
    """The largest identity, if it takes more than an equal share of the room and has claims to lose."""
    sizes = [(_cookie_size([one], {}, terms), one) for one in identities if one.user.kept_claims]
    size, largest = max(sizes, key=lambda sized: sized[0], default=(0, None))
    return largest if size > room // len(identities) else None


def _without_longest_claim(identity: Identity) -> Identity:
    user, claims = identity.user, identity.user.kept_claims
    longest = max(claims, key=lambda name: len(ascii(claims[name])))  # a cookie holds it escaped
    fewer = {name: value for name, value in claims.items() if name != longest}
    return identity._replace(user=replace(user, kept_claims=fewer))


def _cookie_size(identities: Iterable[Identity], rest: Mapping[str, object], terms: Terms) -> int:
    interface = the_app().session_interface
    if not isinstance(interface, SecureCookieSessionInterface):
        return 0  # a server-side store: the cookie is an id
    serializer = interface.get_signing_serializer(the_app())
    return len(serializer.dumps({**rest, **_entries(identities, terms)})) if serializer is not None else 0
