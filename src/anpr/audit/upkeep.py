"""The thread of a service that looks after the audit chains of its site on this machine.

Once an hour it publishes their heads and lets old records go. In between it keeps the heads of the other sites.
"""

import threading
import time
from typing import Final

from anpr.audit.expiry import Expiry
from anpr.audit.head_keeper import HeadKeeper
from anpr.audit.head_publisher import HeadPublisher

HOUR_SECONDS: Final = 3600.0
# How often the heads of the others are fetched.
KEEP_SECONDS: Final = 60.0


class AuditUpkeep:
    """Publishes heads; a console also keeps those of the other sites and lets old records go."""

    def __init__(
        self, publisher: HeadPublisher, keeper: HeadKeeper | None = None, expiry: Expiry | None = None
    ) -> None:
        """Do what is given."""
        self._publisher = publisher
        self._keeper = keeper
        self._expiry = expiry
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit-upkeep", daemon=True)

    def start(self) -> None:
        """Publish now, and go on."""
        self._thread.start()

    def stop(self) -> None:
        """Publish a last time, and stop."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        last_hour = float("-inf")
        while not self._stop.is_set():
            if time.monotonic() >= last_hour + HOUR_SECONDS:
                last_hour = time.monotonic()
                if self._expiry is not None:
                    self._expiry.run_once()
                self._publisher.run_once()
            if self._keeper is not None:
                self._keeper.run_once()
            self._stop.wait(KEEP_SECONDS)
        self._publisher.run_once()
        if self._keeper is not None:
            self._keeper.close()
