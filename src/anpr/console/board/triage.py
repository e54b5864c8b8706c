"""Where an incident belongs on a site's page, in which order, and for whom it rings. Pure.

The sections of the board:
- `now`: vehicles that were surely seen here.
- `review`: matches that a person must check first. They never ring.
- `elsewhere`: vehicles at other ports that concern this site (`board.journeys`). One that is due here rings a while
  before it can drive off; others may come by road. Where no route leads to a site, every open incident of another
  port concerns it.
- `settled`: incidents that are settled, withdrawn or corrected.
An incident that does not concern this site is in no section.

For whom an incident rings is a matter of time alone: for the officers until `ack_due`, then for the supervisor too.
No job has to run for that, so none can be forgotten.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from anpr.board.incident import STATUSES, Incident, certainty_order
from anpr.board.journeys import Concern, concern_of, is_current, routes_to
from anpr.runtime.settings import Route, Settings

NOW: Final = "now"
REVIEW: Final = "review"
ELSEWHERE: Final = "elsewhere"
SETTLED: Final = "settled"
NOWHERE: Final = ""
SECTIONS: Final = (NOW, REVIEW, ELSEWHERE, SETTLED)

RINGS_OFFICER: Final = "officer"
RINGS_SUPERVISOR: Final = "supervisor"
SILENT: Final = ""

# An unlikely match, or one by an edit of the plate, is a question to a person and no alarm.
_REVIEWED_TIERS = ("near",)


@dataclass(frozen=True, slots=True)
class Rules:
    """What of the settings decides here. `routes` are those that lead to the site, by where they begin."""

    site: str
    ack_due: timedelta
    review_below_score: float
    routes: Mapping[str, Route] = field(default_factory=dict)


def rules_of(settings: Settings, site: str) -> Rules:
    """Return what decides at a site."""
    return Rules(
        site,
        timedelta(seconds=settings.console.ack_due_seconds),
        settings.console.review_below_score,
        routes_to(site, settings.routes),
    )


@dataclass(frozen=True, slots=True)
class BoardPosition:
    """Where an incident belongs. Cards of a section stand in the order of `order`, as text.

    `concern` tells why another site's incident is here; `may_claim` whether this site may take it in hand;
    `changes_at` tells when time alone will next put it elsewhere or have it ring otherwise: then, or just after.
    """

    section: str
    order: str
    rings: str
    waiting_since: datetime | None
    concern: Concern | None = None
    may_claim: bool = False
    changes_at: datetime | None = None


def position_of(incident: Incident, rules: Rules, now: datetime) -> BoardPosition:
    """Return where the incident belongs at `now`."""
    if incident.site != rules.site:
        return _of_another(incident, rules, now)
    if not _is_open(incident):
        return BoardPosition(SETTLED, _order(incident, SETTLED), SILENT, None)
    section = NOW if is_sure(incident, rules) else REVIEW
    since = _waiting_since(incident, rules.site)
    rings = _rings(incident, since, rules, now) if section == NOW else SILENT
    changes = _rings_otherwise_at(since, rules) if section == NOW else []
    return BoardPosition(
        section, _order(incident, section), rings, since, may_claim=True, changes_at=_next(changes, now)
    )


def _of_another(incident: Incident, rules: Rules, now: datetime) -> BoardPosition:
    why = concern_of(incident, rules.site, rules.routes)
    if not rules.routes:
        section = ELSEWHERE if _is_open(incident) else SETTLED
        return BoardPosition(section, _order(incident, section), SILENT, None, may_claim=section == ELSEWHERE)
    if why is not None:
        if not is_current(incident, why, rules.site, now):
            return BoardPosition(NOWHERE, "", SILENT, None)
        return _coming(incident, why, rules, now)
    is_settled = incident.site in rules.routes and not _is_open(incident)
    return (
        BoardPosition(SETTLED, _order(incident, SETTLED), SILENT, None)
        if is_settled
        else BoardPosition(NOWHERE, "", SILENT, None)
    )


def _coming(incident: Incident, why: Concern, rules: Rules, now: datetime) -> BoardPosition:
    """Return the place of what comes here: the next off the ship first; it rings in time for somebody to be there."""
    order, rings = _order(incident, ELSEWHERE), SILENT
    if why.latest is not None:
        order = f"{why.earliest.isoformat()} {order}"
    if rules.site in incident.holders:
        return BoardPosition(ELSEWHERE, order, SILENT, None, why, why.may_claim)
    changes = [why.until]
    since = _waiting_since(incident, rules.site)
    if why.call_at is not None and since is not None and is_sure(incident, rules):
        since = max(since, why.call_at)
        rings = _rings(incident, since, rules, now)
        changes += _rings_otherwise_at(since, rules)
    return BoardPosition(ELSEWHERE, order, rings, None, why, why.may_claim, _next(changes, now))


def _is_open(incident: Incident) -> bool:
    """Tell whether it is open; of a status that is not known here a person must decide."""
    return incident.status == "open" or incident.status not in STATUSES


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


def _rings(incident: Incident, since: datetime | None, rules: Rules, now: datetime) -> str:
    only_history = all(alert.kind == "retrospective" for alert in incident.standing)
    if since is None or now < since or only_history:
        return SILENT
    return RINGS_SUPERVISOR if now - since >= rules.ack_due else RINGS_OFFICER


def _rings_otherwise_at(since: datetime | None, rules: Rules) -> list[datetime]:
    """Return when time alone may change for whom it rings: the beginning too, for another's clock may be ahead."""
    return [] if since is None else [since, since + rules.ack_due]


def _next(changes: Iterable[datetime], now: datetime) -> datetime | None:
    """Return the first that is not past. One that is now counts: what holds until then changes a moment later."""
    return min((at for at in changes if at >= now), default=None)


def _order(incident: Incident, section: str) -> str:
    """Return text that sorts as urgency does: by section's need, priority, sureness, age; what is over by newest."""
    if section == SETTLED:
        newest = 10**13 - int(incident.last_captured_at.timestamp() * 1000)
        return f"{newest:013d} {incident.incident_id}"
    tier, priority, kind, captured_at, alert_id = certainty_order(incident.best)
    return f"{incident.priority} {tier + 1} {priority} {kind + 1} {captured_at.isoformat()} {alert_id}"
