"""Changes of a list, with the time when the commit of each began. A separate process can make them, as operators do.

The figures do not include the work after the commit. The store then frees every entry of a whole new list, which
takes a good part of a second for a million entries. In the same process that would delay the code that measures, even
in another thread.
"""

import gc
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from typing import Any, Final, NamedTuple

from anpr.contracts.events import Entry, Generation
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import AnprError
from anpr.watchlist.store.applied_change import AppliedChange, Author
from anpr.watchlist.store.store import WatchlistStore, connect
from benchmarks.lookup import plate

LIST: Final = "stolen"
_WHY: Final = "benchmark"


class Commit(NamedTuple):
    """An active change. No service can have received it before its commit began."""

    generation: Generation
    began: float


class TimedStore(WatchlistStore):
    """A store that notes when a commit begins: when everything is written except the manifest that activates it."""

    def __init__(self, redis_url: str, clock: Callable[[], float]) -> None:
        self._began: float | None = None
        client = connect(redis_url, timeout_seconds=60)
        new_pipeline: Callable[[], Any] = client.pipeline

        def pipeline() -> Any:
            pipe = new_pipeline()
            execute = pipe.execute

            def timed_execute() -> Any:
                self._began = clock()
                return execute()

            pipe.execute = timed_execute
            return pipe

        client.pipeline = pipeline  # type: ignore[assignment]  # the store calls it without arguments
        super().__init__(client, keep_tombstones=timedelta(hours=96))

    def timed(self, change: Callable[[], AppliedChange]) -> Commit:
        """Make a change and return when its commit began. Repeat it if another process changed the list first."""
        while True:
            try:
                self._began = None
                generation = change().generation
            except AnprError as error:
                if error.code != "watchlist-changed-meanwhile":
                    raise
            else:
                if self._began is None:
                    raise RuntimeError("the store has committed, but no time was noted")
                return Commit(generation, self._began)


class ChangedElsewhere:
    """A list of so many entries. Every method returns when the change is active."""

    def __init__(self, redis_url: str, entries: int) -> None:
        self._pool = ProcessPoolExecutor(
            1, mp_context=get_context("spawn"), initializer=_open, initargs=(redis_url, entries)
        )

    def close(self) -> None:
        """End the process once its change is done."""
        self._pool.shutdown()

    def load(self) -> Commit:
        """Apply a whole new list."""
        return self._pool.submit(_load).result()

    def change(self, put: Sequence[Entry], remove: Sequence[str]) -> Commit:
        """Put some entries on the list and remove others."""
        return self._pool.submit(_change, put, remove).result()

    def keep_changing(self, a_second: int, seconds: float, *, spared: int) -> Future[float]:
        """Change so many entries each second, half of them new, but none of the first `spared`.

        The result is how many changed a second.
        """
        return self._pool.submit(_keep_changing, a_second, seconds, spared)

    def roll_back(self) -> Commit:
        """Restore the entries that the last change removed."""
        return self._pool.submit(_roll_back).result()


def entries_of(numbers: Sequence[int], draw: random.Random) -> list[Entry]:
    """Return an entry with a random plate for each number."""
    unset = Generation(epoch=0, number=0)
    until = datetime(2099, 1, 1, tzinfo=UTC)
    return [
        Entry(entry_id=f"{number:09}", revision=unset, list=LIST, plate=plate(draw), country="GB",
              category="stolen", reason="reported stolen", valid_until=until, tolerance="near")
        for number in numbers
    ]  # fmt: skip


class _List(NamedTuple):
    """The state of the separate process."""

    store: TimedStore
    entries: int
    draw: random.Random


_opened: list[_List] = []


def _open(redis_url: str, entries: int) -> None:
    gc.disable()  # millions of entries, none of them in a cycle
    _opened.append(_List(TimedStore(redis_url, time.time), entries, random.Random(1)))


def _load() -> Commit:
    (opened,) = _opened
    entries = entries_of(range(opened.entries), opened.draw)
    return opened.store.timed(lambda: opened.store.apply(LIST, entries, _WHY, system_clock()))


def _change(put: Sequence[Entry], remove: Sequence[str]) -> Commit:
    (opened,) = _opened
    return opened.store.timed(
        lambda: opened.store.change(LIST, put, remove, why=_WHY, now=system_clock(), author=Author())
    )


def _keep_changing(a_second: int, seconds: float, spared: int) -> float:
    (opened,) = _opened
    began, changed = time.monotonic(), 0
    for number in range(round(seconds)):
        time.sleep(max(0, began + number - time.monotonic()))
        known = opened.draw.sample(range(spared, opened.entries), a_second // 2)
        first_new = opened.entries + opened.draw.randrange(opened.entries)
        new = range(first_new, first_new + a_second - len(known))
        _change(entries_of([*known, *new], opened.draw), [])
        changed += a_second
    return changed / max(seconds, time.monotonic() - began)


def _roll_back() -> Commit:
    (opened,) = _opened
    return opened.store.timed(
        lambda: opened.store.rollback(LIST, None, why=_WHY, now=system_clock(), author=Author())
    )
