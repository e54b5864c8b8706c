"""What a scenario changes in the traffic of one site. Times are simulated seconds since the start of the traffic."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from simulators.passes import Record
from simulators.vehicles import Plate

# Changes what the cameras would send of one pass.
Disturbance = Callable[[list[Record]], list[Record]]


class Coming(NamedTuple):
    """A vehicle that comes at a moment, going `onward` or `back`. Its reads are held back so many real seconds."""

    at_s: float
    kind: str
    plate: Plate
    going: str
    late_by_s: float


class Stage(NamedTuple):
    """All that a scenario does at one site."""

    disturbances: Sequence[Disturbance] = ()
    comings: Sequence[Coming] = ()
    badge_share: float = 0.0
    badges: Sequence[str] = ()


def silent(camera: str, begin_s: float, end_s: float) -> Disturbance:
    """Take away what the camera would send between two moments."""

    def disturb(records: list[Record]) -> list[Record]:
        return [r for r in records if r.read.camera != camera or not begin_s <= r.captured_s < end_s]

    return disturb


def wrong_clock(camera: str, offset_s: float) -> Disturbance:
    """Let the camera write moments that are so many real seconds after the true ones; before them when negative."""

    def disturb(records: list[Record]) -> list[Record]:
        return [r._replace(clock_s=offset_s) if r.read.camera == camera else r for r in records]

    return disturb


def cut(begin_s: float, end_s: float, held_back_s: float) -> Disturbance:
    """Hold back what would be sent between two moments until the second, captured so many real seconds earlier."""

    def disturb(records: list[Record]) -> list[Record]:
        held = [record for record in records if begin_s <= record.published_s < end_s]
        through = [record for record in records if not begin_s <= record.published_s < end_s]
        return through + [r._replace(published_s=end_s, late_by_s=r.late_by_s + held_back_s) for r in held]

    return disturb
