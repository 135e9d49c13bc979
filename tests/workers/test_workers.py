"""Many workers on many hosts: real gunicorn, a real Redis, and a provider that has a bad day."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from cobot_oidc.standin import StandIn

from ..conftest import Clock
from ..redis_server import RedisServer
from .fleet import CLIENT_SECRET, SECRET_KEY, Fleet, Member

DOCUMENT = "/.well-known/openid-configuration"
T = TypeVar("T")

MakeFleet = Callable[..., AbstractContextManager[Fleet]]


@pytest.fixture
def run_fleet(unwatched_cobot: StandIn, clock: Clock, tmp_path: Path) -> MakeFleet:
    """Runs a fleet; afterwards nothing in its logs may be a secret or a traceback."""

    @contextmanager
    def run(**options: Any) -> Iterator[Fleet]:
        with Fleet(unwatched_cobot, tmp_path, now=clock.now, **options) as fleet:
            yield fleet
        assert "Traceback" not in fleet.log, fleet.log[-5000:]
        for secret in {*unwatched_cobot.secrets, CLIENT_SECRET, SECRET_KEY}:
            assert secret not in fleet.log or len(secret) < 8

    return run


def together(calls: list[Callable[[], T]], at_once: int = 8) -> list[T]:
    with ThreadPoolExecutor(at_once) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


@pytest.mark.covers("K16", "F03")
def test_cold_workers_of_two_hosts_fetch_each_document_once(
    run_fleet: MakeFleet, unwatched_cobot: StandIn, redis: RedisServer
) -> None:
    cobot = unwatched_cobot
    spaces = [f"space-{number}" for number in range(100)]
    cobot.spaces.update({space: space.title() for space in spaces})
    with run_fleet(hosts=2, workers=4, REDIS_URL=redis.url) as fleet:

        def log_in(space: str) -> int:
            with Member(fleet, cobot) as member:
                return member.log_in(space).status_code

        assert together([partial(log_in, space) for space in spaces]) == [303] * 100
        # On a machine so busy that Redis needs a quarter of a second, a worker may fetch for itself.
        most = 8 if "store_unavailable" in fleet.log else 1
    for space in spaces:
        host = f"{space}.cobot.localhost:{cobot.port}"
        assert 1 <= sum(request.path == DOCUMENT and request.host == host for request in cobot.requests) <= most
    assert 1 <= cobot.asked("/jwks.json") <= most  # held by its URL
    assert cobot.asked("/oauth/access_token") == 100


@pytest.mark.covers("K09", "K13", "N01", "N04", "N10", "N11")
def test_a_bad_day_of_the_provider_and_of_redis_loses_no_session(
    run_fleet: MakeFleet, unwatched_cobot: StandIn, redis: RedisServer, clock: Clock
) -> None:
    cobot, space = unwatched_cobot, "co-up"
    with run_fleet(workers=3, REDIS_URL=redis.url, TOTAL_TIMEOUT=3, READ_TIMEOUT=3) as fleet, ExitStack() as stack:
        members = [stack.enter_context(Member(fleet, cobot)) for _ in range(8)]

        def pass_time(seconds: float) -> None:
            clock.move(seconds)
            fleet.tell_time(clock.now)

        def log_in_all() -> list[int]:
            return deliver(wait_at_provider())

        def wait_at_provider() -> list[str]:
            """Everybody begins and signs in, and their answers are on the way."""
            return together([partial(sign_in, member) for member in members])

        def sign_in(member: Member) -> str:
            return member.signed_in(member.begin(space))

        def deliver(callbacks: list[str]) -> list[int]:
            answers = together([partial(member.get, url) for member, url in zip(members, callbacks, strict=True)])
            assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 503)
            return [answer.status_code for answer in answers]

        def everybody_is_seen() -> bool:
            return all(together([partial(member.sees, space) for member in members]))

        assert log_in_all() == [303] * 8

        for _ in range(2):  # keys rotate while people are on their way
            pass_time(60)
            waiting = wait_at_provider()
            cobot.keys.rotate()
            assert deliver(waiting) == [303] * 8
        assert cobot.asked("/jwks.json") == 3

        waiting = wait_at_provider()
        cobot.reply("token", delay=30)  # it hangs
        assert deliver(waiting) == [503] * 8
        assert everybody_is_seen()

        cobot.reset()
        pass_time(60)
        waiting = wait_at_provider()
        cobot.stop()  # it is gone
        try:
            assert deliver(waiting) == [503] * 8
            assert everybody_is_seen()
        finally:
            cobot.start()

        pass_time(60)
        cobot.reply("token", body=b"<html>Sorry", headers={"Content-Type": "text/html"})  # it talks nonsense
        assert set(log_in_all()) <= {502, 503}  # 503 from a worker that tries it with one login first
        assert everybody_is_seen()

        cobot.reset()
        redis.stop()
        pass_time(60)
        assert log_in_all() == [303] * 8  # without Redis
        redis.start()
        pass_time(60)
        assert log_in_all() == [303] * 8
        assert everybody_is_seen()
        assert "store_unavailable" in fleet.log
        assert "store_available" in fleet.log
        assert max(member.slowest for member in members) < 15  # the provider's three seconds, and a busy machine


@pytest.mark.covers("K20")
@pytest.mark.parametrize("preload", [True, False])
def test_a_worker_that_dies_takes_nobody_along(run_fleet: MakeFleet, unwatched_cobot: StandIn, preload: bool) -> None:
    cobot = unwatched_cobot
    with (
        run_fleet(workers=2, preload=preload) as fleet,
        Member(fleet, cobot) as ada,
        Member(fleet, cobot, "grace") as grace,
    ):
        assert ada.log_in("co-up").status_code == 303
        callback = grace.signed_in(grace.begin("co-up"))
        fleet.kill_a_worker()
        assert grace.get(callback).status_code == 303
        assert all(ada.sees("co-up") and grace.sees("co-up") for _ in range(8))
