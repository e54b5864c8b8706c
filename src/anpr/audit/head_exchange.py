"""The thread of a service that publishes heads once an hour, and keeps those of the other sites."""

import threading
import time
from typing import Final

from anpr.audit.head_keeper import HeadKeeper
from anpr.audit.head_publisher import HeadPublisher

PUBLISH_SECONDS: Final = 3600.0
# How often the heads of the others are fetched.
KEEP_SECONDS: Final = 60.0


class HeadExchange:
    """The thread that publishes and keeps."""

    def __init__(self, publisher: HeadPublisher, keeper: HeadKeeper | None = None) -> None:
        """Publish every hour; with a keeper, look for the heads of the others every minute."""
        self._publisher = publisher
        self._keeper = keeper
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit-heads", daemon=True)

    def start(self) -> None:
        """Publish now, and go on."""
        self._thread.start()

    def stop(self) -> None:
        """Publish a last time, and stop."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        published_at = float("-inf")
        while not self._stop.is_set():
            if time.monotonic() >= published_at + PUBLISH_SECONDS:
                published_at = time.monotonic()
                self._publisher.run_once()
            if self._keeper is not None:
                self._keeper.run_once()
            self._stop.wait(KEEP_SECONDS)
        self._publisher.run_once()
        if self._keeper is not None:
            self._keeper.close()
