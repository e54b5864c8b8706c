"""Follows the index that this machine's builder writes on disk (`anpr.index_store.builder`), and maps a new one.

It runs in a thread of its own and hands a new index over by one assignment. So a matcher, which looks at the active
index once a batch, never waits and never sees half a list. It asks no server and decodes no entries: a new list costs
the time to read its pages once, in which the interpreter is free for the matcher. The active index stays while
nothing newer is whole, and its age shows.
"""

import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime

from anpr.index_store.folder import IndexFolder, IndexManifest, ManifestStamp
from anpr.index_store.folder_watch import FolderWatch
from anpr.index_store.index_file import DamagedError
from anpr.matching.index import Index
from anpr.matching.index_tables import IndexTables
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

# The kernel tells of a new list at once. Without it, a new list waits for this long, and so does each confirmation.
_CHECK_SECONDS = 0.25
# Long enough for a batch to end, so that the matcher's own thread has no large file to unmap.
_KEEP_REPLACED_SECONDS = 1.0
_CHECK_BUILDER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ActiveIndex:
    """An index, when its generation was applied, and when Redis last confirmed that this generation is active."""

    index: Index
    applied_at: datetime
    confirmed_at: datetime | None


class IndexFollower:
    """Follows the index on disk. `active` is None until there is one."""

    def __init__(self, folder: IndexFolder, start_builder: str) -> None:
        """`start_builder` is the command that the log names when no builder runs."""
        self.active: ActiveIndex | None = None
        self.is_builder_running = True
        self._folder = folder
        self._start_builder = start_builder
        self._stamp: ManifestStamp | None = None
        self._manifest: IndexManifest | None = None
        self._snapshot: Index | None = None
        self._opened: dict[str, IndexTables] = {}  # the deltas of the active index, by their files
        self._replaced: list[tuple[float, ActiveIndex]] = []  # until when each is kept
        self._builder_checked_at = -_CHECK_BUILDER_SECONDS
        self._has_failed = False
        self._watch = FolderWatch(folder.path)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchlist", daemon=True)

    def start(self) -> None:
        """Open the index on disk, if there is one, and follow it from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following."""
        self._stop.set()
        self._watch.wake()
        self._thread.join()

    def check_for_update(self) -> None:
        """Activate the index on disk if it is newer than the active one, or note that it was confirmed."""
        stamp = self._folder.manifest_stamp()
        if stamp is None or stamp == self._stamp:
            return
        try:
            read = self._folder.read_manifest()
            index_manifest = read.index_manifest
            if self._manifest is not None and index_manifest.generation < self._manifest.generation:
                log.warning(
                    "the index on disk is older than the active one", generation=str(index_manifest.generation)
                )
            elif index_manifest != self._manifest:
                self._activate(index_manifest, read.confirmed_at)
            elif self.active is not None:
                self.active = replace(self.active, confirmed_at=read.confirmed_at)
            self._stamp = read.stamp
        except FileNotFoundError:
            return  # replaced while it was read; the next check finds the new one
        except (DamagedError, OSError) as error:
            log.error("the index on disk cannot be used; its builder builds it again", reason=str(error))  # noqa: TRY400
            self._stamp = stamp

    def _activate(self, index_manifest: IndexManifest, confirmed_at: datetime) -> None:
        if self._manifest is None or self._snapshot is None or self._manifest.snapshot != index_manifest.snapshot:
            # At the start all of the file is checked: it may be old. Later ones were written a moment ago.
            self._snapshot = self._folder.open_snapshot(index_manifest, check_entries=self._manifest is None)
        index = self._folder.open_index(index_manifest, self._snapshot, self._opened)
        self._opened = dict(zip(index_manifest.deltas, (delta.tables for delta in index.deltas), strict=True))
        if self.active is not None:
            self._replaced.append((time.monotonic() + _KEEP_REPLACED_SECONDS, self.active))
        self.active = ActiveIndex(index, index_manifest.watchlist.applied_at, confirmed_at)
        self._manifest = index_manifest
        log.info("index activated", generation=str(index_manifest.generation), entries=index.size)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.check_for_update()
                self._check_builder()
                self._has_failed = False
            except Exception:
                # The thread must not end while its matcher works with an ageing list. The age shows either way.
                if not self._has_failed:  # it is tried again four times a second
                    log.exception("following the index failed, trying again")
                self._has_failed = True
            now = time.monotonic()
            self._replaced = [(until, active) for until, active in self._replaced if now < until]
            self._watch.wait(_CHECK_SECONDS)

    def _check_builder(self) -> None:
        now = time.monotonic()
        if now < self._builder_checked_at + _CHECK_BUILDER_SECONDS:
            return
        self._builder_checked_at = now
        was_running, self.is_builder_running = self.is_builder_running, self._folder.has_builder()
        if was_running and not self.is_builder_running:
            log.warning("no index builder runs on this machine, so no new list arrives", start=self._start_builder)
