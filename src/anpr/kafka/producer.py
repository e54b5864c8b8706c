"""An idempotent producer: it delivers every record that it was given, or reports that the broker refused it."""

from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from anpr.kafka.broker_errors import code_of
from anpr.kafka.connection import COMMON_SETTINGS, ErrorLog
from anpr.kafka.delivery_errors import TOO_LARGE, UndeliveredError
from anpr.kafka.interfaces import DeliveryCallback, PendingRecord
from anpr.kafka.topic_specs import MAX_RECORD_BYTES


class KafkaProducer:
    """A producer for any topic of one broker. It keeps records until the broker answers, however long that takes."""

    def __init__(self, bootstrap: str, linger_ms: float = 0) -> None:
        """`linger_ms` is how long records are gathered: 0 for the few alerts, more for a gateway's many reads."""
        self._error_log = ErrorLog()
        self._refused: UndeliveredError | None = None
        self._settings: dict[str, Any] = {
            **COMMON_SETTINGS,
            "bootstrap.servers": bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            # With two batches under way, the client reports a first batch that the broker did not accept as delivered
            # once the second is (docs/adr/0002): it assumes that a broker keeps the order of batches it never saw.
            "max.in.flight.requests.per.connection": 1,
            "linger.ms": linger_ms,
            "message.timeout.ms": 0,
            "message.max.bytes": MAX_RECORD_BYTES,
            "error_cb": self._error_log,
        }
        self._producer = Producer(self._settings)
        # A broker refuses a whole batch as too large. This producer then sends the records of that batch one by one.
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
        def on_delivery(error: KafkaError | None, _: Message) -> None:
            if error is not None and code_of(error) == TOO_LARGE and producer is not self._one_by_one:
                self._one_by_one = self._one_by_one or Producer({**self._settings, "batch.num.messages": 1})
                self._produce(self._one_by_one, record)
            else:
                self._report(record, error)

        headers: list[tuple[str, str | bytes | None]] = list(record.headers.items())
        while True:
            try:
                producer.produce(record.topic, record.value, record.key, headers=headers, on_delivery=on_delivery)
            except BufferError:
                producer.poll(0.1)
            except KafkaException as error:
                return self._report(record, error.args[0])
            else:
                return None

    def _report(self, record: PendingRecord, error: KafkaError | None) -> None:
        """Report the delivery to the record's callback. Without one, keep an error for `flush` to raise."""
        undelivered = None if error is None else UndeliveredError(f"{record.topic}: {error.str()}", code_of(error))
        if record.on_delivery is not None:
            record.on_delivery(undelivered)
        else:
            self._refused = self._refused or undelivered

    def flush(self, wait_seconds: float) -> int:
        """See `interfaces.Producer`."""
        # A flush of nothing wakes the client's threads, and a matcher has nothing to send for nearly every read.
        waiting = int(self._producer.flush(wait_seconds)) if len(self._producer) else 0
        if self._one_by_one is not None:
            waiting += int(self._one_by_one.flush(wait_seconds))
        self._error_log.raise_fatal()
        if self._refused is not None:
            raise self._refused
        return waiting

    def problem(self, topic: str, wait_seconds: float) -> str:
        """Return why this client cannot use a topic, "" when it can. Any thread may ask."""
        try:
            error = self._producer.list_topics(topic, timeout=wait_seconds).topics[topic].error
        except KafkaException:
            return "does not answer"
        return f"refuses {topic}: {error.str()} ({code_of(error)})" if error is not None else ""
