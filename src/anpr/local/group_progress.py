"""How far the matchers of a topic have come, asked of the broker itself."""

from collections.abc import Iterable
from typing import NamedTuple

from confluent_kafka import Consumer, TopicPartition


class GroupProgress(NamedTuple):
    """Records that a topic holds, and those of them that a group has committed."""

    records: int
    committed: int


def group_progress(bootstrap: str, group: str, topics: Iterable[str]) -> GroupProgress:
    """Return how far a group has come in topics from which nothing was deleted yet. Raises KafkaException."""
    asker = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False, "log_level": 2})
    try:
        known = asker.list_topics(timeout=10).topics
        places = [
            TopicPartition(topic, number) for topic in topics if topic in known for number in known[topic].partitions
        ]
        records = sum(asker.get_watermark_offsets(place, timeout=10)[1] for place in places)
        committed = sum(max(0, place.offset) for place in asker.committed(places, timeout=10))
        return GroupProgress(records, committed)
    finally:
        asker.close()
