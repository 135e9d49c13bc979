"""What happens if something fails: the operator and the app are told once, and the person or program gets an answer.

Pages and problem documents contain our own sentences and a correlation id, and nothing that came from outside; only in
debug mode a page tells developers more. The page after a logout is here too.
"""

import logging
import secrets
from http import HTTPStatus
from typing import Literal

from flask import json, redirect, render_template, request
from werkzeug.datastructures import LanguageAccept
from werkzeug.wrappers import Response

from .context import the_app
from .embed.context import embed
from .errors import APIError, CobotOIDCError, ConfigurationError
from .events import logger, login_failed
from .identity.current import current_space, current_users, pin_space, requested_space, requested_user
from .installation import installation
from .languages import speaker
from .urls import Destination, check_url, login_url, offer_login, script_url, start_page, style_url, this_page

RETRY_AFTER = 30  # seconds, if the provider does not say
LONGEST_RETRY_AFTER = 3600

NEVER_FRAMED = ("cobot_oidc.login", "cobot_oidc.callback", "cobot_oidc.frame")  # they belong to windows of their own

_NAMES_OF_ANY_APP = ("app", "application", "main", "server", "web", "wsgi", "__main__")  # modules of Flask apps

_PAGES = ("document", "iframe", "frame", "object", "embed")  # Sec-Fetch-Dest of what people see as a page


def report(error: CobotOIDCError) -> None:
    """Log a failed login under a new correlation id, and tell ``login_failed``."""
    _log(error, "login")
    login_failed.send(the_app(), error=error)


def _log(error: CobotOIDCError, what: Literal["login", "request"]) -> None:
    error.correlation_id = secrets.token_hex(6)
    level = logging.ERROR if error.status == HTTPStatus.INTERNAL_SERVER_ERROR else logging.WARNING
    fields = {"event": f"{what}_failed", "code": error.code, "correlation_id": error.correlation_id}
    logger.log(level, "%s failed [%s] %s", what, error.correlation_id, error, extra=fields)
    installation().events.count(f"{what}_failed", code=error.code)


def answer(error: CobotOIDCError) -> Response:
    """The page about an error, or a problem document (RFC 9457) if a program asked."""
    if isinstance(error, APIError) and error.status == HTTPStatus.UNAUTHORIZED:
        offer_login(Destination(current_space(), this_page()))  # another login brings another token
    is_told = error.correlation_id is not None
    if not is_told and (isinstance(error, (APIError, ConfigurationError)) or error.code == "membership_unknown"):
        _log(error, "request")  # what a view of the app met, and nobody has told the operator yet
    response = _page(error) if is_for_a_person() else _problem(error)
    response.status_code = error.status
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        wait = error.details.get("retry_after_seconds", RETRY_AFTER)
        response.headers["Retry-After"] = str(max(1, min(int(wait), LONGEST_RETRY_AFTER)))
    if error.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = f'Session realm="{the_app().name}"'
    return protect(response)


def logged_out() -> Response:
    """The page after a logout if the app names none: a start page that needs a login would log in again at once."""
    check_url()
    if "space" in request.args:
        pin_space(request.args["space"] or None)
    space = requested_space()
    still_logged_in = requested_user().is_authenticated if request.args.get("space") else bool(current_users())
    if still_logged_in:  # the back button, after another login
        return redirect(start_page(), 302)
    offer_login(Destination(space))
    return rendered("cobot_oidc/logged_out.html", space=request.args.get("space"))


def is_for_a_person() -> bool:
    """Whether a person will see the answer to this request, rather than a script or another program.

    Browsers say so themselves (Fetch Metadata), as a script's ``fetch`` sends ``Accept: */*`` like ``curl``. Without
    these headers, the Accept header decides.
    """
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":
        return False
    if installation().settings.json_blueprints.intersection(request.blueprints):
        return False
    accepted = request.accept_mimetypes
    if max(accepted["application/json"], accepted["application/problem+json"]) > accepted["text/html"]:
        return False
    if "Sec-Fetch-Mode" in request.headers or "Sec-Fetch-Dest" in request.headers:
        return not is_subresource()
    # curl may follow a redirect when it asks for a page; a form comes from a browser, which asks for text/html by name.
    return request.method in ("GET", "HEAD") or any(kind == "text/html" for kind, _ in accepted)


def is_subresource() -> bool:
    """Whether the browser says that it does not ask for a page, but for a script, an image or a stylesheet."""
    mode, destination = request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest")
    if mode is None:
        return destination is not None and destination not in _PAGES
    # A service worker that forwards a navigation sends "empty".
    return mode != "navigate" or destination not in (None, "empty", *_PAGES)


def protect(response: Response) -> Response:
    """Set the headers of every answer of ours: no caching, no referrer, no frames (S10-S12)."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request.endpoint == "cobot_oidc.static":  # a stylesheet, the same for everybody
        return response
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.vary.add("Cookie")
    if not installation().settings.embedded or request.endpoint in NEVER_FRAMED:
        response.headers["X-Frame-Options"] = "DENY"
        response.headers.setdefault("Content-Security-Policy", "frame-ancestors 'none'")
    return response


def _page(error: CobotOIDCError) -> Response:
    # In debug mode only, the template tells the app's developer the code, the hint and the details.
    asks_at_the_space = error.code in ("membership_required", "admin_required", "rights_limited")
    return rendered(
        "cobot_oidc/error.html",
        error=error,
        about=_about(error),
        space_url=installation().settings.issuers.issuer_of(current_space()) if asks_at_the_space else None,
        debug=the_app().debug,
    )


def _about(error: CobotOIDCError) -> Literal["login", "membership", "api"]:
    if isinstance(error, APIError):
        return "api"
    return "membership" if error.code in ("membership_required", "admin_required", "membership_unknown") else "login"


def rendered(template: str, **values: object) -> Response:
    """A page of ours, in the person's language."""
    speak = speaker(_accepted_languages())
    page = render_template(
        template,
        say=speak.say,
        language=speak.language,
        login_url=login_url(),
        home_url=start_page(),
        style_url=style_url(),
        script_url=script_url(),
        app_name=_name_for_people(),
        **values,
    )
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Content-Language"] = speak.language
    response.vary.add("Accept-Language")
    return response


def _name_for_people() -> str | None:
    """What to call the app if its ``cobot_oidc/brand.html`` does not say: as its module, unless that says nothing."""
    name = the_app().name.rpartition(".")[2]
    return None if name in _NAMES_OF_ANY_APP else name.replace("_", " ").strip().capitalize() or None


def _accepted_languages() -> LanguageAccept:
    """The person's languages: as the app knows them, else in a frame that of Cobot around it, else the browser's."""
    hint = embed()
    preferred = _chosen_language() or (None if hint is None else hint.locale)
    if preferred is None:
        return request.accept_languages
    return LanguageAccept([(preferred.replace("_", "-"), 1), *request.accept_languages])


def _chosen_language() -> str | None:
    choose = installation().settings.language
    if choose is None:
        return None
    try:
        return str(choose() or "") or None  # Flask-Babel returns an object
    except Exception:  # a page about a failure must not fail, and this may be what has failed
        logger.exception("the function of COBOT_OIDC_LANGUAGE failed")
        return None


def _problem(error: CobotOIDCError) -> Response:
    speak = speaker(_accepted_languages())
    problem: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": speak.say(error.sentence),
        "code": error.code,
    }
    if error.correlation_id:
        problem["correlation_id"] = error.correlation_id
    if error.code in ("login_required", "token_missing", "token_refused"):
        problem["login_url"] = login_url()
    return Response(json.dumps(problem), content_type="application/problem+json")
