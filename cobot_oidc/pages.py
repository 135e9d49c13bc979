"""What happens when something fails: told once to operator and app, and shown to the person or the program.

Pages and problem documents hold our own sentences and a correlation id, and nothing that came from outside.
"""

import logging
import secrets
from http import HTTPStatus

from flask import json, render_template, request
from werkzeug.wrappers import Response

from .errors import CobotOIDCError
from .installation import installation, logger
from .languages import speaker
from .places import home, login_url
from .proxies import the_app
from .signals import login_failed

RETRY_AFTER = 30  # seconds, where the provider says nothing
LONGEST_RETRY_AFTER = 3600


def report(error: CobotOIDCError) -> None:
    """Log a failed login under a new correlation id, and tell ``login_failed``."""
    error.correlation_id = secrets.token_hex(6)
    level = logging.ERROR if error.status == HTTPStatus.INTERNAL_SERVER_ERROR else logging.WARNING
    fields = {"event": "login_failed", "code": error.code, "correlation_id": error.correlation_id}
    logger.log(level, "login failed [%s] %s", error.correlation_id, error, extra=fields)
    installation().count("login_failed", code=error.code)
    login_failed.send(the_app(), error=error)


def answer(error: CobotOIDCError) -> Response:
    """The page about an error, or for a program a problem document (RFC 9457)."""
    response = _problem(error) if wants_json() else _page(error)
    response.status_code = error.status
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        wait = error.details.get("retry_after_seconds", RETRY_AFTER)
        response.headers["Retry-After"] = str(max(1, min(int(wait), LONGEST_RETRY_AFTER)))
    if error.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = f'Session realm="{the_app().name}"'
    return protect(response)


def wants_json() -> bool:
    """Whether this request comes from a program: by its Accept header, as XHR, or in a blueprint so configured."""
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":
        return True
    if installation().settings.json_blueprints.intersection(request.blueprints):
        return True
    accepted = request.accept_mimetypes
    wanted = max(accepted["application/json"], accepted["application/problem+json"])
    return wanted > accepted["text/html"]


def protect(response: Response) -> Response:
    """Headers for every answer of ours: no cache, no referrer, no frame around it (security.md S10-S12)."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.vary.add("Cookie")
    if not installation().settings.embedded:
        response.headers["X-Frame-Options"] = "DENY"
        response.headers.setdefault("Content-Security-Policy", "frame-ancestors 'none'")
    return response


def _page(error: CobotOIDCError) -> Response:
    speak = speaker(request.accept_languages)
    page = render_template(
        "cobot_oidc/error.html",
        error=error,
        say=speak.say,
        language=speak.language,
        login_url=login_url(),
        home_url=home(),
    )
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Content-Language"] = speak.language
    response.vary.add("Accept-Language")
    return response


def _problem(error: CobotOIDCError) -> Response:
    speak = speaker(request.accept_languages)
    problem: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": speak.say(error.sentence),
        "code": error.code,
    }
    if error.correlation_id:
        problem["correlation_id"] = error.correlation_id
    if error.code == "login_required":
        problem["login_url"] = login_url()
    return Response(json.dumps(problem), content_type="application/problem+json")
