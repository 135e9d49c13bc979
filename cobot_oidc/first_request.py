"""Checks that need the finished app: its URL rules, its views and its other extensions.

``init_app`` would be too early, as Flask does not say when the last route has been added. So the first request checks,
whichever it is: a view that is open by mistake calls no code of ours. Once everything is right, the hook is removed, so
no later request pays for it.
"""

from collections.abc import Callable, Iterable
from importlib import import_module

from flask import Flask, after_this_request, request
from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from .embed import frames
from .errors import ConfigurationError
from .events import logger
from .guards import asks_for_the_requested_space, views_for_members, views_left_open
from .identity import sessions
from .installation import Installation
from .settings_mistakes import PREFIX, Problems, check_samesite, nearest
from .spaces import ViewArgument

_TEMPLATES = (
    "Flask-Login is set up in this app too: in templates, current_user is that of %s, whose init_app came last; "
    "cobot_user is always that of cobot_oidc"
)
_NO_SPACE = (
    "the guarded view %s at %s has variable parts, but not <%s>: it asks for a login at the global provider; "
    "if you mean that, write login_required(space=None)"
)
_STORE_CAME_LATER = (
    "the session store was set up after CobotOIDC, so that init_app could not refuse it; set up the store first"
)


def look_at_first_request(app: Flask, installed: Installation, names: Callable[[], dict[str, object]]) -> None:
    """Before the first request is answered, look at the app as a whole; refuse every request if it is not safe.

    :param names: our context processor, by which a template gets ``current_user``.
    """
    found: list[ConfigurationError] = []

    def look() -> None:
        if request.endpoint == "cobot_oidc.static":  # the style of the page that tells what is wrong
            return
        if installed.settings.backchannel_logout:
            exempt_from_csrf(app)
        if not found:
            try:
                check_app(app, installed)
            except ConfigurationError as error:
                logger.error("the app is refused: %s", error, extra={"event": "app_refused", "code": error.code})
                found.append(error)
            else:
                # A new list: other threads may be going through the old one.
                app.before_request_funcs[None] = [hook for hook in app.before_request_funcs[None] if hook is not look]
                _warn(app, installed, names)
                after_this_request(_prepare_logins)
                return
        raise found[0].copy()

    app.before_request(look)


def _prepare_logins(response: Response) -> Response:
    """Import what a login needs once this answer is sent: it takes 0.1 s, at the start or while somebody logs in."""
    response.call_on_close(lambda: import_module(".login.views", __package__))
    return response


def exempt_from_csrf(app: Flask) -> None:
    """Let Flask-WTF pass a provider's logout, which has no form of ours and proves itself by its signature.

    Called by ``init_app``, and again before the first request, in case ``CSRFProtect`` was set up after us.
    """
    csrf = app.extensions.get("csrf")
    if csrf is not None and hasattr(csrf, "exempt"):
        csrf.exempt(app.view_functions["cobot_oidc.backchannel_logout"])


def check_app(app: Flask, installed: Installation) -> None:
    """What the first request looks at, for ``flask cobot check`` too.

    :raises ConfigurationError: all that was found, in one.
    """
    problems = Problems()
    for check in (_check_views, _check_memberships, _check_space_argument, _check_destinations, _check_store):
        with problems.noted():
            check(app, installed)
    problems.raise_any()


def _check_views(app: Flask, _installed: Installation) -> None:
    if left_open := views_left_open(app.view_functions):
        raise ConfigurationError("guard_misplaced", views=", ".join(left_open))


def _check_memberships(app: Flask, installed: Installation) -> None:
    if not installed.settings.membership and (views := views_for_members(app.view_functions)):
        raise ConfigurationError(
            "setting_missing",
            setting="COBOT_OIDC_MEMBERSHIP",
            expected="True",
            views=", ".join(views),
            remedy="set COBOT_OIDC_MEMBERSHIP to True: membership_required and admin_required need it",
        )


def _check_space_argument(app: Flask, installed: Installation) -> None:
    """A name that no rule has is a mistake if a view is guarded that has some other variable part, or one alike."""
    if not isinstance(installed.read_space, ViewArgument):
        return
    name, rules = installed.read_space.name, list(_own_rules(app))
    arguments = sorted({argument for rule in rules for argument in rule.arguments})
    if name in arguments:
        return
    near = nearest(name, arguments, cutoff=0.6)
    guarded = [rule for rule in rules if asks_for_the_requested_space(app.view_functions.get(rule.endpoint))]
    if near or any(rule.arguments for rule in guarded):
        remedy = {"remedy": f"did you mean {near}?"} if near else {}
        raise ConfigurationError("view_arg_unknown", found=name, expected=f"one of {', '.join(arguments)}", **remedy)
    logger.warning("no URL rule has <%s>, which from_view_arg names: no page of this app is a space's", name)


def _check_destinations(app: Flask, installed: Installation) -> None:
    problems = Problems()
    for key, place in (
        ("AFTER_LOGIN", installed.settings.after_login),
        ("AFTER_LOGOUT", installed.settings.after_logout),
    ):
        if isinstance(place, str) and not place.startswith("/"):
            with problems.noted():
                _check_endpoint(app, f"{PREFIX}{key}", place)
    problems.raise_any()


def _check_endpoint(app: Flask, key: str, place: str) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    if place not in endpoints:
        near = nearest(place, endpoints, cutoff=0.6)
        remedy = {"remedy": f"did you mean {near}?"} if near else {}
        expected = "a path such as '/', or an endpoint of the app"
        raise ConfigurationError("setting_invalid", setting=key, found=place, expected=expected, **remedy)


def _check_store(app: Flask, installed: Installation) -> None:
    """What an extension that was set up later may have changed."""
    check_samesite(app.config)
    if installed.settings.embedded:
        frames.check(app, frames.FrameSessions)
    try:
        sessions.check_store(app.session_interface)
    except ConfigurationError as error:
        error.note(reason=_STORE_CAME_LATER)
        raise


def _warn(app: Flask, installed: Installation, names: Callable[[], dict[str, object]]) -> None:
    """Warn of what is allowed, but probably a mistake."""
    if isinstance(installed.read_space, ViewArgument):
        name = installed.read_space.name
        for rule in _own_rules(app):
            guarded = asks_for_the_requested_space(app.view_functions.get(rule.endpoint))
            if guarded and rule.arguments and name not in rule.arguments:
                logger.warning(_NO_SPACE, rule.endpoint, rule.rule, name)
    processors = app.template_context_processors[None]
    theirs = [place for place, each in enumerate(processors) if each.__module__.startswith("flask_login.")]
    if theirs:
        logger.warning(_TEMPLATES, "Flask-Login" if theirs[-1] > processors.index(names) else "cobot_oidc")


def _own_rules(app: Flask) -> Iterable[Rule]:
    """The app's own rules, without ours and Flask's for static files."""
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("cobot_oidc.") and rule.endpoint.rpartition(".")[2] != "static":
            yield rule
