"""The least that one can do with a read, in two loops that import nothing of this project's engine.

- Without plates it polls the records and does nothing with them: the least that any Python program can take.
- With plates it is what one would write in an afternoon: two fields of each read, a set of plates, alerts, a commit.
"""

import json
import sys
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from confluent_kafka import Consumer, Producer

from benchmarks.loops.cost import Work, cost_of
from benchmarks.loops.fields import Fields

_BATCH_RECORDS: Final = 1000


def bare(work: Work) -> int:
    """Poll every record."""
    consumer = consumer_of(work)
    left = work.reads
    while left > 0:
        left -= len(polled(consumer))
    consumer.close()
    return 0


def hand_written(plates: frozenset[str]) -> Callable[[Work], int]:
    """Return a loop that looks each plate up in the set, and waits for its alerts before it commits."""
    decode = msgspec.json.Decoder(Fields).decode

    def run(work: Work) -> int:
        consumer = consumer_of(work)
        producer = producer_of(work)
        left, alerts = work.reads, 0
        while left > 0:
            records = polled(consumer)
            for record in records:
                value = record.value()
                if decode(value).plate in plates:
                    producer.produce(work.alerts_topic, value)
                    alerts += 1
            producer.flush()
            if records:
                consumer.commit(asynchronous=True)
            left -= len(records)
        consumer.close()
        return alerts

    return run


def consumer_of(work: Work) -> Consumer:
    """Return a consumer of all reads, in a group of its own."""
    consumer = Consumer(
        {
            "bootstrap.servers": work.kafka,
            "group.id": uuid.uuid4().hex,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([work.reads_topic])
    return consumer


def producer_of(work: Work) -> Producer:
    """Return a producer that neither loses nor doubles an alert, as the matcher's."""
    return Producer({"bootstrap.servers": work.kafka, "enable.idempotence": True, "acks": "all"})


def polled(consumer: Consumer) -> Sequence[Any]:
    """Return the records that have come, up to a batch."""
    records = consumer.consume(_BATCH_RECORDS, 1.0)
    for record in records:
        if error := record.error():
            raise SystemExit(error.str())
    return records


def main(work: str, path: str = "") -> None:
    """Run one of them on the work, which is JSON. `path` is a file with the plates."""
    loop = hand_written(frozenset(json.loads(Path(path).read_bytes()))) if path else bare
    sys.stdout.buffer.write(msgspec.json.encode(cost_of(loop, msgspec.json.decode(work, type=Work))))


if __name__ == "__main__":
    main(*sys.argv[1:])
