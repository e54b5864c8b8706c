"""The state of a consumer group, and the records of a topic with one partition. Asking changes nothing."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
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
    """Return the last record of each key, the newest last, of a topic with one partition. Raises KafkaException."""
    last_by_key: dict[bytes | str | None, LastRecord] = {}
    for message in _messages(address, topic, wait_seconds):
        arrived_at = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
        last_by_key.pop(message.key(), None)
        last_by_key[message.key()] = LastRecord(arrived_at, message.value() or b"")
    return list(last_by_key.values())


def values(address: str, topic: str, wait_seconds: float) -> Iterator[bytes]:
    """Yield the value of every record of a topic with one partition, the oldest first. Raises KafkaException."""
    for message in _messages(address, topic, wait_seconds):
        yield message.value() or b""


def _messages(address: str, topic: str, wait_seconds: float) -> Iterator[Message]:
    consumer = Consumer(
        {"bootstrap.servers": address, "group.id": "anpr-doctor", "enable.auto.commit": False, "log_level": 0}
    )
    try:
        start, end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=wait_seconds)
        consumer.assign([TopicPartition(topic, 0, start)])
        until = time.monotonic() + wait_seconds
        offset = start
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
    finally:
        consumer.close()
