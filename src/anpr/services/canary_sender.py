"""Sends a site's canary on its way once a minute, and sees to it that its entry is listed.

It runs in the consoles of a site, which may write the site's topics. The entry is put on the list by a console of
the site that has the list's home; the others only read theirs.
"""

import threading
from collections.abc import Callable

from anpr import canary, metrics, topics
from anpr.adapters.records import Publisher, UndeliveredError
from anpr.clock import Clock
from anpr.errors import AnprError
from anpr.events import encode
from anpr.logs import get_logger
from anpr.watchlist.records import Author
from anpr.watchlist.store import WatchlistStore

log = get_logger(__name__)

_FLUSH_SECONDS = 5


class CanarySender:
    """The canary of one site."""

    def __init__(
        self,
        site: str,
        open_publisher: Callable[[], Publisher],
        home: WatchlistStore | None,
        every_seconds: float,
        clock: Clock,
    ) -> None:
        """`home` is the list where it may be changed, None at the sites that only read it."""
        self._site = site
        self._open = open_publisher
        self._home = home
        self._every_seconds = every_seconds
        self._clock = clock
        self._sent = 0
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
        if self._home is None or (head := self._home.head()) is None:
            return
        now = self._clock()
        listed = self._home.entries_of(head.lists.get(canary.LIST), [canary.ENTRY_ID]).get(canary.ENTRY_ID)
        if canary.must_be_listed(listed, now):
            why = "the canary tests the way from camera to screen"
            self._home.apply(canary.LIST, [canary.entry(now)], why, now, author=Author("anpr console", "canary"))

    def send(self, publisher: Publisher) -> None:
        """Send one. Its key changes each time, so that all partitions of the topic have their turn."""
        self._sent += 1
        read = canary.read(self._site, self._clock())
        publisher.publish(topics.reads(self._site), f"{canary.CAMERA}-{self._sent}", encode(read))
        publisher.flush(_FLUSH_SECONDS)

    def _run(self) -> None:
        publisher = self._open()
        while not self._stop.is_set():
            try:
                self.list_it()
            except AnprError as error:
                log.warning("the canary's entry cannot be looked after", reason=str(error))
            try:
                self.send(publisher)
            except UndeliveredError as error:
                log.warning("the canary was refused", code=error.code, reason=str(error))
                metrics.REFUSALS.labels(error.code).inc()
                publisher = self._open()
            self._stop.wait(self._every_seconds)
