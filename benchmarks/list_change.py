"""How long a change of the list takes to reach a matcher, and how long it delays the matcher meanwhile.

    python -m benchmarks.list_change [--entries 1000000] [--changes 40] [--loads 3] [--json]

It runs a real Valkey with a list keeper, a real `anpr index`, and a process that matches a small batch every
millisecond with the index that a matcher would have. It measures the time from the beginning of the commit to the end
of the first batch that was matched with the change. A hold-up is how much later than that millisecond a batch
ends, in the time around each change. Compare it with the undisturbed time, equally long, before each change: a shared
machine delays every process.
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
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median

import click

from anpr.board.rates import percentile
from anpr.contracts.events import Generation, Read
from anpr.index_store.folder import IndexFolder
from anpr.index_store.follower import IndexFollower
from anpr.local.processes import wait_until
from anpr.local.supervisor import Supervisor
from anpr.local.valkey_server import ValkeyServer
from anpr.runtime.clock import system_clock
from anpr.runtime.settings_files import load_settings
from anpr.watchlist.store.applied_change import Author
from benchmarks.commits import LIST, Commit, TimedStore, entries_of
from benchmarks.lookup import plate
from benchmarks.options import COUNT

PAUSE_SECONDS = 0.001
BATCH_READS = 20
CHANGED = 1000
QUIET_SECONDS = 0.5


class MatchingProcess:
    """The process that matches: when each of its batches ended, and the first end with each generation."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.list_change", "--match", str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603  this program
        self.ended: list[float] = []
        self.first: dict[Generation, float] = {}
        threading.Thread(target=self._read, daemon=True).start()

    def hold_ups_ms(self, since: float, until: float) -> list[float]:
        """Return by how many milliseconds each batch that ran in this time ended late."""
        if not wait_until(lambda: bool(self.ended) and self.ended[-1] > until, 300):
            raise SystemExit("the matching process has stopped reporting")
        ends = pairwise(list(self.ended))
        ran = ((before, after) for before, after in ends if after > since and before < until)
        return [(after - before - PAUSE_SECONDS) * 1000 for before, after in ran]

    def seconds_until(self, generation: Generation, since: float) -> float:
        """Wait for the first batch matched with a generation, and return how long after `since` it ended.

        A later generation includes it: if the keeper changes the list soon after, the matcher may see only that one.
        """
        if not wait_until(lambda: self._ended_with(generation) is not None, 300):
            raise SystemExit(f"generation {generation} did not arrive")
        return (self._ended_with(generation) or 0) - since

    def _ended_with(self, generation: Generation) -> float | None:
        return min(
            (end for matched_with, end in list(self.first.items()) if matched_with >= generation), default=None
        )

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            if line.endswith("\n"):  # otherwise the process ended in the middle of it
                matched_with, end = line.split()
                epoch, number = map(int, matched_with.split("."))
                self.ended.append(float(end))
                self.first.setdefault(Generation(epoch=epoch, number=number), float(end))


def match(folder: Path) -> None:
    """Match batches without end. Print for each the generation and when it ended."""
    follower = IndexFollower(IndexFolder(folder), "anpr index")
    follower.start()
    draw = random.Random(2)
    reads = [Read(read_id=str(number), site="calais", plate=plate(draw)) for number in range(BATCH_READS)]
    if not wait_until(lambda: follower.active is not None, 600):
        raise SystemExit("there is no list after ten minutes")
    while True:
        active = follower.active
        if active is None:
            raise SystemExit("the list is missing")
        active.index.match(reads)
        print(active.index.generation, f"{time.monotonic():.6f}", flush=True)
        time.sleep(PAUSE_SECONDS)


class Bench:
    """A Valkey, an index builder, a list keeper, a matching process, and the changes."""

    def __init__(self, folder: Path, valkey: ValkeyServer, entries: int) -> None:
        self._count = entries
        self._draw = random.Random(1)
        self._now = system_clock()
        self._store = TimedStore(valkey.url, time.monotonic)
        self._folder = folder
        self._environment = {"REDIS_URL": valkey.url, "ANPR_WATCHLIST__STATE_DIR": str(folder / "state")}
        self._index = load_settings(Path("config"), self._environment).index_dir
        self.supervisor = Supervisor()
        self.load()

    def start(self) -> MatchingProcess:
        """Start the builder, the keeper and the matching process."""
        builder = [sys.executable, "-m", "anpr", "index", "--site", "calais"]
        self.supervisor.add("index", builder, log=self._folder / "index.log", env=self._environment)
        keeper = [sys.executable, "-m", "anpr", "watchlist", "keep"]
        self.supervisor.add("keep", keeper, log=self._folder / "keep.log", env=self._environment)
        return MatchingProcess(self._index)

    def load(self) -> Commit:
        """Apply a whole new list."""
        entries = entries_of(range(self._count), self._draw)
        return self._store.timed(lambda: self._store.apply(LIST, entries, "benchmark", self._now))

    def change(self, number: int) -> Commit:
        """Change a thousand entries anywhere in the list, half of them new."""
        known = self._draw.sample(range(self._count), CHANGED // 2)
        new = range(self._count + number * CHANGED // 2, self._count + (number + 1) * CHANGED // 2)
        put = entries_of([*known, *new], self._draw)
        author = Author()
        return self._store.timed(
            lambda: self._store.change(LIST, put, [], why="benchmark", now=self._now, author=author)
        )

    def generation(self) -> Generation:
        """Return the active generation."""
        manifest = self._store.read_manifest()
        if manifest is None:
            raise SystemExit("Redis is empty")
        return manifest.generation


def measure(process: MatchingProcess, work: Sequence[Callable[[], Commit]]) -> dict[str, object]:
    """Make each change after a quiet time. Return how long each took to reach the matcher, and the hold-ups."""
    seconds, quiet, disturbed = [], [], []
    for change in work:
        began = time.monotonic()
        time.sleep(QUIET_SECONDS)
        quiet_until = time.monotonic()
        commit = change()
        took = process.seconds_until(commit.generation, commit.began)
        seconds.append(took)
        # As long as the quiet time, and around the arrival of the new list.
        arrived = commit.began + took
        quiet.append(process.hold_ups_ms(began, quiet_until))
        disturbed.append(process.hold_ups_ms(arrived - QUIET_SECONDS / 2, arrived + QUIET_SECONDS / 2))
    return {
        "runs": len(work),
        "active_seconds": {name: round(percentile(seconds, share) or 0, 3) for name, share in SHARES},
        "hold_up_undisturbed_ms": summary([max(ms, default=0) for ms in quiet]),
        "hold_up_ms": summary([max(ms, default=0) for ms in disturbed]),
    }


SHARES = (("p50", 0.5), ("p99", 0.99))


def summary(longest: Sequence[float]) -> dict[str, float]:
    """Return the median and the maximum of the longest hold-ups."""
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
        process = bench.start()
        try:
            process.seconds_until(bench.generation(), 0)
            found = {
                "entries": entries,
                "change_of_1000": measure(process, [partial(bench.change, number) for number in range(changes)]),
                "whole_list": measure(process, [bench.load] * loads),
            }
        finally:
            process.stop()
            bench.supervisor.stop()
    print(json.dumps(found, indent=None if as_json else 2))


if __name__ == "__main__":
    main()
