"""What a scenario changes in the traffic of one site. Times are simulated seconds since the start of the traffic."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from simulators.journeys import Fate, Journeys
from simulators.pass_records import Record
from simulators.vehicles import Plate

# Changes the records that the cameras would send of one pass.
Disturbance = Callable[[list[Record]], list[Record]]


class StagedArrival(NamedTuple):
    """A vehicle that comes at a set moment, `onward` or `back`. Its reads are `late_by_s` real seconds late.

    Where vehicles travel, `fate` is what becomes of it afterwards.
    """

    at_s: float
    kind: str
    plate: Plate
    going: str
    late_by_s: float
    fate: Fate | None = None


class SiteScenario(NamedTuple):
    """Everything that a scenario changes at one site."""

    disturbances: Sequence[Disturbance] = ()
    staged_arrivals: Sequence[StagedArrival] = ()
    badge_share: float = 0.0
    badges: Sequence[str] = ()
    journeys: Journeys | None = None


def silence_camera(camera: str, begin_s: float, end_s: float) -> Disturbance:
    """Drop what the camera would send between two moments."""

    def disturb(records: list[Record]) -> list[Record]:
        return [r for r in records if r.read.camera != camera or not begin_s <= r.captured_s < end_s]

    return disturb


def shift_clock(camera: str, offset_s: float) -> Disturbance:
    """Set the camera's clock `offset_s` real seconds ahead, or behind if negative."""

    def disturb(records: list[Record]) -> list[Record]:
        return [r._replace(clock_s=offset_s) if r.read.camera == camera else r for r in records]

    return disturb


def hold_back(begin_s: float, end_s: float, held_back_s: float) -> Disturbance:
    """Hold back the records between two moments until the second, and make them `held_back_s` real seconds late."""

    def disturb(records: list[Record]) -> list[Record]:
        kept = [record for record in records if begin_s <= record.published_s < end_s]
        sent = [record for record in records if not begin_s <= record.published_s < end_s]
        return sent + [r._replace(published_s=end_s, late_by_s=r.late_by_s + held_back_s) for r in kept]

    return disturb
