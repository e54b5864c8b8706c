"""Follows the watchlist: the index in force, kept current from Redis and from disk when Redis is away.

It runs in a thread of its own and hands a new index over by one assignment, so a matcher that takes the index once
a batch never waits for Redis and never sees half a list. While Redis is away, comes back empty, or shows an older
generation than was seen already (a replica behind its home), the index stays, and its age shows.
"""

import logging
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from anpr.clock import Clock
from anpr.errors import UnavailableError
from anpr.matching.index import Index
from anpr.matching.index_file import DamagedError
from anpr.watchlist import mapped_index
from anpr.watchlist.store import Head, WatchlistStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Held:
    """An index, when its generation was applied, and when Redis last said that it is the one in force."""

    index: Index
    applied_at: datetime
    confirmed_at: datetime | None


class WatchlistFollower:
    """`held` is None until there is a list, from Redis or from disk."""

    def __init__(self, store: WatchlistStore, index_path: Path, poll_seconds: float, clock: Clock) -> None:
        """Keep the last good list at `index_path`."""
        self.held: Held | None = None
        self._store = store
        self._path = index_path
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchlist", daemon=True)

    def start(self) -> None:
        """Take the list from disk at once, if it is there, and follow Redis from now on."""
        self._read_from_disk()
        self._thread.start()

    def stop(self) -> None:
        """Stop following."""
        self._stop.set()
        self._thread.join()

    def follow_once(self) -> None:
        """Ask Redis what is in force and take it if it is newer than what is held."""
        try:
            head = self._store.head()
            if head is None:
                return  # an empty Redis is a fault, not an empty list
            if self.held is None or head.generation > self.held.index.generation:
                self._take(head)
            elif head.generation == self.held.index.generation:
                self.held = Held(self.held.index, self.held.applied_at, self._clock())
        except UnavailableError as error:
            log.debug("%s", error)

    def _take(self, head: Head) -> None:
        entries = self._store.load(head)
        if entries is None:
            return  # replaced while it was read; the next turn reads the new head
        index = Index.build(entries, head.generation)
        self.held = Held(index, head.applied_at, self._clock())
        log.info("generation %s in force: %d entries", head.generation, len(entries))
        try:
            mapped_index.write(self._path, index, head.applied_at)
        except OSError as error:
            log.error("the list cannot be kept on disk: %s", error)  # noqa: TRY400  the cause is in the text

    def _read_from_disk(self) -> None:
        try:
            opened = mapped_index.read(self._path)
        except (DamagedError, OSError) as error:
            log.warning("%s; waiting for Redis", error)
            return
        if opened is not None:
            self.held = Held(opened.index, opened.applied_at, None)
            log.info("generation %s taken from disk", opened.index.generation)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.follow_once()
            except Exception:
                # The thread must not end while its matcher goes on with an ageing list; the age shows either way.
                log.exception("following the watchlist failed; trying again")
            self._stop.wait(self._poll_seconds)
