"""How long a change of the list takes to reach a matcher, what it costs, and how long it delays the matcher.

    python -m benchmarks.list_change [--entries 1000000] [--changes 40] [--loads 3] [--seconds 60] [--json]

It runs a real Valkey with a list keeper, a real `anpr index`, and a process that matches a small batch every
millisecond with the index that a matcher would have. It measures the time from the beginning of the commit to the end
of the first batch that was matched with the change. A hold-up is how much later than that millisecond a batch
ends, in the time around each change. Compare it with the undisturbed time, equally long, before each change: a shared
machine delays every process.

Then the list changes without a pause, a thousand entries a second. It measures the same for each of these changes,
the processor time of each process and how often the builder compacts. A ratio compares the batches with those of an
undisturbed time before.
"""

import gc
import json
import os
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
from benchmarks.options import COUNT, NONE_OR_MORE

PAUSE_SECONDS = 0.001
BATCH_READS = 20
CHANGED = 1000
QUIET_SECONDS = 0.5
# The stream of changes: so many commits a second, together a thousand entries.
COMMITS_A_SECOND = 5


class MatchingProcess:
    """The process that matches: when each of its batches ended, and the first end with each generation."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.list_change", "--match", str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603  this program
        self.pid = self._process.pid
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
        self._count = self._next = entries
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

    def change(self, size: int) -> Commit:
        """Change so many entries anywhere in the list, half of them new, or the one of them."""
        known = self._draw.sample(range(self._count), size // 2)
        new = range(self._next, self._next + size - size // 2)
        self._next = new.stop
        put = entries_of([*known, *new], self._draw)
        author = Author()
        return self._store.timed(
            lambda: self._store.change(LIST, put, [], why="benchmark", now=self._now, author=author)
        )

    def compactions(self) -> int:
        """Return how often the builder has begun to compact."""
        return (self._folder / "index.log").read_text(encoding="utf-8").count("compacting the index")

    def cpu_seconds(self, process: MatchingProcess) -> dict[str, float]:
        """Return the processor time of each process so far, with the children that it has waited for."""
        pids = {"index": self.supervisor.pid("index"), "keep": self.supervisor.pid("keep"), "match": process.pid}
        return {name: _cpu_seconds(pid) for name, pid in pids.items() if pid is not None}

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
        "active_seconds": shares(seconds, 3),
        "hold_up_undisturbed_ms": summary([max(ms, default=0) for ms in quiet]),
        "hold_up_ms": summary([max(ms, default=0) for ms in disturbed]),
    }


def measure_stream(bench: Bench, process: MatchingProcess, seconds: int) -> dict[str, object]:
    """Change the list without a pause. Return how long each change took, what it cost, and the hold-ups."""
    quiet_since = time.monotonic()
    time.sleep(seconds / 4)
    cpu, compactions, began = bench.cpu_seconds(process), bench.compactions(), time.monotonic()
    commits = []
    for number in range(seconds * COMMITS_A_SECOND):
        time.sleep(max(0.0, began + number / COMMITS_A_SECOND - time.monotonic()))
        commits.append(bench.change(CHANGED // COMMITS_A_SECOND))
    ended = time.monotonic()
    took = [process.seconds_until(commit.generation, commit.began) for commit in commits]
    used = {name: total - cpu[name] for name, total in bench.cpu_seconds(process).items()}
    quiet, stream = process.hold_ups_ms(quiet_since, began), process.hold_ups_ms(began, ended)
    return {
        "entries_a_second": round(len(commits) * CHANGED / COMMITS_A_SECOND / (ended - began)),
        "active_seconds": shares(took, 3),
        "compactions": bench.compactions() - compactions,
        "cpu_share": {name: round(spent / (ended - began), 3) for name, spent in used.items()},
        "batch_ms": shares([PAUSE_SECONDS * 1000 + ms for ms in stream], 2),
        "batch_ratio": {
            name: round((1 + (percentile(stream, share) or 0)) / (1 + (percentile(quiet, share) or 0)), 2)
            for name, share in SHARES
        },
    }


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")  # of the process and of its ended children


def shares(values: Sequence[float], digits: int) -> dict[str, float]:
    """Return the median and the 99th percentile."""
    return {name: round(percentile(values, share) or 0, digits) for name, share in SHARES}


SHARES = (("p50", 0.5), ("p99", 0.99))


def summary(longest: Sequence[float]) -> dict[str, float]:
    """Return the median and the maximum of the longest hold-ups."""
    return {"median": round(median(longest), 1), "max": round(max(longest), 1)}


@click.command()
@click.option("--entries", type=COUNT, default=1_000_000, show_default=True)
@click.option("--changes", type=COUNT, default=40, show_default=True, help="Changes of one, and of 1,000 entries.")
@click.option("--loads", type=NONE_OR_MORE, default=3, show_default=True, help="Whole new lists.")
@click.option("--seconds", type=NONE_OR_MORE, default=60, show_default=True, help="How long 1,000 a second change.")
@click.option("--json", "as_json", is_flag=True)
@click.option("--match", "folder", type=click.Path(path_type=Path), hidden=True)
def main(entries: int, changes: int, loads: int, seconds: int, *, as_json: bool, folder: Path | None) -> None:  # noqa: PLR0913  one for each option
    """Measure them and print seconds and milliseconds."""
    if folder is not None:
        match(folder)
    gc.disable()  # millions of entries, none of them in a cycle
    with tempfile.TemporaryDirectory() as name, ValkeyServer(Path(name) / "valkey") as valkey:
        bench = Bench(Path(name), valkey, entries)
        process = bench.start()
        try:
            process.seconds_until(bench.generation(), 0)
            found: dict[str, object] = {"entries": entries}
            for size in (1, CHANGED):
                found[f"change_of_{size}"] = measure(process, [partial(bench.change, size)] * changes)
            if seconds:
                found["stream"] = measure_stream(bench, process, seconds)
            if loads:
                found["whole_list"] = measure(process, [bench.load] * loads)
        finally:
            process.stop()
            bench.supervisor.stop()
    print(json.dumps(found, indent=None if as_json else 2))


if __name__ == "__main__":
    main()
