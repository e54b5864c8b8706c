"""Journeys from site to site: when vehicles are due, and which incidents of another site concern this one. Pure.

A vehicle that was seen at one site drives off a ferry or shuttle at another. By road it may try another site when it
was turned away, or before anybody has stopped it. One that is expected is met when it is seen at the other site.
One that passes again first did not cross before: whatever is seen of it later belongs to the later stay.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NamedTuple

from anpr.board.incident import Incident, arrival_order
from anpr.contracts import turned_away
from anpr.contracts.events import Action, Alert, Arrival
from anpr.contracts.moments import shifted
from anpr.contracts.readings import SUREST_OF_GUESSES
from anpr.runtime.settings import Route

# Ships are late, and vehicles wait on the quay: an overdue vehicle is shown for this long after it was due.
_OVERDUE: Final = timedelta(hours=1)
# No ship and no shuttle takes less than this share of its time. What is seen sooner has the same plate and is another
# vehicle.
_FASTEST_SHARE: Final = 0.5
# An officer must have claimed the vehicle this long before it can drive off: time to see the alert and get there.
_CALL_BEFORE: Final = timedelta(minutes=15)
# A vehicle that nobody has stopped may turn round and come by road within this time ...
_TURNS_BACK_WITHIN: Final = timedelta(hours=2)
# ... and one that was turned away tries again within this.
_TRIES_AGAIN_WITHIN: Final = turned_away.LISTED_FOR
# After these outcomes the vehicle does not cross. After `CROSSES`, and after an outcome that is not known here, it is
# still due: a person looks. Every outcome of the contract is in one of the two; a test says so.
ENDS_THERE: Final = frozenset({
    "stopped_found",
    "stopped_nothing_found",
    "turned_away",
    "misread",
    "same_plate_other_vehicle",
    "entry_out_of_date",
    "already_dealt_with",
    "observed_only",
})  # fmt: skip
CROSSES: Final = frozenset({"handed_to_uk_port", "passed_before_ack"})


class Concern(NamedTuple):
    """Why an incident of another site concerns this one, and until when.

    Attributes:
        route: How the vehicle comes here.
        earliest: When it can be here at the earliest.
        latest: When it should have driven off at the latest; None by road.
        after: The outcome at the other site after which it comes here; None while it has no outcome.
        may_claim: Whether officers of this site may claim it.
        until: When it ceases to concern this site, unless it is claimed here.
        call_at: From when on an officer of this site must have claimed it; None if nobody must.
        seen_from: From when on a sighting of the vehicle here is its arrival; None by road.
        seen_before: Until when it is, because the vehicle has passed again there: it is the arrival of
            that stay then. None while it has not, and by road.
        met: Its first sighting here, by a camera's later guess only where no camera has read it; None while it was
            not seen.
        other: The last sighting here that was taken for the vehicle and was another one, as an outcome here says.
        own_alert: The alert that this sighting raised here by the same entry; None for none.
    """

    route: Route
    earliest: datetime
    latest: datetime | None
    after: Action | None
    may_claim: bool
    until: datetime
    call_at: datetime | None = None
    seen_from: datetime | None = None
    seen_before: datetime | None = None
    met: Arrival | None = None
    other: Arrival | None = None
    own_alert: Alert | None = None


ArrivalState = Literal["met", "due", "overdue", "unwatched"]
# Until when arrivals are met at a port: while `anpr meet` looks, and where it never has.
ALWAYS: Final = datetime.max.replace(tzinfo=UTC)
NEVER: Final = datetime.min.replace(tzinfo=UTC)


def arrival_state(concern: Concern, now: datetime, watched_until: datetime | None) -> ArrivalState:
    """Return whether an expected vehicle was seen, may still come in time, or should have been seen by now.

    `watched_until` says until when arrivals were met at the port. A vehicle that should have come since then is
    `unwatched`: perhaps it has. Where there are no cameras (None) nobody sees one arrive, so none is overdue either.
    """
    if concern.met is not None:
        return "met"
    if concern.latest is None or watched_until is None or now <= concern.latest:
        return "due"
    return "overdue" if concern.latest < watched_until else "unwatched"


def routes_to(site: str, routes: Iterable[Route]) -> dict[str, Route]:
    """Return the routes that lead to a site, by their origin."""
    return {route.origin: route for route in routes if route.destination == site}


def arrivals(
    incidents: Iterable[Incident], site: str, routes: Mapping[str, Route], now: datetime
) -> list[tuple[Incident, Concern]]:
    """Return the incidents whose vehicles are due off a ferry or shuttle at `site`, the next first."""
    concerns = ((incident, concern_of(incident, site, routes)) for incident in incidents)
    due = [
        (incident, concern)
        for incident, concern in concerns
        if concern and concern.latest and is_current(incident, concern, site, now)
    ]
    return sorted(due, key=lambda arrival: (arrival[1].earliest, arrival[0].incident_id))


def expected_at(incident: Incident, routes: Iterable[Route], now: datetime) -> list[tuple[str, Concern]]:
    """Return the sites at which an incident's vehicle is due off a ferry or shuttle, or was met, and why."""
    routes = tuple(routes)
    destinations = dict.fromkeys(route.destination for route in routes if route.origin == incident.site)
    concerns = ((site, concern_of(incident, site, routes_to(site, routes))) for site in destinations)
    return [
        (site, concern)
        for site, concern in concerns
        if concern and concern.latest and is_current(incident, concern, site, now)
    ]


def is_current(incident: Incident, concern: Concern, site: str, now: datetime) -> bool:
    """Tell whether an incident still concerns `site`. One that the site has claimed does, however late it is.

    A vehicle that was not seen and has passed again there comes with that stay, and has one card.
    """
    has_come_later = concern.met is None and concern.seen_before is not None and now >= concern.seen_before
    return site in incident.holders or (now <= concern.until and not has_come_later)


def may_be_met(incident: Incident, concern: Concern, site: str, now: datetime) -> bool:
    """Tell whether a sighting at `site` may still turn out to be the vehicle's arrival: history may be behind."""
    return site in incident.holders or now <= concern.until


def concern_of(incident: Incident, site: str, routes: Mapping[str, Route]) -> Concern | None:
    """Return why an incident of another site concerns `site`, None if it does not.

    `routes` are those that lead to `site`, by their origin. After an outcome of `site` the incident does not concern
    it any more.
    """
    route = routes.get(incident.site)
    outcomes, is_open = incident.outcomes, incident.is_open
    if route is None or not (is_open or incident.status == "closed"):
        return None
    if not is_open and any(action.site == site for action in outcomes):
        return None
    after = None if is_open else max(outcomes, key=lambda action: action.at)
    if route.by == "road":
        return _by_road(incident, route, after)
    if not may_cross(incident):
        return None
    earliest = shifted(incident.last_captured_at, timedelta(minutes=route.crossing_minutes))
    latest = shifted(earliest, timedelta(minutes=route.wait_minutes))
    # An officer of the UK port was asked to take it over, so that port is called immediately.
    is_handed_over = after is not None and after.outcome == "handed_to_uk_port"
    call_at = after.at if after is not None and is_handed_over else shifted(earliest, -_CALL_BEFORE)
    seen_from = shifted(incident.last_captured_at, _fastest(route))
    again_at = incident.expected_again_at
    seen_before = shifted(again_at, _fastest(route)) if again_at is not None else None
    met = _first_seen(incident, site, seen_from, seen_before)
    return Concern(
        route,
        earliest,
        latest,
        after,
        may_claim=True,
        until=shifted(latest, _OVERDUE),
        call_at=call_at,
        seen_from=seen_from,
        seen_before=seen_before,
        met=met,
        other=max((one for one in incident.of_others if one.site == site), key=arrival_order, default=None),
        own_alert=incident.alerts_there.get(met) if met is not None else None,
    )


def may_cross(incident: Incident) -> bool:
    """Tell whether the vehicle of an incident may be on its way to the UK: it goes there, and nobody keeps it."""
    if incident.best.read.direction == "fr_bound":
        return False
    crosses = any(action.outcome not in ENDS_THERE for action in incident.outcomes)
    return incident.is_open or (incident.status == "closed" and crosses)


def _fastest(route: Route) -> timedelta:
    """Return the shortest time in which a vehicle comes along a route."""
    return timedelta(minutes=route.crossing_minutes * _FASTEST_SHARE)


def _first_seen(incident: Incident, site: str, seen_from: datetime, seen_before: datetime | None) -> Arrival | None:
    """Return the first sighting of an incident's vehicle at a site, of those that may be its arrival."""
    seen = (
        arrival
        for arrival in incident.arrivals
        if arrival.site == site
        and arrival not in incident.of_others
        and seen_from <= arrival.captured_at
        and (seen_before is None or arrival.captured_at < seen_before)
    )
    # min keeps the first of equals, and the arrivals are in order of capture.
    return min(seen, key=is_of_guess, default=None)


def is_of_guess(arrival: Arrival) -> bool:
    """Tell whether an arrival is no more than a later guess of the camera."""
    return arrival.tier == SUREST_OF_GUESSES


def _by_road(incident: Incident, route: Route, after: Action | None) -> Concern | None:
    if after is not None and after.outcome != "turned_away":
        return None
    left_at, within = (
        (incident.last_captured_at, _TURNS_BACK_WITHIN) if after is None else (after.at, _TRIES_AGAIN_WITHIN)
    )
    earliest = shifted(left_at, timedelta(minutes=route.crossing_minutes))
    return Concern(route, earliest, None, after, may_claim=False, until=shifted(left_at, within))
