"""Sends a site's canary on its way once a minute, and sees to it that its entry is listed.

One that is not back in time is followed by another on the same way, so that screens know within seconds, and not at
the next minute, that the way is open again.

It runs in the consoles of a site, which may write the site's topics. The entry is put on the list by a console of
the site that has the list's home; the others only read theirs.
"""

import threading
from collections.abc import Callable
from datetime import datetime

from anpr.contracts import canary, topics
from anpr.contracts.events import encode
from anpr.kafka.errors import UndeliveredError
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
        last_back: Callable[[], datetime | None],
        every_seconds: float,
        due_seconds: float,
        clock: Clock,
    ) -> None:
        """`home` is the list where it may be changed, None at the sites that only read it.

        `last_back` tells when the last of the site's canaries was sent that has come back; another thread may ask it.
        """
        self._site = site
        self._open = open_producer
        self._home = home
        self._last_back = last_back
        self._every_seconds = every_seconds
        self._due_seconds = min(due_seconds, every_seconds)
        self._clock = clock
        self._way = 0
        self._sent_at = clock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="canary", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more."""
        self._stop.set()
        self._thread.join()

    def list_it(self) -> None:
        """Put the entry on its list if that is needed. An empty Redis is a fault, and is left as it is."""
        if self._home is None or (head := self._home.read_manifest()) is None:
            return
        now = self._clock()
        listed = self._home.entries_of(head.lists.get(canary.LIST), [canary.ENTRY_ID]).get(canary.ENTRY_ID)
        if canary.must_be_listed(listed, now):
            why = "the canary tests the way from camera to screen"
            self._home.apply(canary.LIST, [canary.entry(now)], why, now, author=Author("anpr console", "canary"))

    def send(self, producer: Producer) -> None:
        """Send one. Its key says by which partition it goes."""
        self._sent_at = self._clock()
        read = canary.read(self._site, self._sent_at)
        producer.produce(topics.reads(self._site), f"{canary.CAMERA}-{self._way}", encode(read))
        producer.flush(_FLUSH_SECONDS)

    def next_in_seconds(self) -> float:
        """Return, at the time when the last one is due, after how long another must go.

        The next goes another way, so that all partitions have their turn. One that is not back is followed at once,
        the same way: on another it would only hide that this one is blocked.
        """
        back = self._last_back()
        if back is None or back < self._sent_at:
            return 0
        self._way += 1
        return self._every_seconds - self._due_seconds

    def _run(self) -> None:
        producer = self._open()
        while not self._stop.is_set():
            try:
                self.list_it()
            except AnprError as error:
                log.warning("the canary's entry cannot be looked after", reason=str(error))
            try:
                self.send(producer)
            except UndeliveredError as error:
                log.warning("the canary was refused", code=error.code, reason=str(error))
                metrics.REFUSALS.labels(error.code).inc()
                producer = self._open()
            self._stop.wait(self._due_seconds) or self._stop.wait(self.next_in_seconds())
