"""A batch that the broker did not accept is never reported as delivered, whatever follows it."""

import uuid

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from anpr.kafka.producer import KafkaProducer
from anpr.kafka.tail import KafkaTail
from anpr.local.processes import wait_until
from tests.support.spoiling_proxy import SpoilingProxy


def test_a_first_batch_that_the_broker_refuses_once_is_written_all_the_same(kafka_bootstrap: str) -> None:
    topic = f"first-{uuid.uuid4().hex}"
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result()
    with SpoilingProxy(kafka_bootstrap, good=b"the first", bad=b"the wurst") as proxy:
        producer = KafkaProducer(proxy.bootstrap)
        producer.produce(topic, None, b"the first")
        assert proxy.has_damaged.wait(60)
        producer.produce(topic, None, b"the second")
        assert wait_until(lambda: producer.flush(1) == 0, 60)
    tail = KafkaTail(kafka_bootstrap, [topic])
    written: list[bytes | None] = []

    def is_all() -> bool:
        written.extend(record.value for record in tail.poll(0.1))
        return tail.caught_up()

    assert wait_until(is_all, 60)
    tail.close()
    assert written == [b"the first", b"the second"]
