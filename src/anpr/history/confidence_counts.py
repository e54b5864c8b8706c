"""How often each camera gives each confidence, counted in a site's sightings, and how much two counts differ."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import accumulate, pairwise
from typing import Final, NamedTuple, Protocol

from anpr.contracts.events import Read
from anpr.contracts.plates import as_read
from anpr.history.sighting import Sighting, Source
from anpr.matching.scoring.confidence_calibration import BINS, bin_of

# The measured reads, with whose doubts those of a camera are compared, have as many. Shorter ones are parts of plates
# and signs: of many of them, with low confidences, a camera would seem to be often unsure of plates too.
_SHORTEST_PLATE: Final = 4
# Where not all reads are counted, those of each partition are in so many runs. Light and traffic differ by the hour.
_RUNS: Final = 24


class DaysOfSightings(Protocol):
    """What the count needs of `sighting_store.SightingStore`."""

    def days(self) -> list[date]:
        """Return the days of the store, the oldest first."""
        ...

    def of_day(self, day: date) -> Iterator[Sighting]:
        """Return the sightings that arrived on a day."""
        ...


class SightingsByOffset(Protocol):
    """What the count of some reads needs of `sighting_store.SightingStore`."""

    def next_offsets(self) -> Mapping[Source, int]:
        """Return the offset behind the last one of each source."""
        ...

    def first_offset(self, source: Source, since: datetime) -> int | None:
        """Return the first offset of a source on the day of a moment or later, None where there is none."""
        ...

    def in_offsets(self, source: Source, start: int, end: int, since: datetime) -> Sequence[Sighting]:
        """Return the sightings from one offset until before another, that arrived since a moment."""
        ...


@dataclass
class CameraReads:
    """How many reads a camera made, and how many plates of them have each confidence, in hundredths from 0 to 1."""

    reads: int = 0
    by_confidence: list[int] = field(default_factory=lambda: [0] * BINS)

    def add(self, read: Read) -> None:
        """Count a read. What is no plate is counted under no confidence, nor is a read without one."""
        self.reads += 1
        if read.confidence is not None and _has_plate(read):
            self.by_confidence[bin_of(read.confidence)] += 1


class Difference(NamedTuple):
    """How much two counts of confidences differ: most in how many are at most `confidence`.

    `earlier` and `later` are the shares of these in the one and the other count.
    """

    confidence: float
    earlier: float
    later: float

    @property
    def size(self) -> float:
        """Return the difference of the shares: 0 where both are the same, at most 1."""
        return abs(self.later - self.earlier)


def count_confidences(
    sightings: DaysOfSightings, since: datetime, until: datetime, on_progress: Callable[[int, int], None]
) -> dict[str, CameraReads]:
    """Return by camera the reads that arrived from `since` until before `until`.

    `on_progress` gets how many days are done, and how many there are.
    """
    first_day, last_day = (moment.astimezone(UTC).date() for moment in (since, until))
    days = [day for day in sightings.days() if first_day <= day <= last_day]
    counts: defaultdict[str, CameraReads] = defaultdict(CameraReads)
    for done, day in enumerate(days, start=1):
        for sighting in sightings.of_day(day):
            if since <= sighting.arrived_at < until:
                counts[sighting.read.camera].add(sighting.read)
        on_progress(done, len(days))
    return dict(counts)


def count_some(sightings: SightingsByOffset, since: datetime, most: int) -> dict[str, CameraReads]:
    """Return by camera the reads that arrived since a moment; where there are more than `most`, only some of them.

    Those are spread evenly over the offsets, so no hour of the day is left out.
    """
    ends = sightings.next_offsets()
    firsts = {source: first for source in ends if (first := sightings.first_offset(source, since)) is not None}
    counts: defaultdict[str, CameraReads] = defaultdict(CameraReads)
    for source, first in firsts.items():
        for start, stop in _runs(first, ends[source], most // len(firsts)):
            for sighting in sightings.in_offsets(source, start, stop, since):
                counts[sighting.read.camera].add(sighting.read)
    return dict(counts)


def largest_difference(earlier: Sequence[int], later: Sequence[int]) -> Difference:
    """Return where two counts by hundredths differ most: the largest distance of their cumulative shares.

    A confidence counts by its rank, and this is by how much a rank may be wrong. Chance alone makes it larger than d
    in about 2 exp(-2 d² nm / (n + m)) of all cases, for n and m reads (Smirnov).
    """
    all_earlier, all_later = sum(earlier), sum(later)
    shares = zip(accumulate(earlier), accumulate(later), strict=True)
    return max(
        (
            Difference(bin_ / (BINS - 1), one / all_earlier, other / all_later)
            for bin_, (one, other) in enumerate(shares)
        ),
        key=lambda difference: difference.size,
    )


def _runs(first: int, end: int, most: int) -> list[tuple[int, int]]:
    """Return runs of offsets that lie evenly between two: all offsets, or about `most` of them."""
    starts = [first + (end - first) * run // _RUNS for run in range(_RUNS + 1)]
    longest = max(1, most // _RUNS)
    return [(start, min(start + longest, behind)) for start, behind in pairwise(starts) if start < behind]


def _has_plate(read: Read) -> bool:
    return "plate" not in read.dropped_fields and len(as_read(read.plate)) >= _SHORTEST_PLATE
