"""Where an incident belongs on a site's page, in which order, and for whom it rings. Pure, computed from the time.

The lanes: `now` for what was surely seen here; `review` for matches that a person must look at first, which never
ring; `elsewhere` for what other ports have in hand or wait to have, as far as it concerns this site; `over` for what
is settled, withdrawn or corrected.

For whom an incident rings is a matter of time alone: for the officers until `ack_due`, then for the supervisor too.
No job has to run for that, so none can be forgotten.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from anpr.incidents import STATUSES, Incident, sureness

NOW: Final = "now"
REVIEW: Final = "review"
ELSEWHERE: Final = "elsewhere"
OVER: Final = "over"
LANES: Final = (NOW, REVIEW, ELSEWHERE, OVER)

RINGS_OFFICER: Final = "officer"
RINGS_SUPERVISOR: Final = "supervisor"
SILENT: Final = ""

# An unlikely match, or one by an edit of the plate, is a question to a person and no alarm.
_REVIEWED_TIERS = ("near",)


@dataclass(frozen=True, slots=True)
class Rules:
    """What of the settings decides here."""

    site: str
    ack_due: timedelta
    review_below_score: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where an incident belongs. Cards of a lane stand in the order of `order`, as text."""

    lane: str
    order: str
    rings: str
    waiting_since: datetime | None


def place(incident: Incident, rules: Rules, now: datetime) -> Place:
    """Return where the incident belongs at `now`."""
    lane = _lane(incident, rules)
    since = _waiting_since(incident, rules.site) if lane in (NOW, REVIEW) else None
    return Place(lane, _order(incident, lane), _rings(incident, lane, since, rules, now), since)


def _lane(incident: Incident, rules: Rules) -> str:
    if incident.status in STATUSES and incident.status != "open":
        return OVER
    if incident.site != rules.site:
        return ELSEWHERE
    return NOW if is_sure(incident, rules) else REVIEW


def is_sure(incident: Incident, rules: Rules) -> bool:
    """Tell whether any alert that stands is sure enough to call an officer out. A tier that is unknown here is."""
    return any(
        alert.tier not in _REVIEWED_TIERS and alert.score >= rules.review_below_score for alert in incident.standing
    )


def _waiting_since(incident: Incident, site: str) -> datetime | None:
    """Return since when nobody of the site has it in hand; None while somebody has."""
    if site in incident.holders:
        return None
    raised = min((alert.raised_at for alert in incident.standing), default=None)
    let_go = max(
        (action.at for action in incident.actions if action.site == site and action.kind in ("released", "outcome")),
        default=None,
    )
    return max((moment for moment in (raised, let_go) if moment is not None), default=None)


def _rings(incident: Incident, lane: str, since: datetime | None, rules: Rules, now: datetime) -> str:
    only_history = all(alert.kind == "retrospective" for alert in incident.standing)
    if lane != NOW or since is None or only_history:
        return SILENT
    return RINGS_SUPERVISOR if now - since >= rules.ack_due else RINGS_OFFICER


def _order(incident: Incident, lane: str) -> str:
    """Return text that sorts as urgency does: by lane's need, priority, sureness, age; what is over by newest."""
    if lane == OVER:
        newest = 10**13 - int(incident.last_captured_at.timestamp() * 1000)
        return f"{newest:013d} {incident.incident_id}"
    tier, priority, kind, captured_at, alert_id = sureness(incident.best)
    return f"{incident.priority} {tier + 1} {priority} {kind + 1} {captured_at.isoformat()} {alert_id}"
