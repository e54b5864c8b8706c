"""How far a consumer group has read a topic, as the broker reports it."""

from collections.abc import Iterable
from typing import NamedTuple

from confluent_kafka import Consumer, TopicPartition


class GroupProgress(NamedTuple):
    """How many records the topics hold, and how many of them a group has committed."""

    records: int
    committed: int


def group_progress(bootstrap: str, group: str, topics: Iterable[str]) -> GroupProgress:
    """Return how far a group has read topics from which nothing was deleted yet. Raises KafkaException."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False, "log_level": 2}
    )
    try:
        known = consumer.list_topics(timeout=10).topics
        partitions = [
            TopicPartition(topic, number) for topic in topics if topic in known for number in known[topic].partitions
        ]
        records = sum(consumer.get_watermark_offsets(partition, timeout=10)[1] for partition in partitions)
        committed = sum(max(0, partition.offset) for partition in consumer.committed(partitions, timeout=10))
        return GroupProgress(records, committed)
    finally:
        consumer.close()
