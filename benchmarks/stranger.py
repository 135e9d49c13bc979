"""A stranger's worst minute: what their requests cost those who log in and look around meanwhile.

``python -m benchmarks.stranger [SECONDS]``, so many for each attack, runs one gunicorn worker of 16 threads. Honest are
four people who log in again and again and look at pages; a page counts if it is answered within half a second.
"""

import os
import re
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from benchmarks.tables import STRANGER
from cobot_oidc.standin import StandIn
from tests.workers.fleet import Fleet, Member

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 10
HONEST, LOOPS, CLIENTS, INVENTED = 4, 12, 24, 1100
PROMPT = 0.5  # seconds

later: list[float] = []  # seconds that have passed for everybody


def clock() -> float:
    """The provider's time."""
    return time.time() + sum(later)


Attack = Callable[["Minute"], None]


class Minute:
    """One attack, the people who are there meanwhile, and what becomes of them."""

    def __init__(self, fleet: Fleet, cobot: StandIn) -> None:
        self.fleet, self.cobot = fleet, cobot
        self.over = threading.Event()
        self.ended_well = self.logins = self.prompt = self.pages = 0
        self._lock = threading.Lock()

    def endure(self, attack: Attack, strangers: int, *, logs_in: bool) -> None:
        """Let so many strangers attack while honest people log in, or only look at pages."""
        with ThreadPoolExecutor(strangers + HONEST) as pool:
            for _ in range(strangers):
                pool.submit(self._repeat, lambda: attack(self))
            people = [pool.submit(self._repeat, self.log_in if logs_in else self.look) for _ in range(HONEST)]
            self.over.wait(SECONDS)
            self.over.set()
            for person in people:
                person.result()

    def _repeat(self, what: Callable[[], object]) -> None:
        while not self.over.is_set():
            what()

    def log_in(self) -> None:
        """Somebody logs in, and looks at a page."""
        with Member(self.fleet, self.cobot) as member:
            try:
                ended_well = member.log_in("co-up").status_code == 303
            except (requests.RequestException, RuntimeError, KeyError):
                ended_well = False
        with self._lock:
            self.logins += 1
            self.ended_well += ended_well
        self.look()

    def look(self) -> None:
        """Somebody looks at a page that needs no login."""
        with Member(self.fleet, self.cobot) as member:
            member.get("/")
        with self._lock:
            self.pages += 1
            self.prompt += member.slowest <= PROMPT
        self.over.wait(0.02)


def nothing(minute: Minute) -> None:
    """No attack, to compare with."""
    minute.over.wait(1)


def junk_code(minute: Minute) -> None:
    """Begin a login, and answer it with a code that nobody issued."""
    with Member(minute.fleet, minute.cobot) as stranger:
        begun = stranger.begin("co-up").headers.get("Location", "")
        if state := re.search(r"state=([^&]+)", begun):
            stranger.get(f"/cobot/callback?code=junk&state={state[1]}")


def rare_junk_code(minute: Minute) -> None:
    """The same now and then, of which the provider falls over."""
    minute.cobot.reply("token", status=500, times=1)
    junk_code(minute)
    minute.over.wait(1)


def ask_for(space: str) -> Attack:
    """Ask for a login there, again and again."""

    def attack(minute: Minute) -> None:
        with Member(minute.fleet, minute.cobot) as stranger:
            stranger.get(f"/cobot/login?space={space}")

    return attack


@contextmanager
def hanging_issuer() -> Iterator[str]:
    """The URL of a provider that accepts connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def row(name: str, minute: Minute, asked: int) -> list[object]:
    def share(part: int, whole: int) -> str:
        return f"{100 * part / whole:.0f} %" if whole else ""

    return [name, minute.logins, share(minute.ended_well, minute.logins), share(minute.prompt, minute.pages), asked]


def run(cobot: StandIn, folder: Path, own: dict[str, Any]) -> Iterator[list[object]]:
    """Each attack in turn, each against a new worker."""
    attacks: list[tuple[str, Attack, int, bool, float]] = [
        ("nobody attacks", nothing, 1, True, 0),
        ("junk codes of which the provider falls over", rare_junk_code, 5, True, 0),
        ("12 loops of junk codes, each answered after 0.3 s", junk_code, LOOPS, True, 0.3),
        ("24 clients at a space whose issuer hangs", ask_for("shed"), CLIENTS, False, 0),
    ]
    for name, attack, strangers, logs_in, delay in attacks:
        cobot.reset()
        with Fleet(cobot, folder, workers=1, threads=16, **own) as fleet:
            minute = Minute(fleet, cobot)
            minute.log_in()  # the worker knows its provider
            minute.logins = minute.ended_well = minute.pages = minute.prompt = 0
            cobot.reply("token", delay=delay)
            asked = len(cobot.requests)
            minute.endure(attack, strangers, logs_in=logs_in)
            yield row(name, minute, len(cobot.requests) - asked)
    yield invented_spaces(cobot, folder, own)


def invented_spaces(cobot: StandIn, folder: Path, own: dict[str, Any]) -> list[object]:
    """A stranger asks for 1 100 spaces that nobody has; an hour later the provider is down for a while."""
    cobot.reset()
    now = time.time()
    with Fleet(cobot, folder, now=now, workers=1, threads=16, **own) as fleet:
        minute = Minute(fleet, cobot)
        minute.log_in()
        asked = len(cobot.requests)
        with Member(fleet, cobot) as stranger:
            for number in range(INVENTED):
                stranger.get(f"/cobot/login?space=invented-{number}")
        asked = len(cobot.requests) - asked
        later.append(3700)
        fleet.tell_time(now + 3700)
        cobot.reply("metadata", status=503)
        minute.logins = minute.ended_well = 0
        for _ in range(10):
            minute.log_in()
    return row("1 100 invented spaces, and an outage an hour later", minute, asked)


def main() -> None:
    """Measure, and print one table."""
    os.environ["PORTAL_LOG_LEVEL"] = "ERROR"
    with tempfile.TemporaryDirectory() as folder, StandIn(clock=clock) as cobot, hanging_issuer() as hanging:
        own = {
            "SPACES": "*",
            "SPACE_ISSUERS": {"shed": {"issuer": hanging, "client_id": "shed", "client_secret": "of-the-shed"}},
        }
        print(STRANGER.filled(run(cobot, Path(folder), own)))


if __name__ == "__main__":
    main()
