"""The rules about time, as values: no clock, no thread, no network."""

import pytest

from cobot_oidc.provider.freshness import (
    FORCED_RENEWALS,
    UNKNOWN_DISCOVERIES,
    Bucket,
    Freshness,
    freshness,
    lifetime_of,
    pause_after,
)


@pytest.mark.covers("K11", "K13")
@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0, Freshness.FRESH),
        (479, Freshness.FRESH),
        (480, Freshness.AGING),
        (599, Freshness.AGING),
        (600, Freshness.STALE),
        (4199, Freshness.STALE),
        (4200, Freshness.EXPIRED),
        (-1, Freshness.EXPIRED),  # the clock was set back
    ],
)
def test_how_far_a_copy_is_trusted(age: float, expected: Freshness) -> None:
    assert freshness(age, lifetime=600, stale=3600) is expected


@pytest.mark.parametrize(
    ("cache_control", "lifetime"),
    [
        ("", 600),
        ("public, max-age=300", 300),
        ("MAX-AGE=300", 300),
        ('max-age="300"', 300),
        ("max-age=86400", 600),  # it can only shorten
        ("max-age=0", 60),
        ("max-age=-5", 600),
        ("no-store", 60),
        ("no-cache, max-age=300", 60),
        ("s-maxage=90", 600),
        ("max-age=" + "9" * 5000, 600),
        ("x-max-age=70", 600),
    ],
)
def test_cache_control_can_shorten_a_lifetime_to_a_minute(cache_control: str, lifetime: float) -> None:
    assert lifetime_of(cache_control, 600) == lifetime


@pytest.mark.covers("K14")
def test_a_failure_is_remembered_for_five_to_thirty_seconds() -> None:
    assert [pause_after(failures) for failures in (1, 2, 3, 4, 10**6)] == [5, 10, 20, 30, 30]


@pytest.mark.covers("K12")
def test_two_forced_renewals_at_once_and_then_one_in_half_a_minute() -> None:
    bucket, taken = Bucket(), []
    for now in range(121):
        for _ in range(2):
            if (left := bucket.take(now, FORCED_RENEWALS)) is not None:
                bucket = left
                taken.append(now)
    assert taken == [0, 0, 30, 60, 90, 120]


def test_what_was_well_spent_comes_back() -> None:
    bucket = Bucket()
    for now in range(100):
        taken = bucket.take(now, FORCED_RENEWALS)
        assert taken is not None
        bucket = taken.give_back(FORCED_RENEWALS)
    assert Bucket().give_back(FORCED_RENEWALS) == Bucket()


@pytest.mark.covers("X05")
def test_no_more_than_sixty_unknown_issuers_are_looked_up_in_any_minute() -> None:
    bucket, taken = Bucket(), []
    for tenth in range(3000):
        if (left := bucket.take(tenth / 10, UNKNOWN_DISCOVERIES)) is not None:
            bucket = left
            taken.append(tenth / 10)
    assert max(sum(at <= other < at + 60 for other in taken) for at in taken) <= 60


def test_another_machine_s_clock_gives_no_renewals_away() -> None:
    bucket = Bucket(tokens=0, filled_at=1000)
    assert bucket.take(990, FORCED_RENEWALS) is None
    assert bucket.take(1029, FORCED_RENEWALS) is None
    assert bucket.take(1030, FORCED_RENEWALS) is not None


@pytest.mark.covers("X13")
def test_a_clock_that_was_ahead_for_an_hour_holds_no_renewal_up() -> None:
    bucket = Bucket(tokens=0, filled_at=3600)
    for _ in range(2):
        left = bucket.take(10, FORCED_RENEWALS)
        assert left is not None
        bucket = left
    assert bucket.take(11, FORCED_RENEWALS) is None
