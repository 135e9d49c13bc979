"""How many calls a person has left: Cobot answers 60 a minute for each user, and some only 6 (docs/cobot.md 4).

Whoever keeps to the limit is never refused. The counting is that of ``limits``: a moving window, in Redis for all
processes, or in this one alone if there is no Redis or it is unavailable.
"""

import hashlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from limits import RateLimitItem, RateLimitItemPerSecond, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

if TYPE_CHECKING:
    from ..provider.shared_store import SharedStore

SLOWER = {"memberships": parse("6 per minute")}  # requests for a list with this name
MARGIN = 0.03  # of the window, as requests do not all take equally long to arrive
SHORTEST_WAIT = 0.01  # seconds


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
        slower = self._slower.get(name) if method == "GET" else None
        if slower is not None and (wait := self._take(slower, f"{key}/{name}")) > 0:
            return wait
        return self._take(self._limit, key)

    def _take(self, limit: RateLimitItem, key: str) -> float:
        store = self._store()
        shared = None if store is None else store.ask_limiter(lambda limiter: _take(limiter, limit, key))
        return _take(self._own, limit, key) if shared is None else shared


def _take(limiter: MovingWindowRateLimiter, limit: RateLimitItem, key: str) -> float:
    if limiter.hit(limit, key):
        return 0
    return max(SHORTEST_WAIT, limiter.get_window_stats(limit, key).reset_time - time.time())


def _with_margin(limit: RateLimitItem) -> RateLimitItem:
    seconds = limit.get_expiry()
    return RateLimitItemPerSecond(limit.amount, seconds + max(1, round(seconds * MARGIN)))
