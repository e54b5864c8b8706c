"""Which status of a matcher is the newest: by its place on the topic, because any clock may be wrong. Pure."""

from datetime import datetime
from typing import NamedTuple

from anpr.kafka.interfaces import Record


class Place(NamedTuple):
    """The place of a record on its topic."""

    partition: int
    offset: int
    arrived_at: datetime | None


def place_of(record: Record) -> Place:
    """Return where a record is."""
    return Place(record.partition, record.offset, record.arrived_at)


def is_newer(place: Place, known: Place | None) -> bool:
    """Tell whether a record comes after the known one of its key.

    A key changes its partition only where partitions were added. Then its records are ordered by when the broker got
    them, as far as that is known.
    """
    if known is None:
        return True
    if place.partition == known.partition:
        return place.offset >= known.offset
    return place.arrived_at is None or known.arrived_at is None or place.arrived_at >= known.arrived_at
