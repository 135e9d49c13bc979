"""A small member portal: log in with Cobot, for everything or for one space, and see what is yours there.

It shows what an app with this extension looks like, and is a good start for your own. ``python -m example_app`` runs it
together with the stand-in. The pages of a space are in ``space_pages.py``, their addresses in ``addresses.py``, where
somebody belongs in ``places.py``, and words, times and amounts in ``languages.py``.
"""

from collections.abc import Mapping
from typing import Any

from flask import Flask, abort, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import BadHost, HTTPException, SecurityError
from werkzeug.wrappers import Response

from cobot_oidc import User, current_space, current_user, current_users, login_required

from . import addresses, languages, places, space_pages
from .addresses import path_in_space, url_in_space, url_of_portal
from .extensions import csrf, oidc

SPACES = {"co-up": "co.up Coworking", "betahaus": "Betahaus"}


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """The portal as a WSGI app.

    ``PORTAL_SPACES`` says which spaces it serves: a dictionary of subdomains at Cobot and names for people. With
    ``PORTAL_HOST``, such as ``portal.example``, each space has a host of its own: ``co-up.portal.example``.

    :param config: settings that override those of the environment (``FLASK_SECRET_KEY``,
        ``FLASK_COBOT_OIDC_CLIENT_ID``, ``FLASK_PORTAL_SPACES``, …).
    :raises ConfigurationError: if a setting is missing or wrong.
    """
    app = Flask(__name__)
    app.config.from_mapping(
        SESSION_COOKIE_SAMESITE="Lax",
        PORTAL_SPACES=SPACES,
        COBOT_OIDC_SCOPES="openid email profile read_bookings read_resources read_check_ins read_invoices",
        COBOT_OIDC_MEMBERSHIP=True,  # who is a member of a space, and who runs it
        COBOT_OIDC_KEEP_TOKEN=True,  # pages ask Cobot's API
        COBOT_OIDC_EMBEDDED=True,  # inside Cobot too, in a frame of its pages
        COBOT_OIDC_AFTER_LOGIN=_after_login,
    )
    app.config.from_prefixed_env()
    app.config.from_mapping(config or {})
    app.config.setdefault("COBOT_OIDC_SPACES", list(app.config["PORTAL_SPACES"]))
    addresses.init_app(app, space_pages.pages)
    csrf.init_app(app)
    languages.init_app(app)

    @app.get("/")
    def welcome() -> str | Response:
        named, spaces = addresses.named_space(), app.config["PORTAL_SPACES"]
        if named is not None and named not in spaces:
            abort(404)
        if named is not None and (current_user.is_authenticated or oidc.embed is not None):
            return redirect(url_in_space("home"))  # who is not logged in there chooses from all spaces
        if oidc.embed is not None and oidc.embed.space in spaces:
            return redirect(url_in_space("home", oidc.embed.space))  # a frame belongs to one space
        users = {user.space: user for user in current_users()}
        return render_template("welcome.html", users=users, standings=places.remembered())

    @app.get("/profile")
    @login_required
    def profile() -> str:
        return render_template("profile.html", places=places.of(oidc.api.me()))

    # The extension's own errors have the template cobot_oidc/error.html; this handler is for all others.
    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> Response:
        if isinstance(error, (BadHost, SecurityError)):  # no host of ours: nothing on a page could lead anywhere
            return Response("This host is not served here.", 400)
        response = error.get_response()
        response.data = render_template(
            "error.html", status=response.status_code, is_outdated=isinstance(error, CSRFError)
        )
        return response

    @app.context_processor
    def for_every_page() -> dict[str, object]:
        spaces, space = app.config["PORTAL_SPACES"], current_space()
        place = spaces.get(space, space) if space else "Cobot"
        return {
            "spaces": spaces,
            "place": place,
            "profile_url": _profile_url,
            "is_embedded": oidc.embed is not None,
            "language": languages.language(),
        }

    app.after_request(_protect)
    return app


def _profile_url(space: str | None) -> str:
    return url_in_space("profile", space) if space else url_of_portal("profile")


def _after_login(user: User) -> str:
    """Members begin with their bookings. Everybody else may see their profile, which says what they are there."""
    if user.space is None:
        return url_for("welcome")
    return path_in_space("home" if user.is_member else "profile", user.space)


def _protect(response: Response) -> Response:
    """Let pages load nothing from elsewhere except members' photos, and keep pages about people out of caches."""
    policy = (
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' https:; "
        "form-action 'self'; base-uri 'none'"
    )
    if response.headers.get("X-Frame-Options") == "DENY":  # a page of the login; for all others Cobot's are added
        policy += "; frame-ancestors 'none'"
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if request.endpoint not in ("static", "cobot_oidc.static"):
        # Otherwise the back button would show the last page again after a logout.
        response.headers["Cache-Control"] = "no-store"
    return response
