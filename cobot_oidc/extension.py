"""The extension: what ``init_app`` does to an app. What a login does is elsewhere."""

import time
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from flask import Blueprint, Flask, current_app, has_request_context
from flask.typing import ResponseReturnValue

from . import failures, urls
from .embed import frames
from .errors import CobotOIDCError, ConfigurationError
from .events import logger
from .first_request import exempt_from_csrf, look_at_first_request
from .guards import require_user
from .identity import sessions
from .identity.current import current_user, once_for_a_request, space_of_the_page
from .identity.memberships import known_standing
from .identity.user import ANONYMOUS
from .installation import AuthorizationRequestHook, Clock, Installation, installation
from .provider.deadline import within
from .settings import KEYS, Settings, read_settings
from .settings_mistakes import PREFIX, unread_variables
from .spaces import HostLabel, SpaceReader

if TYPE_CHECKING:
    from .api.client import CobotAPI
    from .api.space_tokens import SpaceTokens
    from .embed.context import Embed


Hook = TypeVar("Hook", bound=AuthorizationRequestHook)


class CobotOIDC:
    """Log in with Cobot, or with any OpenID provider.

    :param app: the app to set up at once; or call ``init_app`` later, for one app or several.
    :param space: how a request names its space: ``from_view_arg``, ``from_host``, ``from_subdomain``, or any callable
        without arguments that returns a space's name, or ``None`` for the global provider. Without it, every request
        belongs to the global provider, except for views with ``login_required(space=…)``.
    :param clock: tells the time in seconds since the epoch.
    :raises ConfigurationError: as ``init_app``.

    .. code-block:: python

        app = Flask(__name__)
        app.config.from_prefixed_env()
        oidc = CobotOIDC(app)
    """

    def __init__(
        self, app: Flask | None = None, *, space: SpaceReader | None = None, clock: Clock = lambda: time.time()
    ) -> None:
        self._read_space = space
        self._clock = clock
        self._authorization_request: AuthorizationRequestHook | None = None
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Read the app's configuration and add the routes. This does not wait for any provider.

        If ``COBOT_OIDC_REDIRECT_URI`` is an https URL, it also sets Flask's ``SESSION_COOKIE_SECURE``.

        :raises ConfigurationError: if a setting is missing, wrong or unknown; it names the key, what was found and what
            is expected. All problems are reported together, each in ``problems``.
        """
        if "cobot_oidc" in app.extensions:
            raise ConfigurationError("already_installed")
        settings = read_settings(
            app.config,
            [lambda: self._check_host_label(app), lambda: sessions.check_store(app.session_interface)],
        )
        if settings.embedded:
            frames.check(app)
        if callable(spaces := settings.issuers.spaces):
            settings = replace(settings, issuers=replace(settings.issuers, spaces=once_for_a_request(spaces)))
        if (settings.redirect_uri or "").startswith("https:"):
            # The app is reached over https, so the session is never sent over http.
            app.config["SESSION_COOKIE_SECURE"] = True
        self._warn(app, settings)
        installed = app.extensions["cobot_oidc"] = Installation(
            app, settings, self._read_space, self._clock, known_standing, lambda: self._authorization_request
        )
        app.register_blueprint(_blueprint(settings), url_prefix=settings.url_prefix)
        app.context_processor(_template_names)
        if settings.backchannel_logout:
            exempt_from_csrf(app)
        look_at_first_request(app, installed, _template_names)
        if settings.embedded:
            _allow_frames(app)
        if CobotOIDCError not in app.error_handler_spec[None][None]:  # the app's own handler stays
            app.register_error_handler(CobotOIDCError, failures.answer)

    def _check_host_label(self, app: Flask) -> None:
        if isinstance(self._read_space, HostLabel):
            self._read_space.check(app.config, app.config.get(f"{PREFIX}REDIRECT_URI"))

    def _warn(self, app: Flask, settings: Settings) -> None:
        """Warn of what is allowed, but probably a mistake."""
        for key in unread_variables(app.config, KEYS):
            logger.warning(
                "%s is set in the environment, but not in app.config: FLASK_%s is what Flask reads", key, key
            )
        for space in settings.issuers.unserved():
            logger.warning("COBOT_OIDC_SPACE_ISSUERS names %s, but COBOT_OIDC_SPACES does not: it is not served", space)
        if settings.issuers.spaces and settings.issuers.template is None and not settings.issuers.exceptions:
            logger.warning(
                "COBOT_OIDC_SPACES is set, but no issuer vouches for spaces: set COBOT_OIDC_SPACE_ISSUER too"
            )
        if settings.refresh_tokens and settings.redis_url is None:
            logger.warning(
                "COBOT_OIDC_REFRESH_TOKENS is set without COBOT_OIDC_REDIS_URL: if the provider accepts each refresh "
                "token only once, two processes that use the same one end the login"
            )
        if self._read_space is not None and app.config.get(f"{PREFIX}SPACES") is None:
            logger.warning("requests name their space, but no space is served: set COBOT_OIDC_SPACES")

    def authorization_request(self, function: Hook) -> Hook:
        """Decorate the function that adds parameters to the authorization request of each login.

        :param function: gets the space of the login, ``None`` for the global provider, and the path of this app that
            the login leads to, ``None`` if it has no ``next``. Returns the parameters by name, or ``None``:
            ``acr_values`` and the like are strings, ``claims`` is a mapping, ``resource`` a string or a list,
            ``max_age`` a number of seconds. Those that every login sets itself, such as ``scope``, are refused when a
            login begins.
        :raises ConfigurationError: ``authorization_request_invalid`` if there is such a function already.

        .. code-block:: python

            @oidc.authorization_request
            def strong(space, next_path):
                return {"acr_values": "urn:example:mfa"}
        """
        if self._authorization_request is not None:
            expected = "one function for each CobotOIDC"
            raise ConfigurationError("authorization_request_invalid", expected=expected, got=function.__name__)
        self._authorization_request = function
        return function

    @property
    def api(self) -> "CobotAPI":
        """Cobot's API as the user of this request, with the token that the app keeps (``COBOT_OIDC_KEEP_TOKEN``).

        :raises LoginError: ``login_required`` if nobody is logged in to the request's space.
        :raises APIError: ``token_missing`` if there is no token for the user: the page about it offers another login.
        :raises ConfigurationError: ``setting_missing`` if the app keeps no tokens.
        """
        from .api.current import api_of  # imports requests and Authlib, which few pages need

        return api_of(require_user())

    @property
    def embed(self) -> "Embed | None":
        """What Cobot says about the frame that shows the app: a hint, and never a login (``COBOT_OIDC_EMBEDDED``).

        :returns: ``None`` for a page of its own, and for a frame of anybody else's.
        """
        from .embed.context import embed

        return embed()

    @property
    def space_tokens(self) -> "SpaceTokens":
        """The tokens for background work in spaces. Needs an app context, but no request.

        :raises ConfigurationError: ``setting_missing`` without ``COBOT_OIDC_REDIS_URL``.
        """
        from .api.space_tokens import SpaceTokens

        return SpaceTokens()

    def counts(self, app: Flask | None = None) -> dict[tuple[str, str], int]:
        """How often each event happened in this process since it began, for a metrics collector.

        :param app: the app; by default the current one.
        :returns: numbers by (event, code); the code is empty except for ``login_failed`` and ``request_failed``.
            ``docs/provider.md`` lists the events.
        """
        return installation(app).events.counts


def _blueprint(settings: Settings) -> Blueprint:
    blueprint = Blueprint("cobot_oidc", __name__, template_folder="templates", static_folder="static")
    for name in ("login", "callback"):
        blueprint.add_url_rule(f"/{name}", name, _view("login.views", name), methods=["GET"])
    blueprint.add_url_rule("/logout", "logout", _view("login.logout", "logout"), methods=["POST"])
    if settings.embedded:
        blueprint.add_url_rule("/embedded", "embedded", _view("embed.views", "embedded"), methods=["GET"])
        blueprint.add_url_rule("/frame", "frame", _view("embed.views", "frame"), methods=["GET"])
        blueprint.add_url_rule("/frame", "redeem", _view("embed.views", "redeem"), methods=["POST"])
    blueprint.add_url_rule("/callback/<registered>", "callback", methods=["GET"])  # an issuer's own (RFC 9700 4.4.2.2)
    if settings.backchannel_logout:
        view = _view("backchannel.views", "logout")
        blueprint.add_url_rule("/backchannel-logout", "backchannel_logout", view, methods=["POST"])
        blueprint.add_url_rule("/backchannel-logout/<registered>", "backchannel_logout", methods=["POST"])
    blueprint.add_url_rule("/logged-out", "logged_out", failures.logged_out)
    blueprint.after_request(failures.protect)
    return blueprint


def _view(module: str, name: str):  # type: ignore[no-untyped-def] # Flask's view type says less than this
    def view(**arguments: str) -> ResponseReturnValue:
        # Not when the app starts: it imports requests, Authlib and cryptography.
        views = import_module(f".{module}", __package__)
        try:
            urls.check_prefix()
            sessions.check_store(current_app.session_interface)  # it may have been set after init_app
            with within(installation().settings.provider.request_timeout):
                response: ResponseReturnValue = getattr(views, name)(**arguments)
            return response
        except CobotOIDCError as error:
            failure = error
        # Without traceback and causes: their frames hold the login's secrets (L02).
        failure.__traceback__ = failure.__cause__ = failure.__context__ = None
        if failure.code != "login_required":  # otherwise no login was started that could fail
            failures.report(failure)
        raise failure

    # Flask-Limiter's limits and Flask-WTF's exemptions find a view by its module and name.
    view.__name__ = view.__qualname__ = f"{module.partition('.')[0]}_{name}"
    return view


def _allow_frames(app: Flask) -> None:
    from .embed import context, policy  # not for apps that are never shown in a frame

    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"  # by default some browsers would send it into frames
    app.session_interface = frames.FrameSessions()
    app.before_request(policy.refuse_cross_site)
    # First in the list is last to run: Flask-Talisman, set up earlier, would replace the policy with its own.
    app.after_request_funcs.setdefault(None, []).insert(0, policy.allow_frames)
    app.after_request(context.note)


def _template_names() -> dict[str, object]:
    if not has_request_context():  # a mail that is rendered in a job
        return {"current_user": ANONYMOUS, "cobot_user": ANONYMOUS, "current_space": None}
    # The second name of the user is ours alone: Flask-Login uses the first one too.
    return {"current_user": current_user, "cobot_user": current_user, "current_space": space_of_the_page()}
