"""Follows the index that this machine's builder puts on disk (`anpr.index_store.builder`), and maps what is new.

It runs in a thread of its own and hands a new index over by one assignment, so a matcher that takes the index once
a batch never waits and never sees half a list. It asks no server and decodes no entries: a look costs a few
microseconds, a new list the time to read its pages once, in which the interpreter is free for the matcher. What is
held stays while there is nothing newer that is whole, and its age shows.
"""

import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime

from anpr.index_store.folder import IndexFolder, IndexManifest, Stamp
from anpr.index_store.index_file import DamagedError
from anpr.matching.index import Index
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

LOOK_SECONDS = 0.02
# Long enough for the turn that was under way to end, so that the matcher's own thread has no large file to unmap.
_KEEP_BEFORE_SECONDS = 1.0
_CHECK_BUILDER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ActiveIndex:
    """An index, when its generation was applied, and when Redis last said that it is the one in force."""

    index: Index
    applied_at: datetime
    confirmed_at: datetime | None


class IndexFollower:
    """`held` is None until there is a list on disk."""

    def __init__(self, folder: IndexFolder, start_builder: str) -> None:
        """`start_builder` is the command that a person is told to run when no builder does."""
        self.held: ActiveIndex | None = None
        self.is_builder_running = True
        self._folder = folder
        self._start_builder = start_builder
        self._stamp: Stamp | None = None
        self._taken: IndexManifest | None = None
        self._base: Index | None = None
        self._before: list[tuple[float, ActiveIndex]] = []
        self._builder_checked_at = -_CHECK_BUILDER_SECONDS
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchlist", daemon=True)

    def start(self) -> None:
        """Take the list from disk, if it is there, and follow it from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following."""
        self._stop.set()
        self._thread.join()

    def look(self) -> None:
        """Take what is on disk if it is newer than what is held, or confirmed since."""
        stamp = self._folder.stamp()
        if stamp is None or stamp == self._stamp:
            return
        try:
            seen = self._folder.read()
            if self._taken is not None and seen.current.generation < self._taken.generation:
                log.warning("an older list on disk is not taken", generation=str(seen.current.generation))
            elif seen.current != self._taken:
                self._take(seen.current, seen.confirmed_at)
            elif self.held is not None:
                self.held = replace(self.held, confirmed_at=seen.confirmed_at)
            self._stamp = seen.stamp
        except FileNotFoundError:
            return  # replaced while it was read; the next look finds what came instead
        except (DamagedError, OSError) as error:
            log.error("the index on disk cannot be used; its builder makes it anew", reason=str(error))  # noqa: TRY400
            self._stamp = stamp

    def _take(self, current: IndexManifest, confirmed_at: datetime) -> None:
        if self._taken is None or self._base is None or self._taken.base != current.base:
            # At a start nobody vouches for the file: it is read through. Later ones were written a moment ago.
            self._base = self._folder.open_base(current, check_entries=self._taken is None)
        index = self._folder.open(current, self._base)
        if self.held is not None:
            self._before.append((time.monotonic() + _KEEP_BEFORE_SECONDS, self.held))
        self.held = ActiveIndex(index, current.head.applied_at, confirmed_at)
        self._taken = current
        log.info("list in force", generation=str(current.generation), entries=index.size)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.look()
                self._check_builder()
            except Exception:
                # The thread must not end while its matcher goes on with an ageing list; the age shows either way.
                log.exception("following the watchlist failed; trying again")
            now = time.monotonic()
            self._before = [(until, held) for until, held in self._before if now < until]
            self._stop.wait(LOOK_SECONDS)

    def _check_builder(self) -> None:
        now = time.monotonic()
        if now < self._builder_checked_at + _CHECK_BUILDER_SECONDS:
            return
        self._builder_checked_at = now
        was_running, self.is_builder_running = self.is_builder_running, self._folder.is_written()
        if was_running and not self.is_builder_running:
            log.warning("no process builds the index here, so no new list comes", start=self._start_builder)
