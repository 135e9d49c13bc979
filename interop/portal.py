"""The app under test: a few lines of Flask and a configuration.

In front of it stands a doorway, which sees what the browser carries between the app and the provider, and can alter it.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Flask, jsonify, render_template_string

from cobot_oidc import CobotOIDC, current_user, login_failed, login_required
from tests.serving import Listener

CALLBACK = "/cobot/callback"
PAGE = """<!doctype html><title>Portal</title>
<form method="post" action="{{ url_for('cobot_oidc.logout') }}"><button id="log-out">Log out</button></form>"""

Parameters = dict[str, str]
Alteration = Callable[[Parameters], Parameters]


class Portal:
    """The app, at one address for every configuration that is tried.

    :ivar requests: the parameters of every authorization request. :ivar responses: those that came to the callback.
    :ivar alter_request: changes the next request on its way. :ivar alter_response: changes the next response.
    :ivar failures: the codes of the logins that failed. :ivar calls: what the app asked the provider, as
        ``POST /token 200``, in the words of urllib3's log.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._failed: Any = None
        self.address = f"http://localhost:{listener.port}"
        self.forget()

    def forget(self) -> None:
        """Begin anew, with no configuration."""
        self._listener.app = None
        self.requests: list[Parameters] = []
        self.responses: list[Parameters] = []
        self.failures: list[str] = []
        self.calls: list[str] = []
        self.alter_request: Alteration = unaltered
        self.alter_response: Alteration = unaltered

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Run the app with these settings of the extension, without their prefix."""
        app = Flask("portal")
        app.config.update({f"COBOT_OIDC_{key}": value for key, value in settings.items()}, SECRET_KEY="k" * 32)
        CobotOIDC(app)

        @app.get("/")
        @login_required
        def home() -> str:
            return render_template_string(PAGE)

        @app.get("/me")
        @login_required
        def me() -> Any:
            return jsonify(issuer=current_user.issuer, subject=current_user.subject, **current_user.claims)

        def note(sender: Flask, error: Any) -> None:
            del sender
            self.failures.append(error.code)

        self._failed = note  # which a signal holds weakly
        login_failed.connect(note, app)
        self._listener.app = self._doorway(app)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note the calls that the app makes meanwhile."""
        logger, handler = logging.getLogger("urllib3.connectionpool"), _Calls(self.calls)
        level = logger.level
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            logger.setLevel(level)
            logger.removeHandler(handler)

    def _doorway(self, app: Flask) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
        def doorway(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            if environ["PATH_INFO"] == CALLBACK:
                response = self.alter_response(dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True)))
                self.responses.append(response)
                environ["QUERY_STRING"] = urlencode(response)

            def start_altered(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
                return start(status, [(name, self._passing(name, value)) for name, value in headers], *rest)

            return app(environ, start_altered)

        return doorway

    def _passing(self, name: str, value: str) -> str:
        """A header on its way to the browser."""
        url = urlsplit(value)
        parameters = dict(parse_qsl(url.query)) if name == "Location" else {}
        if "code_challenge" not in parameters:
            return value
        parameters = self.alter_request(parameters)
        self.requests.append(parameters)
        return url._replace(query=urlencode(parameters)).geturl()


def unaltered(parameters: Parameters) -> Parameters:
    """What passes the doorway as it is."""
    return parameters


class _Calls(logging.Handler):
    def __init__(self, calls: list[str]) -> None:
        super().__init__()
        self._calls = calls

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.args, tuple) and len(record.args) == 8:
            _scheme, _host, _port, method, url, _protocol, status, _length = record.args
            self._calls.append(f"{method} {url} {status}")
