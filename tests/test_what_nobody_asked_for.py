"""What an app does not use costs it nothing: no module is imported for it, and no byte of the session's cookie."""

import subprocess
import sys
from typing import Any

import pytest

from cobot_oidc.standin import StandIn

from .conftest import Clock, MakePortal, Visitor

PROGRAM = """
import sys
from flask import Flask
from cobot_oidc import CobotOIDC, login_required, testing
from cobot_oidc.standin import StandIn

with StandIn() as cobot:
    cobot.register_client("portal", secret="s3cret-of-the-portal", redirect_uri="http://localhost/cobot/callback")
    app = Flask("portal")
    app.config.update(
        TESTING=True,
        SECRET_KEY="k" * 32,
        COBOT_OIDC_CLIENT_ID="portal",
        COBOT_OIDC_CLIENT_SECRET="s3cret-of-the-portal",
        COBOT_OIDC_ISSUER=cobot.issuer,
        COBOT_OIDC_SCOPES="openid read_user",
        COBOT_OIDC_KEEP_TOKEN=True,
    )
    oidc = CobotOIDC(app)
    app.add_url_rule("/", "home", login_required(lambda: oidc.api.me().id))
    ada = testing.Visitor(app, cobot)
    assert ada.log_in("/", "ada").status_code == 200
    assert ada.log_out().status_code == 303
print(*sorted(name for name in sys.modules if name.startswith("cobot_oidc.")))
"""
OF_NO_PLAIN_LOGIN = {
    "cobot_oidc.api.renewal",
    "cobot_oidc.backchannel",
    "cobot_oidc.backchannel.replays",
    "cobot_oidc.backchannel.views",
    "cobot_oidc.backchannel.where_logged_in",
    "cobot_oidc.identity.hints",
    "cobot_oidc.identity.standings",
    "cobot_oidc.protocol.logout_token",
    "cobot_oidc.protocol.refreshed",
}


def test_a_plain_login_call_and_logout_import_nothing_of_what_the_app_does_not_use() -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)  # noqa: S603 - ours
    imported = set(run.stdout.split())

    assert "cobot_oidc.login.views" in imported
    assert "cobot_oidc.api.current" in imported
    assert imported & OF_NO_PLAIN_LOGIN == set()


def test_every_module_of_the_list_is_there() -> None:
    from .test_imports_point_inwards import modules

    names = {f"cobot_oidc.{name}".removesuffix(".__init__") for name in modules()}
    assert names >= OF_NO_PLAIN_LOGIN


@pytest.mark.parametrize("offers", [False, True])
def test_a_plain_login_s_entry_in_the_session_holds_who_and_when_alone(
    make_portal: MakePortal, cobot: StandIn, clock: Clock, offers: bool
) -> None:
    """Whatever the provider offers: sessions of its own, logouts, refresh tokens."""
    if offers:
        cobot.offer_logout()
        cobot.offer_refresh_tokens()
    ada = Visitor(make_portal(), cobot)
    ada.log_in("/desk")
    with ada.browser.session_transaction() as session:
        entries: list[Any] = [value for key, value in session.items() if key.startswith("cobot:")]

    [[_, subject, at, *claims]] = entries
    assert (subject, at) == (cobot.people["ada"].subject, clock.now)
    assert claims == ["Ada Lovelace", "ada@example.org"]
