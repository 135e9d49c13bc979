"""What every test may use: a clock that stands still, a stand-in Cobot, and portals with people in front of them."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from flask import Flask, jsonify
from werkzeug.test import TestResponse

from cobot_oidc import (
    CobotOIDC,
    CobotOIDCError,
    current_space,
    current_user,
    from_view_arg,
    login_failed,
    login_required,
    testing,
)
from cobot_oidc.standin import StandIn
from cobot_oidc.testing import BrowserClient

from .leaks import nothing_leaks
from .patience import background_work_ends
from .redis_server import RedisServer

if TYPE_CHECKING:
    from playwright import sync_api


# A shell lets its background jobs ignore Ctrl-C, and programs that tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def needed_program(name: str, variable: str) -> str:
    """The path of a program that pip cannot bring, as ``make test`` found it.

    Without it the test is left out, and pytest's last lines say so; with ``REQUIRE_ALL=1`` it fails.
    """
    path = os.environ.get(variable, "")
    if not path:
        leave_out(f"no {name} was found or could be installed")
    return path


def leave_out(reason: str) -> NoReturn:
    """Leave the test out, as this machine cannot run it; with ``REQUIRE_ALL=1`` it fails."""
    leave = pytest.fail if os.environ.get("COBOT_OIDC_TEST_REQUIRE_ALL") == "1" else pytest.skip
    leave(f"left out: {reason}")


CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def playwright() -> Iterator["sync_api.Playwright"]:
    """Drives browsers; a process can have one of it."""
    from playwright.sync_api import expect, sync_playwright  # most tests need no browser, and should not wait for it

    expect.set_options(timeout=30_000)  # as long as Playwright waits elsewhere: CI machines may be busy
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright: "sync_api.Playwright") -> Iterator["sync_api.Browser"]:
    """Headless Chromium; left out where the machine has none, unless nothing may be left out."""
    path = needed_program("Chromium", "COBOT_OIDC_TEST_BROWSER")
    browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
    yield browser
    browser.close()


SECRET_KEY = "k" * 32
CALLBACK = "http://localhost/cobot/callback"


@dataclass
class Clock:
    """Seconds since the epoch, moved by hand."""

    now: float = 1_800_000_000

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += seconds


_clock = Clock()


@pytest.fixture
def clock() -> Clock:
    """The clock of the stand-in and of every portal."""
    return _clock


@pytest.fixture(scope="session")
def _running() -> Iterator[StandIn]:
    with StandIn(clock=_clock) as stand_in:
        yield stand_in


@pytest.fixture
def unwatched_cobot(_running: StandIn) -> StandIn:
    """The stand-in Cobot, as new, with one client for portals at ``http://localhost``."""
    background_work_ends("cobot-oidc-fetch")  # an earlier test's, which would be counted here
    _clock.now = Clock.now
    _running.reset()
    _running.register_client("portal", secret="s3cret-of-the-portal", redirect_uri=CALLBACK, name="Portal")
    return _running


@pytest.fixture
def cobot(unwatched_cobot: StandIn) -> Iterator[StandIn]:
    """The stand-in, and a watch for its secrets around the test."""
    with nothing_leaks(unwatched_cobot, SECRET_KEY):
        yield unwatched_cobot


@pytest.fixture
def login_failures() -> Iterator[list[CobotOIDCError]]:
    """What ``login_failed`` tells the apps of this test, the earliest first."""
    errors: list[CobotOIDCError] = []

    def note(_app: Flask, error: CobotOIDCError) -> None:
        errors.append(error)

    with login_failed.connected_to(note):
        yield errors


@pytest.fixture
def live_cobot() -> Iterator[StandIn]:
    """A stand-in with a clock that runs, as browsers have one too."""
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
def settings(cobot: StandIn) -> dict[str, Any]:
    """A configuration that fits the stand-in."""
    return {
        "TESTING": True,
        "SECRET_KEY": SECRET_KEY,
        "COBOT_OIDC_CLIENT_ID": "portal",
        "COBOT_OIDC_CLIENT_SECRET": "s3cret-of-the-portal",
        "COBOT_OIDC_ISSUER": cobot.issuer,
        "COBOT_OIDC_SPACE_ISSUER": cobot.space_issuer_template,
        "COBOT_OIDC_SPACES": "*",
    }


MakePortal = Callable[..., Flask]


@pytest.fixture
def make_portal(settings: dict[str, Any], clock: Clock) -> MakePortal:
    """Makes a portal with a global page, pages for spaces, and a page for one space alone."""

    def make(**changes: Any) -> Flask:
        app = Flask("portal")
        app.config.update(settings | changes)
        CobotOIDC(app, space=from_view_arg("space"), clock=clock)
        add_pages(app)
        return app

    return make


def add_pages(app: Flask) -> None:
    """Pages that tell who is seen on them."""

    def who(space: str | None = None) -> Any:
        del space  # the extension reads it from the rule
        return jsonify(
            user=current_user.get_id(),
            claims=dict(current_user.claims),
            space=current_space(),
        )

    app.add_url_rule("/", "open", who)
    app.add_url_rule("/desk", "desk", login_required(who))
    app.add_url_rule("/<space>/open", "space_open", who)
    app.add_url_rule("/<space>/desk", "space_desk", login_required(who))
    app.add_url_rule("/board", "board", login_required(space="co-up")(who))


Browser = BrowserClient


class Visitor(testing.Visitor):
    """Somebody with a browser, as apps have one in their tests, and a few more questions."""

    def log_in(self, path: str = "/desk", person: str = "ada") -> TestResponse:
        return super().log_in(path, person)

    def get_with(self, cookie: str, path: str, **headers: str) -> TestResponse:
        """A page, asked for with this very ``Cookie`` header and no other."""
        client = self.browser.application.test_client(use_cookies=False)
        return client.get(path, headers={"Cookie": cookie, **headers})

    def at_cobot(self, url: str) -> Any:
        """A page of the stand-in, with the browser that is logged in there."""
        return self._at_cobot.get(url)

    def sees(self, path: str) -> Any:
        """The user that an open page shows, ``None`` for nobody."""
        response = self.browser.get(path)
        return response.json["user"] if response.json else None


@pytest.fixture
def portal(make_portal: MakePortal) -> Flask:
    """A portal as the README describes it."""
    return make_portal()


@pytest.fixture
def visitor(portal: Flask, cobot: StandIn) -> Visitor:
    """Somebody in front of the portal."""
    return Visitor(portal, cobot)


@pytest.fixture(scope="session")
def _redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    program = needed_program("redis-server", "COBOT_OIDC_TEST_REDIS_SERVER")
    with RedisServer(program, tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis(_redis: RedisServer) -> RedisServer:
    """A real Redis of the tests' own, running, in memory, and empty."""
    _redis.start()
    _redis.empty()
    return _redis
