"""The providers of a process: bounded, one for each issuer, and no part of a process that was forked from it."""

import gc
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from cobot_oidc.errors import CobotOIDCError
from cobot_oidc.protocol.keys import Key
from cobot_oidc.provider.providers import Providers
from cobot_oidc.settings import ProviderSettings

from ..conftest import Clock
from .issuer import DOCUMENT, KEYS, running

FORKING = """
import os, sys, time
from cobot_oidc.provider.providers import Providers
from cobot_oidc.settings import ProviderSettings

providers = Providers(ProviderSettings(), time.time, lambda *_: None)
before = providers.provider(sys.argv[1])
before.metadata()
providers._lock.acquire()  # as another thread of the parent may hold it at the fork
children = []
for _ in range(2):
    if not (child := os.fork()):
        after = providers.provider(sys.argv[1])
        after.metadata()
        os._exit(after is before)
    children.append(child)
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""


@pytest.mark.covers("K20")
def test_a_forked_process_begins_anew(clock: Clock) -> None:
    with running(clock) as issuer:
        done = subprocess.run([sys.executable, "-c", FORKING, issuer.url], timeout=60)  # noqa: S603 # our own script
    assert done.returncode == 0
    assert issuer.asked[DOCUMENT] == 3


@pytest.mark.covers("K19")
def test_invented_issuers_do_not_fill_the_memory(clock: Clock) -> None:
    providers = Providers(ProviderSettings(most_issuers=100), clock, lambda *_: None)
    used = providers.provider("https://used.cobot.me")
    first = providers.provider("https://unused.cobot.me")
    for number in range(10_000):
        providers.provider(f"https://invented-{number}.cobot.me")
        if number % 50 == 0:
            assert providers.provider("https://used.cobot.me") is used
    assert providers.provider("https://unused.cobot.me") is not first
    gc.collect()
    assert sum(type(thing) is type(used) for thing in gc.get_objects()) < 200


@pytest.mark.covers("X05")
def test_invented_issuers_push_no_proven_one_out(clock: Clock) -> None:
    providers = Providers(ProviderSettings(), clock, lambda *_: None)
    with running(clock) as issuer:
        proven = providers.provider(issuer.url)
        proven.metadata()
        for number in range(1100):
            providers.provider(f"https://invented-{number}.cobot.me", is_named=False)
        assert providers.provider(issuer.url) is proven
    clock.move(4000)
    assert proven.metadata().issuer == issuer.url  # stale, in an outage


@pytest.mark.covers("X05")
def test_issuers_that_nobody_configured_are_looked_up_thirty_times_at_once_and_then_each_two_seconds(
    clock: Clock,
) -> None:
    with running(clock) as issuer:
        providers = Providers(ProviderSettings(), clock, lambda *_: None)
        issuer.fails(DOCUMENT, 404)

        def codes(start: int, *, is_named: bool) -> list[str]:
            found = []
            for number in range(start, start + 100):
                provider = providers.provider(f"{issuer.url}/{number}", is_named=is_named)
                with pytest.raises(CobotOIDCError) as raised:
                    provider.metadata()
                found.append(raised.value.code)
            return found

        assert codes(0, is_named=False).count("provider_not_found") == 30
        clock.move(60)
        assert codes(100, is_named=False).count("provider_not_found") == 30
        assert codes(200, is_named=True) == ["provider_not_found"] * 100


@pytest.mark.covers("M10")
def test_twenty_threads_at_ten_issuers_each_get_their_own(clock: Clock) -> None:
    providers = Providers(ProviderSettings(), clock, lambda *_: None)
    issuers = [f"https://space-{number % 10}.cobot.me" for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda issuer: {providers.provider(issuer) for _ in range(200)}, issuers))
    assert all(len(providers) == 1 for providers in found)
    assert [next(iter(providers)).issuer for providers in found] == issuers


def test_spaces_with_the_same_keys_share_them(clock: Clock) -> None:
    providers = Providers(ProviderSettings(), clock, lambda *_: None)
    with running(clock) as one, running(clock) as other:
        other.keys = one.keys
        for issuer in (one, other):
            providers.provider(issuer.url).verify(issuer.id_token(), issuer.expected(), access_token=None)
        gc.collect()
        before = sum(type(thing) is Key for thing in gc.get_objects())
        third = Providers(ProviderSettings(), clock, lambda *_: None).provider(one.url)
        third.verify(one.id_token(), one.expected(), access_token=None)
        gc.collect()
        assert sum(type(thing) is Key for thing in gc.get_objects()) == before
        assert one.asked[KEYS] == 2
