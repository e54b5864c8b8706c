"""A history in memory, and a back-check on it, for tests without servers."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta

from anpr.back_check.back_check import BackCheck
from anpr.back_check.search import Progress
from anpr.contracts.events import Alert, Read
from anpr.contracts.local_days import UTC_DAYS
from anpr.history.sighting import Sighting, Source
from anpr.index_store.follower import ActiveIndex
from anpr.matching.index import Index
from anpr.matching.read_keys import read_keys
from tests.support.strategies import NOON

SOURCES = (Source("topic-1", 0), Source("topic-1", 1))


class SightingsInMemory:
    """The sightings of a topic of two partitions, as far as they are stored."""

    def __init__(self) -> None:
        self.stored: dict[Source, list[Sighting]] = {source: [] for source in SOURCES}
        self.asked_by_keys = self.asked_how_far = 0

    def store(self, read: Read, partition: int = 0, arrived_at: datetime = NOON) -> None:
        rows = self.stored[SOURCES[partition]]
        rows.append(Sighting(SOURCES[partition], len(rows), arrived_at, read))

    def next_offsets(self) -> dict[Source, int]:
        self.asked_how_far += 1
        return {source: len(rows) for source, rows in self.stored.items() if rows}

    def with_keys(self, keys: Collection[str], since: datetime, until: datetime) -> Iterable[Sighting]:
        self.asked_by_keys += 1
        for rows in self.stored.values():
            for sighting in rows:
                [of_read] = read_keys([sighting.read])
                if since <= sighting.arrived_at < until and not set(keys).isdisjoint(of_read):
                    yield sighting

    def first_offset(self, source: Source, since: datetime) -> int | None:
        offsets = [row.offset for row in self.stored[source] if row.arrived_at.date() >= since.date()]
        return min(offsets, default=None)

    def in_offsets(self, source: Source, start: int, end: int, since: datetime) -> Sequence[Sighting]:
        return [row for row in self.stored[source][start:end] if row.arrived_at >= since]


class AlertsInMemory:
    """The alerts topics of a site, and what its history knows of them."""

    def __init__(self) -> None:
        self.published: list[Alert] = []

    def publish(self, alerts: Sequence[Alert]) -> None:
        self.published += alerts

    def known(self, alerts: Sequence[Alert]) -> set[str]:
        there = {(alert.alert_id, alert.is_covert) for alert in self.published}
        return {alert.alert_id for alert in alerts if (alert.alert_id, alert.is_covert) in there}


def back_check_of(
    sightings: SightingsInMemory,
    alerts: AlertsInMemory,
    progress: Progress = Progress(),  # noqa: B008  it is frozen
    clock: Callable[[], datetime] = lambda: NOON,
    known: Callable[[Sequence[Alert]], set[str]] | None = None,
) -> BackCheck:
    """Return a back-check of the last 72 hours. `known` says what history has stored of the alerts: here, all."""
    return BackCheck(
        progress,
        set(),
        sightings=sightings,
        known_alerts=known or alerts.known,
        publish=alerts.publish,
        days=UTC_DAYS,
        window=timedelta(hours=72),
        clock=clock,
    )


def active(index: Index) -> ActiveIndex:
    """Return an index that was applied at noon."""
    return ActiveIndex(index, NOON, NOON)
