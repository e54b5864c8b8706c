"""What a site knows about some reads: the alerts about them, and what officers did about these alerts."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, timedelta
from typing import NamedTuple

from anpr.contracts.events import KINDS, Action, Alert, ReadIdentity
from anpr.history.fact import Fact
from anpr.history.fact_store import FactStore
from anpr.history.sighting import Sighting

_DAY = timedelta(days=1)


class FactsAbout(NamedTuple):
    """The alerts about one read, and the actions on them alert by alert: each once, in the order of arrival."""

    alerts: tuple[Alert, ...] = ()
    actions: tuple[Action, ...] = ()


def facts_about(
    sightings: Sequence[Sighting], stores: Sequence[FactStore], *, covert: bool
) -> Mapping[ReadIdentity, FactsAbout]:
    """Return what these stores hold about the read of each sighting.

    Without `covert`, a covert alert counts as unknown, in whichever store it is. Raises HistoryUnavailableError when
    a store cannot be read.
    """
    about: dict[ReadIdentity, list[Alert]] = {sighting.read.identity: [] for sighting in sightings}
    if not about:
        return {}
    # An alert comes after its read, but two brokers may have two clocks.
    since = min(sighting.arrived_at for sighting in sightings).astimezone(UTC).date() - _DAY
    actions: dict[str, list[Action]] = {}
    for alert in _alerts(about, stores, since, covert=covert):
        about[alert.read.identity].append(alert)
        actions[alert.alert_id] = []
    for action in _actions(actions, stores, since):
        actions[action.alert_id].append(action)
    return {
        identity: FactsAbout(tuple(alerts), tuple(action for alert in alerts for action in actions[alert.alert_id]))
        for identity, alerts in about.items()
    }


def _alerts(
    reads: Collection[ReadIdentity], stores: Sequence[FactStore], since: date, *, covert: bool
) -> Iterable[Alert]:
    """Return the alerts by their id. Of an alert that was raised several times, the most urgent one counts."""
    alerts: dict[str, Alert] = {}
    for fact in _by_arrival(store.alerts_of(reads, since) for store in stores):
        alert = fact.event()
        if isinstance(alert, Alert) and (covert or not alert.is_covert):
            alerts[alert.alert_id] = min(alerts.get(alert.alert_id, alert), alert, key=_rank)
    return alerts.values()


def _actions(alert_ids: Collection[str], stores: Sequence[FactStore], since: date) -> Iterable[Action]:
    actions: dict[str, Action] = {}
    for fact in _by_arrival(store.actions_on(alert_ids, since) for store in stores):
        action = fact.event()
        if isinstance(action, Action):
            actions.setdefault(action.action_id, action)
    return actions.values()


def _by_arrival(found: Iterable[list[Fact]]) -> Iterator[Fact]:
    return iter(sorted((fact for facts in found for fact in facts), key=lambda fact: fact.arrived_at))


def _rank(alert: Alert) -> int:
    return KINDS.index(alert.kind) if alert.kind in KINDS else len(KINDS)
