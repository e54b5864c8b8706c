"""Which incidents the record of a look-up names, so that every auditor sees what they may know of. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from anpr.board.board import Board
from anpr.board.incident import Incident
from anpr.contracts.events import Alert


class AuditedIncident(NamedTuple):
    """An incident that was looked up, and whether the record that says so is covert."""

    incident: Incident
    is_covert: bool


def audited_incidents(
    incident: Incident, alerts: Sequence[Alert], open_board: Board, now: datetime
) -> list[AuditedIncident]:
    """Return the incidents that the audit chain must name for a look-up of these alerts.

    A partly covert incident also has a record of the incident that everybody knows. Without it, people with the
    covert permission could look up open incidents and leave no trace that every auditor can see.
    """
    if not incident.has_covert:
        return [AuditedIncident(incident, is_covert=False)]
    covert = [AuditedIncident(incident, is_covert=True)] if any(alert.is_covert for alert in alerts) else []
    open_alert = next((alert for alert in alerts if not alert.is_covert), None)
    open_incident = open_board.incident_of(open_alert.alert_id, now) if open_alert is not None else None
    return covert if open_incident is None else [AuditedIncident(open_incident, is_covert=False), *covert]
