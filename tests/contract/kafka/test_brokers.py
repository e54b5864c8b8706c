"""The twin in memory keeps the contract that the real broker keeps: one suite, run on both."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own examples import these from here
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from confluent_kafka.cimpl import NewTopic

from anpr.kafka.consumer import KafkaConsumer
from anpr.kafka.errors import TOO_LARGE, UndeliveredError
from anpr.kafka.in_memory import InMemoryBroker, InMemoryConsumer, InMemoryProducer, InMemoryTail
from anpr.kafka.interfaces import Consumer, Producer, Record, Tail
from anpr.kafka.producer import KafkaProducer
from anpr.kafka.tail import KafkaTail
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock


@dataclass
class Broker:
    """How a suite gets at a broker, whichever it is."""

    topic: str
    producer: Producer
    consumer: Callable[[], Consumer]
    tail: Callable[[], Tail]
    limit: Callable[[int], None]


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
        )
        return
    address = request.getfixturevalue("kafka_bootstrap")
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result()
    yield Broker(
        topic,
        KafkaProducer(address),
        lambda: KafkaConsumer(address, topic, topic, "member", session_timeout_seconds=6),
        lambda: KafkaTail(address, [topic]),
        partial(limit_records, admin, topic),
    )


def limit_records(admin: AdminClient, topic: str, max_bytes: int) -> None:
    entry = ConfigEntry("max.message.bytes", str(max_bytes), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result()


def publish(broker: Broker, *values: bytes) -> None:
    for value in values:
        broker.producer.produce(broker.topic, "key", value, {"reason": b"none"})
    assert broker.producer.flush(30) == 0


def poll(consumer: Consumer, count: int) -> list[Record]:
    return gather(lambda: consumer.poll(100, 0.1), count)


def gather(take_some: Callable[[], list[Record]], count: int) -> list[Record]:
    taken: list[Record] = []

    def is_enough() -> bool:
        taken.extend(take_some())
        return len(taken) >= count

    assert wait_until(is_enough, 30)
    return taken


def test_records_come_in_their_order_with_their_place_and_time(broker: Broker) -> None:
    publish(broker, b"one", b"two", b"three")
    consumer = broker.consumer()
    taken = poll(consumer, 3)
    consumer.close()
    assert [record.value for record in taken] == [b"one", b"two", b"three"]
    assert [record.offset for record in taken] == [0, 1, 2]
    assert {(record.topic, record.partition) for record in taken} == {(broker.topic, 0)}
    assert all(record.arrived_at is not None and record.arrived_at.tzinfo is not None for record in taken)


def test_what_was_not_committed_comes_again_and_what_was_does_not(broker: Broker) -> None:
    publish(broker, b"one", b"two", b"three")
    consumer = broker.consumer()
    first, *_ = poll(consumer, 3)
    consumer.commit([first])
    consumer.close()
    again = broker.consumer()
    assert [record.value for record in poll(again, 2)] == [b"two", b"three"]
    again.close()


def test_the_lag_is_what_waits(broker: Broker) -> None:
    publish(broker, b"one", b"two")
    consumer = broker.consumer()
    consumer.commit(poll(consumer, 2))
    assert wait_until(lambda: not consumer.poll(10, 0.1) and consumer.lag() == 0, 30)
    consumer.close()


def test_a_restarted_member_knows_its_lag_on_a_quiet_road(broker: Broker) -> None:
    publish(broker, b"one")
    consumer = broker.consumer()
    consumer.commit(poll(consumer, 1))
    consumer.close()
    again = broker.consumer()
    assert wait_until(lambda: not again.poll(10, 0.1) and again.partition_count() == 1 and again.lag() == 0, 30)
    again.close()


def test_delivery_is_told_for_each_record(broker: Broker) -> None:
    answers: list[UndeliveredError | None] = []
    broker.producer.produce(broker.topic, None, b"one", on_delivery=answers.append)
    assert wait_until(lambda: broker.producer.flush(1) == 0, 30)
    assert answers == [None]


def test_of_records_sent_together_only_that_is_refused_which_is_itself_too_large(broker: Broker) -> None:
    broker.limit(2000)
    answers: dict[int, UndeliveredError | None] = {}
    sizes = [500] * 6 + [3000] + [501] * 6
    for number, size in enumerate(sizes):
        broker.producer.produce(broker.topic, "key", b"x" * size, on_delivery=partial(answers.__setitem__, number))
    assert wait_until(lambda: broker.producer.flush(1) == 0, 30)
    assert {number: why and why.code for number, why in answers.items()} == {
        number: TOO_LARGE if size > 2000 else None for number, size in enumerate(sizes)
    }
    tail = broker.tail()
    taken = gather(lambda: tail.poll(0.1), len(sizes) - 1)
    assert sorted(len(record.value or b"") for record in taken) == sorted(size for size in sizes if size < 2000)
    tail.close()
    broker.producer.produce(broker.topic, "key", b"x" * 3000)
    with pytest.raises(UndeliveredError):
        assert wait_until(lambda: broker.producer.flush(1) == 0, 30)


def test_a_tail_gets_everything_from_the_beginning_and_goes_on(broker: Broker) -> None:
    publish(broker, b"one", b"two")
    tail = broker.tail()
    assert [record.value for record in gather(lambda: tail.poll(0.1), 2)] == [b"one", b"two"]
    assert wait_until(lambda: not tail.poll(0.1) and tail.caught_up(), 30)
    publish(broker, b"three")
    assert [record.value for record in gather(lambda: tail.poll(0.1), 1)] == [b"three"]
    tail.close()
