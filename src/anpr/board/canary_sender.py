"""Sends a site's canary once a minute, and keeps the canary's entry listed.

When a canary does not come back in time, the next one follows immediately on the same path. So screens show within
seconds, and not only at the next minute, that the path is open again.

It runs in the consoles of a site, because they may write to the site's topics. A console of the site that has the
watchlist's home lists the entry; the other sites only read their replicas.
"""

import threading
from collections.abc import Callable
from datetime import datetime

from anpr.contracts import canary, topics
from anpr.contracts.events import encode
from anpr.kafka.delivery_errors import UndeliveredError
from anpr.kafka.interfaces import Producer
from anpr.runtime import metrics
from anpr.runtime.clock import Clock
from anpr.runtime.errors import AnprError
from anpr.runtime.logs import get_logger
from anpr.watchlist.store.applied_change import Author
from anpr.watchlist.store.store import WatchlistStore

log = get_logger(__name__)

_FLUSH_SECONDS = 5


class CanarySender:
    """The canary of one site."""

    def __init__(  # noqa: PLR0913  everything it touches is handed in
        self,
        site: str,
        open_producer: Callable[[], Producer],
        home: WatchlistStore | None,
        *,
        last_returned: Callable[[], datetime | None],
        every_seconds: float,
        due_seconds: float,
        clock: Clock,
    ) -> None:
        """Send a canary every `every_seconds` and expect it back within `due_seconds`.

        `home` is the watchlist where it may be changed, None at sites that only read it. `last_returned` tells when
        the newest of the site's canaries that came back was sent; it is called in the sender's own thread.
        """
        self._site = site
        self._open_producer = open_producer
        self._home = home
        self._last_returned = last_returned
        self._every_seconds = every_seconds
        self._due_seconds = min(due_seconds, every_seconds)
        self._clock = clock
        self._key_number = 0
        self._sent_at = clock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="canary", daemon=True)

    def start(self) -> None:
        """Start to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more."""
        self._stop.set()
        self._thread.join()

    def renew_entry(self) -> None:
        """List the canary's entry if it is missing or ends soon. An empty Redis is a fault: leave it empty."""
        if self._home is None or (manifest := self._home.read_manifest()) is None:
            return
        now = self._clock()
        listed = self._home.entries_of(manifest.lists.get(canary.LIST), [canary.ENTRY_ID]).get(canary.ENTRY_ID)
        if canary.must_be_listed(listed, now):
            why = "the canary tests the path from camera to screen"
            self._home.apply(canary.LIST, [canary.entry(now)], why, now, author=Author("anpr console", "canary"))

    def send(self, producer: Producer) -> None:
        """Send one canary. Its key decides which partition it goes through."""
        self._sent_at = self._clock()
        read = canary.read(self._site, self._sent_at)
        producer.produce(topics.reads(self._site), f"{canary.CAMERA}-{self._key_number}", encode(read))
        producer.flush(_FLUSH_SECONDS)

    def choose_next(self) -> float:
        """Choose the next canary's key when the last one is due. Return how many seconds to wait before it.

        The next one has another key, so that all partitions are tested in turn. If the last one has not come back,
        the next follows immediately with the same key: through another partition it would hide that this one is
        blocked.
        """
        returned = self._last_returned()
        if returned is None or returned < self._sent_at:
            return 0
        self._key_number += 1
        return self._every_seconds - self._due_seconds

    def _run(self) -> None:
        producer = self._open_producer()
        while not self._stop.is_set():
            try:
                self.renew_entry()
            except AnprError as error:
                log.warning("the canary's entry cannot be renewed", reason=str(error))
            try:
                self.send(producer)
            except UndeliveredError as error:
                log.warning("the canary was refused", code=error.code, reason=str(error))
                metrics.REJECTIONS.labels(error.code).inc()
                producer = self._open_producer()
            if not self._stop.wait(self._due_seconds):
                self._stop.wait(self.choose_next())
