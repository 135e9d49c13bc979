"""Which logins have been answered already: in this process, for as long as their cookie could come again."""

import threading
from collections import OrderedDict

MOST_STATES = 10_000
KEPT_FOR = 1200  # seconds: twice as long as a transaction lives


class UsedStates:
    """A bounded memory of states, by hash. Safe between threads.

    The provider takes a code only once in any case; this spares it the second request (security.md F03, S21).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claimed_at: OrderedDict[str, float] = OrderedDict()

    def claim(self, state_hash: str, now: float) -> bool:
        """Take this state; false where somebody has."""
        with self._lock:
            claimed_at = self._claimed_at.get(state_hash)
            if claimed_at is not None and abs(now - claimed_at) <= KEPT_FOR:
                return False
            self._claimed_at[state_hash] = now
            if len(self._claimed_at) > MOST_STATES:
                self._claimed_at.popitem(last=False)
            return True
