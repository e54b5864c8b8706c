"""Tells which stay of a vehicle makes it expected at another site, where it has passed a site again and again. Pure.

A vehicle that passes again has not crossed before. So from then on it is expected as of its later stay.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from anpr.board.incident import Incident, capture_order
from anpr.board.journeys import may_cross
from anpr.board.vehicles import split_by_vehicle


def with_later_stays(incidents: Sequence[Incident], review_below_score: float) -> tuple[Incident, ...]:
    """Return the incidents of a (site, plate), each with the next one that makes its vehicle expected as it does."""
    in_order = sorted(incidents, key=lambda incident: capture_order(incident.alerts[0]))
    # Found once: of a vehicle that is dealt with each time, none.
    crossing = [incident for incident in in_order if may_cross(incident)]
    return tuple(_with_later_stay(incident, crossing, review_below_score) for incident in in_order)


def _with_later_stay(incident: Incident, crossing: Iterable[Incident], review_below_score: float) -> Incident:
    again = next((later for later in crossing if _expects_again(later, incident, review_below_score)), None)
    return incident if again is None else replace(incident, expected_again_at=again.last_captured_at)


def _expects_again(later: Incident, incident: Incident, review_below_score: float) -> bool:
    """Tell whether a stay after which a vehicle may cross makes it expected, by all the entries of an earlier one.

    One that calls nobody does not take the place of one that calls somebody.
    """
    return (
        later.first_captured_at > incident.last_captured_at
        and later.speaks_for(incident)
        and (later.is_sure(review_below_score) or not incident.is_sure(review_below_score))
        and len(split_by_vehicle([*incident.alerts, *later.alerts])) == 1
    )
