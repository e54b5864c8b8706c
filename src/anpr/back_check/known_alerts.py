"""Which alerts a site has published already, as its history knows."""

from collections.abc import Sequence
from datetime import UTC, date, timedelta

from anpr.contracts.events import Alert
from anpr.history.fact_store import FactStore

_DAY = timedelta(days=1)


class KnownAlerts:
    """Asks the facts of the audience of each alert: an entry that became covert is published to its new audience."""

    def __init__(self, facts: FactStore, covert_facts: FactStore) -> None:
        """Ask these stores."""
        self._facts = facts
        self._covert_facts = covert_facts

    def __call__(self, alerts: Sequence[Alert]) -> set[str]:
        """Return the ids of those that are known. Raises HistoryUnavailableError."""
        known: set[str] = set()
        # A year of older days need not be opened.
        since = min(map(_first_day, alerts), default=date.max)
        for is_covert, store in ((False, self._facts), (True, self._covert_facts)):
            identities = {alert.read.identity for alert in alerts if alert.is_covert == is_covert}
            if identities:
                known.update(fact.alert_id for fact in store.alerts_of(identities, since) if fact.alert_id)
        return known


def _first_day(alert: Alert) -> date:
    """Return the first day on which an alert about the same read can have come, whatever clock a camera has."""
    captured_at = alert.read.captured_at
    return date.min if captured_at is None else captured_at.astimezone(UTC).date() - _DAY
