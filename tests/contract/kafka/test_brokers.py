"""The in-memory clients and the real ones keep the same contract: one suite, run on both."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own examples import these from here
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from confluent_kafka.cimpl import NewTopic

from anpr.kafka.consumer import KafkaConsumer
from anpr.kafka.delivery_errors import TOO_LARGE, UndeliveredError
from anpr.kafka.in_memory import InMemoryBroker, InMemoryConsumer, InMemoryProducer, InMemoryTail
from anpr.kafka.interfaces import Consumer, Producer, Record, Tail
from anpr.kafka.producer import KafkaProducer
from anpr.kafka.tail import KafkaTail
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock


@dataclass
class Broker:
    """How the suite reaches a broker of either kind."""

    topic: str
    producer: Producer
    consumer: Callable[[], Consumer]
    tail: Callable[[], Tail]
    limit: Callable[[int], None]
    delete_before: Callable[[int], None]
    # Whether it knows after a restart until when the group has read.
    keeps_times: bool


@pytest.fixture(params=["memory", "kafka"])
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    topic = f"contract-{uuid.uuid4().hex}"
    if request.param == "memory":
        memory = InMemoryBroker(system_clock)
        yield Broker(
            topic,
            InMemoryProducer(memory),
            lambda: InMemoryConsumer(memory, topic, "group"),
            lambda: InMemoryTail(memory, [topic]),
            partial(setattr, memory, "max_bytes"),
            partial(memory.log_start.__setitem__, topic),
            keeps_times=False,
        )
        return
    address = request.getfixturevalue("kafka_bootstrap")
    admin = AdminClient({"bootstrap.servers": address})
    memory_topic = f"{topic}-memory"
    for created in admin.create_topics([NewTopic(topic, 1, 1), NewTopic(memory_topic, 1, 1)]).values():
        created.result()
    yield Broker(
        topic,
        KafkaProducer(address),
        lambda: KafkaConsumer(address, topic, topic, "member", memory_topic=memory_topic, session_timeout_seconds=6),
        lambda: KafkaTail(address, [topic]),
        partial(limit_records, admin, topic),
        partial(delete_records, admin, topic),
        keeps_times=True,
    )


def delete_records(admin: AdminClient, topic: str, offset: int) -> None:
    start = TopicPartition(topic, 0, offset)
    admin.delete_records([start])[start].result(60)


def limit_records(admin: AdminClient, topic: str, max_bytes: int) -> None:
    entry = ConfigEntry("max.message.bytes", str(max_bytes), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result()


def produce(broker: Broker, *values: bytes) -> None:
    for value in values:
        broker.producer.produce(broker.topic, "key", value, {"reason": b"none"})
    assert broker.producer.flush(60) == 0


def poll(consumer: Consumer, count: int) -> list[Record]:
    return gather(lambda: consumer.poll(100, 0.1), count)


def gather(poll_some: Callable[[], Iterable[Record]], count: int) -> list[Record]:
    records: list[Record] = []

    def is_enough() -> bool:
        records.extend(poll_some())
        return len(records) >= count

    assert wait_until(is_enough, 60)
    return records


def test_records_come_in_order_with_their_position_and_time(broker: Broker) -> None:
    produce(broker, b"one", b"two", b"three")
    consumer = broker.consumer()
    records = poll(consumer, 3)
    consumer.close()
    assert [record.value for record in records] == [b"one", b"two", b"three"]
    assert [record.offset for record in records] == [0, 1, 2]
    assert {(record.topic, record.partition) for record in records} == {(broker.topic, 0)}
    assert all(record.arrived_at is not None and record.arrived_at.tzinfo is not None for record in records)


def test_only_records_that_were_not_committed_come_again(broker: Broker) -> None:
    produce(broker, b"one", b"two", b"three")
    consumer = broker.consumer()
    first, *_ = poll(consumer, 3)
    consumer.commit([first])
    consumer.close()
    again = broker.consumer()
    assert [record.value for record in poll(again, 2)] == [b"two", b"three"]
    again.close()


def test_the_lag_counts_the_waiting_records(broker: Broker) -> None:
    produce(broker, b"one", b"two")
    consumer = broker.consumer()
    consumer.commit(poll(consumer, 2))
    assert wait_until(lambda: not consumer.poll(10, 0.1) and consumer.lag() == 0, 60)
    consumer.close()


def test_a_restarted_member_knows_its_lag_on_a_quiet_road(broker: Broker) -> None:
    produce(broker, b"one")
    consumer = broker.consumer()
    consumer.commit(poll(consumer, 1))
    consumer.close()
    again = broker.consumer()
    assert wait_until(lambda: not again.poll(10, 0.1) and again.partition_count() == 1 and again.lag() == 0, 60)
    again.close()


def test_each_record_gets_its_delivery_callback(broker: Broker) -> None:
    results: list[UndeliveredError | None] = []
    broker.producer.produce(broker.topic, None, b"one", on_delivery=results.append)
    assert wait_until(lambda: broker.producer.flush(1) == 0, 60)
    assert results == [None]


def test_of_records_sent_together_only_the_one_that_is_too_large_is_refused(broker: Broker) -> None:
    broker.limit(2000)
    results: dict[int, UndeliveredError | None] = {}
    sizes = [500] * 6 + [3000] + [501] * 6
    for number, size in enumerate(sizes):
        broker.producer.produce(broker.topic, "key", b"x" * size, on_delivery=partial(results.__setitem__, number))
    assert wait_until(lambda: broker.producer.flush(1) == 0, 60)
    assert {number: error and error.code for number, error in results.items()} == {
        number: TOO_LARGE if size > 2000 else None for number, size in enumerate(sizes)
    }
    tail = broker.tail()
    records = gather(lambda: tail.poll(0.1), len(sizes) - 1)
    assert sorted(len(record.value or b"") for record in records) == sorted(size for size in sizes if size < 2000)
    tail.close()
    broker.producer.produce(broker.topic, "key", b"x" * 3000)
    with pytest.raises(UndeliveredError):
        assert wait_until(lambda: broker.producer.flush(1) == 0, 60)


def test_a_tail_gets_everything_from_the_beginning_and_follows_the_topic(broker: Broker) -> None:
    produce(broker, b"one", b"two")
    tail = broker.tail()
    assert [record.value for record in gather(lambda: tail.poll(0.1), 2)] == [b"one", b"two"]
    assert wait_until(lambda: not tail.poll(0.1) and tail.caught_up(), 60)
    produce(broker, b"three")
    assert [record.value for record in gather(lambda: tail.poll(0.1), 1)] == [b"three"]
    tail.close()


def gap(first: int, last: int) -> tuple[int, int | None, int]:
    return first, last, last + 1


def found(consumer: Consumer) -> list[tuple[int, int | None, int]]:
    """Return the gaps that a consumer finds: the first and the last offset, and where it reads on."""
    assert wait_until(lambda: not consumer.poll(10, 0.1) and bool(consumer.gaps()), 60)
    return [(gap.first, gap.last, gap.resume) for gap in consumer.gaps()]


def test_records_that_were_deleted_before_they_were_read_are_found_until_they_are_passed(broker: Broker) -> None:
    produce(broker, b"one", b"two")
    consumer = broker.consumer()
    consumer.commit(poll(consumer, 2))
    consumer.close()
    produce(broker, b"three", b"four")
    broker.delete_before(4)

    crashing = broker.consumer()
    assert found(crashing) == [gap(2, 3)]
    assert [(gap.since is not None, gap.until) for gap in crashing.gaps()] == [(broker.keeps_times, None)]
    crashing.close()
    again = broker.consumer()
    assert found(again) == [gap(2, 3)]
    again.pass_gaps()
    again.close()

    produce(broker, b"five", b"six")
    broker.delete_before(5)
    last = broker.consumer()
    assert [record.value for record in poll(last, 1)] == [b"six"]
    assert [(gap.first, gap.last) for gap in last.gaps()] == [(4, 4)]
    # The records were deleted before the first one arrived that is still there.
    assert all(gap.until is not None for gap in last.gaps())
    last.close()


def test_records_that_were_deleted_before_the_group_had_read_anything_are_found(broker: Broker) -> None:
    produce(broker, b"one", b"two", b"three")
    broker.delete_before(2)
    consumer = broker.consumer()
    assert [record.value for record in poll(consumer, 1)] == [b"three"]
    assert [(gap.first, gap.last) for gap in consumer.gaps()] == [(0, 1)]
    consumer.close()


def test_records_that_were_read_before_the_broker_deleted_them_are_not_missed(broker: Broker) -> None:
    produce(broker, b"one", b"two")
    consumer = broker.consumer()
    consumer.commit(poll(consumer, 2))
    consumer.close()
    broker.delete_before(2)
    again = broker.consumer()
    produce(broker, b"three")
    assert [record.value for record in poll(again, 1)] == [b"three"]
    assert again.gaps() == []
    again.close()


def test_a_record_that_came_and_was_not_committed_comes_again_whatever_else_is_committed(broker: Broker) -> None:
    produce(broker, b"one")
    consumer = broker.consumer()
    consumer.commit(poll(consumer, 1))
    assert wait_until(lambda: not consumer.poll(10, 0.1) and consumer.lag() == 0, 60)
    produce(broker, b"two", b"three", b"four")
    broker.delete_before(3)
    # The client may have had the deleted records before the broker deleted them.
    assert wait_until(lambda: b"four" in [record.value for record in consumer.poll(10, 0.1)], 60)
    consumer.pass_gaps()
    consumer.commit([])
    consumer.close()
    again = broker.consumer()
    assert [record.value for record in poll(again, 1)] == [b"four"]
    again.close()
