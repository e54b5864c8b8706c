"""A group knows of every record that it never got: for any deletions, new records, crashes and moves of a partition.

The model is one partition whose broker deletes from the front, and the two ways in which a member meets that: the
broker refuses its offset, or a record comes that does not follow the last one.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from anpr.kafka.interfaces import OffsetGap, Record
from anpr.kafka.offset_gaps import GapFinder, restart_at
from anpr.kafka.record_batch import RecordBatch

PARTITION = ("reads", 0)
START = datetime(2026, 11, 29, 14, tzinfo=UTC)


def arrival(offset: int) -> datetime:
    return START + timedelta(seconds=offset)


class Group:
    """A partition, and the members that read it one after the other."""

    def __init__(self) -> None:
        self.low = self.high = 0
        self.committed: int | None = None
        self.read: set[int] = set()
        self.reported: list[OffsetGap] = []
        self.restart()

    def restart(self) -> None:
        """Let another member begin where the group has committed."""
        self.finder = GapFinder()
        self.position = self.committed
        self.polled: set[int] = set()

    def poll(self, count: int) -> None:
        if self.position is None or not self.low <= self.position <= self.high:
            known = self.finder.next_offset(PARTITION)
            begin = self.committed if known is None else known
            restart = restart_at(begin, self.low, self.high)
            self.finder.note_restart(PARTITION, begin, restart, None)
            self.position = restart.offset
        begin, self.position = self.position, min(self.position + count, self.high)
        offsets = range(begin, self.position)
        self.finder.note_batch(RecordBatch.of([Record(*PARTITION, n, arrival(n), b"") for n in offsets]))
        self.polled.update(offsets)

    def work(self, count: int, crash: str) -> None:
        """Poll, report the gaps, and commit, or crash before one of the steps."""
        self.poll(count)
        if crash != "before the report":
            self.reported += self.finder.gaps
            if crash != "before the commit":
                if self.finder.gaps or self.position:
                    self.committed = self.position
                self.read |= self.polled
                self.finder.gaps = []
        if crash != "no":
            self.restart()


steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 5)),
        st.tuples(st.just("delete"), st.integers(1, 8)),
        st.tuples(
            st.just("work"), st.integers(1, 5), st.sampled_from(["no", "before the report", "before the commit"])
        ),
    ),
    max_size=30,
)


@given(steps)
def test_every_record_was_read_or_reported_and_none_that_was_read_is_reported(
    taken: list[tuple[object, ...]],
) -> None:
    group = Group()
    committed_read: set[int] = set()
    for step in taken:
        match step:
            case ("write", int(count)):
                group.high += count
            case ("delete", int(count)):
                group.low = min(group.low + count, group.high)
            case ("work", int(count), str(crash)):
                group.work(count, crash)
                committed_read = set(group.read)
    while group.position is None or group.position < group.high or not group.low <= group.position:
        group.work(100, "no")
    reported = {offset for gap in group.reported for offset in range(gap.first, (gap.last or 0) + 1)}
    assert all(gap.last is not None for gap in group.reported)
    assert group.read | reported >= set(range(group.high))
    assert not reported & committed_read


@given(steps)
def test_a_gap_that_is_found_again_after_a_crash_begins_where_it_began(taken: list[tuple[object, ...]]) -> None:
    """So the same gap has the same id, or overlaps with it, and no read is counted twice."""
    group = Group()
    for step in taken:
        match step:
            case ("write", int(count)):
                group.high += count
            case ("delete", int(count)):
                group.low = min(group.low + count, group.high)
            case ("work", int(count), str(crash)):
                group.work(count, crash)
    ranges = sorted({(gap.first, gap.last or 0) for gap in group.reported})
    for (first, last), (next_first, _) in pairwise(ranges):
        assert next_first in (first, last + 1) or next_first > last


@given(st.none() | st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_reading_goes_on_inside_the_partition_and_passes_no_record(
    next_offset: int | None, low: int, length: int
) -> None:
    high = low + length
    restart = restart_at(next_offset, low, high)
    assert low <= restart.offset <= high
    assert restart.is_cut == ((next_offset or 0) > high)
    # Nothing that the partition holds and the group has not read lies before the offset.
    assert restart.offset in (low, next_offset or 0)
    assert not restart.gap or (restart.gap.stop == low == high and restart.gap.start == (next_offset or 0))


@given(st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 2)), max_size=6), max_size=4))
def test_a_batch_shows_the_gaps_that_its_records_show(batches: list[list[tuple[int, int]]]) -> None:
    """`steps` of each partition: 1 to the next offset, 2 over a deleted one."""
    by_batch, by_record, offsets = GapFinder(), GapFinder(), [0, 0, 0]
    for steps_of_batch in batches:
        records = []
        for partition, step in steps_of_batch:
            offsets[partition] += step
            records.append(Record("reads", partition, offsets[partition], arrival(offsets[partition]), b""))
        by_batch.note_batch(RecordBatch.of(records))
        for record in records:
            by_record.note_records([record])
    assert set(by_batch.gaps) == set(by_record.gaps)
    for partition in range(3):
        assert by_batch.next_offset(("reads", partition)) == by_record.next_offset(("reads", partition))
