"""Flask-Login: one login for both, which ``current_user`` is whose, and what its own cookie outlives."""

from typing import Any

import flask_login
import pytest
from flask import Flask, render_template_string
from flask_login import LoginManager, UserMixin, login_user

from cobot_oidc import CobotOIDC, from_view_arg
from cobot_oidc.standin import StandIn

from ..conftest import Clock, MakePortal, Visitor, add_pages
from .conftest import NAVIGATION, RunPage


class Staff(UserMixin):  # type: ignore[misc] # Flask-Login is untyped
    id = "7"


def with_staff(app: Flask, *, remember: bool) -> Flask:
    """Somebody with a password of the app's own, who logs in at /staff/log-in."""
    manager = getattr(app, "login_manager", None) or LoginManager(app)
    manager.user_loader(lambda _: Staff())
    app.add_url_rule("/staff/log-in", "staff_log_in", lambda: str(login_user(Staff(), remember=remember)))
    app.add_url_rule("/staff", "staff", lambda: flask_login.current_user.get_id() or "nobody")
    return app


@pytest.fixture
def bridged(run_page: RunPage) -> Any:
    return run_page("flask-login")


def test_a_login_at_cobot_is_one_at_flask_login(bridged: Any, cobot: StandIn) -> None:
    visitor = Visitor(bridged.app, cobot)

    assert visitor.log_in("/desk").text == f"Ada Lovelace is Ada Lovelace at {cobot.issuer}"
    visitor.log_out()
    assert visitor.get("/desk", headers=NAVIGATION).location == "/cobot/login?next=/desk"


def test_a_script_that_flask_login_refuses_gets_a_problem_document(bridged: Any) -> None:
    answer = bridged.app.test_client().get("/desk", headers={"Sec-Fetch-Mode": "cors"})

    assert answer.status_code == 401
    assert answer.json["code"] == "login_required"


def test_a_login_view_would_redirect_scripts_and_start_sessions_for_strangers(bridged: Any) -> None:
    client = bridged.app.test_client()
    client.get("/desk", headers=NAVIGATION)
    assert client.get_cookie("session") is None

    bridged.login_manager.unauthorized_callback = None
    bridged.login_manager.login_view = "cobot_oidc.login"

    assert client.get("/desk", headers={"Sec-Fetch-Mode": "cors"}).location == "/cobot/login?next=%2Fdesk"
    assert client.get_cookie("session") is not None


def test_strong_protection_would_let_nobody_in(bridged: Any, cobot: StandIn) -> None:
    bridged.login_manager.session_protection = "strong"
    visitor = Visitor(bridged.app, cobot)
    visitor.browser.get(visitor.answer(visitor.begin("/desk")))

    assert visitor.get("/desk", headers=NAVIGATION).status_code == 401


def test_nobody_is_remembered_after_the_logout_of_the_page(bridged: Any, cobot: StandIn) -> None:
    visitor = Visitor(with_staff(bridged.app, remember=True), cobot)
    visitor.get("/staff/log-in")
    assert visitor.log_in("/cobot/login?next=/staff").text == "7"

    visitor.log_out()

    assert visitor.browser.get_cookie("remember_token") is None
    assert visitor.get("/staff").text == "nobody"


def test_without_the_page_s_handler_flask_login_s_cookie_outlives_the_logout(
    make_portal: MakePortal, cobot: StandIn
) -> None:
    visitor = Visitor(with_staff(make_portal(), remember=True), cobot)
    visitor.get("/staff/log-in")
    visitor.log_in("/desk")

    visitor.log_out()

    assert visitor.get("/staff").text == "7"


def test_flask_login_s_user_stays_logged_in_until_the_last_logout(make_portal: MakePortal, cobot: StandIn) -> None:
    visitor = Visitor(with_staff(make_portal(), remember=False), cobot)
    visitor.get("/staff/log-in")

    visitor.log_in("/desk")
    assert visitor.get("/staff").text == "7"
    visitor.log_out()
    assert visitor.get("/staff").text == "nobody"


@pytest.mark.parametrize("is_last", [True, False])
def test_a_template_has_a_name_that_is_always_ours(
    settings: dict[str, Any], cobot: StandIn, clock: Clock, caplog: pytest.LogCaptureFixture, is_last: bool
) -> None:
    app = Flask("portal")
    app.config.update(settings)
    manager = LoginManager()
    manager.user_loader(lambda _: None)
    if is_last:
        manager.init_app(app)
    CobotOIDC(app, space=from_view_arg("space"), clock=clock)
    if not is_last:
        manager.init_app(app)
    add_pages(app)
    template = "{{ cobot_user.name }} {{ current_user.name }}"
    app.add_url_rule("/page", "page", lambda: render_template_string(template))
    visitor = Visitor(app, cobot)
    visitor.log_in("/desk")

    assert visitor.get("/page").text == ("Ada Lovelace Ada Lovelace" if is_last else "Ada Lovelace ")
    [line] = [line for line in caplog.messages if "Flask-Login" in line]
    assert f"current_user is that of {'cobot_oidc' if is_last else 'Flask-Login'}" in line
    assert "cobot_user is always that of cobot_oidc" in line


def test_flask_login_that_gives_templates_no_name_is_no_matter(
    make_portal: MakePortal, caplog: pytest.LogCaptureFixture
) -> None:
    portal = make_portal()
    LoginManager().init_app(portal, add_context_processor=False)

    assert portal.test_client().get("/").status_code == 200
    assert "Flask-Login" not in caplog.text
