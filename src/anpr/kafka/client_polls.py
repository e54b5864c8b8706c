"""What each consumer does with its client: it polls a batch, and counts the records that wait.

Measured: `poll(t)` followed by `consume(n, 0)` wakes at the first record and still returns whole batches, whereas
`consume(n, t)` waits for n records or for the whole of t.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from anpr.kafka.broker_errors import code_of, is_refusal
from anpr.kafka.connection import is_offset_gone, is_surely_time, partition_of, record_of, with_records
from anpr.kafka.delivery_errors import RejectedError
from anpr.kafka.offset_gaps import Partition
from anpr.kafka.record_batch import RecordBatch


class Polled(NamedTuple):
    """The records that have arrived, and the partitions whose next offset the broker does not have."""

    records: RecordBatch
    gone: list[Partition]


def poll_batch(client: Consumer, max_records: int, wait_seconds: float) -> Polled:
    """Return what has arrived, at most `max_records`. Wait up to `wait_seconds` for the first.

    Raises RejectedError when the broker refuses: the client reports a refusal once and then stays silent.
    """
    first = client.poll(wait_seconds)
    if first is None:
        return Polled(RecordBatch.of([]), [])
    messages = [first, *client.consume(max_records - 1, 0)] if max_records > 1 else [first]
    errors = [message for message in messages if message.error() is not None]
    if not errors:
        return Polled(_batch_of(messages), [])
    for message in errors:
        error = message.error()
        if error is not None and is_refusal(error):
            raise RejectedError(f"{message.topic() or 'its group'}: {error.str()}", code_of(error))
    gone = [partition_of(message) for message in errors if is_offset_gone(message)]
    return Polled(_batch_of(with_records(message for message in messages if not is_offset_gone(message))), gone)


def _batch_of(messages: Sequence[Message]) -> RecordBatch:
    return RecordBatch(
        [message.value() or b"" for message in messages],
        [message.partition() or 0 for message in messages],
        [row for row, stamp in enumerate(map(Message.timestamp, messages)) if not is_surely_time(*stamp)],
        lambda row: record_of(messages[row]),
    )


def count_waiting(client: Consumer, positions: list[TopicPartition], starts: Mapping[Partition, int]) -> int | None:
    """Return how many records of these partitions wait, as far as the client has heard; None while it has not.

    A partition that has brought no record yet has no position: it is read from where `starts` says. Raises
    KafkaException.
    """
    waiting = 0
    for position in positions:
        _, end = client.get_watermark_offsets(position, cached=True)
        start = starts.get((position.topic, position.partition), -1)
        offset = position.offset if position.offset >= 0 else start
        if offset < 0 or end < 0:
            return None
        waiting += max(0, end - offset)
    return waiting


@contextmanager
def as_rejection() -> Iterator[None]:
    """Raise the client's exceptions as RejectedError, so that the service tries again with a new client."""
    try:
        yield
    except KafkaException as error:
        raise RejectedError(error.args[0].str(), code_of(error.args[0])) from None
