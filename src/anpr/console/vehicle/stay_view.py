"""The facts that the page shows of each stay: its pictures that are here, and the incident that may be opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from anpr.console.auth.sessions import Session
from anpr.console.vehicle.picture_address import picture_address
from anpr.contracts.look_up import FoundSighting
from anpr.look_up.timeline import Stay
from anpr.runtime import images
from anpr.runtime.images import ImageStore

# A page must stay small on a slow link. An export has everything.
MOST_STAYS: Final = 100
MOST_READS: Final = 12
# One from the front and one from behind.
_MOST_PICTURES: Final = 2


@dataclass(frozen=True, slots=True)
class SightingView:
    """A sighting, and the address of its picture; "" where this machine has none."""

    sighting: FoundSighting
    picture: str


@dataclass(frozen=True, slots=True)
class StayView:
    """A stay as the page shows it.

    Attributes:
        reads: The newest sightings.
        pictures: Those whose pictures stand for the stay, each of another position.
        incident_id: The newest incident of the stay that the user may still open, "" for none.
    """

    stay: Stay
    reads: Sequence[SightingView]
    pictures: Sequence[SightingView]
    incident_id: str


def stay_views(
    stays: Sequence[Stay], images_here: ImageStore, session: Session, incidents: Mapping[str, str], now: datetime
) -> list[StayView]:
    """Return what is shown of these stays. It looks at the disk. `incidents` has the incident of each alert."""

    def view(stay: Stay) -> StayView:
        reads = [SightingView(one, _picture(one, images_here, session, now)) for one in stay.sightings[:MOST_READS]]
        by_position = {read.sighting.read.position: read for read in reversed(reads) if read.picture}
        found = [incidents[a.alert_id] for one in stay.sightings for a in one.alerts if a.alert_id in incidents]
        return StayView(stay, reads, list(by_position.values())[:_MOST_PICTURES], next(iter(found), ""))

    return [view(stay) for stay in stays]


def _picture(sighting: FoundSighting, images_here: ImageStore, session: Session, now: datetime) -> str:
    text, site = sighting.read.image, sighting.site
    reference = images.parse(text) if text else None
    if text is None or reference is None or not images_here.holds(text, site, now):
        return ""
    return picture_address(reference, session)
