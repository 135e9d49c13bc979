"""The portal that gunicorn's workers run: configured by the environment, with the time that a file tells."""

import logging
import os
from pathlib import Path

from flask import Flask

from cobot_oidc import CobotOIDC, current_user, from_view_arg, login_required


def create_app() -> Flask:
    """A page for each space. Everything is logged, so that a test can look for what should not be."""
    logging.basicConfig(level=logging.DEBUG)
    app = Flask("portal")
    app.config.from_prefixed_env()
    clock_file = Path(os.environ["PORTAL_CLOCK"])
    CobotOIDC(app, space=from_view_arg("space"), clock=lambda: float(clock_file.read_text()))

    @app.get("/")
    def home() -> str:
        return "portal"

    @app.get("/<space>/desk")
    @login_required
    def desk(space: str) -> str:
        return f"{current_user.get_id()} at {space}, served by {os.getpid()}"

    return app
