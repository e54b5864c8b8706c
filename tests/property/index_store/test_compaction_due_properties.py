"""Compaction costs in proportion to what has changed, and never runs without a pause."""

from hypothesis import given
from hypothesis import strategies as st

from anpr.index_store.compaction_due import LEAST_CHANGES, LEAST_SECONDS, SHARE, is_due

sizes = st.integers(0, 20_000_000)
seconds = st.floats(0, 1e6)


@given(sizes, sizes, seconds)
def test_a_compaction_writes_at_most_so_many_entries_for_each_that_changed(
    entries: int, changes: int, passed: float
) -> None:
    if is_due(entries, changes, passed):
        assert changes > LEAST_CHANGES
        assert entries < changes / SHARE


@given(sizes, sizes, sizes, seconds, seconds)
def test_more_changes_and_more_time_never_put_a_compaction_off(
    entries: int, changes: int, more: int, passed: float, later: float
) -> None:
    if is_due(entries, changes, passed):
        assert is_due(entries, changes + more, passed + later)


@given(sizes, sizes)
def test_soon_after_a_compaction_only_very_many_changes_make_another_due(entries: int, changes: int) -> None:
    if is_due(entries, changes, LEAST_SECONDS / 2):
        assert changes > 4 * max(LEAST_CHANGES, entries * SHARE)
    assert is_due(entries, 5 * max(LEAST_CHANGES, entries), 0), "they do not wait for ever"
