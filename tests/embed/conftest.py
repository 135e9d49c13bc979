"""Cobot and an app on two sites of one machine, and real browsers that block third-party cookies or do not."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, render_template_string
from flask_wtf.csrf import CSRFProtect
from playwright.sync_api import BrowserContext, Playwright
from werkzeug.wrappers import Response

from cobot_oidc import CobotOIDC, current_user, from_view_arg, login_required
from cobot_oidc.standin import StandIn

from ..certificates import Authority
from ..conftest import CHROMIUM_ARGUMENTS, needed_program
from ..serving import listening

# Pages that a test makes up come from no address, and Chromium would not let them show one of this machine.
NO_NETWORK_CHECKS = "--disable-features=LocalNetworkAccessChecks"
COOKIES_BLOCKED = {"cookie_controls_mode": 1, "block_third_party_cookies": True}

PAGE = """<!doctype html><title>desk</title>
{% set token %}
{% if csrf_token is defined %}<input type="hidden" name="csrf_token" value="{{ csrf_token() }}">{% endif %}
{% endset %}
<p id="who">{{ current_user.subject }}</p><p id="kept">{{ session.kept }}</p>
<p id="cookies">{{ request.cookies | join(" ") }}</p>
<form method="post" action="note">{{ token }}<button>Note</button></form>
<form method="post" action="{{ url_for('cobot_oidc.logout') }}">{{ token }}<button>Log out</button></form>"""


def make_portal(cobot: StandIn, base: str) -> Flask:
    """The app that Cobot shows.

    :param base: its address.
    """
    app = Flask("portal")
    cobot.register_client("p", secret="secret-of-p", redirect_uri=f"{base}/cobot/callback", name="Portal")
    app.config.update(
        SECRET_KEY="k" * 32,
        COBOT_OIDC_CLIENT_ID="p",
        COBOT_OIDC_CLIENT_SECRET="secret-of-p",
        COBOT_OIDC_ISSUER=cobot.issuer,
        COBOT_OIDC_SPACE_ISSUER=cobot.space_issuer_template,
        COBOT_OIDC_SPACES="co-up betahaus",
        COBOT_OIDC_REDIRECT_URI=f"{base}/cobot/callback",
        COBOT_OIDC_EMBEDDED=True,
    )
    CobotOIDC(app, space=from_view_arg("space"))

    @app.get("/<space>/desk")
    @login_required
    def desk(space: str) -> str:
        del space
        return render_template_string(PAGE)

    @app.post("/<space>/note")
    def note(space: str) -> str:
        del space
        return f"noted for {current_user.subject}"

    def policy(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'"
        )
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        return response

    app.after_request(policy)
    return app


@pytest.fixture
def portal(live_cobot: StandIn) -> Iterator[str]:
    """Where the app is: at ``portal.localhost``, which is another site than ``cobot.localhost``."""
    with listening() as server:
        base = f"http://portal.localhost:{server.port}"
        server.app = make_portal(live_cobot, base)
        yield base


@pytest.fixture
def https_portal(live_cobot: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same over https, and with Flask-WTF's ``CSRFProtect``, which asks for a Referer there."""
    authority = Authority(tmp_path_factory.mktemp("authority"))
    with listening(authority.server("portal.localhost")) as server:
        base = f"https://portal.localhost:{server.port}"
        server.app = make_portal(live_cobot, base)
        CSRFProtect(server.app)
        yield base


@pytest.fixture
def third_party_cookies() -> str:
    """What the browser does with them; a test may say otherwise."""
    return "blocked"


@pytest.fixture
def context(third_party_cookies: str, playwright: Playwright, tmp_path: Path) -> Iterator[BrowserContext]:
    """A browser with a profile of its own."""
    path = needed_program("Chromium", "COBOT_OIDC_TEST_BROWSER")
    if third_party_cookies == "blocked":
        (tmp_path / "Default").mkdir()
        (tmp_path / "Default" / "Preferences").write_text(json.dumps({"profile": COOKIES_BLOCKED}))
    browser = playwright.chromium.launch_persistent_context(
        tmp_path,
        executable_path=path,
        args=[*CHROMIUM_ARGUMENTS, NO_NETWORK_CHECKS],
        headless=True,
        ignore_https_errors=True,  # it does not know the tests' own authority
    )
    yield browser
    browser.close()
