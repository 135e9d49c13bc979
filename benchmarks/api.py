"""What Cobot's API costs through us: its limit of requests, lists of many pages, and guards that know who is a member.

``python -m benchmarks.api [ROUNDS]``. The first table takes three minutes, as the limit is the real one: 60 a minute.
Needs a ``redis-server``.
"""

import gc
import json
import multiprocessing
import os
import shutil
import socket
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import requests
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from benchmarks.apps import CLAIMS, SUBJECT, new_app
from benchmarks.tables import API_LIMIT, API_MEMBERSHIP, API_PAGES
from cobot_oidc import CobotAPI, CobotOIDC, User, current_user, from_view_arg, login_required, membership_required
from cobot_oidc.identity import tokens
from cobot_oidc.identity.stored import KEY, Identity, Kept
from cobot_oidc.identity.user import Membership, Standing
from cobot_oidc.standin import StandIn
from tests.redis_server import RedisServer

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 25
CALLS, PROCESSES, A_MINUTE = 200, 4, 60
PAGES, ON_A_PAGE = 10, 200
VIEWS, SLICES = 20, 20  # in a slice, and slices in a round: a busy machine disturbs few of them
FORK = multiprocessing.get_context("fork")


def main() -> None:
    """Measure, and print three tables."""
    print(API_MEMBERSHIP.filled(membership_rows()))
    print()
    print(API_PAGES.filled(pages_rows()))
    print()
    print(API_LIMIT.filled(limit_rows()))


# --- A page that only members may see


def membership_rows() -> Iterator[list[object]]:
    """The same page behind both guards, for the same session: the answer about the membership is remembered."""
    app, cookie = app_for_members()
    connect, socket.socket.connect = socket.socket.connect, _refuse  # type: ignore[method-assign] # nobody is asked
    gc.collect()
    gc.freeze()
    times: dict[str, list[float]] = {"login_required": [], "membership_required": []}
    for number in range((ROUNDS + 1) * SLICES):  # the first round warms up
        for name in sorted(times, reverse=number % 2 == 0):
            times[name].append(_seconds_of_views(app, f"/co-up/{name}", cookie))
    gc.unfreeze()
    socket.socket.connect = connect  # type: ignore[method-assign]
    medians = {name: statistics.median(measured[SLICES:]) for name, measured in times.items()}
    for name, median in medians.items():
        yield [name, f"{median / medians['login_required']:.3f}", f"{median / VIEWS * 1e6:.1f}"]


def app_for_members() -> tuple[Flask, str]:
    """An app that keeps tokens and asks for memberships, and the cookie of a member who has just logged in."""
    app = new_app(COBOT_OIDC_CLIENT_ID="portal", COBOT_OIDC_MEMBERSHIP=True, COBOT_OIDC_KEEP_TOKEN=True)
    app.config.update(COBOT_OIDC_SPACES="*")
    CobotOIDC(app, space=from_view_arg("space"))

    def page(space: str) -> str:
        del space
        return f"Hello {current_user.name}"

    app.add_url_rule("/<space>/login_required", "login", login_required(page))
    app.add_url_rule("/<space>/membership_required", "membership", membership_required(page))
    installed, now = app.extensions["cobot_oidc"], int(time.time())
    issuer = installed.settings.issuers.issuer_of("co-up")
    claims = {name: CLAIMS[name] for name in ("name", "email")}
    user = User(issuer, SUBJECT, "co-up", claims, now)
    with app.test_request_context():
        token = tokens.keep("a" * 64, user)
    standing = Standing(Membership("6f9d2c1b0a8e47d3b5c4", "co-up"), False, now)
    kept = Kept.of("co-up", token=token, standing=standing, granted=(), declined=(), cobot_id=None)
    session = {KEY + issuer: Identity(user, kept=kept).stored(installed.terms)}
    interface = app.session_interface
    assert isinstance(interface, SecureCookieSessionInterface)
    serializer: Any = interface.get_signing_serializer(app)
    return app, f"session={serializer.dumps(session)}"


def _seconds_of_views(app: Flask, path: str, cookie: str) -> float:
    wsgi: Any = app
    statuses: list[str] = []

    def start_response(status: str, _headers: list[tuple[str, str]], _error: object = None) -> None:
        statuses.append(status)

    began = time.perf_counter()
    for _ in range(VIEWS):
        body = wsgi(_environ(path, cookie), start_response)
        page = b"".join(body)
        body.close()
    seconds = time.perf_counter() - began
    assert (page, set(statuses)) == (b"Hello Ada Lovelace", {"200 OK"}), (page, statuses[0])
    return seconds


def _environ(path: str, cookie: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "HTTP_COOKIE": cookie,
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.input": sys.stdin.buffer,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def _refuse(*_: Any) -> None:
    raise AssertionError("a page view opens a connection")


# --- A list of many pages


def pages_rows() -> Iterator[list[object]]:
    """Bookings as the stand-in lists them, from a server that keeps connections and does nothing else."""
    documents = list_of_bookings()
    near, far = (compared(documents, delay) for delay in (0, 0.02))
    for name in near:
        ratios = [each[name].seconds / each["requests"].seconds for each in (near, far)]
        assert near[name].connections == far[name].connections
        yield [
            name,
            f"{ratios[0]:.2f}",
            f"{near[name].seconds * 1e3:.1f}",
            f"{ratios[1]:.2f}",
            f"{far[name].seconds * 1e3:.1f}",
            near[name].connections,
            f"{near[name].memory:.2f}",
        ]


def list_of_bookings() -> list[bytes]:
    """What API 2 answers, page by page; its address is ``http://api``."""
    with StandIn() as cobot:
        cobot.register_client("portal", secret=None, redirect_uri="http://localhost/cobot/callback")
        for bookings in [space.bookings for space in map(cobot.world.of, cobot.spaces)]:
            bookings.clear()
        cobot.add_bookings("co-up", person="grace", count=PAGES * ON_A_PAGE)
        headers = {
            "Authorization": f"Bearer {cobot.issue_token('grace', 'read_bookings')}",
            "Host": cobot.api.removeprefix("http://"),
        }
        documents = []
        for number in range(1, PAGES + 1):
            address = f"http://127.0.0.1:{cobot.port}/bookings?page[size]={ON_A_PAGE}&page[number]={number}"
            document = requests.get(address, headers=headers, timeout=10).content
            assert len(json.loads(document)["data"]) == ON_A_PAGE
            documents.append(document.replace(cobot.api.encode(), b"http://api"))
    return documents


class Measured(NamedTuple):
    """What one way to read the list took: seconds (a median), connections, and peak memory as multiple of one page."""

    seconds: float
    connections: int
    memory: float


def compared(documents: list[bytes], delay: float) -> dict[str, Measured]:
    """Read all pages through us and with requests alone, in interleaved rounds."""
    with served(documents, delay) as (url, connections):
        app = new_app(COBOT_OIDC_CLIENT_ID="portal", COBOT_OIDC_API_URL=url, COBOT_OIDC_API_LIMIT="999999 per minute")
        CobotOIDC(app)
        with app.app_context():
            api = CobotAPI("a" * 64, user="grace")
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {'a' * 64}"

        def plain(pages: int = PAGES) -> int:
            count, address = 0, f"{url}/bookings?page[size]={ON_A_PAGE}"
            for _ in range(pages):
                document = session.get(address, timeout=10).json()
                count += len(document["data"])
                address = document["links"].get("next")
            return count

        def ours(pages: int = PAGES) -> int:
            count = 0
            for _ in api.pages("/bookings", page_size=ON_A_PAGE):
                count += 1
                if count == pages * ON_A_PAGE:
                    break
            return count

        ways: dict[str, Callable[..., int]] = {"requests": plain, "cobot_oidc": ours}
        times: dict[str, list[float]] = {name: [] for name in ways}
        opened = {}
        for name, read in ways.items():
            before = connections()
            assert read() == PAGES * ON_A_PAGE
            opened[name] = connections() - before
        total = connections()
        gc.collect()
        gc.freeze()
        for number in range(ROUNDS):
            for name in sorted(ways, reverse=number % 2 == 0):
                began = time.perf_counter()
                ways[name]()
                times[name].append(time.perf_counter() - began)
        gc.unfreeze()
        assert connections() == total  # they are kept
        memory = {name: _peak(read, PAGES) / _peak(read, 1) for name, read in ways.items()}
    return {name: Measured(statistics.median(times[name]), opened[name], memory[name]) for name in ways}


def _peak(read: Callable[[int], int], pages: int) -> int:
    gc.collect()
    tracemalloc.start()
    read(pages)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@contextmanager
def served(documents: list[bytes], delay: float) -> Iterator[tuple[str, Callable[[], int]]]:
    """A process that answers with these pages, each after so many seconds: its URL, and how many connections it had."""
    connections = FORK.Value("l", 0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://localhost:{listener.getsockname()[1]}"
        pages = [document.replace(b"http://api", url.encode()) for document in documents]
        server = FORK.Process(target=_serve, args=(listener, pages, delay, connections), daemon=True)
        server.start()
        try:
            yield url, lambda: connections.value
        finally:
            server.terminate()
            server.join()


def _serve(listener: socket.socket, pages: list[bytes], delay: float, connections: Any) -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet
        disable_nagle_algorithm = True

        def setup(self) -> None:
            connections.value += 1
            super().setup()

        def do_GET(self) -> None:
            time.sleep(delay)
            number = self.path.replace("%5B", "[").replace("%5D", "]").partition("page[number]=")[2].partition("&")[0]
            body = pages[int(number or 1) - 1]
            self.send_response(200)
            self.send_header("Content-Type", "application/vnd.api+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(listener.getsockname(), Handler, bind_and_activate=False)
    server.socket = listener
    server.serve_forever()


# --- The limit of requests


def limit_rows() -> Iterator[list[object]]:
    """All calls of one user from several processes, which share a Redis, at Cobot's own limit."""
    program = os.environ.get("REDIS_SERVER") or shutil.which("redis-server")
    if program is None:
        sys.exit("api: no redis-server was found or could be installed")
    with tempfile.TemporaryDirectory() as folder, RedisServer(program, Path(folder)) as redis, StandIn() as cobot:
        redis.start()
        cobot.register_client("portal", secret=None, redirect_uri="http://localhost/cobot/callback")
        cobot.limit(calls=A_MINUTE, seconds=60)
        config = {
            "COBOT_OIDC_CLIENT_ID": "portal",
            "COBOT_OIDC_ISSUER": cobot.issuer,
            "COBOT_OIDC_SPACE_ISSUER": cobot.space_issuer_template,
            "COBOT_OIDC_SPACES": "*",
            "COBOT_OIDC_API_URL": cobot.api,
            "COBOT_OIDC_REDIS_URL": redis.url,
        }
        answered, ready = FORK.Queue(), FORK.Barrier(PROCESSES)
        callers = [
            FORK.Process(target=_call, args=(config, cobot.issue_token("grace", "read_user"), ready, answered))
            for _ in range(PROCESSES)
        ]
        began = time.perf_counter()
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        seconds = time.perf_counter() - began
        allowed = (CALLS - 1) // A_MINUTE * 60  # seconds until the last one may be made
        count = sum(answered.get() for _ in callers)
        yield ["cobot_oidc", PROCESSES, count, cobot.refused_for_limit, f"{seconds / allowed:.3f}"]


def _call(config: dict[str, Any], token: str, ready: Any, answered: Any) -> None:
    app = new_app(**config)
    CobotOIDC(app)
    with app.app_context():
        api = CobotAPI(token, space="co-up", user="grace", longest_wait=600)
    ready.wait(60)
    count = 0
    for _ in range(CALLS // PROCESSES):
        count += api.get("/api/user")["id"] is not None
    answered.put(count)


if __name__ == "__main__":
    main()
