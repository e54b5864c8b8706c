"""The index builder: one process of a machine that follows the lists in Redis and keeps the index on disk.

Theory of operation. A turn asks the site's Redis what is in force, which is one small value. When that is what is on
disk, it is confirmed. When it is newer, the changes since are read and laid over the base that is on disk: a small
file, in force within some milliseconds. When the changes have become many, another process merges them into a new
base (`merge`); meanwhile small changes go on being laid over the old one, then over the new one. A merge that fails
is put off, for longer each time, and holds up no change. When the changes cannot be told, a thread builds a base from
Redis: there are none then that it could hold up.

A generation never goes backwards here. A Redis that is away, empty, slow, or behind what is on disk (a replica that
lags, a home that lost its newest changes in a fail-over) changes nothing: what is on disk stays, unconfirmed, and its
age shows.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from anpr.contracts.events import Generation
from anpr.index_store.folder import IndexFolder, IndexManifest
from anpr.index_store.index_file import DamagedError
from anpr.matching.encoding.encoded_entry import EncodedEntry
from anpr.matching.index import Index
from anpr.runtime import metrics
from anpr.runtime.clock import Clock
from anpr.runtime.errors import AnprError
from anpr.runtime.logs import get_logger
from anpr.watchlist.changes import Changes
from anpr.watchlist.store.manifest import Manifest

log = get_logger(__name__)

# After a failure (a full disk, a list that is not whole) nothing is tried again for so long.
PAUSE = timedelta(seconds=1)
# A merge that fails takes seconds of the processor each time, and perhaps the last room on the disk.
MERGE_PAUSE = timedelta(seconds=1)
LONGEST_MERGE_PAUSE = timedelta(minutes=5)
# The files are read through so often: a restart without Redis must not be what finds them damaged.
CHECK_EVERY = timedelta(minutes=1)


class Lists(Protocol):
    """What is asked of the store. Every method raises UnavailableError while Redis does not answer."""

    def read_manifest(self) -> Manifest | None:
        """Return what is in force."""

    def load_encoded(self, head: Manifest) -> list[EncodedEntry] | None:
        """Return all entries, None when they are not whole any more."""

    def changes(self, before: Manifest, after: Manifest) -> Changes | None:
        """Return what turns the one into the other, None when that cannot be told."""


@dataclass(frozen=True, slots=True)
class _Base:
    """A base on disk: its file and what it holds."""

    name: str
    index: Index


class IndexBuilder:
    """Call `run_once` again and again. Only one process may, for a folder.

    Attributes:
        current: What is on disk, as far as it is known to be whole.
        trouble: What keeps it from being confirmed, in words; empty when all is well.
    """

    def __init__(  # noqa: PLR0913  everything it touches is handed in
        self,
        lists: Lists,
        folder: IndexFolder,
        clock: Clock,
        merge: Callable[[IndexFolder, IndexManifest], str],
        *,
        check_every: timedelta = CHECK_EVERY,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Take up what is on disk, if it is whole; else it is built anew. A thread of its own calls `merge`."""
        self.current: IndexManifest | None = None
        self.trouble = ""
        self._lists = lists
        self._folder = folder
        self._clock = clock
        self._merge = merge
        self._check_every = check_every
        self._stopwatch = stopwatch
        self._check_at = self._pause_until = self._merge_at = clock()
        self._merge_pause = MERGE_PAUSE
        self._newest: Generation | None = None
        self._base: _Base | None = None
        self._index: Index | None = None
        self._job: _Job | None = None
        self._check: _Job | None = None

    def run_once(self) -> None:
        """Bring what is on disk nearer to what is in force."""
        now = self._clock()
        if now < self._pause_until:
            return
        try:
            self._check_disk(now)
            head = self._lists.read_manifest()
            if head is None:
                self._say("Redis holds no list at all; that is not taken for an empty list")
            elif self._newest is not None and head.generation < self._newest:
                self._say(f"Redis shows generation {head.generation}, and {self._newest} was in force here already")
            else:
                self._follow(head)
                self._say("")
        except AnprError as error:
            self._say(str(error))
        except OSError as error:
            self._say(f"the index cannot be written: {error}")
            self._pause_until = now + PAUSE

    def _follow(self, head: Manifest) -> None:
        if self._job is not None and self._job.is_done():
            job, self._job = self._job, None
            self._finish(job, head)
        elif self._base is None or self._index is None or self.current is None:
            self._build_whole(head)
        elif self.current.head == head:
            self._confirm()
        else:
            changes = self._lists.changes(self.current.head, head)
            if changes is None:
                self._build_whole(head)
            else:
                self._lay_over(self._base, self._index, changes, head)
        if self._job is None and self._index is not None and self.current is not None:
            self._merge_if_due(self._index, self.current)

    def _finish(self, job: "_Job", head: Manifest) -> None:
        try:
            base = self._finished(job)
        except (AnprError, OSError, MemoryError, DamagedError) as error:
            if job.kind != "merge":
                raise
            self._put_off_merge(error)
        else:
            self._merge_pause = MERGE_PAUSE
            self._move_onto(base, job.head, head)

    def _put_off_merge(self, error: Exception) -> None:
        metrics.COMPACTION_FAILURES.inc()
        seconds = self._merge_pause.total_seconds()
        log.warning("the index could not be merged", reason=str(error) or repr(error), again_in_seconds=seconds)
        self._merge_at = self._clock() + self._merge_pause
        self._merge_pause = min(2 * self._merge_pause, LONGEST_MERGE_PAUSE)

    def _move_onto(self, base: _Base | None, base_head: Manifest, head: Manifest) -> None:
        """Put a new base in force, with what has changed since it was begun."""
        if base is None:
            self._pause_until = self._clock() + PAUSE
            return
        changes = self._lists.changes(base_head, head)
        if changes is not None:
            self._lay_over(base, base.index, changes, head)
        elif self._newest is None or self._newest < base_head.generation:
            self._put_in_force(base, base.index, IndexManifest(base_head, base.name))

    def _lay_over(self, base: _Base, onto: Index, changes: Changes, head: Manifest) -> None:
        began = self._stopwatch()
        if head.generation == base.index.generation:
            self._put_in_force(base, base.index, IndexManifest(head, base.name))
            return
        index = onto.with_changes(changes.put, changes.removed, head.generation)
        name = self._folder.write_changes(index, head.applied_at)
        self._put_in_force(base, index, IndexManifest(head, base.name, name))
        metrics.INDEX_BUILD.labels("changes").observe(self._stopwatch() - began)

    def _put_in_force(self, base: _Base, index: Index, current: IndexManifest) -> None:
        self._folder.put_in_force(current, self._clock())
        self._base, self._index, self.current, self._newest = base, index, current, current.generation
        if self._job is None:  # what it has written so far is not named yet
            self._folder.sweep(current)
        log.info(
            "index in force",
            generation=str(current.generation),
            entries=index.size,
            changes_since_base=index.change_count,
            bytes_on_disk=self._folder.bytes_on_disk(),
        )
        self._tell(index, current)

    def _confirm(self) -> None:
        now = self._clock()
        try:
            self._folder.confirm(now)
        except FileNotFoundError:
            log.warning("the index is gone from the disk; it is built anew")
            self._base = self._index = self.current = None
        metrics.INDEX_CONFIRMED.set(now.timestamp())

    def _check_disk(self, now: datetime) -> None:
        """Take up what is on disk, or, when something is in force, have it read through; no change waits for that."""
        if self._check is not None and self._check.is_done():
            check, self._check = self._check, None
            if check.has_failed():  # if it was not replaced just then
                self._take_up()
        if now >= self._check_at:
            self._check_at = now + self._check_every
            if self.current is None:
                self._take_up()
            elif self._check is None:
                self._check = _Job("check", self.current.head, lambda: self._read_through()[0], self._stopwatch)

    def _read_through(self) -> tuple[_Base, IndexManifest, Index]:
        current = self._folder.read().current
        base = self._folder.open_base(current, check_entries=True)
        return _Base(current.base, base), current, self._folder.open(current, base)

    def _take_up(self) -> None:
        """Read what is on disk through, and go on from it if it is whole."""
        try:
            base, current, index = self._read_through()
        except FileNotFoundError:
            self._base = self._index = self.current = None
        except DamagedError as error:
            log.error("the index on disk is refused and built anew", reason=str(error))  # noqa: TRY400  it says all
            self._base = self._index = self.current = None
        else:
            if self.current is None:
                log.info("index taken up from disk", generation=str(current.generation), entries=index.size)
                self._base, self._index = base, index
                self.current, self._newest = current, current.generation
                self._tell(index, current)

    def _build_whole(self, head: Manifest) -> None:
        """Begin to build a base from Redis, unless that is under way."""
        if self._job is not None and self._job.kind == "whole":
            return

        def make() -> str | None:
            entries = self._lists.load_encoded(head)
            # None: replaced while it was read; the next turn reads the new head.
            if entries is None:
                return None
            return self._folder.write_base(Index.build_encoded(entries, head.generation), head.applied_at)

        log.info("index is built from Redis", generation=str(head.generation), entries=_size_of(head))
        self._begin("whole", head, make)

    def _merge_if_due(self, index: Index, current: IndexManifest) -> None:
        """Begin to build a base of an index that has many changes, unless that has failed just now."""
        if not index.is_compaction_due or self._clock() < self._merge_at:
            return
        log.info("index is merged", generation=str(index.generation), changes_since_base=index.change_count)
        self._begin("merge", current.head, lambda: self._merge(self._folder, current))

    def _begin(self, kind: str, head: Manifest, write: Callable[[], str | None]) -> None:
        def make() -> _Base | None:
            name = write()
            if name is None:
                return None
            # The file's own pages from now on: matchers share them, and they need no room of this process's own.
            return _Base(name, self._folder.open_base(IndexManifest(head, name), check_entries=False))

        self._job = _Job(kind, head, make, self._stopwatch)

    def _finished(self, job: "_Job") -> _Base | None:
        """Return the base that was being built. Raises what ended the building."""
        base = job.result()
        log.info("base built", kind=job.kind, seconds=round(job.seconds, 2), is_whole=base is not None)
        metrics.INDEX_BUILD.labels(job.kind).observe(job.seconds)
        return base

    def _say(self, trouble: str) -> None:
        """Log what is wrong when it begins, and its end."""
        if trouble != self.trouble:
            self.trouble = trouble
            if trouble:
                log.warning("the index on disk goes on unconfirmed", reason=trouble)
            else:
                log.info("Redis is followed again")

    def _tell(self, index: Index, current: IndexManifest) -> None:
        metrics.INDEX_EPOCH.set(current.generation.epoch)
        metrics.INDEX_NUMBER.set(current.generation.number)
        metrics.INDEX_ENTRIES.set(index.size)
        metrics.INDEX_DELTA_ENTRIES.set(index.change_count)
        metrics.INDEX_BYTES.set(self._folder.bytes_on_disk())


class _Job:
    """A base of the lists as `head` has them, in a thread that builds it, waits for it, or reads it through."""

    def __init__(
        self, kind: str, head: Manifest, make: Callable[[], _Base | None], stopwatch: Callable[[], float]
    ) -> None:
        self.kind = kind
        self.head = head
        self.seconds = 0.0
        self._future: Future[_Base | None] = Future()

        def run() -> None:
            began = stopwatch()
            try:
                base = make()
                self.seconds = stopwatch() - began
                self._future.set_result(base)
            except BaseException as error:  # noqa: BLE001  it is raised where the result is asked for
                self._future.set_exception(error)

        threading.Thread(target=run, name=f"index-{kind}", daemon=True).start()

    def is_done(self) -> bool:
        return self._future.done()

    def has_failed(self) -> bool:
        return self._future.exception() is not None

    def result(self) -> _Base | None:
        return self._future.result()


def _size_of(head: Manifest) -> int:
    return sum(place.entries for place in head.lists.values())
