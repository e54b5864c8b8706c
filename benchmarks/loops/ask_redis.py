"""The hand-written loop with its plates in Redis: one question a batch. What Redis itself takes counts too."""

import sys
from collections.abc import Callable

import msgspec
import redis

from benchmarks.loops.cost import Cost, Work, cost_of
from benchmarks.loops.fields import Fields
from benchmarks.loops.plain import consumer_of, polled, producer_of


def asking(client: redis.Redis, key: str) -> Callable[[Work], int]:
    """Return a loop that looks the plates of a batch up in a set of Redis."""
    decode = msgspec.json.Decoder(Fields).decode

    def run(work: Work) -> int:
        consumer = consumer_of(work)
        producer = producer_of(work)
        left, alerts = work.reads, 0
        while left > 0:
            records = polled(consumer)
            if not records:
                continue
            values = [record.value() for record in records]
            are_listed = client.smismember(key, [decode(value).plate for value in values])
            for value, is_listed in zip(values, are_listed, strict=True):
                if is_listed:
                    producer.produce(work.alerts_topic, value)
                    alerts += 1
            producer.flush()
            consumer.commit(asynchronous=True)
            left -= len(records)
        consumer.close()
        return alerts

    return run


def main(text: str, url: str, key: str) -> None:
    """Run it on the work, which is JSON."""
    work = msgspec.json.decode(text, type=Work)
    with redis.Redis.from_url(url) as client:
        before = cpu_seconds_of(client)
        own = cost_of(asking(client, key), work)
        redis_us = (cpu_seconds_of(client) - before) / work.reads * 1e6
        memory_mb = client.info("memory")["used_memory_rss"] / 2**20
    cost = Cost(own.cpu_us + redis_us, own.reads_per_second, own.rss_mb + memory_mb, own.alerts)
    sys.stdout.buffer.write(msgspec.json.encode(cost))


def cpu_seconds_of(client: redis.Redis) -> float:
    """Return the processor time that the server has taken so far."""
    cpu = client.info("cpu")
    return float(cpu["used_cpu_user"]) + float(cpu["used_cpu_sys"])


if __name__ == "__main__":
    main(*sys.argv[1:])
