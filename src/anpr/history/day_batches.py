"""Which records are committed together, and in which order, so that a crash in between loses nothing. Pure.

Each day has a file of its own, and no transaction spans two files. A file holds the offsets of its own rows; after a
crash, a partition is read from behind the highest offset in any file. So when one file is committed, every earlier
record of its partitions must be committed already. Records of a later day have higher offsets: the older file goes
first. A broker's clock may step back, though. Then the batch is cut where the day of a partition becomes earlier.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date
from typing import NamedTuple

from anpr.history.sighting import arrival
from anpr.kafka.interfaces import Record


class DayBatch(NamedTuple):
    """Records of one day by the broker's time, in UTC, which are committed in one transaction."""

    day: date
    records: list[Record]

    def next_offsets(self) -> dict[int, int]:
        """Return the offset behind the last record of each partition."""
        return {record.partition: record.offset + 1 for record in self.records}


def day_batches(records: Sequence[Record]) -> Iterator[DayBatch]:
    """Yield the records in batches to commit one after the other. Records of a partition must come in order."""
    by_day: dict[date, list[Record]] = {}
    last_days: dict[int, date] = {}
    for record in records:
        day = arrival(record).astimezone(UTC).date()
        if day < last_days.get(record.partition, day):
            yield from _oldest_first(by_day)
            by_day, last_days = {}, {}
        last_days[record.partition] = day
        by_day.setdefault(day, []).append(record)
    yield from _oldest_first(by_day)


def _oldest_first(by_day: dict[date, list[Record]]) -> Iterator[DayBatch]:
    for day in sorted(by_day):
        yield DayBatch(day, by_day[day])
