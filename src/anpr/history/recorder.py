"""The recorder: records of one topic in, rows of a store out.

One pass polls a batch, and commits its rows together with the offsets that they stand for. A recorder that is killed
at any point leaves whole commits behind, and the next one reads on behind the last of them: nothing is lost, and
nothing is there twice.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Generic, Protocol, TypeVar

from anpr.history.day_batches import day_batches
from anpr.history.sighting import Source
from anpr.kafka.interfaces import OffsetGap, Record
from anpr.runtime.clock import system_clock
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

BATCH_RECORDS = 2000
Row = TypeVar("Row")
Row_contra = TypeVar("Row_contra", contravariant=True)


class Reader(Protocol):
    """What the recorder needs of `kafka.offset_reader.OffsetReader`."""

    topic_id: str

    def poll(self, max_records: int, wait_seconds: float) -> list[Record]:
        """Return the records that have arrived."""
        ...

    def take_gaps(self) -> list[OffsetGap]:
        """Return the deleted records that were found missing since the last call."""
        ...

    def lag(self) -> int | None:
        """Return how many records wait, None while that is unknown."""
        ...


class RowStore(Protocol[Row_contra]):
    """What the recorder needs of a store."""

    def add(self, day: date, rows: Sequence[Row_contra], offsets: Mapping[Source, int]) -> None:
        """Commit the rows of one day, and up to where each source is read."""
        ...


class Observer(Protocol):
    """Who counts what a recorder does."""

    def committed(self, rows: int, records: int, seconds: float) -> None:
        """Count a commit: its rows, the records that they are of, and the time that it took."""
        ...

    def lost(self, records: int) -> None:
        """Count records that the broker deleted before they were stored, as far as their number is known."""
        ...

    def waiting(self, records: int) -> None:
        """Note how many records wait."""
        ...


class Recorder(Generic[Row]):
    """Keeps the records of one topic.

    Attributes:
        has_caught_up: Whether nothing waited after the last batch.
    """

    def __init__(
        self,
        reader: Reader,
        store: RowStore[Row],
        rows_of: Callable[[Sequence[Record], str], Sequence[Row]],
        observer: Observer | None = None,
    ) -> None:
        """Store what `rows_of` makes of the records that `reader` returns, and the id of their topic."""
        self._reader = reader
        self._store = store
        self._rows_of = rows_of
        self._observer = observer
        self.has_caught_up = False

    def run_once(self, wait_seconds: float) -> None:
        """Poll one batch and commit it. Raises RejectedError or HistoryUnavailableError; the rest comes again."""
        records = self._reader.poll(BATCH_RECORDS, wait_seconds)
        if gaps := self._reader.take_gaps():
            self._report(gaps)
        for batch in day_batches(_dated(records)):
            started_at = time.monotonic()
            topic_id = self._reader.topic_id
            rows = self._rows_of(batch.records, topic_id)
            offsets = {Source(topic_id, partition): offset for partition, offset in batch.next_offsets().items()}
            self._store.add(batch.day, rows, offsets)
            if self._observer is not None:
                self._observer.committed(len(rows), len(batch.records), time.monotonic() - started_at)
        lag = self._reader.lag()
        self.has_caught_up = lag == 0
        if self._observer is not None and lag is not None:
            self._observer.waiting(lag)

    def _report(self, gaps: Sequence[OffsetGap]) -> None:
        for gap in gaps:
            lost = None if gap.last is None else gap.last - gap.first + 1
            log.error(
                "the broker deleted records before history had stored them",
                code="history-lost-reads",
                topic=gap.topic,
                partition=gap.partition,
                first_offset=gap.first,
                records=lost,
            )
            if self._observer is not None:
                self._observer.lost(lost or 0)


def _dated(records: Sequence[Record]) -> Sequence[Record]:
    """Return the records, each with a time of arrival.

    The topics' settings make the broker give every record its time. On a topic with other settings a producer may
    state any time. A record without a possible time counts as of now: so it is kept as long as those beside it.
    """
    undated = [record for record in records if record.arrived_at is None]
    if not undated:
        return records
    log.error("records without a possible time count as of now", topic=undated[0].topic, records=len(undated))
    now = system_clock()
    return [record if record.arrived_at is not None else record._replace(arrived_at=now) for record in records]
