"""From one site to another: which way vehicles come, when they are due, and what of another site concerns this one.

Pure.

By ferry or shuttle a vehicle that was seen at the one drives off at the other; by road it may try the other when it
was turned away, or before it has been stopped at all. Pure: told the time, and all from what is on the board.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from anpr.board.incident import STATUSES, Incident
from anpr.contracts.events import OUTCOMES, Action
from anpr.runtime.settings import Route

# Ships are late, and vehicles wait on the quay: what should have come is shown for so long after it was due.
_OVERDUE: Final = timedelta(hours=1)
# So long before it can drive off somebody must have it in hand: enough to be told, and to be there.
_CALLED_BEFORE: Final = timedelta(minutes=15)
# A vehicle that nobody has stopped may still turn round and come by road within this time ...
_MAY_TURN: Final = timedelta(hours=2)
# ... and one that was turned away tries again within this.
_TRIES_AGAIN: Final = timedelta(hours=24)
# After the others the vehicle is on its way all the same, as it is after one that is not known here: a person looks.
_ENDS_THERE: Final = frozenset(OUTCOMES) - {"handed_to_uk_port", "passed_before_ack"}


class Concern(NamedTuple):
    """Why an incident of another site concerns this one, and until when.

    It can be here from `earliest` on; `latest` is when it should have driven off, None by road. `after` is the
    outcome at the other site that sends it on, None while it has none. `may_claim`: this site may take it in hand;
    from `call_at` on somebody must.
    """

    route: Route
    earliest: datetime
    latest: datetime | None
    after: Action | None
    may_claim: bool
    until: datetime
    call_at: datetime | None = None


def routes_to(site: str, routes: Iterable[Route]) -> dict[str, Route]:
    """Return the routes that lead to a site, by their origin."""
    return {route.origin: route for route in routes if route.destination == site}


def arrivals(
    incidents: Iterable[Incident], site: str, routes: Mapping[str, Route], now: datetime
) -> list[tuple[Incident, Concern]]:
    """Return what is to drive off a ferry or shuttle at `site`, the next first."""
    concerns = ((one, concern(one, site, routes)) for one in incidents)
    due = [(one, why) for one, why in concerns if why and why.latest and concerns_still(one, why, site, now)]
    return sorted(due, key=lambda found: (found[1].earliest, found[0].incident_id))


def concerns_still(incident: Incident, why: Concern, site: str, now: datetime) -> bool:
    """Tell whether it is not too late yet; what somebody of the site has in hand concerns it however late."""
    return site in incident.holders or now <= why.until


def concern(incident: Incident, site: str, routes: Mapping[str, Route]) -> Concern | None:
    """Return why an incident of another site concerns `site`, None if it does not.

    `routes` are those that lead to `site`, by their origin. Once the site has given an outcome, it does not any more.
    """
    route = routes.get(incident.site)
    outcomes = [a for a in incident.actions if a.kind == "outcome" and a.action_id not in incident.retracted]
    is_open = incident.status == "open" or incident.status not in STATUSES
    if route is None or not (is_open or incident.status == "closed"):
        return None
    if not is_open and any(action.site == site for action in outcomes):
        return None
    after = None if is_open else max(outcomes, key=lambda action: action.at)
    if route.by == "road":
        return _by_road(incident, route, after)
    goes_away = incident.best.read.direction == "fr_bound"
    if goes_away or (after is not None and all(action.outcome in _ENDS_THERE for action in outcomes)):
        return None
    earliest = incident.last_captured_at + timedelta(minutes=route.crossing_minutes)
    latest = earliest + timedelta(minutes=route.wait_minutes)
    # What was handed over was handed to somebody: they are called at once.
    is_handed_over = after is not None and after.outcome == "handed_to_uk_port"
    call_at = after.at if after is not None and is_handed_over else earliest - _CALLED_BEFORE
    return Concern(route, earliest, latest, after, may_claim=True, until=latest + _OVERDUE, call_at=call_at)


def _by_road(incident: Incident, route: Route, after: Action | None) -> Concern | None:
    if after is not None and after.outcome != "turned_away":
        return None
    left_at, within = (incident.last_captured_at, _MAY_TURN) if after is None else (after.at, _TRIES_AGAIN)
    earliest = left_at + timedelta(minutes=route.crossing_minutes)
    return Concern(route, earliest, None, after, may_claim=False, until=left_at + within)
