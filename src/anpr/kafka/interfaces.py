"""The three roles in which services use Kafka: consumer, producer and tail. Pure.

Each role has a real implementation (`consumer.py`, `producer.py`, `tail.py`) and one for unit tests (`in_memory.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from anpr.kafka.delivery_errors import UndeliveredError

if TYPE_CHECKING:  # it is made of records
    from anpr.kafka.record_batch import RecordBatch


class Record(NamedTuple):
    """One record of a topic, with its position and the time at which the broker got it.

    `is_replayed` marks a dead letter that was sent again. `reason` is that of a dead letter.
    """

    topic: str
    partition: int
    offset: int
    arrived_at: datetime | None
    value: bytes | None
    is_replayed: bool = False
    reason: str = ""


class OffsetGap(NamedTuple):
    """Records of a partition that the broker deleted before a group read them.

    They had the offsets `first` to `last`; without a `last` nobody knows how many there were. The group reads on at
    `resume`. They arrived after `since`, as far as that is known, and before `until`, None for now. `topic_id`
    tells a topic from another one of the same name. Without a `partition` the whole topic was deleted, and another
    one of its name is read now.
    """

    topic: str
    partition: int | None
    first: int
    last: int | None
    resume: int
    since: datetime | None
    until: datetime | None
    topic_id: str = ""


# Called with None when the broker has the record, or with the reason why it refuses it.
DeliveryCallback = Callable[[UndeliveredError | None], None]


class PendingRecord(NamedTuple):
    """A record that waits for delivery, and the callback that gets the result."""

    topic: str
    key: str | None
    value: bytes
    headers: Mapping[str, bytes]
    on_delivery: DeliveryCallback | None


class Consumer(Protocol):
    """One member of a group that shares a topic: one member gets each record, again until it is committed."""

    def poll(self, max_records: int, wait_seconds: float) -> "RecordBatch":
        """Return the records that have arrived, at most `max_records`. Wait up to `wait_seconds` for the first.

        Raises RejectedError when the broker refuses. The consumer is of no use then; open a new one.
        """
        ...

    def commit(self, records: Sequence[Record]) -> None:
        """Note that these records, and all before them in their partitions, are processed."""
        ...

    def gaps(self) -> list[OffsetGap]:
        """Return the deleted records that `poll` has found missing and `pass_gaps` has not passed."""
        ...

    def pass_gaps(self) -> None:
        """Note that all gaps are reported, so that this group does not find them again."""
        ...

    def partition_count(self) -> int:
        """Return how many partitions this member has: 0 for one that only stands by."""
        ...

    def lag(self) -> int | None:
        """Return how many records wait in this member's partitions, None while that is unknown."""
        ...

    def close(self) -> None:
        """Finish the commits and leave the group."""
        ...


class Producer(Protocol):
    """Publishes records on any topic. The broker has them when `flush` has returned 0, and not before."""

    def produce(
        self,
        topic: str,
        key: str | None,
        value: bytes,
        headers: Mapping[str, bytes] | None = None,
        on_delivery: DeliveryCallback | None = None,
    ) -> None:
        """Hand a record over for delivery.

        `on_delivery` is called, mostly from `flush`: with None when the broker has the record, with an error when the
        broker refuses it. Without a callback, `flush` raises the error instead. A record that is too large is refused
        alone: the records sent together with it are delivered.
        """
        ...

    def flush(self, wait_seconds: float) -> int:
        """Wait up to `wait_seconds` for the deliveries and return how many records still wait.

        Raises UndeliveredError once the broker has refused a record for good, and at every later call.
        """
        ...


class Tail(Protocol):
    """Reads whole topics from their beginning and follows them. It belongs to no group."""

    def poll(self, wait_seconds: float) -> list[Record]:
        """Return the records that have arrived. Wait up to `wait_seconds` for the first."""
        ...

    def caught_up(self) -> bool:
        """Return whether everything that the topics held at the start has been returned."""
        ...

    def problem(self) -> str:
        """Return in words why no records come, as far as that is known; "" when all is well."""
        ...

    def close(self) -> None:
        """Disconnect from the broker."""
        ...
