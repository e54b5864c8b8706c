"""Of failed sign-ins the audit log tells whoever guesses, and cannot be flooded by them."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from anpr.console.auth.failed_sign_ins import MAX_LINES, WITHIN, FailedSignIns

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@given(st.lists(st.sampled_from(["ann", "bob", "sam"]), max_size=MAX_LINES // 4))
def test_each_that_a_person_makes_is_told_with_its_number(names: list[str]) -> None:
    failed = FailedSignIns()
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        told = failed.count(NOW, name, "10.0.0.1")
        assert told == seen[name] or (not told and seen[name] > 10)


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 150), st.integers(1, 20)), min_size=100, max_size=300))
def test_however_many_come_from_however_many_places_no_more_than_so_many_are_told(
    tried: list[tuple[int, int, int]],
) -> None:
    failed = FailedSignIns()
    told: list[datetime] = []
    now = NOW
    for gap_ms, place, times in tried:
        now += timedelta(milliseconds=gap_ms)
        told += [now for _ in range(times) if failed.count(now, "ann", f"10.0.0.{place}")]
    for moment in told:
        assert sum(moment <= other < moment + WITHIN for other in told) <= 2 * MAX_LINES
    assert told, "and never none"


def test_when_no_more_are_told_that_is_said_and_ends() -> None:
    failed = FailedSignIns()
    assert sum(bool(failed.count(NOW, "ann", f"10.0.{n}.1")) for n in range(MAX_LINES + 50)) == MAX_LINES
    assert failed.is_full
    assert failed.count(NOW + WITHIN, "ann", "10.0.0.1") == 1
    assert not failed.is_full


def test_a_flood_at_one_name_is_told_by_tens() -> None:
    failed = FailedSignIns()
    told = [failed.count(NOW, "ann", "10.0.0.1") for _ in range(1000)]
    assert [times for times in told if times] == [*range(1, 11), 100, 1000]
