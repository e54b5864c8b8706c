"""Reads whole topics from their beginning, in no group, and follows them."""

import time
from collections.abc import Iterable

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from anpr.kafka.connection import (
    COMMON_SETTINGS,
    FETCH_SETTINGS,
    ErrorLog,
    is_end_of_partition,
    partition_of,
    records_of,
)
from anpr.kafka.interfaces import Record
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

_BATCH_RECORDS = 1000
# The tail looks for topics that do not exist yet, and for new partitions.
_MISSING_TOPICS_SECONDS = 1
_NEW_PARTITIONS_SECONDS = 3
# Matchers publish a status every second. After this much silence the tail asks whether the broker still answers, so
# that the console knows this before it calls a site silent.
_QUIET_SECONDS = 2


class KafkaTail:
    """Every record of some topics, from the beginning. It waits for topics that do not exist yet."""

    def __init__(self, bootstrap: str, topics: Iterable[str]) -> None:
        """Read the topics in no group: nothing is committed, and every tail gets every record."""
        self._address = bootstrap
        self._topics = set(topics)
        self._problem = ""
        self._last_record_at = time.monotonic()
        self._is_at_end: dict[tuple[str, int], bool] = {}
        self._look_again_at = 0.0
        self._consumer = Consumer(
            {
                **COMMON_SETTINGS,
                **FETCH_SETTINGS,
                "bootstrap.servers": bootstrap,
                "group.id": "anpr-tail",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "error_cb": ErrorLog(),
            }
        )

    def poll(self, wait_seconds: float) -> list[Record]:
        """See `interfaces.Tail`."""
        if time.monotonic() >= self._look_again_at:
            self._assign_new_partitions()
            missing = self._topics - {topic for topic, _ in self._is_at_end}
            seconds = _MISSING_TOPICS_SECONDS if missing else _NEW_PARTITIONS_SECONDS
            self._look_again_at = time.monotonic() + seconds
        first = self._consumer.poll(wait_seconds)
        if first is None:
            if time.monotonic() > self._last_record_at + _QUIET_SECONDS:
                self._last_record_at, self._look_again_at = time.monotonic(), 0
            return []
        self._last_record_at, self._problem = time.monotonic(), ""
        messages = [first, *self._consumer.consume(_BATCH_RECORDS - 1, 0)]
        self._is_at_end.update({partition_of(message): True for message in messages if is_end_of_partition(message)})
        return records_of(messages)

    def caught_up(self) -> bool:
        """See `interfaces.Tail`."""
        return self._topics == {topic for topic, _ in self._is_at_end} and all(self._is_at_end.values())

    def problem(self) -> str:
        """See `interfaces.Tail`."""
        return self._problem

    def close(self) -> None:
        """See `interfaces.Tail`."""
        self._consumer.close()

    def _assign_new_partitions(self) -> None:
        """Ask the broker which topics and partitions exist, and read the new ones from their beginning."""
        try:
            existing = self._consumer.list_topics(timeout=2).topics
        except KafkaException as error:
            if not self._problem:
                log.warning("the broker does not answer", address=self._address, reason=error.args[0].str())
            self._problem = f"the broker at {self._address} does not answer"
            return
        missing = [topic for topic in sorted(self._topics) if topic not in existing or existing[topic].error]
        self._problem = (
            f"the broker at {self._address} has no {missing[0]} for this user, of {len(missing)} topics"
            if missing
            else ""
        )
        new_partitions = [
            TopicPartition(topic, partition, OFFSET_BEGINNING)
            for topic in sorted(self._topics.difference(missing))
            for partition in existing[topic].partitions
            if (topic, partition) not in self._is_at_end
        ]
        if new_partitions:
            self._consumer.incremental_assign(new_partitions)
            self._is_at_end.update({(partition.topic, partition.partition): False for partition in new_partitions})
