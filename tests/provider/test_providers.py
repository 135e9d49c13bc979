"""The providers of a process: bounded, one for each issuer, and no part of a process that was forked from it."""

import gc
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from cobot_oidc.protocol.keys import Key
from cobot_oidc.provider.providers import Directory
from cobot_oidc.provider.settings import ProviderSettings

from ..conftest import Clock
from .issuer import DOCUMENT, KEYS, running

FORKING = """
import os, sys, time
from cobot_oidc.provider.providers import Directory
from cobot_oidc.provider.settings import ProviderSettings

directory = Directory(ProviderSettings(), time.time, lambda *_: None)
before = directory.provider(sys.argv[1])
before.metadata()
directory._lock.acquire()  # as another thread of the parent may hold it at the fork
children = []
for _ in range(2):
    if not (child := os.fork()):
        after = directory.provider(sys.argv[1])
        after.metadata()
        os._exit(after is before)
    children.append(child)
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""


def test_a_forked_process_begins_anew(clock: Clock) -> None:  # K20
    with running(clock) as issuer:
        done = subprocess.run([sys.executable, "-c", FORKING, issuer.url], timeout=20)  # noqa: S603 # our own script
    assert done.returncode == 0
    assert issuer.asked[DOCUMENT] == 3


def test_invented_issuers_do_not_fill_the_memory(clock: Clock) -> None:  # K19
    directory = Directory(ProviderSettings(most_issuers=100), clock, lambda *_: None)
    used = directory.provider("https://used.cobot.me")
    first = directory.provider("https://unused.cobot.me")
    for number in range(10_000):
        directory.provider(f"https://invented-{number}.cobot.me")
        if number % 50 == 0:
            assert directory.provider("https://used.cobot.me") is used
    assert directory.provider("https://unused.cobot.me") is not first
    gc.collect()
    assert sum(type(thing) is type(used) for thing in gc.get_objects()) < 200


def test_twenty_threads_at_ten_issuers_each_get_their_own(clock: Clock) -> None:  # M10
    directory = Directory(ProviderSettings(), clock, lambda *_: None)
    issuers = [f"https://space-{number % 10}.cobot.me" for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda issuer: {directory.provider(issuer) for _ in range(200)}, issuers))
    assert all(len(providers) == 1 for providers in found)
    assert [next(iter(providers)).issuer for providers in found] == issuers


def test_spaces_with_the_same_keys_share_them(clock: Clock) -> None:
    directory = Directory(ProviderSettings(), clock, lambda *_: None)
    with running(clock) as one, running(clock) as other:
        other.keys = one.keys
        for issuer in (one, other):
            directory.provider(issuer.url).verify(issuer.id_token(), issuer.expected(), access_token=None)
        before = sum(type(thing) is Key for thing in gc.get_objects())
        third = Directory(ProviderSettings(), clock, lambda *_: None).provider(one.url)
        third.verify(one.id_token(), one.expected(), access_token=None)
        assert sum(type(thing) is Key for thing in gc.get_objects()) == before
        assert one.asked[KEYS] == 2
