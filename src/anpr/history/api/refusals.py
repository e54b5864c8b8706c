"""Records refused look-ups in the audit chain: a limited number a minute, so that nobody fills the disk."""

import threading
import time
from collections.abc import Callable
from typing import Final

from anpr.audit.record import AuditEvent
from anpr.contracts.sightings_api import SightingsRequest
from anpr.history.api.answering import AuditAppender
from anpr.history.api.token_bucket import TokenBucket
from anpr.runtime.errors import UnavailableError
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

MOST_RECORDS_A_MINUTE: Final = 60


class Refusals:
    """Records refusals of one site. Threads may note them at the same time."""

    def __init__(self, site: str, audit: AuditAppender, stopwatch: Callable[[], float] = time.monotonic) -> None:
        """Record the refusals of `site` in `audit`."""
        self._site = site
        self._audit = audit
        self._stopwatch = stopwatch
        self._bucket = TokenBucket(MOST_RECORDS_A_MINUTE, stopwatch())
        self._not_recorded = 0
        self._lock = threading.Lock()

    def note(self, code: str, asking: str, address: str, request: SightingsRequest | None) -> None:
        """Record a refusal: why, of which site ("" for a token that is not accepted) and from which address.

        The next record says how many were left out before it. Nobody is answered, so a chain that cannot be written
        is only logged.
        """
        with self._lock:
            if self._bucket.wait_seconds(self._stopwatch()):
                self._not_recorded += 1
                return
            self._bucket.take()
            left_out, self._not_recorded = self._not_recorded, 0
        details = {"code": code, "asking_site": asking, "address": address}
        if left_out:
            details["left_out_before"] = str(left_out)
        try:
            self._audit.append(self._event(details, asking, request))
        except UnavailableError as error:
            log.warning("a refused look-up cannot be recorded", code=error.code, error=str(error))

    def _event(self, details: dict[str, str], asking: str, request: SightingsRequest | None) -> AuditEvent:
        if not asking:
            return AuditEvent(
                operation="sign-in", what="token of a site not accepted", user="", role="", details=details
            )
        return AuditEvent(
            operation="consultation" if asking == self._site else "disclosure",
            what="look-up refused",
            user=request.user if request else "",
            role=request.role if request else "",
            reason=request.reason if request else "",
            plate=request.plate if request else "",
            details=details,
        )
