"""A watch around every test with a stand-in: no secret anywhere it does not belong, and no exception as a 500."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask, got_request_exception, request, request_finished
from werkzeug.wrappers import Response

from cobot_oidc import CobotOIDCError, login_failed
from cobot_oidc.standin import StandIn

SHORTEST = 8  # characters; a shorter text is found everywhere by chance


class _Records(logging.Handler):
    """Everything that any library logs, as text."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        # The stand-in's own threads know secrets, and so does whoever plays the browser.
        of_stand_in = "process_request_thread" in (record.threadName or "")
        at_pages = any(path in str(record.args) for path in ("/oauth/authorize", "/oauth/logout"))
        of_browser = record.name.startswith("urllib3") and at_pages
        if not of_stand_in and not of_browser:
            self.texts.append(f"log of {record.name}: {self.format(record)} {record.__dict__}")


@contextmanager
def nothing_leaks(cobot: StandIn, *known: str) -> Iterator[None]:
    """Watch logs, answers and errors; afterwards, look for every secret in them (L01, L02).

    :param cobot: knows the secrets that came in and went out. :param known: others, such as the portal's key.
    """
    said: list[str] = []
    escaped: list[BaseException] = []

    def finished(app: Flask, response: Response, **_: Any) -> None:
        if not app.name.startswith("cobot_oidc.standin"):
            said.extend(_of_response(response))

    def failed(_app: Flask, error: CobotOIDCError) -> None:
        said.append(f"error: {error} {error!r} {error.details}")
        assert error.__traceback__ is None or not _frames_of_ours(error)
        assert error.__cause__ is None
        assert error.__context__ is None

    def raised(_app: Flask, exception: BaseException, **_: Any) -> None:
        escaped.append(exception)

    handler, root = _Records(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with (
            request_finished.connected_to(finished),
            login_failed.connected_to(failed),
            got_request_exception.connected_to(raised),
        ):
            yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert escaped == []
    for secret in {secret for secret in (*cobot.secrets, *known) if len(secret) >= SHORTEST}:
        for text in said + handler.texts:
            assert secret not in text, text


def frames_with(error: BaseException, secret: str) -> list[str]:
    """The local variables of our own frames that show a secret, as error trackers collect them (L02)."""
    found, traceback = list[str](), error.__traceback__
    while traceback is not None:
        frame, traceback = traceback.tb_frame, traceback.tb_next
        if "/cobot_oidc/" in frame.f_code.co_filename:
            where = frame.f_code.co_qualname
            found += [f"{where}.{name}" for name, value in frame.f_locals.items() if secret in _shown(value)]
    return found


def _shown(value: object) -> str:
    try:
        return repr(value)
    except AttributeError:  # of an object that is half made
        return ""


def _of_response(response: Response) -> Iterator[str]:
    for name, value in response.headers:
        # The way to the provider carries state and nonce, or a hint: that is what they are for.
        to_the_provider = response.status_code == 302 and "/authorize?" in value
        if not (name == "Location" and (to_the_provider or "&id_token_hint=" in value)):
            yield f"header of {request.path}: {name}: {value}"
    if not response.is_streamed and not response.direct_passthrough:
        yield f"body of {request.path}: {response.get_data(as_text=True)}"


def _frames_of_ours(error: BaseException) -> bool:
    traceback = error.__traceback__
    while traceback is not None:
        if "cobot_oidc" in traceback.tb_frame.f_code.co_filename:
            return True
        traceback = traceback.tb_next
    return False
