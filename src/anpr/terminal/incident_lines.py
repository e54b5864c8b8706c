"""The board as programs get it: one JSON object a line, for incidents, arrivals and sites. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from anpr.board.claims import Claim
from anpr.board.incident import Incident
from anpr.board.journeys import ArrivalState, Concern
from anpr.board.site_health import SiteHealth
from anpr.terminal.certainty import certainty


def incident_line(
    incident: Incident,
    expected: Iterable[tuple[Concern, ArrivalState]] = (),
    unattended: Iterable[Claim] = (),
) -> dict[str, object]:
    """Return the fields of an incident: the vehicle, the position, the certainty, the reason, and the holder.

    `expected` says where its vehicle is due off a ferry or shuttle, `unattended` which claims nobody attends to.
    """
    best = incident.best
    return {
        "type": "incident",
        "incident_id": incident.incident_id,
        "site": incident.site,
        "plate": incident.plate,
        "status": incident.status,
        "kind": incident.kind,
        "tier": best.tier,
        "certainty": certainty(best),
        "read_as": best.read.plate,
        "camera": best.read.camera,
        "lane": best.read.lane,
        "direction": best.read.direction,
        "first_captured_at": incident.first_captured_at,
        "last_captured_at": incident.last_captured_at,
        "alerts": len(incident.alerts),
        "entries": sorted(entry.entry_id for entry in incident.entries),
        "priority": incident.priority,
        "warnings": incident.warnings,
        "reason": best.entry.reason,
        "reasons": [entry.reason for entry in incident.entries],
        "instruction": best.entry.instruction,
        "holders": incident.holders,
        "unattended": [claim.site for claim in unattended],
        "expected": [expected_line(concern, state) for concern, state in expected],
    }


def removed_incident_line(incident_id: str, shown: Sequence[Incident]) -> dict[str, object]:
    """Return what became of an incident whose id is not shown any more.

    It joined another incident if one of those `shown` has the alert of this id, or else it is too old.
    """
    of_alert = (incident for incident in shown if any(alert.alert_id == incident_id for alert in incident.alerts))
    if joined := next(of_alert, None):
        return {"type": "incident", "incident_id": incident_id, "status": "joined", "into": joined.incident_id}
    return {"type": "incident", "incident_id": incident_id, "status": "expired"}


def arrival_line(
    incident: Incident, concern: Concern, state: ArrivalState, unattended: Iterable[Claim] = ()
) -> dict[str, object]:
    """Return an incident whose vehicle is expected at this site: in which window, and what became of it."""
    line = incident_line(incident, unattended=unattended) | {"type": "arrival"} | expected_line(concern, state)
    del line["expected"]
    return line


def expected_line(concern: Concern, state: ArrivalState) -> dict[str, object]:
    """Return where and when a vehicle is expected, and if it was met: when, in which lane, how surely."""
    met = concern.met
    return {
        "by": concern.route.by,
        "to": concern.route.destination,
        "due_from": concern.earliest,
        "due_until": concern.latest,
        "outcome_there": concern.after.outcome if concern.after else None,
        "arrival": state,
        "seen_at": met.captured_at if met else None,
        "seen_lane": met.lane if met else None,
        "seen_tier": met.tier if met else None,
    }


def site_line(health: SiteHealth, now: datetime) -> dict[str, object]:
    """Return whether a site is silent, and why."""
    heard_at = health.heard_at
    return {
        "type": "site",
        "site": health.site,
        "is_silent": health.is_silent,
        "why_silent": health.why_silent,
        "heard_at": heard_at,
        "heard_seconds_ago": None if heard_at is None else round((now - heard_at).total_seconds(), 1),
        "matchers": [status.matcher for status in health.matchers],
    }
