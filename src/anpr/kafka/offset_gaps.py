"""Finds records that the broker deleted before a group read them, by the offsets alone. Pure.

Assumed of the topic: it is not compacted, and nobody writes to it in transactions. Then the offsets of a partition
follow each other without a gap, and every offset that the group has not read was a record.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from anpr.kafka.interfaces import OffsetGap, Record
from anpr.kafka.record_batch import RecordBatch

Partition = tuple[str, int]
_partition_of: Final = attrgetter("topic", "partition")


class Restart(NamedTuple):
    """Where to read a partition on after the broker refused its offset, and the offset that should come next.

    `gap` holds deleted offsets that no later record can show. `is_cut`: the partition is shorter than it was before.
    """

    offset: int
    expected: int
    gap: range = range(0)
    is_cut: bool = False


def restart_at(next_offset: int | None, low: int, high: int) -> Restart:
    """Return where to read on in a partition that holds the offsets from `low` to before `high`.

    `next_offset` is the first offset that the group has not read, None when it has never read the partition.
    """
    expected = next_offset or 0
    if expected > high:
        # All that the partition holds now may be unread. How many records it held before, nobody can know.
        return Restart(low, low, is_cut=True)
    if expected < low == high:
        return Restart(low, low, range(expected, low))
    # If offsets are missing before `low`, the first record shows the gap, and when the records after it arrived.
    return Restart(max(expected, low), expected)


class GapFinder:
    """The next offset of each partition, and the gaps that are not reported yet."""

    def __init__(self) -> None:
        self.gaps: list[OffsetGap] = []
        self._next: dict[Partition, int] = {}
        # All records that had arrived by this time were read.
        self._read_until: dict[Partition, datetime | None] = {}

    def next_offset(self, partition: Partition) -> int | None:
        """Return the next offset of a partition, None when no record of it has come here."""
        return self._next.get(partition)

    def note_records(self, records: Iterable[Record]) -> None:
        """Note records that have come, those of each partition in the order of their offsets."""
        for partition, run in groupby(records, key=_partition_of):
            expected, read_until = self._next.get(partition), self._read_until.get(partition)
            for record in run:
                if expected is not None and record.offset > expected:
                    last = record.offset - 1
                    self.gaps.append(
                        OffsetGap(*partition, expected, last, record.offset, read_until, record.arrived_at)
                    )
                expected, read_until = record.offset + 1, record.arrived_at
            if expected is not None:
                self._next[partition], self._read_until[partition] = expected, read_until

    def note_batch(self, batch: RecordBatch) -> None:
        """Note the records of a poll. Where none is missing between them, only the first and the last are made."""
        for of_partition in batch.by_partition:
            if of_partition.is_without_gaps:
                self.note_records([of_partition.first])
                key, last = _partition_of(of_partition.last), of_partition.last
                self._next[key], self._read_until[key] = last.offset + 1, last.arrived_at
            else:
                self.note_records(batch.records_of(of_partition.first.partition))

    def note_restart(
        self, partition: Partition, next_offset: int | None, restart: Restart, read_until: datetime | None
    ) -> None:
        """Note that a partition is read on at `restart`, and not at `next_offset`.

        `read_until` is when the last record arrived that the group had read, as far as the broker knows.
        """
        since = self._read_until.setdefault(partition, read_until)
        self._next[partition] = restart.expected
        if restart.gap or restart.is_cut:
            last = None if restart.is_cut else restart.gap.stop - 1
            self.gaps.append(OffsetGap(*partition, next_offset or 0, last, restart.offset, since, None))

    def forget_partitions(self, partitions: Iterable[Partition]) -> None:
        """Forget partitions that another member reads from now on. It finds the unreported gaps again."""
        revoked = set(partitions)
        for partition in revoked:
            self._next.pop(partition, None)
            self._read_until.pop(partition, None)
        self.gaps = [gap for gap in self.gaps if (gap.topic, gap.partition) not in revoked]
