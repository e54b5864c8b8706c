"""The records of one poll. A matcher needs only the bytes of most, so a record is made when somebody asks for it.

Pure.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from anpr.kafka.interfaces import Record


class PartitionRecords(NamedTuple):
    """How many records of one partition a batch has, and the first and the last of them."""

    size: int
    first: Record
    last: Record

    @property
    def is_without_gaps(self) -> bool:
        """Whether the offsets follow each other."""
        return self.last.offset - self.first.offset == self.size - 1


class RecordBatch:
    """Records of one topic, those of a partition in the order of their offsets.

    Attributes:
        values: The bytes of each record, b"" where it has none.
        untimed_rows: The rows of the records that may have no time of arrival: all that have none, and few others.
    """

    def __init__(
        self,
        values: Sequence[bytes],
        partitions: Sequence[int],
        untimed_rows: Sequence[int],
        record_of: Callable[[int], Record],
    ) -> None:
        """`partitions` has that of each record. `record_of` makes the record of a row."""
        self.values = values
        self.untimed_rows = untimed_rows
        self._partitions = partitions
        self._record_of = record_of
        self._records: dict[int, Record] = {}

    @classmethod
    def of(cls, records: Sequence[Record]) -> "RecordBatch":
        """Return the batch of these records."""
        return cls(
            [record.value or b"" for record in records],
            [record.partition for record in records],
            [row for row, record in enumerate(records) if record.arrived_at is None],
            records.__getitem__,
        )

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.values)

    def __iter__(self) -> Iterator[Record]:
        """Return each record."""
        return map(self.record, range(len(self)))

    def record(self, row: int) -> Record:
        """Return the record of a row."""
        if row not in self._records:
            self._records[row] = self._record_of(row)
        return self._records[row]

    @cached_property
    def by_partition(self) -> list[PartitionRecords]:
        """What the batch has of each partition."""
        rows: defaultdict[int, list[int]] = defaultdict(list)
        for row, partition in enumerate(self._partitions):
            rows[partition].append(row)
        return [PartitionRecords(len(own), self.record(own[0]), self.record(own[-1])) for own in rows.values()]

    def last_records(self) -> list[Record]:
        """Return the last record of each partition. Who is done with these is done with all."""
        return [of_partition.last for of_partition in self.by_partition]

    def records_of(self, partition: int) -> Iterator[Record]:
        """Return all records of a partition."""
        return (self.record(row) for row, of in enumerate(self._partitions) if of == partition)
