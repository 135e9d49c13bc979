"""What the example app promises in its headers, and the two programs that run it."""

import os
import signal
import subprocess
import sys
from typing import Any

import pytest
import requests

from cobot_oidc.standin import StandIn
from example_app import create_app

from ..serving import free_port


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    """The portal names its spaces itself."""
    return {key: value for key, value in settings.items() if key != "COBOT_OIDC_SPACES"}


@pytest.fixture
def browser(settings: dict[str, Any]) -> Any:
    return create_app(settings).test_client()


@pytest.mark.parametrize("path", ["/", "/nothing/here", "/atlantis/", "/cobot/callback"])
def test_pages_load_nothing_from_elsewhere(browser: Any, path: str) -> None:
    response = browser.get(path)

    policies = response.headers.getlist("Content-Security-Policy")
    assert "default-src 'none'" in policies[0]
    assert "frame-ancestors " in policies[-1]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert "<script" not in response.text
    assert "style=" not in response.text
    assert "Member portal" in response.text
    assert "https://" not in response.text


def test_cobot_alone_may_show_it_in_a_frame(browser: Any, settings: dict[str, Any]) -> None:
    cobot, co_up = settings["COBOT_OIDC_ISSUER"], settings["COBOT_OIDC_SPACE_ISSUER"].replace("{space}", "co-up")

    for path, ancestors in (("/", cobot), ("/co-up/profile", f"{cobot} {co_up}")):
        assert browser.get(path).headers.getlist("Content-Security-Policy")[-1] == f"frame-ancestors {ancestors}"
    login = browser.get("/cobot/callback?state=x")
    assert login.headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")
    assert login.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(("subdomain", "place"), [("co-up", "/co-up/"), ("betahaus", "/betahaus/"), ("www", None)])
def test_in_a_frame_the_start_page_is_that_of_the_space_around_it(browser: Any, subdomain: str, place: str) -> None:
    framed = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "cross-site"}
    response = browser.get(f"/?cobot_embed=true&cobot_subdomain={subdomain}", headers=framed)

    assert response.location == place


def test_a_program_gets_a_problem_document(browser: Any) -> None:
    response = browser.get("/profile", headers={"Accept": "application/json"})

    assert response.status_code == 401
    assert response.mimetype == "application/problem+json"
    assert response.json["code"] == "login_required"


def test_a_failure_speaks_the_members_language(browser: Any) -> None:
    response = browser.get("/atlantis/", headers={"Accept-Language": "de"})

    assert response.status_code == 404
    assert '<html lang="de">' in response.text
    assert "Diesen Space gibt es hier nicht" in response.text
    assert "Mitgliederportal" in response.text


def test_in_debug_mode_a_failure_tells_the_developer_more(settings: dict[str, Any]) -> None:
    app = create_app(settings)
    assert "cookies_missing" not in app.test_client().get("/cobot/callback?state=x").text

    app.debug = True

    assert "cookies_missing" in app.test_client().get("/cobot/callback?state=x").text


def test_what_flask_refuses_is_a_page_too(browser: Any) -> None:
    response = browser.get("/cobot/logout")

    assert response.status_code == 405
    assert response.headers["Allow"]
    assert "That did not work" in response.text


def test_a_portal_serves_the_spaces_that_its_configuration_names(settings: dict[str, Any]) -> None:
    browser = create_app(settings | {"PORTAL_SPACES": {"nebenan": "Nebenan"}}).test_client()

    assert "Nebenan" in browser.get("/").text
    assert browser.get("/nebenan/").status_code == 302
    assert browser.get("/co-up/").status_code == 404
    assert "serves no space yet" in create_app(settings | {"PORTAL_SPACES": {}}).test_client().get("/").text


@pytest.mark.parametrize(("uri", "secure"), [("https://portal.example/cobot/callback", True), (None, False)])
def test_behind_https_the_session_never_leaves_by_http(settings: dict[str, Any], uri: str | None, secure: bool) -> None:
    app = create_app(settings | ({"COBOT_OIDC_REDIRECT_URI": uri} if uri else {}))

    assert app.config["SESSION_COOKIE_SECURE"] is secure


def run(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own programs
        [sys.executable, "-m", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | environment,
    )


@pytest.mark.covers("L01")
def test_the_demo_says_where_to_go_and_stops() -> None:
    port = str(free_port())
    with run("example_app", PORT=port, STANDIN_PORT="0") as demo:
        assert demo.stdout is not None
        assert f"http://localhost:{port}/" in demo.stdout.readline()
        hints = ""
        while "Ctrl-C" not in hints:
            hints += demo.stdout.readline()
        assert all(person in hints for person in ("Ada", "Alex", "Grace"))
        requests.get(f"http://localhost:{port}/cobot/callback", params={"code": "a-code", "state": "s"}, timeout=60)
        demo.send_signal(signal.SIGINT)
        rest, _ = demo.communicate(timeout=60)
    assert demo.returncode == 0
    assert "Traceback" not in rest
    assert "a-code" not in rest  # L01


@pytest.mark.parametrize("port", ["http", "-1", "65536", "٥"])
def test_the_demo_says_what_a_port_is(port: str) -> None:
    with run("example_app", PORT=port) as demo:
        said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert said.startswith(f"PORT is '{port}', but has to be")


@pytest.mark.parametrize("variable", ["PORT", "STANDIN_PORT"])
def test_the_demo_says_which_port_is_taken(cobot: StandIn, variable: str) -> None:
    ports = {"PORT": str(free_port()), "STANDIN_PORT": "0"} | {variable: str(cobot.port)}
    with run("example_app", **ports) as demo:
        said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert said.startswith(f"Port {cobot.port} is taken. Choose another: make demo {variable}=")
