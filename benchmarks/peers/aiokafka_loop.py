"""The hand-written loop with aiokafka, whose client is Python and Cython."""

import asyncio
import json
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.loops.cost import Work, cost_of
from benchmarks.loops.fields import Fields


def hand_written(plates: frozenset[str]) -> Callable[[Work], int]:
    """Return the loop."""
    return lambda work: asyncio.run(_run(work, plates))


async def _run(work: Work, plates: frozenset[str]) -> int:
    decode = msgspec.json.Decoder(Fields).decode
    consumer = AIOKafkaConsumer(
        work.reads_topic,
        bootstrap_servers=work.kafka,
        group_id=uuid.uuid4().hex,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(bootstrap_servers=work.kafka, enable_idempotence=True, acks="all")
    await consumer.start()
    await producer.start()
    left, alerts = work.reads, 0
    while left > 0:
        polled = await consumer.getmany(timeout_ms=1000, max_records=1000)
        records = [record for of_partition in polled.values() for record in of_partition]
        found = [record.value for record in records if decode(record.value).plate in plates]
        await asyncio.gather(*[await producer.send(work.alerts_topic, value) for value in found])
        if records:
            await consumer.commit()
        left -= len(records)
        alerts += len(found)
    await producer.stop()
    await consumer.stop()
    return alerts


if __name__ == "__main__":
    loop = hand_written(frozenset(json.loads(Path(sys.argv[2]).read_bytes())))
    sys.stdout.buffer.write(msgspec.json.encode(cost_of(loop, msgspec.json.decode(sys.argv[1], type=Work))))
