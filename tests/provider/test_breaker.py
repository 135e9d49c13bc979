"""When a provider gets no requests for a while (N11, X03)."""

import pytest

from cobot_oidc.provider.breaker import Breaker


@pytest.mark.covers("N11")
def test_the_breaker_opens_at_the_fifth_failure_and_lets_one_try_after_half_a_minute() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker = breaker.after_failure(100)
        assert breaker.seconds_until_trial(100) == 0
    breaker = breaker.after_failure(100)

    assert breaker.seconds_until_trial(110) == 20
    assert breaker.seconds_until_trial(130) == 0
    assert breaker.before_trial(130).seconds_until_trial(130) == 30  # for everybody else
    assert breaker.after_failure(131).seconds_until_trial(132) == 29
    assert breaker.seconds_until_trial(50) == 0  # the clock was set back: better to try than to wait for ever


@pytest.mark.covers("X03")
def test_the_breaker_looks_at_the_share_of_failures() -> None:
    breaker = Breaker()
    for second in range(0, 600, 3):
        for outcome in ("failure", "answer", "answer"):
            breaker = breaker.after_failure(second) if outcome == "failure" else breaker.after_answer()
        assert breaker.seconds_until_trial(second) == 0


@pytest.mark.covers("X03")
def test_failures_of_long_ago_open_no_breaker() -> None:
    breaker = Breaker()
    for second in range(0, 600, 30):
        breaker = breaker.after_failure(second)
        assert breaker.seconds_until_trial(second) == 0
