"""How often each camera gives each confidence, counted in a site's sightings."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Protocol

from anpr.history.sighting import Sighting
from anpr.matching.scoring.confidence_calibration import BINS, bin_of


class DaysOfSightings(Protocol):
    """What the count needs of `sighting_store.SightingStore`."""

    def days(self) -> list[date]:
        """Return the days of the store, the oldest first."""
        ...

    def of_day(self, day: date) -> Iterator[Sighting]:
        """Return the sightings that arrived on a day."""
        ...


@dataclass
class CameraReads:
    """How many reads a camera made, and how many of them have each confidence, in hundredths from 0 to 1."""

    reads: int = 0
    by_confidence: list[int] = field(default_factory=lambda: [0] * BINS)


def count_confidences(
    sightings: DaysOfSightings, since: datetime, until: datetime, on_progress: Callable[[int, int], None]
) -> dict[str, CameraReads]:
    """Return by camera the reads that arrived from `since` until before `until`.

    A read without a confidence has none to count. `on_progress` gets how many days are done, and how many there are.
    """
    first_day, last_day = (moment.astimezone(UTC).date() for moment in (since, until))
    days = [day for day in sightings.days() if first_day <= day <= last_day]
    counts: defaultdict[str, CameraReads] = defaultdict(CameraReads)
    for done, day in enumerate(days, start=1):
        for sighting in sightings.of_day(day):
            if since <= sighting.arrived_at < until:
                of_camera, confidence = counts[sighting.read.camera], sighting.read.confidence
                of_camera.reads += 1
                if confidence is not None:
                    of_camera.by_confidence[bin_of(confidence)] += 1
        on_progress(done, len(days))
    return dict(counts)
