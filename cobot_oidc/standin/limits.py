"""How many requests of the API each person may make: a window that moves with time (docs/cobot.md 4)."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much is allowed: ``calls`` in ``seconds``, and ``memberships`` lists of members among them."""

    calls: int = 60
    seconds: float = 60
    memberships: int = 6


class Limits:
    """Counts what each person was granted. This class is thread-safe.

    :ivar refused: how many requests were refused so far.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget all requests, and allow what Cobot allows."""
        self.allow(Allowance())
        self.refused = 0

    def allow(self, allowance: Allowance | None, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow so much from now on, counted from zero; ``None`` for no limit."""
        with self._lock:
            self._allowance = allowance
            self._clock = clock
            self._granted: dict[tuple[str, str], deque[float]] = {}

    def seconds_to_wait(self, person: str, *, memberships: bool) -> int | None:
        """``None`` if the request is granted, which counts it; if not, the whole seconds until one is, at least 1.

        :param person: the person's key.
        :param memberships: whether a list of members is asked for.
        """
        with self._lock:
            if self._allowance is None:
                return None
            now = self._clock()
            windows = [(self._window(person, "calls", now), self._allowance.calls)]
            if memberships:
                windows.append((self._window(person, "memberships", now), self._allowance.memberships))
            waits = [self._wait(window, most, now) for window, most in windows if len(window) >= most]
            if waits:
                self.refused += 1
                return max(1, math.ceil(max(waits)))
            for window, _ in windows:
                window.append(now)
            return None

    def _window(self, person: str, name: str, now: float) -> deque[float]:
        window = self._granted.setdefault((person, name), deque())
        while window and window[0] <= now - self._seconds:
            window.popleft()
        return window

    def _wait(self, window: deque[float], most: int, now: float) -> float:
        return window[len(window) - most] + self._seconds - now if most else self._seconds

    @property
    def _seconds(self) -> float:
        return self._allowance.seconds if self._allowance else 0
