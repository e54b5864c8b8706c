"""Vehicles that pass a site and are read several times: which passes are found, and which raise a false alert.

The simulators state how a vehicle passes (`simulators/pass_records.py`): a front and a rear camera with 2 to 4
frames each, half of the frames repeating the last reading, a quality that the frames of one plate share, trailers
with plates of their own. The measured reads cannot say how often the frames of one vehicle are misread together. So
here, unlike in `world`, a model stands between the measurement and the figure: the simulators' recogniser, fitted to
the engine's own reads.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from anpr.contracts.events import Read
from anpr.matching.encoding.columns import Texts
from anpr.matching.encoding.plate_codes import PlateCodes, country_text, words_of
from anpr.matching.lookup.plate_table import EXACT_TIER, FOLDED_TIER, NEAR_TIER, PlateTable
from anpr.matching.read_texts import texts_of
from anpr.matching.scoring.confidence_calibration import NO_CALIBRATIONS, Calibrations
from anpr.matching.scoring.likelihood import LISTED_SHARE, Likelihood
from benchmarks.fit_likelihood import SHORTEST_READ, Sample
from benchmarks.quality.world import FLEET_VEHICLES_PER_LISTED, Generator
from simulators import fit_ocr, pass_records, vehicles
from simulators.alignment import align
from simulators.cameras import Camera, Lane
from simulators.ocr import DAMAGED, LOST, SHORTEST, Recogniser, grade
from simulators.vehicles import Plate, Vehicle

VEHICLES_A_DAY: Final = 20_000
# Passes are simulated one by one, which takes long: so many days of vehicles that are not listed for each of the run.
DAYS_SHARE: Final = 0.1
LISTED_PASSES_A_DAY: Final = 100
# With fewer misreads the recogniser cannot be fitted.
FEWEST_MISREADS: Final = 300
TOLERANCES: Final = {"exact": EXACT_TIER, "tolerant": FOLDED_TIER, "near": NEAR_TIER}
# What of the reads is used: the surest read of a pass, all of them, all by a calibrated camera, or all with
# candidates and the confidences of characters, which four cameras in six of the simulators send.
SUREST, ANY_READ, ANY_CALIBRATED, AS_SENT = WAYS = (
    "its surest read",
    "any of its reads",
    "any, its camera calibrated",
    "any, and all that cameras send",
)
# Of the simulators, lorries are this share of the vehicles (`simulators/timetable.py`).
_LORRY_SHARE = 0.47
_STYLES = ("plain", "plain", "spaced", "plain", "hyphened", "lower")
_PASSES_AT_ONCE = 2_000

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


class Passed(NamedTuple):
    """A pass: its reads, each counted once, and the row of the list of its vehicle, -1 for one that is not listed."""

    reads: Sequence[Read]
    entry_row: int


@dataclass(frozen=True)
class ByPass:
    """What was measured by the pass. A score is -1 where there was no alert.

    `found` has for each way and tolerance the score of each pass of a listed vehicle, `false` that of each other
    pass, over `days`. `is_never_right` says in which passes of listed vehicles no read was the listed plate.
    """

    days: float
    found: dict[tuple[str, str], Floats]
    false: dict[tuple[str, str], Floats]
    is_never_right: NDArray[np.bool_]

    def found_at(self, way: str, tolerance: str, false_a_day: float) -> NDArray[np.bool_]:
        """Return which passes are found when at most so many passes a day are false."""
        allowed, false = int(false_a_day * self.days), np.sort(self.false[way, tolerance])[::-1]
        threshold = max(0.0, float(np.nextafter(false[allowed], np.inf)) if len(false) > allowed else 0.0)
        return self.found[way, tolerance] >= threshold


def recogniser_of(samples: Iterable[Sample]) -> Recogniser | None:
    """Return the simulators' recogniser fitted to these reads, None where there are too few misreads."""
    fitting = [fit_ocr.Sample(s.country, s.plate, s.read, s.severity, s.confidence) for s in samples]
    if sum(s.read != s.plate and len(s.read) >= SHORTEST_READ for s in fitting) < FEWEST_MISREADS:
        return None
    model = fit_ocr.fit(fitting)
    bands = [band for band in model["bands"] if band["outcomes"]]
    return Recogniser(model | {"bands": bands, "confidence": _measured_confidences(fitting)})


def _measured_confidences(samples: Iterable[fit_ocr.Sample]) -> dict[str, list[float]]:
    """Return all measured confidences by grade, in order.

    The simulators keep 21 of them, with a straight line between the lowest two. So they are very unsure of one right
    read in twenty-five, the engine of one in a hundred, and such reads raise false alerts.
    """
    by_grade: defaultdict[str, list[float]] = defaultdict(list)
    for sample in samples:
        steps = align(sample.plate, sample.read)
        damage, swapped = sum(step.kind in DAMAGED for step in steps), any(step.kind == "swapped" for step in steps)
        name = LOST if len(sample.read) < SHORTEST else grade(damage, swapped=swapped)
        by_grade[name].append(sample.confidence)
    return {name: sorted(values) for name, values in by_grade.items()}


def counted_once(reads: Iterable[Read]) -> list[Read]:
    """Return the reads of a pass, each once: without repeated records, and without reads that others supersede."""
    by_id = {read.read_id: read for read in reads}
    superseded = {read.supersedes for read in by_id.values()}
    return [read for read_id, read in by_id.items() if read_id not in superseded]


def surest(reads: Sequence[Read]) -> int:
    """Return the position of the read of which the camera is surest, of the alphabetically first of equals."""
    return min(range(len(reads)), key=lambda at: (-(reads[at].confidence or 0.0), reads[at].plate, reads[at].read_id))


def best_of_passes(pass_rows: Rows, scores: Floats, count: int) -> Floats:
    """Return for each of `count` passes the highest score of its alerts, -1 where there is none."""
    best = np.full(count, -1.0)
    np.maximum.at(best, pass_rows, scores)
    return best


def calibrated_texts(texts: Texts, calibrations: Calibrations) -> Texts:
    """Return texts of reads of the one calibrated camera, or of one that is not calibrated."""
    return calibrations.apply(texts, np.zeros(len(texts.lengths), np.intp)) if calibrations else texts


def measure_passes(  # noqa: PLR0913, PLR0917  the list, two ways to score it, who passes
    table: PlateTable,
    likelihood: Likelihood,
    calibrations: Calibrations,
    generator: Generator,
    recogniser: Recogniser,
    days: float,
    seed: int,
) -> ByPass:
    """Let vehicles pass that are on the list of the table, and others, for a share of these days."""
    listed, rng = table.plates, Random(seed)
    known = {codes.tobytes() for codes in listed.codes}
    unlisted_days = days * DAYS_SHARE
    fleet = round(unlisted_days * VEHICLES_A_DAY * LISTED_SHARE * FLEET_VEHICLES_PER_LISTED)
    beside = generator.fleet_vehicles(listed, fleet).plates if fleet else listed.take(np.empty(0, np.intp))
    drawn = generator.unlisted_plates(round(unlisted_days * VEHICLES_A_DAY))
    entry_rows = [rng.randrange(len(listed)) for _ in range(max(1, round(days * LISTED_PASSES_A_DAY)))]
    others = [
        (plate, -1)
        for plates in (beside, drawn)
        for row, plate in enumerate(_plates(plates))
        if plates.codes[row].tobytes() not in known
    ]
    own = [(plate, row) for row, plate in zip(entry_rows, _plates(listed.take(np.array(entry_rows))), strict=True)]
    found, is_never_right = _scores(table, likelihood, calibrations, _passes(own, recogniser, rng))
    false, _ = _scores(table, likelihood, calibrations, _passes(others, recogniser, rng))
    return ByPass(unlisted_days, found, false, is_never_right)


def together(parts: Sequence[ByPass]) -> ByPass:
    """Return the results of several runs as those of one."""
    return ByPass(
        sum(part.days for part in parts),
        {key: np.concatenate([part.found[key] for part in parts]) for key in parts[0].found},
        {key: np.concatenate([part.false[key] for part in parts]) for key in parts[0].false},
        np.concatenate([part.is_never_right for part in parts]),
    )


def _plates(plates: PlateCodes) -> Iterator[Plate]:
    countries = plates.countries.tolist()
    return (Plate(plates.text(row), country_text(country) or None) for row, country in enumerate(countries))


def _passes(plates: Iterable[tuple[Plate, int]], recogniser: Recogniser, rng: Random) -> Iterator[Passed]:
    """Yield the passes of vehicles with these plates, each through the next lane, if a camera reads anything."""
    lanes = [_lane(number) for number in range(len(_STYLES) // 2)]
    for number, (plate, entry_row) in enumerate(plates):
        kind = "lorry" if rng.random() < _LORRY_SHARE else "car"
        vehicle = _vehicle(kind, plate, rng, is_listed=entry_row >= 0)
        made = pass_records.make_pass(str(number), "site", vehicle, lanes[number % len(lanes)], rng)
        reads = counted_once(record.read for record in pass_records.records_of(made, 0.0, recogniser, rng))
        if reads:
            yield Passed(reads, entry_row)


def _vehicle(kind: str, plate: Plate, rng: Random, *, is_listed: bool) -> Vehicle:
    return vehicles.make_listed_vehicle(kind, [plate], rng) if is_listed else vehicles.make_vehicle(kind, rng, plate)


def _lane(number: int) -> Lane:
    front, rear = _STYLES[2 * number : 2 * number + 2]
    return Lane(
        str(number),
        (Camera(f"{number}-front", "front", "uk_bound", front), Camera(f"{number}-rear", "rear", "uk_bound", rear)),
    )


def _scores(
    table: PlateTable, likelihood: Likelihood, calibrations: Calibrations, passes: Iterator[Passed]
) -> tuple[dict[tuple[str, str], Floats], NDArray[np.bool_]]:
    """Return for each way and tolerance the best score of each pass, and which passes have no right read.

    An alert for another vehicle's pass counts; of a listed vehicle's pass only the alerts for its own plate do.
    """
    pieces: list[dict[tuple[str, str], Floats]] = []
    never_right: list[NDArray[np.bool_]] = []
    while piece := list(islice(passes, _PASSES_AT_ONCE)):
        sent = [_Sent(read, row) for row, passed in enumerate(piece) for read in map(_usable, passed.reads)]
        surest_rows = np.cumsum([0, *(len(passed.reads) for passed in piece[:-1])]) + [
            surest(passed.reads) for passed in piece
        ]
        own_rows = np.array([passed.entry_row for passed in piece], np.intp)
        as_sent = _alerts(table, likelihood, sent, own_rows)
        texts_alone = [one._replace(read=_text_alone(one.read)) for one in sent]
        bare = _alerts(table, likelihood, texts_alone, own_rows)
        calibrated = _alerts(table, likelihood, texts_alone, own_rows, calibrations)
        of_surest = np.isin(bare.read_rows, surest_rows)
        by_way = {SUREST: bare.where(of_surest), ANY_READ: bare, ANY_CALIBRATED: calibrated, AS_SENT: as_sent}
        pieces.append({
            (way, tolerance): best_of_passes(alerts.pass_rows[within], alerts.scores[within], len(piece))
            for way, alerts in by_way.items()
            for tolerance, widest in TOLERANCES.items()
            for within in [alerts.tiers <= widest]
        })  # fmt: skip
        never_right.append(pieces[-1][ANY_READ, "exact"] < 0)
    return {key: np.concatenate([of[key] for of in pieces]) for key in pieces[0]}, np.concatenate(never_right)


class _Sent(NamedTuple):
    """A read and the row of its pass."""

    read: Read
    pass_row: int


class _Alerts(NamedTuple):
    """Alerts that count, a row for each."""

    read_rows: Rows
    pass_rows: Rows
    tiers: NDArray[np.uint8]
    scores: Floats

    def where(self, kept: NDArray[np.bool_]) -> "_Alerts":
        return _Alerts(self.read_rows[kept], self.pass_rows[kept], self.tiers[kept], self.scores[kept])


def _alerts(
    table: PlateTable,
    likelihood: Likelihood,
    sent: Sequence[_Sent],
    own_rows: Rows,
    calibrations: Calibrations = NO_CALIBRATIONS,
) -> _Alerts:
    texts = texts_of([one.read for one in sent])
    pairs = table.search(calibrated_texts(texts.columns, calibrations), likelihood)
    read_rows = np.asarray(texts.read_rows, np.intp)[pairs.read_rows]
    pass_rows = np.array([one.pass_row for one in sent], np.intp)[read_rows]
    own, words = own_rows[pass_rows], words_of(table.plates.codes)
    counts = (own < 0) | (words[pairs.entry_rows] == words[own]).all(axis=1)
    return _Alerts(read_rows, pass_rows, pairs.tiers, pairs.scores.astype(np.float64)).where(counts)


def _usable(read: Read) -> Read:
    """Return a read of an engine without confidences as its camera would send it."""
    if read.confidence is not None and math.isnan(read.confidence):
        return msgspec.structs.replace(read, confidence=None, char_confidences=(), candidates=())
    return read


def _text_alone(read: Read) -> Read:
    return msgspec.structs.replace(read, char_confidences=(), candidates=())
