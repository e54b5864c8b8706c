"""The recorder: reads of one site in, sightings out.

One pass polls a batch, and commits its sightings together with the offsets that they stand for. A recorder that is
killed at any point leaves whole commits behind, and the next one reads on behind the last of them: nothing is lost,
and nothing is there twice.
"""

import time
from collections.abc import Sequence
from typing import Protocol

from anpr.history.day_batches import day_batches
from anpr.history.sighting import Source, sightings_of
from anpr.history.sighting_store import SightingStore
from anpr.kafka.interfaces import Gap, Record
from anpr.runtime import metrics
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

BATCH_READS = 2000
WAIT_SECONDS = 0.5


class Reader(Protocol):
    """What the recorder needs of `kafka.offset_reader.OffsetReader`."""

    topic_id: str

    def poll(self, max_records: int, wait_seconds: float) -> list[Record]:
        """Return the records that have arrived."""
        ...

    def take_gaps(self) -> list[Gap]:
        """Return the deleted records that were found missing since the last call."""
        ...

    def lag(self) -> int | None:
        """Return how many records wait, None while that is unknown."""
        ...


class Recorder:
    """Keeps the sightings of one site."""

    def __init__(self, site: str, reader: Reader, store: SightingStore) -> None:
        """Store the site's reads that `reader` returns."""
        self._site = site
        self._reader = reader
        self._store = store

    def run_once(self) -> None:
        """Poll one batch and commit it. Raises RejectedError or HistoryUnavailableError; the rest comes again."""
        records = self._reader.poll(BATCH_READS, WAIT_SECONDS)
        if gaps := self._reader.take_gaps():
            self._report(gaps)
        for batch in day_batches(records):
            started_at = time.monotonic()
            topic_id = self._reader.topic_id
            sightings = sightings_of(batch.records, self._site, topic_id)
            offsets = {Source(topic_id, partition): offset for partition, offset in batch.next_offsets().items()}
            self._store.add(batch.day, sightings, offsets)
            metrics.HISTORY_COMMIT.labels(self._site).observe(time.monotonic() - started_at)
            metrics.HISTORY_SIGHTINGS.labels(self._site).inc(len(sightings))
            metrics.HISTORY_UNUSABLE.labels(self._site).inc(len(batch.records) - len(sightings))
        lag = self._reader.lag()
        if lag is not None:
            metrics.HISTORY_LAG.labels(self._site).set(lag)

    def _report(self, gaps: Sequence[Gap]) -> None:
        for gap in gaps:
            reads = None if gap.last is None else gap.last - gap.first + 1
            log.error(
                "the broker deleted reads before history had stored them",
                code="history-lost-reads",
                partition=gap.partition,
                first_offset=gap.first,
                reads=reads,
            )
            metrics.HISTORY_LOST.labels(self._site).inc(reads or 0)
