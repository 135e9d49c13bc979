"""A small member portal: log in with Cobot, for everything or for one space, and see who you are there.

It shows what an app with this extension looks like, and is a good start for your own. ``python -m example_app`` runs it
together with the stand-in.
"""

from collections.abc import Mapping
from typing import Any

from flask import Flask, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from cobot_oidc import CobotOIDC, current_space, from_view_arg, login_required

SPACES = {"co-up": "co.up Coworking", "betahaus": "Betahaus"}

oidc = CobotOIDC(space=from_view_arg("space"))


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """The portal as a WSGI app.

    ``PORTAL_SPACES`` says which spaces it serves: a dictionary of subdomains at Cobot and names for people.

    :param config: settings that override those of the environment (``FLASK_SECRET_KEY``,
        ``FLASK_COBOT_OIDC_CLIENT_ID``, ``FLASK_PORTAL_SPACES``, …).
    :raises ConfigurationError: if a setting is missing or wrong.
    """
    app = Flask(__name__)
    # Everybody may see the welcome page, so a logout can end there.
    app.config.from_mapping(SESSION_COOKIE_SAMESITE="Lax", PORTAL_SPACES=SPACES, COBOT_OIDC_AFTER_LOGOUT="welcome")
    app.config.from_prefixed_env()
    app.config.from_mapping(config or {})
    app.config.setdefault("COBOT_OIDC_SPACES", list(app.config["PORTAL_SPACES"]))
    oidc.init_app(app)

    @app.get("/")
    def welcome() -> str:
        return render_template("welcome.html")

    @app.get("/profile")
    @login_required
    def profile() -> str:
        return render_template("profile.html")

    @app.get("/<space>/")
    @login_required
    def space_profile(space: str) -> str:
        del space  # the extension reads it from the rule
        return render_template("profile.html")

    # The extension's own errors have the template cobot_oidc/error.html; this handler is for all others.
    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> Response:
        response = error.get_response()
        response.data = render_template("error.html", status=response.status_code)
        return response

    @app.context_processor
    def for_every_page() -> dict[str, object]:
        spaces, space = app.config["PORTAL_SPACES"], current_space()
        place = spaces.get(space, space) if space else "Cobot"
        return {"spaces": spaces, "place": place, "profile_url": _profile_url}

    app.after_request(_protect)
    return app


def _profile_url(space: str | None) -> str:
    return url_for("space_profile", space=space) if space else url_for("profile")


def _protect(response: Response) -> Response:
    """Let pages load nothing from elsewhere except members' photos, and keep pages about people out of caches."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self' https:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if request.endpoint != "static":
        # Otherwise the back button would show the last page again after a logout.
        response.headers["Cache-Control"] = "no-store"
    return response
