"""One vehicle going by: what its lane's two cameras send of it, with faults of transport.

All shares here are estimates. Only the errors of reading are measured (`simulators.ocr`).
"""

from random import Random
from typing import NamedTuple

from msgspec.structs import replace

from anpr.contracts.events import Candidate, Read, Vehicle
from simulators import confidences, plate_syntax
from simulators.cameras import Camera, Lane
from simulators.ocr import Reading, Recogniser
from simulators.vehicles import Plate
from simulators.vehicles import Vehicle as SimulatedVehicle
from simulators.weighted import Weighted

# Most vehicles go in the direction of their lane. Some turn back, and sometimes the cameras report no direction.
_DIRECTIONS = Weighted({"onward": 97, "back": 2, "unknown": 1})
_OPPOSITE = {"uk_bound": "fr_bound", "fr_bound": "uk_bound"}
# Two cameras with 2 to 4 frames each: 4 to 8 reads a pass.
_FRAMES = (2, 3, 4)
# A frame is often so like the last one that the recogniser reads the same text, with the same error.
_SAME_AS_LAST_FRAME_SHARE = 0.5
# Weather, dirt and speed are the same for both plates: the rear one is often seen as badly as the front one.
_SAME_QUALITY_SHARE = 0.6
_DUPLICATE_SHARE = 0.005
_CORRECTED_SHARE = 0.005
_LATE_PASS_SHARE = 0.005
_LATE_BY_S = (120.0, 1200.0)
# The country that the camera reports is mostly right, sometimes missing, seldom wrong.
_COUNTRY_MISSING_SHARE = 0.05
_COUNTRY_WRONG_SHARE = 0.02
# A partial read lacks up to three characters. A camera sends it only if it has at least this many.
_SHORTEST_PARTIAL = 4
# The confidence with which a camera takes a badge for a plate.
_BADGE_CONFIDENCE = (0.4, 0.95)
_WHOLE_AFTER_S = 0.05


class Pass(NamedTuple):
    """One vehicle going by, `onward` or `back` through its lane, or `unknown`.

    `late_by_s` is how long the lane held the reads back, in real seconds; mostly 0. A `staged` vehicle is read well,
    because the scenario depends on it. `turned_away` says that an officer turns it away after this pass;
    `came_from` is the pass at the site that it comes from, `turned_away_from` that site if it was turned away there.
    """

    pass_id: str
    site: str
    vehicle: SimulatedVehicle
    lane: Lane
    going: str
    late_by_s: float
    staged: bool = False
    turned_away: bool = False
    came_from: str = ""
    turned_away_from: str = ""


class Record(NamedTuple):
    """One record of a pass. Times are simulated seconds.

    `true_plate` is the plate that was really there. `quality` is how badly the camera saw it, from 0 (best) on.
    `late_by_s` is how long the record was held back and `clock_s` how much the camera's clock is ahead, both in real
    seconds. `is_plate` is false for a badge or livery that was read as a plate.
    """

    published_s: float
    captured_s: float
    read: Read
    true_plate: Plate
    quality: int
    late_by_s: float
    clock_s: float = 0.0
    is_duplicate: bool = False
    is_plate: bool = True


class _Frame(NamedTuple):
    """One frame of one camera: the plate that was there, and the text that was read."""

    camera: Camera
    true_plate: Plate
    reading: Reading
    quality: int
    at_s: float
    char_confidences: tuple[float, ...]
    candidates: tuple[Candidate, ...]


def make_pass(pass_id: str, site: str, vehicle: SimulatedVehicle, lane: Lane, rng: Random) -> Pass:
    """Return the pass of a vehicle through a lane."""
    late_by_s = rng.uniform(*_LATE_BY_S) if rng.random() < _LATE_PASS_SHARE else 0.0
    return Pass(pass_id, site, vehicle, lane, _DIRECTIONS.draw(rng), late_by_s)


def records_of(vehicle_pass: Pass, passed_s: float, recogniser: Recogniser, rng: Random) -> list[Record]:
    """Return the records that the cameras send of the pass, in no order. Empty when no frame could be read."""
    vehicle = vehicle_pass.vehicle
    length_s = 3.0 if vehicle.kind == "lorry" else 1.2
    made: list[Record] = []
    quality = recogniser.quality(rng)
    for camera in vehicle_pass.lane.cameras:
        at_s, true_plate, reading = passed_s, vehicle.front, Reading("", 0.0)
        if camera.position == "rear":
            at_s, true_plate = passed_s + length_s + rng.random(), vehicle.rear
        if vehicle_pass.staged:
            quality = 0
        elif rng.random() >= _SAME_QUALITY_SHARE:
            quality = recogniser.quality(rng)
        for number in range(_FRAMES[int(rng.random() * len(_FRAMES))]):
            if not number or rng.random() >= _SAME_AS_LAST_FRAME_SHARE:
                reading = recogniser.read(true_plate.text, quality, rng)
            if reading.text:
                frame = _frame(camera, true_plate, reading, quality, at_s, recogniser, rng)
                made.extend(_sent(vehicle_pass, frame, len(made), rng))
            at_s += rng.uniform(0.1, 0.4)
    made.extend([_repeated(record, rng) for record in made if rng.random() < _DUPLICATE_SHARE])
    return made


def badge_record(vehicle_pass: Pass, passed_s: float, text: str, rng: Random) -> Record:
    """Return a read of something that is no plate: a badge or livery on the front of the vehicle."""
    camera = vehicle_pass.lane.cameras[0]
    reading = Reading(text, round(rng.uniform(*_BADGE_CONFIDENCE), 3))
    frame = _Frame(camera, Plate(text, None), reading, 0, passed_s + rng.random(), (), ())
    record = _record(vehicle_pass, frame, _read(vehicle_pass, frame, 0, rng))
    return record._replace(is_plate=False)


def _frame(  # noqa: PLR0913, PLR0917  everything that makes a frame
    camera: Camera,
    true_plate: Plate,
    reading: Reading,
    quality: int,
    at_s: float,
    recogniser: Recogniser,
    rng: Random,
) -> _Frame:
    if not camera.reports_confidences:
        return _Frame(camera, true_plate, reading, quality, at_s, (), ())
    possible = confidences.candidates(true_plate.text, reading, recogniser, rng)
    return _Frame(camera, true_plate, reading, quality, at_s, confidences.char_confidences(reading, rng), possible)


def _sent(vehicle_pass: Pass, frame: _Frame, before: int, rng: Random) -> list[Record]:
    """Return the records of one frame: a read, or seldom a partial read and the whole one that replaces it."""
    whole = _read(vehicle_pass, frame, before + 1, rng)
    if rng.random() < _CORRECTED_SHARE:
        partial = frame.reading.text[: -1 - int(rng.random() * 3)]
        if len(partial) >= _SHORTEST_PARTIAL:
            unsure = Reading(partial, round(frame.reading.confidence / 2, 3))
            halved = tuple(round(confidence / 2, 3) for confidence in frame.char_confidences[: len(partial)])
            seen = frame._replace(reading=unsure, char_confidences=halved, candidates=())
            first = _read(vehicle_pass, seen, before + 1, rng)
            later = frame._replace(at_s=frame.at_s + _WHOLE_AFTER_S)
            whole = replace(whole, read_id=_read_id(vehicle_pass, before + 2), supersedes=first.read_id)
            return [_record(vehicle_pass, frame, first), _record(vehicle_pass, later, whole)]
    return [_record(vehicle_pass, frame, whole)]


def _read(vehicle_pass: Pass, frame: _Frame, number: int, rng: Random) -> Read:
    return Read(
        read_id=_read_id(vehicle_pass, number),
        site=vehicle_pass.site,
        camera=frame.camera.name,
        lane=vehicle_pass.lane.name,
        direction=_direction(vehicle_pass, frame.camera),
        position=frame.camera.position,
        pass_id=vehicle_pass.pass_id,
        plate=frame.camera.write(frame.reading.text),
        country=_country_seen(frame.true_plate.country, rng),
        confidence=frame.reading.confidence,
        char_confidences=frame.char_confidences,
        candidates=frame.candidates,
        vehicle=Vehicle(kind=vehicle_pass.vehicle.kind),
    )


def _read_id(vehicle_pass: Pass, number: int) -> str:
    return f"{vehicle_pass.pass_id}-{number}"


def _record(vehicle_pass: Pass, frame: _Frame, read: Read) -> Record:
    return Record(frame.at_s, frame.at_s, read, frame.true_plate, frame.quality, vehicle_pass.late_by_s)


def _direction(vehicle_pass: Pass, camera: Camera) -> str | None:
    if vehicle_pass.going == "unknown":
        return None
    return camera.direction if vehicle_pass.going == "onward" else _OPPOSITE[camera.direction]


def _country_seen(country: str | None, rng: Random) -> str | None:
    at = rng.random()
    if country is None or at < _COUNTRY_MISSING_SHARE:
        return None
    if at >= _COUNTRY_MISSING_SHARE + _COUNTRY_WRONG_SHARE:
        return country
    others = [other for other in plate_syntax.COUNTRIES if other != country]
    return others[int(rng.random() * len(others))]


def _repeated(record: Record, rng: Random) -> Record:
    """Return the same record sent once more, as by a camera that received no answer."""
    return record._replace(published_s=record.published_s + rng.uniform(0.2, 5.0), is_duplicate=True)
