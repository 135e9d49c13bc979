"""Who and where this request is: its space, its user, its browser's users. Worked out once for each request.

Kept in the request's WSGI environment, not in ``g``: an app context may outlive a request (in tests, in a shell).
"""

from typing import cast

from werkzeug.local import LocalProxy

from . import sessions
from .errors import LoginError
from .installation import Installation, installation
from .proxies import the_request
from .user import ANONYMOUS, AnonymousUser, User

_PLACE = "cobot_oidc.place"
_USER = "cobot_oidc.user"


def current_space() -> str | None:
    """The space that this request names.

    A function, as a proxy would never be ``None``, and neither JSON nor a database would take it. In templates,
    ``current_space`` is the plain value.

    :returns: ``None`` for the global provider, and if the request names no space that the app serves.
    """
    space, issuer = _named_place(the_request().environ, installation())
    return space if issuer is not None else None


def current_users() -> list[User]:
    """Everyone who is logged in with this browser, one for each issuer, the earliest login first.

    For a page that shows where somebody is logged in. Whether they may see something is ``current_user``'s question:
    each login is valid only where its space is asked for.
    """
    here = installation()
    settings = here.settings
    users = sessions.everyone(now=here.clock(), lifetime=settings.session_lifetime, idle=settings.session_idle_lifetime)
    return [user for user in users if settings.issuer_of(user.space) == user.issuer]


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


def _place() -> tuple[str | None, str]:
    space, issuer = _named_place(the_request().environ, installation())
    if issuer is None:
        raise LoginError("space_unknown", space=space)
    return space, issuer


def _named_place(environ: dict[str, object], here: Installation) -> tuple[str | None, str | None]:
    """The space as the request names it, and its issuer if it has one."""
    if _PLACE not in environ:
        space = here.read_space() if here.read_space is not None else None
        environ[_PLACE] = space, here.settings.issuer_of(space)
    return cast("tuple[str | None, str | None]", environ[_PLACE])


def pin_space(space: str | None) -> None:
    """Let this space count for the rest of the request, whatever the request names."""
    the_request().environ[_PLACE] = space, installation().settings.issuer_of(space)
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
    settings = here.settings
    return sessions.find(
        issuer, space, now=here.clock(), lifetime=settings.session_lifetime, idle=settings.session_idle_lifetime
    )


current_user = cast("User | AnonymousUser", LocalProxy(requested_user))
