"""What a site knows about some reads: the alerts about them, and what officers did about these alerts."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from anpr.contracts.events import KINDS, Action, Alert, Read, ReadIdentity
from anpr.history.fact import Fact
from anpr.history.fact_store import FactStore


class FactsAbout(NamedTuple):
    """The alerts about one read, and the actions on them alert by alert: each once, in the order of arrival."""

    alerts: tuple[Alert, ...] = ()
    actions: tuple[Action, ...] = ()


def facts_about(
    reads: Sequence[Read], stores: Sequence[FactStore], *, covert: bool
) -> Mapping[ReadIdentity, FactsAbout]:
    """Return what these stores hold about each of the reads.

    Without `covert`, a covert alert counts as unknown, in whichever store it is. Raises HistoryUnavailableError when
    a store cannot be read.
    """
    alerts: dict[ReadIdentity, list[Alert]] = {read.identity: [] for read in reads}
    actions: dict[str, list[Action]] = {}
    for alert in _alerts(reads, stores, covert=covert):
        alerts[alert.read.identity].append(alert)
        actions[alert.alert_id] = []
    for action in _actions(actions, stores):
        actions[action.alert_id].append(action)
    return {
        identity: FactsAbout(tuple(about), tuple(action for alert in about for action in actions[alert.alert_id]))
        for identity, about in alerts.items()
    }


def _alerts(reads: Sequence[Read], stores: Sequence[FactStore], *, covert: bool) -> Iterable[Alert]:
    """Return the alerts by their id. Of an alert that was raised several times, the most urgent one counts."""
    identities = [read.identity for read in reads]
    alerts: dict[str, Alert] = {}
    for fact in _by_arrival(store.alerts_of(identities) for store in stores):
        alert = fact.event()
        if isinstance(alert, Alert) and (covert or not alert.is_covert):
            alerts[alert.alert_id] = min(alerts.get(alert.alert_id, alert), alert, key=_rank)
    return alerts.values()


def _actions(alert_ids: Collection[str], stores: Sequence[FactStore]) -> Iterable[Action]:
    events = (fact.event() for fact in _by_arrival(store.actions_on(alert_ids) for store in stores))
    actions: dict[str, Action] = {}
    for action in events:
        if isinstance(action, Action):
            actions.setdefault(action.action_id, action)
    return actions.values()


def _by_arrival(found: Iterable[list[Fact]]) -> Iterator[Fact]:
    return iter(sorted((fact for facts in found for fact in facts), key=lambda fact: fact.arrived_at))


def _rank(alert: Alert) -> int:
    return KINDS.index(alert.kind) if alert.kind in KINDS else len(KINDS)
