"""A broker in memory for unit tests. One test suite holds it and the real clients to the same contract."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from anpr.contracts.dead_letters import REASON, REPLAYED
from anpr.kafka.delivery_errors import TOO_LARGE, UndeliveredError
from anpr.kafka.interfaces import DeliveryCallback, OffsetGap, PendingRecord, Record
from anpr.kafka.offset_gaps import GapFinder, restart_at
from anpr.kafka.record_batch import RecordBatch
from anpr.runtime.clock import Clock

_WAIT_SECONDS = 0.005


class InMemoryBroker:
    """Topics of one partition each.

    With `is_away` every delivery waits. With `is_refusing` it refuses every record, as a broker does when the user
    lacks the permission. It refuses records longer than `max_bytes`.
    """

    def __init__(self, clock: Clock) -> None:
        """`clock` gives the records their time of arrival."""
        self.topics: defaultdict[str, list[tuple[str | None, bytes, Mapping[str, bytes], datetime]]] = defaultdict(
            list
        )
        self.committed: defaultdict[tuple[str, str], int] = defaultdict(int)
        # The offset before which the records of a topic were deleted.
        self.log_start: defaultdict[str, int] = defaultdict(int)
        self.is_away = False
        self.is_refusing = False
        self.max_bytes: int | None = None
        self.clock = clock

    def records(self, topic: str, start: int) -> list[Record]:
        """Return the records of a topic from `start` on."""
        first = max(start, self.log_start[topic])
        return [
            Record(topic, 0, offset, arrived_at, value, REPLAYED in headers, headers.get(REASON, b"").decode())
            for offset, (_, value, headers, arrived_at) in enumerate(self.topics[topic][first:], first)
        ]


class InMemoryConsumer:
    """The only member of a group."""

    def __init__(self, broker: InMemoryBroker, topic: str, group: str) -> None:
        """Begin at the offset that the group has committed."""
        self._broker, self._topic, self._group = broker, topic, group
        self._next = broker.committed[group, topic]
        self._finder = GapFinder()

    def poll(self, max_records: int, wait_seconds: float) -> RecordBatch:  # noqa: ARG002  nothing to wait for
        """See `interfaces.Consumer`."""
        low, high = self._broker.log_start[self._topic], len(self._broker.topics[self._topic])
        if not low <= self._next <= high:
            restart = restart_at(self._next, low, high)
            self._finder.note_restart((self._topic, 0), self._next, restart, None)
            self._next = restart.offset
        batch = RecordBatch.of(self._broker.records(self._topic, self._next)[:max_records])
        self._next += len(batch)
        self._finder.note_batch(batch)
        return batch

    def commit(self, records: Sequence[Record]) -> None:
        """See `interfaces.Consumer`."""
        for record in records:
            self._broker.committed[self._group, self._topic] = record.offset + 1

    def gaps(self) -> list[OffsetGap]:
        """See `interfaces.Consumer`."""
        return self._finder.gaps

    def pass_gaps(self) -> None:
        """See `interfaces.Consumer`."""
        for gap in self._finder.gaps:
            self._broker.committed[self._group, self._topic] = gap.resume
        self._finder.gaps = []

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
        self._pending: list[PendingRecord] = []

    def produce(
        self,
        topic: str,
        key: str | None,
        value: bytes,
        headers: Mapping[str, bytes] | None = None,
        on_delivery: DeliveryCallback | None = None,
    ) -> None:
        """See `interfaces.Producer`."""
        self._pending.append(PendingRecord(topic, key, value, dict(headers or {}), on_delivery))

    def flush(self, wait_seconds: float) -> int:  # noqa: ARG002  nothing to wait for
        """See `interfaces.Producer`."""
        if self._broker.is_away:
            return len(self._pending)
        pending, self._pending = self._pending, []
        for record in pending:
            if self._broker.is_refusing:
                self._refuse(record, UndeliveredError("the broker refuses"))
            elif self._broker.max_bytes is not None and len(record.value) > self._broker.max_bytes:
                self._refuse(record, UndeliveredError(f"{record.topic}: too large", TOO_LARGE))
            else:
                stored = (record.key, record.value, record.headers, self._broker.clock())
                self._broker.topics[record.topic].append(stored)
                if record.on_delivery is not None:
                    record.on_delivery(None)
        if self._refused is not None:
            raise self._refused
        return 0

    def _refuse(self, record: PendingRecord, error: UndeliveredError) -> None:
        if record.on_delivery is not None:
            record.on_delivery(error)
        else:
            self._refused = error


class InMemoryTail:
    """Every record of some topics, from the beginning."""

    def __init__(self, broker: InMemoryBroker, topics: Iterable[str]) -> None:
        """Read `topics` of `broker`."""
        self._broker = broker
        self._next = dict.fromkeys(topics, 0)

    def poll(self, wait_seconds: float) -> list[Record]:
        """See `interfaces.Tail`. Without records it waits briefly, so that a thread of a board does not spin."""
        if self.caught_up():
            time.sleep(min(wait_seconds, _WAIT_SECONDS))
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
