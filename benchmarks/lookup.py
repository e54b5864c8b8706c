"""Why the list is in memory: one look-up a read in the index, compared with one question to Redis a read.

    python -m benchmarks.lookup [--entries 100000] [--json]

Both answer for the same reads and must find the same; this is checked before anything is timed. Redis is asked by two
methods: one question for each read, and one for a batch of 500.
"""

import json
import random
import string
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import click
import redis

from anpr.contracts import plates
from anpr.contracts.events import Entry, Generation, Read
from anpr.local.valkey_server import ValkeyServer
from anpr.matching.index import Index
from benchmarks.options import COUNT

READS = 5_000
BATCH = 500
ROUNDS = 5
LISTED_SHARE = 0.001
_KEY = "bench:plates"


def plate(draw: random.Random) -> str:
    """Return a plate of the British form."""
    letters = "".join(draw.choices(string.ascii_uppercase, k=5))
    return f"{letters[:2]}{draw.randrange(10, 100)}{letters[2:]}"


def in_memory(index: Index, reads: list[Read]) -> int:
    """Return how many reads match by the index, in batches. Tiers that Redis cannot look up do not count."""
    matched = (found for at in range(0, len(reads), BATCH) for found in index.match(reads[at : at + BATCH]))
    return sum(any(match.tier in ("exact", "equivalent") for match in found) for found in matched)


def redis_each(client: redis.Redis, reads: list[Read]) -> int:
    """Return how many reads match, by one question each."""
    return sum(bool(client.sismember(_KEY, plates.equivalent(plates.canonical(read.plate)))) for read in reads)


def redis_batch(client: redis.Redis, reads: list[Read]) -> int:
    """Return how many reads match, by one question for each batch."""
    found = 0
    for at in range(0, len(reads), BATCH):
        keys = [plates.equivalent(plates.canonical(read.plate)) for read in reads[at : at + BATCH]]
        found += sum(client.smismember(_KEY, keys))
    return found


def ns_per_read(work: Callable[[], int], reads: int) -> float:
    """Return the time of one run for each read."""
    began = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - began) / reads


@click.command()
@click.option("--entries", type=COUNT, default=100_000, show_default=True)
@click.option("--seed", default=7, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(entries: int, seed: int, *, as_json: bool) -> None:
    """Time the three methods in rounds, and print ns a read and the ratios to the index."""
    draw = random.Random(seed)
    listed = sorted({plate(draw) for _ in range(entries)})
    generation = Generation(epoch=1, number=1)
    until = datetime(2099, 1, 1, tzinfo=UTC)
    index = Index.build(
        (Entry(entry_id=p, revision=generation, list="bench", plate=p, valid_until=until) for p in listed), generation
    )
    texts = [draw.choice(listed) if draw.random() < LISTED_SHARE else plate(draw) for _ in range(READS)]
    reads = [
        Read(read_id=str(n), site="bench", plate=text, captured_at=datetime.now(UTC)) for n, text in enumerate(texts)
    ]
    with tempfile.TemporaryDirectory() as folder, ValkeyServer(Path(folder)) as server:
        client = redis.Redis.from_url(server.url)
        for at in range(0, len(listed), 1000):
            client.sadd(_KEY, *map(plates.equivalent, listed[at : at + 1000]))
        methods: dict[str, Callable[[], int]] = {
            "index": lambda: in_memory(index, reads),
            "redis, one question a read": lambda: redis_each(client, reads),
            "redis, one question a batch": lambda: redis_batch(client, reads),
        }
        if len({work() for work in methods.values()}) != 1:
            raise SystemExit("the three methods do not find the same")
        rounds = [{name: ns_per_read(work, READS) for name, work in methods.items()} for _ in range(ROUNDS)]
        client.close()
    figures = {
        name: {
            "ns_per_read": round(median(round_[name] for round_ in rounds)),
            "times_the_index": round(median(round_[name] / round_["index"] for round_ in rounds), 1),
        }
        for name in methods
    }
    if as_json:
        print(json.dumps({"entries": len(listed), "reads": READS, "rounds": ROUNDS, "figures": figures}))
    else:
        for name, row in figures.items():
            print(f"{name:30} {row['ns_per_read']:>8} ns a read   {row['times_the_index']:>7} x the index")


if __name__ == "__main__":
    main()
