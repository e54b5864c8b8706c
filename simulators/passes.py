"""One vehicle going by: what its lane's two cameras send of it, faults of transport included.

All shares here are estimates; only the errors of reading are measured (`simulators.ocr`).
"""

from random import Random
from typing import NamedTuple

from msgspec.structs import replace

from anpr.contracts.events import Candidate, Read, Vehicle
from simulators import plates, sureness
from simulators.cameras import Camera, Lane
from simulators.draw import Weighted
from simulators.ocr import Reading, Recogniser
from simulators.vehicles import Plate
from simulators.vehicles import Vehicle as SimulatedVehicle

# Most go the way of their lane; some turn back, and sometimes the cameras do not say.
_DIRECTIONS = Weighted({"onward": 97, "back": 2, "unknown": 1})
_OPPOSITE = {"uk_bound": "fr_bound", "fr_bound": "uk_bound"}
# Two cameras with 2 to 4 frames each: 4 to 8 reads a pass.
_FRAMES = (2, 3, 4)
# A frame is often so like the last one that the recogniser makes the same of it, error included.
_SAME_AS_LAST_FRAME_SHARE = 0.5
# Weather, dirt and speed are the same in front and behind: the rear plate is often seen as badly as the front one.
_SAME_QUALITY_SHARE = 0.6
_DUPLICATE_SHARE = 0.005
_CORRECTED_SHARE = 0.005
_LATE_PASS_SHARE = 0.005
_LATE_BY_S = (120.0, 1200.0)
# The camera's word on the country: mostly right, sometimes missing, seldom wrong.
_COUNTRY_MISSING_SHARE = 0.05
_COUNTRY_WRONG_SHARE = 0.02
# A partial read leaves off up to three characters, and is taken for a read only when it has this many.
_SHORTEST_PARTIAL = 4
# How sure a camera is of a badge that it takes for a plate.
_BADGE_CONFIDENCE = (0.4, 0.95)
_WHOLE_AFTER_S = 0.05


class Pass(NamedTuple):
    """One vehicle going by, `onward` or `back` through its lane or `unknown`.

    `late_by_s` is how long the lane held the reads back, in real seconds; mostly 0. One that is `staged` is seen
    well, for a scenario hangs on it.
    """

    pass_id: str
    site: str
    vehicle: SimulatedVehicle
    lane: Lane
    going: str
    late_by_s: float
    staged: bool = False


class Record(NamedTuple):
    """One record of a pass, with the plate that was really there. Times are simulated seconds.

    `quality` is how badly the camera saw it, from 0 (best) on. `late_by_s` is how long it was held back and `clock_s`
    how much the camera's clock is ahead, both in real seconds. What is no plate at all is not `of_plate`.
    """

    published_s: float
    captured_s: float
    read: Read
    shown: Plate
    quality: int
    late_by_s: float
    clock_s: float = 0.0
    duplicate: bool = False
    of_plate: bool = True


class _Frame(NamedTuple):
    """One frame of one camera: the plate that was there, and what was read of it."""

    camera: Camera
    shown: Plate
    reading: Reading
    quality: int
    at_s: float
    char_confidences: tuple[float, ...]
    candidates: tuple[Candidate, ...]


def make(pass_id: str, site: str, vehicle: SimulatedVehicle, lane: Lane, rng: Random) -> Pass:
    """Return the pass of a vehicle through a lane."""
    late_by_s = rng.uniform(*_LATE_BY_S) if rng.random() < _LATE_PASS_SHARE else 0.0
    return Pass(pass_id, site, vehicle, lane, _DIRECTIONS.draw(rng), late_by_s)


def records(going_by: Pass, passed_s: float, recogniser: Recogniser, rng: Random) -> list[Record]:
    """Return what the cameras send of the pass, in no particular order. Empty when no frame could be read."""
    vehicle = going_by.vehicle
    length_s = 3.0 if vehicle.kind == "lorry" else 1.2
    made: list[Record] = []
    quality = recogniser.quality(rng)
    for camera in going_by.lane.cameras:
        at_s, shown, reading = passed_s, vehicle.front, Reading("", 0.0)
        if camera.position == "rear":
            at_s, shown = passed_s + length_s + rng.random(), vehicle.rear
        if going_by.staged:
            quality = 0
        elif rng.random() >= _SAME_QUALITY_SHARE:
            quality = recogniser.quality(rng)
        for number in range(_FRAMES[int(rng.random() * len(_FRAMES))]):
            if not number or rng.random() >= _SAME_AS_LAST_FRAME_SHARE:
                reading = recogniser.read(shown.text, quality, rng)
            if reading.text:
                frame = _frame(camera, shown, reading, quality, at_s, recogniser, rng)
                made.extend(_sent(going_by, frame, len(made), rng))
            at_s += rng.uniform(0.1, 0.4)
    made.extend([_repeated(record, rng) for record in made if rng.random() < _DUPLICATE_SHARE])
    return made


def badge(going_by: Pass, passed_s: float, text: str, rng: Random) -> Record:
    """Return a read of what is no plate: a badge or livery on the front of the vehicle."""
    camera = going_by.lane.cameras[0]
    reading = Reading(text, round(rng.uniform(*_BADGE_CONFIDENCE), 3))
    frame = _Frame(camera, Plate(text, None), reading, 0, passed_s + rng.random(), (), ())
    record = _record(going_by, frame, _read(going_by, frame, 0, rng))
    return record._replace(of_plate=False)


def _frame(  # noqa: PLR0913, PLR0917  all that a frame is made of
    camera: Camera,
    shown: Plate,
    reading: Reading,
    quality: int,
    at_s: float,
    recogniser: Recogniser,
    rng: Random,
) -> _Frame:
    if not camera.tells:
        return _Frame(camera, shown, reading, quality, at_s, (), ())
    possible = sureness.candidates(shown.text, reading, recogniser, rng)
    return _Frame(camera, shown, reading, quality, at_s, sureness.char_confidences(reading, rng), possible)


def _sent(going_by: Pass, frame: _Frame, before: int, rng: Random) -> list[Record]:
    """Return what one frame brings: a read, or seldom a partial one and the whole one that replaces it."""
    whole = _read(going_by, frame, before + 1, rng)
    if rng.random() < _CORRECTED_SHARE:
        partial = frame.reading.text[: -1 - int(rng.random() * 3)]
        if len(partial) >= _SHORTEST_PARTIAL:
            unsure = Reading(partial, round(frame.reading.confidence / 2, 3))
            told = tuple(round(sure / 2, 3) for sure in frame.char_confidences[: len(partial)])
            seen = frame._replace(reading=unsure, char_confidences=told, candidates=())
            first = _read(going_by, seen, before + 1, rng)
            later = frame._replace(at_s=frame.at_s + _WHOLE_AFTER_S)
            whole = replace(whole, read_id=_read_id(going_by, before + 2), supersedes=first.read_id)
            return [_record(going_by, frame, first), _record(going_by, later, whole)]
    return [_record(going_by, frame, whole)]


def _read(going_by: Pass, frame: _Frame, number: int, rng: Random) -> Read:
    return Read(
        read_id=_read_id(going_by, number),
        site=going_by.site,
        camera=frame.camera.name,
        lane=going_by.lane.name,
        direction=_direction(going_by, frame.camera),
        position=frame.camera.position,
        pass_id=going_by.pass_id,
        plate=frame.camera.write(frame.reading.text),
        country=_country_seen(frame.shown.country, rng),
        confidence=frame.reading.confidence,
        char_confidences=frame.char_confidences,
        candidates=frame.candidates,
        vehicle=Vehicle(kind=going_by.vehicle.kind),
    )


def _read_id(going_by: Pass, number: int) -> str:
    return f"{going_by.pass_id}-{number}"


def _record(going_by: Pass, frame: _Frame, read: Read) -> Record:
    return Record(frame.at_s, frame.at_s, read, frame.shown, frame.quality, going_by.late_by_s)


def _direction(going_by: Pass, camera: Camera) -> str | None:
    if going_by.going == "unknown":
        return None
    return camera.direction if going_by.going == "onward" else _OPPOSITE[camera.direction]


def _country_seen(country: str | None, rng: Random) -> str | None:
    at = rng.random()
    if country is None or at < _COUNTRY_MISSING_SHARE:
        return None
    if at >= _COUNTRY_MISSING_SHARE + _COUNTRY_WRONG_SHARE:
        return country
    others = [other for other in plates.COUNTRIES if other != country]
    return others[int(rng.random() * len(others))]


def _repeated(record: Record, rng: Random) -> Record:
    """Return the same record sent once more, as a camera does that has had no answer."""
    return record._replace(published_s=record.published_s + rng.uniform(0.2, 5.0), duplicate=True)
