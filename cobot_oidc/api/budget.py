"""How many calls a person has left: Cobot answers 60 a minute for each user, and some only 6 (docs/cobot.md 4).

Whoever keeps to the limit is never refused. The counting is that of ``limits``: a moving window, in Redis for all
processes, or in this one alone if there is no Redis or it is unavailable.
"""

import hashlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from limits import RateLimitItem, RateLimitItemPerSecond, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

if TYPE_CHECKING:
    from ..provider.shared_store import SharedStore

SLOWER = {"memberships": parse("6 per minute")}  # requests for a list with this name
MARGIN = 0.03  # of the window, as requests do not all take equally long to arrive
MOST_WINDOWS = 10_000  # in the memory of this process
A_LITTLE = 0.01  # seconds: at its very end, a window is not over yet

_Window = tuple[RateLimitItem, str]  # and the key of whose it is


class Budget:
    """The calls of all users. This class is thread-safe.

    :param limit: how often each user may call.
    :param store: what this process shares with others, if there is one.
    """

    def __init__(self, limit: RateLimitItem, store: "Callable[[], SharedStore | None]" = lambda: None) -> None:
        self._limit = _with_margin(limit)
        self._slower = {name: _with_margin(slower) for name, slower in SLOWER.items()}
        self._store = store
        self._own = MovingWindowRateLimiter(MemoryStorage())

    def take(self, user: str, method: str, path: str) -> float:
        """Take one call from the user's budget.

        :param user: whose calls are counted together.
        :returns: 0 if the call may be made, otherwise the seconds until the next may.
        """
        key = hashlib.sha256(user.encode()).hexdigest()[:32]
        name = path.rpartition("/")[2]
        windows = [(self._limit, key)]
        if method == "GET" and name in self._slower:
            windows.append((self._slower[name], f"{key}/{name}"))
        store = self._store()
        shared = None if store is None else store.ask_limiter(lambda limiter: _take(limiter, windows))
        if shared is None:
            return self._take_alone(windows)
        if shared == 0:  # counted here as well, for when Redis is unavailable
            self._take_alone(windows)
        return shared

    def _take_alone(self, windows: list[_Window]) -> float:
        try:
            # limits never forgets a key, so once in a while everybody starts over.
            if len(cast(MemoryStorage, self._own.storage).events) >= MOST_WINDOWS:
                self._own = MovingWindowRateLimiter(MemoryStorage())
            return _take(self._own, windows)
        except RuntimeError:  # limits starts a thread to tidy up, and there are no more: Cobot says if it is too much
            return 0


def _take(limiter: MovingWindowRateLimiter, windows: list[_Window]) -> float:
    # A call that one window refuses is not taken from the other.
    if len(windows) > 1:
        for limit, key in windows:
            if not limiter.test(limit, key):
                return _wait(limiter, limit, key)
    for limit, key in windows:
        if not limiter.hit(limit, key):
            return _wait(limiter, limit, key)
    return 0


def _wait(limiter: MovingWindowRateLimiter, limit: RateLimitItem, key: str) -> float:
    # Not the app's clock: limits takes no other than this one, and its times are measured against it.
    return max(0.0, limiter.get_window_stats(limit, key).reset_time - time.time()) + A_LITTLE


def _with_margin(limit: RateLimitItem) -> RateLimitItem:
    seconds = limit.get_expiry()
    return RateLimitItemPerSecond(limit.amount, seconds + max(1, round(seconds * MARGIN)))
