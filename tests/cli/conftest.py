"""Runs ``flask cobot`` in this process, and looks for secrets in everything that it says."""

import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from flask import Flask
from flask.cli import ScriptInfo

from cobot_oidc import CobotOIDC, from_view_arg
from cobot_oidc.cli import cobot as command_group
from cobot_oidc.standin import StandIn

from ..conftest import CALLBACK, Clock, add_pages

KEY = "0f8fad5bd9cb469fa165708672895e0c7c9e6679"
SECRETS = (KEY, "s3cret-of-the-portal", "pass-of-redis", "hunter2-of-somebody")


class Said(NamedTuple):
    """What a command leaves behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def finding(self, code: str) -> dict[str, str]:
        """The one finding with this code, of a command that was asked for JSON."""
        [found] = [each for each in self.json["findings"] if each["code"] == code]
        return dict(found)

    @property
    def codes(self) -> set[str]:
        return {each["code"] for each in self.json["findings"]}

    @property
    def bad(self) -> set[str]:
        """The codes of what is not in order."""
        return {each["code"] for each in self.json["findings"] if each["level"] != "ok"}


Run = Callable[..., Said]
MakeApp = Callable[..., Flask]


@pytest.fixture
def make_app(settings: dict[str, Any], clock: Clock) -> MakeApp:
    """Makes an app with nothing wrong, but for what is changed; ``...`` leaves a setting out."""
    clock.now = time.time()  # the stand-in's Date is the machine's
    good = settings | {"SECRET_KEY": KEY, "COBOT_OIDC_REDIRECT_URI": CALLBACK, "COBOT_OIDC_SPACES": ["co-up"]}

    def make(**changes: Any) -> Flask:
        app = Flask("portal")
        app.config.update({name: value for name, value in (good | changes).items() if value is not ...})
        CobotOIDC(app, space=from_view_arg("space"), clock=clock)
        add_pages(app)
        return app

    return make


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], cobot: StandIn) -> Run:
    """Runs a command for an app, or for a function that makes one as ``flask`` loads it."""

    def run(app: Flask | Callable[[], Flask], *words: str) -> Said:
        create = (lambda: app) if isinstance(app, Flask) else app
        with pytest.raises(SystemExit) as ended:
            command_group(list(words), prog_name="flask cobot", obj=ScriptInfo(create_app=create))
        captured = capsys.readouterr()
        for secret in {*SECRETS, *cobot.secrets}:
            if len(secret) >= 8:
                assert secret not in captured.out + captured.err
        assert "Traceback" not in captured.err
        return Said(int(ended.value.code or 0), captured.out, captured.err)

    return run
