"""Many processes over one real Redis: each is a providers of its own here, as two processes share nothing else."""

import json
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cobot_oidc.login.used_states import UsedStates
from cobot_oidc.provider.provider import Provider
from cobot_oidc.provider.providers import Providers
from cobot_oidc.provider.shared_store import SharedStore
from cobot_oidc.settings import ProviderSettings
from cobot_oidc.standin.keys import rsa_key

from ..conftest import Clock
from ..patience import takes_less_than
from ..redis_server import RedisServer
from .hostile import Visit, hostile_server
from .issuer import DOCUMENT, JSON, KEYS, Issuer, running
from .test_provider import HURRIED, PATIENT, at_once, failure, verifies

SECRET = b"k" * 32

MakeProcess = Callable[..., Provider]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(clock: Clock) -> Iterator[Issuer]:
    with running(clock) as issuer:
        yield issuer


@pytest.fixture
def events() -> list[str]:
    return []


@pytest.fixture
def process(redis: RedisServer, issuer: Issuer, clock: Clock, events: list[str]) -> MakeProcess:
    """Makes the provider of one more process."""

    def make(secret: bytes = SECRET, settings: ProviderSettings = PATIENT) -> Provider:
        store = SharedStore(redis.url, secret, clock=clock, tell=events.append)
        return Providers(settings, clock, lambda event, _: events.append(event), store).provider(issuer.url)

    return make


@pytest.mark.covers("A04")
def test_a_value_that_was_taken_out_is_replaced_by_nobody(redis: RedisServer, clock: Clock, events: list[str]) -> None:
    store = SharedStore(redis.url, SECRET, clock=clock, tell=events.append)
    store.put("token", {"of": "ada"}, seconds=60)

    assert store.take_out("token") == {"of": "ada"}
    assert not store.put("token", {"of": "ada", "renewed": True}, seconds=60, only_in_place=True)
    assert store.take_out("token") is None


def test_what_one_process_fetched_no_other_fetches(process: MakeProcess, issuer: Issuer) -> None:
    for _ in range(8):
        assert verifies(process(), issuer)
    assert issuer.asked == {DOCUMENT: 1, KEYS: 1}


@pytest.mark.covers("K16")
def test_eight_cold_processes_at_once_make_one_fetch(process: MakeProcess, issuer: Issuer) -> None:
    issuer.delay = 0.1
    processes = iter([process() for _ in range(8)])
    assert all(at_once(8, lambda: verifies(next(processes), issuer)))
    assert issuer.asked == {DOCUMENT: 1, KEYS: 1}


@pytest.mark.covers("K08", "K09")
def test_a_rotated_key_is_fetched_once_for_all(process: MakeProcess, issuer: Issuer, clock: Clock) -> None:
    processes = [process() for _ in range(8)]
    assert all(verifies(provider, issuer) for provider in processes)
    clock.move(1)
    issuer.keys.rotate()
    assert all(verifies(provider, issuer) for provider in processes)
    assert issuer.asked[KEYS] == 2


@pytest.mark.covers("K09")
def test_a_rotated_key_is_found_though_another_process_fetched_before(
    process: MakeProcess, issuer: Issuer, clock: Clock
) -> None:
    late, early = process(), process()
    assert verifies(late, issuer)
    clock.move(1)
    issuer.keys.rotate()
    assert verifies(early, issuer)
    clock.move(1)
    issuer.keys.rotate()
    assert verifies(late, issuer)  # whose copy is two rotations old, the shared one is one
    assert issuer.asked[KEYS] == 3


@pytest.mark.covers("K12")
def test_invented_keys_spend_one_budget_for_all(process: MakeProcess, issuer: Issuer, clock: Clock) -> None:
    processes = [process() for _ in range(8)]
    assert all(verifies(provider, issuer) for provider in processes)
    for number in range(40):
        clock.move(0.01)
        assert not verifies(processes[number % 8], issuer, issuer.id_token(kid=f"invented-{number}"))
    assert issuer.asked[KEYS] == 1 + 2
    clock.move(30)
    assert not verifies(processes[0], issuer, issuer.id_token(kid="invented"))
    assert issuer.asked[KEYS] == 1 + 3
    assert verifies(process(), issuer)


@pytest.mark.covers("K11")
def test_an_old_copy_is_no_younger_in_another_process(process: MakeProcess, issuer: Issuer, clock: Clock) -> None:
    assert verifies(process(), issuer)
    token = issuer.id_token()
    clock.move(590)
    assert verifies(newcomer := process(), issuer)
    issuer.keys.rotate()
    clock.move(11)
    assert not verifies(newcomer, issuer, token)


@pytest.mark.covers("K11")
def test_an_old_copy_brings_no_key_back_that_was_taken_away(
    process: MakeProcess, issuer: Issuer, redis: RedisServer, clock: Clock
) -> None:
    provider = process(settings=HURRIED)  # its turn is not given back in the outage, and is waited for afterwards
    assert verifies(provider, issuer)
    clock.move(590)
    token = issuer.id_token()
    issuer.keys.rotate(keep_old=False)
    redis.hang()
    try:
        clock.move(11)
        assert verifies(provider, issuer)
    finally:
        redis.go_on()
    clock.move(6)  # Redis is asked again, and holds the first copy
    assert not verifies(provider, issuer, token)


@pytest.mark.covers("K13")
def test_who_starts_in_an_outage_serves_what_others_held(
    process: MakeProcess, issuer: Issuer, clock: Clock, events: list[str]
) -> None:
    assert verifies(process(), issuer)
    clock.move(700)
    issuer.fails(DOCUMENT)
    issuer.fails(KEYS)
    assert verifies(process(), issuer)
    assert "stale_keys_served" in events
    clock.move(3600)
    assert failure(lambda: verifies(process(), issuer)).status == 503


@pytest.mark.covers("K14", "N12")
def test_a_failure_is_met_once_for_all_and_not_for_long(process: MakeProcess, issuer: Issuer, clock: Clock) -> None:
    issuer.fails(DOCUMENT)
    processes = [process() for _ in range(8)]
    assert {failure(provider.metadata).code for provider in processes} == {"provider_failing"}
    assert issuer.asked[DOCUMENT] == 1
    issuer.answers[DOCUMENT] = lambda: (200, JSON, json.dumps(issuer.document()).encode())
    clock.move(5)
    assert all(verifies(provider, issuer) for provider in processes)


def test_who_dies_in_its_turn_holds_nobody_up(
    process: MakeProcess, issuer: Issuer, redis: RedisServer, clock: Clock
) -> None:
    dead = SharedStore(redis.url, SECRET, clock=clock, tell=lambda _: None).turn(
        f"turn:metadata:{issuer.url}{DOCUMENT}", seconds=1
    )
    dead.__enter__()
    assert verifies(process(), issuer)


@pytest.mark.parametrize("outage", ["stop", "hang"])
def test_without_redis_each_process_goes_on_alone(
    process: MakeProcess, issuer: Issuer, redis: RedisServer, clock: Clock, events: list[str], outage: str
) -> None:
    warm, cold = process(), process()
    assert verifies(warm, issuer)
    getattr(redis, outage)()
    try:
        assert verifies(warm, issuer)
        assert verifies(cold, issuer)
        issuer.keys.rotate()
        assert verifies(warm, issuer)
    finally:
        redis.go_on() if outage == "hang" else redis.start()
    assert events.count("store_unavailable") == 2  # once for each process

    clock.move(10)
    issuer.keys.rotate()
    assert verifies(warm, issuer)
    assert events.count("store_available") == 1
    asked = issuer.asked[KEYS]
    assert verifies(process(), issuer)
    assert issuer.asked[KEYS] == asked


@pytest.mark.covers("F03", "S21")
def test_a_used_state_is_used_in_every_process(redis: RedisServer, clock: Clock) -> None:
    first, second = (UsedStates(SharedStore(redis.url, SECRET, clock=clock, tell=lambda _: None)) for _ in range(2))
    assert first.claim("state", clock())
    assert not second.claim("state", clock())
    assert not first.claim("state", clock())
    assert second.claim("another", clock())


@pytest.mark.covers("S21")
def test_a_state_is_used_once_in_a_race(redis: RedisServer, clock: Clock) -> None:
    states = [UsedStates(SharedStore(redis.url, SECRET, clock=clock, tell=lambda _: None)) for _ in range(8)]
    racers, lock = iter(states), threading.Lock()

    def claim() -> bool:
        with lock:
            mine = next(racers)
        return mine.claim("state", clock())

    assert at_once(8, claim).count(True) == 1


def test_what_is_kept_is_json(process: MakeProcess, issuer: Issuer, redis: RedisServer, clock: Clock) -> None:
    provider = process()
    assert verifies(provider, issuer)
    clock.move(1)
    assert not verifies(provider, issuer, issuer.id_token(kid="invented"))
    UsedStates(SharedStore(redis.url, SECRET, clock=clock, tell=lambda _: None)).claim("state", clock())
    kept = redis.values()
    assert len(kept) == 4  # the document, the keys, the budget, the state
    for key, value in kept.items():
        json.loads(value)
        assert 0 < redis.lifetime(key) <= 100_000


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda kept: kept | {"mac": "0" * 64}, id="mac"),
        pytest.param(lambda kept: kept | {"mac": None}, id="no mac"),
        pytest.param(lambda kept: {"value": kept["value"]}, id="mac missing"),
        pytest.param(lambda kept: kept | {"value": kept["value"] | {"at": kept["value"]["at"] + 1}}, id="value"),
        pytest.param(lambda kept: kept | {"value": []}, id="no object"),
        pytest.param(lambda kept: [kept], id="list"),
        pytest.param(lambda kept: kept | {"more": "x" * 300_000}, id="too large"),
    ],
)
def test_who_can_write_to_redis_slips_no_key_in(
    process: MakeProcess, issuer: Issuer, redis: RedisServer, forge: Callable[..., object]
) -> None:
    assert verifies(process(), issuer)
    [(key, value)] = [(key, value) for key, value in redis.values().items() if ":keys:" in key]
    redis.put(key, json.dumps(forge(json.loads(value))))
    assert verifies(process(), issuer)
    assert issuer.asked[KEYS] == 2  # as if it had not been there


@pytest.mark.covers("K18")
def test_a_value_counts_only_under_its_name(process: MakeProcess, issuer: Issuer, redis: RedisServer) -> None:
    assert verifies(process(), issuer)
    kept = redis.values()
    [metadata, keys] = [next(key for key in kept if f":{name}:" in key) for name in ("metadata", "keys")]
    redis.put(keys, kept[metadata])
    assert verifies(process(), issuer)
    assert issuer.asked[KEYS] == 2


@pytest.mark.covers("N04")
def test_what_another_release_kept_in_another_way_stops_nobody(
    process: MakeProcess, issuer: Issuer, redis: RedisServer, clock: Clock
) -> None:
    other_release = SharedStore(redis.url, SECRET, clock=clock, tell=lambda _: None)
    for kind in ("metadata", "keys", "budget:keys", "failure:metadata", "failure:keys"):
        path = KEYS if "keys" in kind else DOCUMENT
        other_release.put(f"{kind}:{issuer.url}{path}", {"version": 2}, seconds=60)
    provider = process()
    assert verifies(provider, issuer)
    issuer.keys.rotate()
    clock.move(1)
    assert verifies(provider, issuer)


def test_who_can_write_to_redis_breaks_nothing_with_other_types(
    process: MakeProcess, issuer: Issuer, redis: RedisServer
) -> None:
    assert verifies(process(), issuer)
    for key in redis.values():
        redis.put_list(key)
    assert verifies(process(), issuer)


def test_apps_with_other_secret_keys_share_nothing(process: MakeProcess, issuer: Issuer) -> None:
    assert verifies(process(), issuer)
    assert verifies(process(b"another secret of 32 bytes......"), issuer)
    assert issuer.asked == {DOCUMENT: 2, KEYS: 2}


def test_a_copy_from_the_future_is_nobodys(process: MakeProcess, issuer: Issuer, clock: Clock) -> None:
    clock.move(3600)
    assert verifies(process(), issuer)
    clock.move(-3600)
    assert verifies(process(), issuer)
    assert issuer.asked[DOCUMENT] == 2


@pytest.mark.covers("K09")
def test_a_rotated_key_spends_no_budget(process: MakeProcess, issuer: Issuer, clock: Clock) -> None:
    processes = [process(), process()]
    for number in range(20):
        assert verifies(processes[number % 2], issuer)
        issuer.keys.use(rsa_key(number % 2), kid=f"rotated-{number}", keep_old=False)
        clock.move(3)
        assert verifies(processes[number % 2], issuer)


@pytest.mark.covers("X05")
def test_invented_issuers_spend_one_budget_for_all(redis: RedisServer, issuer: Issuer, clock: Clock) -> None:
    asked = 0
    for number in range(100):
        store = SharedStore(redis.url, SECRET, clock=clock, tell=lambda _: None)
        invented = f"{issuer.url}/invented-{number}"
        provider = Providers(PATIENT, clock, lambda *_: None, store).provider(invented, is_named=False)
        asked += failure(provider.metadata).code == "provider_not_found"
    assert asked == 30


@pytest.mark.covers("X11")
def test_a_redis_whose_name_does_not_resolve_is_waited_for_once(
    issuer: Issuer, clock: Clock, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve, over = socket.getaddrinfo, threading.Event()

    def hang(host: Any, *args: Any, **options: Any) -> Any:
        if host == "redis.example":
            over.wait(60)
        return resolve(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", hang)

    def lasts() -> float:
        events.clear()
        store = SharedStore("redis://redis.example", SECRET, clock=clock, tell=events.append)
        provider = Providers(PATIENT, clock, lambda event, _: events.append(event), store).provider(issuer.url)
        began = time.monotonic()
        assert verifies(provider, issuer)
        lasted = time.monotonic() - began
        assert events.count("store_unavailable") == 1
        return lasted

    assert takes_less_than(0.5 + 0.25, lasts)
    over.set()


@pytest.mark.covers("X11")
def test_a_redis_that_answers_a_byte_at_a_time_is_not_waited_for(clock: Clock, events: list[str]) -> None:
    def dribble(visit: Visit) -> None:
        visit.connection.recv(4096)
        visit.drip(b"+", every=0.1)

    with hostile_server(dribble) as server:

        def lasts() -> float:
            events.clear()
            store = SharedStore(f"redis://127.0.0.1:{server.port}", SECRET, clock=clock, tell=events.append)
            began = time.monotonic()
            assert store.claim("x", seconds=1)
            lasted = time.monotonic() - began
            assert events == ["store_unavailable"]
            return lasted

        assert takes_less_than(1, lasts)


def test_a_value_of_enormous_size_is_not_read(process: MakeProcess, issuer: Issuer, redis: RedisServer) -> None:
    assert verifies(process(), issuer)
    for key in redis.values():
        redis.put(key, "x" * 50_000_000)
    tracemalloc.start()
    assert verifies(process(), issuer)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10_000_000


@pytest.mark.covers("X11")
def test_how_long_redis_took_to_fail_is_not_taken_off_the_pause(
    clock: Clock, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved: list[object] = []

    def unknown(*_: object, **__: object) -> object:
        resolved.append(None)
        clock.move(8)  # that long it took
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    store = SharedStore("redis://redis.example", SECRET, clock=clock, tell=events.append)
    assert store.get("x") is None
    asked = len(resolved)
    assert store.get("x") is None
    assert len(resolved) == asked


def test_machines_whose_clocks_differ_a_little_share(process: MakeProcess, issuer: Issuer, clock: Clock) -> None:
    clock.move(20)
    assert verifies(process(), issuer)
    clock.move(-20)
    assert verifies(process(), issuer)
    assert issuer.asked[DOCUMENT] == 1


@pytest.mark.parametrize("seconds", [None, 3600])
@pytest.mark.parametrize("document", ["metadata", "keys"])
def test_a_turn_that_never_ends_delays_nobody(
    process: MakeProcess, issuer: Issuer, redis: RedisServer, clock: Clock, document: str, seconds: int | None
) -> None:
    with SharedStore(redis.url, SECRET, clock=clock, tell=lambda _: None).turn(
        f"turn:{document}:{issuer.url}{KEYS if document == 'keys' else DOCUMENT}", seconds=1
    ):
        (key,) = redis.values()
    redis.put(key, "whoever", seconds=seconds)

    began = time.monotonic()
    assert verifies(process(), issuer)
    assert time.monotonic() - began < 30  # a live turn lasts twice as long
    assert key not in redis.values()
