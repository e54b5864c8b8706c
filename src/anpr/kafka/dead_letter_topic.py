"""The dead letters of a site on their topic, and how far they have been replayed.

The broker keeps the position of the replay: the committed offset of one group for each site. The topic is made with
one partition, and somebody may have added others.
"""

from collections.abc import Iterable, Iterator
from heapq import merge
from operator import attrgetter
from typing import Any, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from anpr.contracts.dead_letters import REASON, REPLAYED, DeadLetter
from anpr.kafka.connection import LONG_AGO, arrival_of

_BATCH_RECORDS = 500


class DeadLetters:
    """One site's dead letters. Used in a `with` block, which closes it. All methods raise KafkaException."""

    def __init__(self, address: str, site: str, topic: str, wait_seconds: float = 10) -> None:
        """Connect to the broker at `address`. It must answer each request within `wait_seconds`."""
        first = _Partition(address, site, TopicPartition(topic, 0), wait_seconds)
        others = (TopicPartition(topic, number) for number in range(1, first.partitions_of_topic()))
        self._partitions = [first, *(_Partition(address, site, other, wait_seconds) for other in others)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for partition in self._partitions:
            partition.close()

    def __len__(self) -> int:
        return sum(partition.end - partition.start for partition in self._partitions)

    def all(self) -> Iterator[DeadLetter]:
        """Yield the dead letters that were on the topic at its opening, the oldest first."""
        return _oldest_first(partition.read(partition.start) for partition in self._partitions)

    def newest(self, count: int) -> Iterator[DeadLetter]:
        """Yield, of `all`, the newest `count` at least, and every one that has not been replayed."""
        return _oldest_first(
            partition.read(min(partition.end - count, partition.replayed_until)) for partition in self._partitions
        )

    def note_replayed(self) -> None:
        """Commit at the broker that all of them were replayed."""
        for partition in self._partitions:
            partition.note_replayed()


class _Partition:
    """The dead letters in one partition."""

    def __init__(self, address: str, site: str, partition: TopicPartition, wait_seconds: float) -> None:
        self._site = site
        self._partition = partition
        self._wait_seconds = wait_seconds
        self._consumer = Consumer(
            {
                "bootstrap.servers": address,
                "group.id": f"anpr-replay-{site}",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "log_level": 0,
            }
        )
        self.start, self.end = self._consumer.get_watermark_offsets(self._partition, timeout=wait_seconds)
        (committed,) = self._consumer.committed([self._partition], timeout=wait_seconds)
        if committed.error is not None:
            raise KafkaException(committed.error)
        # All dead letters before this offset have been replayed.
        self.replayed_until = max(self.start, committed.offset)

    def partitions_of_topic(self) -> int:
        topic = self._partition.topic
        return len(self._consumer.list_topics(topic, timeout=self._wait_seconds).topics[topic].partitions)

    def close(self) -> None:
        self._consumer.close()

    def read(self, start: int) -> Iterator[DeadLetter]:
        """Yield the dead letters from offset `start` to the end of the partition at its opening, the oldest first."""
        if self.start == self.end:
            return
        self._consumer.assign([self._at(max(start, self.start))])
        while True:
            first = self._consumer.poll(self._wait_seconds)
            if first is None:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001  its public name
            for message in [first, *self._consumer.consume(_BATCH_RECORDS, 0)]:
                error = message.error()
                if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  as above
                    raise KafkaException(error)
                if error is not None or (message.offset() or 0) >= self.end:
                    return
                yield self._letter(message)

    def note_replayed(self) -> None:
        self._consumer.commit(offsets=[self._at(self.end)], asynchronous=False)

    def _at(self, offset: int) -> TopicPartition:
        return TopicPartition(self._partition.topic, self._partition.partition, offset)

    def _letter(self, message: Message) -> DeadLetter:
        headers = {name: value.decode("utf-8", "replace") for name, value in _headers(message)}
        offset = message.offset() or 0
        value = message.value() or b""
        return DeadLetter(
            site=self._site,
            at=arrival_of(message) or LONG_AGO,
            number=offset,
            reason=headers.get(REASON, ""),
            detail=headers.get("detail", ""),
            topic=headers.get("topic", ""),
            partition=_number(headers.get("partition"), -1),
            offset=_number(headers.get("offset"), -1),
            size_bytes=_number(headers.get("bytes"), len(value)),
            is_whole="bytes" not in headers,
            is_replayed=offset < self.replayed_until,
            has_failed_again=REPLAYED in headers,
            value=value,
        )


def _oldest_first(partitions: Iterable[Iterator[DeadLetter]]) -> Iterator[DeadLetter]:
    return merge(*partitions, key=attrgetter("at"))


def _headers(message: Message) -> list[tuple[str, bytes]]:
    headers: Any = message.headers() or ()
    return [(name, value) for name, value in headers if isinstance(value, bytes)]


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() else otherwise
