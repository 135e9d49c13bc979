"""How much time a thread has left: one deadline for everything that a request waits for.

Deadlines nest: a call to a provider has its own, within that of the request that makes it. Times are those of
``time.monotonic``, and have nothing to do with the time of day.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from ..errors import CobotOIDCError, ProviderError

T = TypeVar("T")

NO_DEADLINE = 86400.0  # seconds; a number that every wait accepts

_ends: ContextVar[float | None] = ContextVar("ends", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Limit the block to so many seconds, or fewer if there is an earlier deadline."""
    token = _ends.set(time.monotonic() + min(seconds, seconds_left()))
    try:
        yield
    finally:
        _ends.reset(token)


def seconds_left() -> float:
    """Seconds until the deadline; negative once it has passed."""
    ends = _ends.get()
    return NO_DEADLINE if ends is None else ends - time.monotonic()


def result_of(future: "Future[T]", seconds: float) -> T:
    """What another thread finds out, for each who waits for it.

    :raises TimeoutError: if it takes longer.
    :raises CobotOIDCError: a copy of the other thread's error.
    """
    try:
        return future.result(timeout=max(0.0, seconds))
    except CobotOIDCError as error:
        raise error.copy() from None


def result_by_the_deadline(future: "Future[T]") -> T:
    """The same, for as long as this thread may wait.

    :raises ProviderError: ``provider_unreachable`` at the deadline.
    :raises CobotOIDCError: as ``result_of``.
    """
    try:
        return result_of(future, seconds_left())
    except TimeoutError:
        raise ProviderError("provider_unreachable", reason="timeout") from None


def run_beside(function: Callable[[], T], *, seconds: float, discard: Callable[[T], object]) -> T:
    """Call a function that does not observe deadlines, such as one that resolves a name, in a thread of its own.

    :param seconds: how long the caller waits.
    :param discard: is called with the value if it arrives too late to be used.
    :raises TimeoutError: if the function takes longer. It continues in its thread.
    """
    attempt: Future[T] = Future()

    def run() -> None:
        try:
            attempt.set_result(function())
        except BaseException as error:  # whatever it is, the caller has to get it
            attempt.set_exception(error)

    def came_too_late(attempt: "Future[T]") -> None:
        if attempt.exception() is None:
            discard(attempt.result())

    try:
        threading.Thread(target=run, name="cobot-oidc-beside", daemon=True).start()
    except RuntimeError:  # no more threads
        return function()
    try:
        return attempt.result(timeout=max(0.0, seconds))
    except TimeoutError:
        attempt.add_done_callback(came_too_late)
        raise
