"""Which logins have been answered already, for as long as their cookie could come again."""

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .provider.shared_store import SharedStore

MOST_STATES = 10_000
KEPT_FOR = 1200  # seconds: twice as long as a transaction lives


class UsedStates:
    """A bounded memory of states, by hash. Safe between threads.

    The provider takes a code only once in any case; this spares it the second request (security.md F03, S21).

    :param store: where there is one, other processes' states count too.
    """

    def __init__(self, store: "SharedStore | None" = None) -> None:
        self._store = store
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
        return self._store is None or self._store.claim(f"used:{state_hash}", seconds=KEPT_FOR)
