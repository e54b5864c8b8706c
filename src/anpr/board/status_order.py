"""Which status of a matcher is the newest: by its position on the topic, because any clock may be wrong. Pure."""

from datetime import datetime
from typing import NamedTuple

from anpr.kafka.interfaces import Record


class TopicPosition(NamedTuple):
    """The position of a record on its topic."""

    partition: int
    offset: int
    arrived_at: datetime | None


def topic_position(record: Record) -> TopicPosition:
    """Return where a record is."""
    return TopicPosition(record.partition, record.offset, record.arrived_at)


def is_newer(position: TopicPosition, known: TopicPosition | None) -> bool:
    """Tell whether a record comes after the known one of its key.

    A key changes its partition only where partitions were added. Then its records are ordered by when the broker got
    them, as far as that is known.
    """
    if known is None:
        return True
    if position.partition == known.partition:
        return position.offset >= known.offset
    return position.arrived_at is None or known.arrived_at is None or position.arrived_at >= known.arrived_at
