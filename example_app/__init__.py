"""A small member portal: log in with Cobot, for everything or for one space, and see who you are there.

Start from it: it is what an app with this extension looks like. ``python -m example_app`` runs it with the stand-in.
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

    ``PORTAL_SPACES`` says which spaces it serves: their names for people by their subdomains at Cobot.

    :param config: settings that go before those of the environment (``FLASK_SECRET_KEY``,
        ``FLASK_COBOT_OIDC_CLIENT_ID``, ``FLASK_PORTAL_SPACES``, …).
    :raises ConfigurationError: where a setting is missing or wrong.
    """
    app = Flask(__name__)
    app.config.from_mapping(SESSION_COOKIE_SAMESITE="Lax", PORTAL_SPACES=SPACES)
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

    # What the extension has to say, it says in templates/cobot_oidc/error.html; this is about everything else.
    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> Response:
        response = error.get_response()
        response.data = render_template("error.html", status=response.status_code)
        return response

    @app.context_processor
    def for_every_page() -> dict[str, object]:
        spaces, space = app.config["PORTAL_SPACES"], str(current_space or "")
        place = spaces.get(space, space) or "Cobot"
        return {"spaces": spaces, "place": place, "profile_url": _profile_url}

    app.after_request(_protect)
    return app


def _profile_url(space: str | None) -> str:
    return url_for("space_profile", space=space) if space else url_for("profile")


def _protect(response: Response) -> Response:
    """Pages load nothing from elsewhere but members' photos, and no page about a person stays in a cache."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self' https:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if request.endpoint != "static":
        # Else the back button shows the last page again after a logout.
        response.headers["Cache-Control"] = "no-store"
    return response
