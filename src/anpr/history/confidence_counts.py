"""How often each camera gives each confidence, counted in a site's sightings."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final, Protocol

from anpr.contracts.events import Read
from anpr.contracts.plates import as_read
from anpr.history.sighting import Sighting
from anpr.matching.scoring.confidence_calibration import BINS, bin_of

# The measured reads, with whose doubts those of a camera are compared, have as many. Shorter ones are parts of plates
# and signs: of many of them, with low confidences, a camera would seem to be often unsure of plates too.
_SHORTEST_PLATE: Final = 4


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
    """How many reads a camera made, and how many plates of them have each confidence, in hundredths from 0 to 1."""

    reads: int = 0
    by_confidence: list[int] = field(default_factory=lambda: [0] * BINS)


def count_confidences(
    sightings: DaysOfSightings, since: datetime, until: datetime, on_progress: Callable[[int, int], None]
) -> dict[str, CameraReads]:
    """Return by camera the reads that arrived from `since` until before `until`.

    What is no plate is counted under no confidence, nor is a read without one. `on_progress` gets how many days are
    done, and how many there are.
    """
    first_day, last_day = (moment.astimezone(UTC).date() for moment in (since, until))
    days = [day for day in sightings.days() if first_day <= day <= last_day]
    counts: defaultdict[str, CameraReads] = defaultdict(CameraReads)
    for done, day in enumerate(days, start=1):
        for sighting in sightings.of_day(day):
            if since <= sighting.arrived_at < until:
                of_camera, confidence = counts[sighting.read.camera], sighting.read.confidence
                of_camera.reads += 1
                if confidence is not None and _has_plate(sighting.read):
                    of_camera.by_confidence[bin_of(confidence)] += 1
        on_progress(done, len(days))
    return dict(counts)


def _has_plate(read: Read) -> bool:
    return "plate" not in read.dropped_fields and len(as_read(read.plate)) >= _SHORTEST_PLATE
