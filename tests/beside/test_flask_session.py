"""Flask-Session on a real Redis and on files: new ids at a login, nothing of strangers, and no frames."""

from pathlib import Path
from typing import Any

import pytest
from cachelib import FileSystemCache
from flask import Flask, session
from flask_session import Session
from redis import ConnectionError

from cobot_oidc import CobotOIDC, ConfigurationError
from cobot_oidc.standin import StandIn

from ..conftest import MakePortal, Visitor
from ..redis_server import RedisServer
from .conftest import NAVIGATION, RunPage


def remember_visit() -> str:
    session["visits"] = session.get("visits", 0) + 1
    return str(session["visits"])


@pytest.fixture(params=["Redis", "files"])
def app(request: pytest.FixtureRequest, run_page: RunPage, redis: RedisServer, tmp_path: Path) -> Any:
    """The app of the page: with Redis, or with files in its place."""
    samples = 1 if request.param == "Redis" else 2
    app: Flask = run_page("flask-session", samples, REDIS_URL=redis.url, SESSION_FOLDER=tmp_path).app
    app.add_url_rule("/visit", "visit", remember_visit)
    return app


@pytest.mark.covers("S01", "S09")
def test_a_session_on_the_server_gets_a_new_id(app: Flask, cobot: StandIn) -> None:
    visitor = Visitor(app, cobot)
    visitor.get("/visit")
    before = visitor.browser.get_cookie("session")

    assert visitor.log_in("/desk", "grace").text == "Hello Grace Hopper"

    after = visitor.browser.get_cookie("session")
    assert before is not None
    assert after is not None
    assert after.value != before.value
    assert visitor.get("/visit").text == "2"
    # The old id opens nothing, neither what was there nor what is there now.
    visitor.browser.set_cookie("session", before.value)
    assert visitor.get("/desk", headers=NAVIGATION).status_code == 302
    assert visitor.get("/visit").text == "1"
    visitor.browser.set_cookie("session", after.value)
    visitor.log_out()
    # Unlike a signed cookie, a copy of it is worth nothing after a logout (S09).
    visitor.browser.set_cookie("session", after.value)
    assert visitor.get("/desk", headers=NAVIGATION).status_code == 302


def test_a_stranger_leaves_nothing_on_the_server(run_page: RunPage, redis: RedisServer) -> None:
    app = run_page("flask-session", 1, REDIS_URL=redis.url).app
    client = app.test_client()

    for path in ("/desk", "/cobot/login", "/cobot/callback?state=x", "/cobot/logged-out"):
        client.get(path, headers=NAVIGATION)

    assert redis.keys() == []
    assert client.get_cookie("session") is None


def test_beyond_its_threshold_cachelib_logs_people_out(make_portal: MakePortal, cobot: StandIn, tmp_path: Path) -> None:
    still_logged_in = []
    for threshold in (3, 100_000):
        store = FileSystemCache(str(tmp_path / str(threshold)), threshold=threshold)
        portal = make_portal(SESSION_TYPE="cachelib", SESSION_CACHELIB=store)
        Session(portal)
        visitors = [Visitor(portal, cobot) for _ in range(6)]
        for visitor in visitors:
            visitor.log_in("/desk")
        still_logged_in.append(sum(visitor.sees("/") is not None for visitor in visitors))

    assert still_logged_in[0] < still_logged_in[1] == 6


def test_no_session_is_opened_while_redis_is_away(run_page: RunPage, cobot: StandIn, redis: RedisServer) -> None:
    app = run_page("flask-session", 1, REDIS_URL=redis.url).app
    visitor = Visitor(app, cobot)
    visitor.log_in("/desk")
    cookie = visitor.browser.get_cookie("session")
    assert cookie is not None
    request = app.test_request_context("/desk", headers={"Cookie": f"session={cookie.value}"}).request
    redis.stop()

    with pytest.raises(ConnectionError):
        app.session_interface.open_session(app, request)


@pytest.mark.parametrize("comes_later", [False, True])
def test_an_app_for_frames_keeps_flask_s_own_cookie(
    make_portal: MakePortal, tmp_path: Path, caplog: pytest.LogCaptureFixture, comes_later: bool
) -> None:
    store = {"SESSION_TYPE": "cachelib", "SESSION_CACHELIB": FileSystemCache(str(tmp_path))}
    if comes_later:
        portal = make_portal(COBOT_OIDC_EMBEDDED=True, **store)
        Session(portal)

        assert portal.test_client().get("/").status_code == 500
        assert "COBOT_OIDC_EMBEDDED" in caplog.text
        return
    portal = Flask("portal")
    portal.config.update(make_portal().config, COBOT_OIDC_EMBEDDED=True, **store)
    Session(portal)
    with pytest.raises(ConfigurationError, match="COBOT_OIDC_EMBEDDED"):
        CobotOIDC(portal)
