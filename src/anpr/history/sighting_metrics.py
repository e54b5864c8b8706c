"""The metrics of a site's sightings. Alerts and actions are in none: some are covert."""

from anpr.runtime import metrics


class SightingMetrics:
    """Counts what the recorder of the reads topic does; see `recorder.Observer`."""

    def __init__(self, site: str) -> None:
        """Count for `site`."""
        self._site = site

    def committed(self, rows: int, records: int, seconds: float) -> None:
        """See `Observer`."""
        metrics.HISTORY_COMMIT.labels(self._site).observe(seconds)
        metrics.HISTORY_SIGHTINGS.labels(self._site).inc(rows)
        metrics.HISTORY_UNUSABLE.labels(self._site).inc(records - rows)

    def lost(self, records: int) -> None:
        """See `Observer`."""
        metrics.HISTORY_LOST.labels(self._site).inc(records)

    def waiting(self, records: int) -> None:
        """See `Observer`."""
        metrics.HISTORY_LAG.labels(self._site).set(records)
