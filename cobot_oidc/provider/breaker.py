"""When a provider gets no requests for a while: rules about counts and seconds, without a clock."""

from dataclasses import dataclass

FAILURES_TO_OPEN = 5
SHARE_TO_OPEN = 0.8  # of all calls: somebody else's that are answered show that the provider is there
COUNTED_FOR = 60
OPEN_FOR = 30


@dataclass(frozen=True, slots=True)
class Breaker:
    """Whether a provider gets no requests for a while, because most calls to it were not answered.

    All calls within a minute of the first failure are counted: the share of failures distinguishes a provider that is
    down from one that a stranger makes fail now and then (X03).
    """

    failures: int = 0
    calls: int = 0
    counted_from: float = 0
    opened_at: float | None = None

    def seconds_until_trial(self, now: float) -> float:
        """How long the provider gets no requests; 0 if a call may be made."""
        if self.opened_at is None or not 0 <= now - self.opened_at < OPEN_FOR:
            return 0
        return OPEN_FOR - (now - self.opened_at)

    def after_failure(self, now: float) -> "Breaker":
        """The breaker after one more call without an answer."""
        if self.opened_at is not None:
            return Breaker(opened_at=now)
        if not 0 <= now - self.counted_from < COUNTED_FOR:
            return Breaker(1, 1, now)
        failures, calls = self.failures + 1, self.calls + 1
        opens = failures >= FAILURES_TO_OPEN and failures >= SHARE_TO_OPEN * calls
        return Breaker(opened_at=now) if opens else Breaker(failures, calls, self.counted_from)

    def after_answer(self) -> "Breaker":
        """The breaker after one more call with an answer, whatever it said."""
        if self.opened_at is not None or self.failures == 0:
            return CLOSED
        return Breaker(self.failures, self.calls + 1, self.counted_from)

    def before_trial(self, now: float) -> "Breaker":
        """Half open: the first caller tries, and the others keep waiting as if a call had just failed."""
        return self if self.opened_at is None else Breaker(opened_at=now)


CLOSED = Breaker()
