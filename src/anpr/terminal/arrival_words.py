"""Says in words what became of a vehicle that is expected at a port: met, due, overdue or unwatched. Pure."""

from datetime import datetime, tzinfo
from typing import Final

from anpr.board.journeys import NEVER, ArrivalState, Concern
from anpr.contracts.moments import local_time
from anpr.terminal.certainty import CERTAINTY, POSSIBLE

STILL_EXPECTED: Final = "Vehicles that have come are still shown as expected"


def arrival_words(concern: Concern, state: ArrivalState, zone: tzinfo) -> str:
    """Return what became of a vehicle that is expected off a ferry or shuttle, with times in the port's zone."""
    doubt = arrival_doubt(concern)
    return f"{state} {arrival_time(concern, zone)}{f' ({doubt})' if doubt else ''}"


def nobody_checks_arrivals(watched_until: datetime, zone: tzinfo) -> str:
    """Return that nobody checks arrivals at a port, and since when."""
    since = f"has checked arrivals since {_day_and_time(watched_until, zone)}"
    return f"nobody {'checks arrivals' if watched_until == NEVER else since}. {STILL_EXPECTED}"


def arrival_time(concern: Concern, zone: tzinfo) -> str:
    """Return when and in which lane a vehicle was met, else in which window it is due."""
    if concern.met is not None:
        lane = f", lane {concern.met.lane}" if concern.met.lane else ""
        return f"{_day_and_time(concern.met.captured_at, zone)}{lane}"
    since = _day_and_time(concern.earliest, zone)
    if concern.latest is None or _day_and_time(concern.latest, zone) == since:
        return since
    return f"{since} to {local_time(concern.latest, zone):%H:%M %Z}"


def arrival_doubt(concern: Concern) -> str:
    """Return how surely the vehicle that was met is the expected one, "" where its plate was read exactly."""
    if concern.met is None or concern.met.tier == "exact":
        return ""
    return CERTAINTY.get(concern.met.tier, POSSIBLE)


def _day_and_time(moment: datetime, zone: tzinfo) -> str:
    return f"{local_time(moment, zone):%a %H:%M %Z}"
