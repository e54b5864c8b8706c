"""The mock broker inside librdkafka, for a demo on a machine that has no Kafka."""

from collections.abc import Iterable

from confluent_kafka import Producer

LIMITS = (
    "This run uses the embedded mock broker. It loses everything at a restart, drops old messages after about 5 MB"
    " a partition, ignores the topics' settings, and has no ids of topics, so no history is kept."
)


class MockBroker:
    """A mock cluster of one broker in this process. Other processes reach it on 127.0.0.1.

    Never use it to test delivery: it loses messages by design.

    Attributes:
        bootstrap: Its address for Kafka clients, "" until it is started. A new one after each start.
    """

    def __init__(self) -> None:
        self.bootstrap = ""
        self._host: Producer | None = None

    def start(self) -> None:
        """Start it. It answers when this returns."""
        # The client that hosts the cluster needs an address but ignores it.
        self._host = Producer({"bootstrap.servers": "127.0.0.1", "test.mock.num.brokers": "1", "log_level": 4})
        (broker,) = self._host.list_topics(timeout=10).brokers.values()
        self.bootstrap = f"{broker.host}:{broker.port}"

    def create_topics(self, names: Iterable[str]) -> None:
        """Create topics. The mock broker has no request for that: it creates a topic when a client asks about it."""
        if self._host is not None:
            for name in names:
                self._host.list_topics(name, timeout=10)

    def stop(self) -> None:
        """End it. Its records are lost."""
        self._host = None
        self.bootstrap = ""
