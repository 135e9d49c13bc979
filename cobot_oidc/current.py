"""Who and where this request is: its space, its user. Worked out once for each request, when first asked for.

Kept in the request's WSGI environment, not in ``g``: an app context may outlive a request (in tests, in a shell).
"""

from collections.abc import Callable
from typing import cast

from flask import has_request_context
from werkzeug.local import LocalProxy

from . import sessions
from .errors import LoginError
from .installation import Installation, installation
from .issuers import Registration
from .logout_marks import is_marked
from .proxies import the_request
from .user import ANONYMOUS, AnonymousUser, User

_SPACE = "cobot_oidc.space"
_USER = "cobot_oidc.user"
_SERVED = "cobot_oidc.served"


def requested_space() -> str | None:
    """The space that this request names, as the app configured it; ``None`` for the global provider.

    :raises LoginError: ``space_unknown`` where the name is no space's, or none that the app serves.
    """
    space, _ = _place()
    return space


def requested_issuer() -> str:
    """The issuer of the request's space.

    :raises LoginError: ``space_unknown``.
    """
    _, issuer = _place()
    return issuer


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


def _place() -> tuple[str | None, str]:
    space, issuer = _named_place(the_request().environ, installation())
    if issuer is None:
        raise LoginError("space_unknown", space=space)
    return space, issuer


def _named_place(environ: dict[str, object], here: Installation) -> tuple[str | None, str | None]:
    """The space as the request names it, and its issuer where it has one."""
    if _SPACE not in environ:
        environ[_SPACE] = here.read_space() if here.read_space is not None else None
    space = cast("str | None", environ[_SPACE])
    return space, here.settings.issuers.issuer_of(space)


def once_for_a_request(serves: Callable[[str], bool]) -> Callable[[str], bool]:
    """Ask the app's own function only once for each request and space: it may be a query to a database.

    :param serves: whether the app serves a space.
    """

    def answer(space: str) -> bool:
        if not has_request_context():
            return serves(space)
        answers = cast("dict[str, bool]", the_request().environ.setdefault(_SERVED, {}))
        if space not in answers:
            answers[space] = serves(space)
        return answers[space]

    return answer


def pin_space(space: str | None) -> None:
    """Let this space count for the rest of the request, whatever the request names."""
    the_request().environ[_SPACE] = space
    forget_user()


def requested_user() -> User | AnonymousUser:
    """The user who is logged in to this request's space; nobody where the request names no valid space."""
    environ = the_request().environ
    user = environ.get(_USER)
    if user is None:
        user = environ[_USER] = _look_up(environ)
    return cast("User | AnonymousUser", user)


def forget_user() -> None:
    """Look again, after the session has changed."""
    the_request().environ.pop(_USER, None)


def _look_up(environ: dict[str, object]) -> User | AnonymousUser:
    here = installation()
    space, issuer = _named_place(environ, here)
    if issuer is None:
        return ANONYMOUS
    now, lifetimes = here.clock(), here.lifetimes
    user = sessions.find(issuer, space, now=now, lifetimes=lifetimes)
    if isinstance(user, AnonymousUser) or is_marked(user) or user in here.ended_logins:
        return ANONYMOUS
    if lifetimes.idle is not None:
        sessions.note_visit(issuer, now=now, idle=lifetimes.idle)
    return user


def _space_or_none() -> str | None:
    try:
        return requested_space()
    except LoginError:
        return None


current_user = cast("User | AnonymousUser", LocalProxy(requested_user))
current_space = cast("str | None", LocalProxy(_space_or_none))
