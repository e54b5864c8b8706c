"""Read rates and latencies of the last minutes, from the records of the board feed. Of bounded size. Pure."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

from anpr.contracts.events import Alert, Status

_LATENCIES_KEPT = 1000
_RATE_OVER = timedelta(seconds=10)
# A matcher reports once a second. One whose clock stands still must not fill the memory.
_COUNTS_KEPT = 100


class RecentRates:
    """Reads a second by matcher, and latencies by site."""

    def __init__(self) -> None:
        """Start empty."""
        self._reads: dict[tuple[str, str, datetime], deque[tuple[datetime, int]]] = {}
        self._raised: dict[str, deque[float]] = {}
        self._shown: dict[str, deque[float]] = {}

    def note_status(self, status: Status) -> None:
        """Note a matcher's count of reads. A restarted matcher counts from 0, so its start is part of its key."""
        counts = self._reads.setdefault((status.site, status.matcher, status.started_at), deque(maxlen=_COUNTS_KEPT))
        if counts and status.at < counts[-1][0]:
            counts.clear()  # the matcher's clock was set back
        counts.append((status.at, status.reads))
        while status.at - counts[0][0] > _RATE_OVER:
            counts.popleft()
        for key in [key for key, old in self._reads.items() if status.at - old[-1][0] > _RATE_OVER]:
            del self._reads[key]

    def note_alert(self, alert: Alert, now: datetime) -> None:
        """Note an alert that has just come. Only live alerts show how fast the system is."""
        if alert.has_trusted_latency:
            for kept, until in ((self._raised, alert.raised_at), (self._shown, now)):
                seconds = (until - alert.captured_at).total_seconds()
                kept.setdefault(alert.read.site, deque(maxlen=_LATENCIES_KEPT)).append(seconds)

    def reads_per_second(self, site: str) -> float:
        """Return the reads a second of a site's matchers over the last ten seconds."""
        rate = 0.0
        for (counted_site, _, _), counts in self._reads.items():
            seconds = (counts[-1][0] - counts[0][0]).total_seconds()
            if counted_site == site and seconds > 0:
                rate += (counts[-1][1] - counts[0][1]) / seconds
        return rate

    def raised_seconds(self, site: str) -> Sequence[float]:
        """Return the newest latencies from capture to alert, in seconds."""
        return self._raised.get(site, ())

    def shown_seconds(self, site: str) -> Sequence[float]:
        """Return the newest latencies from capture to this board, in seconds."""
        return self._shown.get(site, ())


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the value that `share` (0..1) of the values do not exceed, None when there are no values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
