"""A member of a consumer group: the settings that decide latency and safety, and the commits.

Measured: `poll(t)` followed by `consume(n, 0)` wakes at the first record and still returns whole batches, whereas
`consume(n, t)` waits for n records or for the whole of t.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from anpr.kafka.broker_errors import code_of, is_refusal
from anpr.kafka.connection import COMMON_SETTINGS, FETCH_SETTINGS, ErrorLog, records_of
from anpr.kafka.delivery_errors import RejectedError
from anpr.kafka.interfaces import Record
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

_EVENTS_SECONDS = 0.1


class KafkaConsumer:
    """A matcher's share of a reads topic. A static member: it gets its partitions back as soon as it restarts."""

    def __init__(self, bootstrap: str, topic: str, group: str, member: str, session_timeout_seconds: float) -> None:
        """Join `group` as `member`. No other running member of the group may have that name.

        This and all other methods raise RejectedError when this consumer cannot be used any more; a new one may work.
        """
        session_ms = round(session_timeout_seconds * 1000)
        # By partition: the offset that the broker has not confirmed yet, and the offset at which this group begins.
        self._unconfirmed: dict[tuple[str, int], TopicPartition] = {}
        self._first_offset: dict[tuple[str, int], int] = {}
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
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "topic.metadata.refresh.interval.ms": 10_000,
            "error_cb": ErrorLog(),
            "on_commit": self._on_commit,
        }
        with _as_rejection():
            self._consumer = Consumer(settings)
            self._consumer.subscribe([topic], on_revoke=self._on_revoke)

    def poll(self, max_records: int, wait_seconds: float) -> list[Record]:
        """See `interfaces.Consumer`."""
        with _as_rejection():
            first = self._consumer.poll(wait_seconds)
            if first is None:
                return []
            messages = [first, *self._consumer.consume(max_records - 1, 0)] if max_records > 1 else [first]
        for message in messages:
            error = message.error()
            # The client reports a refusal once and then stays silent.
            if error is not None and is_refusal(error):
                raise RejectedError(f"{message.topic() or 'its group'}: {error.str()}", code_of(error))
        return records_of(messages)

    def commit(self, records: Sequence[Record]) -> None:
        """See `interfaces.Consumer`. Does not wait: a lost commit only brings the same reads a second time."""
        for record in records:
            committed = TopicPartition(record.topic, record.partition, record.offset + 1)
            self._unconfirmed[record.topic, record.partition] = committed
        if self._unconfirmed:
            with _as_rejection():
                self._consumer.commit(offsets=list(self._unconfirmed.values()), asynchronous=True)

    def partition_count(self) -> int:
        """See `interfaces.Consumer`."""
        with _as_rejection():
            return len(self._consumer.assignment())

    def lag(self) -> int | None:
        """See `interfaces.Consumer`."""
        lag = 0
        try:
            positions = self._consumer.position(self._consumer.assignment())
            self._look_up_first_offsets(positions)
            for position in positions:
                _, end = self._consumer.get_watermark_offsets(position, cached=True)
                # A partition that has brought no record yet has no position: it is where the group committed last.
                first = self._first_offset.get((position.topic, position.partition), -1)
                offset = position.offset if position.offset >= 0 else first
                if offset < 0 or end < 0:
                    return None
                lag += max(0, end - offset)
        except KafkaException:
            return None
        return lag

    def close(self) -> None:
        """See `interfaces.Consumer`."""
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

    def _on_revoke(self, _: Consumer, revoked: list[TopicPartition]) -> None:
        """Finish the commits of partitions that another member gets. Between batches all alerts are published."""
        waiting = [self._unconfirmed.pop((partition.topic, partition.partition), None) for partition in revoked]
        for partition in revoked:
            self._first_offset.pop((partition.topic, partition.partition), None)
        self._commit_now([partition for partition in waiting if partition is not None])

    def _commit_now(self, offsets: list[TopicPartition]) -> None:
        if not offsets:
            return
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            # Another member has the partitions already, or the broker is away: the reads will be matched again.
            log.warning("the broker did not accept a commit", reason=error.args[0].str())


@contextmanager
def _as_rejection() -> Iterator[None]:
    """Raise the client's exceptions as RejectedError, so that the service tries again with a new client."""
    try:
        yield
    except KafkaException as error:
        raise RejectedError(error.args[0].str(), code_of(error.args[0])) from None
