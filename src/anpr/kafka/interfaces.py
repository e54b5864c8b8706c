"""What the services need from a broker, as three roles: consumer, producer and tail. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol


class Record(NamedTuple):
    """One record of a topic, with its place and the broker's time of its arrival.

    `is_replayed` tells that it was a dead letter, and was sent again.
    """

    topic: str
    partition: int
    offset: int
    arrived_at: datetime | None
    value: bytes | None
    is_replayed: bool = False


# The header of what is sent again.
REPLAYED: Final = "replayed"


# The code of a record that the broker would take if it were smaller.
TOO_LARGE: Final = "kafka-record-too-large"


class RejectedError(Exception):
    """The broker refuses, until somebody mends the cause. `code` is as in `anpr.runtime.errors`."""

    def __init__(self, message: str, code: str = "kafka-refused") -> None:
        super().__init__(message)
        self.code = code


class UndeliveredError(RejectedError):
    """A record was not taken by the broker. What caused it must not be committed."""


DeliveryCallback = Callable[[UndeliveredError | None], None]


class PendingRecord(NamedTuple):
    """A record that was handed over for delivery, and who is told what became of it."""

    topic: str
    key: str | None
    value: bytes
    headers: Mapping[str, bytes]
    on_delivery: DeliveryCallback | None


class Consumer(Protocol):
    """One member of a group that shares a topic: each record goes to one member, again until it is committed."""

    def poll(self, max_records: int, wait_seconds: float) -> list[Record]:
        """Return the records that are there, at most `max_records`; wait for the first one up to `wait_seconds`.

        Raises RejectedError when the broker refuses; this source is of no use then.
        """
        ...

    def commit(self, records: Sequence[Record]) -> None:
        """Note that these, and all before them in their partitions, are done with."""
        ...

    def partition_count(self) -> int:
        """Return how many partitions are held here: 0 for a member that only stands by."""
        ...

    def lag(self) -> int | None:
        """Return how many records wait in the partitions held here, or None while that is not known."""
        ...

    def close(self) -> None:
        """Finish the commits and let go."""
        ...


class Producer(Protocol):
    """Takes records for any topic. They are with the broker when `flush` has returned 0, and not before."""

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
        """Wait for delivery up to `wait_seconds` and return how many are still under way.

        Raises UndeliveredError when the broker has refused one for good, then and ever after.
        """
        ...


class Tail(Protocol):
    """Reads whole topics from their beginning and goes on as they grow, on its own account."""

    def poll(self, wait_seconds: float) -> list[Record]:
        """Return what is there; wait for the first record up to `wait_seconds`."""
        ...

    def caught_up(self) -> bool:
        """Tell whether everything that the topics held at the start has been returned."""
        ...

    def problem(self) -> str:
        """Return what keeps records from coming, in words, as far as it is known; "" when all is well."""
        ...

    def close(self) -> None:
        """Let go."""
        ...
