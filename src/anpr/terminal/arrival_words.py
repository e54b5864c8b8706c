"""Says in words what became of a vehicle that is expected at a port: met, due or overdue. Pure."""

from datetime import datetime, tzinfo

from anpr.board.journeys import ArrivalState, Concern
from anpr.contracts.moments import local_time
from anpr.terminal.certainty import CERTAINTY, POSSIBLE


def arrival_words(concern: Concern, state: ArrivalState, zone: tzinfo) -> str:
    """Return what became of a vehicle that is expected off a ferry or shuttle, with times in the port's zone."""
    if concern.met is not None:
        lane = f", lane {concern.met.lane}" if concern.met.lane else ""
        doubt = f" ({CERTAINTY.get(concern.met.tier, POSSIBLE)})" if concern.met.tier != "exact" else ""
        return f"met {_day_and_time(concern.met.captured_at, zone)}{lane}{doubt}"
    until = f" to {local_time(concern.latest, zone):%H:%M %Z}" if concern.latest else ""
    return f"{state} {_day_and_time(concern.earliest, zone)}{until}"


def _day_and_time(moment: datetime, zone: tzinfo) -> str:
    return f"{local_time(moment, zone):%a %H:%M %Z}"
