"""Asks the broker where the partitions of a topic begin and end."""

from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition

from anpr.kafka.client_polls import as_rejection
from anpr.kafka.connection import COMMON_SETTINGS, ErrorLog
from anpr.kafka.topic_identity import TopicIdentity

_ANSWER_SECONDS = 5.0


class PartitionEnds(NamedTuple):
    """The offset of the first record of a partition, and the one behind its last."""

    low: int
    high: int


class TopicEnds:
    """The ends of one topic. Only one thread may use it."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        """Ask the broker at `bootstrap`. It belongs to no group, and commits nothing."""
        self._topic = topic
        self._identity = TopicIdentity(bootstrap, topic)
        self._consumer = Consumer(
            {
                **COMMON_SETTINGS,
                "bootstrap.servers": bootstrap,
                "group.id": "anpr-tail",
                "enable.auto.commit": False,
                "error_cb": ErrorLog(),
            }
        )

    def ask(self) -> dict[tuple[str, int], PartitionEnds]:
        """Return the ends of each partition, by the topic's id and the partition's number.

        Nothing while the topic is being created again. Raises RejectedError when the broker refuses or does not
        answer.
        """
        with as_rejection():
            topic_id = self._identity.ask()
            found = self._consumer.list_topics(self._topic, timeout=_ANSWER_SECONDS).topics[self._topic]
            if found.error is not None:
                raise KafkaException(found.error)
            ends = {
                (topic_id, number): PartitionEnds(
                    *self._consumer.get_watermark_offsets(
                        TopicPartition(self._topic, number), timeout=_ANSWER_SECONDS
                    )
                )
                for number in sorted(found.partitions)
            }
            return ends if self._identity.ask() == topic_id else {}

    def close(self) -> None:
        """Disconnect from the broker."""
        self._consumer.close()
