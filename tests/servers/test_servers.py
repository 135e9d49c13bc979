"""One login for real at each server of docs/how-to/servers.md: TLS, a path prefix, cookies, logout, worst cases."""

import re
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from cobot_oidc.standin import StandIn

from ..conftest import leave_out, needed_program
from . import recipes
from .running import CLIENT_SECRET, MODULES, Site, serving
from .visitor import Visitor

WARMED = """\
from urllib.parse import parse_qs, urlsplit
from behind_nginx import app

here = app.config["COBOT_OIDC_REDIRECT_URI"].partition("/portal")[0]
options = {"base_url": here, "headers": {"Accept": "text/html"}}
client = app.test_client()
begun = client.get("/cobot/login", **options)
[state] = parse_qs(urlsplit(begun.location).query)["state"]
assert client.get("/cobot/callback", query_string={"state": state, "code": "invented"}, **options).status_code >= 400
open("loaded", "a").write("once")
"""  # a login has begun, and one has failed: documents are kept; locks and connections were in use
SLOW = 4.0  # seconds

Serve = Callable[..., AbstractContextManager[Site]]


@pytest.fixture(scope="module")
def provider() -> Iterator[StandIn]:
    """A stand-in with a clock that runs, as the servers' does."""
    with StandIn() as stand_in:
        yield stand_in


def program_of(heading: str) -> str:
    """The path of the web server that a section needs."""
    if heading != recipes.APACHE:
        return needed_program("nginx", "COBOT_OIDC_TEST_NGINX")
    path = needed_program("Apache", "COBOT_OIDC_TEST_APACHE")
    version = "{}.{}".format(*sys.version_info)
    if not (MODULES / f"mod_wsgi.so-{version}").exists():
        leave_out(f"there is no mod_wsgi for Python {version}")
    return path


@pytest.fixture(scope="module", params=recipes.EVERYWHERE)
def site(request: pytest.FixtureRequest, provider: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server, as its section says. Afterwards nothing in its logs may be a secret or a traceback."""
    folder = tmp_path_factory.mktemp("site")
    with serving(request.param, provider, folder, program_of(request.param)) as running:
        yield running
    nothing_leaked(running, provider)


def nothing_leaked(site: Site, provider: StandIn) -> None:
    assert site.logs
    assert "Traceback" not in site.logs, site.logs[-5000:]
    for secret in {*provider.secrets, CLIENT_SECRET, site.secret_key}:
        assert secret not in site.logs or len(secret) < 8


@pytest.fixture
def visitor(site: Site, provider: StandIn) -> Iterator[Visitor]:
    provider.reset()
    with Visitor(site, provider) as visitor:
        yield visitor


def attributes(cookie: str) -> set[str]:
    return {attribute.strip().partition("=")[0].lower() for attribute in cookie.split(";")[1:]}


@pytest.mark.covers("S03")
def test_a_login_through_tls_and_below_a_path(site: Site, visitor: Visitor) -> None:
    assert visitor.get("/portal/").text == f"Welcome to {site.url}/"
    to_login = visitor.get("/portal/desk")
    assert (to_login.status_code, to_login.headers["Location"]) == (302, "/portal/cobot/login?next=/portal/desk")

    begun = visitor.begin("/portal/desk")

    asked = parse_qs(urlsplit(begun.headers["Location"]).query)
    assert asked["redirect_uri"] == [f"{site.url}/cobot/callback"]
    cookie = begun.headers["Set-Cookie"]
    assert cookie.startswith("__Host-cobot_oidc_")
    assert "path=/;" in f"{cookie};".lower()
    assert {"secure", "httponly", "samesite", "max-age"} <= attributes(cookie)
    assert "domain" not in attributes(cookie)

    ended = visitor.get(visitor.signed_in(begun))
    assert (ended.status_code, ended.headers["Location"]) == (303, "/portal/desk")
    [session] = [each for each in ended.raw.headers.getlist("Set-Cookie") if each.startswith("session=")]
    assert {"secure", "httponly"} <= attributes(session)
    assert visitor.get("/portal/desk").text == "Hello Ada Lovelace"


def test_a_script_gets_401_and_a_problem_document(visitor: Visitor) -> None:
    answer = visitor.get("/portal/desk", **{"Accept": "application/json", "Sec-Fetch-Mode": "cors"})

    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")
    assert answer.json()["code"] == "login_required"
    assert answer.json()["login_url"].startswith("/portal/cobot/login")


def test_a_logout_is_a_post_of_our_own_origin(visitor: Visitor) -> None:
    visitor.log_in("/portal/desk", "nina")

    assert visitor.get("/portal/cobot/logout").status_code == 405
    assert visitor.post("/portal/cobot/logout", Origin="https://evil.example").status_code == 403
    assert visitor.get("/portal/desk").status_code == 200

    answer = visitor.post("/portal/cobot/logout", Origin=visitor.origin)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/portal/cobot/logged-out")
    assert visitor.get("/portal/cobot/logged-out").status_code == 200
    assert visitor.get("/portal/desk").status_code == 302


@pytest.mark.covers("R06")
@pytest.mark.requirement("RFC9700-4.13-1")
def test_what_a_stranger_says_about_the_way_here_is_not_believed(site: Site, visitor: Visitor) -> None:
    lies = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "X-Forwarded-Prefix": "/evil"}
    lies |= {"X-Forwarded-For": "192.0.2.1", "Forwarded": "host=evil.example;proto=http", "X-Script-Name": "/evil"}

    assert visitor.get("/portal/desk", **lies).headers["Location"] == "/portal/cobot/login?next=/portal/desk"
    begun = visitor.get("/portal/cobot/login?next=/portal/desk", **lies)

    asked = parse_qs(urlsplit(begun.headers["Location"]).query)
    assert asked["redirect_uri"] == [f"{site.url}/cobot/callback"]
    assert begun.headers["Set-Cookie"].startswith("__Host-cobot_oidc_")


@pytest.mark.covers("F07", "S06")
def test_the_largest_session_and_five_logins_under_way_fit_through(visitor: Visitor, provider: StandIn) -> None:
    name = characters("村", 620)
    provider.alter("id_token_claims", {"name": name, "picture": "https://pictures.example/" + characters("A", 900)})
    assert visitor.log_in("/portal/desk", "haruki").text == f"Hello {name}"
    path = "/portal/desk?x=1"

    waiting = [visitor.begin(f"/portal/cobot/login?next={path}") for _ in range(5)]

    sizes = {cookie.name: len(cookie.name) + len(cookie.value or "") for cookie in visitor.http.cookies}
    assert 3400 < sizes["session"] <= 4096
    assert sum(sizes.values()) > 5000
    assert visitor.get("/portal/desk").text == f"Hello {name}"
    ended = visitor.get(visitor.signed_in(waiting[-1], "haruki"))
    assert (ended.status_code, ended.headers["Location"]) == (303, path)


def characters(first: str, number: int) -> str:
    """Text that no compression makes much shorter: letters from the first one on."""
    noise = b"".join(sha256(bytes([place])).digest() for place in range(200))
    most = 26 if first.isascii() else 8192
    values = (int.from_bytes(noise[at : at + 2]) for at in range(0, 2 * number, 2))
    return "".join(chr(ord(first) + value % most) for value in values)


@pytest.mark.covers("K20")
@pytest.mark.parametrize("heading", ["gunicorn with threads", "gunicorn with gevent", "uWSGI"])
def test_workers_that_were_forked_from_a_warmed_master_log_people_in(
    heading: str, provider: StandIn, tmp_path: Path
) -> None:
    provider.reset()
    (tmp_path / "warmed.py").write_text(WARMED)
    with serving(heading, provider, tmp_path, program_of(heading), loads="warmed") as site, ExitStack() as stack:
        visitors = [stack.enter_context(Visitor(site, provider)) for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            pages = list(pool.map(lambda visitor: visitor.log_in("/portal/desk").text, visitors))

        assert (tmp_path / "loaded").read_text() == "once", "by the master"
        assert provider.asked("/oauth/access_token") == 9, "it has spoken with the provider before it forked"
        assert pages == ["Hello Ada Lovelace"] * 8
    nothing_leaked(site, provider)


@pytest.mark.covers("N12")
def test_a_slow_provider_stops_no_other_greenlet(provider: StandIn, tmp_path: Path) -> None:
    heading = "gunicorn with gevent"
    provider.reset()
    with (
        serving(heading, provider, tmp_path, program_of(heading), workers=1) as site,
        ExitStack() as stack,
        ThreadPoolExecutor(4) as pool,
    ):
        visitors = [stack.enter_context(Visitor(site, provider)) for _ in range(4)]
        callbacks = [visitor.signed_in(visitor.begin("/portal/desk")) for visitor in visitors]
        other = stack.enter_context(Visitor(site, provider))
        other.get("/portal/")
        provider.reply("token", delay=SLOW)
        began = time.monotonic()
        logins = [pool.submit(partial(each.get, url)) for each, url in zip(visitors, callbacks, strict=True)]
        pages = 0
        while not any(login.done() for login in logins):
            assert other.get("/portal/").status_code == 200
            pages += 1

        assert [login.result().status_code for login in logins] == [303] * 4
        assert time.monotonic() - began < 3 * SLOW, "all four waited at the same time"
        assert pages > 5, "and nobody else waited for them"
    nothing_leaked(site, provider)


@pytest.mark.requirement("RFC9700-4.13-2")
@pytest.mark.parametrize("heading", recipes.BEHIND_NGINX)
def test_only_nginx_can_reach_the_app(heading: str) -> None:
    text = "".join(block.code for block in recipes.blocks(heading))

    assert re.findall(r"[\w.*]+:\d{4}", text) == ["127.0.0.1:8000"]


def test_every_section_of_the_page_is_tested() -> None:
    page = recipes.PAGE.read_text(encoding="utf-8")
    headings = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]

    assert headings == [recipes.APP, recipes.NGINX, *recipes.EVERYWHERE]
