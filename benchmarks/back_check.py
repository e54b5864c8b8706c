"""How long it takes from a new list on this machine to the alerts about what has passed, by sightings and entries.

    python -m benchmarks.back_check [--sightings 100000] [--days 3] [--listed 10000] [--entries 100]
        [--json]

Every vehicle passes twice, and the new entries are of vehicles that have passed in the last 72 hours, so each of them
raises two alerts. A tolerant entry is found by its key, one that may be misread by all keys one edit from it. The
last measurement is a list so large that all sightings are gone through; one vehicle in a hundred is on it. What is
measured ends when the alerts are handed to the broker: add its answer, and the 20 to 100 ms in which the builder
and the back-check look for a new list. The pauses that a service makes while it goes through everything are not in
it: they double that time. At last small batches are matched in turns beside such a search, which gives way and pauses
as the service does, and without it: `p99_ratio` is what it costs live matching.
"""

import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import click

from anpr.back_check.back_check import BackCheck
from anpr.back_check.search import Progress, Search
from anpr.board.rates import percentile
from anpr.contracts.events import Alert, Entry, Generation, Read
from anpr.contracts.local_days import UTC_DAYS
from anpr.history.recorder import Recorder
from anpr.history.sighting import sightings_of
from anpr.history.sighting_store import SightingStore
from anpr.history.sql_tables import SIGHTING_TABLES
from anpr.history.sqlite_days import SqliteDays
from anpr.index_store.follower import ActiveIndex
from anpr.kafka.interfaces import Record
from anpr.matching.index import Index
from anpr.reference_data.limits import ALPHABET
from anpr.runtime.clock import system_clock
from benchmarks.history_crashes import SITE
from benchmarks.options import COUNT
from benchmarks.stored_reads import PARTITIONS, Topic

WINDOW = timedelta(hours=72)
BEFORE, AFTER = Generation(epoch=1, number=1), Generation(epoch=1, number=2)
LETTERS, DIGITS = ALPHABET[10:], ALPHABET[:10]
# Of the vehicles that have passed, this share is on the large list.
ONE_IN = 100
LARGEST = 1 << 24
# As `anpr back-check` gives way.
NICE = 5
TURNS, TURN_SECONDS = 5, 1.0
BATCH_READS, BATCH_PAUSE_SECONDS = 20, 0.005


def plate(vehicle: int) -> str:
    """Return the plate of a vehicle. No two have the same."""
    rest, text = vehicle * 7919 % LARGEST, ""
    for characters in (LETTERS, LETTERS, DIGITS, DIGITS, LETTERS, LETTERS, LETTERS):
        rest, position = divmod(rest, len(characters))
        text += characters[position]
    return text


class Vehicles(Topic):
    """A topic on which each vehicle passes twice, one time soon after the other."""

    def _record(self, number: int) -> Record:
        arrived_at = self._begin + number * self._step
        read = {"read_id": str(number), "site": SITE, "camera": f"{number % 7}", "plate": plate(number // 2)}
        value = json.dumps(
            read | {"captured_at": arrived_at.isoformat(), "country": "GB", "confidence": 0.9}
        ).encode()
        return Record("reads", number % PARTITIONS, number // PARTITIONS, arrived_at, value)


def entries(vehicles: Sequence[int], revision: Generation, tolerance: str) -> list[Entry]:
    """Return an entry for each of these vehicles."""
    until = datetime(2099, 1, 1, tzinfo=UTC)
    return [
        Entry(
            entry_id=f"{revision}-{vehicle}", list="x", plate=plate(vehicle), revision=revision, valid_until=until,
            country="GB", tolerance=tolerance,
        )
        for vehicle in vehicles
    ]  # fmt: skip


def check_of(store: SightingStore, progress: Progress, publish: Callable[[Sequence[Alert]], None]) -> BackCheck:
    """Return a back-check that hands its alerts to `publish`."""
    return BackCheck(
        progress,
        set(),
        sightings=store,
        known_alerts=lambda _: set(),
        publish=publish,
        days=UTC_DAYS,
        window=WINDOW,
        clock=system_clock,
    )


def scan_of(store: SightingStore, publish: Callable[[Sequence[Alert]], None]) -> BackCheck:
    """Return a back-check that goes through all sightings, as for a large list."""
    scan = Search(after=BEFORE, upto=AFTER, since=system_clock() - WINDOW, done=())
    return check_of(store, Progress(checked=AFTER, searches=(scan,)), publish)


def measure(store: SightingStore, index: Index, *, all_of_it: bool = False) -> dict[str, Any]:
    """Return how long a search for the new entries of an index takes, and how many alerts it raises."""
    published: list[Alert] = []
    check = (
        scan_of(store, published.extend) if all_of_it else check_of(store, Progress(checked=BEFORE), published.extend)
    )
    started_at, cpu_started_at = time.perf_counter(), time.process_time()
    check.note_list(ActiveIndex(index, system_clock(), None))
    while check.run_once(index, None):
        pass
    return {
        "seconds": round(time.perf_counter() - started_at, 3),
        "cpu_seconds": round(time.process_time() - cpu_started_at, 3),
        "alerts": len({alert.alert_id for alert in published}),
    }


def fill(store: SightingStore, sightings: int, days: int) -> None:
    """Store so many sightings, which arrived over the last days."""
    topic = Vehicles([b""], sightings, days)
    recorder = Recorder(topic, store, partial(sightings_of, SITE))
    while topic.lag():
        recorder.run_once(0)
    while store.note_held_keys(datetime.now(UTC).date()):  # as the service does
        pass


def search_in_turns(folder: Path, index: Index, may_run: Event) -> None:
    """Go through everything again and again while it may run: with the priority and the pauses of the service."""
    os.nice(NICE)
    store = SightingStore(SqliteDays(folder, SIGHTING_TABLES, is_writer=False))
    while True:
        check = scan_of(store, lambda _: None)
        is_busy = True
        while is_busy:
            may_run.wait()
            began = time.monotonic()
            is_busy = check.run_once(index, None) is not None
            time.sleep(time.monotonic() - began)


def beside(folder: Path, index: Index, plates: Sequence[str], seconds: float) -> dict[str, Any]:
    """Return how long a batch takes while a search runs and while none does, in turns of `seconds`."""
    fork = get_context("fork")
    may_run = fork.Event()
    searching = fork.Process(target=search_in_turns, args=(folder, index, may_run), daemon=True)
    searching.start()
    reads = [Read(read_id=text, site=SITE, plate=text) for text in plates]
    took: dict[bool, list[float]] = {False: [], True: []}
    for is_on in (False, True) * TURNS:
        (may_run.set if is_on else may_run.clear)()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.perf_counter()
            index.match(reads)
            took[is_on].append((time.perf_counter() - began) * 1000)
            time.sleep(BATCH_PAUSE_SECONDS)
    searching.kill()
    p99 = {is_on: percentile(times, 0.99) or 0 for is_on, times in took.items()}
    return {
        "p99_ms": round(p99[True], 2),
        "p99_ms_alone": round(p99[False], 2),
        "p99_ratio": round(p99[True] / p99[False], 2),
        "load": round(os.getloadavg()[0], 1),
    }


@click.command()
@click.option("--sightings", type=click.IntRange(10_000, LARGEST), default=100_000, show_default=True)
@click.option("--days", type=COUNT, default=3, show_default=True, help="Over how many days they arrived.")
@click.option("--listed", type=COUNT, default=10_000, show_default=True, help="How many other entries are listed.")
@click.option("--entries", "counts", type=COUNT, multiple=True, default=(1, 100, 1000), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def main(sightings: int, days: int, listed: int, counts: Sequence[int], *, as_json: bool) -> None:
    """Measure a back-check on SQLite."""
    with tempfile.TemporaryDirectory(prefix="anpr-back-check-") as folder:
        store = SightingStore(SqliteDays(Path(folder) / "store", SIGHTING_TABLES))
        fill(store, sightings, days)
        vehicles = sightings // 2
        recent = range(vehicles - min(vehicles, round(vehicles * 3 / days * 0.9)), vehicles)
        others = Index.build(entries(range(vehicles, vehicles + listed), BEFORE, "tolerant"), BEFORE)
        for count, tolerance in [(count, tolerance) for tolerance in ("tolerant", "near") for count in counts]:
            new = entries(random.sample(recent, min(count, len(recent))), AFTER, tolerance)
            show({"sightings": sightings, "entries": len(new), "tolerance": tolerance}, as_json,
                 measure(store, others.with_changes(new, (), AFTER)))  # fmt: skip
        not_seen = range(vehicles + listed, vehicles + 2 * listed)
        new = entries([*recent[::ONE_IN], *not_seen], AFTER, "tolerant")
        index = Index.build([*others.entries(), *new], AFTER)
        show({"sightings": sightings, "entries": len(new), "tolerance": "gone through"}, as_json,
             measure(store, index, all_of_it=True))  # fmt: skip
        passed = [plate(vehicle) for vehicle in recent[:BATCH_READS]]
        show({"sightings": sightings, "entries": len(new), "tolerance": "beside a search"}, as_json,
             beside(Path(folder) / "store", index, passed, TURN_SECONDS))  # fmt: skip
        store.close()


def show(about: dict[str, Any], as_json: bool, measured: dict[str, Any]) -> None:  # noqa: FBT001  an option
    """Print one measurement."""
    click.echo(
        json.dumps(about | measured) if as_json else " ".join(f"{n}={v}" for n, v in (about | measured).items())
    )


if __name__ == "__main__":
    main()
