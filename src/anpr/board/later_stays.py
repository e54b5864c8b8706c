"""Tells which stay of a vehicle makes it expected at another site, where it has passed a site again and again. Pure.

A vehicle that passes again has not crossed before. So from then on it is expected as of its later stay.
"""

from collections.abc import Sequence

import msgspec

from anpr.board.incident import Incident, capture_order
from anpr.board.journeys import may_cross
from anpr.board.vehicles import split_by_vehicle


def with_later_stays(incidents: Sequence[Incident], review_below_score: float) -> tuple[Incident, ...]:
    """Return the incidents of a (site, plate), each with the next one that makes its vehicle expected as it does."""
    in_order = sorted(incidents, key=lambda incident: capture_order(incident.alerts[0]))
    found = []
    for number, incident in enumerate(in_order):
        again = next(
            (later for later in in_order[number + 1 :] if _expects_again(later, incident, review_below_score)), None
        )
        at = again.last_captured_at if again is not None else None
        found.append(msgspec.structs.replace(incident, expected_again_at=at) if at is not None else incident)
    return tuple(found)


def _expects_again(later: Incident, incident: Incident, review_below_score: float) -> bool:
    """Tell whether a later stay makes the same vehicle expected, by all the entries of an earlier one.

    One that calls nobody does not take the place of one that calls somebody.
    """
    return (
        later.first_captured_at > incident.last_captured_at
        and may_cross(later)
        and later.speaks_for(incident)
        and (later.is_sure(review_below_score) or not incident.is_sure(review_below_score))
        and len(split_by_vehicle([*incident.alerts, *later.alerts])) == 1
    )
