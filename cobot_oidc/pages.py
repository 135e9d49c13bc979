"""What happens when something fails: it is told once to the operator and to the app, and shown to the person or the program.

Pages and problem documents hold our own sentences and a correlation id, and nothing that came from outside.
"""

import logging
import secrets
from http import HTTPStatus

from flask import current_app, json, render_template, request, url_for
from werkzeug.wrappers import Response

from .errors import CobotOIDCError
from .guards import wants_json
from .installation import installation, logger
from .languages import speaker
from .signals import login_failed

RETRY_AFTER = 30  # seconds, where the provider says nothing
LONGEST_RETRY_AFTER = 3600

_AGAIN = "cobot_oidc.again"


def offer_again(space: str | None, next_path: str | None) -> None:
    """Should this request fail, let its page lead to a new login of this space that goes on to the same place."""
    request.environ[_AGAIN] = {"space": space, "next": next_path}


def report(error: CobotOIDCError) -> None:
    """Log a failed login under a new correlation id, and tell ``login_failed``."""
    error.correlation_id = secrets.token_hex(6)
    level = logging.ERROR if error.status == HTTPStatus.INTERNAL_SERVER_ERROR else logging.WARNING
    fields = {"code": error.code, "correlation_id": error.correlation_id}
    logger.log(level, "login failed [%s] %s", error.correlation_id, error, extra=fields)
    login_failed.send(current_app._get_current_object(), error=error)  # type: ignore[attr-defined] # see sessions


def answer(error: CobotOIDCError) -> Response:
    """The page about an error, or for a program a problem document (RFC 9457)."""
    response = _problem(error) if wants_json() else _page(error)
    response.status_code = error.status
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        wait = error.details.get("retry_after_seconds", RETRY_AFTER)
        response.headers["Retry-After"] = str(max(1, min(int(wait), LONGEST_RETRY_AFTER)))
    if error.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = f'Session realm="{current_app.name}"'
    return protect(response)


def protect(response: Response) -> Response:
    """Headers for every answer of ours: kept by no cache, told to no other site, framed by nobody (security.md S10-S12)."""
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
    again = request.environ.get(_AGAIN, {})
    page = render_template(
        "cobot_oidc/error.html",
        error=error,
        say=speak.say,
        language=speak.language,
        again_url=url_for("cobot_oidc.login", **again) if again else None,
        home_url=request.root_path + "/",
    )
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Content-Language"] = speak.language
    response.vary.add("Accept-Language")
    return response


def _problem(error: CobotOIDCError) -> Response:
    speak = speaker(request.accept_languages)
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": speak.say(error.sentence),
        "code": error.code,
    }
    if error.correlation_id:
        problem["correlation_id"] = error.correlation_id
    if error.code == "login_required":
        problem["login_url"] = error.details["login_url"]
    return Response(json.dumps(problem), content_type="application/problem+json")
