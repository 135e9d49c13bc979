"""What apps use in their own tests: logins without a provider, the plugin of pytest, and refusals outside of tests."""

import subprocess
import sys
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from flask import Flask

from cobot_oidc import (
    CobotOIDC,
    ConfigurationError,
    LoginError,
    admin_required,
    current_user,
    current_users,
    from_view_arg,
    login_required,
    membership_required,
    requires_scope,
)
from cobot_oidc.standin import StandIn
from cobot_oidc.testing import Visitor, log_in, log_out

from .conftest import Clock

HERE = "https://www.cobot.me"


@pytest.fixture
def app(clock: Clock) -> Flask:
    """An app for Cobot itself, which no test reaches."""
    app = Flask("portal")
    app.config.update(
        TESTING=True,
        SECRET_KEY="k" * 32,
        COBOT_OIDC_CLIENT_ID="portal",
        COBOT_OIDC_CLIENT_SECRET="s3cret",
        COBOT_OIDC_SPACES=["co-up", "betahaus"],
        COBOT_OIDC_MEMBERSHIP=True,
        COBOT_OIDC_KEEP_TOKEN=True,
    )
    oidc = CobotOIDC(app, space=from_view_arg("space"), clock=clock)

    @app.get("/who")
    @login_required
    def who() -> str:
        return current_user.get_id() or ""

    @app.get("/everyone")
    def everyone() -> list[str]:
        return [user.get_id() for user in current_users()]

    @app.get("/<space>/who")
    @login_required
    def name(space: str) -> str:
        return f"{current_user.name} at {space}"

    @app.get("/<space>/desk")
    @membership_required
    def desk(space: str) -> str:
        return f"{current_user.membership and current_user.membership.id} at {space}"

    @app.get("/<space>/office")
    @admin_required
    def office(space: str) -> str:
        return space

    @app.get("/<space>/more")
    @requires_scope("read_bookings")
    def more(space: str) -> str:
        return f"more at {space}"

    @app.get("/<space>/token")
    @login_required
    def token(space: str) -> str:
        return f"{oidc.api!r} at {space}"

    return app


def test_somebody_is_logged_in_without_a_provider(app: Flask) -> None:
    client = app.test_client()
    user = log_in(client, "ada")

    assert client.get("/who").text == user.get_id() == f"{HERE}#ada"
    assert client.get("/co-up/who").status_code == 302


def test_claims_are_those_of_the_session(app: Flask) -> None:
    client = app.test_client()
    log_in(client, "ada", space="co-up", name="Ada Lovelace")

    assert client.get("/co-up/who").text == "Ada Lovelace at co-up"
    with pytest.raises(ConfigurationError, match="COBOT_OIDC_CLAIMS"):
        log_in(client, "ada", nickname="Ada")


def test_logins_stand_side_by_side(app: Flask) -> None:
    client = app.test_client()
    for space in (None, "co-up", "betahaus"):
        log_in(client, "ada", space=space)

    assert len(client.get("/everyone").json or ()) == 3


@pytest.mark.parametrize(
    ("options", "desk", "office"),
    [
        ({}, 403, 403),
        ({"member": True}, 200, 403),
        ({"admin": True}, 403, 200),
        ({"member": "m-1", "admin": True}, 200, 200),
    ],
)
def test_members_and_admins(app: Flask, options: dict[str, Any], desk: int, office: int) -> None:
    client = app.test_client()
    log_in(client, space="co-up", **options)

    assert client.get("/co-up/desk").status_code == desk
    assert client.get("/co-up/office").status_code == office
    if options.get("member") == "m-1":
        assert client.get("/co-up/desk").text == "m-1 at co-up"


def test_scopes_and_a_token(app: Flask) -> None:
    client = app.test_client()
    log_in(client, space="co-up", token="t" * 64, scopes=("read_bookings",))

    assert client.get("/co-up/more").text == "more at co-up"
    assert "CobotAPI" in client.get("/co-up/token").text
    log_in(client, space="betahaus")
    assert client.get("/betahaus/more").status_code == 302
    assert client.get("/betahaus/token").status_code == 401


def test_somebody_logs_out(app: Flask) -> None:
    client = app.test_client()
    log_in(client)
    with client.session_transaction() as session:
        session["cart"] = 3
    log_out(client)

    assert client.get("/who").status_code == 302
    with client.session_transaction() as session:
        assert "cart" not in session


def test_what_the_app_keeps_for_somebody_stays_until_another_person_logs_in(app: Flask) -> None:
    client = app.test_client()
    log_in(client, "ada")
    with client.session_transaction() as session:
        session["cart"] = 3
    log_in(client, "ada", space="co-up")
    with client.session_transaction() as session:
        assert session["cart"] == 3

    log_in(client, "grace")
    with client.session_transaction() as session:
        assert "cart" not in session


def test_a_login_that_no_cookie_can_hold_is_a_mistake(app: Flask) -> None:
    client = app.test_client()
    with client.session_transaction() as session:
        session["cart"] = token_hex(2500)  # which cannot be compressed to a cookie
    with pytest.raises(LoginError, match="session_too_large"):
        log_in(client)

    assert client.get("/who").status_code == 302


def test_a_login_after_a_real_logout_is_a_new_one(app: Flask) -> None:
    client = app.test_client()
    log_in(client)
    assert client.post("/cobot/logout", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303
    client.delete_cookie("cobot_oidc_ended")
    log_in(client)

    assert client.get("/who").status_code == 200


def test_a_space_that_the_app_does_not_serve_is_a_mistake(app: Flask) -> None:
    with pytest.raises(LoginError, match="space_unknown"):
        log_in(app.test_client(), space="nebenan")


def test_a_member_without_the_setting_is_a_mistake(app: Flask) -> None:
    other = Flask("other")
    other.config.update(app.config, COBOT_OIDC_MEMBERSHIP=False, COBOT_OIDC_KEEP_TOKEN=False)
    CobotOIDC(other)
    mistakes: list[dict[str, Any]] = [{"member": True}, {"admin": True}, {"token": "t"}]
    for options in mistakes:
        with pytest.raises(ConfigurationError):
            log_in(other.test_client(), **options)


@pytest.mark.covers("A21")
def test_nobody_is_let_in_outside_of_tests(app: Flask, cobot: StandIn) -> None:
    app.testing = False
    client = app.test_client()
    with pytest.raises(ConfigurationError, match="testing_only"):
        log_in(client)
    with pytest.raises(ConfigurationError, match="testing_only"):
        log_out(client)
    with pytest.raises(ConfigurationError, match="testing_only"):
        Visitor(app, cobot)
    assert client.get("/who").status_code == 302
    assert cobot.requests == []


def test_a_person_whom_the_stand_in_does_not_have_is_refused_with_those_it_has(app: Flask, cobot: StandIn) -> None:
    with pytest.raises(AssertionError, match="no person 'bob' at the stand-in: ada, grace"):
        Visitor(app, cobot).answer(cobot.issuer, "bob")


def test_the_plugin_s_fixtures_work_in_a_project_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "test_portal.py").write_text(
        """
import pytest
from flask import Flask

from cobot_oidc import CobotOIDC, current_user, login_required
from cobot_oidc.testing import Visitor

CALLBACK = "http://localhost/cobot/callback"


@pytest.fixture
def app(cobot):
    cobot.register_client("portal", secret="s3cret", redirect_uri=CALLBACK)
    app = Flask("portal")
    app.config.update(TESTING=True, SECRET_KEY="k" * 32, COBOT_OIDC_CLIENT_ID="portal",
                      COBOT_OIDC_CLIENT_SECRET="s3cret", COBOT_OIDC_ISSUER=cobot.issuer)
    CobotOIDC(app)
    app.add_url_rule("/", "home", login_required(lambda: f"Hello {current_user.name}"))
    return app


def test_without_a_provider(logged_in_client):
    assert logged_in_client.get("/").status_code == 200


def test_at_the_stand_in(app, cobot):
    assert Visitor(app, cobot).log_in("/", "grace").text == "Hello Grace Hopper"


def test_its_faults(app, cobot):
    cobot.alter("id_token_claims", {"nonce": "another"})
    with pytest.raises(AssertionError, match="the login failed: 502"):
        Visitor(app, cobot).log_in("/")


def test_it_is_as_new_for_each_test(cobot):
    assert cobot.requests == []


def test_a_client_of_another_test_is_unknown(cobot):
    asked = f"{cobot.issuer}/oauth/authorize?client_id=portal&response_type=code&redirect_uri={CALLBACK}"
    with pytest.raises(RuntimeError, match="did not show a form"):
        cobot.sign_in(asked)
"""
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "5 passed" in run.stdout, run.stdout + run.stderr


def test_a_project_that_does_not_use_the_plugin_imports_nothing_but_its_fixtures(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(
        """
import sys

OURS = ["cobot_oidc", "cobot_oidc._lazy", "cobot_oidc.testing", "cobot_oidc.testing.plugin"]


def test_of_another_project(pytestconfig):
    assert pytestconfig.pluginmanager.has_plugin("cobot_oidc")
    assert sorted(name for name in sys.modules if name.partition(".")[0] == "cobot_oidc") == OURS
    assert not {"authlib", "cryptography", "flask", "jwt", "requests", "werkzeug"} & set(sys.modules)
"""
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "1 passed" in run.stdout, run.stdout + run.stderr
