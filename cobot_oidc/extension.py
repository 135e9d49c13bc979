"""The extension: what ``init_app`` does to an app, and nothing of what a login does."""

import time

from flask import Blueprint, Flask, current_app, has_request_context
from flask.typing import ResponseReturnValue

from . import pages
from .config import read_settings
from .current import current_space, current_user
from .errors import CobotOIDCError, ConfigurationError
from .installation import Clock, Installation
from .spaces import HostLabel, SpaceReader
from .user import ANONYMOUS


class CobotOIDC:
    """Log in with Cobot, or with any OpenID provider.

    :param app: the app to set up at once; or call ``init_app`` later, for one app or several.
    :param space: how a request names its space: ``from_view_arg``, ``from_host``, ``from_subdomain``, or any callable
        without arguments that returns a space's name, or ``None`` for the global provider. Without it every request
        is the global provider's, but for views under ``login_required(space=…)``.
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
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Read the app's configuration and add the routes. Waits for no provider.

        :raises ConfigurationError: where a setting is missing, wrong or unknown; it names the key, what was found and
            what is expected.
        """
        if "cobot_oidc" in app.extensions:
            raise ConfigurationError("already_installed")
        settings = read_settings(app.config)
        if isinstance(self._read_space, HostLabel):
            self._read_space.check(app.config, settings.redirect_uri)
        app.extensions["cobot_oidc"] = Installation(app, settings, self._read_space, self._clock)
        app.register_blueprint(_blueprint(), url_prefix=settings.url_prefix)
        app.context_processor(_template_names)
        if CobotOIDCError not in app.error_handler_spec[None][None]:  # the app's own handler stays
            app.register_error_handler(CobotOIDCError, pages.answer)

    def counts(self, app: Flask | None = None) -> dict[tuple[str, str], int]:
        """How often each event happened in this process since it began, for a metrics collector.

        :param app: which app's; the current one if left out.
        :returns: (event, code) to number; the code is empty but for ``login_failed``. ``docs/provider.md`` lists them.
        """
        here: Installation = (app or current_app).extensions["cobot_oidc"]
        return here.counts


def _blueprint() -> Blueprint:
    blueprint = Blueprint("cobot_oidc", __name__, template_folder="templates", static_folder="static")
    for name, method in (("login", "GET"), ("callback", "GET"), ("logout", "POST")):
        blueprint.add_url_rule(f"/{name}", name, _view(name), methods=[method])
    blueprint.add_url_rule("/logged-out", "logged_out", pages.logged_out)
    blueprint.after_request(pages.protect)
    return blueprint


def _view(name: str):  # type: ignore[no-untyped-def] # Flask's view type says less than this
    def view() -> ResponseReturnValue:
        from . import views  # not before the first login: it brings requests, Authlib and cryptography along

        try:
            response: ResponseReturnValue = getattr(views, name)()
            return response
        except CobotOIDCError as error:
            failure = error
        # Without traceback and causes: their frames hold the login's secrets (security.md L02).
        failure.__traceback__ = failure.__cause__ = failure.__context__ = None
        if failure.code != "login_required":  # else no login began that could fail
            pages.report(failure)
        raise failure

    return view


def _template_names() -> dict[str, object]:
    if not has_request_context():  # a mail that is rendered in a job
        return {"current_user": ANONYMOUS, "current_space": None}
    return {"current_user": current_user, "current_space": _space_for_templates()}


def _space_for_templates() -> str | None:
    try:
        return current_space()
    except Exception:
        # The app's own callable failed. The page about that has to be rendered too, and may be in the midst of it.
        return None
