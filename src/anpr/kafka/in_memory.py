"""A broker in memory: the twin of `kafka.py` for unit tests, kept to the same contract by one test suite."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from anpr.kafka.interfaces import REPLAYED, TOO_LARGE, DeliveryCallback, PendingRecord, Record, UndeliveredError
from anpr.runtime.clock import Clock


class InMemoryBroker:
    """Topics of one partition each.

    `is_away` lets every delivery wait. `refusing` makes it turn every one down, as a broker does that does not give
    the right to it; `max_bytes` those that are larger.
    """

    def __init__(self, clock: Clock) -> None:
        """Records arrive by `clock`."""
        self.topics: defaultdict[str, list[tuple[str | None, bytes, Mapping[str, bytes], datetime]]] = defaultdict(
            list
        )
        self.committed: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.is_away = False
        self.refusing = False
        self.max_bytes: int | None = None
        self.clock = clock

    def records(self, topic: str, start: int) -> list[Record]:
        """Return the records of a topic from `start` on."""
        return [
            Record(topic, 0, offset, arrived_at, value, REPLAYED in headers)
            for offset, (_, value, headers, arrived_at) in enumerate(self.topics[topic])
            if offset >= start
        ]


class InMemoryConsumer:
    """The only member of a group."""

    def __init__(self, broker: InMemoryBroker, topic: str, group: str) -> None:
        """Begin at what the group has committed."""
        self._broker, self._topic, self._group = broker, topic, group
        self._next = broker.committed[group, topic]

    def poll(self, max_records: int, wait_seconds: float) -> list[Record]:  # noqa: ARG002  nothing to wait for
        """See `interfaces.Consumer`."""
        records = self._broker.records(self._topic, self._next)[:max_records]
        self._next += len(records)
        return records

    def commit(self, records: Sequence[Record]) -> None:
        """See `interfaces.Consumer`."""
        for record in records:
            self._broker.committed[self._group, self._topic] = record.offset + 1

    def partition_count(self) -> int:
        """See `interfaces.Consumer`."""
        return 1

    def lag(self) -> int | None:
        """See `interfaces.Consumer`."""
        return len(self._broker.topics[self._topic]) - self._next

    def close(self) -> None:
        """See `interfaces.Consumer`."""


class InMemoryProducer:
    """Delivers at `flush`."""

    def __init__(self, broker: InMemoryBroker) -> None:
        """Publish to `broker`."""
        self._broker = broker
        self._refused: UndeliveredError | None = None
        self._under_way: list[PendingRecord] = []

    def produce(
        self,
        topic: str,
        key: str | None,
        value: bytes,
        headers: Mapping[str, bytes] | None = None,
        on_delivery: DeliveryCallback | None = None,
    ) -> None:
        """See `interfaces.Producer`."""
        self._under_way.append(PendingRecord(topic, key, value, dict(headers or {}), on_delivery))

    def flush(self, wait_seconds: float) -> int:  # noqa: ARG002  nothing to wait for
        """See `interfaces.Producer`."""
        if self._broker.is_away:
            return len(self._under_way)
        under_way, self._under_way = self._under_way, []
        for one in under_way:
            if self._broker.refusing:
                self._refuse(one, UndeliveredError("the broker refuses"))
            elif self._broker.max_bytes is not None and len(one.value) > self._broker.max_bytes:
                self._refuse(one, UndeliveredError(f"{one.topic}: too large", TOO_LARGE))
            else:
                self._broker.topics[one.topic].append((one.key, one.value, one.headers, self._broker.clock()))
                if one.on_delivery is not None:
                    one.on_delivery(None)
        if self._refused is not None:
            raise self._refused
        return 0

    def _refuse(self, one: PendingRecord, error: UndeliveredError) -> None:
        if one.on_delivery is not None:
            one.on_delivery(error)
        else:
            self._refused = error


class InMemoryTail:
    """Every record of some topics, from the beginning."""

    def __init__(self, broker: InMemoryBroker, topics: Iterable[str]) -> None:
        """Read `topics` of `broker`."""
        self._broker = broker
        self._next = dict.fromkeys(topics, 0)

    def poll(self, wait_seconds: float) -> list[Record]:  # noqa: ARG002  nothing to wait for
        """See `interfaces.Tail`."""
        records = [r for topic, start in self._next.items() for r in self._broker.records(topic, start)]
        for record in records:
            self._next[record.topic] = record.offset + 1
        return records

    def caught_up(self) -> bool:
        """See `interfaces.Tail`."""
        return all(len(self._broker.topics[topic]) == start for topic, start in self._next.items())

    def problem(self) -> str:
        """See `interfaces.Tail`."""
        return ""

    def close(self) -> None:
        """See `interfaces.Tail`."""
