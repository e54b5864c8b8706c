"""The broker inside librdkafka, for a demo on a machine that cannot have Kafka."""

from collections.abc import Iterable

from confluent_kafka import Producer

LIMITS = (
    "This run uses the embedded mock broker: nothing survives a restart, old messages are dropped after about 5 MB"
    " a partition, and topics have no settings."
)


class MockBroker:
    """A mock cluster of one broker in this process, open to other processes on 127.0.0.1.

    Never for tests of delivery: it loses messages by design.

    Attributes:
        bootstrap: Its address for Kafka clients, "" until it is started. A new one after each start.
    """

    def __init__(self) -> None:
        self.bootstrap = ""
        self._host: Producer | None = None

    def start(self) -> None:
        """Start it; it answers when this returns."""
        # The client that hosts the cluster ignores the address it is given, but must be given one.
        self._host = Producer({"bootstrap.servers": "127.0.0.1", "test.mock.num.brokers": "1", "log_level": 4})
        (broker,) = self._host.list_topics(timeout=10).brokers.values()
        self.bootstrap = f"{broker.host}:{broker.port}"

    def create_topics(self, names: Iterable[str]) -> None:
        """Make topics exist. It knows no request for that; asking about a topic is what makes it."""
        if self._host is not None:
            for name in names:
                self._host.list_topics(name, timeout=10)

    def stop(self) -> None:
        """End it and forget all that it held."""
        self._host = None
        self.bootstrap = ""
