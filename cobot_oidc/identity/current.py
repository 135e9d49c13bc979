"""The space and the user of this request, and its browser's users. They are determined once for each request.

Kept with the request object. Not in ``g``, as an app context may outlive a request (in tests, in a shell), nor in the
WSGI environment, which may be used again, for another path or by another app. Nothing kept refers to the request: a
circle would make every page wait for the garbage collector.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from flask import has_request_context
from werkzeug.local import LocalProxy

from ..context import the_request
from ..embed.context import is_for_somebody_else
from ..errors import LoginError
from ..installation import Installation, installation
from ..issuers import Registration
from . import sessions
from .logout_marks import is_marked
from .stored import Identity
from .user import ANONYMOUS, AnonymousUser, User

_SEEN = "_cobot_oidc_seen"


@dataclass(slots=True)
class _Seen:
    """What was worked out for one request."""

    place: tuple[str | None, str | None] | None = None
    user: User | AnonymousUser | None = None
    identity: Identity | None = None
    served: dict[str, bool] | None = None


def _seen() -> _Seen:
    kept = the_request().__dict__
    seen: _Seen | None = kept.get(_SEEN)
    if seen is None:
        seen = kept[_SEEN] = _Seen()
    return seen


def current_space() -> str | None:
    """The space that this request names.

    This is a function, as a proxy would never be ``None``, and neither JSON nor a database would accept it. In
    templates, ``current_space`` is the plain value.

    :returns: ``None`` for the global provider, and if the request names no space that the app serves.
    """
    space, issuer = _named_place(_seen(), installation())
    return space if issuer is not None else None


def space_of_the_page() -> str | None:
    """The same; ``None`` also if the app's own callable fails: the page may be the one about that failure."""
    try:
        return current_space()
    except Exception:
        return None


def current_users() -> list[User]:
    """Everyone who is logged in with this browser, one user for each issuer, earliest login first.

    It is meant for a page that shows where somebody is logged in. To decide what they may see, use ``current_user``:
    each login is valid only for requests of its space.
    """
    installed = installation()
    logins = sessions.everyone(installed.terms, now=installed.clock())
    issuer_of = installed.settings.issuers.issuer_of
    valid = [one for one in logins if _is_valid(one, installed) and issuer_of(one.user.space) == one.user.issuer]
    if installed.settings.embedded:
        valid = [one for one in valid if not is_for_somebody_else(one)]
    return [one.user for one in valid]


def requested_space() -> str | None:
    """The space that this request names, as the app configured it; ``None`` for the global provider.

    :raises LoginError: ``space_unknown`` if the name is not that of a space, or of one that the app does not serve.
    """
    space, issuer = _named_place(_seen(), installation())
    if issuer is None:
        raise LoginError("space_unknown", space=space)
    return space


def requested_registration() -> Registration:
    """How this app is registered at the issuer of the request's space.

    :raises LoginError: ``space_unknown``.
    """
    return registration_of(requested_space())


def registration_of(space: str | None) -> Registration:
    """How this app is registered at the issuer of a space.

    :raises LoginError: ``space_unknown``.
    """
    registration = installation().settings.issuers.registration_of(space)
    if registration is None:
        raise LoginError("space_unknown", space=space)
    return registration


def _named_place(seen: _Seen, installed: Installation) -> tuple[str | None, str | None]:
    """The space as the request names it, and its issuer if it has one."""
    if seen.place is None:
        space = installed.read_space() if installed.read_space is not None else None
        seen.place = space, installed.settings.issuers.issuer_of(space)
    return seen.place


def once_for_a_request(serves: Callable[[str], bool]) -> Callable[[str], bool]:
    """Ask the app's own function only once for each request and space: it may be a query to a database.

    :param serves: whether the app serves a space.
    """

    def answer(space: str) -> bool:
        if not has_request_context():
            return serves(space)
        seen = _seen()
        if seen.served is None:
            seen.served = {}
        if space not in seen.served:
            seen.served[space] = serves(space)
        return seen.served[space]

    return answer


def pin_space(space: str | None) -> None:
    """Use this space for the rest of the request, whatever the request names."""
    _seen().place = space, installation().settings.issuers.issuer_of(space)
    forget_user()


@contextmanager
def in_space(space: str | None) -> Iterator[None]:
    """Let this space count for what happens inside, whatever the request names.

    If it fails, the space stays: the page about the failure belongs to it, and so does the login that it offers.
    """
    seen = _seen()
    place, user, identity = seen.place, seen.user, seen.identity
    pin_space(space)
    yield
    seen.place, seen.user, seen.identity = place, user, identity


def requested_user() -> User | AnonymousUser:
    """The user who is logged in to this request's space; anonymous if the request names no valid space."""
    seen = _seen()
    if seen.user is None:
        seen.user = _look_up(seen)
    return seen.user


def identity_of(user: User) -> Identity | None:
    """The login of a user of this browser, if it is still valid."""
    seen = _seen()
    if seen.identity is not None and seen.identity.user is user:
        return seen.identity
    installed = installation()
    identity = sessions.find(user.issuer, user.space, installed.terms, now=installed.clock())
    return identity if identity is not None and identity.user == user and _is_valid(identity, installed) else None


def forget_user() -> None:
    """Look again, after the session has changed."""
    seen = _seen()
    seen.user = seen.identity = None


def _look_up(seen: _Seen) -> User | AnonymousUser:
    installed = installation()
    space, issuer = _named_place(seen, installed)
    if issuer is None:
        return ANONYMOUS
    now, terms = installed.clock(), installed.terms
    identity = sessions.find(issuer, space, terms, now=now)
    if identity is None or not _is_valid(identity, installed):
        return ANONYMOUS
    if installed.settings.embedded and is_for_somebody_else(identity):
        return ANONYMOUS
    sessions.note_visit(identity, terms, now=now)
    seen.identity = identity
    return identity.user


def _is_valid(identity: Identity, installed: Installation) -> bool:
    """Whether this login has not been ended, although the session still contains it."""
    return not is_marked(identity.user) and identity not in installed.ended_logins


class UserProxy(LocalProxy[User | AnonymousUser]):
    """What pages read most of a user has a property here: for all else, Python first searches the proxy in vain."""

    __slots__ = ()

    @property
    def is_authenticated(self) -> bool:
        return requested_user().is_authenticated

    @property
    def subject(self) -> str | None:
        return requested_user().subject

    @property
    def name(self) -> str | None:
        return requested_user().name

    @property
    def email(self) -> str | None:
        return requested_user().email


current_user = cast("User | AnonymousUser", UserProxy(requested_user))
