"""Which vehicles were turned away, and whether that still counts: a fold over alerts and actions. Pure.

The fold is that of the board, so the order and the repetition of records do not matter here either. An outcome makes
one entry. It counts until it is undone, until the plate check of its site says `different`, or until its day is over.
What a camera corrects changes no outcome: a person has seen the plate.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from anpr.board.board import Board
from anpr.board.incident import ActionKey, Incident, action_key
from anpr.contracts import turned_away
from anpr.contracts.events import Action, Alert, Entry, is_covert_handling
from anpr.runtime.settings import BoardSettings, Site
from anpr.turned_away.entry import covered_entries, ends_at, entry_of

_DIFFERENT = "different"


class Decision(NamedTuple):
    """What is known of one outcome that is not over: its entry, None when it must not be listed.

    `sites` are those whose topics decide. `source` is the list and the id of the entry for which the vehicle was
    stopped.
    """

    entry_id: str
    entry: Entry | None
    sites: frozenset[str]
    source: tuple[str, str]


class TurnedAwayOutcomes:
    """The outcomes `turned_away` of all sites, covert ones too.

    Attributes:
        failed: Each outcome whose entry could not be made. It is missing from the decisions; all others are there.
    """

    def __init__(self, sites: Mapping[str, Site], settings: BoardSettings) -> None:
        """No outcome is known yet."""
        self.failed: set[ActionKey] = set()
        self._sites = sites
        self._board = Board(timedelta(minutes=settings.stay_gap_minutes), timedelta(hours=settings.window_hours))
        self._outcomes: set[ActionKey] = set()
        self._covert_actions: set[ActionKey] = set()
        self._covert_alerts: set[str] = set()

    def add_alert(self, alert: Alert, *, is_covert: bool) -> None:
        """Add an alert; `is_covert` tells whether it came for people with the covert permission alone."""
        if is_covert:
            self._covert_alerts.add(alert.alert_id)
        self._board.add_alert(alert)

    def add_action(self, action: Action, offset: int, arrived_at: datetime | None, *, is_covert: bool) -> None:
        """Add an action that its broker got at `arrived_at`: a console's clock that is ahead lists nobody for longer.

        `offset` is that of its record.
        """
        if arrived_at is not None and arrived_at < action.at:
            action = msgspec.structs.replace(action, at=arrived_at)
        key = action_key(action)
        if is_covert:
            self._covert_actions.add(key)
        if action.kind == "outcome" and action.outcome == turned_away.LIST:
            self._outcomes.add(key)
        self._board.add_action(action, offset)

    def decisions(self, now: datetime, covert_entries: Collection[tuple[str, str]] = ()) -> list[Decision]:
        """Return what is known of each outcome that is not over and whose alert is known.

        `covert_entries` are those that are covert by now, by list and id: one may have become so since its alert.
        """
        found = (self._decision_alone(key, now, covert_entries) for key in sorted(self._outcomes))
        return [decision for decision in found if decision is not None]

    def prune(self, now: datetime) -> None:
        """Forget what is over."""
        self._board.prune(now)
        for key in list(self._outcomes):
            action = self._board.action(key)
            if action is None or ends_at(action) <= now:
                self._outcomes.discard(key)
                self.failed.discard(key)
        self._covert_actions = {key for key in self._covert_actions if self._board.action(key) is not None}
        self._covert_alerts = {name for name in self._covert_alerts if self._board.has_alert(name)}

    def _decision_alone(
        self, key: ActionKey, now: datetime, covert_entries: Collection[tuple[str, str]]
    ) -> Decision | None:
        self.failed.discard(key)
        try:
            return self._decision(key, now, covert_entries)
        except Exception:  # noqa: BLE001  whatever it is, the other outcomes do not have it
            self.failed.add(key)
            return None

    def _decision(
        self, key: ActionKey, now: datetime, covert_entries: Collection[tuple[str, str]]
    ) -> Decision | None:
        outcome = self._board.action(key)
        if outcome is None or outcome.outcome != turned_away.LIST or ends_at(outcome) <= now:
            return None
        incident = self._board.incident_of(outcome.alert_id, now)
        if incident is None:
            return None
        alert = next(alert for alert in incident.alerts if alert.alert_id == outcome.alert_id)
        source = (alert.entry.list, alert.entry.entry_id)
        is_covert = key in self._covert_actions or self._is_covert(alert) or source in covert_entries
        entry = None
        if _counts(outcome, incident):
            open_to_readers = [a for a in incident.alerts if is_covert or not self._is_covert(a)]
            covered = covered_entries(outcome, open_to_readers)
            entry = entry_of(outcome, alert, covered, self._sites, is_covert=is_covert)
        entry_id = turned_away.entry_id(outcome.site, outcome.action_id)
        return Decision(entry_id, entry, frozenset((outcome.site, alert.read.site)), source)

    def _is_covert(self, alert: Alert) -> bool:
        return alert.alert_id in self._covert_alerts or is_covert_handling(alert.entry.handling)


def entries_to_list(decisions: Iterable[Decision]) -> dict[str, Entry]:
    """Return by id the entries that must be on the list."""
    return {decision.entry_id: decision.entry for decision in decisions if decision.entry is not None}


def changes_to_make(decisions: Collection[Decision], listed: Mapping[str, Entry]) -> tuple[list[Entry], list[str]]:
    """Return the entries to put and the ids to remove.

    An entry that is there stays as it is: another version of this program may have written it. Only one that must be
    covert by now is written again.
    """
    put = [
        decision.entry
        for decision in decisions
        if decision.entry is not None
        and (
            decision.entry_id not in listed or (decision.entry.is_covert and not listed[decision.entry_id].is_covert)
        )
    ]
    removed = [decision.entry_id for decision in decisions if decision.entry is None and decision.entry_id in listed]
    return put, removed


def _counts(outcome: Action, incident: Incident) -> bool:
    """Tell whether an outcome stands, and is not about a vehicle with another plate."""
    return not incident.is_retracted(outcome) and incident.plate_check_at(outcome.site) != _DIFFERENT
