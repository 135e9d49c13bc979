"""A small member portal: log in with Cobot, for everything or for one space, and see who you are there.

Start from it: it is what an app with this extension looks like. ``python -m example_app`` runs it with the stand-in.
"""

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, render_template, request, url_for

from cobot_oidc import CobotOIDC, CobotOIDCError, from_view_arg, login_required

SPACES = {"co-up": "co.up Coworking", "betahaus": "Betahaus"}

oidc = CobotOIDC(space=from_view_arg("space"))


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """The portal as a WSGI app.

    :param config: settings that go before those of the environment (``FLASK_SECRET_KEY``,
        ``FLASK_COBOT_OIDC_CLIENT_ID``, …).
    :raises ConfigurationError: where a setting is missing or wrong.
    """
    app = Flask(__name__)
    app.config.from_mapping(SESSION_COOKIE_SAMESITE="Lax", COBOT_OIDC_SPACES=list(SPACES))
    app.config.from_prefixed_env()
    app.config.from_mapping(config or {})
    oidc.init_app(app)

    @app.get("/")
    def welcome() -> str:
        return render_template("welcome.html", spaces=SPACES)

    @app.get("/profile")
    @login_required
    def profile() -> str:
        return render_template("profile.html", place="Cobot")

    @app.get("/<space>/")
    @login_required
    def space_profile(space: str) -> str:
        return render_template("profile.html", place=SPACES[space])

    @app.errorhandler(CobotOIDCError)
    def sign_in_failed(error: CobotOIDCError) -> tuple[str, int]:
        return render_template("sign_in_failed.html", error=error), error.status

    @app.errorhandler(404)
    def not_found(_error: Exception) -> tuple[str, int]:
        return render_template("not_found.html"), 404

    @app.context_processor
    def helpers() -> dict[str, object]:
        return {"profile_url": _profile_url, "all_spaces": SPACES}

    app.after_request(_protect)
    return app


def _profile_url(space: str | None) -> str:
    return url_for("space_profile", space=space) if space else url_for("profile")


def _protect(response: Response) -> Response:
    """Pages load nothing from elsewhere but members' photos, and no page about a person stays in a cache."""
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; img-src 'self' https:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'",
    )
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if request.endpoint != "static":
        # Else the back button shows the last page again after a logout.
        response.headers["Cache-Control"] = "no-store"
    return response
