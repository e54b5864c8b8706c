"""The index builder: one process of a machine that follows the lists in Redis and keeps the index on disk.

Theory of operation. Each run asks the site's Redis for the manifest, which is one small value. When the index on disk
is of that generation, it is confirmed. When the manifest is newer, the changes since are read and written as a delta
of the snapshot on disk: a small file, active within some milliseconds. When the deltas have become large
(`compaction_due`), another process compacts the index into a new snapshot (`compaction`). Meanwhile changes still go
into deltas, first of the old snapshot and then of the new one. A compaction that fails is tried again, later each
time, and delays no change. When the changes cannot be determined, a thread builds a snapshot from Redis: there are no
changes then that it could delay.

A generation never goes backwards here. Redis may be away, empty, slow, or behind the disk (a replica that lags, or a
home that lost its newest changes in a fail-over). Then nothing changes: the index on disk stays active,
unconfirmed, and its age shows.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from anpr.contracts.events import Generation
from anpr.index_store import compaction_due
from anpr.index_store.background_job import BackgroundJob
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

# After a failure (a full disk, a list that is not whole) nothing is tried again for this long.
PAUSE = timedelta(seconds=1)
# A compaction that fails takes seconds of the processor each time, and perhaps the last space on the disk.
COMPACTION_PAUSE = timedelta(seconds=1)
LONGEST_COMPACTION_PAUSE = timedelta(minutes=5)
# How often the files are checked: a restart without Redis must not be the first to find them damaged.
CHECK_EVERY = timedelta(minutes=1)
# How a snapshot is built, as the metric's label names it.
_FROM_REDIS, _COMPACTION = "whole", "merge"


class Watchlist(Protocol):
    """The watchlist as the builder reads it. Every method raises UnavailableError while Redis does not answer."""

    def read_manifest(self) -> Manifest | None:
        """Return the manifest of the active generation, None when Redis holds no list."""

    def load_encoded(self, manifest: Manifest) -> list[EncodedEntry] | None:
        """Return all entries, None when the list is not whole any more."""

    def changes(self, before: Manifest, after: Manifest) -> Changes | None:
        """Return the changes between two generations, None when they cannot be determined."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """A snapshot on disk: the name of its file, and the index in it."""

    name: str
    index: Index


@dataclass(frozen=True, slots=True)
class _Build:
    """A snapshot of the lists at `manifest` that is being built. `kind` is the label of the metric.

    `compacted` names the files that are being read for it.
    """

    kind: str
    manifest: Manifest
    compacted: IndexManifest | None
    job: BackgroundJob[_Snapshot | None]


class IndexBuilder:
    """Call `run_once` again and again. Only one process may, for a folder.

    Attributes:
        active: The index on disk; None until it is known to be whole.
        problem: Why the index on disk is not confirmed, in words; empty when it is.
    """

    def __init__(  # noqa: PLR0913  everything it touches is handed in
        self,
        watchlist: Watchlist,
        folder: IndexFolder,
        clock: Clock,
        compact: Callable[[IndexFolder, IndexManifest], str],
        *,
        keep_removed_for: timedelta = timedelta(hours=72),
        check_every: timedelta = CHECK_EVERY,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Start from the index on disk if it is whole, or else from Redis. A thread of its own calls `compact`.

        An entry that was removed or changed stays in the snapshot for `keep_removed_for` before it is compacted.
        """
        self.active: IndexManifest | None = None
        self.problem = ""
        self._watchlist = watchlist
        self._folder = folder
        self._clock = clock
        self._compact = compact
        self._check_every = check_every
        self._keep_removed_for = keep_removed_for
        self._stopwatch = stopwatch
        self._check_at = self._pause_until = self._compact_at = stopwatch()
        self._compacted_at = stopwatch()
        self._compaction_pause = COMPACTION_PAUSE
        self._newest: Generation | None = None
        self._snapshot: _Snapshot | None = None
        self._index: Index | None = None
        self._build: _Build | None = None
        self._disk_check: BackgroundJob[object] | None = None

    def run_once(self) -> None:
        """Bring the index on disk nearer to the active generation."""
        now = self._stopwatch()
        if now < self._pause_until:
            return
        try:
            self._check_disk(now)
            manifest = self._watchlist.read_manifest()
            if manifest is None:
                self._report("Redis holds no list at all; that does not count as an empty watchlist")
            elif self._newest is not None and manifest.generation < self._newest:
                self._report(
                    f"Redis has generation {manifest.generation}, but this machine already had {self._newest}"
                )
            else:
                self._follow(manifest)
                self._report("")
        except AnprError as error:
            self._report(str(error))
        except OSError as error:
            self._report(f"the index cannot be written: {error}")
            self._pause_until = now + PAUSE.total_seconds()

    def _follow(self, manifest: Manifest) -> None:
        if self._build is not None and self._build.job.is_done():
            build, self._build = self._build, None
            self._finish(build, manifest)
        elif self._snapshot is None or self._index is None or self.active is None:
            self._build_from_redis(manifest)
        elif self.active.watchlist == manifest:
            self._confirm()
        else:
            changes = self._watchlist.changes(self.active.watchlist, manifest)
            if changes is None:
                self._build_from_redis(manifest)
            else:
                self._apply_delta(self._snapshot, self._index, self.active.deltas, changes, manifest)
        if self._build is None and self._index is not None and self.active is not None:
            self._compact_if_due(self._index, self.active)

    def _finish(self, build: _Build, manifest: Manifest) -> None:
        try:
            snapshot = self._result_of(build)
        except (AnprError, OSError, MemoryError, DamagedError) as error:
            if build.kind != _COMPACTION:
                raise
            self._postpone_compaction(error)
        else:
            self._compaction_pause, self._compacted_at = COMPACTION_PAUSE, self._stopwatch()
            self._change_snapshot(snapshot, build.manifest, manifest)

    def _postpone_compaction(self, error: Exception) -> None:
        metrics.COMPACTION_FAILURES.inc()
        seconds = self._compaction_pause.total_seconds()
        log.warning("index compaction failed", reason=str(error) or repr(error), again_in_seconds=seconds)
        self._compact_at = self._stopwatch() + seconds
        self._compaction_pause = min(2 * self._compaction_pause, LONGEST_COMPACTION_PAUSE)

    def _change_snapshot(self, snapshot: _Snapshot | None, built_from: Manifest, manifest: Manifest) -> None:
        """Activate a new snapshot, with the changes since it was begun."""
        if snapshot is None:
            self._pause_until = self._stopwatch() + PAUSE.total_seconds()
            return
        changes = self._watchlist.changes(built_from, manifest)
        if changes is not None:
            self._apply_delta(snapshot, snapshot.index, (), changes, manifest)
        elif self._newest is None or self._newest < built_from.generation:
            self._activate(snapshot, snapshot.index, IndexManifest(built_from, snapshot.name))

    def _apply_delta(
        self, snapshot: _Snapshot, index: Index, deltas: tuple[str, ...], changes: Changes, manifest: Manifest
    ) -> None:
        """Change an index of this snapshot and these deltas, write the newest delta and activate it."""
        began = self._stopwatch()
        if manifest.generation == snapshot.index.generation:
            self._activate(snapshot, snapshot.index, IndexManifest(manifest, snapshot.name))
            return
        changed = index.with_changes(changes.put, changes.removed, manifest.generation)
        newest = self._folder.write_delta(changed, manifest.applied_at)
        deltas = (*deltas[: len(changed.deltas) - 1], newest)
        self._activate(snapshot, changed, IndexManifest(manifest, snapshot.name, deltas))
        metrics.INDEX_BUILD.labels("changes").observe(self._stopwatch() - began)

    def _activate(self, snapshot: _Snapshot, index: Index, index_manifest: IndexManifest) -> None:
        self._folder.activate(index_manifest, self._clock())
        self._snapshot, self._index, self.active = snapshot, index, index_manifest
        self._newest = index_manifest.generation
        if self._build is None:
            self._folder.delete_unnamed_files(index_manifest)
        else:  # no manifest names the files of a running build yet, and it may take minutes
            self._folder.delete_unnamed_deltas(index_manifest, self._build.compacted or index_manifest)
        log.info(
            "index activated",
            generation=str(index_manifest.generation),
            entries=index.size,
            changes_since_snapshot=index.change_count,
            bytes_on_disk=self._folder.bytes_on_disk(),
        )
        self._update_metrics(index, index_manifest)

    def _confirm(self) -> None:
        now = self._clock()
        try:
            self._folder.confirm(now)
        except FileNotFoundError:
            log.warning("the index is missing from the disk; it is built again")
            self._forget()
        metrics.INDEX_CONFIRMED.set(now.timestamp())

    def _check_disk(self, now: float) -> None:
        """Start from the index on disk; while one is active, check its files in a thread, so that no change waits."""
        if self._disk_check is not None and self._disk_check.is_done():
            check, self._disk_check = self._disk_check, None
            if check.has_failed():  # perhaps only because the files were replaced at that moment
                self._start_from_disk()
        if now >= self._check_at:
            self._check_at = now + self._check_every.total_seconds()
            if self.active is None:
                self._start_from_disk()
            elif self._disk_check is None:
                self._disk_check = BackgroundJob("index-check", self._open_and_check, self._stopwatch)

    def _open_and_check(self) -> tuple[_Snapshot, IndexManifest, Index]:
        index_manifest = self._folder.read_manifest().index_manifest
        snapshot = self._folder.open_snapshot(index_manifest, check_entries=True)
        index = self._folder.open_index(index_manifest, snapshot)
        return _Snapshot(index_manifest.snapshot, snapshot), index_manifest, index

    def _start_from_disk(self) -> None:
        """Check the index on disk, and continue from it if it is whole."""
        try:
            snapshot, index_manifest, index = self._open_and_check()
        except FileNotFoundError:
            self._forget()
        except DamagedError as error:
            log.error("the index on disk is damaged; it is built again", reason=str(error))  # noqa: TRY400  no trace
            self._forget()
        else:
            if self.active is None:
                log.info("index opened from disk", generation=str(index_manifest.generation), entries=index.size)
                self._snapshot, self._index = snapshot, index
                self.active, self._newest = index_manifest, index_manifest.generation
                self._update_metrics(index, index_manifest)

    def _forget(self) -> None:
        self._snapshot = self._index = self.active = None

    def _build_from_redis(self, manifest: Manifest) -> None:
        """Begin to build a snapshot from Redis, unless one is being built from there."""
        if self._build is not None and self._build.kind == _FROM_REDIS:
            return

        def write() -> str | None:
            entries = self._watchlist.load_encoded(manifest)
            # None: replaced while it was read; the next run reads the new manifest.
            if entries is None:
                return None
            index = Index.build_encoded(entries, manifest.generation)
            return self._folder.write_snapshot(index, manifest.applied_at)

        entries = sum(list_manifest.entries for list_manifest in manifest.lists.values())
        log.info("building the index from Redis", generation=str(manifest.generation), entries=entries)
        self._begin(_FROM_REDIS, manifest, None, write)

    def _compact_if_due(self, index: Index, index_manifest: IndexManifest) -> None:
        """Begin to compact an index that has many changes, or removed entries for long, unless it has just failed."""
        if self._stopwatch() < self._compact_at:
            return
        seconds = self._stopwatch() - self._compacted_at
        is_due = compaction_due.is_due(len(index.snapshot), index.change_count, seconds)
        if not is_due and not self._holds_removed_for_long(index, index_manifest):
            return
        log.info("compacting the index", generation=str(index.generation), changes_since_snapshot=index.change_count)
        manifest = index_manifest.watchlist
        self._begin(_COMPACTION, manifest, index_manifest, lambda: self._compact(self._folder, index_manifest))

    def _holds_removed_for_long(self, index: Index, index_manifest: IndexManifest) -> bool:
        """Tell whether the snapshot has texts that must leave the disk: they are personal data."""
        is_removed = any(len(layer.removed_rows) for layer in index.layers)
        return is_removed and self._clock() - self._folder.written_at(index_manifest) >= self._keep_removed_for

    def _begin(
        self, kind: str, manifest: Manifest, compacted: IndexManifest | None, write: Callable[[], str | None]
    ) -> None:
        def build() -> _Snapshot | None:
            name = write()
            if name is None:
                return None
            # From now on the pages of the file: matchers share them, and this process needs no memory of its own.
            index = self._folder.open_snapshot(IndexManifest(manifest, name), check_entries=False)
            return _Snapshot(name, index)

        self._build = _Build(kind, manifest, compacted, BackgroundJob(f"index-{kind}", build, self._stopwatch))

    def _result_of(self, build: _Build) -> _Snapshot | None:
        """Return the snapshot that was built. Raises the error that ended the build."""
        snapshot, seconds = build.job.result(), build.job.seconds
        log.info("snapshot built", kind=build.kind, seconds=round(seconds, 2), is_whole=snapshot is not None)
        metrics.INDEX_BUILD.labels(build.kind).observe(seconds)
        return snapshot

    def _report(self, problem: str) -> None:
        """Log a problem when it begins, and its end."""
        if problem != self.problem:
            self.problem = problem
            if problem:
                log.warning("the index on disk is not confirmed", reason=problem)
            else:
                log.info("the index follows Redis again")

    def _update_metrics(self, index: Index, index_manifest: IndexManifest) -> None:
        metrics.INDEX_EPOCH.set(index_manifest.generation.epoch)
        metrics.INDEX_NUMBER.set(index_manifest.generation.number)
        metrics.INDEX_ENTRIES.set(index.size)
        metrics.INDEX_DELTA_ENTRIES.set(index.change_count)
        metrics.INDEX_BYTES.set(self._folder.bytes_on_disk())
