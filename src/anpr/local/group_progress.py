"""Asks the broker how far a consumer group has read its topics."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from confluent_kafka import Consumer, TopicPartition

from anpr.kafka.settling import ask_until_settled

# A broker answers within a second. One that has just started may lead no partition for some seconds, and on a busy
# machine an answer takes as long.
_ANSWER_SECONDS = 30


class GroupProgress(NamedTuple):
    """How many records the topics hold, and how many a group has committed."""

    records: int
    committed: int


def group_progress(bootstrap: str, group: str, topics: Iterable[str]) -> GroupProgress:
    """Return how far a group has read topics from which nothing was deleted yet. Raises KafkaException."""
    names = list(topics)
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False, "log_level": 2}
    )
    try:
        return ask_until_settled(lambda: _progress(consumer, names), _ANSWER_SECONDS)
    finally:
        consumer.close()


def _progress(consumer: Consumer, topics: Sequence[str]) -> GroupProgress:
    existing = consumer.list_topics(timeout=_ANSWER_SECONDS).topics
    partitions = [
        TopicPartition(topic, number)
        for topic in topics
        if topic in existing
        for number in existing[topic].partitions
    ]
    records = sum(consumer.get_watermark_offsets(partition, timeout=_ANSWER_SECONDS)[1] for partition in partitions)
    committed = consumer.committed(partitions, timeout=_ANSWER_SECONDS)
    return GroupProgress(records, sum(max(0, partition.offset) for partition in committed))
