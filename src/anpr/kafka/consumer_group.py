"""How far a group is, and the last record of each key of a topic: asked from outside, changing nothing."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own examples import these from here
    AclOperation,
    AdminClient,
    OffsetSpec,
)

from anpr.kafka.broker_errors import is_refusal

_BATCH_RECORDS = 1000
_COORDINATOR_TO_COME = {
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
}


class Group(NamedTuple):
    """Members that run, records that none of them has committed, and whether this user may be a member."""

    members: int
    lag: int
    may_join: bool = True


class LastWord(NamedTuple):
    """The last record of a key, and the broker's time of its arrival."""

    arrived_at: datetime
    value: bytes


def group_of(address: str, group: str, topic: str, wait_seconds: float) -> Group:
    """Return how far a group is in a topic. Raises KafkaException, as when the broker is away within so long."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    found = admin.list_topics(topic, timeout=wait_seconds).topics[topic]
    if found.error is not None:
        raise KafkaException(found.error)
    places = [TopicPartition(topic, number) for number in found.partitions]
    asking = partial(admin.describe_consumer_groups, [group], include_authorized_operations=True)
    described = _answer(lambda: asking(request_timeout=wait_seconds)[group], wait_seconds)
    may = {AclOperation(one) for one in described.authorized_operations or ()}
    asked = ConsumerGroupTopicPartitions(group, places)
    committed = _answer(
        lambda: admin.list_consumer_group_offsets([asked], request_timeout=wait_seconds)[group], wait_seconds
    )
    # What is committed is asked for before the ends, so that reads that are matched in between do not count below 0.
    starts, ends = (
        {
            place.partition: asked.result().offset
            for place, asked in admin.list_offsets(dict.fromkeys(places, spec), request_timeout=wait_seconds).items()
        }
        for spec in (OffsetSpec.earliest(), OffsetSpec.latest())  # type: ignore[no-untyped-call]  # no annotations
    )
    # A partition without a commit is read from its beginning.
    at = {place.partition: max(place.offset, starts[place.partition]) for place in committed.topic_partitions}
    lag = sum(end - at.get(number, starts[number]) for number, end in ends.items())
    return Group(len(described.members), lag, AclOperation.READ in may)


def _answer(ask: Callable[[], Future[Any]], wait_seconds: float) -> Any:
    """Return the answer about a group. A broker that has never had one, or has just begun, is asked again."""
    until = time.monotonic() + wait_seconds
    while True:
        try:
            return ask().result()
        except KafkaException as error:
            if error.args[0].code() not in _COORDINATOR_TO_COME or time.monotonic() > until:
                raise
            time.sleep(0.1)


def last_words(address: str, topic: str, wait_seconds: float) -> list[LastWord]:
    """Return the last record of each key of a topic of one partition, the newest last. Raises KafkaException."""
    consumer = Consumer(
        {"bootstrap.servers": address, "group.id": "anpr-doctor", "enable.auto.commit": False, "log_level": 0}
    )
    found: dict[bytes | str | None, LastWord] = {}
    try:
        start, end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=wait_seconds)
        consumer.assign([TopicPartition(topic, 0, start)])
        until = time.monotonic() + wait_seconds
        at = start
        while at < end:
            messages = consumer.consume(_BATCH_RECORDS, 0.1)
            if not messages and time.monotonic() > until:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001  its public name
            for message in messages:
                if (error := message.error()) is not None:
                    if is_refusal(error):
                        raise KafkaException(error)
                    continue
                arrived_at = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
                found.pop(message.key(), None)
                found[message.key()] = LastWord(arrived_at, message.value() or b"")
                at = (message.offset() or 0) + 1
    finally:
        consumer.close()
    return list(found.values())
