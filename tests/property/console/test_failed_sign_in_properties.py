"""The audit log shows who guesses passwords, and guessing cannot flood it."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from anpr.console.auth.failed_sign_ins import MAX_LINES, WITHIN, FailedSignIns

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@given(st.lists(st.sampled_from(["ann", "bob", "sam"]), max_size=MAX_LINES // 4))
def test_each_failure_of_a_person_is_logged_with_its_number(names: list[str]) -> None:
    failed = FailedSignIns()
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        logged = failed.count(NOW, name, "10.0.0.1")
        assert logged == seen[name] or (not logged and seen[name] > 10)


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 150), st.integers(1, 20)), min_size=100, max_size=300))
def test_many_failures_from_many_addresses_add_at_most_so_many_lines(
    tried: list[tuple[int, int, int]],
) -> None:
    failed = FailedSignIns()
    logged: list[datetime] = []
    now = NOW
    for gap_ms, address, times in tried:
        now += timedelta(milliseconds=gap_ms)
        logged += [now for _ in range(times) if failed.count(now, "ann", f"10.0.0.{address}")]
    for moment in logged:
        assert sum(moment <= other < moment + WITHIN for other in logged) <= 2 * MAX_LINES
    assert logged, "and some are logged"


def test_a_full_log_says_so_and_starts_again_later() -> None:
    failed = FailedSignIns()
    assert sum(bool(failed.count(NOW, "ann", f"10.0.{n}.1")) for n in range(MAX_LINES + 50)) == MAX_LINES
    assert failed.is_full
    assert failed.count(NOW + WITHIN, "ann", "10.0.0.1") == 1
    assert not failed.is_full


def test_a_flood_of_failures_for_one_name_is_logged_at_powers_of_ten() -> None:
    failed = FailedSignIns()
    logged = [failed.count(NOW, "ann", "10.0.0.1") for _ in range(1000)]
    assert [times for times in logged if times] == [*range(1, 11), 100, 1000]
