"""Which alerts a site has published already, as its history knows."""

from collections.abc import Sequence

from anpr.contracts.events import Alert
from anpr.history.fact_store import FactStore


class KnownAlerts:
    """Asks the facts of the audience of each alert: an entry that became covert is told to its new audience."""

    def __init__(self, facts: FactStore, covert_facts: FactStore) -> None:
        """Ask these stores."""
        self._facts = facts
        self._covert_facts = covert_facts

    def __call__(self, alerts: Sequence[Alert]) -> set[str]:
        """Return the ids of those that are known. Raises HistoryUnavailableError."""
        known: set[str] = set()
        for is_covert, store in ((False, self._facts), (True, self._covert_facts)):
            identities = {alert.read.identity for alert in alerts if alert.is_covert == is_covert}
            if identities:
                known.update(fact.alert_id for fact in store.alerts_of(identities) if fact.alert_id)
        return known
