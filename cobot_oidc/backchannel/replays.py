"""Which logout tokens have been carried out (OpenID Connect Back-Channel Logout 1.0 section 2.6, step 7).

Noted when all is done: a process that ends in between, or a Redis that hangs, must not lose a logout for the provider
that tries again. Two that arrive at the same moment end the same logins.
"""

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

    def __contains__(self, name: str) -> bool:
        """Whether this token was carried out."""
        with self._lock:
            if self._clock() < self._until.get(name, 0):
                return True
        store = self._store()
        return store is not None and store.get(f"logout:{name}") is not None

    def add(self, name: str, *, seconds: float) -> None:
        """This token was carried out, which counts for so many seconds."""
        with self._lock:
            self._until[name] = self._clock() + seconds
            if len(self._until) > MOST:
                self._until.popitem(last=False)
        store = self._store()
        if store is not None:
            store.put(f"logout:{name}", {}, seconds=seconds)
