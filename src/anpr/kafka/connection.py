"""The settings, the log of connection errors and the decoding of records that all Kafka clients share."""

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, KafkaError, Message

from anpr.contracts.dead_letters import REASON, REPLAYED
from anpr.kafka.broker_errors import code_of
from anpr.kafka.delivery_errors import UndeliveredError
from anpr.kafka.interfaces import Record
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

# A client reconnects within a quarter of a second after its broker is back.
# The client's own log repeats every failed connection on stderr; `ErrorLog` gets the errors that matter.
COMMON_SETTINGS: Final[dict[str, Any]] = {
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 250,
    "log_level": 0,
}
# How long the broker may hold a fetch back while there is nothing to return. It answers at once when a record comes.
FETCH_WAIT_MS: Final = 500
# For consumers. With the default backoff (1000 ms) a fast loop can stall for a second: measured.
FETCH_SETTINGS: Final[dict[str, Any]] = {"fetch.queue.backoff.ms": 1, "fetch.wait.max.ms": FETCH_WAIT_MS}
_LOG_AGAIN_SECONDS = 10
# Of the year 9999: a day before the last that Python knows.
_LAST_MILLISECOND: Final = 253_402_214_400_000
# Shown as the time of a record without a possible one.
LONG_AGO: Final = datetime.fromtimestamp(0, UTC)


class ErrorLog:
    """Logs connection errors: each kind of error once every ten seconds, not at every attempt.

    A producer reports only here that it cannot continue. A consumer reports it in place of a record.
    """

    def __init__(self) -> None:
        self._fatal: KafkaError | None = None
        self._log_again_at: dict[int, float] = {}

    def raise_fatal(self) -> None:
        """Raise UndeliveredError if the client has reported that it cannot continue."""
        if self._fatal is not None:
            raise UndeliveredError(self._fatal.str(), code_of(self._fatal))

    def __call__(self, error: KafkaError) -> None:
        if error.fatal():
            self._fatal = error
        now = time.monotonic()
        if now >= self._log_again_at.get(error.code(), 0):
            self._log_again_at[error.code()] = now + _LOG_AGAIN_SECONDS
            log.warning("connection error", kind=error.name(), reason=error.str())


def records_of(messages: Iterable[Message]) -> list[Record]:
    """Return the records among the client's messages. Log the errors, except the ends of partitions."""
    return [record_of(message) for message in with_records(messages)]


def with_records(messages: Iterable[Message]) -> list[Message]:
    """Return the messages that are records, without errors. Log the errors, except the ends of partitions."""
    return [message for message in messages if _is_record(message)]


def partition_of(message: Message) -> tuple[str, int]:
    """Return the topic and the partition of a message."""
    return message.topic() or "", message.partition() or 0


def is_end_of_partition(message: Message) -> bool:
    """Return whether the client reports that all records of a partition have been read."""
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001  its public name


def is_offset_gone(message: Message) -> bool:
    """Return whether the broker does not have the offset that a partition is to be read from."""
    error = message.error()
    return error is not None and error.code() == KafkaError._AUTO_OFFSET_RESET  # noqa: SLF001  its public name


def _is_record(message: Message) -> bool:
    error = message.error()
    if error is not None and not is_end_of_partition(message):
        log.warning("consumer error", topic=message.topic(), reason=error.str())
    return error is None


def record_of(message: Message) -> Record:
    """Return the record of a message that is no error."""
    record = Record(
        *partition_of(message),
        offset=message.offset() or 0,
        arrived_at=arrival_of(message),
        value=message.value(),
    )
    headers: Any = message.headers()
    return _with_headers(record, dict(headers)) if headers else record


def _with_headers(record: Record, headers: Mapping[str, bytes | None]) -> Record:
    reason = (headers.get(REASON) or b"").decode("utf-8", "replace")
    return record._replace(is_replayed=REPLAYED in headers, reason=reason)


def is_surely_time(kind: int, milliseconds: int) -> bool:
    """Return whether a record's timestamp is a time of arrival. The few others may be one too."""
    return kind != TIMESTAMP_NOT_AVAILABLE and 0 < milliseconds < _LAST_MILLISECOND


def arrival_of(message: Message) -> datetime | None:
    """Return when the broker got a record. Where a producer states that, it may state any number: then None."""
    kind, milliseconds = message.timestamp()
    try:
        return None if kind == TIMESTAMP_NOT_AVAILABLE else datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
