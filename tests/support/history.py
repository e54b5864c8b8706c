"""Records of a reads topic, and what a history of them must hold."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from anpr.contracts.events import Read
from anpr.history.recorder import Recorder
from anpr.history.sighting import Sighting, sightings_of
from anpr.history.sighting_store import SightingStore
from anpr.kafka.interfaces import OffsetGap, Record
from tests.support.strategies import a_read

EVENING = datetime(2026, 11, 29, 23, 59, 58, tzinfo=UTC)
SITE = "calais"


def at(seconds: float) -> datetime:
    """Return a moment of the broker's clock, in seconds after two seconds before midnight."""
    return EVENING + timedelta(seconds=seconds)


def read_record(offset: int, seconds: float = 0, *, partition: int = 0, **fields: Any) -> Record:
    """Return a record of the reads topic that arrived at `at(seconds)`."""
    given: dict[str, Any] = {"read_id": f"read-{partition}-{offset}", "captured_at": at(seconds)}
    read = a_read(**(given | fields))
    return Record("reads", partition, offset, at(seconds), written(read))


def written(read: Read) -> bytes:
    """Return a read as a camera writes it: the decoder sets the other fields."""
    fields = msgspec.to_builtins(read)
    for name in ("received_at", "clock_suspect", "dropped_fields", "claimed_at"):
        del fields[name]
    return msgspec.json.encode(fields)


def everything(store: SightingStore) -> list[Sighting]:
    """Return every sighting of a store."""
    return [sighting for day in store.days() for sighting in store.of_day(day)]


def record_all(store: SightingStore, *records: Record, topic_id: str = "topic-1", site: str = SITE) -> None:
    """Let a recorder store these records of the site's reads topic."""
    Recorder(TopicInMemory(records, topic_id), store, partial(sightings_of, site)).run_once(0)


class TopicInMemory:
    """A reader of a topic that a test fills; see `anpr.history.recorder.Reader`."""

    def __init__(self, records: Iterable[Record], topic_id: str = "topic-1") -> None:
        self.topic_id = topic_id
        self.waiting = list(records)
        self.gaps: list[OffsetGap] = []

    def poll(self, max_records: int, wait_seconds: float) -> list[Record]:  # noqa: ARG002  nothing to wait for
        polled, self.waiting = self.waiting[:max_records], self.waiting[max_records:]
        return polled

    def take_gaps(self) -> list[OffsetGap]:
        gaps, self.gaps = self.gaps, []
        return gaps

    def lag(self) -> int | None:
        return len(self.waiting)
