"""Doors: views that only someone who is logged in may see."""

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import ParamSpec, TypeVar, overload

from flask import current_app, redirect, request
from werkzeug.wrappers import Response

from .current import pin_space, requested_space, requested_user
from .errors import LoginError
from .pages import wants_json
from .places import check_prefix, login_url, offer_login
from .protocol.redirects import safe_next

P = ParamSpec("P")
R = TypeVar("R")


@overload
def login_required(view: Callable[P, R], /) -> Callable[P, R | Response]: ...
@overload
def login_required(*, space: str | None) -> Callable[[Callable[P, R]], Callable[P, R | Response]]: ...


def login_required(view=None, /, **where):  # type: ignore[no-untyped-def] # the overloads above are its type
    """Let only someone who is logged in to the request's space see a view.

    Everyone else is sent to log in there and comes back to where they were. A request that wants JSON gets status 401
    and a problem document (RFC 9457) instead, whose ``login_url`` tells where a person can log in.

    :param view: the view, where used bare.
    :param space: the one space that counts for this view, whatever the request names; ``None`` for the global provider.
    :raises LoginError: ``space_unknown`` (404) where the request names no space that the app serves.

    .. code-block:: python

        @app.get("/<space>/desk")
        @login_required
        def desk(space): ...

        @app.get("/board")
        @login_required(space="co-up")
        def board(): ...
    """
    if view is not None:
        return _guarded(view, {})
    return lambda view: _guarded(view, where)


def _guarded(view: Callable[P, R], where: dict[str, str | None]) -> Callable[P, R | Response]:
    is_async = iscoroutinefunction(view)

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        if where:
            pin_space(where["space"])
        if not requested_user().is_authenticated:
            return _send_to_login(requested_space())
        answer: R = (current_app.ensure_sync(view) if is_async else view)(*args, **kwargs)
        return answer

    return guarded


def _send_to_login(space: str | None) -> Response:
    check_prefix()
    # Only what can be asked for again is worth coming back to: a form that was posted is lost either way.
    here = request.full_path.removesuffix("?") if request.method in ("GET", "HEAD") else None
    offer_login(space, safe_next(request.root_path + here) if here else None)
    if wants_json():
        raise LoginError("login_required")
    return redirect(login_url() or "", 302)
