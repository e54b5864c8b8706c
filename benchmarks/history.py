"""What a sighting costs on disk, how many reads a second history stores while it is asked, and how fast it answers.

    python -m benchmarks.history [--sightings 100000] [--days 3] [--look-ups 200] [--store sqlite|postgresql]
        [--crashes 5] [--json]

The reads are those of the simulators. They go through the recorder in batches, as from a topic, while a thread looks
plates up without a pause: each time one key and every key with one other character at one position. A PostgreSQL is
started from a wheel's binaries. Restarting is opening the store and asking it where to read on. With `--crashes`, a
service on a real Kafka is killed as often: see `benchmarks.history_crashes`.
"""

import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

import click
from sqlalchemy import create_engine, text

from anpr.board.rates import percentile
from anpr.history.database import Database
from anpr.history.postgresql_days import PostgresqlDays
from anpr.history.recorder import BATCH_RECORDS, Recorder
from anpr.history.sighting import sightings_of
from anpr.history.sighting_store import SightingStore
from anpr.history.sqlite_days import SqliteDays
from anpr.history.tables import SIGHTING_TABLES
from anpr.kafka.interfaces import Gap, Record
from anpr.local.postgresql_server import PostgresqlServer
from anpr.matching.read_keys import folded_key
from anpr.reference_data.limits import ALPHABET
from benchmarks.history_crashes import SITE, caught_up_seconds
from benchmarks.options import COUNT, NONE_OR_MORE

PARTITIONS = 6
TEMPLATES = 10_000
SCHEMA = "history-benchmark"


class Topic:
    """A topic whose records are made while they are read: the simulators' reads again and again, with new ids."""

    topic_id = "benchmark"

    def __init__(self, lines: list[bytes], count: int, days: int) -> None:
        self._lines = lines
        self._count = count
        self._step = timedelta(days=days) / count
        self._begin = datetime.now(UTC) - timedelta(days=days)
        self._next = 0

    def poll(self, max_records: int, _: float) -> list[Record]:
        """Return the next records."""
        numbers = range(self._next, min(self._count, self._next + max_records))
        self._next = numbers.stop
        return [self._record(number) for number in numbers]

    def take_gaps(self) -> list[Gap]:
        """Return none."""
        return []

    def lag(self) -> int:
        """Return how many records wait."""
        return self._count - self._next

    def _record(self, number: int) -> Record:
        line = self._lines[number % len(self._lines)]
        value = line.replace(b'"read_id":"', b'"read_id":"%d-' % number, 1)
        arrived_at = self._begin + number * self._step
        return Record("reads", number % PARTITIONS, number // PARTITIONS, arrived_at, value)


def simulated_lines(folder: Path) -> list[bytes]:
    """Return reads of the simulators as their lines."""
    file = folder / "reads.jsonl"
    command = [sys.executable, "-m", "simulators", "--site", SITE, "--for", "30s", "--speed", "120", "--volume", "10"]
    subprocess.run([*command, "--out", str(file)], check=True, capture_output=True)  # noqa: S603  this project's
    return file.read_bytes().splitlines()[:TEMPLATES]


def variants(plate: str) -> list[str]:
    """Return the key of a plate, and every key with another character at one position."""
    key = folded_key(plate)
    return [key, *(key[:n] + other + key[n + 1 :] for n in range(len(key)) for other in ALPHABET)]


def look_up_ms(store: SightingStore, plate: str) -> float:
    """Return how long it takes to find all sightings of a plate and of those much like it."""
    now = datetime.now(UTC)
    started_at = time.perf_counter()
    store.with_keys(variants(plate), now - timedelta(days=365), now + timedelta(days=1))
    return (time.perf_counter() - started_at) * 1000


@contextmanager
def looking_up(store: SightingStore, plates: list[str]) -> Iterator[list[float]]:
    """Look plates up in a thread while the context lasts. The list holds how long each took, in milliseconds."""
    stop, times = threading.Event(), list[float]()

    def look_up() -> None:
        while not stop.is_set():
            times.append(look_up_ms(store, random.choice(plates)))

    thread = threading.Thread(target=look_up)
    thread.start()
    try:
        yield times
    finally:
        stop.set()
        thread.join()


@contextmanager
def opened(kind: str, folder: Path, url: str) -> Iterator[SightingStore]:
    """Open the store of this kind."""
    database: Database
    if kind == "postgresql":
        database = PostgresqlDays(url, SCHEMA, SIGHTING_TABLES)
    else:
        database = SqliteDays(folder / "store", SIGHTING_TABLES)
    store = SightingStore(database)
    try:
        yield store
    finally:
        store.close()


def stored_bytes(kind: str, folder: Path, url: str) -> int:
    """Return the bytes on disk of all sightings and their indexes."""
    if kind == "sqlite":
        return sum(file.stat().st_size for file in (folder / "store").glob("*.sqlite"))
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:", 1))
    query = "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
    with engine.connect() as connection:
        size = connection.execute(text(f"{query} WHERE nspname = '{SCHEMA}' AND relkind = 'r'")).scalar_one()
    engine.dispose()
    return int(size)


def measure(  # noqa: PLR0913, PLR0917  one for each option
    kind: str, count: int, days: int, look_ups: int, folder: Path, url: str
) -> dict[str, float | str]:
    """Store the sightings, and return what that cost."""
    lines = simulated_lines(folder)
    plates = [json.loads(line)["plate"] for line in lines]
    topic = Topic(lines, count, days)
    with opened(kind, folder, url) as store:
        recorder = Recorder(topic, store, partial(sightings_of, SITE))
        recorder.run_once(0)
        with looking_up(store, plates) as meanwhile_ms:
            started_at = time.perf_counter()
            while topic.lag():
                recorder.run_once(0)
            seconds = time.perf_counter() - started_at
        times = [look_up_ms(store, random.choice(plates)) for _ in range(look_ups)]
    started_at = time.perf_counter()
    with opened(kind, folder, url) as store:
        store.next_offsets()
        restart_ms = (time.perf_counter() - started_at) * 1000
        stored = store.count()
    return {
        "store": kind,
        "sightings": stored,
        "reads_a_second": round((count - BATCH_RECORDS) / seconds),
        "bytes_a_sighting": round(stored_bytes(kind, folder, url) / stored),
        "look_ups_meanwhile": len(meanwhile_ms),
        "look_up_p50_ms": round(percentile(times, 0.5) or 0, 1),
        "look_up_p99_ms": round(percentile(times, 0.99) or 0, 1),
        "restart_ms": round(restart_ms, 1),
    }


@click.command()
@click.option("--sightings", type=click.IntRange(min=2 * BATCH_RECORDS), default=100_000, show_default=True)
@click.option("--days", type=COUNT, default=3, show_default=True, help="Over how many days they arrived.")
@click.option("--look-ups", type=COUNT, default=200, show_default=True)
@click.option("--store", "kind", type=click.Choice(["sqlite", "postgresql"]), default="sqlite", show_default=True)
@click.option("--crashes", type=NONE_OR_MORE, default=0, show_default=True, help="How often a service is killed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(  # noqa: PLR0913  one for each option
    sightings: int, days: int, look_ups: int, kind: str, crashes: int, *, as_json: bool
) -> None:
    """Measure a history store."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="anpr-history-")))
        url = stack.enter_context(PostgresqlServer()).url if kind == "postgresql" else ""
        measured = measure(kind, sightings, days, look_ups, folder, url)
        if crashes:
            seconds = caught_up_seconds(crashes, folder, url)
            measured |= {
                "kills": crashes,
                "kill_to_caught_up_median_s": round(median(seconds), 2),
                "kill_to_caught_up_max_s": round(max(seconds), 2),
            }
    if as_json:
        print(json.dumps(measured))
    else:
        for name, value in measured.items():
            print(f"{name:27} {value}")


if __name__ == "__main__":
    main()
