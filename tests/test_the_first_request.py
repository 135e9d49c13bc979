"""What only the whole app can tell is looked at when its first request comes: its views, rules and extensions."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest
from flask import Blueprint, Flask, g, render_template_string

from cobot_oidc import (
    CobotOIDC,
    ConfigurationError,
    admin_required,
    current_space,
    current_user,
    from_view_arg,
    login_required,
    membership_required,
    require_user,
)
from cobot_oidc.standin import StandIn

from .conftest import Clock, MakePortal, Visitor
from .test_session_stores import OldStore

MakeApp = Callable[..., Flask]


@pytest.fixture
def make_app(settings: dict[str, Any], clock: Clock) -> MakeApp:
    """Makes an app that has no pages yet."""

    def make(space: Any = None, **changes: Any) -> Flask:
        app = Flask("portal")
        app.config.update(settings, **changes)
        CobotOIDC(app, space=space, clock=clock)
        return app

    return make


def hello(**_: str) -> str:
    return f"Hello {current_user.name}"


def refused(app: Flask, caplog: pytest.LogCaptureFixture, path: str = "/") -> str:
    """What the log says about an app that answers no request."""
    browser = app.test_client()
    assert [browser.get(each).status_code for each in (path, "/cobot/login", path)] == [500, 500, 500]
    lines = [record.getMessage() for record in caplog.records if "the app is refused" in record.getMessage()]
    assert len(lines) == 1
    return lines[0]


# ---------------------------------------------------------------------- the space's place in the rule


def test_a_view_argument_that_no_rule_has_lets_nobody_in(
    make_app: MakeApp, cobot: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(from_view_arg("sapce"))
    app.add_url_rule("/<space>/desk", "desk", login_required(hello))

    line = refused(app, caplog, "/co-up/desk")

    assert "view_arg_unknown" in line
    assert "sapce" in line
    assert "did you mean space?" in line
    assert cobot.requests == []


@pytest.mark.parametrize("name", ["filename", "registered"])
def test_the_arguments_of_our_own_rules_and_of_static_files_name_no_space(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    app = make_app(from_view_arg(name))
    app.add_url_rule("/<house>/desk", "desk", login_required(hello))

    assert "expected one of house" in refused(app, caplog)


def test_an_app_without_a_rule_for_spaces_is_told_so_and_works(
    make_app: MakeApp, cobot: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(from_view_arg("space"))
    app.add_url_rule("/desk", "desk", login_required(hello))
    app.add_url_rule("/people/<number>", "open", hello)

    assert Visitor(app, cobot).log_in("/desk").status_code == 200
    assert "no URL rule has <space>" in caplog.text


@pytest.mark.covers("M04")
def test_a_space_that_the_app_takes_out_of_the_arguments_is_still_the_page_s(make_app: MakeApp, cobot: StandIn) -> None:
    app = make_app(from_view_arg("space"))

    @app.url_value_preprocessor
    def take(_endpoint: str | None, values: dict[str, Any] | None) -> None:
        g.space = (values or {}).pop("space", None)

    app.add_url_rule("/desk", "desk", login_required(hello))

    def space_desk() -> str:
        return f"{g.space}: {current_space()}"

    app.add_url_rule("/<space>/desk", "space_desk", login_required(space_desk))
    visitor = Visitor(app, cobot)
    visitor.log_in("/desk", "grace")

    assert visitor.get("/co-up/desk").location == "/cobot/login?space=co-up&next=/co-up/desk"
    assert visitor.log_in("/co-up/desk", "grace").text == "co-up: co-up"


def test_a_guarded_view_with_another_variable_part_is_told_once(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(from_view_arg("space"))
    app.add_url_rule("/<space>/desk", "desk", login_required(hello))
    app.add_url_rule("/<slug>/board", "board", login_required(hello))
    app.add_url_rule("/<slug>/open", "open", hello)
    app.add_url_rule("/<slug>/bill", "bill", login_required(space=None)(hello))
    app.add_url_rule("/me", "me", login_required(hello))

    for _ in range(2):
        assert app.test_client().get("/me").status_code == 302

    lines = [line for line in caplog.messages if "variable parts" in line]
    assert len(lines) == 1
    assert "the guarded view board at /<slug>/board has variable parts, but not <space>" in lines[0]


# ---------------------------------------------------------------------- the order of decorators


def test_a_guard_above_the_route_opens_no_page(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app()

    @login_required
    @app.get("/order")
    def order() -> str:
        return "the order"

    line = refused(app, caplog, "/order")

    assert "guard_misplaced" in line
    assert "put @login_required below @app.get" in line
    assert "'order'" in line


def test_a_guard_above_the_route_is_noticed_in_a_factory_and_through_other_decorators(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app()

    def noted(view: Callable[[], str]) -> Callable[[], str]:
        return wraps(view)(lambda: view())

    def add() -> None:  # as in create_app: the guard is forgotten when it returns
        @login_required(space="co-up")
        @noted
        @app.get("/order")
        def order() -> str:
            return "the order"

    add()

    assert "'order'" in refused(app, caplog, "/order")


def test_a_guard_above_the_route_of_a_blueprint_in_a_module_is_noticed(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    orders = Blueprint("orders", __name__)
    module = {"__name__": "orders", "orders": orders, "login_required": login_required}
    exec("@login_required\n@orders.get('/order')\ndef order():\n    return 'the order'\n", module)  # noqa: S102 - ours
    app = make_app()
    app.register_blueprint(orders)

    assert "'orders.order'" in refused(app, caplog, "/order")


def test_a_function_may_be_a_guarded_and_an_open_view(make_app: MakeApp) -> None:
    app = make_app()
    app.add_url_rule("/open", "open", hello)
    app.add_url_rule("/desk", "desk", login_required(hello))

    browser = app.test_client()

    assert [browser.get(path).status_code for path in ("/open", "/desk")] == [200, 302]


def test_a_function_may_be_a_guarded_view_of_one_app_and_an_open_one_of_another(make_app: MakeApp) -> None:
    one, other = make_app(), make_app()
    one.add_url_rule("/desk", "desk", login_required(hello))
    other.add_url_rule("/open", "open", hello)

    assert other.test_client().get("/open").status_code == 200


# ---------------------------------------------------------------------- places, stores, and what the check costs


@pytest.mark.parametrize("key", ["COBOT_OIDC_AFTER_LOGIN", "COBOT_OIDC_AFTER_LOGOUT"])
def test_an_endpoint_that_the_app_does_not_have_is_refused(
    make_portal: MakePortal, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    line = refused(make_portal(**{key: "space_dsek"}), caplog)

    assert key in line
    assert "did you mean space_desk?" in line


@pytest.mark.parametrize("key", ["COBOT_OIDC_AFTER_LOGIN", "COBOT_OIDC_AFTER_LOGOUT"])
def test_a_page_elsewhere_is_refused_at_the_start(make_portal: MakePortal, key: str) -> None:
    with pytest.raises(ConfigurationError, match="write the path alone") as caught:
        make_portal(**{key: "https://portal.example/bye"})

    assert caught.value.details["setting"] == key


def test_nobody_is_logged_in_if_the_login_has_nowhere_to_end(
    make_portal: MakePortal, cobot: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    portal = make_portal(COBOT_OIDC_AFTER_LOGIN="house")
    portal.add_url_rule("/houses/<house>/<room>", "house", hello)  # values that nobody gives
    visitor = Visitor(portal, cobot)

    page = visitor.get(visitor.answer(visitor.begin("/cobot/login")))

    assert page.status_code == 500
    assert "COBOT_OIDC_AFTER_LOGIN" in caplog.text
    assert visitor.sees("/") is None


def test_a_logout_that_has_nowhere_to_end_ends_at_our_own_page(
    make_portal: MakePortal, cobot: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    portal = make_portal(COBOT_OIDC_AFTER_LOGOUT="house")
    portal.add_url_rule("/houses/<house>/<room>", "house", hello)
    visitor = Visitor(portal, cobot)
    visitor.log_in("/co-up/desk")

    answer = visitor.log_out("co-up")

    assert (answer.status_code, answer.location) == (303, "/cobot/logged-out?space=co-up")
    assert "COBOT_OIDC_AFTER_LOGOUT" in caplog.text
    assert visitor.sees("/co-up/open") is None


def test_a_value_that_the_app_adds_to_its_urls_is_there_for_a_login_and_a_logout(
    make_portal: MakePortal, cobot: StandIn
) -> None:
    portal = make_portal(COBOT_OIDC_AFTER_LOGIN="home", COBOT_OIDC_AFTER_LOGOUT="home")
    portal.add_url_rule("/<language>/home", "home", hello)

    @portal.before_request
    def choose() -> None:
        g.language = "de"

    @portal.url_defaults
    def add(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "home":
            values.setdefault("language", g.language)

    visitor = Visitor(portal, cobot)

    assert visitor.get(visitor.answer(visitor.begin("/cobot/login"))).location == "/de/home"
    assert visitor.log_out().location == "/de/home"


@pytest.mark.covers("S01")
def test_a_store_that_keeps_the_id_is_refused_also_if_it_is_set_up_later(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app()
    app.session_interface = OldStore()
    app.add_url_rule("/", "home", hello)

    line = refused(app, caplog)

    assert "session_store_unsafe" in line
    assert "set up the store first" in line


def test_all_that_is_wrong_is_told_together(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(from_view_arg("sapce"), COBOT_OIDC_AFTER_LOGIN="dsek")
    app.add_url_rule("/<space>/desk", "desk", login_required(hello))

    line = refused(app, caplog)

    assert "- view_arg_unknown" in line
    assert "- setting_invalid" in line


def test_the_page_about_a_refused_app_has_its_style(make_app: MakeApp) -> None:
    app = make_app(from_view_arg("sapce"))
    app.add_url_rule("/<space>/desk", "desk", login_required(hello))
    app.debug = True
    browser = app.test_client()

    page = browser.get("/", headers={"Accept": "text/html"})

    assert "view_arg_unknown" in page.text
    assert browser.get("/cobot/static/pages.css", buffered=True).status_code == 200


def test_no_request_after_the_first_pays_for_the_look(portal: Flask) -> None:
    @portal.before_request
    def of_the_app() -> None:
        g.asked = True

    for _ in range(2):
        assert portal.test_client().get("/").status_code == 200
        assert portal.before_request_funcs[None] == [of_the_app]


# ---------------------------------------------------------------------- without init_app, and beside Flask-Login


def test_an_app_without_the_extension_is_told_what_to_call() -> None:
    app = Flask("forgotten")
    app.add_url_rule("/desk", "desk", login_required(hello))
    app.testing = True

    with pytest.raises(ConfigurationError, match=r"call oidc.init_app\(app\)") as caught:
        app.test_client().get("/desk")
    assert caught.value.code == "not_installed"
    with app.test_request_context(), pytest.raises(ConfigurationError, match="not_installed"):
        require_user()
    with pytest.raises(ConfigurationError, match="not_installed"):
        CobotOIDC().counts(app)


def test_a_template_that_is_rendered_in_a_job_has_both_names(portal: Flask) -> None:
    with portal.app_context():
        page = render_template_string("{{ cobot_user.is_authenticated }} {{ current_user.is_authenticated }}")

    assert page == "False False"


def test_a_form_that_is_posted_after_the_login_has_expired_ends_at_after_login(
    make_portal: MakePortal, cobot: StandIn
) -> None:
    portal = make_portal(COBOT_OIDC_AFTER_LOGIN="open")
    portal.add_url_rule("/bookings", "book", login_required(hello), methods=["POST"])
    visitor = Visitor(portal, cobot)

    to_login = visitor.browser.post("/bookings", data={"note": "typed"}, headers={"Accept": "text/html"})

    assert to_login.location == "/cobot/login"
    assert visitor.get(visitor.answer(visitor.begin("/cobot/login"))).location == "/"


# ---------------------------------------------------------------------- a client without its secret


def test_a_client_that_is_refused_and_sent_no_secret_is_told_so(
    make_portal: MakePortal, cobot: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    visitor = Visitor(make_portal(COBOT_OIDC_CLIENT_SECRET=None), cobot)

    visitor.get(visitor.answer(visitor.begin("/cobot/login")))

    assert "client_refused" in caplog.text
    assert "no secret was sent: COBOT_OIDC_CLIENT_SECRET is not set" in caplog.text

    caplog.clear()
    visitor = Visitor(make_portal(COBOT_OIDC_CLIENT_SECRET="wrong"), cobot)
    visitor.get(visitor.answer(visitor.begin("/cobot/login")))
    assert "client_refused" in caplog.text
    assert "no secret was sent" not in caplog.text


# ---------------------------------------------------------------------- guards for members


@pytest.mark.parametrize("guard", [membership_required, admin_required, membership_required(space="co-up")])
def test_an_app_that_guards_for_members_and_never_asks_who_is_one_is_refused(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture, guard: Any
) -> None:
    app = make_app(from_view_arg("space"))
    app.add_url_rule("/<space>/lounge", "lounge", guard(hello))

    line = refused(app, caplog)

    assert "setting_missing" in line
    assert "COBOT_OIDC_MEMBERSHIP" in line
    assert "lounge" in line


def test_an_app_that_guards_for_members_and_asks_who_is_one_is_not_refused(make_app: MakeApp) -> None:
    app = make_app(from_view_arg("space"), COBOT_OIDC_MEMBERSHIP=True)
    app.add_url_rule("/<space>/lounge", "lounge", membership_required(hello))

    assert app.test_client().get("/co-up/lounge").status_code == 302
