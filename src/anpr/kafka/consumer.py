"""A member of a consumer group: the settings that decide latency and safety, and the commits."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from anpr.kafka.client_polls import as_rejection, count_waiting, poll_batch
from anpr.kafka.connection import COMMON_SETTINGS, FETCH_SETTINGS, FETCH_WAIT_MS, ErrorLog
from anpr.kafka.group_coverage import GroupCoverage, group_asker
from anpr.kafka.interfaces import OffsetGap, Record
from anpr.kafka.offset_gaps import GapFinder, Restart, restart_at
from anpr.kafka.record_batch import RecordBatch
from anpr.kafka.topic_identity import TopicIdentity
from anpr.runtime.clock import system_clock
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

_EVENTS_SECONDS = 0.1
_ANSWER_SECONDS = 5.0
_REMEMBER_SECONDS = 60.0
# Asking the client for its partitions takes longer than taking a record: its own thread has to answer.
_CHECK_PARTITIONS_SECONDS = 0.1
# The client learns of the end of a partition with each answer to a fetch. The answer itself may take as long again.
_END_KNOWN_AFTER = 2 * timedelta(milliseconds=FETCH_WAIT_MS)


class KafkaConsumer:
    """A matcher's share of a reads topic. A static member: it gets its partitions back as soon as it restarts."""

    def __init__(  # noqa: PLR0913  everything that it must agree on with the other members
        self,
        bootstrap: str,
        topic: str,
        group: str,
        member: str,
        *,
        memory_topic: str,
        session_timeout_seconds: float,
    ) -> None:
        """Join `group` as `member`. No other running member of the group may have that name.

        The group remembers beside a committed offset on `memory_topic` which topic it reads: a broker deletes the
        offsets on a topic together with that topic.

        This and all other methods raise RejectedError when this consumer cannot be used any more; a new one may work.
        """
        session_ms = round(session_timeout_seconds * 1000)
        # By partition: the offset that the broker has not confirmed yet, the offset before which everything is
        # processed, and the offset at which this group begins.
        self._unconfirmed: dict[tuple[str, int], TopicPartition] = {}
        self._processed: dict[tuple[str, int], int] = {}
        self._first_offset: dict[tuple[str, int], int] = {}
        self._finder = GapFinder()
        self._memory = (memory_topic, 0)
        self._topic = topic
        self._identity = TopicIdentity(bootstrap, topic)
        self._coverage = GroupCoverage(topic, group_asker(bootstrap, topic, group))
        self._check_partitions_at = 0.0
        self._topic_id = ""
        # When this member had last read everything, and when the group is to learn of it.
        self._caught_up_at: datetime | None = None
        self._remember_at = 0.0
        settings: dict[str, Any] = {
            **COMMON_SETTINGS,
            **FETCH_SETTINGS,
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "group.instance.id": member,
            "session.timeout.ms": session_ms,
            "heartbeat.interval.ms": session_ms // 6,
            "max.poll.interval.ms": 600_000,
            "partition.assignment.strategy": "cooperative-sticky",
            # An offset that the broker does not have must not be passed over in silence: see `_restart`.
            "auto.offset.reset": "error",
            "enable.auto.commit": False,
            "topic.metadata.refresh.interval.ms": 2_000,
            "error_cb": ErrorLog(),
            "on_commit": self._on_commit,
        }
        with as_rejection():
            self._consumer = Consumer(settings)
            self._subscribe()

    def poll(self, max_records: int, wait_seconds: float) -> RecordBatch:
        """See `interfaces.Consumer`."""
        with as_rejection():
            self._check_topic()
            self._check_partitions()
            records, gone = poll_batch(self._consumer, max_records, wait_seconds)
            self._finder.note_batch(records)
            for partition in gone:
                self._restart(TopicPartition(*partition))
        return records

    def _subscribe(self) -> None:
        self._consumer.subscribe([self._topic], on_revoke=self._on_revoke)

    def _check_partitions(self) -> None:
        """Ask for all partitions again if nobody reads one of them. Between batches all records are processed."""
        now = time.monotonic()
        if now < self._check_partitions_at:
            return
        self._check_partitions_at = now + _CHECK_PARTITIONS_SECONDS
        own = {partition.partition for partition in self._consumer.assignment()}
        if own and self._coverage.is_missing_one(self._identity.partitions, own):
            self._consumer.unsubscribe()
            self._subscribe()

    def _restart(self, partition: TopicPartition) -> None:
        """Read a partition on where it can be read: its offset was never committed, or the broker has deleted it."""
        if partition not in self._consumer.assignment():
            return
        key = (partition.topic, partition.partition)
        (committed,) = self._consumer.committed([partition], timeout=_ANSWER_SECONDS)
        if committed.error is not None:
            raise KafkaException(committed.error)
        low, high = self._consumer.get_watermark_offsets(partition, timeout=_ANSWER_SECONDS)
        next_offset = self._finder.next_offset(key)
        if next_offset is None and committed.offset >= 0:
            next_offset = committed.offset
        restart = restart_at(next_offset, low, high)
        if restart.is_cut and self._check_topic(ask_now=True):
            return
        self._finder.note_restart(key, next_offset, restart, _time_in(committed.metadata))
        if next_offset is None and high == 0:
            # Once the group has committed an offset here, records that are deleted before it reads them are missed.
            self._note_processed(key, 0, system_clock())
        self._read_from(partition, restart.offset)

    def _read_from(self, partition: TopicPartition, offset: int) -> None:
        """Read a partition from an offset. The client cannot seek where the broker has refused the offset before."""
        self._first_offset[partition.topic, partition.partition] = offset
        self._consumer.incremental_unassign([partition])
        self._consumer.incremental_assign([TopicPartition(partition.topic, partition.partition, offset)])

    def _check_topic(self, *, ask_now: bool = False) -> bool:
        """Read everything if the topic was deleted and created again. Return whether it was."""
        topic_id = self._identity.current(ask_now=ask_now)
        if not topic_id or topic_id == self._topic_id or not self._consumer.assignment():
            return False
        known_id, read_until = (self._topic_id, self._caught_up_at) if self._topic_id else self._read_progress()
        is_new = known_id not in {"", topic_id}
        if is_new:
            self._read_again(known_id, read_until)
        elif not known_id:
            self._unconfirmed[self._memory] = TopicPartition(*self._memory, 0, topic_id)
        self._topic_id = topic_id
        return is_new

    def _read_progress(self) -> tuple[str, datetime | None]:
        """Return the id of the topic that the group read last, "" if unknown, and when it had read everything."""
        (memory,) = self._consumer.committed([TopicPartition(*self._memory)], timeout=_ANSWER_SECONDS)
        topic_id, _, read_until = (memory.metadata or "").partition(" ")
        return topic_id, _time_in(read_until)

    def _read_again(self, old_id: str, read_until: datetime | None) -> None:
        """Read all partitions of a new topic from their beginning, and note that the old one is gone."""
        partitions = self._consumer.assignment()
        for partition in partitions:
            key = (partition.topic, partition.partition)
            low, _ = self._consumer.get_watermark_offsets(partition, timeout=_ANSWER_SECONDS)
            self._finder.forget_partitions([key])
            self._finder.note_restart(key, low, Restart(low, low), None)
            self._unconfirmed.pop(key, None)
            self._processed.pop(key, None)
            self._read_from(partition, low)
        self._finder.gaps.append(OffsetGap(partitions[0].topic, None, 0, None, 0, read_until, None, old_id))

    def gaps(self) -> list[OffsetGap]:
        """See `interfaces.Consumer`."""
        if not self._finder.gaps:
            return []
        topic_id = self._topic_id or self._identity.current(ask_now=True)
        return [gap if gap.topic_id else gap._replace(topic_id=topic_id) for gap in self._finder.gaps]

    def pass_gaps(self) -> None:
        """See `interfaces.Consumer`."""
        for gap in self._finder.gaps:
            if gap.partition is None:
                self._unconfirmed[self._memory] = TopicPartition(*self._memory, 0, self._topic_id)
            else:
                self._note_processed((gap.topic, gap.partition), gap.resume, gap.until or system_clock())
        self._finder.gaps = []
        self.commit([])

    def commit(self, records: Sequence[Record]) -> None:
        """See `interfaces.Consumer`. Does not wait: a lost commit only brings the same reads a second time."""
        last_records = {(record.topic, record.partition): record for record in records}
        for key, record in last_records.items():
            # A record of a topic that has been deleted since says nothing of the new topic.
            if record.offset < (self._finder.next_offset(key) or 0):
                self._note_processed(key, record.offset + 1, record.arrived_at)
        if not records and time.monotonic() >= self._remember_at:
            self._remember_progress()
        if self._unconfirmed:
            with as_rejection():
                self._consumer.commit(offsets=list(self._unconfirmed.values()), asynchronous=True)

    def _remember_progress(self) -> None:
        """Commit until when everything was read, so that the arrival of lost records is known to a minute."""
        if self._caught_up_at is None or not self._topic_id:
            return
        self._remember_at = time.monotonic() + _REMEMBER_SECONDS
        for key, next_offset in list(self._processed.items()):
            self._note_processed(key, next_offset, self._caught_up_at)
        remembered = f"{self._topic_id} {self._caught_up_at.isoformat()}"
        self._unconfirmed[self._memory] = TopicPartition(*self._memory, 0, remembered)

    def _note_processed(self, partition: tuple[str, int], next_offset: int, read_until: datetime | None) -> None:
        """Note the offset to commit, and beside it until when everything that arrived was read."""
        self._processed[partition] = next_offset
        metadata = read_until.isoformat() if read_until is not None else ""
        self._unconfirmed[partition] = TopicPartition(*partition, next_offset, metadata)

    def partition_count(self) -> int:
        """See `interfaces.Consumer`."""
        with as_rejection():
            return len(self._consumer.assignment())

    def lag(self) -> int | None:
        """See `interfaces.Consumer`."""
        try:
            positions = self._consumer.position(self._consumer.assignment())
            self._look_up_first_offsets(positions)
            lag = count_waiting(self._consumer, positions, self._first_offset)
        except KafkaException:
            return None
        if lag == 0:
            self._caught_up_at = system_clock() - _END_KNOWN_AFTER
        return lag

    def close(self) -> None:
        """See `interfaces.Consumer`."""
        self._remember_progress()  # of what is processed: after an error, records may have come that are not
        self._commit_now(list(self._unconfirmed.values()))
        # The client must process its rebalance events before it closes. With one still waiting, for instance in a
        # consumer that never got a record, `close` hangs for ever. Records that arrive meanwhile are not committed,
        # so the next member of the group gets them.
        for step in (self._process_events, self._consumer.unsubscribe, self._process_events, self._consumer.close):
            try:
                step()
            except KafkaException as error:
                log.warning("the group has removed this member already", reason=error.args[0].str())

    def _process_events(self) -> None:
        """Let the client process the changes of its partitions."""
        until = time.monotonic() + _EVENTS_SECONDS
        while time.monotonic() < until:
            self._consumer.poll(0.01)

    def _on_commit(self, error: KafkaError | None, committed: list[TopicPartition]) -> None:
        """Forget the offsets that the broker has confirmed. The others go with the next commit."""
        for partition in committed:
            waiting = self._unconfirmed.get((partition.topic, partition.partition))
            is_confirmed = error is None and partition.error is None
            if is_confirmed and waiting is not None and waiting.offset <= partition.offset:
                del self._unconfirmed[partition.topic, partition.partition]

    def _look_up_first_offsets(self, positions: list[TopicPartition]) -> None:
        """Ask the broker, once, for the committed offsets of the partitions that have brought no record yet."""
        unknown = [p for p in positions if p.offset < 0 and (p.topic, p.partition) not in self._first_offset]
        for partition in self._consumer.committed(unknown, timeout=1) if unknown else ():
            self._first_offset[partition.topic, partition.partition] = max(0, partition.offset)
            if partition.offset >= 0:
                self._processed.setdefault((partition.topic, partition.partition), partition.offset)

    def _on_revoke(self, _: Consumer, revoked: list[TopicPartition]) -> None:
        """Finish the commits of partitions that another member gets. Between batches all alerts are published."""
        waiting = [self._unconfirmed.pop((partition.topic, partition.partition), None) for partition in revoked]
        for partition in revoked:
            self._first_offset.pop((partition.topic, partition.partition), None)
            self._processed.pop((partition.topic, partition.partition), None)
        self._finder.forget_partitions((partition.topic, partition.partition) for partition in revoked)
        self._commit_now([partition for partition in waiting if partition is not None])

    def _commit_now(self, offsets: list[TopicPartition]) -> None:
        if not offsets:
            return
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            # Another member has the partitions already, or the broker is away: the reads will be matched again.
            log.warning("the broker did not accept a commit", reason=error.args[0].str())


def _time_in(metadata: str | None) -> datetime | None:
    """Return the time that was committed beside an offset: the group had read everything that arrived until then."""
    try:
        return datetime.fromisoformat(metadata or "")
    except ValueError:
        return None
