"""The state of a consumer group, and the records of a small topic. Asking changes nothing."""

import time
from collections.abc import Iterator
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own examples import these from here
    AclOperation,
    AdminClient,
    OffsetSpec,
)

from anpr.kafka.broker_errors import is_refusal
from anpr.kafka.connection import LONG_AGO, arrival_of
from anpr.kafka.settling import ask_until_settled

_BATCH_RECORDS = 1000


class GroupState(NamedTuple):
    """Running members, records that wait uncommitted, and whether this user may be a member."""

    members: int
    lag: int
    may_join: bool = True


class LastRecord(NamedTuple):
    """The value of a key's last record, and the time at which the broker got it."""

    arrived_at: datetime
    value: bytes


_Key = bytes | str | None
_arrived_at = attrgetter("arrived_at")


def group_state(address: str, group: str, topic: str, wait_seconds: float) -> GroupState:
    """Return a group's state in a topic. Raises KafkaException, also when the broker does not answer in time."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    metadata = admin.list_topics(topic, timeout=wait_seconds).topics[topic]
    if metadata.error is not None:
        raise KafkaException(metadata.error)
    partitions = [TopicPartition(topic, number) for number in metadata.partitions]
    offsets = ConsumerGroupTopicPartitions(group, partitions)

    # Each call sends a new request, because a failed future stays failed.
    def describe() -> Any:
        answers = admin.describe_consumer_groups(
            [group], include_authorized_operations=True, request_timeout=wait_seconds
        )
        return answers[group].result()

    def list_committed() -> Any:
        return admin.list_consumer_group_offsets([offsets], request_timeout=wait_seconds)[group].result()

    description = ask_until_settled(describe, wait_seconds)
    permitted = {AclOperation(operation) for operation in description.authorized_operations or ()}
    # Ask for the committed offsets before the ends: a read matched in between must not make the lag negative.
    committed = ask_until_settled(list_committed, wait_seconds)
    starts, ends = (
        {
            partition.partition: answer.result().offset
            for partition, answer in admin.list_offsets(
                dict.fromkeys(partitions, spec), request_timeout=wait_seconds
            ).items()
        }
        for spec in (OffsetSpec.earliest(), OffsetSpec.latest())  # type: ignore[no-untyped-call]  # no annotations
    )
    # A partition without a commit is read from its beginning.
    positions = {p.partition: max(p.offset, starts[p.partition]) for p in committed.topic_partitions}
    lag = sum(end - positions.get(number, starts[number]) for number, end in ends.items())
    return GroupState(len(description.members), lag, AclOperation.READ in permitted)


def last_records(address: str, topic: str, wait_seconds: float) -> list[LastRecord]:
    """Return the last record of each key, the newest last. Raises KafkaException.

    A key changes its partition only where partitions were added. Then the record counts that arrived last.
    """
    last: dict[_Key, LastRecord] = {}
    last_of_partition: dict[tuple[int | None, _Key], LastRecord] = {}
    for message in _messages(address, topic, wait_seconds):
        where = message.partition(), message.key()
        last_of_partition.pop(where, None)
        last_of_partition[where] = LastRecord(arrival_of(message) or LONG_AGO, message.value() or b"")
    for (_, key), record in last_of_partition.items():
        last[key] = max(last.pop(key, record), record, key=_arrived_at)
    return sorted(last.values(), key=_arrived_at)


def values(address: str, topic: str, wait_seconds: float) -> Iterator[bytes]:
    """Yield the value of every record, the oldest of a partition first. Raises KafkaException."""
    for message in _messages(address, topic, wait_seconds):
        yield message.value() or b""


def _messages(address: str, topic: str, wait_seconds: float) -> Iterator[Message]:
    consumer = Consumer(
        {"bootstrap.servers": address, "group.id": "anpr-doctor", "enable.auto.commit": False, "log_level": 0}
    )
    try:
        metadata = consumer.list_topics(topic, timeout=wait_seconds).topics[topic]
        if metadata.error is not None:
            raise KafkaException(metadata.error)
        for number in sorted(metadata.partitions):
            yield from _messages_of(consumer, TopicPartition(topic, number), wait_seconds)
    finally:
        consumer.close()


def _messages_of(consumer: Consumer, partition: TopicPartition, wait_seconds: float) -> Iterator[Message]:
    """Yield what a partition holds now."""
    offset, end = consumer.get_watermark_offsets(partition, timeout=wait_seconds)
    consumer.assign([TopicPartition(partition.topic, partition.partition, offset)])
    until = time.monotonic() + wait_seconds
    while offset < end:
        messages = consumer.consume(_BATCH_RECORDS, 0.1)
        if not messages and time.monotonic() > until:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001  its public name
        for message in messages:
            if (error := message.error()) is not None:
                if is_refusal(error):
                    raise KafkaException(error)
                continue
            yield message
            offset = (message.offset() or 0) + 1
