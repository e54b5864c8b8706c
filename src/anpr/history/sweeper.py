"""Runs the retention while history runs, and reports in the log and the metrics what was deleted.

It also notes which keys the closed days hold (`held_keys`).
"""

import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import Protocol

from anpr.audit.record import AuditEvent
from anpr.history.retention import DeletedDay, KeptStores, Retention
from anpr.history.store_refusals import StoreRefusals
from anpr.runtime import metrics
from anpr.runtime.clock import Clock
from anpr.runtime.errors import UnavailableError
from anpr.runtime.logs import get_logger
from anpr.runtime.settings import RetentionSettings

log = get_logger(__name__)


class ErasableAudit(Protocol):
    """The audit, whose old records are deleted too: `audit.chain.AuditChain`."""

    def append(self, *events: AuditEvent) -> None:
        """Record events. Raises UnavailableError when that fails."""
        ...

    def erase_until(self, last_day: date) -> int:
        """Let old records go, and record that."""
        ...


SECONDS_BETWEEN_SWEEPS = 600.0
_RETRY_SECONDS = 5.0


class DeletedDaysReport:
    """Reports days before they are deleted: to the audit first, then, unless they are covert, to log and metrics."""

    def __init__(self, site: str, audit: ErasableAudit) -> None:
        """Report the days of `site`."""
        self._site = site
        self._audit = audit

    def __call__(self, gone: DeletedDay) -> None:
        """See `retention.Report`. Raises UnavailableError when it cannot be recorded: then the day stays."""
        day = gone.day.isoformat()
        details = {"store": gone.store, "day": day, "rows": str(gone.rows), "kept": str(gone.kept)}
        events = [_erasure(details, covert=gone.covert)]
        if not gone.covert:
            # It is there for every day: by a gap in the numbers, others would learn that it has something.
            kept_covert = {"store": gone.store, "day": day, "kept": str(gone.kept_covert)}
            events.append(_erasure(kept_covert, covert=True))
        self._audit.append(*events)
        if not gone.covert:
            log.info("day deleted", store=gone.store, day=day, rows=gone.rows, kept=gone.kept)
        if gone.store == "sightings":
            metrics.HISTORY_GONE.labels(self._site).inc(gone.rows)


def _erasure(details: dict[str, str], *, covert: bool) -> AuditEvent:
    return AuditEvent(
        operation="erasure",
        what="a day whose retention ended",
        user="history",
        role="service",
        covert=covert,
        details=details,
    )


class Sweeper:
    """Sweeps every ten minutes; one day at a time, so that reads are stored in between."""

    def __init__(
        self, site: str, kept: RetentionSettings, stores: KeptStores, audit: ErasableAudit, clock: Clock
    ) -> None:
        """Sweep the stores of `site` and its audit by the days of `clock`, in UTC."""
        self._site = site
        self._retention = Retention(stores, kept, DeletedDaysReport(site, audit))
        self._searched = stores.sightings, stores.matched, stores.matched_covert
        self._audit = audit
        self._audit_days = kept.audit_days
        self._clock = clock
        self._next_at = 0.0
        self._refusals = StoreRefusals("a day cannot go, trying again")

    def run_once(self, *, is_settled: bool) -> None:
        """Let a day go if there is one whose time has come, and history has stored all that its topics hold.

        A day that went before an alert was stored would take the sighting of the alert with it.
        """
        now = time.monotonic()
        if now < self._next_at or not is_settled:
            return
        today = self._clock().astimezone(UTC).date()
        try:
            went = self._retention.sweep(today)
            self._audit.erase_until(today - timedelta(days=self._audit_days + 1))
            self._note_oldest()
        except UnavailableError as error:
            self._refusals.note(error)
            self._next_at = now + _RETRY_SECONDS
        else:
            is_busy = went or self._note_held_keys(today)
            self._refusals.clear()
            self._next_at = now if is_busy else now + SECONDS_BETWEEN_SWEEPS

    def why_not_ready(self) -> list[str]:
        """Return why a day that should go is still there, nothing when all is well."""
        return [f"a day whose retention has ended cannot go: {reason}" for reason in self._refusals.why_not_ready()]

    def _note_held_keys(self, today: date) -> bool:
        """Note the keys of one closed day, and return whether there was one. Look-ups are right without it."""
        try:
            return any(store.note_held_keys(today) for store in self._searched)
        except UnavailableError as error:
            log.warning("the keys of a day cannot be noted; look-ups take longer", error=str(error))
            return False

    def _note_oldest(self) -> None:
        day = self._retention.oldest_day()
        began_at = datetime.combine(day, time_of_day(), UTC).timestamp() if day else 0
        metrics.HISTORY_OLDEST.labels(self._site).set(began_at)
