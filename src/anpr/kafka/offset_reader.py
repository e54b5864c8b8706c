"""Reads a whole topic from offsets that the caller keeps, in its own store. Nothing is committed to the broker.

What the caller stores is named by topic id, partition and offset. So `poll` asks the broker for the topic's id after
each batch that it got: the records are of the topic that is there now, or the batch is dropped.
"""

import time
from collections.abc import Callable
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from anpr.kafka.client_polls import as_rejection, count_waiting, poll_batch
from anpr.kafka.connection import COMMON_SETTINGS, FETCH_SETTINGS, ErrorLog
from anpr.kafka.interfaces import OffsetGap, Record
from anpr.kafka.offset_gaps import GapFinder, Partition, Restart, restart_at
from anpr.kafka.topic_identity import TopicIdentity
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

_ANSWER_SECONDS = 5.0
_LOOK_AGAIN_SECONDS = 3.0

# Returns the offset to read a partition of the topic with this id on from, None when it was never read.
NextOffset = Callable[[str, int], int | None]


class OffsetReader:
    """Every record of one topic, from the offsets that the caller has stored. Only one thread may use it.

    Attributes:
        topic_id: The id of the topic that the polled records are of; "" where the broker knows no ids.
    """

    def __init__(self, bootstrap: str, topic: str, group: str, next_offset: NextOffset) -> None:
        """`group` is only a name for the broker's permissions. No method of this class commits to it."""
        self.topic_id = ""
        self._topic = topic
        self._next_offset = next_offset
        self._identity = TopicIdentity(bootstrap, topic)
        self._finder = GapFinder()
        self._starts: dict[Partition, int] = {}
        self._look_again_at = 0.0
        settings: dict[str, Any] = {
            **COMMON_SETTINGS,
            **FETCH_SETTINGS,
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "topic.metadata.refresh.interval.ms": 3_000,
            "error_cb": ErrorLog(),
        }
        self._consumer = Consumer(settings)

    def poll(self, max_records: int, wait_seconds: float) -> list[Record]:
        """Return the records that have arrived, at most `max_records`. Wait up to `wait_seconds` for the first.

        Raises RejectedError when the broker refuses or does not answer. Open a new reader then.
        """
        with as_rejection():
            if time.monotonic() >= self._look_again_at:
                self._follow_topic()
            batch, gone = poll_batch(self._consumer, max_records, wait_seconds)
            if (len(batch) or gone) and not self._is_same_topic():
                return []
            self._finder.note_batch(batch)
            for partition in gone:
                self._read_on(partition, self._finder.next_offset(partition))
        return list(batch)

    def take_gaps(self) -> list[OffsetGap]:
        """Return the deleted records that were found missing since the last call."""
        gaps, self._finder.gaps = self._finder.gaps, []
        return gaps

    def lag(self) -> int | None:
        """Return how many records wait, None while that is unknown."""
        try:
            positions = self._consumer.position(self._consumer.assignment())
            return count_waiting(self._consumer, positions, self._starts) if self._starts else None
        except KafkaException:
            return None

    def close(self) -> None:
        """Disconnect from the broker."""
        self._consumer.close()

    def _follow_topic(self) -> None:
        """Read the partitions that are new; read all of them again if the topic was created again."""
        if not self._is_same_topic():
            return
        metadata = self._consumer.list_topics(self._topic, timeout=_ANSWER_SECONDS).topics[self._topic]
        if metadata.error is not None:
            raise KafkaException(metadata.error)
        for partition in sorted({(self._topic, number) for number in metadata.partitions} - self._starts.keys()):
            self._read_on(partition, self._next_offset(self.topic_id, partition[1]))
        self._look_again_at = time.monotonic() + _LOOK_AGAIN_SECONDS

    def _is_same_topic(self) -> bool:
        """Ask for the topic's id. If it is another one, forget the old topic, so that the new one is read next."""
        topic_id = self._identity.ask()
        if topic_id == self.topic_id and self._starts:
            return True
        is_first = not self._starts
        if not is_first:
            log.error("the topic was deleted and created again", topic=self._topic)
        self.topic_id = topic_id
        self._finder.forget_partitions(self._starts)
        self._starts = {}
        self._look_again_at = 0.0
        self._consumer.unassign()
        return is_first

    def _read_on(self, partition: Partition, next_offset: int | None) -> None:
        """Read a partition on where it can be read, and note what the broker has deleted before."""
        low, high = self._consumer.get_watermark_offsets(TopicPartition(*partition), timeout=_ANSWER_SECONDS)
        # On a topic that was never read, what is deleted is not missing.
        restart = restart_at(next_offset, low, high) if next_offset is not None else Restart(low, low)
        self._finder.note_restart(partition, next_offset, restart, None)
        if partition in self._starts:
            self._consumer.incremental_unassign([TopicPartition(*partition)])
        self._starts[partition] = restart.offset
        self._consumer.incremental_assign([TopicPartition(*partition, restart.offset)])
