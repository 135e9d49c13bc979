"""Guards: views that only people who are logged in may see, and the user for typed views."""

from collections.abc import Callable, Coroutine, Iterator, Mapping
from enum import Enum
from functools import partial, wraps
from inspect import iscoroutinefunction
from types import FunctionType
from typing import Any, Final, Literal, ParamSpec, Protocol, TypeVar, cast, overload
from weakref import WeakKeyDictionary, WeakSet

from flask import current_app, redirect
from werkzeug.wrappers import Response

from .errors import APIError, ConfigurationError, LoginError
from .failures import is_for_a_person
from .identity.current import identity_of, in_space, requested_space, requested_user
from .identity.memberships import standing_of
from .identity.stored import NOTHING_KEPT
from .identity.user import Membership, User
from .installation import installation
from .issuers import is_space_name
from .urls import Destination, check_prefix, login_url, offer_login, this_page

P = ParamSpec("P")
R = TypeVar("R")


class _Unset(Enum):
    """The default of an argument for which ``None`` has a meaning of its own."""

    UNSET = "not given"


_UNSET: Final = _Unset.UNSET

# The guards that were made, and the views that they were made for: the first request checks whether the app uses them.
_guards: WeakKeyDictionary[Callable[..., Any], str | _Unset | None] = WeakKeyDictionary()  # and the space of each
_asking_cobot: WeakSet[Callable[..., Any]] = WeakSet()  # those guards that need COBOT_OIDC_MEMBERSHIP
_with_a_guard: WeakSet[Callable[..., Any]] = WeakSet()


class Guard(Protocol):
    """What ``login_required(space=…)`` returns: a decorator for plain and for async views."""

    @overload
    def __call__(self, view: Callable[P, Coroutine[Any, Any, R]], /) -> Callable[P, R | Response]: ...
    @overload
    def __call__(self, view: Callable[P, R], /) -> Callable[P, R | Response]: ...


@overload
def login_required(view: Callable[P, Coroutine[Any, Any, R]], /) -> Callable[P, R | Response]: ...
@overload
def login_required(view: Callable[P, R], /) -> Callable[P, R | Response]: ...
@overload
def login_required(*, space: str | Literal[_Unset.UNSET] | None = ...) -> Guard: ...


def login_required(view: Any = None, /, *, space: str | Literal[_Unset.UNSET] | None = _UNSET) -> Any:
    """Let only someone who is logged in to the request's space see a view.

    People are redirected to log in there, and return to where they were. A request whose answer no person sees (a
    script's ``fetch``, an image, one that asks for JSON or belongs to ``COBOT_OIDC_JSON_BLUEPRINTS``) does not start a
    login: it gets status 401 and a problem document (RFC 9457), whose ``login_url`` is where a person can log in.

    Put it below the decorator that registers the view: above, it would guard nothing, and such an app refuses its
    first request.

    :param view: the view, plain or async, if the decorator is used bare.
    :param space: the one space that counts for this view, whatever the request names; ``None`` for the global provider.
    :raises TypeError: if used on something that is not a view, such as a space's name.
    :raises ConfigurationError: ``space_name_invalid`` if no space can have this name.
    :raises LoginError: in the request: ``space_unknown`` (404) if it names no space that the app serves.

    .. code-block:: python

        @app.get("/<space>/desk")
        @login_required
        def desk(space): ...

        @app.get("/board")
        @login_required(space="co-up")
        def board(): ...
    """
    return _guard(view, space, "login_required")


@overload
def membership_required(view: Callable[P, Coroutine[Any, Any, R]], /) -> Callable[P, R | Response]: ...
@overload
def membership_required(view: Callable[P, R], /) -> Callable[P, R | Response]: ...
@overload
def membership_required(*, space: str | Literal[_Unset.UNSET] | None = ...) -> Guard: ...


def membership_required(view: Any = None, /, *, space: str | Literal[_Unset.UNSET] | None = _UNSET) -> Any:
    """Let only members of the space see a view; people who are not logged in there log in first (``login_required``).

    Everybody else sees a page that says why, and programs get status 403 with the code ``membership_required``. If
    Cobot cannot be asked, so that nobody knows, the answer is 503, ``membership_unknown``. A login from before the app
    had ``COBOT_OIDC_MEMBERSHIP`` does not count here. Being an admin of the space does not make somebody a member.

    :param view: the view, if the decorator is used bare.
    :param space: as for ``login_required``.
    :raises ConfigurationError: in the app's first request: ``setting_missing`` without ``COBOT_OIDC_MEMBERSHIP``.

    .. code-block:: python

        @app.get("/<space>/desk")
        @membership_required
        def desk(space): ...
    """
    return _guard(view, space, "membership_required", _check_member)


@overload
def admin_required(view: Callable[P, Coroutine[Any, Any, R]], /) -> Callable[P, R | Response]: ...
@overload
def admin_required(view: Callable[P, R], /) -> Callable[P, R | Response]: ...
@overload
def admin_required(*, space: str | Literal[_Unset.UNSET] | None = ...) -> Guard: ...


def admin_required(view: Any = None, /, *, space: str | Literal[_Unset.UNSET] | None = _UNSET) -> Any:
    """Let only people who administer the space see a view; otherwise as ``membership_required``.

    Everybody else gets status 403 with the code ``admin_required``.

    :param view: the view, if the decorator is used bare.
    :param space: as for ``login_required``.
    """
    return _guard(view, space, "admin_required", _check_admin)


def requires_scope(*scopes: str, space: str | Literal[_Unset.UNSET] | None = _UNSET) -> Guard:
    """Let a view use more of Cobot's API than every login asks for (``COBOT_OIDC_SCOPES``).

    Somebody who has not granted these scopes is sent to grant them, once, and comes back to where they were; somebody
    who is not logged in logs in. Programs get status 403 with the code ``insufficient_scope``, and so do people who
    were asked and did not grant them.

    :param scopes: such as ``"read_memberships"``.
    :param space: as for ``login_required``.
    :raises TypeError: if used without scopes, or with something that is not a string.

    .. code-block:: python

        @app.get("/<space>/people")
        @requires_scope("read_memberships")
        def people(space):
            return render_template("people.html", people=oidc.api.get("/api/memberships"))
    """
    if not scopes or not all(isinstance(scope, str) for scope in scopes):
        raise TypeError("requires_scope needs the names of scopes: @requires_scope('read_memberships')")
    return cast(Guard, _guard(None, space, "requires_scope", partial(_check_scopes, scopes), *scopes))


def require_user() -> User:
    """The user of this request, never an anonymous one: what a typed view calls after ``login_required``.

    :raises LoginError: ``login_required`` (401) if nobody is logged in to the request's space; ``space_unknown`` (404).

    .. code-block:: python

        @app.get("/bookings")
        @login_required
        def bookings():
            return bookings_of(require_user().subject)
    """
    user = requested_user()
    if not user.is_authenticated:
        _offer_login()
        raise LoginError("login_required")
    return user


def require_membership() -> Membership:
    """The membership of this request's user in its space: what a typed view calls after ``membership_required``.

    :raises LoginError: as ``require_user``; ``membership_required`` (403) if the user is not a member of the space;
        ``membership_unknown`` (503) if Cobot cannot be asked.
    :raises ConfigurationError: ``setting_missing`` without ``COBOT_OIDC_MEMBERSHIP``.

    .. code-block:: python

        @app.get("/<space>/desk")
        @membership_required
        def desk(space):
            return bookings_of(require_membership().id)
    """
    user = require_user()
    try:
        return _membership_of(user)
    except LoginError as error:
        if error.code == "login_required":
            _offer_login()
        raise


def views_left_open(views: Mapping[str, Callable[..., Any]]) -> list[str]:
    """The endpoints whose view was given to a guard, although the app registered the bare view.

    That is what ``@login_required`` above ``@app.get`` does: the guard is made after the view was registered. Two kinds
    of views are left open on purpose: one that is registered with a guard too, and one that its module still knows by
    its own name, as the guard was then made by a call, not by a decorator.

    :param views: of the app, by endpoint.
    """
    guarded = {
        id(layer) for view in views.values() for guard in _layers(view) if guard in _guards for layer in _layers(guard)
    }
    return sorted(
        endpoint
        for endpoint, view in views.items()
        if isinstance(view, FunctionType) and view in _with_a_guard
        if id(view) not in guarded and view.__globals__.get(view.__qualname__) is not view
    )


def views_for_members(views: Mapping[str, Callable[..., Any]]) -> list[str]:
    """The endpoints whose guard needs ``COBOT_OIDC_MEMBERSHIP``, to know what somebody is in the space.

    :param views: of the app, by endpoint.
    """
    return sorted(endpoint for endpoint, view in views.items() if any(each in _asking_cobot for each in _layers(view)))


def asks_for_the_requested_space(view: Callable[..., Any] | None) -> bool:
    """Whether only those who are logged in to the request's own space may see this view."""
    return any(_guards.get(layer) is _UNSET for layer in _layers(view))


def _layers(view: Callable[..., Any] | None) -> Iterator[Callable[..., Any]]:
    """A view, and what each decorator on it was given, the outermost first: the plain functions among them."""
    while view is not None:
        if isinstance(view, FunctionType):  # other callables may be neither hashable nor weakly referable
            yield view
        view = getattr(view, "__wrapped__", None)


_Check = Callable[[User], Response | None]


def _guard(
    view: Any, space: str | Literal[_Unset.UNSET] | None, name: str, check: _Check | None = None, *scopes: str
) -> Any:
    """A guard by this name, or a decorator that makes one.

    :param check: raises an error for those who are logged in, but may not see the view, or sends them elsewhere.
    :param scopes: what those who are not logged in are asked for as well.
    """
    if view is not None and not callable(view):
        raise TypeError(f"{name} decorates a view; for one space alone write {name}(space={view!r})")
    if space is not _UNSET and space is not None and not is_space_name(space):
        raise ConfigurationError("space_name_invalid", found=space, expected="a subdomain at Cobot, such as 'co-up'")
    if view is None:
        return lambda view: _guarded(view, space, check, scopes)
    return _guarded(view, space, check, scopes)


def _check_member(user: User) -> None:
    _membership_of(user)


def _membership_of(user: User) -> Membership:
    membership = standing_of(user).membership
    if membership is None:
        raise LoginError("membership_required", space=user.space)
    return membership


def _check_admin(user: User) -> None:
    if not standing_of(user).is_admin:
        raise LoginError("admin_required", space=user.space)


def _check_scopes(scopes: tuple[str, ...], user: User) -> Response | None:
    identity, configured = identity_of(user), installation().settings.scopes
    kept = NOTHING_KEPT if identity is None else identity.kept
    missing = tuple(scope for scope in scopes if scope in kept.declined or scope not in (*configured, *kept.granted))
    if not missing:
        return None
    _offer_login(missing)
    if set(missing).intersection(kept.declined) or not is_for_a_person():
        raise APIError("insufficient_scope", expected=" ".join(missing))
    return redirect(login_url() or "", 302)


def _guarded(
    view: Callable[P, R],
    space: str | Literal[_Unset.UNSET] | None,
    check: _Check | None,
    scopes: tuple[str, ...],
) -> Callable[P, R | Response]:
    is_async = iscoroutinefunction(view)
    _with_a_guard.update(_layers(view))

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        user = requested_user()
        if not user.is_authenticated:
            return _send_to_login(scopes)
        try:
            refusal = None if check is None else check(user)
        except LoginError as error:
            if error.code != "login_required":
                raise
            return _send_to_login(scopes)
        if refusal is not None:
            return refusal
        answer: R = (current_app.ensure_sync(view) if is_async else view)(*args, **kwargs)
        return answer

    @wraps(view)
    def guarded_in_space(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        with in_space(cast("str | None", space)):
            return guarded(*args, **kwargs)

    guard = guarded if space is _UNSET else guarded_in_space
    _guards[guard] = space
    if check in (_check_member, _check_admin):
        _asking_cobot.add(guard)
    return guard


def _send_to_login(scopes: tuple[str, ...]) -> Response:
    _offer_login(tuple(scope for scope in scopes if scope not in installation().settings.scopes))
    if not is_for_a_person():
        raise LoginError("login_required")
    return redirect(login_url() or "", 302)


def _offer_login(scopes: tuple[str, ...] = ()) -> None:
    check_prefix()
    grant = None
    if scopes:
        from .identity import grants  # imports cryptography

        grant = grants.sealed(scopes)
    offer_login(Destination(requested_space(), this_page(), grant))
