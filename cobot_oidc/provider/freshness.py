"""What is fresh, what may still serve, and when to ask again: rules over values, without a clock (seconds)."""

import re
from dataclasses import dataclass
from enum import Enum

SHORTEST_LIFETIME = 60
RENEW_AHEAD_FROM = 0.8  # of the lifetime
FIRST_PAUSE = 5
LONGEST_PAUSE = 30
FORCED_RENEWALS = 2  # at once, then
FORCED_RENEWAL_EVERY = 30
FAILURES_TO_OPEN = 5
OPEN_FOR = 30

_MAX_AGE = re.compile(r"(?:^|,)\s*max-age=\"?([0-9]{1,9})\"?\s*(?:,|$)", re.IGNORECASE)


class Freshness(Enum):
    """How far a copy can be trusted."""

    FRESH = "fresh"
    AGING = "aging"  # fresh, and time to renew it without making anyone wait
    STALE = "stale"  # to be renewed first; serves where that fails
    EXPIRED = "expired"


def freshness(age: float, *, lifetime: float, stale: float) -> Freshness:
    """How far a copy of this age can be trusted.

    :param age: since it was fetched. A negative one is expired: the clock was set back, nobody knows how old it is.
    :param lifetime: how long it is fresh. ``stale``: how long after that it may serve.
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
    """How long a failure with nothing to serve is remembered: 5 seconds, doubling to 30."""
    return float(min(FIRST_PAUSE << min(failures - 1, 10), LONGEST_PAUSE))


@dataclass(frozen=True, slots=True)
class Bucket:
    """The forced renewals that are left. Tokens are taken before the fetch, so that failures count too (K12)."""

    tokens: float = FORCED_RENEWALS
    filled_at: float = 0

    def take(self, now: float) -> "Bucket | None":
        """The bucket without one token, ``None`` where there is none to take."""
        refill = max(0.0, now - self.filled_at) / FORCED_RENEWAL_EVERY
        tokens = min(float(FORCED_RENEWALS), self.tokens + refill)
        return Bucket(tokens - 1, now) if tokens >= 1 else None


@dataclass(frozen=True, slots=True)
class Breaker:
    """Whether a provider that failed in a row is left alone for a while."""

    failures: int = 0
    opened_at: float | None = None

    def seconds_closed_for(self, now: float) -> float:
        """How long to leave the provider alone; 0 where a call may be made."""
        if self.opened_at is None or not 0 <= now - self.opened_at < OPEN_FOR:
            return 0
        return OPEN_FOR - (now - self.opened_at)

    def after_failure(self, now: float) -> "Breaker":
        """One more failure in a row; from the fifth on each one opens it anew."""
        failures = self.failures + 1
        return Breaker(failures, now if failures >= FAILURES_TO_OPEN else None)

    def before_trial(self, now: float) -> "Breaker":
        """Half open: whoever asks first tries, the others wait on as if it had failed just now."""
        return self if self.opened_at is None else Breaker(self.failures, now)
