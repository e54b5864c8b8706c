"""One run: publishes the traffic, at full speed or at the pace of the clock."""

import heapq
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from anpr.contracts.events import Read
from anpr.runtime.timestamps import to_the_millisecond
from simulators.stop_request import StopRequest
from simulators.traffic import Sighting

_SENT_FIELDS = tuple(
    field.name
    for field in msgspec.structs.fields(Read)
    if field.name not in {"captured_at", "received_at", "clock_suspect", "dropped_fields", "claimed_at"}
)


class IdleTask(Protocol):
    """Work that is done while the run waits, such as a flush."""

    def idle(self) -> None:
        """Do the work. The run calls this before each wait."""


class Sink(IdleTask, Protocol):
    """Where records go."""

    def send(self, sighting: Sighting, captured_at: datetime, value: bytes) -> None:
        """Send one record: the sighting, the capture time that is written in it, and its bytes."""


@dataclass(slots=True)
class RunCounts:
    """What a run has published. `behind_s` is the furthest that it ever was behind the clock."""

    reads: int = 0
    passes: int = 0
    listed_passes: int = 0
    duplicates: int = 0
    late: int = 0
    behind_s: float = 0.0

    def add(self, sighting: Sighting) -> None:
        """Count one published record."""
        self.reads += 1
        self.passes += sighting.is_first_of_pass
        self.listed_passes += sighting.is_first_of_pass and sighting.vehicle_pass.vehicle.listed
        self.duplicates += sighting.is_duplicate
        self.late += sighting.late_by_s > 0


@dataclass(frozen=True, slots=True)
class SimulatedTime:
    """Converts simulated to real time: `start` is second 0, and `speed` simulated seconds pass in each real one."""

    start: datetime
    speed: float

    def moment(self, simulated_s: float) -> datetime:
        """Return the real moment of a simulated second, to the millisecond."""
        return to_the_millisecond(self.start + timedelta(seconds=simulated_s / self.speed))

    def captured_at(self, sighting: Sighting) -> datetime:
        """Return the capture time by the camera's clock, to the millisecond."""
        after_s = sighting.captured_s / self.speed - sighting.late_by_s + sighting.clock_s
        return to_the_millisecond(self.start + timedelta(seconds=after_s))


class Pace:
    """Delays records until their moment by the real clock."""

    def __init__(self, speed: float, stop: StopRequest, sinks: Sequence[IdleTask]) -> None:
        """Start at simulated second 0 now."""
        self._speed = speed
        self._stop = stop
        self._sinks = sinks
        self._origin_s = time.monotonic()

    def wait_until(self, simulated_s: float) -> float:
        """Wait for the simulated second, or for a stop. Return how many real seconds late it is."""
        due_s = self._origin_s + simulated_s / self._speed
        while (left_s := due_s - time.monotonic()) > 0 and not self._stop.is_requested:
            for sink in self._sinks:
                sink.idle()
            self._stop.sleep(left_s)
        return max(0.0, -left_s)


def merged(streams: Iterable[Iterator[Sighting]]) -> Iterator[Sighting]:
    """Return the traffic of several sites in order of publication."""
    return heapq.merge(*streams, key=lambda sighting: sighting.published_s)


def run(  # noqa: PLR0913  each of them is one part of a run
    sightings: Iterable[Sighting],
    times: SimulatedTime,
    sinks: Sequence[Sink],
    stop: StopRequest,
    tally: RunCounts,
    *,
    until_s: float,
    pace: Pace | None = None,
    picture: Callable[[Sighting, datetime], Sighting] | None = None,
) -> None:
    """Send all records due before the simulated second `until_s`, or until a stop. Without a pace, send them at once.

    Each record goes to the sinks in their order. `picture` adds the picture of its plate to a sighting.
    """
    for sighting in sightings:
        if pace:
            tally.behind_s = max(tally.behind_s, pace.wait_until(min(sighting.published_s, until_s)))
        if stop.is_requested or sighting.published_s >= until_s:
            break
        captured_at = times.captured_at(sighting)
        if picture:
            sighting = picture(sighting, captured_at)  # noqa: PLW2901  the same sighting with its picture
        value = encode(sighting.read, captured_at)
        for sink in sinks:
            sink.send(sighting, captured_at, value)
        tally.add(sighting)


def encode(read: Read, captured_at: datetime) -> bytes:
    """Return the record as a camera sends it, without the fields that it does not know."""
    record: dict[str, Any] = {}
    for name in _SENT_FIELDS:
        value = getattr(read, name)
        if value is not None and value != ():
            record[name] = value
    record["vehicle"] = {"kind": read.vehicle.kind} if read.vehicle else None
    record["captured_at"] = written_time(captured_at)
    return msgspec.json.encode(record)


def written_time(captured_at: datetime) -> str:
    """Return a capture time as the cameras write it."""
    return captured_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
