"""The index builder as a service on a real Redis: the only one of its machine, until it is asked to stop."""

import gc
import threading
import time
from datetime import timedelta
from typing import IO

from anpr.index_store.builder import IndexBuilder
from anpr.index_store.compaction import compact_in_subprocess
from anpr.index_store.folder import IndexFolder
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import UnavailableError
from anpr.runtime.health import Health
from anpr.runtime.logs import get_logger
from anpr.runtime.settings import Settings
from anpr.watchlist.store.reader import WatchlistReader, connect

log = get_logger(__name__)

# A matcher holds the same lock for some microseconds when it checks for a builder, so one failed try proves nothing.
_LOCK_SECONDS = 0.2
# After a change the builder rests for as long as that took, but no longer than this.
_LONGEST_REST_SECONDS = 0.05
# Shorter than the time after which the client takes a Redis that does not answer for dead.
_LONGEST_WAIT_SECONDS = 1.0


class BuilderService:
    """The index builder of one machine. `health` says why it is not ready, from any thread."""

    def __init__(self, settings: Settings, site: str, stop: threading.Event) -> None:
        """Follow the Redis of `site` until `stop` is set. Raises UnavailableError when another builder runs here."""
        self.health = Health("index", self._why_not_ready)
        self._poll_seconds = settings.watchlist.poll_seconds
        self._stop = stop
        self._folder = IndexFolder(settings.index_dir)
        self._lock = _lock(self._folder)
        self._watchlist = WatchlistReader(connect(settings.sites[site].redis))
        self._builder = IndexBuilder(
            self._watchlist,
            self._folder,
            system_clock,
            compact_in_subprocess,
            keep_removed_for=timedelta(hours=settings.watchlist.keep_previous_hours),
        )

    def run(self) -> None:
        """Build the index until it is time to stop."""
        # Millions of entries form no reference cycles. A search for cycles would take longer than building the index.
        gc.set_threshold(1_000_000, 20, 100)
        log.info("index builder runs", folder=str(self._folder.path))
        with self._lock:
            while not self._stop.is_set():
                self.health.heartbeat()
                began = time.monotonic()
                self._builder.run_once()
                self._wait(time.monotonic() - began)
        log.info("index builder stopped in order")

    def _wait(self, worked_seconds: float) -> None:
        """Wait for the next change, first as long as the last one took: no stream of changes takes a whole core."""
        try:
            if not self._stop.wait(min(worked_seconds, _LONGEST_REST_SECONDS)):
                self._watchlist.wait_for_change(min(self._poll_seconds, _LONGEST_WAIT_SECONDS))
        except UnavailableError:  # the next run says so
            self._stop.wait(self._poll_seconds)

    def _why_not_ready(self) -> list[str]:
        """Return why the index is not ready."""
        problem = self._builder.problem
        if self._builder.active is None:
            return [f"no index yet: {problem or 'it is being built'}"]
        return [problem] if problem else []


def _lock(folder: IndexFolder) -> IO[bytes]:
    """Make this process the only builder of the folder. Raises UnavailableError when there is one already."""
    until = time.monotonic() + _LOCK_SECONDS
    try:
        while (lock := folder.lock()) is None:
            if time.monotonic() > until:
                raise UnavailableError(
                    "index-already-built",
                    f"another `anpr index` runs on this machine for {folder.path}",
                    "one serves all matchers of a machine. To follow another Redis, stop the other builder first",
                )
            time.sleep(0.01)
    except OSError as error:
        raise UnavailableError(
            "index-folder",
            f"the index cannot be kept in {folder.path}: {error.strerror or error}",
            "make watchlist.state_dir a folder that this process may write to, with space for the index",
        ) from None
    return lock
