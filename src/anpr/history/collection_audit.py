"""Records in the audit chain how many reads history has stored: the operation "collection", by count."""

from datetime import datetime, timedelta
from typing import Final

from anpr.audit.record import AuditEvent
from anpr.history.recorder import Observer
from anpr.history.sweeper import ErasableAudit
from anpr.runtime.clock import Clock
from anpr.runtime.errors import UnavailableError
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

EVERY: Final = timedelta(hours=1)


class CollectionAudit:
    """Records the count once an hour, and hands all that it sees on; see `recorder.Observer`.

    A count that cannot be recorded is recorded with the next one: the reads are stored by then, and a full disk must
    not lose any.
    """

    def __init__(self, observer: Observer, audit: ErasableAudit, clock: Clock) -> None:
        """Record in `audit` and hand on to `observer`."""
        self._observer = observer
        self._audit = audit
        self._clock = clock
        self._reads = 0
        self._since: datetime | None = None
        self._due_at = clock() + EVERY

    def committed(self, rows: int, records: int, seconds: float) -> None:
        """See `Observer`."""
        self._observer.committed(rows, records, seconds)
        self._since = self._since or self._clock()
        self._reads += rows

    def lost(self, records: int) -> None:
        """See `Observer`."""
        self._observer.lost(records)

    def waiting(self, records: int) -> None:
        """See `Observer`."""
        self._observer.waiting(records)
        if self._clock() >= self._due_at:
            self.record()

    def record(self) -> None:
        """Record what was stored since the last record, if anything was."""
        now = self._clock()
        self._due_at = now + EVERY
        if not self._reads or self._since is None:
            return
        details = {"reads": str(self._reads), "since": self._since.isoformat(), "until": now.isoformat()}
        event = AuditEvent(
            operation="collection", what="reads stored", user="history", role="service", details=details
        )
        try:
            self._audit.append(event)
        except UnavailableError as error:
            log.warning("a count of stored reads waits for the audit chain", code=error.code, reason=str(error))
        else:
            self._reads, self._since = 0, None
