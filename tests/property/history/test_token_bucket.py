"""A rate limit holds over every minute, and nobody who keeps to it is ever refused."""

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from anpr.history.api.token_bucket import TokenBucket

pauses = st.lists(st.floats(0, 30, allow_nan=False), max_size=60)
per_minute = st.integers(1, 20)
# Fractions of a token are added up in floating point.
ROUNDING = 1e-6


def taken_at(bucket: TokenBucket, moments: list[float]) -> list[float]:
    """Return when a token was taken by somebody who tries at these moments."""
    taken = []
    for now in moments:
        if not bucket.wait_seconds(now):
            bucket.take()
            taken.append(now)
    return taken


@given(per_minute, pauses)
def test_in_no_period_are_more_tokens_taken_than_a_minutes_worth_and_what_fills_meanwhile(
    most: int, pauses: list[float]
) -> None:
    taken = taken_at(TokenBucket(most, 0), list(accumulate(pauses)))
    for first, began_at in enumerate(taken):
        for last in range(first, len(taken)):
            assert last - first + 1 <= most + (taken[last] - began_at) * most / 60 + ROUNDING


@given(per_minute, pauses)
def test_who_waits_as_long_as_told_is_not_refused_again(most: int, pauses: list[float]) -> None:
    bucket, now = TokenBucket(most, 0), 0.0
    for pause in pauses:
        now += pause
        if wait := bucket.wait_seconds(now):
            assert wait <= 60 / most + ROUNDING
            now += wait + ROUNDING
        assert not bucket.wait_seconds(now)
        bucket.take()


@given(per_minute, pauses)
def test_who_leaves_a_full_pause_between_two_is_never_refused(most: int, pauses: list[float]) -> None:
    moments = list(accumulate(pause + 60 / most + ROUNDING for pause in pauses))
    assert taken_at(TokenBucket(most, 0), moments) == moments


@given(per_minute, pauses)
def test_a_bucket_that_is_full_answers_as_a_new_one(most: int, pauses: list[float]) -> None:
    bucket = TokenBucket(most, 0)
    taken = taken_at(bucket, list(accumulate(pauses)))
    later = (taken[-1] if taken else 0) + 60 + ROUNDING
    assert bucket.is_full(later)
    assert bucket.wait_seconds(later) == TokenBucket(most, later).wait_seconds(later)
