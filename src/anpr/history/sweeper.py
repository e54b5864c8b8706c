"""Runs the retention while history runs, and tells what went: in the log and in the metrics."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from datetime import time as time_of_day

from anpr.history.retention import DayGone, Retention
from anpr.runtime import metrics
from anpr.runtime.clock import Clock
from anpr.runtime.errors import UnavailableError
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

SECONDS_BETWEEN_SWEEPS = 600.0
_RETRY_SECONDS = 5.0


class GoneDays:
    """Tells of the days of sightings that go. What only covert alerts keep is in no log line and no metric."""

    def __init__(self, site: str) -> None:
        """Tell of the days of `site`."""
        self._site = site

    def __call__(self, gone: DayGone) -> None:
        """See `retention.Report`."""
        log.info("a day of sightings goes", day=gone.day.isoformat(), sightings=gone.sightings, kept=gone.kept)
        metrics.HISTORY_GONE.labels(self._site).inc(gone.sightings)


class Sweeper:
    """Sweeps every ten minutes; one day at a time, so that reads are stored in between."""

    def __init__(self, site: str, retention: Retention, clock: Clock, is_settled: Callable[[], bool]) -> None:
        """Sweep by the days of `clock`, in UTC, while history has stored all that the topics hold: `is_settled`.

        A day that went before its alerts were stored would take their sightings with it.
        """
        self._site = site
        self._retention = retention
        self._clock = clock
        self._is_settled = is_settled
        self._next_at = 0.0
        self._refusal = ""

    def run_once(self) -> None:
        """Let a day go if there is one whose time has come."""
        now = time.monotonic()
        if now < self._next_at or not self._is_settled():
            return
        try:
            went = self._retention.sweep(self._clock().astimezone(UTC).date())
            self._note_oldest()
        except UnavailableError as error:
            if str(error) != self._refusal:
                self._note_refusal(error)
            self._next_at = now + _RETRY_SECONDS
        else:
            self._refusal, self._next_at = "", now if went else now + SECONDS_BETWEEN_SWEEPS

    def missing(self) -> list[str]:
        """Return why a day that should go is still there, nothing when all is well."""
        return [f"a day whose retention has ended cannot go: {self._refusal}"] if self._refusal else []

    def _note_refusal(self, error: UnavailableError) -> None:
        log.error("a day cannot go, trying again", code=error.code, error=str(error), next_step=error.next_step)
        self._refusal = str(error)

    def _note_oldest(self) -> None:
        day = self._retention.oldest_day()
        began_at = datetime.combine(day, time_of_day(), UTC).timestamp() if day else 0
        metrics.HISTORY_OLDEST.labels(self._site).set(began_at)
