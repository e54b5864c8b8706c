"""A machine with an index, whose processes run one pass of their loops at a time."""

import time
from datetime import datetime, timedelta
from pathlib import Path

from anpr.contracts.events import Generation
from anpr.index_store.builder import IndexBuilder
from anpr.index_store.compaction import compact
from anpr.index_store.folder import IndexFolder
from anpr.index_store.follower import ActiveIndex, IndexFollower
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from anpr.watchlist.store.applied_change import AppliedChange, Author
from anpr.watchlist.store.store import WatchlistStore, connect
from tests.support.entries import entry

KEEP = timedelta(hours=96)


class Machine:
    """A machine's index folder, its builder and one matcher's follower. Each runs one pass for each `step`."""

    def __init__(self, path: Path, url: str, timeout_seconds: float = 10) -> None:
        self.folder = IndexFolder(path)
        self.clock_offset = timedelta(0)
        self.store = WatchlistStore(connect(url, timeout_seconds), KEEP)
        self.start_builder()
        self.start_matcher()

    def start_builder(self) -> None:
        def clock() -> datetime:
            return system_clock() + self.clock_offset

        self.builder = IndexBuilder(self.store, self.folder, clock, compact, check_every=timedelta(0))

    def start_matcher(self) -> None:
        self.matcher = IndexFollower(self.folder, "anpr index")

    def step(self) -> None:
        self.builder.run_once()
        self.matcher.check_for_update()

    def steps(self, count: int = 5) -> None:
        for _ in range(count):
            self.step()
            time.sleep(0.01)

    @property
    def active(self) -> ActiveIndex:
        assert self.matcher.active is not None
        return self.matcher.active

    def generation(self) -> Generation | None:
        return self.matcher.active.index.generation if self.matcher.active else None

    def ids(self) -> set[str]:
        return {entry.entry_id for entry in self.active.index.entries()}

    def comes_to(self, applied: AppliedChange) -> None:
        def is_there() -> bool:
            self.step()
            return self.generation() == applied.generation

        assert wait_until(is_there, 60), self.builder.problem


def apply(it: Machine, *ids: str, why: str = "test", **fields: str) -> AppliedChange:
    entries = [entry(one, "AB12CDE", **fields) for one in ids]
    return it.store.apply("stolen", entries, why, system_clock())


def put(it: Machine, *ids: str, remove: tuple[str, ...] = ()) -> AppliedChange:
    entries = [entry(one, "AB12CDE") for one in ids]
    return it.store.change("stolen", entries, list(remove), why="test", now=system_clock(), author=Author())
