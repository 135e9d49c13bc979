"""What a page view of somebody who is logged in costs, and how large their cookie is; Flask and its session is 1.0.

A WSGI loop without a server, medians of interleaved rounds in one run, in processor time: what else the machine does
costs less that way. The order changes, as the processor has the code of the one before at hand. A page of ours asks
nobody and sets no cookie.
"""

import gc
import random
import socket
import statistics
import sys
import time
from typing import Any

from benchmarks.apps import CONTESTANTS, Contestant
from benchmarks.tables import PAGE_VIEW

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 100
CALLS = 100  # in a round


def main() -> None:
    """Measure, and print one table."""
    contestants = {name: make() for name, make in CONTESTANTS.items()}
    cookies = {name: _cookie(contestant) for name, contestant in contestants.items()}
    socket.socket.connect = _refuse  # type: ignore[method-assign] # a page view asks no provider
    gc.collect()
    gc.freeze()  # what everybody imported is not looked through again on one's time
    times: dict[str, list[float]] = {name: [] for name in contestants}
    order = list(contestants)
    for _ in range(ROUNDS + 1):  # the first one warms up
        random.shuffle(order)
        for name in order:
            times[name].append(_seconds(contestants[name], cookies[name], name))
    medians = {name: statistics.median(measured[1:]) for name, measured in times.items()}
    base = medians["Flask and its session"]
    print(
        PAGE_VIEW.filled(
            [name, f"{median / base:.2f}", f"{median / CALLS * 1e6:.0f}", len(cookies[name])]
            for name, median in medians.items()
        )
    )


def _cookie(contestant: Contestant) -> str:
    serializer: Any = contestant.app.session_interface.get_signing_serializer(contestant.app)  # type: ignore[attr-defined]
    return f"session={serializer.dumps(contestant.session)}"


def _seconds(contestant: Contestant, cookie: str, name: str) -> float:
    answers: list[list[tuple[str, str]]] = []
    app: Any = contestant.app

    def start_response(_status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
        answers.append(headers)

    start = time.thread_time()
    for _ in range(CALLS):
        body = app(_environ(cookie), start_response)
        page = b"".join(body)
        body.close()
    seconds = time.thread_time() - start
    assert page == b"Hello Ada Lovelace", (name, page)
    if name == "cobot_oidc":
        assert not any(header == "Set-Cookie" for headers in answers for header, _ in headers)
    return seconds


def _environ(cookie: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
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


if __name__ == "__main__":
    main()
