"""What is fresh, what may still be used, and when to ask again: rules about values, in seconds, without a clock."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

SHORTEST_LIFETIME = 60
RENEW_AHEAD_FROM = 0.8  # of the lifetime
FIRST_PAUSE = 5
LONGEST_PAUSE = 30
CLOCKS_DIFFER = 60  # between two machines of ours; a time further ahead was noted by a clock that was wrong

_MAX_AGE = re.compile(r"(?:^|,)\s*max-age=\"?([0-9]{1,9})\"?\s*(?:,|$)", re.IGNORECASE)


class Freshness(Enum):
    """How far a copy can be trusted."""

    FRESH = "fresh"
    AGING = "aging"  # still fresh, but it should be renewed in the background
    STALE = "stale"  # has to be renewed first, but may be used if that fails
    EXPIRED = "expired"


def freshness(age: float, *, lifetime: float, stale: float) -> Freshness:
    """How far a copy of this age can be trusted.

    :param age: since it was fetched. A negative age means expired: the clock was set back, and the age is unknown.
    :param lifetime: how long it is fresh. ``stale``: how long it may be used after that.
    """
    if not 0 <= age < lifetime + stale:
        return Freshness.EXPIRED
    if age >= lifetime:
        return Freshness.STALE
    return Freshness.AGING if age >= lifetime * RENEW_AHEAD_FROM else Freshness.FRESH


def lifetime_of(cache_control: str, longest: float) -> float:
    """How long an answer is fresh: ``Cache-Control`` can shorten it, to a minute at least (RFC 9111 section 5.2.2)."""
    match = _MAX_AGE.search(cache_control)
    asked = float(match[1]) if match else longest
    if re.search(r"\bno-(?:store|cache)\b", cache_control, re.IGNORECASE):
        asked = 0
    return min(longest, max(asked, SHORTEST_LIFETIME))


def pause_after(failures: int) -> float:
    """How long a failure is remembered: 5 seconds at first, doubled each time up to 30."""
    return float(min(FIRST_PAUSE << min(failures - 1, 10), LONGEST_PAUSE))


class Allowance(NamedTuple):
    """How often something may be done: so many times at once, and once more after each so many seconds."""

    most: int
    every: float


FORCED_RENEWALS = Allowance(most=2, every=30)
UNKNOWN_DISCOVERIES = Allowance(most=30, every=2)  # 60 in the busiest minute (X05)


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left of an allowance; ``tokens`` is ``None`` if nothing has been used.

    Tokens are taken before something is tried, so that failures count too (K12).
    """

    tokens: float | None = None
    filled_at: float = 0

    def take(self, now: float, allowance: Allowance) -> "Bucket | None":
        """The bucket without one token; ``None`` if there is none to take."""
        tokens, filled_at = self._filled(now, allowance)
        return Bucket(tokens - 1, filled_at) if tokens >= 1 else None

    def give_back(self, allowance: Allowance) -> "Bucket":
        """The bucket with the last token put back, because it was well spent."""
        return self if self.tokens is None else Bucket(min(allowance.most, self.tokens + 1), self.filled_at)

    def _filled(self, now: float, allowance: Allowance) -> tuple[float, float]:
        if self.tokens is None or self.filled_at > now + CLOCKS_DIFFER:  # the clock was ahead (X13)
            return allowance.most, now
        if self.filled_at >= now:
            return self.tokens, self.filled_at
        return min(allowance.most, self.tokens + (now - self.filled_at) / allowance.every), now
