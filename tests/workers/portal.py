"""The portal that gunicorn's workers run: configured by the environment, with the time that a file tells, if any."""

import logging
import os
import time
from pathlib import Path

from flask import Flask

from cobot_oidc import CobotOIDC, current_user, from_view_arg, login_required


def create_app() -> Flask:
    """A page for each space. It logs everything unless told otherwise: a test can look for what should not be there."""
    logging.basicConfig(level=os.environ.get("PORTAL_LOG_LEVEL", "DEBUG"))
    app = Flask("portal")
    app.config.from_prefixed_env()
    told = os.environ.get("PORTAL_CLOCK")
    clock = time.time if told is None else lambda: float(Path(told).read_text())
    CobotOIDC(app, space=from_view_arg("space"), clock=clock)

    @app.get("/")
    def home() -> str:
        return "portal"

    @app.get("/<space>/desk")
    @login_required
    def desk(space: str) -> str:
        return f"{current_user.get_id()} at {space}, served by {os.getpid()}"

    return app
