"""How many pages a second one gunicorn worker serves to people who are logged in; Flask and its session is 1.0.

Real HTTP on kept connections, medians of interleaved rounds in one run. The load comes from a process of its own.
"""

import http.client
import multiprocessing
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask.sessions import SecureCookieSessionInterface

from benchmarks.apps import CONTESTANTS
from benchmarks.tables import GUNICORN_PAGES

NAMES = ("Flask and its session", "a check by hand", "Flask-Login", "cobot_oidc")
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 9
SECONDS = 1.0  # of each round
CONNECTIONS = 2


def cookie(name: str) -> str:
    """The session of somebody who is logged in."""
    contestant = CONTESTANTS[name]()
    interface = contestant.app.session_interface
    assert isinstance(interface, SecureCookieSessionInterface)
    serializer: Any = interface.get_signing_serializer(contestant.app)
    return f"session={serializer.dumps(contestant.session)}"


@contextmanager
def served(name: str) -> Iterator[int]:
    """One worker with one app; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"]
    command += ["--threads", str(CONNECTIONS), f"benchmarks.apps:app_of({name!r})"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:  # noqa: S603 - our own apps
        try:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                with socket.socket() as connection:
                    if connection.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield port
        finally:
            server.terminate()


def load(port: int, header: str, answered: Any) -> None:
    """Ask for the page until the time is over, and count."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    ends, pages = time.perf_counter() + SECONDS, 0
    while time.perf_counter() < ends:
        connection.request("GET", "/", headers={"Cookie": header})
        answer = connection.getresponse()
        assert answer.read() == b"Hello Ada Lovelace", answer.status
        pages += 1
    answered.put(pages)


def warm_up(port: int, header: str) -> None:
    """Two pages on one connection: after its first answer, a process of ours imports what logins need."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for _ in range(2):
        connection.request("GET", "/", headers={"Cookie": header})
        connection.getresponse().read()
    connection.close()


def pages_a_second(port: int, header: str) -> float:
    context = multiprocessing.get_context("fork")
    answered = context.Queue()
    browsers = [context.Process(target=load, args=(port, header, answered)) for _ in range(CONNECTIONS)]
    for browser in browsers:
        browser.start()
    for browser in browsers:
        browser.join()
        assert browser.exitcode == 0
    pages: int = sum(answered.get() for _ in browsers)
    return pages / SECONDS


def main() -> None:
    """Measure, and print one table."""
    rates: dict[str, list[float]] = {name: [] for name in NAMES}
    cookies = {name: cookie(name) for name in NAMES}
    for _ in range(ROUNDS):
        for name in NAMES:
            with served(name) as port:
                warm_up(port, cookies[name])
                rates[name].append(pages_a_second(port, cookies[name]))
    medians = {name: statistics.median(measured) for name, measured in rates.items()}
    base = medians[NAMES[0]]
    print(GUNICORN_PAGES.filled([name, f"{median / base:.2f}", f"{median:.0f}"] for name, median in medians.items()))


if __name__ == "__main__":
    main()
