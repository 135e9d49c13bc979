"""Nobody runs into Cobot's limit of requests: each user has a budget, which all processes share through Redis."""

import gc
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from flask import Flask
from limits import parse
from limits.storage import MemoryStorage

from cobot_oidc import APIError, CobotAPI, CobotOIDC, current_user, login_required
from cobot_oidc.api.budget import Budget
from cobot_oidc.api.current import api_of
from cobot_oidc.standin import StandIn

from ..conftest import Clock, MakePortal, Visitor
from ..redis_server import RedisServer
from ..test_membership import own_domain
from .conftest import how_often

SCOPE = "read_user read_memberships read_bookings write_bookings"

T = TypeVar("T")
Waits = list[float]
Call = Callable[[CobotAPI], object]


def call(api: CobotAPI) -> object:
    return api.get("/api/user")


def results(api: CobotAPI, count: int, make: Call = call) -> list[str]:
    """How so many calls ended: ``answered``, or the code of the error."""
    return [result(api, make) for _ in range(count)]


def result(api: CobotAPI, make: Call = call) -> str:
    try:
        make(api)
    except APIError as error:
        return error.code
    return "answered"


def refusal(api: CobotAPI, make: Call = call) -> APIError:
    with pytest.raises(APIError) as raised:
        make(api)
    return raised.value


def seconds_of(error: APIError) -> float:
    """How long the error says that one has to wait."""
    seconds = error.details["retry_after_seconds"]
    assert isinstance(seconds, float)
    return seconds


@pytest.fixture
def waits(cobot: StandIn, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Waits:
    """The waits, which take no time: one clock is moved instead, and everybody's time is taken from it."""
    waits: Waits = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock.move(seconds)

    monkeypatch.setattr("cobot_oidc.api.places.sleep", sleep)
    monkeypatch.setattr(time, "time", clock)  # which limits reads
    cobot.limit(clock=clock)
    return waits


@pytest.fixture
def make_app(make_portal: MakePortal, cobot: StandIn) -> Callable[..., Flask]:
    """Makes an app that shares no memory with others, as if it were another process."""
    return lambda **changes: make_portal(COBOT_OIDC_API_URL=cobot.api, **changes)


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


def client(app: Flask, cobot: StandIn, person: str = "grace", **options: Any) -> CobotAPI:
    with app.app_context():
        token = cobot.issue_token(person, SCOPE)
        return CobotAPI(token, space="co-up", **{"user": person, "longest_wait": 0, **options})


def test_the_61st_call_of_a_minute_is_not_sent(app: Flask, cobot: StandIn, waits: Waits, clock: Clock) -> None:
    api = client(app, cobot)
    assert results(api, 60) == ["answered"] * 60
    clock.move(20)

    error = refusal(api)

    assert (error.code, error.status, error.api_status) == ("rate_limited", 503, None)
    assert 40 <= seconds_of(error) <= 44
    assert (waits, cobot.asked("/api/user"), cobot.refused_for_limit) == ([], 60, 0)
    assert how_often(app, "api_rate_limited") == 1


def test_a_caller_who_may_wait_long_enough_waits_once(app: Flask, cobot: StandIn, waits: Waits) -> None:
    api = client(app, cobot)

    assert results(api.waiting(70), 61) == ["answered"] * 61

    [wait] = waits
    assert 60 < wait < 66
    assert (cobot.asked("/api/user"), cobot.refused_for_limit) == (61, 0)
    assert result(api) == "answered"  # all 60 were made at once, so all are free again


@pytest.mark.covers("A05")
def test_a_hostile_space_spends_nobody_else_s_budget(make_portal: MakePortal, cobot: StandIn, waits: Waits) -> None:
    """An own domain signs whatever ``sub`` it likes: here both issuers have nina's."""
    cobot.limit(None)  # the stand-in's own, which knows that both are one person
    _, changes = own_domain(cobot)
    app = make_portal(COBOT_OIDC_KEEP_TOKEN=True, COBOT_OIDC_SCOPES=["openid", "read_user"], **changes)
    add_page_about_me(app)
    nina, hostile = Visitor(app, cobot), Visitor(app, cobot)
    nina.log_in("/co-up/desk", "nina")
    hostile.log_in("/nebenan/desk", "nina")
    for _ in range(60):
        assert hostile.get("/nebenan/me").status_code == 200

    assert nina.get("/co-up/me").status_code == 200
    assert waits == []


def add_page_about_me(app: Flask) -> None:
    @app.get("/<space>/me")
    @login_required
    def me(space: str) -> str:
        del space
        return api_of(current_user).me().id  # type: ignore[arg-type] # what oidc.api does


def test_the_end_of_the_wait_is_when_the_error_said(app: Flask, cobot: StandIn, waits: Waits, clock: Clock) -> None:
    api = client(app, cobot)
    results(api, 60)
    wait = seconds_of(refusal(api))

    clock.move(wait - 1)
    assert result(api) == "rate_limited"
    clock.move(1.1)
    assert result(api) == "answered"
    assert (waits, cobot.refused_for_limit) == ([], 0)


def test_calls_at_the_pace_of_the_limit_hardly_wait(app: Flask, cobot: StandIn, waits: Waits, clock: Clock) -> None:
    """300 calls are four windows more than a caller may have at once: 240 seconds, and a tenth more at most."""
    began = clock()

    assert results(client(app, cobot, longest_wait=70), 300) == ["answered"] * 300

    assert 4 * 60 <= clock() - began <= 1.1 * 4 * 60
    assert (len(waits), cobot.refused_for_limit) == (4, 0)


def test_all_tokens_of_one_user_share_a_budget(app: Flask, cobot: StandIn, waits: Waits) -> None:
    one, other = client(app, cobot), client(app, cobot)
    assert results(one, 30) + results(other, 30) == ["answered"] * 60
    assert [result(one), result(other)] == ["rate_limited"] * 2
    assert (waits, cobot.refused_for_limit) == ([], 0)


def test_every_user_has_a_budget(app: Flask, cobot: StandIn, waits: Waits) -> None:
    grace, ada = client(app, cobot), client(app, cobot, "ada")
    assert results(grace, 61) == ["answered"] * 60 + ["rate_limited"]
    assert results(ada, 61) == ["answered"] * 60 + ["rate_limited"]
    assert waits == []


def test_a_token_whose_user_is_unknown_has_a_budget_of_its_own(app: Flask, cobot: StandIn, waits: Waits) -> None:
    cobot.limit(None)
    one, other = client(app, cobot, user=None), client(app, cobot, user=None)
    assert results(one, 61) == ["answered"] * 60 + ["rate_limited"]
    assert result(other) == "answered"
    assert waits == []


def test_what_is_public_has_no_budget(app: Flask, cobot: StandIn, waits: Waits) -> None:
    with app.app_context():
        api = CobotAPI(space="co-up", longest_wait=0)
    assert results(api, 70, lambda api: api.get("/api/plans")) == ["answered"] * 70
    assert (waits, cobot.refused_for_limit) == ([], 0)


@pytest.mark.parametrize("path", ["/api/memberships", "/memberships", "/spaces/co-up/memberships"])
def test_lists_of_memberships_are_asked_for_six_times_a_minute(
    app: Flask, cobot: StandIn, waits: Waits, path: str
) -> None:
    api = client(app, cobot, "alex")

    assert results(api, 7, lambda api: api.get(path)) == ["answered"] * 6 + ["rate_limited"]

    error = refusal(api, lambda api: api.get(path))
    assert 60 <= seconds_of(error) <= 64
    assert results(api, 54) == ["answered"] * 54  # what was not sent is not taken from the other budget
    assert (waits, cobot.refused_for_limit) == ([], 0)
    assert result(api.waiting(70), lambda api: api.get(path)) == "answered"
    assert len(waits) == 1


def test_a_list_that_the_larger_budget_refuses_is_not_taken_from_the_smaller(
    app: Flask, cobot: StandIn, waits: Waits, clock: Clock
) -> None:
    api, lists = client(app, cobot, "alex"), lambda api: api.get("/memberships")
    results(api, 60)
    clock.move(30)

    assert results(api, 10, lists) == ["rate_limited"] * 10

    clock.move(33)
    assert results(api, 6, lists) == ["answered"] * 6
    assert (waits, cobot.refused_for_limit) == ([], 0)


def test_the_limit_can_be_configured(make_app: Callable[..., Flask], cobot: StandIn, waits: Waits) -> None:
    api = client(make_app(COBOT_OIDC_API_LIMIT="3 per 10 seconds"), cobot)
    assert results(api, 4) == ["answered"] * 3 + ["rate_limited"]
    assert 10 <= seconds_of(refusal(api)) <= 12
    assert waits == []


def test_twenty_threads_never_go_beyond_the_limit(app: Flask, cobot: StandIn, waits: Waits) -> None:
    ended = at_once(20, lambda: results(client(app, cobot), 5))
    assert [ended.count("answered"), ended.count("rate_limited")] == [60, 40]
    assert (waits, cobot.refused_for_limit) == ([], 0)


def test_those_who_wait_together_do_not_ask_again_together(app: Flask, cobot: StandIn, waits: Waits) -> None:
    results(client(app, cobot), 60)

    ended = at_once(8, lambda: results(client(app, cobot, longest_wait=100), 1))

    assert ended == ["answered"] * 8
    assert len(set(waits)) == len(waits)
    assert cobot.refused_for_limit == 0


def at_once(threads: int, work: Callable[[], list[T]]) -> list[T]:
    """What so many threads say, that begin together."""
    start, said = threading.Barrier(threads), list[T]()

    def run() -> None:
        start.wait(60)
        said.extend(work())

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(120)
    return said


def test_all_processes_share_one_budget(
    make_app: Callable[..., Flask], cobot: StandIn, waits: Waits, redis: RedisServer
) -> None:
    one, other = (client(make_app(COBOT_OIDC_REDIS_URL=redis.url), cobot) for _ in range(2))
    assert results(one, 30) + results(other, 30) == ["answered"] * 60
    assert [result(one), result(other)] == ["rate_limited"] * 2
    assert (waits, cobot.refused_for_limit) == ([], 0)


def test_apps_with_other_secret_keys_share_no_budget(
    make_app: Callable[..., Flask], cobot: StandIn, waits: Waits, redis: RedisServer
) -> None:
    cobot.limit(None)
    for key in ("k" * 32, "another key of 32 characters...."):
        app = make_app(COBOT_OIDC_REDIS_URL=redis.url, SECRET_KEY=key)
        assert results(client(app, cobot), 61) == ["answered"] * 60 + ["rate_limited"]
    assert waits == []


def test_redis_learns_neither_users_nor_tokens(
    make_app: Callable[..., Flask], cobot: StandIn, waits: Waits, redis: RedisServer
) -> None:
    api = client(make_app(COBOT_OIDC_REDIS_URL=redis.url), cobot, "grace")
    other = client(make_app(COBOT_OIDC_REDIS_URL=redis.url), cobot, user=None)
    results(api, 1)
    results(other, 1)
    keys = redis.keys()
    assert len(keys) == 2
    assert not [key for key in keys if "grace" in key or cobot.secrets.intersection(key.split("/"))]
    assert all(0 < redis.lifetime(key) <= 62 for key in keys)
    assert waits == []


@pytest.mark.parametrize("outage", ["stop", "hang"])
def test_without_redis_each_process_keeps_to_its_own_budget(
    make_app: Callable[..., Flask],
    cobot: StandIn,
    waits: Waits,
    clock: Clock,
    redis: RedisServer,
    outage: str,
) -> None:
    cobot.limit(None)
    apps = [make_app(COBOT_OIDC_REDIS_URL=redis.url) for _ in range(2)]
    one, other = (client(app, cobot) for app in apps)
    assert results(one, 20) + results(other, 5) == ["answered"] * 25

    getattr(redis, outage)()
    try:
        ended = [results(api, 61) for api in (one, other)]
        # What a process asked for before is among what it may ask for.
        assert [each.count("answered") for each in ended] == [40, 55]
        assert [how_often(app, "store_unavailable") for app in apps] == [1, 1]  # asked, and waited for, once
    finally:
        redis.go_on() if outage == "hang" else redis.start()
        redis.empty()

    clock.move(70)  # Redis is asked again
    assert results(one, 30) + results(other, 31) == ["answered"] * 60 + ["rate_limited"]
    assert [how_often(app, "store_available") for app in apps] == [1, 1]
    assert waits == []


FORKING = """
import json, os, sys
from tests.api.test_limits import app_of, client_of, results
told = json.load(sys.stdin)
app = app_of(told)
api = client_of(app, told)
assert results(api, 2) == ["answered"] * 2
if (child := os.fork()) == 0:
    ended = results(api, 4)
    os._exit(0 if ended == ["answered"] * 3 + ["rate_limited"] else 1)
assert results(api, 2) == ["answered", "rate_limited"]
sys.exit(os.waitpid(child, 0)[1] != 0)
"""


@pytest.mark.covers("K20")
def test_a_forked_process_has_its_own_connections_and_budget(settings: dict[str, Any], cobot: StandIn) -> None:
    told = a_process(settings, cobot, COBOT_OIDC_API_LIMIT="3 per minute")
    cobot.limit(None)
    done = subprocess.run([sys.executable, "-c", FORKING], input=told, text=True, timeout=120)  # noqa: S603 # our own
    assert done.returncode == 0


def a_process(settings: dict[str, Any], cobot: StandIn, **more: Any) -> str:
    """What a process has to be told to be one of the app's."""
    config = settings | {"COBOT_OIDC_API_URL": cobot.api} | more
    return json.dumps({"config": config, "token": cobot.issue_token("grace", SCOPE)})


def app_of(told: dict[str, Any]) -> Flask:
    app = Flask("portal")
    app.config.update(told["config"])
    CobotOIDC(app)
    return app


def client_of(app: Flask, told: dict[str, Any], **options: Any) -> CobotAPI:
    with app.app_context():
        return CobotAPI(told["token"], space="co-up", user="grace", **{"longest_wait": 0, **options})


CALLING = """
import json, sys
from tests.api.test_limits import app_of, client_of, results
told = json.load(sys.stdin)
api = client_of(app_of(told), told, longest_wait=told["config"]["LONGEST_WAIT"])
print(json.dumps(results(api, told["config"]["CALLS"])))
"""


@pytest.fixture
def four_processes(settings: dict[str, Any], cobot: StandIn) -> Callable[..., list[list[str]]]:
    """Runs four processes that call at once with tokens of the same user: how each call of each ended."""

    def run(**config: Any) -> list[list[str]]:
        return at_once(4, lambda: [one(a_process(settings, cobot, **config))])

    def one(told: str) -> list[str]:
        command = [sys.executable, "-c", CALLING]
        done = subprocess.run(command, input=told, text=True, stdout=subprocess.PIPE, timeout=120)  # noqa: S603 # our own
        ended: list[str] = json.loads(done.stdout)
        return ended

    return run


def test_four_processes_with_redis_are_never_refused(
    four_processes: Callable[..., list[list[str]]], cobot: StandIn, redis: RedisServer
) -> None:
    cobot.limit(calls=20, seconds=1)  # on a busy machine, a call arrives some time after it was counted here
    ended = four_processes(
        COBOT_OIDC_REDIS_URL=redis.url, COBOT_OIDC_API_LIMIT="20 per 2 second", CALLS=15, LONGEST_WAIT=60
    )
    assert ended == [["answered"] * 15] * 4
    assert (cobot.refused_for_limit, cobot.asked("/api/user")) == (0, 60)


def test_four_processes_without_redis_keep_to_the_limit_each(
    four_processes: Callable[..., list[list[str]]], cobot: StandIn
) -> None:
    cobot.limit(None)
    ended = four_processes(COBOT_OIDC_API_LIMIT="10 per 1 hour", CALLS=15, LONGEST_WAIT=0)
    assert ended == [["answered"] * 10 + ["rate_limited"] * 5] * 4


def test_no_threads_stay_behind(app: Flask, cobot: StandIn) -> None:
    before = set(threading.enumerate())
    results(client(app, cobot), 3)
    for thread in set(threading.enumerate()) - before:
        if "process_request_thread" not in thread.name:
            thread.join(60)
            assert not thread.is_alive(), thread


def test_users_who_never_come_back_do_not_fill_the_memory() -> None:
    budget = Budget(parse("1 per minute"))
    for number in range(25_000):
        assert budget.take(f"user-{number}", "GET", "/api/user") == 0
    assert budget.take("user-24999", "GET", "/api/user") > 0
    gc.collect()
    kept = [thing.events for thing in gc.get_objects() if type(thing) is MemoryStorage]
    assert all(len(events) <= 10_000 for events in kept)


def test_no_more_threads_stop_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    budget = Budget(parse("1 per minute"))
    monkeypatch.setattr(threading.Thread, "start", start)
    assert budget.take("grace", "GET", "/api/user") == 0
