"""Publishes, once a tick in the board's thread, the status, both audiences' pages, the metrics and the changes."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from anpr.board.board_feed import BoardFeed
from anpr.console.board.board_page import BoardPage
from anpr.console.board.stream_broadcast import StreamBroadcast
from anpr.console.status.console_metrics import set_metrics
from anpr.console.status.current_status import CurrentStatus


class PagePublisher:
    """Makes the pages and hands their changes to the event loop, which sends them."""

    def __init__(
        self,
        pages: Mapping[bool, BoardPage],
        current_status: CurrentStatus,
        broadcast: StreamBroadcast,
        signed_in: Callable[[], Collection[str] | None],
    ) -> None:
        """`pages` holds the page of each audience: under True the page with covert incidents.

        `signed_in` tells who is signed in at some console of the site, None where that is not known.
        """
        self._pages = pages
        self._current_status = current_status
        self._broadcast = broadcast
        self._signed_in = signed_in
        self._loop: asyncio.AbstractEventLoop | None = None

    def publish_in(self, loop: asyncio.AbstractEventLoop) -> None:
        """Publish in this event loop from now on."""
        self._loop = loop

    def tick(self, feed: BoardFeed, now: datetime) -> None:
        """Make and publish everything. Called in the board's thread."""
        self._current_status.update(feed, now, {covert: page.not_shown for covert, page in self._pages.items()})
        signed_in, watched_until = self._signed_in(), self._current_status.watched_until
        states = [
            (page, page.update(self._current_status.known_to(covert=covert).warnings, now, signed_in, watched_until))
            for covert, page in self._pages.items()
        ]
        set_metrics(self._current_status.known_to(covert=False).system, self._pages[False].head)

        def publish() -> None:
            has_changes = [page.stream.publish(state) for page, state in states]
            if any(has_changes):
                self._broadcast.wake()

        if self._loop is not None:
            self._loop.call_soon_threadsafe(publish)
