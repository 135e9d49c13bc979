"""What an app's developer meets on the first day: the public names, and where a person ends up."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask, abort, jsonify, render_template_string, request, url_for
from werkzeug.test import Client

import cobot_oidc
from cobot_oidc import (
    CobotOIDC,
    ConfigurationError,
    LoginError,
    User,
    current_space,
    current_user,
    current_users,
    from_host,
    login_required,
    require_user,
)
from cobot_oidc.standin import StandIn

from .conftest import Clock, MakePortal, Visitor, add_pages

NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}


def test_each_public_name_can_be_imported() -> None:
    assert dir(cobot_oidc) == sorted(cobot_oidc.__all__)
    for name in cobot_oidc.__all__:
        assert getattr(cobot_oidc, name).__class__ is not type(cobot_oidc)
    with pytest.raises(AttributeError, match="curent_user"):
        _ = cobot_oidc.curent_user  # type: ignore[attr-defined]


# ---------------------------------------------------------------------- who and where


@pytest.fixture
def asked(portal: Flask) -> Callable[[str], Any]:
    """What a page at a path knows about its space."""
    seen: list[Any] = []

    @portal.get("/<space>/where")
    @portal.get("/where", endpoint="where_at_all")
    def where(space: str | None = None) -> Any:
        seen.append(current_space())
        in_a_template = render_template_string("{{ current_space is none }} {{ current_space|tojson }}")
        return jsonify(space=current_space(), rule=space, template=in_a_template)

    def ask(path: str) -> Any:
        answer = portal.test_client().get(path).json
        return answer, seen[-1]

    return ask


def test_the_space_is_plain_text_or_none(asked: Callable[[str], Any]) -> None:
    answer, space = asked("/co-up/where")
    assert type(space) is str
    assert json.dumps(space) == '"co-up"'
    assert answer == {"space": "co-up", "rule": "co-up", "template": 'False "co-up"'}

    answer, space = asked("/where")
    assert space is None
    assert answer["template"] == "True null"

    answer, space = asked("/www/where")  # no space, so nobody's page
    assert space is None


def test_an_app_is_asked_once_for_a_request_whether_it_serves_the_space(
    make_portal: MakePortal, cobot: StandIn
) -> None:
    questions: list[str] = []

    def serves(space: str) -> bool:
        questions.append(space)
        return True

    visitor = Visitor(make_portal(COBOT_OIDC_SPACES=serves), cobot)
    visitor.log_in("/co-up/desk")
    questions.clear()

    assert visitor.get("/co-up/desk").status_code == 200
    assert questions == ["co-up"]


def test_a_mail_can_be_rendered_outside_of_a_request(portal: Flask) -> None:
    letter = "{{ 'Dear member' if not current_user.is_authenticated }}{{ current_space }}"
    with portal.app_context():
        assert render_template_string(letter) == "Dear memberNone"


def test_a_page_about_a_space_that_the_apps_own_callable_refuses_can_be_rendered(
    settings: dict[str, Any],
) -> None:
    app = Flask("portal")
    app.config.update(settings)
    CobotOIDC(app, space=lambda: abort(404))
    app.register_error_handler(404, lambda _: (render_template_string("Not here: {{ current_space }}"), 404))

    assert app.test_client().get("/").text == "Not here: None"


def test_async_views_have_guards_too(portal: Flask, visitor: Visitor) -> None:
    @portal.get("/<space>/later")
    @login_required
    async def later(space: str) -> str:
        return f"{require_user().name} at {space}"

    assert visitor.get("/co-up/later").status_code == 302
    # In a thread of its own, as Playwright leaves an event loop in this one.
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(visitor.log_in, "/co-up/later").result().text == "Ada Lovelace at co-up"


@pytest.fixture
def everyone(portal: Flask) -> None:
    portal.add_url_rule("/everyone", "everyone", lambda: jsonify([user.get_id() for user in current_users()]))


@pytest.mark.usefixtures("everyone")
def test_everyone_who_is_logged_in_with_this_browser(visitor: Visitor, cobot: StandIn, clock: Clock) -> None:
    assert visitor.get("/everyone").json == []
    for path in ("/desk", "/co-up/desk", "/betahaus/desk"):
        visitor.log_in(path, "grace")
        clock.move(1)

    issuers = [cobot.issuer, cobot.space_issuer("co-up"), cobot.space_issuer("betahaus")]
    assert visitor.get("/everyone").json == [f"{issuer}#{cobot.people['grace'].subject}" for issuer in issuers]

    visitor.log_out("co-up")
    assert len(visitor.get("/everyone").json or []) == 2


@pytest.mark.covers("S08")
@pytest.mark.usefixtures("everyone")
def test_nobody_is_listed_whose_login_has_expired(visitor: Visitor, clock: Clock) -> None:
    visitor.log_in("/desk")
    clock.move(3600)
    visitor.log_in("/co-up/desk")

    clock.move(11 * 3600)

    assert len(visitor.get("/everyone").json or []) == 1


@pytest.mark.covers("X10")
@pytest.mark.usefixtures("everyone")
def test_nobody_is_listed_whom_a_late_page_brought_back_after_a_logout(visitor: Visitor) -> None:
    visitor.log_in("/co-up/desk")
    session = visitor.browser.get_cookie("session")
    assert session is not None
    visitor.log_out()

    visitor.browser.set_cookie("session", session.value)

    assert visitor.sees("/co-up/open") is None
    assert visitor.get("/everyone").json == []


@pytest.mark.covers("K19", "S08")
def test_nobody_is_listed_who_was_idle_or_whose_space_is_gone(
    make_portal: MakePortal, cobot: StandIn, clock: Clock
) -> None:
    served = ["co-up", "betahaus"]
    portal = make_portal(COBOT_OIDC_SESSION_IDLE_LIFETIME=3600, COBOT_OIDC_SPACES=lambda: served)
    portal.add_url_rule("/everyone", "everyone", lambda: jsonify([user.space for user in current_users()]))
    visitor = Visitor(portal, cobot)
    for path in ("/co-up/desk", "/betahaus/desk", "/desk"):
        visitor.log_in(path)
    assert sorted(visitor.get("/everyone").json or [], key=str) == [None, "betahaus", "co-up"]

    served.remove("betahaus")
    assert "betahaus" not in (visitor.get("/everyone").json or [])
    for _ in range(2):
        clock.move(1800)
        visitor.get("/co-up/desk")
    assert visitor.get("/everyone").json == ["co-up"]


def test_a_view_that_needs_a_user_gets_one_or_401(portal: Flask, visitor: Visitor) -> None:
    portal.add_url_rule("/<space>/me", "me", lambda space: f"{require_user().get_id()} {space}")
    page = visitor.get("/co-up/me", headers=NAVIGATION)

    assert page.status_code == 401
    assert page.mimetype == "text/html"
    assert "Please log in first." in page.text
    assert 'href="/cobot/login?space=co-up&amp;next=/co-up/me"' in page.text
    problem = visitor.get("/co-up/me", headers={"Sec-Fetch-Mode": "cors"})
    assert problem.json is not None
    assert (problem.status_code, problem.json["code"]) == (401, "login_required")
    assert visitor.get("/www/me").status_code == 404

    visitor.log_in("/co-up/desk")
    assert visitor.get("/co-up/me").text.startswith(str(visitor.sees("/co-up/open")))


def test_a_user_in_python_is_never_anonymous(portal: Flask) -> None:
    with portal.test_request_context("/desk"), pytest.raises(LoginError) as failure:
        require_user()

    assert (failure.value.code, failure.value.status) == ("login_required", 401)


# ---------------------------------------------------------------------- login_required, when the module is imported


def test_a_misspelt_keyword_is_refused_when_the_module_is_imported() -> None:
    with pytest.raises(TypeError, match="spcae"):
        login_required(spcae="co-up")  # type: ignore[call-overload]


def test_a_space_in_the_place_of_the_view_is_refused_when_the_module_is_imported() -> None:
    with pytest.raises(TypeError, match=r"write login_required\(space='co-up'\)"):
        login_required("co-up")  # type: ignore[call-overload]


@pytest.mark.covers("M01")
@pytest.mark.parametrize("name", ["Co Up", "Co-Up", "www", "", "xn--a", 7])
def test_what_can_be_no_space_is_refused_when_the_module_is_imported(name: Any) -> None:
    with pytest.raises(ConfigurationError, match="login_required") as failure:
        login_required(space=name)

    assert failure.value.code == "space_name_invalid"


def test_a_view_for_the_global_provider_alone_on_a_spaces_own_page(portal: Flask, visitor: Visitor) -> None:
    @portal.get("/<space>/billing")
    @login_required(space=None)
    def billing(space: str) -> str:
        return space

    assert visitor.get("/co-up/billing").location == "/cobot/login?next=/co-up/billing"
    assert visitor.log_in("/co-up/billing").text == "co-up"


# ---------------------------------------------------------------------- the place after a login


def arrived(visitor: Visitor, login: str) -> str:
    """Where a login ends that begins at this URL."""
    return visitor.get(visitor.answer(visitor.begin(login))).location


@pytest.mark.covers("F03")
def test_a_login_at_a_space_ends_at_the_spaces_page(make_portal: MakePortal, cobot: StandIn) -> None:
    visitor = Visitor(make_portal(COBOT_OIDC_AFTER_LOGIN="space_desk"), cobot)

    assert arrived(visitor, "/cobot/login?space=co-up") == "/co-up/desk"
    assert arrived(visitor, "/cobot/login?space=betahaus") == "/betahaus/desk"
    assert arrived(visitor, "/cobot/login?space=co-up&next=/co-up/open") == "/co-up/open"
    visitor.log_out()
    answer = visitor.answer(visitor.begin("/cobot/login?space=co-up"))
    assert [visitor.get(answer).location for _ in range(2)] == ["/co-up/desk", "/co-up/desk"]  # F03
    visitor.log_out()
    assert arrived(visitor, "/cobot/login") == "/"  # no space, so none of its pages


def test_an_endpoint_with_and_without_a_space_serves_both(make_portal: MakePortal, cobot: StandIn) -> None:
    portal = make_portal(COBOT_OIDC_AFTER_LOGIN="home")
    portal.add_url_rule("/home", "home", lambda: "")
    portal.add_url_rule("/<space>/home", "home")
    visitor = Visitor(portal, cobot)

    assert arrived(visitor, "/cobot/login") == "/home"
    assert arrived(visitor, "/cobot/login?space=co-up") == "/co-up/home"


def test_an_endpoint_takes_the_space_of_any_reader(settings: dict[str, Any], cobot: StandIn, clock: Clock) -> None:
    app = Flask("portal")
    app.config.update(settings, COBOT_OIDC_AFTER_LOGIN="house")
    CobotOIDC(app, space=lambda: request.args.get("at"), clock=clock)
    app.add_url_rule("/houses/<house>", "house", lambda house: house)

    assert arrived(Visitor(app, cobot), "/cobot/login?space=co-up") == "/houses/co-up"


@pytest.mark.covers("F03")
def test_the_app_chooses_the_page_for_each_user(make_portal: MakePortal, cobot: StandIn) -> None:
    def choose(user: User) -> str:
        assert current_user == user
        assert current_space() == user.space
        return url_for("space_desk", space=user.space) if user.space else "/desk?welcome=1"

    visitor = Visitor(make_portal(COBOT_OIDC_AFTER_LOGIN=choose), cobot)

    answer = visitor.answer(visitor.begin("/cobot/login?space=co-up"))
    assert visitor.get(answer).location == "/co-up/desk"
    assert visitor.get(answer).location == "/co-up/desk"  # F03: the same answer again
    assert arrived(visitor, "/cobot/login") == "/desk?welcome=1"


@pytest.mark.covers("R01")
@pytest.mark.parametrize(
    "place", ["https://evil.example", "//evil.example", "/\\evil.example", "/cobot/logout", "", None]
)
def test_nobody_makes_the_app_choose_another_site(make_portal: MakePortal, cobot: StandIn, place: Any) -> None:
    visitor = Visitor(make_portal(COBOT_OIDC_AFTER_LOGIN=lambda _: place), cobot)

    response = visitor.get(visitor.answer(visitor.begin("/cobot/login")))

    assert response.status_code == 500
    assert "Location" not in response.headers


def test_after_logout_takes_no_function(make_portal: MakePortal) -> None:
    with pytest.raises(ConfigurationError, match="COBOT_OIDC_AFTER_LOGOUT"):
        make_portal(COBOT_OIDC_AFTER_LOGOUT=lambda: "/")


def spaces_in_host_names(settings: dict[str, Any], clock: Clock, **changes: Any) -> Flask:
    app = Flask("portal")
    app.config.update(settings, SESSION_COOKIE_DOMAIN="portal.localhost", **changes)
    CobotOIDC(app, space=from_host("portal.localhost"), clock=clock)
    add_pages(app)
    return app


def test_behind_tls_without_proxy_fix_a_login_ends_at_https(
    settings: dict[str, Any], cobot: StandIn, clock: Clock
) -> None:
    callback = "https://portal.localhost:8443/cobot/callback"
    cobot.register_client("portal", secret="s3cret-of-the-portal", redirect_uri=callback, name="P")
    browser = Client(spaces_in_host_names(settings, clock, COBOT_OIDC_REDIRECT_URI=callback))
    # What the app is told by a proxy that ends TLS: the host, without its port, and http.
    inside = "http://portal.localhost"
    jar: dict[str, str] = {}

    def get(path: str) -> Any:
        cookies = "; ".join(f"{name}={value}" for name, value in jar.items())
        answer = browser.get(path, base_url=inside, headers={"Cookie": cookies} if cookies else {})
        for header in answer.headers.getlist("Set-Cookie"):
            name, _, rest = header.partition("=")
            jar[name] = rest.partition(";")[0]
        return answer

    to_cobot = get("/cobot/login?space=co-up&next=/desk&at=callback")
    back = get(cobot.sign_in(to_cobot.location).removeprefix("https://portal.localhost:8443"))

    assert back.location == "https://co-up.portal.localhost:8443/desk"


# ---------------------------------------------------------------------- the place after a logout


def test_the_readmes_ten_lines_do_not_log_in_again_at_once(
    settings: dict[str, Any], cobot: StandIn, clock: Clock
) -> None:
    app = Flask("portal")
    app.config.update(settings)
    CobotOIDC(app, clock=clock)

    @app.get("/")
    @login_required
    def home() -> str:
        return f"Hello {current_user.name or current_user.subject}"

    visitor = Visitor(app, cobot)
    assert visitor.log_in("/").text == "Hello Ada Lovelace"

    page = visitor.get(visitor.log_out().location, headers=NAVIGATION)

    assert page.status_code == 200
    assert "You are logged out" in page.text
    assert 'href="/cobot/login"' in page.text
    assert 'href="/"' in page.text
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert "<style" not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Frame-Options"] == "DENY"


def test_who_logs_out_of_one_space_reads_which(visitor: Visitor) -> None:
    visitor.log_in("/co-up/desk")
    visitor.log_in("/betahaus/desk")

    answer = visitor.log_out("co-up")

    assert answer.location == "/cobot/logged-out?space=co-up"
    page = visitor.get(answer.location, headers={"Accept-Language": "de"})
    assert "Du bist abgemeldet" in page.text
    assert "co-up" in page.text
    assert 'href="/cobot/login?space=co-up"' in page.text
    assert page.headers["Content-Language"] == "de"
    assert visitor.get("/cobot/logged-out?space=<b>").status_code == 404


def test_the_page_after_a_logout_says_no_untruth(visitor: Visitor) -> None:
    visitor.log_in("/co-up/desk")

    for path in ("/cobot/logged-out", "/cobot/logged-out?space=co-up"):
        assert visitor.get(path).location == "/"  # the back button, after another login
    assert visitor.get("/cobot/logged-out?space=betahaus").status_code == 200
    assert visitor.get("/cobot/logged-out?space=").location == "/"


@pytest.mark.covers("R04")
def test_no_login_ends_at_the_page_after_a_logout(visitor: Visitor) -> None:
    assert arrived(visitor, "/cobot/login?next=/cobot/logged-out") == "/"


def test_the_pages_style_is_a_file_that_a_strict_policy_allows(visitor: Visitor) -> None:
    for path in ("/cobot/logged-out", "/cobot/callback?state=x"):
        page = visitor.get(path)
        assert '<link rel="stylesheet" href="/cobot/static/pages.css">' in page.text
        assert "http:" not in page.text.replace("http://localhost", "")
    style = visitor.get("/cobot/static/pages.css", buffered=True)
    assert style.mimetype == "text/css"
    assert style.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" not in style.headers.get("Cache-Control", "")
    assert "url(" not in style.text
    assert "@import" not in style.text


def test_a_logout_without_a_space_ends_every_login_also_on_a_spaces_own_host(
    settings: dict[str, Any], cobot: StandIn, clock: Clock
) -> None:
    callback = "http://portal.localhost/cobot/callback"
    cobot.register_client("portal", secret="s3cret-of-the-portal", redirect_uri=callback, name="P")
    app = spaces_in_host_names(settings, clock, COBOT_OIDC_REDIRECT_URI=callback)
    root, co_up = "http://portal.localhost", "http://co-up.portal.localhost"
    for query in ("", "?space="):
        browser = Client(app)
        for space in ("", "co-up"):
            begun = browser.get(f"/cobot/login?space={space}", base_url=root)
            browser.get(cobot.sign_in(begun.location).removeprefix(root), base_url=root)
        assert [browser.get("/desk", base_url=base).status_code for base in (root, co_up)] == [200, 200]

        answer = browser.post(f"/cobot/logout{query}", base_url=co_up, headers={"Origin": co_up})

        assert answer.location == "/cobot/logged-out"
        assert [browser.get("/desk", base_url=base).status_code for base in (root, co_up)] == [302, 302]


def test_an_empty_space_is_the_global_provider_on_every_host(
    settings: dict[str, Any], cobot: StandIn, clock: Clock
) -> None:
    callback = "http://portal.localhost/cobot/callback"
    cobot.register_client("portal", secret="s3cret-of-the-portal", redirect_uri=callback, name="P")
    browser = Client(spaces_in_host_names(settings, clock, COBOT_OIDC_REDIRECT_URI=callback))

    hop = browser.get("/cobot/login?space=&next=/desk", base_url="http://co-up.portal.localhost")
    assert hop.location == "http://portal.localhost/cobot/login?space=&next=/desk&at=callback"
    begun = browser.get(hop.location.removeprefix("http://portal.localhost"), base_url="http://portal.localhost")

    assert begun.location.startswith(f"{cobot.issuer}/")


def test_a_guard_for_the_global_provider_leads_there_from_a_spaces_own_host(
    settings: dict[str, Any], clock: Clock
) -> None:
    callback = "http://portal.localhost/cobot/callback"
    app = spaces_in_host_names(settings, clock, COBOT_OIDC_REDIRECT_URI=callback)

    @app.get("/billing")
    @login_required(space=None)
    def billing() -> str:
        return "bills"

    browser = Client(app)
    there = browser.get("/billing", base_url="http://co-up.portal.localhost")
    assert there.location == "/cobot/login?space=&next=/billing"
    assert browser.get("/billing", base_url="http://portal.localhost").location == "/cobot/login?next=/billing"
    assert browser.get("/desk", base_url="http://co-up.portal.localhost").location.startswith(
        "/cobot/login?space=co-up&"
    )


# ---------------------------------------------------------------------- in debug mode


@pytest.mark.covers("S14")
def test_in_debug_mode_the_error_page_tells_the_developer(portal: Flask, cobot: StandIn) -> None:
    cobot.alter("metadata", {"issuer": "https://<b>evil.example"})
    visitor = Visitor(portal, cobot)
    assert "metadata_issuer_mismatch" not in visitor.get("/cobot/login").text

    portal.debug = True
    page = visitor.get("/cobot/login")

    assert "metadata_issuer_mismatch" in page.text
    assert "configure the issuer" in page.text
    assert cobot.issuer in page.text
    assert "&lt;b&gt;evil.example" in page.text
    assert "<b>" not in page.text
    assert "s3cret-of-the-portal" not in page.text


def test_in_debug_mode_a_missing_cookie_names_the_two_names_of_this_machine(portal: Flask, visitor: Visitor) -> None:
    portal.debug = True

    page = visitor.get("/cobot/callback?state=x&code=y")

    assert "cookies_missing" in page.text
    assert "localhost and 127.0.0.1 are different sites" in page.text


@pytest.mark.parametrize(("opened", "configured"), [("127.0.0.1", "localhost"), ("localhost", "127.0.0.1")])
def test_who_opens_the_other_name_of_this_machine_is_told(
    make_portal: MakePortal, caplog: pytest.LogCaptureFixture, opened: str, configured: str
) -> None:
    portal = make_portal(COBOT_OIDC_REDIRECT_URI=f"http://{configured}:5000/cobot/callback")

    response = portal.test_client().get("/cobot/login?next=/desk", base_url=f"http://{opened}:5000")

    assert response.location == f"http://{configured}:5000/cobot/login?next=/desk&at=callback"
    assert f"opened at {opened}:5000: the login goes on at {configured}:5000" in caplog.text


def test_who_runs_the_app_on_another_port_is_told_what_to_change(
    make_portal: MakePortal, caplog: pytest.LogCaptureFixture
) -> None:
    portal = make_portal(COBOT_OIDC_REDIRECT_URI="http://localhost:5000/cobot/callback")

    portal.test_client().get("/cobot/login", base_url="http://localhost:5050")

    assert "opened at localhost:5050: the login goes on at localhost:5000" in caplog.text
    assert "if nothing answers there, change the app's port" in caplog.text
    assert "different sites" not in caplog.text


def test_the_redirect_uri_that_has_to_be_registered_is_told_at_an_unusual_name(
    make_portal: MakePortal, caplog: pytest.LogCaptureFixture
) -> None:
    browser = make_portal().test_client()
    browser.get("/cobot/login", base_url="http://localhost:5000")
    assert "opened at" not in caplog.text

    browser.get("/cobot/login", base_url="http://127.0.0.1:5000")

    assert "http://127.0.0.1:5000/cobot/callback" in caplog.text
