"""The gates before the endpoints that people's requests call: how many calls run at once. ``breaker`` says whether any.

Documents need no gate: each is fetched by one thread at a time, and not fetched again right after a failure
(``documents``). So what a stranger's code provokes at the token endpoint stops neither discovery nor keys (X03).
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..errors import ProviderError
from .breaker import CLOSED
from .deadline import seconds_left

MOST_CALLS = 8  # in progress to one issuer
MOST_CALLS_IN_ALL = 12  # of one process: a worker's other threads are for pages
MOST_WAITING = 8  # in one process
MOST_PUSHES = 4  # in progress to one issuer: strangers can begin logins, but not take the room that ends them
MOST_PUSHES_IN_ALL = 6
LONGEST_WAIT = 6  # seconds
STANDSTILL = 3  # seconds: if no call got through for so long, nobody waits


class Crowd:
    """Everybody in this process who calls a provider, or waits to.

    :param most: calls in progress of one process.
    :param most_to_one: calls in progress to one issuer.
    :param most_waiting: those who may stand in line.
    """

    def __init__(
        self, most: int = MOST_CALLS_IN_ALL, most_to_one: int = MOST_CALLS, most_waiting: int = MOST_WAITING
    ) -> None:
        self.most = most
        self.most_to_one = most_to_one
        self.most_waiting = most_waiting
        self.moved = threading.Condition()
        self.moved_at = time.monotonic()
        self.calls = 0
        self.waiting = 0


class Gate:
    """Limits the calls to one issuer, and remembers whether they were answered. This class is thread-safe.

    :param crowd: shared by all gates of the process.
    :param clock: seconds since the epoch.
    :param tell: is called with ``provider_unavailable``, ``breaker_opened`` and ``breaker_closed``.
    """

    def __init__(self, crowd: Crowd, clock: Callable[[], float], tell: Callable[[str], None]) -> None:
        self._crowd = crowd
        self._clock = clock
        self._tell = tell
        self._moved_at = time.monotonic()
        self._calls = 0
        self._waiting = 0
        self._breaker = CLOSED

    @contextmanager
    def call(self) -> Iterator[None]:
        """Wrap one call. ``provider_unreachable`` and ``tls_failed`` count as no answer.

        :raises ProviderError: ``provider_paused`` or ``provider_busy``, before the call.
        """
        with self._crowd.moved:
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
        if self._waiting or self._is_full():
            self._wait()
            self._refuse_while_open()
        self._breaker = self._breaker.before_trial(self._clock())
        self._count(1)

    def _is_full(self) -> bool:
        return self._calls >= self._crowd.most_to_one or self._crowd.calls >= self._crowd.most

    def _refuse_while_open(self) -> None:
        if wait := self._breaker.seconds_until_trial(self._clock()):
            raise ProviderError("provider_paused", retry_after_seconds=wait)

    def _wait(self) -> None:
        """Wait in line as long as the line moves, so that calls that hang do not hold up everybody else."""
        crowd = self._crowd
        if crowd.waiting >= crowd.most_waiting:
            raise ProviderError("provider_busy", retry_after_seconds=1)
        give_up_at = time.monotonic() + min(LONGEST_WAIT, seconds_left())
        crowd.waiting += 1
        self._waiting += 1
        try:
            while self._is_full():
                moved_at = self._moved_at if self._calls >= crowd.most_to_one else crowd.moved_at
                patience = min(give_up_at, moved_at + STANDSTILL) - time.monotonic()
                if patience <= 0:
                    raise ProviderError("provider_busy", retry_after_seconds=1)
                crowd.moved.wait(patience)
        finally:
            self._waiting -= 1
            crowd.waiting -= 1

    def _leave(self, *, answered: bool) -> None:
        with self._crowd.moved:
            before = self._breaker
            self._breaker = before.after_answer() if answered else before.after_failure(self._clock())
            opened_or_closed = (self._breaker.opened_at is None) != (before.opened_at is None)
            self._count(-1)
            self._crowd.moved.notify_all()
        if not answered:
            self._tell("provider_unavailable")
        if opened_or_closed:
            self._tell("breaker_closed" if answered else "breaker_opened")

    def _count(self, difference: int) -> None:
        self._calls += difference
        self._crowd.calls += difference
        self._moved_at = self._crowd.moved_at = time.monotonic()
