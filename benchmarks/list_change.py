"""How long a change of the list takes to be in force in a matcher, and how long it holds the matcher up meanwhile.

    python -m benchmarks.list_change [--entries 1000000] [--changes 40] [--loads 3] [--json]

A real Valkey with its keeper, a real `anpr index`, and a process that matches a small batch every millisecond with
the index that a matcher would have. The figure is the time from the commit's answer to the end of the first batch
that was matched with it. A hold-up is how much later than that millisecond a batch ends, in the seconds around a
change, beside as many undisturbed seconds before each: compare the two, for a shared machine holds everybody up.
"""

import gc
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median

import click

from anpr.board.rates import percentile
from anpr.contracts.events import Entry, Generation, Read
from anpr.index_store.folder import IndexFolder
from anpr.index_store.follower import IndexFollower
from anpr.local.processes import wait_until
from anpr.local.supervisor import Supervisor
from anpr.local.valkey_server import ValkeyServer
from anpr.runtime.clock import system_clock
from anpr.runtime.settings_files import load_settings
from anpr.watchlist.store.applied_change import Author
from anpr.watchlist.store.store import WatchlistStore, connect
from benchmarks.lookup import plate
from benchmarks.options import COUNT

REST_SECONDS = 0.001
BATCH_READS = 20
CHANGED = 1000
QUIET_SECONDS = 0.5
LIST = "stolen"


class Turns:
    """The batches of the matching process: when each ended, and the generation that it was matched with."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.list_change", "--match", str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603  this program
        self.ended: list[float] = []
        self.first: dict[str, float] = {}
        threading.Thread(target=self._read, daemon=True).start()

    def hold_ups_ms(self, since: float, until: float) -> list[float]:
        """Return how much later each batch ended than if nothing else had happened."""
        ends = [end for end in self.ended if since <= end < until]
        return [(after - before - REST_SECONDS) * 1000 for before, after in pairwise(ends)]

    def seconds_until(self, generation: Generation, since: float) -> float:
        """Wait for the first batch matched with a generation, and return how long after `since` it ended."""
        if not wait_until(lambda: str(generation) in self.first, 300):
            raise SystemExit(f"generation {generation} did not come")
        return self.first[str(generation)] - since

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            generation, *ends = line.split()
            self.ended += map(float, ends)
            self.first.setdefault(generation, float(ends[0]))


def match(folder: Path) -> None:
    """Match batches for ever; print, now and then, the generation and when its batches ended."""
    follower = IndexFollower(IndexFolder(folder), "anpr index")
    follower.start()
    draw = random.Random(2)
    reads = [Read(read_id=str(number), site="calais", plate=plate(draw)) for number in range(BATCH_READS)]
    wait_until(lambda: follower.active is not None, 600)
    ends: list[str] = []
    of: Generation | None = None
    while True:
        active = follower.active
        if active is None:
            raise SystemExit("the list is gone")
        active.index.match(reads)
        if of != active.index.generation or len(ends) >= 500:
            if ends:
                print(of, *ends, flush=True)
            of, ends = active.index.generation, []
        ends.append(f"{time.monotonic():.6f}")
        if len(ends) == 1:  # a new generation is told at once
            print(of, *ends, flush=True)
            ends = []
        time.sleep(REST_SECONDS)


class Bench:
    """A Valkey, a builder, a matching process, and what is changed."""

    def __init__(self, folder: Path, valkey: ValkeyServer, entries: int) -> None:
        self._count = entries
        self._draw = random.Random(1)
        self._now = system_clock()
        self._store = WatchlistStore(connect(valkey.url, timeout_seconds=60), timedelta(hours=96))
        self._folder = folder
        self._environment = {"REDIS_URL": valkey.url, "ANPR_WATCHLIST__STATE_DIR": str(folder / "state")}
        self._index = load_settings(Path("config"), self._environment).index_dir
        self.supervisor = Supervisor()
        self.load()

    def start(self) -> Turns:
        """Start the builder, the keeper and the matching process."""
        builder = [sys.executable, "-m", "anpr", "index", "--site", "calais"]
        self.supervisor.add("index", builder, log=self._folder / "index.log", env=self._environment)
        keeper = [sys.executable, "-m", "anpr", "watchlist", "keep"]
        self.supervisor.add("keep", keeper, log=self._folder / "keep.log", env=self._environment)
        return Turns(self._index)

    def load(self) -> Generation:
        """Put a whole new list in force."""
        return self._store.apply(LIST, entries_of(range(self._count), self._draw), "benchmark", self._now).generation

    def change(self, number: int) -> Generation:
        """Change a thousand entries anywhere in the list, half of them new."""
        known = self._draw.sample(range(self._count), CHANGED // 2)
        new = range(self._count + number * CHANGED // 2, self._count + (number + 1) * CHANGED // 2)
        put = entries_of([*known, *new], self._draw)
        author = Author()
        return self._store.change(LIST, put, [], why="benchmark", now=self._now, author=author).generation

    def generation(self) -> Generation:
        """Return the generation in force."""
        manifest = self._store.read_manifest()
        if manifest is None:
            raise SystemExit("Redis is empty")
        return manifest.generation


def entries_of(numbers: Sequence[int], draw: random.Random) -> list[Entry]:
    """Return an entry for each number, of any plate."""
    unset = Generation(epoch=0, number=0)
    until = datetime(2099, 1, 1, tzinfo=UTC)
    return [
        Entry(entry_id=f"{number:09}", revision=unset, list=LIST, plate=plate(draw), country="GB",
              category="stolen", reason="reported stolen", valid_until=until, tolerance="near")
        for number in numbers
    ]  # fmt: skip


def measured(turns: Turns, work: Sequence[Callable[[], Generation]]) -> dict[str, object]:
    """Do each piece of work after a quiet while, and return how long each took to be in force, and the hold-ups."""
    seconds, quiet, disturbed = [], [], []
    for piece in work:
        began = time.monotonic()
        time.sleep(QUIET_SECONDS)
        quiet_until = time.monotonic()
        generation = piece()
        committed = time.monotonic()
        took = turns.seconds_until(generation, committed)
        seconds.append(took)
        # As long a while as was quiet, ending soon after the new list came.
        swapped = committed + took
        time.sleep(QUIET_SECONDS / 2)
        quiet.append(turns.hold_ups_ms(began, quiet_until))
        disturbed.append(turns.hold_ups_ms(swapped - QUIET_SECONDS / 2, swapped + QUIET_SECONDS / 2))
    return {
        "runs": len(work),
        "in_force_seconds": {name: round(percentile(seconds, share) or 0, 3) for name, share in SHARES},
        "hold_up_undisturbed_ms": figures([max(ms, default=0) for ms in quiet]),
        "hold_up_ms": figures([max(ms, default=0) for ms in disturbed]),
    }


SHARES = (("p50", 0.5), ("p99", 0.99))


def figures(longest: Sequence[float]) -> dict[str, float]:
    """Return the median and the greatest of the longest hold-ups."""
    return {"median": round(median(longest), 1), "max": round(max(longest), 1)}


@click.command()
@click.option("--entries", type=COUNT, default=1_000_000, show_default=True)
@click.option("--changes", type=COUNT, default=40, show_default=True, help="Changes of 1,000 entries.")
@click.option("--loads", type=COUNT, default=3, show_default=True, help="Whole new lists.")
@click.option("--json", "as_json", is_flag=True)
@click.option("--match", "folder", type=click.Path(path_type=Path), hidden=True)
def main(entries: int, changes: int, loads: int, *, as_json: bool, folder: Path | None) -> None:
    """Measure both and print seconds and milliseconds."""
    if folder is not None:
        match(folder)
    gc.disable()  # millions of entries, none of them in a cycle
    with tempfile.TemporaryDirectory() as name, ValkeyServer(Path(name) / "valkey") as valkey:
        bench = Bench(Path(name), valkey, entries)
        turns = bench.start()
        try:
            turns.seconds_until(bench.generation(), 0)
            found = {
                "entries": entries,
                "change_of_1000": measured(turns, [partial(bench.change, number) for number in range(changes)]),
                "whole_list": measured(turns, [bench.load] * loads),
            }
        finally:
            turns.stop()
            bench.supervisor.stop()
    print(json.dumps(found, indent=None if as_json else 2))


if __name__ == "__main__":
    main()
