"""One engine and one list: the misread vehicles that are found, and the false alerts for vehicles not listed."""

import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.columns import texts_for_kernels
from anpr.matching.encoding.plate_codes import PlateCodes, words_of
from anpr.matching.lookup.plate_table import NEAR_TIER, MatchedPairs, PlateTable
from anpr.matching.scoring.background_model import BackgroundModel
from anpr.matching.scoring.confidence_calibration import BINS, NO_CALIBRATIONS, Calibrations, bin_of
from anpr.matching.scoring.confusion_model import ConfusionModel
from anpr.matching.scoring.likelihood import LISTED_SHARE, Likelihood
from anpr.reference_data import tables
from benchmarks.fit_likelihood import SHORTEST_READ, Sample, fit_misreads, fit_plates, misreads_toml, plates_toml
from benchmarks.quality import kinds, passes
from benchmarks.quality.passes import VEHICLES_A_DAY, ByPass, calibrated_texts
from benchmarks.quality.rules import RULES, EveryPair, Gate, order, seen_table
from benchmarks.quality.world import FLEET_VEHICLES_PER_LISTED, Generator, Templates, Vehicles, encode_samples

MATCHER = "matcher"
WITH_CANDIDATES = "matcher, candidates too"
CALIBRATED = "matcher, its camera calibrated"
METHODS = (MATCHER, WITH_CANDIDATES, CALIBRATED, *RULES)
# The calibration is learned from so many reads, of other vehicles than those that are judged.
_READS_LEARNED = 20_000
_PIECE = 100_000

# All reads of an engine are of one camera.
_CAMERA = ("site", "camera")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Fitted:
    """The tables that a run uses: the shipped ones, or tables fitted to other plates than those of the run."""

    likelihood: Callable[[int], Likelihood]
    gate: Gate

    @classmethod
    def shipped(cls) -> "Fitted":
        """Return the tables as they are shipped."""
        return cls(Likelihood, Gate(tables.load("plates_seen")))

    @classmethod
    def on(cls, samples: Sequence[Sample]) -> "Fitted":
        """Fit to these samples alone."""
        seen = seen_table(plates_toml(fit_plates(samples)))
        confusions = ConfusionModel(tomllib.loads(misreads_toml(fit_misreads(samples))))
        background = BackgroundModel(tables.load("countries"), seen, tables.load("traffic")["share"])
        return cls(lambda size: Likelihood(size, confusions, background), Gate(seen))


@dataclass(frozen=True)
class Run:
    """The size of a run: entries of the list, days of vehicles that are not listed, and the seed."""

    size: int
    days: float
    seed: int


@dataclass(frozen=True)
class Measured:
    """The results of one run. A score is -1 where there was no alert. Scores are comparable only within one method.

    `false`: a method's false alerts, over `days`. `found`: for each misread listed vehicle, its own alert. `listed`:
    a method's scores of the alerts of all listed vehicles, misread or not. Tiers, countries and kinds (`kinds`) go
    with them; `found_good` says which misreads are good plates again. `by_pass` is None for an engine with few
    misreads.
    """

    size: int
    days: float
    false: dict[str, Floats]
    false_tiers: NDArray[np.uint8]
    false_countries: NDArray[np.uint16]
    false_kinds: kinds.Kinds
    found: dict[str, Floats]
    found_tiers: NDArray[np.uint8]
    found_countries: NDArray[np.uint16]
    found_kinds: kinds.Kinds
    found_good: NDArray[np.bool_]
    listed: dict[str, Floats]
    listed_tiers: NDArray[np.uint8]
    vehicles_by_country: dict[int, float]
    by_pass: ByPass | None

    def found_at(self, method: str, false_a_day: float) -> tuple[float, float]:
        """Return the threshold at which a method has at most so many false alerts a day, and the share found."""
        allowed = int(false_a_day * self.days)
        scores = np.sort(self.false[method][self.false[method] >= 0])[::-1]
        threshold = 0.0 if len(scores) <= allowed else float(np.nextafter(scores[allowed], np.inf))
        return threshold, float(np.mean(self.found[method] >= threshold))


def measure(samples: Sequence[Sample], fitted: Fitted, run: Run, say: Callable[[str], None]) -> Measured:
    """Measure on the samples: their plates are listed, and vehicles like theirs that are not listed go by."""
    size, days = run.size, run.days
    generator = Generator(Templates.of(samples), run.seed)
    fitting = [s for s in samples if len(s.plate) <= 16 and len(s.read) <= 16]
    if len(fitting) > size:  # a list shorter than the measured plates has some of them
        chosen = np.random.default_rng(run.seed).choice(len(fitting), size, replace=False)
        fitting = [fitting[row] for row in np.sort(chosen).tolist()]
    own = encode_samples([s.plate for s in fitting], fitting)
    listed = _without_confidence(_together([own, generator.plates(size - len(own))]))
    table = PlateTable.build(listed, np.full(len(listed), NEAR_TIER, np.uint8))
    likelihood = fitted.likelihood(size)
    calibrations = _learned(samples, run.seed)
    say(f"list of {size}: built")
    false: list[tuple[MatchedPairs, dict[str, Floats], NDArray[np.uint16]]] = []
    false_kinds: list[kinds.Kinds] = []
    with_candidates: list[Floats] = []
    by_country: dict[int, float] = {}
    for vehicles in _unlisted(generator, listed, days):
        false.append(_alerts_of(table, vehicles.reads, likelihood, calibrations, fitted.gate))
        of_vehicles = kinds.of_unlisted(vehicles, are_of_fleets=not false_kinds)  # they come first
        false_kinds.append(of_vehicles[false[-1][0].read_rows])
        with_candidates.append(_with_candidates(table, vehicles, likelihood, generator).scores.astype(np.float64))
        for country, count in zip(*np.unique(vehicles.reads.countries, return_counts=True), strict=True):
            by_country[int(country)] = by_country.get(int(country), 0) + int(count)
        say(f"list of {size}: {sum(by_country.values()) / VEHICLES_A_DAY:.0f} of {days:g} days")
    passed = Vehicles(own, encode_samples([s.read for s in fitting], fitting), np.arange(len(fitting)))
    found, orders, _ = _alerts_of(table, passed.reads, likelihood, calibrations, fitted.gate)
    of_own, own_tiers = _own(found, orders, own, listed)
    found = _with_candidates(table, passed, likelihood, generator)
    of_own |= _own(found, {WITH_CANDIDATES: found.scores.astype(np.float64)}, own, listed)[0]
    recogniser = passes.recogniser_of(samples)
    by_pass = None
    if recogniser is not None:
        by_pass = passes.measure_passes(table, likelihood, calibrations, generator, recogniser, days, run.seed)
    misread = np.array([s.read != s.plate and len(s.read) >= SHORTEST_READ for s in fitting])
    return Measured(
        size=size,
        days=days,
        false={method: np.concatenate([o[method] for _, o, _ in false]) for method in (MATCHER, CALIBRATED, *RULES)}
        | {WITH_CANDIDATES: np.concatenate(with_candidates)},
        false_tiers=np.concatenate([f.tiers for f, _, _ in false]),
        false_countries=np.concatenate([c for _, _, c in false]),
        false_kinds=np.concatenate(false_kinds),
        found={method: scores[misread] for method, scores in of_own.items()},
        found_tiers=own_tiers[misread],
        found_countries=own.countries[misread],
        found_kinds=kinds.of_misreads(own, passed.reads)[misread],
        found_good=fitted.gate.is_possible(passed.reads)[misread],
        listed={method: of_own[method] for method in (MATCHER, CALIBRATED)},
        listed_tiers=own_tiers,
        vehicles_by_country={country: count / days for country, count in by_country.items()},
        by_pass=by_pass,
    )


def together(parts: Sequence[Measured]) -> Measured:
    """Return the results of several runs on lists of one size as those of one run."""
    countries = {country for part in parts for country in part.vehicles_by_country}
    days = sum(part.days for part in parts)
    by_pass = [part.by_pass for part in parts if part.by_pass is not None]
    return Measured(
        size=parts[0].size,
        days=days,
        false={method: np.concatenate([part.false[method] for part in parts]) for method in METHODS},
        false_tiers=np.concatenate([part.false_tiers for part in parts]),
        false_countries=np.concatenate([part.false_countries for part in parts]),
        false_kinds=np.concatenate([part.false_kinds for part in parts]),
        found={method: np.concatenate([part.found[method] for part in parts]) for method in METHODS},
        found_tiers=np.concatenate([part.found_tiers for part in parts]),
        found_countries=np.concatenate([part.found_countries for part in parts]),
        found_kinds=np.concatenate([part.found_kinds for part in parts]),
        found_good=np.concatenate([part.found_good for part in parts]),
        listed={m: np.concatenate([part.listed[m] for part in parts]) for m in (MATCHER, CALIBRATED)},
        listed_tiers=np.concatenate([part.listed_tiers for part in parts]),
        vehicles_by_country={
            country: sum(part.vehicles_by_country.get(country, 0) * part.days for part in parts) / days
            for country in countries
        },
        by_pass=passes.together(by_pass) if len(by_pass) == len(parts) else None,
    )


def _unlisted(generator: Generator, listed: PlateCodes, days: float) -> Iterator[Vehicles]:
    """Yield vehicles that are not listed, for so many days, in pieces."""
    known = {codes.tobytes() for codes in listed.codes}
    left = round(days * VEHICLES_A_DAY)
    fleet_count = round(days * VEHICLES_A_DAY * LISTED_SHARE * FLEET_VEHICLES_PER_LISTED)
    beside = generator.fleet_vehicles(listed, fleet_count)
    yield beside.take(np.flatnonzero([codes.tobytes() not in known for codes in beside.plates.codes]))
    while left > 0:
        count = min(_PIECE, left)
        vehicles = generator.vehicles(count)
        unlisted = np.flatnonzero([codes.tobytes() not in known for codes in vehicles.plates.codes])
        yield vehicles.take(unlisted)
        left -= count


def _alerts_of(
    table: PlateTable, reads: PlateCodes, likelihood: Likelihood, calibrations: Calibrations, gate: Gate
) -> tuple[MatchedPairs, dict[str, Floats], NDArray[np.uint16]]:
    """Return every pair at most one edit apart, its rank in each method's alerts, and the read's country."""
    texts = texts_for_kernels(reads)
    pairs = table.search(texts, EveryPair(len(table.plates)))
    calibrated = calibrated_texts(texts, calibrations)
    score_of = {
        method: _score_of(table.search(of_method, likelihood))
        for method, of_method in ((MATCHER, texts), (CALIBRATED, calibrated))
    }
    # A plate inside a longer text counts where the matcher alerts for it.
    kind = kinds.of_misreads(table.plates.take(pairs.entry_rows), reads.take(pairs.read_rows))
    keys = zip(pairs.read_rows.tolist(), pairs.entry_rows.tolist(), strict=True)
    pairs = pairs.where(
        (kind < kinds.FURTHER) | np.array([any(key in of for of in score_of.values()) for key in keys], bool)
    )
    pair_keys = list(zip(pairs.read_rows.tolist(), pairs.entry_rows.tolist(), strict=True))
    orders: dict[str, Floats] = {
        method: np.array([of.pop(key, -1) for key in pair_keys], np.float64) for method, of in score_of.items()
    }
    if any(score_of.values()):
        raise AssertionError("the matcher alerted for pairs that are not one edit apart")
    asked, place = np.unique(pairs.read_rows, return_inverse=True)
    for rule in RULES:
        orders[rule] = order(
            rule,
            pairs,
            gate_open=~gate.is_possible(reads.take(asked))[place],
            same_country=reads.countries[pairs.read_rows] == table.plates.countries[pairs.entry_rows],
            confidences=reads.confidences[pairs.read_rows],
        )
    return pairs, orders, reads.countries[pairs.read_rows]


def _score_of(alerts: MatchedPairs) -> dict[tuple[int, int], float]:
    keys = zip(alerts.read_rows.tolist(), alerts.entry_rows.tolist(), strict=True)
    return dict(zip(keys, alerts.scores.tolist(), strict=True))


def _learned(samples: Sequence[Sample], seed: int) -> Calibrations:
    """Return the calibration of a camera with this engine, learned from other vehicles; none without confidences."""
    reads = Generator(Templates.of(samples), seed + 1_000).vehicles(_READS_LEARNED).reads
    known = reads.confidences[(reads.lengths >= SHORTEST_READ) & ~np.isnan(reads.confidences)]
    counts = np.bincount([bin_of(confidence) for confidence in known.tolist()], minlength=BINS)
    return Calibrations.of({_CAMERA: counts.tolist()}) if len(known) else NO_CALIBRATIONS


def _with_candidates(
    table: PlateTable, vehicles: Vehicles, likelihood: Likelihood, generator: Generator
) -> MatchedPairs:
    """Return the alerts for reads and their candidates: for each pair the one with the highest score."""
    whose, texts = generator.candidates(vehicles)
    further = table.search(texts_for_kernels(texts), likelihood)
    own = table.search(texts_for_kernels(vehicles.reads), likelihood)
    both = MatchedPairs.concatenated([own, replace(further, read_rows=whose[further.read_rows])])
    order = np.argsort(-both.scores, kind="stable")
    _, firsts = np.unique(both.read_rows[order] * len(table.plates) + both.entry_rows[order], return_index=True)
    highest = np.zeros(len(order), bool)
    highest[order[firsts]] = True
    return both.where(highest)


def _own(
    found: MatchedPairs, orders: dict[str, Floats], own: PlateCodes, listed: PlateCodes
) -> tuple[dict[str, Floats], NDArray[np.uint8]]:
    """Return for each listed vehicle the alert for its own plate: its rank by each method (-1 for none), its tier."""
    is_own = (words_of(listed.codes)[found.entry_rows] == words_of(own.codes)[found.read_rows]).all(axis=1)
    best = {method: np.full(len(own), -1.0) for method in orders}
    for method, scores in orders.items():
        np.maximum.at(best[method], found.read_rows[is_own], scores[is_own])
    tiers = np.full(len(own), 255, np.uint8)
    np.minimum.at(tiers, found.read_rows[is_own], found.tiers[is_own])
    return best, tiers


def _together(parts: Sequence[PlateCodes]) -> PlateCodes:
    return PlateCodes(
        np.concatenate([part.codes for part in parts]),
        np.concatenate([part.lengths for part in parts]),
        np.concatenate([part.countries for part in parts]),
        np.concatenate([part.confidences for part in parts]),
    )


def _without_confidence(plates: PlateCodes) -> PlateCodes:
    return PlateCodes(plates.codes, plates.lengths, plates.countries, np.full(len(plates), np.nan, np.float32))
