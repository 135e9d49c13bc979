"""How a login gets into the session: beside those at other issuers and what the app keeps there, within one cookie.

No app starts with this: it is imported with the views of a login.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace

from flask.sessions import SecureCookieSessionInterface

from ..context import the_app, the_session
from ..errors import LoginError
from .sessions import by_issuer
from .stored import KEY, Identity, Terms

LARGEST_COOKIE = 3800  # bytes; browsers drop a cookie beyond 4096 without a word (S06)
LARGEST_WITH_HINT = 2800  # bytes: a hint for the logout leaves this much of a cookie to what the app keeps later
LONGEST_NAME = 40  # characters of a hint of which the session holds a name alone


def start(identity: Identity, terms: Terms) -> list[str]:
    """Let the session hold this login, beside the identities at other issuers that are still alive.

    What the app keeps for a visitor stays, unless another person was logged in at that issuer: then everything goes,
    other identities too (S01, F24).

    :param identity: who logged in now, at ``identity.user.authenticated_at``.
    :returns: the issuers whose hint for a logout was left out, as there is no room for it.
    :raises LoginError: ``session_too_large`` if the browser would drop the cookie; the session is untouched then.
    """
    session, before, user = the_session(), by_issuer(terms), identity.user
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
    session, identities, rest = the_session(), by_issuer(terms), _rest()
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
    session, held, rest = the_session(), by_issuer(terms), _rest()
    for login in logins:
        issuer = login.user.issuer
        has_room = _cookie_size([*held.values(), login], rest, terms) <= LARGEST_WITH_HINT
        entry = login if has_room else login.without_hint()
        if issuer not in held and _cookie_size([*held.values(), entry], rest, terms) <= LARGEST_COOKIE:
            held[issuer] = entry
            session[KEY + issuer] = entry.stored(terms)


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
