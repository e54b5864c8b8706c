"""The corrections of reads, and which reads they have superseded. Pure."""

from bisect import bisect_left, insort
from collections.abc import Container
from datetime import datetime, timedelta
from typing import Final

from anpr.contracts.events import Alert, Correction

# How long before a correction the read that it corrects may have been captured.
REACH: Final = timedelta(minutes=10)


class Corrections:
    """Adding a correction is commutative, associative and idempotent."""

    def __init__(self) -> None:
        """Start without corrections."""
        # By site, camera and superseded read: when the reads that correct it were captured, in order.
        self._captured_at: dict[tuple[str, str, str], list[datetime]] = {}
        # The site and the superseded read of corrections of an earlier version: see `Correction`.
        self._without_capture: set[tuple[str, str]] = set()

    def add(self, correction: Correction) -> None:
        """Add a correction."""
        if correction.captured_at is None:
            self._without_capture.add((correction.site, correction.supersedes))
            return
        times = self._captured_at.setdefault((correction.site, correction.camera, correction.supersedes), [])
        position = bisect_left(times, correction.captured_at)
        if times[position : position + 1] != [correction.captured_at]:
            insort(times, correction.captured_at)

    def has_superseded(self, alert: Alert) -> bool:
        """Return whether another read has replaced the read of an alert."""
        read = alert.read
        if self.has_replaced(read.site, read.camera, read.read_id, alert.captured_at):
            return True
        return not read.claimed_at and (read.site, read.read_id) in self._without_capture

    def has_replaced(self, site: str, camera: str, read_id: str, captured_at: datetime) -> bool:
        """Return whether another read of the camera has replaced this one."""
        times = self._captured_at.get((site, camera, read_id), ())
        position = bisect_left(times, captured_at)
        return position < len(times) and times[position] - captured_at <= REACH

    def prune(self, before: datetime, known_reads: Container[tuple[str, str]]) -> None:
        """Forget the corrections captured before a moment. Keep those of known reads, given by site and read_id."""
        for key, times in list(self._captured_at.items()):
            site, _, read_id = key
            if times[0] < before and (site, read_id) not in known_reads:
                del times[: bisect_left(times, before)]
                if not times:
                    del self._captured_at[key]
