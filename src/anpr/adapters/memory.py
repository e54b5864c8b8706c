"""A broker in memory: the twin of `kafka.py` for unit tests, kept to the same contract by one test suite."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from anpr.adapters.records import Record, UndeliveredError
from anpr.clock import Clock


class MemoryBroker:
    """Topics of one partition each. `refusing` makes it turn every delivery down, as a full or lost broker does."""

    def __init__(self, clock: Clock) -> None:
        """Records arrive by `clock`."""
        self.topics: defaultdict[str, list[tuple[str | None, bytes, dict[str, bytes], datetime]]] = defaultdict(list)
        self.committed: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.refusing = False
        self.clock = clock

    def records(self, topic: str, start: int) -> list[Record]:
        """Return the records of a topic from `start` on."""
        return [
            Record(topic, 0, offset, arrived_at, value)
            for offset, (_, value, _, arrived_at) in enumerate(self.topics[topic])
            if offset >= start
        ]


class MemorySource:
    """The only member of a group."""

    def __init__(self, broker: MemoryBroker, topic: str, group: str) -> None:
        """Begin at what the group has committed."""
        self._broker, self._topic, self._group = broker, topic, group
        self._next = broker.committed[group, topic]

    def take(self, max_records: int, wait_seconds: float) -> list[Record]:  # noqa: ARG002  nothing to wait for
        """See `records.Source`."""
        records = self._broker.records(self._topic, self._next)[:max_records]
        self._next += len(records)
        return records

    def commit(self, records: Sequence[Record]) -> None:
        """See `records.Source`."""
        for record in records:
            self._broker.committed[self._group, self._topic] = record.offset + 1

    def partitions(self) -> int:
        """See `records.Source`."""
        return 1

    def lag(self) -> int | None:
        """See `records.Source`."""
        return len(self._broker.topics[self._topic]) - self._next

    def close(self) -> None:
        """See `records.Source`."""


class MemoryPublisher:
    """Delivers at `flush`."""

    def __init__(self, broker: MemoryBroker) -> None:
        """Publish to `broker`."""
        self._broker = broker
        self._under_way: list[tuple[str, str | None, bytes, dict[str, bytes], Callable[[], None] | None]] = []

    def publish(
        self,
        topic: str,
        key: str | None,
        value: bytes,
        headers: Mapping[str, bytes] | None = None,
        on_delivered: Callable[[], None] | None = None,
    ) -> None:
        """See `records.Publisher`."""
        self._under_way.append((topic, key, value, dict(headers or {}), on_delivered))

    def flush(self, wait_seconds: float) -> int:  # noqa: ARG002  nothing to wait for
        """See `records.Publisher`."""
        if self._broker.refusing:
            raise UndeliveredError("the broker refuses")
        for topic, key, value, headers, on_delivered in self._under_way:
            self._broker.topics[topic].append((key, value, headers, self._broker.clock()))
            if on_delivered is not None:
                on_delivered()
        self._under_way.clear()
        return 0


class MemoryTail:
    """Every record of some topics, from the beginning."""

    def __init__(self, broker: MemoryBroker, topics: Iterable[str]) -> None:
        """Read `topics` of `broker`."""
        self._broker = broker
        self._next = dict.fromkeys(topics, 0)

    def take(self, wait_seconds: float) -> list[Record]:  # noqa: ARG002  nothing to wait for
        """See `records.Tail`."""
        records = [r for topic, start in self._next.items() for r in self._broker.records(topic, start)]
        for record in records:
            self._next[record.topic] = record.offset + 1
        return records

    def caught_up(self) -> bool:
        """See `records.Tail`."""
        return all(len(self._broker.topics[topic]) == start for topic, start in self._next.items())

    def close(self) -> None:
        """See `records.Tail`."""
