"""Which logout tokens have been carried out (OpenID Connect Back-Channel Logout 1.0 section 2.6, step 7)."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..provider.shared_store import SharedStore

MOST = 10_000


class Replays:
    """The tokens of the last minutes, by what stands for them; with Redis, those of all processes. Thread-safe.

    Only verified tokens come here, so that no stranger fills it.
    """

    def __init__(self, clock: Callable[[], float], store: "Callable[[], SharedStore | None]") -> None:
        self._clock = clock
        self._store = store
        self._lock = threading.Lock()
        self._until: OrderedDict[str, float] = OrderedDict()

    def claim(self, name: str, *, seconds: float) -> bool:
        """Whether this token was not claimed within so many seconds. It is now."""
        now, store = self._clock(), self._store()
        with self._lock:
            if now < self._until.get(name, 0):
                return False
            self._until[name] = now + seconds
            if len(self._until) > MOST:
                self._until.popitem(last=False)
        return store is None or store.claim(f"logout:{name}", seconds=seconds)

    def give_back(self, name: str) -> None:
        """The token was not carried out after all."""
        store = self._store()
        with self._lock:
            self._until.pop(name, None)
        if store is not None:
            store.delete(f"logout:{name}")
