"""A long day in a short time: people log in and look around while the provider and Redis fail and come back.

``python -m benchmarks.soak [SECONDS]``, so many for each hour, runs two hosts of two gunicorn workers each, and prints
for each hour what became of the logins, and of those who were logged in already. Needs a ``redis-server``.
"""

import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import requests

from benchmarks.tables import SOAK
from cobot_oidc.standin import StandIn
from tests.redis_server import RedisServer
from tests.workers.fleet import Fleet, Member

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 8
RECOVERY = 35  # seconds: the breaker leaves a provider that failed alone for 30
MEMBERS, SPACES = 12, 6
PAGES = 20  # that somebody looks at between two logins


class Hour(NamedTuple):
    """One part of the day: what it is called, what begins with it, and how many seconds it takes."""

    name: str
    begin: Callable[[], object]
    seconds: float = SECONDS


class Tally:
    """What happened in one hour. Safe between threads."""

    def __init__(self) -> None:
        self.logins: Counter[str] = Counter()
        self.pages = self.sessions_lost = 0
        self.slowest = 0.0
        self.lock = threading.Lock()


class Day:
    """The hours, one after the other, and the people in them."""

    def __init__(self, cobot: StandIn, fleet: Fleet, redis: RedisServer) -> None:
        self._cobot, self._fleet, self._redis = cobot, fleet, redis
        self.tallies: list[tuple[str, Tally, int]] = []
        self._now = Tally()
        self._over = False
        self._hours = [
            Hour("all is well", lambda: None),
            Hour("keys rotate", cobot.keys.rotate),
            Hour("the provider hangs", lambda: cobot.reply("token", delay=5)),
            Hour("it is back", self._reset, RECOVERY),
            Hour("the provider is gone", cobot.stop),
            Hour("it is back", cobot.start, RECOVERY),
            Hour("Redis hangs", redis.hang),
            Hour("Redis is gone", self._stop_redis),
            Hour("Redis is back", redis.start),
        ]

    def run(self) -> None:
        """All hours, one after the other."""
        with ThreadPoolExecutor(MEMBERS) as people:
            visits = [people.submit(self._visit, number) for number in range(MEMBERS)]
            for hour in self._hours:
                asked = len(self._cobot.requests)
                self._now = tally = Tally()
                hour.begin()
                time.sleep(hour.seconds)
                self.tallies.append((hour.name, tally, max(0, len(self._cobot.requests) - asked)))
            self._over = True
            for visit in visits:
                visit.result()

    def _reset(self) -> None:
        self._cobot.reset()
        open_spaces(self._cobot)

    def _stop_redis(self) -> None:
        self._redis.go_on()
        self._redis.stop()

    def _visit(self, number: int) -> None:
        """Somebody logs in, looks around, logs in at the next space, and is never seen as nobody."""
        chance = random.Random(number)  # noqa: S311 - the same day each time
        with Member(self._fleet, self._cobot, chance.choice(["ada", "grace", "nina"])) as member:
            logged_in: set[str] = set()
            while not self._over:
                space = f"space-{chance.randrange(SPACES)}"
                if self._logs_in(member, space):
                    logged_in.add(space)
                for seen in chance.choices(sorted(logged_in), k=PAGES) if logged_in else []:
                    self._looks(member, seen)

    def _logs_in(self, member: Member, space: str) -> bool:
        tally, member.slowest = self._now, 0.0
        try:
            status = str(member.log_in(space).status_code)
        except (requests.RequestException, RuntimeError):
            status = "provider's page"  # where the person signs in: not ours
        with tally.lock:
            tally.logins[status] += 1
            tally.slowest = max(tally.slowest, member.slowest)
        return status == "303"

    def _looks(self, member: Member, space: str) -> None:
        tally, member.slowest = self._now, 0.0
        seen = member.sees(space)
        with tally.lock:
            tally.pages += 1
            tally.sessions_lost += not seen
            tally.slowest = max(tally.slowest, member.slowest)


def open_spaces(cobot: StandIn) -> None:
    """The spaces that the day is lived in."""
    cobot.spaces.update({f"space-{number}": f"Space {number}" for number in range(SPACES)})


def main() -> None:
    """Live the day, and print it."""
    program = os.environ.get("REDIS_SERVER") or shutil.which("redis-server")
    if program is None:
        sys.exit("soak: no redis-server was found or could be installed")
    os.environ["PORTAL_LOG_LEVEL"] = "WARNING"
    with tempfile.TemporaryDirectory() as folder, StandIn() as cobot, RedisServer(program, Path(folder)) as redis:
        open_spaces(cobot)
        redis.start()
        with Fleet(cobot, Path(folder), hosts=2, workers=2, REDIS_URL=redis.url, TOTAL_TIMEOUT=2) as fleet:
            day = Day(cobot, fleet, redis)
            day.run()
    rows: list[list[object]] = []
    for name, tally, asked in day.tallies:
        refused = tally.logins["502"] + tally.logins["503"]
        lost = sum(tally.logins.values()) - tally.logins["303"] - refused - tally.logins["provider's page"]
        people = (tally.logins["303"], refused, lost, tally.pages, tally.sessions_lost)
        rows.append([name, *people, asked, f"{tally.slowest:.2f}"])
    print(SOAK.filled(rows))


if __name__ == "__main__":
    main()
