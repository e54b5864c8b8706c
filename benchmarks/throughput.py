"""What the matcher costs for each read, beside a loop of a few lines that looks up the same plates exactly.

    python -m benchmarks throughput [--reads 500000] [--rounds 5] [--entries 10000 --entries 1000000] [--json]

One real broker holds the simulators' reads. The vehicles of every thousandth are listed: about four reads in 1,000.
In each round every loop reads all of them, one after the other, each in a process of its own. So the ratio of two
loops in a round is of the same reads on the same machine in the same minute. Every loop must find the listed reads;
the matcher may find misread ones too. The processor time is that of all threads of the process, from before it
connects to the broker.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random
from statistics import fmean, median
from typing import Final

import click
import msgspec
import redis
from confluent_kafka.admin import AdminClient
from msgspec import Struct

from anpr.contracts import topics
from anpr.contracts.events import Entry, Generation, Tolerance
from anpr.index_store.folder import IndexFolder, IndexManifest
from anpr.kafka.producer import KafkaProducer
from anpr.kafka.topic_admin import create_topics
from anpr.kafka.topic_specs import specs
from anpr.local.kafka_server import KafkaServer
from anpr.local.valkey_server import ValkeyServer
from anpr.matching.index import Index
from anpr.runtime.clock import system_clock
from anpr.runtime.settings_files import load_settings
from anpr.watchlist.store.manifest import Manifest
from benchmarks.loops.cost import Cost, Work
from benchmarks.options import COUNT
from benchmarks.peers.environment import python_of
from benchmarks.plates import make
from benchmarks.ratios import interval
from benchmarks.stored_reads import CONFIG, SITE, of_fleet, plates_of, simulated_lines

LISTED_EVERY: Final = 1000
VISITS: Final = 8
_GENERATION: Final = Generation(epoch=1, number=1)
REDIS: Final = "benchmarks.loops.ask_redis"
PLAIN: Final = "benchmarks.loops.plain"
MATCHER: Final = "benchmarks.loops.matcher"
PEERS: Final = ("aiokafka", "quix", "bytewax")
_FLUSH_EVERY: Final = 10_000
_ADDED_TOGETHER: Final = 1000
_TOLERANCES: Final[tuple[Tolerance, ...]] = ("tolerant", "near")


class Loop(Struct, frozen=True):
    """A row of the table: the module that runs it, where its list is, and the row that it is compared with.

    A peer has an environment of its own.
    """

    name: str
    module: str
    path: tuple[str, ...] = ()
    compared_with: str = ""
    peer: str = ""


class Traffic:
    """The reads of a topic, and the plates of the listed ones."""

    def __init__(self, lines: Sequence[bytes], count: int) -> None:
        """`lines` are simulated reads. They come again and again, of other vehicles each eighth time."""
        self.count = count
        self._lines = lines
        self._fleets = max(1, count // len(lines) // VISITS)
        self.listed_plates = self._plates(lines[::LISTED_EVERY])

    @property
    def bytes_a_read(self) -> float:
        """The mean size of a record."""
        return fmean(len(line) for line in self._lines)

    def list_of(self, size: int) -> list[str]:
        """Return a list of so many plates: the listed ones, and others that no read has."""
        read = self._plates(self._lines)
        unread = (plate for plate in make(size + len(read), Random(1)).texts if plate not in read)
        return [*self.listed_plates, *islice(unread, max(0, size - len(self.listed_plates)))]

    def _plates(self, lines: Sequence[bytes]) -> frozenset[str]:
        of_fleets = (of_fleet(line, fleet) for fleet in range(self._fleets) for line in lines)
        return frozenset(plates_of(of_fleets))

    def reads(self) -> Iterator[bytes]:
        """Return every read, each with an id of its own."""
        for number in range(self.count):
            line = self._lines[number % len(self._lines)]
            value = of_fleet(line, number // len(self._lines) % self._fleets)
            yield value.replace(b'"read_id":"', b'"read_id":"%d-' % number, 1)


def fill(kafka: str, traffic: Traffic) -> int:
    """Create the topics and send the reads. Return how many of them are listed."""
    settings = load_settings(CONFIG, {})
    create_topics(AdminClient({"bootstrap.servers": kafka}), specs(SITE, settings.topics))
    producer, listed = KafkaProducer(kafka), 0
    for number, value in enumerate(traffic.reads()):
        read = msgspec.json.decode(value)
        listed += read["plate"] in traffic.listed_plates
        producer.produce(topics.reads(SITE), read["camera"], value)
        if number % _FLUSH_EVERY == 0:
            producer.flush(60)
    producer.flush(60)
    return listed


def loops_of(
    folder: Path, redis_url: str, traffic: Traffic, sizes: Sequence[int], peers: Sequence[str]
) -> list[Loop]:
    """Write a list of each size as plates, as indexes and as a set in Redis, and return the loops."""
    loops = [Loop("bare", PLAIN)]
    for size in sizes:
        plates = traffic.list_of(size)
        label = label_of(size)
        file = folder / f"{label}.json"
        file.write_text(json.dumps(plates), encoding="utf-8")
        hand = Loop(f"hand {label}", PLAIN, (str(file),))
        loops.append(hand)
        add_to_redis(redis_url, label, plates)
        loops.append(Loop(f"redis {label}", REDIS, (redis_url, label), hand.name))
        loops += [
            Loop(f"{peer} {label}", f"benchmarks.peers.{peer}_loop", hand.path, hand.name, peer) for peer in peers
        ]
        for tolerance in _TOLERANCES:
            path = folder / f"{label}-{tolerance}"
            write_index(path, plates, tolerance)
            loops.append(Loop(f"matcher {label} {tolerance}", MATCHER, (str(path),), hand.name))
    return loops


def add_to_redis(url: str, key: str, plates: Sequence[str]) -> None:
    """Put the plates into a set."""
    with redis.Redis.from_url(url) as client:
        for at in range(0, len(plates), _ADDED_TOGETHER):
            client.sadd(key, *plates[at : at + _ADDED_TOGETHER])


def label_of(entries: int) -> str:
    """Return a number of entries as people say it: 10k, 1M."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if entries % size == 0:
            return f"{entries // size}{letter}"
    return str(entries)


def write_index(path: Path, plates: Sequence[str], tolerance: Tolerance) -> None:
    """Write the index of the plates as `anpr index` does."""
    until = datetime(2099, 1, 1, tzinfo=UTC)
    entries = (
        Entry(
            entry_id=f"E-{number}",
            revision=_GENERATION,
            list="benchmark",
            plate=plate,
            valid_until=until,
            tolerance=tolerance,
        )
        for number, plate in enumerate(plates)
    )
    now = system_clock()
    folder = IndexFolder(path)
    snapshot = folder.write_snapshot(Index.build(entries, _GENERATION), now)
    folder.activate(IndexManifest(Manifest(_GENERATION, now, "benchmark", {}), snapshot), now)


def available(peers: Sequence[str]) -> list[str]:
    """Return the peers that this machine has, or can fetch. Say which it cannot."""
    found = []
    for peer in peers:
        try:
            python_of(peer)
        except subprocess.CalledProcessError:
            click.echo(f"without {peer}: its packages cannot be fetched", err=True)
        else:
            found.append(peer)
    return found


def run(loop: Loop, kafka: str, reads: int) -> Cost:
    """Run a loop in a process of its own. Raises SystemExit where it fails."""
    work = msgspec.json.encode(Work(kafka, topics.reads(SITE), topics.alerts(SITE), reads)).decode()
    # What the libraries of a peer warn of concerns its makers.
    python = [str(python_of(loop.peer)), "-W", "ignore"] if loop.peer else [sys.executable]
    command = [*python, "-m", loop.module, work, *loop.path]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE)  # noqa: S603  this program
    if done.returncode:
        raise SystemExit(f"{loop.name} has failed")
    return msgspec.json.decode(done.stdout, type=Cost)


def check(loop: Loop, cost: Cost, listed: int) -> None:
    """Raise SystemExit unless a loop has found the listed reads."""
    expected = listed if loop.path else 0
    if cost.alerts < expected or (loop.module != MATCHER and cost.alerts > expected):
        raise SystemExit(f"{loop.name} found {cost.alerts} of {expected} listed reads")


def rows_of(loops: Sequence[Loop], costs: Sequence[dict[str, Cost]]) -> list[dict[str, object]]:
    """Return a row for each loop: medians of the rounds, and how many times the hand-written loop it costs."""
    return [_row(loop, costs) for loop in loops]


def _row(loop: Loop, costs: Sequence[dict[str, Cost]]) -> dict[str, object]:
    own = [of_round[loop.name] for of_round in costs]
    row: dict[str, object] = {
        "name": loop.name,
        "cpu_us": round(median(cost.cpu_us for cost in own), 2),
        "reads_per_second": round(median(cost.reads_per_second for cost in own)),
        "rss_mb": round(median(cost.rss_mb for cost in own)),
        "alerts": own[0].alerts,
    }
    if loop.compared_with:
        ratios = [of_round[loop.name].cpu_us / of_round[loop.compared_with].cpu_us for of_round in costs]
        row["times_hand"] = {name: round(value, 2) for name, value in interval(ratios)._asdict().items()}
    return row


def show(rows: Sequence[dict[str, object]]) -> None:
    """Print the table."""
    print(f"{'':24}{'CPU µs a read':>14}{'reads/s':>12}{'MB':>7}{'alerts':>9}   times the hand-written loop")
    for row in rows:
        ratio = row.get("times_hand")
        times = f"{ratio['median']} (95 %: {ratio['low']} to {ratio['high']})" if isinstance(ratio, dict) else ""
        figures = f"{row['cpu_us']:>14}{row['reads_per_second']:>12,}{row['rss_mb']:>7}{row['alerts']:>9}"
        print(f"{row['name']:24}{figures}   {times}")


@click.command()
@click.option("--reads", type=click.IntRange(min=LISTED_EVERY), default=500_000, show_default=True)
@click.option("--rounds", type=COUNT, default=5, show_default=True)
@click.option("--entries", "sizes", type=COUNT, multiple=True, default=(10_000, 1_000_000), show_default=True)
@click.option(
    "--peer",
    "peers",
    type=click.Choice(PEERS),
    multiple=True,
    default=PEERS,
    show_default=True,
    help="Other stream processors; the first time, their packages are fetched.",
)
@click.option("--no-peers", is_flag=True, help="Only this project's loops: fetch nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(  # noqa: PLR0913  one argument for each option
    reads: int, rounds: int, sizes: Sequence[int], peers: Sequence[str], *, no_peers: bool, as_json: bool
) -> None:
    """Run every loop in each round and print the medians."""
    with (
        tempfile.TemporaryDirectory() as name,
        KafkaServer(Path(name) / "kafka") as broker,
        ValkeyServer(Path(name) / "valkey") as valkey,
    ):
        folder = Path(name)
        traffic = Traffic(simulated_lines(folder), reads)
        loops = loops_of(folder, valkey.url, traffic, sizes, [] if no_peers else available(peers))
        listed = fill(broker.bootstrap, traffic)
        costs = []
        for number in range(rounds):
            costs.append({loop.name: run(loop, broker.bootstrap, reads) for loop in loops})
            click.echo(f"round {number + 1} of {rounds} is done", err=True)
            for loop in loops:
                check(loop, costs[-1][loop.name], listed)
    rows = rows_of(loops, costs)
    if as_json:
        print(json.dumps({"reads": reads, "listed": listed, "rounds": rounds, "rows": rows}))
    else:
        show(rows)


if __name__ == "__main__":
    main()
