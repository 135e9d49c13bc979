"""Who is logged in, as the session remembers it: one identity for each issuer, side by side.

The session holds who, not how: subject, space, time and a few claims, never a token. Knows Flask's ``session`` and the
session interface behind it (Flask's cookie, Flask-Session), and nothing of the protocol.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TypeGuard

from flask.sessions import SecureCookieSessionInterface

from .errors import LoginError
from .proxies import the_app, the_session
from .user import ANONYMOUS, AnonymousUser, User

KEY = "cobot_oidc:"  # and the issuer: an entry for each identity
LARGEST_COOKIE = 3800  # bytes; browsers drop a cookie beyond 4096 without a word (security.md S06)
CLOCK_DISAGREEMENT = 300  # seconds that the machines behind one app may disagree

NOTED_EACH = 12  # parts of the idle lifetime: that often a visit is written down, and a cookie set

# In the session an identity is [space, subject, authenticated_at, claims], and seen_at where there is an idle lifetime:
# every byte travels with every request.
Record = tuple[str | None, str, int, dict[str, object]] | tuple[str | None, str, int, dict[str, object], int]


def find(issuer: str, space: str | None, *, now: float, lifetime: int, idle: int | None) -> User | AnonymousUser:
    """The user that this browser is to this issuer and space, or nobody.

    :param issuer: whose identity counts here; one of another issuer never does (security.md M04, M05).
    :param space: the space that the identity has to be logged in to; ``None`` for the global provider.
    :param now: seconds since the epoch.
    :param lifetime: seconds from the login after which it counts no more.
    :param idle: seconds from the last visit after which it counts no more; ``None`` for no such limit.
    """
    record = the_session().get(KEY + issuer)
    if not _is_record(record) or record[0] != space or not _alive(record, now, lifetime):
        return ANONYMOUS
    if idle is not None:
        unseen_for = now - (record[4] if len(record) == 5 else record[2])
        if not -CLOCK_DISAGREEMENT <= unseen_for < idle:
            return ANONYMOUS
        if unseen_for >= idle / NOTED_EACH:
            the_session()[KEY + issuer] = (*record[:4], int(now))
    return _user(issuer, record)


def start(user: User, *, lifetime: int) -> None:
    """Begin a new session that holds this user, and the identities at other issuers that are still alive.

    Whatever else the session held is dropped, and a server-side store gives it a new id (security.md S01, F24).

    :param user: who logged in now, at ``user.authenticated_at``.
    :param lifetime: seconds after which the others count no more.
    :raises LoginError: ``session_too_large`` where the browser would drop the cookie; the session is untouched then.
    """
    others = [
        (issuer, record)
        for issuer, record in _records().items()
        if issuer != user.issuer and _alive(record, user.authenticated_at, lifetime)
    ]
    own: Record = (user.space, user.subject, user.authenticated_at, dict(user.kept_claims))
    identities = _within_a_cookie(sorted(others, key=lambda other: other[1][2]), (user.issuer, own))
    session = the_session()
    permanent = session.permanent
    session.clear()
    if permanent:
        session.permanent = True
    session.update(_entries(identities))
    # Flask-Session has it, Flask's own cookie needs none: the content is the session.
    regenerate = getattr(the_app().session_interface, "regenerate", None)
    if regenerate is not None:
        regenerate(session)


def end(issuers: Iterable[str] | None = None) -> list[User]:
    """Forget the identities at these issuers, or all of them; with the last one goes everything in the session.

    :param issuers: ``None`` for every one.
    :returns: who was logged in until now.
    """
    session, records = the_session(), _records()
    ending = [issuer for issuer in (records if issuers is None else issuers) if issuer in records]
    ended = [_user(issuer, records[issuer]) for issuer in ending]
    if ending and len(ending) == len(records):
        session.clear()
    for issuer in ending:
        session.pop(KEY + issuer, None)
    return ended


def issuers() -> Collection[str]:
    """The issuers that this browser has an identity of."""
    return _records().keys()


def _records() -> Mapping[str, Record]:
    """The identities in the session, without what an older release or another library may have left there."""
    return {
        key.removeprefix(KEY): record
        for key, record in the_session().items()
        if key.startswith(KEY) and _is_record(record)
    }


def _entries(identities: Mapping[str, Record]) -> dict[str, Record]:
    return {KEY + issuer: record for issuer, record in identities.items()}


def _is_record(stored: object) -> TypeGuard[Record]:
    if not isinstance(stored, (list, tuple)) or len(stored) not in (4, 5):
        return False
    space, subject, authenticated_at, claims, *seen_at = stored
    return (
        (space is None or isinstance(space, str))
        and isinstance(subject, str)
        and isinstance(authenticated_at, int)
        and isinstance(claims, dict)
        and all(isinstance(time, int) for time in seen_at)
    )


def _alive(record: Record, now: float, lifetime: int) -> bool:
    age = now - record[2]
    return -CLOCK_DISAGREEMENT <= age < lifetime


def _user(issuer: str, record: Record) -> User:
    space, subject, authenticated_at, claims = record[:4]
    return User(issuer, subject, space, claims, authenticated_at)


def _within_a_cookie(others: list[tuple[str, Record]], newest: tuple[str, Record]) -> dict[str, Record]:
    """As many identities as one cookie can hold: the newest, then of the others those that logged in last.

    Before a login goes, those that take more than their share lose their longest claims (security.md X14).

    :param others: the one that logged in longest ago first.
    """
    identities = dict([*others, newest])
    if _cookie_size(identities) <= LARGEST_COOKIE:
        return identities
    if (size := _cookie_size(dict([newest]))) > LARGEST_COOKIE:
        _, (_, subject, _, claims, *_) = newest
        sizes = {name: len(str(value)) for name, value in claims.items()}
        raise LoginError("session_too_large", bytes=size, subject_length=len(subject), claim_lengths=sizes)
    while _cookie_size(identities) > LARGEST_COOKIE:
        issuer = _over_its_share(identities)
        if issuer is None:
            del identities[next(iter(identities))]
        else:
            identities[issuer] = _without_longest_claim(identities[issuer])
    return identities


def _over_its_share(identities: Mapping[str, Record]) -> str | None:
    """The largest identity, if it takes more than an equal share of the cookie and has claims to lose."""
    sizes = {issuer: _cookie_size({issuer: record}) for issuer, record in identities.items() if record[3]}
    largest = max(sizes, key=sizes.__getitem__, default=None)
    return largest if largest is not None and sizes[largest] > LARGEST_COOKIE // len(identities) else None


def _without_longest_claim(record: Record) -> Record:
    claims = record[3]
    longest = max(claims, key=lambda name: len(ascii(claims[name])))  # a cookie holds it escaped
    fewer = {name: value for name, value in claims.items() if name != longest}
    return (*record[:3], fewer) if len(record) == 4 else (*record[:3], fewer, record[4])


def _cookie_size(identities: dict[str, Record]) -> int:
    interface = the_app().session_interface
    if not isinstance(interface, SecureCookieSessionInterface):
        return 0  # a server-side store: the cookie is an id
    serializer = interface.get_signing_serializer(the_app())
    return len(serializer.dumps(_entries(identities))) if serializer is not None else 0
