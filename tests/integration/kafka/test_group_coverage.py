"""A member that finds a partition unread asks for all partitions again, and loses or repeats no record by that."""

import uuid

from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # as in Kafka's examples

from anpr.kafka.consumer import KafkaConsumer
from anpr.kafka.group_coverage import GroupCoverage, group_asker
from anpr.kafka.producer import KafkaProducer
from anpr.local.processes import wait_until


def test_partitions_are_divided_anew_and_each_record_is_read_once(kafka_bootstrap: str) -> None:
    topic = f"coverage-{uuid.uuid4().hex}"
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    for name, partitions in ((topic, 3), (f"{topic}-memory", 1)):
        admin.create_topics([NewTopic(name, partitions, 1)])[name].result(60)
    consumer = KafkaConsumer(
        kafka_bootstrap, topic, topic, "one", memory_topic=f"{topic}-memory", session_timeout_seconds=6
    )
    producer, read = KafkaProducer(kafka_bootstrap), list[bytes | None]()

    def comes(count: int) -> bool:
        records = list(consumer.poll(100, 0.1))
        consumer.commit(records)
        read.extend(record.value for record in records)
        return len(read) >= count

    def send(first: int) -> None:
        for number in range(first, first + 30):
            producer.produce(topic, str(number), str(number).encode())
        assert wait_until(lambda: producer.flush(1) == 0, 60)

    send(0)
    assert wait_until(lambda: comes(30), 60)
    ask = group_asker(kafka_bootstrap, topic, topic)
    assert ask() == {0, 1, 2}
    answers = iter([False, True])
    consumer._coverage = type("Missing", (GroupCoverage,), {"is_missing_one": lambda *_: next(answers, False)})(
        topic, ask
    )
    send(30)
    assert wait_until(lambda: comes(60) and next(answers, None) is None, 60)
    assert wait_until(lambda: not consumer.poll(1, 0.1) and ask() == {0, 1, 2}, 60)
    assert sorted(int(value or b"") for value in read) == list(range(60))
    consumer.close()
