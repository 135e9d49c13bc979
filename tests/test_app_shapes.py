"""The extension in apps of every shape: factories, several apps, prefixes, proxies, other session stores."""

from typing import Any

import pytest
from flask import Blueprint, Flask, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client

from cobot_oidc import CobotOIDC, current_space, current_user, from_host, from_subdomain, login_required
from cobot_oidc.standin import StandIn

from .conftest import Clock, MakePortal, Visitor, add_pages


def redirect_uri_of(authorization_url: str) -> str:
    from urllib.parse import parse_qs, urlsplit

    return parse_qs(urlsplit(authorization_url).query)["redirect_uri"][0]


def test_one_extension_serves_several_apps(settings: dict[str, Any], cobot: StandIn, clock: Clock) -> None:
    oidc = CobotOIDC(clock=clock)
    visitors = []
    for name, prefix in (("one", "/cobot"), ("two", "/sign-in")):
        app = Flask(name)
        app.config.update(settings | {"COBOT_OIDC_URL_PREFIX": prefix, "SECRET_KEY": name * 16})
        oidc.init_app(app)
        add_pages(app)
        visitors.append(Visitor(app, cobot))
    one, two = visitors

    one.log_in("/desk")
    cobot.register_client(
        "portal", secret="s3cret-of-the-portal", redirect_uri="http://localhost/sign-in/callback", name="Portal"
    )
    two.log_in("/desk")

    assert one.sees("/") == two.sees("/")
    one.log_out()
    assert one.sees("/") is None
    assert two.sees("/") is not None


def test_below_a_script_name(make_portal: MakePortal, cobot: StandIn) -> None:
    cobot.register_client(
        "portal", secret="s3cret-of-the-portal", redirect_uri="http://localhost/members/cobot/callback", name="P"
    )
    portal = make_portal(APPLICATION_ROOT="/members")
    mounted = DispatcherMiddleware(Flask("nothing"), {"/members": portal})
    browser = Client(mounted)
    to_login = browser.get("/members/desk")
    assert to_login.location == "/members/cobot/login?next=/members/desk"
    url = browser.get(to_login.location).location
    assert redirect_uri_of(url) == "http://localhost/members/cobot/callback"

    response = browser.get(cobot.sign_in(url))

    assert (response.status_code, response.location) == (303, "/members/desk")
    assert browser.get("/members/desk").status_code == 200
    assert browser.get(cobot.sign_in(browser.get("/members/cobot/login").location)).location == "/members/"


@pytest.mark.covers("S03")
def test_behind_a_proxy(make_portal: MakePortal) -> None:
    portal = make_portal(TRUSTED_HOSTS=["portal.example"])
    portal.wsgi_app = ProxyFix(portal.wsgi_app, x_proto=1, x_host=1)  # type: ignore[method-assign]
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "portal.example"}

    response = portal.test_client().get("/cobot/login", headers=headers)

    assert redirect_uri_of(response.location) == "https://portal.example/cobot/callback"
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("__Host-cobot_oidc_")
    for attribute in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=600"):  # S03
        assert attribute in cookie
    assert "Domain" not in cookie


@pytest.mark.covers("R06")
@pytest.mark.parametrize(
    ("changes", "host", "headers", "expected"),
    [
        pytest.param({}, "evil.example", {}, 400, id="Host"),  # R06
        pytest.param({}, "localhost", {"X-Forwarded-Host": "evil.example"}, "http://localhost", id="no proxy"),
        pytest.param({"SERVER_NAME": "portal.example"}, "portal.example", {}, 500, id="http"),
        pytest.param(
            {"COBOT_OIDC_REDIRECT_URI": "http://localhost/cobot/callback"},
            "localhost",
            {},
            "http://localhost",
            id="set",
        ),
    ],
)
def test_the_redirect_uri_is_never_what_a_stranger_says(
    make_portal: MakePortal, changes: dict[str, Any], host: str, headers: dict[str, str], expected: str | int
) -> None:
    response = make_portal(**changes).test_client().get("/cobot/login", base_url=f"http://{host}", headers=headers)

    if isinstance(expected, int):
        assert response.status_code == expected
        assert "not set up correctly" in response.text
        assert "evil" not in response.text
    else:
        assert redirect_uri_of(response.location) == f"{expected}/cobot/callback"


def test_the_server_name_names_the_callback(make_portal: MakePortal) -> None:
    portal = make_portal(SERVER_NAME="portal.example")

    url = portal.test_client().get("/cobot/login", base_url="https://portal.example").location

    assert redirect_uri_of(url) == "https://portal.example/cobot/callback"


def test_a_login_begins_at_the_host_of_its_callback(make_portal: MakePortal) -> None:
    portal = make_portal(COBOT_OIDC_REDIRECT_URI="https://portal.example/cobot/callback")
    browser = portal.test_client()

    response = browser.get("/cobot/login?next=/desk", base_url="https://other.example")

    assert response.location == "https://portal.example/cobot/login?next=/desk&at=callback"
    # Whatever else a stranger adds does not travel along.
    odd = "&_external=1&_scheme=javascript&_anchor=x&_method=POST&client_id=evil"
    assert browser.get(f"/cobot/login?next=/desk{odd}", base_url="https://other.example").location == response.location
    # Behind a proxy that hides the host, the way ends there.
    again = browser.get(response.location, base_url="http://10.0.0.1:8000")
    assert redirect_uri_of(again.location) == "https://portal.example/cobot/callback"


@pytest.mark.parametrize("reader", [from_host("portal.localhost"), from_subdomain()])
def test_spaces_in_host_names(settings: dict[str, Any], cobot: StandIn, clock: Clock, reader: Any) -> None:
    cobot.register_client(
        "portal", secret="s3cret-of-the-portal", redirect_uri="http://portal.localhost/cobot/callback", name="P"
    )
    app = Flask("portal")
    app.config.update(
        settings,
        SERVER_NAME="portal.localhost",
        SESSION_COOKIE_DOMAIN="portal.localhost",
        COBOT_OIDC_REDIRECT_URI="http://portal.localhost/cobot/callback",
    )
    CobotOIDC(app, space=reader, clock=clock)

    @app.get("/desk")
    @login_required
    def desk() -> str:
        return f"{current_user.name} at {current_space()}"

    browser = Client(app)

    there = "http://co-up.portal.localhost"
    first = browser.get("/desk", base_url=there)
    hop = browser.get(first.location, base_url=there)
    assert hop.location.startswith("http://portal.localhost/cobot/login?space=co-up&next=/desk")
    to_cobot = browser.get(hop.location.removeprefix("http://portal.localhost"), base_url="http://portal.localhost")
    assert to_cobot.location.startswith(cobot.space_issuer("co-up"))
    callback = cobot.sign_in(to_cobot.location)
    back = browser.get(callback.removeprefix("http://portal.localhost"), base_url="http://portal.localhost")

    assert back.location == "http://co-up.portal.localhost/desk"
    assert browser.get("/desk", base_url=there).text == "Ada Lovelace at co-up"
    assert browser.get("/desk", base_url="http://betahaus.portal.localhost").status_code == 302
    assert browser.get("/desk", base_url="http://portal.localhost").status_code == 302


def test_a_callable_names_the_space(settings: dict[str, Any], cobot: StandIn, clock: Clock) -> None:
    app = Flask("portal")
    app.config.update(settings)
    CobotOIDC(app, space=lambda: request.args.get("at"), clock=clock)
    add_pages(app)

    visitor = Visitor(app, cobot)
    assert visitor.begin("/cobot/login?space=co-up").startswith(cobot.space_issuer("co-up"))
    assert visitor.get("/desk?at=betahaus").location == "/cobot/login?space=betahaus&next=/desk?at%3Dbetahaus"


def test_a_blueprint_of_json(make_portal: MakePortal, cobot: StandIn) -> None:
    portal = make_portal(COBOT_OIDC_JSON_BLUEPRINTS=["api"])
    api = Blueprint("api", __name__, url_prefix="/api")

    @api.get("/bookings")
    @login_required
    def bookings() -> dict[str, list[str]]:
        return {"bookings": []}

    portal.register_blueprint(api)
    visitor = Visitor(portal, cobot)

    assert visitor.get("/api/bookings").status_code == 401
    visitor.log_in("/desk")
    assert visitor.get("/api/bookings").json == {"bookings": []}


@pytest.mark.covers("R04")
def test_the_places_after_login_and_logout(make_portal: MakePortal, cobot: StandIn) -> None:
    visitor = Visitor(make_portal(COBOT_OIDC_AFTER_LOGIN="desk", COBOT_OIDC_AFTER_LOGOUT="/bye"), cobot)

    for next_ in ("", "?next=https://evil.example", "?next=/cobot/logout", "?next=/cobot/callback?code=1"):  # R04
        assert visitor.get(visitor.answer(visitor.begin(f"/cobot/login{next_}"))).location == "/desk"
        visitor.browser.delete_cookie("cobot_oidc_recent")
    assert visitor.log_out().location == "/bye"


@pytest.mark.covers("R07")
@pytest.mark.parametrize("wish", ["https://evil.example", "//evil.example", "/\\evil.example", "/desk"])
@pytest.mark.parametrize("name", ["next", "post_logout_redirect_uri", "redirect_uri"])
def test_nobody_chooses_where_a_logout_leads(visitor: Visitor, name: str, wish: str) -> None:
    visitor.log_in("/desk")
    origin = {"Origin": "http://localhost"}

    answer = visitor.browser.post("/cobot/logout", query_string={name: wish}, data={name: wish}, headers=origin)

    assert answer.location == "/cobot/logged-out"


def test_a_public_client(make_portal: MakePortal, cobot: StandIn) -> None:
    cobot.register_client("portal", secret=None, redirect_uri="http://localhost/cobot/callback", name="P")

    assert Visitor(make_portal(COBOT_OIDC_CLIENT_SECRET=None), cobot).log_in("/desk").status_code == 200


@pytest.mark.covers("F27")
@pytest.mark.parametrize(
    ("method", "secret"),
    [
        ("client_secret_post", "plain"),
        ("client_secret_post", "s p:a%c+e&="),
        ("client_secret_basic", "plain"),
    ],
)
def test_clients_prove_themselves(make_portal: MakePortal, cobot: StandIn, method: str, secret: str) -> None:
    cobot.register_client("portal", secret=secret, redirect_uri="http://localhost/cobot/callback", name="P")
    portal = make_portal(COBOT_OIDC_CLIENT_SECRET=secret, COBOT_OIDC_CLIENT_AUTH=method)

    assert Visitor(portal, cobot).log_in("/desk").status_code == 200


@pytest.mark.covers("S04")
def test_secret_keys_can_be_rotated_during_a_login(make_portal: MakePortal, cobot: StandIn) -> None:
    old, new = "o" * 32, "n" * 32
    portal = make_portal(SECRET_KEY=old)
    visitor = Visitor(portal, cobot)
    answer = visitor.answer(visitor.begin("/desk"))

    portal.config.update(SECRET_KEY=new, SECRET_KEY_FALLBACKS=[old])
    assert visitor.get(answer).status_code == 303

    portal.config.update(SECRET_KEY=new, SECRET_KEY_FALLBACKS=[])
    assert visitor.get("/desk").status_code == 200


def test_userinfo_fills_in_what_the_id_token_leaves_out(make_portal: MakePortal, cobot: StandIn) -> None:
    cobot.alter("id_token_claims", lambda claims: {n: v for n, v in claims.items() if n not in ("email", "name")})
    visitor = Visitor(make_portal(COBOT_OIDC_USERINFO=True), cobot)

    page = visitor.log_in("/desk")

    assert page.json is not None
    assert page.json["claims"]["email"] == "ada@example.org"


@pytest.mark.covers("O04")
@pytest.mark.parametrize("change", [{"sub": "another"}, {"sub": None}, {"sub": ["x"]}])
def test_userinfo_about_somebody_else_ends_the_login(
    make_portal: MakePortal, cobot: StandIn, change: dict[str, Any]
) -> None:
    visitor = Visitor(make_portal(COBOT_OIDC_USERINFO=True), cobot)
    cobot.alter("userinfo", change)

    assert visitor.get(visitor.answer(visitor.begin("/desk"))).status_code == 502
    assert visitor.sees("/") is None
