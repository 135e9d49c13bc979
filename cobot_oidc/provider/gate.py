"""The gate in front of those endpoints of an issuer that requests call: how many calls at once, and whether at all.

Documents need no gate: each is fetched by one thread at a time, and not fetched again right after a failure
(``documents``). So what a stranger's code provokes at the token endpoint stops neither discovery nor keys (X03).
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..protocol.errors import ProviderError
from .deadline import seconds_left
from .freshness import CLOSED

MOST_CALLS = 8  # in progress
MOST_WAITING = 24
LONGEST_WAIT = 5  # seconds
STANDSTILL = 2  # seconds: if no call got through for so long, nobody waits


class Gate:
    """Limits the calls to one issuer, and remembers whether they were answered. This class is thread-safe.

    :param clock: seconds since the epoch.
    :param tell: is called with ``provider_unavailable``, ``breaker_opened`` and ``breaker_closed``.
    """

    def __init__(self, clock: Callable[[], float], tell: Callable[[str], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._moved = threading.Condition()
        self._moved_at = time.monotonic()
        self._calls = 0
        self._waiting = 0
        self._breaker = CLOSED

    @contextmanager
    def call(self) -> Iterator[None]:
        """Wrap one call. ``provider_unreachable`` and ``tls_failed`` count as no answer.

        :raises ProviderError: ``provider_paused`` or ``provider_busy``, before the call.
        """
        with self._moved:
            self._enter()
        answered = True
        try:
            yield
        except ProviderError as error:
            answered = error.code not in ("provider_unreachable", "tls_failed")
            raise
        finally:
            self._leave(answered=answered)

    def _enter(self) -> None:
        self._refuse_while_open()
        if self._calls >= MOST_CALLS or self._waiting:
            self._wait()
            self._refuse_while_open()
        self._breaker = self._breaker.before_trial(self._clock())
        self._calls += 1
        self._moved_at = time.monotonic()

    def _refuse_while_open(self) -> None:
        if wait := self._breaker.seconds_until_trial(self._clock()):
            raise ProviderError("provider_paused", retry_after_seconds=wait)

    def _wait(self) -> None:
        """Wait in line as long as the line moves, so that calls that hang do not hold up everybody else."""
        give_up_at = time.monotonic() + min(LONGEST_WAIT, seconds_left())
        if self._waiting >= MOST_WAITING:
            raise ProviderError("provider_busy", retry_after_seconds=1)
        self._waiting += 1
        try:
            while self._calls >= MOST_CALLS:
                patience = min(give_up_at, self._moved_at + STANDSTILL) - time.monotonic()
                if patience <= 0:
                    raise ProviderError("provider_busy", retry_after_seconds=1)
                self._moved.wait(patience)
        finally:
            self._waiting -= 1

    def _leave(self, *, answered: bool) -> None:
        with self._moved:
            before = self._breaker
            self._breaker = before.after_answer() if answered else before.after_failure(self._clock())
            opened_or_closed = (self._breaker.opened_at is None) != (before.opened_at is None)
            self._calls -= 1
            self._moved_at = time.monotonic()
            self._moved.notify()
        if not answered:
            self._tell("provider_unavailable")
        if opened_or_closed:
            self._tell("breaker_closed" if answered else "breaker_opened")
