"""Kafka, by confluent-kafka: the settings that decide latency and safety, and the three roles of `records.py`.

What is set here, and why, was measured: `fetch.queue.backoff.ms` at its default lets a fast loop stall for a second;
`poll(t)` then `consume(n, 0)` wakes at the first record and still takes whole batches, where `consume(n, t)` waits
for n records or the whole of t.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from anpr.kafka.broker_errors import code_of, is_refusal
from anpr.kafka.interfaces import (
    REPLAYED,
    TOO_LARGE,
    DeliveryCallback,
    PendingRecord,
    Record,
    RejectedError,
    UndeliveredError,
)
from anpr.kafka.topic_specs import MAX_RECORD_BYTES
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

# Reconnecting is quick on both sides: a broker that is back is used within a quarter of a second.
# The client's own log repeats every failed connection on stderr; what matters of it comes by `error_cb`.
_COMMON = {"reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 250, "log_level": 0}
_SAY_AGAIN_SECONDS = 10

_TAIL_BATCH_RECORDS = 1000
_HEAR_SECONDS = 0.1
# Topics that do not exist yet are looked for often; partitions that are added to one, now and then.
_LOOK_AGAIN_SECONDS = 1
_NEW_PARTITIONS_SECONDS = 30
# Matchers speak once a second: where nothing comes for so long, the broker is asked whether it is there, so that this
# is known before a site is called silent.
_QUIET_SECONDS = 2


class KafkaConsumer:
    """A matcher's share of a reads topic. A static member: one that restarts takes up its partitions at once."""

    def __init__(self, bootstrap: str, topic: str, group: str, member: str, session_timeout_seconds: float) -> None:
        """Join `group` as `member`, a name that no other running member of the group has.

        Raises RejectedError, here and in all methods, where this source is of no use and another one may be.
        """
        session_ms = round(session_timeout_seconds * 1000)
        self._unconfirmed: dict[tuple[str, int], TopicPartition] = {}
        self._begun_at: dict[tuple[str, int], int] = {}
        settings: dict[str, Any] = {
            **_COMMON,
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "group.instance.id": member,
            "session.timeout.ms": session_ms,
            "heartbeat.interval.ms": session_ms // 6,
            "max.poll.interval.ms": 600_000,
            "partition.assignment.strategy": "cooperative-sticky",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "fetch.queue.backoff.ms": 1,
            "topic.metadata.refresh.interval.ms": 10_000,
            "error_cb": _ErrorLog(),
            "on_commit": self._confirm,
        }
        with _as_refusal():
            self._consumer = Consumer(settings)
            self._consumer.subscribe([topic], on_revoke=self._before_revoke)

    def poll(self, max_records: int, wait_seconds: float) -> list[Record]:
        """See `interfaces.Consumer`."""
        with _as_refusal():
            first = self._consumer.poll(wait_seconds)
            if first is None:
                return []
            messages = [first, *self._consumer.consume(max_records - 1, 0)] if max_records > 1 else [first]
        for message in messages:
            error = message.error()
            # The client says it once and is silent then.
            if error is not None and is_refusal(error):
                raise RejectedError(f"{message.topic() or 'its group'}: {error.str()}", code_of(error))
        return list(_records(messages))

    def commit(self, records: Sequence[Record]) -> None:
        """See `interfaces.Consumer`. Does not wait: a commit that is lost only brings reads a second time."""
        for record in records:
            place = TopicPartition(record.topic, record.partition, record.offset + 1)
            self._unconfirmed[record.topic, record.partition] = place
        if self._unconfirmed:
            with _as_refusal():
                self._consumer.commit(offsets=list(self._unconfirmed.values()), asynchronous=True)

    def partition_count(self) -> int:
        """See `interfaces.Consumer`."""
        with _as_refusal():
            return len(self._consumer.assignment())

    def lag(self) -> int | None:
        """See `interfaces.Consumer`."""
        lag = 0
        try:
            places = self._consumer.position(self._consumer.assignment())
            self._find_beginnings(places)
            for place in places:
                _, end = self._consumer.get_watermark_offsets(place, cached=True)
                # A partition that has brought nothing yet has no position: then it is where the group left it.
                at = place.offset if place.offset >= 0 else self._begun_at.get((place.topic, place.partition), -1)
                if at < 0 or end < 0:
                    return None
                lag += max(0, end - at)
        except KafkaException:
            return None
        return lag

    def close(self) -> None:
        """See `interfaces.Consumer`."""
        self._commit_now(list(self._unconfirmed.values()))
        # Partitions are taken and given up while the client still turns: one that is closed with word of them waiting
        # unheard, as when it never took a record, waits for itself for ever. What comes meanwhile is not committed,
        # so whoever has the partitions next takes it.
        for step in (self._hear, self._consumer.unsubscribe, self._hear, self._consumer.close):
            try:
                step()
            except KafkaException as error:
                log.warning("the group has thrown this member out already", reason=error.args[0].str())

    def _hear(self) -> None:
        """Let the client say what has become of its partitions."""
        until = time.monotonic() + _HEAR_SECONDS
        while time.monotonic() < until:
            self._consumer.poll(0.01)

    def _confirm(self, error: KafkaError | None, places: list[TopicPartition]) -> None:
        """Forget the commits that the broker has taken; the rest go with the next commit."""
        for place in places:
            waiting = self._unconfirmed.get((place.topic, place.partition))
            if error is None and place.error is None and waiting is not None and waiting.offset <= place.offset:
                del self._unconfirmed[place.topic, place.partition]

    def _find_beginnings(self, places: list[TopicPartition]) -> None:
        """Ask the broker, once, where the group left the partitions that have brought nothing yet."""
        unknown = [p for p in places if p.offset < 0 and (p.topic, p.partition) not in self._begun_at]
        for place in self._consumer.committed(unknown, timeout=1) if unknown else ():
            self._begun_at[place.topic, place.partition] = max(0, place.offset)

    def _before_revoke(self, _: Consumer, revoked: list[TopicPartition]) -> None:
        """Finish the commits of partitions that go to another member. Between two turns all is published."""
        gone = [self._unconfirmed.pop((place.topic, place.partition), None) for place in revoked]
        for place in revoked:
            self._begun_at.pop((place.topic, place.partition), None)
        self._commit_now([place for place in gone if place is not None])

    def _commit_now(self, places: list[TopicPartition]) -> None:
        if not places:
            return
        try:
            self._consumer.commit(offsets=places, asynchronous=False)
        except KafkaException as error:
            # Another member has them already, or the broker is away: they will be matched a second time.
            log.warning("commit not taken", reason=error.args[0].str())


class KafkaProducer:
    """An idempotent producer that gives nothing up: what it was handed is delivered, or the loss is raised."""

    def __init__(self, bootstrap: str, linger_ms: float = 0) -> None:
        """`linger_ms` gathers records for that long: 0 for the few alerts, more for a gateway's many reads."""
        self._error_log = _ErrorLog()
        self._refused: UndeliveredError | None = None
        self._settings: dict[str, Any] = {
            **_COMMON,
            "bootstrap.servers": bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            # With a second batch under way, a first one that the broker did not take is told as delivered when the
            # second is (docs/adr/0002): the client takes it that a broker keeps to the order of what it has not seen.
            "max.in.flight.requests.per.connection": 1,
            "linger.ms": linger_ms,
            "message.timeout.ms": 0,
            "message.max.bytes": MAX_RECORD_BYTES,
            "error_cb": self._error_log,
        }
        self._producer = Producer(self._settings)
        # A broker refuses a batch as too large for what it holds together: its records are tried again by this one.
        self._one_by_one: Producer | None = None

    def produce(
        self,
        topic: str,
        key: str | None,
        value: bytes,
        headers: Mapping[str, bytes] | None = None,
        on_delivery: DeliveryCallback | None = None,
    ) -> None:
        """See `interfaces.Producer`."""
        self._produce(self._producer, PendingRecord(topic, key, value, headers or {}, on_delivery))

    def _produce(self, producer: Producer, record: PendingRecord) -> None:
        def answered(error: KafkaError | None, _: Message) -> None:
            if error is not None and code_of(error) == TOO_LARGE and producer is not self._one_by_one:
                self._one_by_one = self._one_by_one or Producer({**self._settings, "batch.num.messages": 1})
                self._produce(self._one_by_one, record)
            else:
                self._answer(record, error)

        headers: list[tuple[str, str | bytes | None]] = list(record.headers.items())
        while True:
            try:
                producer.produce(record.topic, record.value, record.key, headers=headers, on_delivery=answered)
            except BufferError:
                producer.poll(0.1)
            except KafkaException as error:
                return self._answer(record, error.args[0])
            else:
                return None

    def _answer(self, record: PendingRecord, error: KafkaError | None) -> None:
        why = None if error is None else UndeliveredError(f"{record.topic}: {error.str()}", code_of(error))
        if record.on_delivery is not None:
            record.on_delivery(why)
        else:
            self._refused = self._refused or why

    def flush(self, wait_seconds: float) -> int:
        """See `interfaces.Producer`."""
        waiting = int(self._producer.flush(wait_seconds))
        if self._one_by_one is not None:
            waiting += int(self._one_by_one.flush(wait_seconds))
        self._error_log.raise_fatal()
        if self._refused is not None:
            raise self._refused
        return waiting

    def problem(self, topic: str, wait_seconds: float) -> str:
        """Return what the broker does not let this client do with a topic, "" if all is well. Any thread may ask."""
        try:
            error = self._producer.list_topics(topic, timeout=wait_seconds).topics[topic].error
        except KafkaException:
            return "does not answer"
        return f"refuses {topic}: {error.str()} ({code_of(error)})" if error is not None else ""


class KafkaTail:
    """Every record of some topics, from the beginning. Topics that do not exist yet are looked for again."""

    def __init__(self, bootstrap: str, topics: Iterable[str]) -> None:
        """Read the topics in no group: nothing is committed, and every tail gets every record."""
        self._address = bootstrap
        self._wanted = set(topics)
        self._trouble = ""
        self._heard_at = time.monotonic()
        self._at_end: dict[tuple[str, int], bool] = {}
        self._look_again_at = 0.0
        self._consumer = Consumer(
            {
                **_COMMON,
                "bootstrap.servers": bootstrap,
                "group.id": "anpr-tail",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "fetch.queue.backoff.ms": 1,
                "error_cb": _ErrorLog(),
            }
        )

    def poll(self, wait_seconds: float) -> list[Record]:
        """See `interfaces.Tail`."""
        if time.monotonic() >= self._look_again_at:
            self._assign_what_exists()
            missing = self._wanted - {topic for topic, _ in self._at_end}
            self._look_again_at = time.monotonic() + (_LOOK_AGAIN_SECONDS if missing else _NEW_PARTITIONS_SECONDS)
        first = self._consumer.poll(wait_seconds)
        if first is None:
            if time.monotonic() > self._heard_at + _QUIET_SECONDS:
                self._heard_at, self._look_again_at = time.monotonic(), 0
            return []
        self._heard_at, self._trouble = time.monotonic(), ""
        messages = [first, *self._consumer.consume(_TAIL_BATCH_RECORDS - 1, 0)]
        for message in messages:
            error = message.error()
            if error is not None and error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  its public name
                self._at_end[_place(message)] = True
        return list(_records(messages))

    def caught_up(self) -> bool:
        """See `interfaces.Tail`."""
        return self._wanted == {topic for topic, _ in self._at_end} and all(self._at_end.values())

    def problem(self) -> str:
        """See `interfaces.Tail`."""
        return self._trouble

    def close(self) -> None:
        """See `interfaces.Tail`."""
        self._consumer.close()

    def _assign_what_exists(self) -> None:
        try:
            known = self._consumer.list_topics(timeout=2).topics
        except KafkaException as error:
            if not self._trouble:
                log.warning("the broker does not answer", address=self._address, reason=error.args[0].str())
            self._trouble = f"the broker at {self._address} does not answer"
            return
        if missing := [topic for topic in sorted(self._wanted) if topic not in known or known[topic].error]:
            self._trouble = (
                f"the broker at {self._address} has no {missing[0]} for this user, of {len(missing)} topics"
            )
        else:
            self._trouble = ""
        places = [
            TopicPartition(topic, partition, OFFSET_BEGINNING)
            for topic in sorted(self._wanted)
            if topic in known and known[topic].error is None
            for partition in known[topic].partitions
            if (topic, partition) not in self._at_end
        ]
        if places:
            self._consumer.incremental_assign(places)
            self._at_end.update({(place.topic, place.partition): False for place in places})


@contextmanager
def _as_refusal() -> Iterator[None]:
    """Tell of what a client raises as of what the broker refuses: it is tried again with another client."""
    try:
        yield
    except KafkaException as error:
        raise RejectedError(error.args[0].str(), code_of(error.args[0])) from None


def _records(messages: Iterable[Message]) -> Iterable[Record]:
    for message in messages:
        error = message.error()
        if error is None:
            arrived_at = _moment(*message.timestamp())
            headers: Any = message.headers() or ()
            is_replayed = any(name == REPLAYED for name, _ in headers)
            yield Record(*_place(message), message.offset() or 0, arrived_at, message.value(), is_replayed)
        elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  its public name
            log.warning("consumer error", topic=message.topic(), reason=error.str())


def _place(message: Message) -> tuple[str, int]:
    return message.topic() or "", message.partition() or 0


def _moment(kind: int, milliseconds: int) -> datetime | None:
    return None if kind == TIMESTAMP_NOT_AVAILABLE else datetime.fromtimestamp(milliseconds / 1000, UTC)


class _ErrorLog:
    """Logs what goes wrong with the connection: each kind of error once in a while, not at every attempt.

    A producer says here, and nowhere else, that it cannot go on. A consumer says it in place of a record.
    """

    def __init__(self) -> None:
        self._fatal: KafkaError | None = None
        self._say_again_at: dict[int, float] = {}

    def raise_fatal(self) -> None:
        """Raise UndeliveredError if the client has said that it cannot go on."""
        if self._fatal is not None:
            raise UndeliveredError(self._fatal.str(), code_of(self._fatal))

    def __call__(self, error: KafkaError) -> None:
        if error.fatal():
            self._fatal = error
        now = time.monotonic()
        if now >= self._say_again_at.get(error.code(), 0):
            self._say_again_at[error.code()] = now + _SAY_AGAIN_SECONDS
            log.warning("connection error", kind=error.name(), reason=error.str())
