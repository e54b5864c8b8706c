"""The data of the measurement: lists, listed vehicles that were misread, and vehicles that are not listed.

A seeded generator draws everything from measured reads. A drawn vehicle is misread like a measured one: it has the
layout of a measured plate and its errors, with the same characters missed and confused at the same positions. All
characters that were read right are replaced at random, except 0/O and 1/I, because the reading depends on them. So no
model of the engine comes between the measurement and the figure, and the file of an engine brings the errors of that
engine.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.plate_codes import WIDTH, PlateCodes, country_codes
from anpr.matching.scoring.background_model import BACKGROUND_MODEL
from anpr.matching.scoring.confusion_model import CONFUSION_MODEL
from anpr.reference_data.limits import ALPHABET
from benchmarks.fit_likelihood import Sample
from simulators.alignment import align
from simulators.confidences import CANDIDATE_CONFIDENCES, OTHER_CANDIDATE_SHARE, TRUE_CANDIDATE_SHARES
from simulators.ocr import DAMAGED, HEAVY_FROM, SHORTEST

# Every change that changes a figure raises it.
VERSION = 2

# The share of a list whose plates are consecutive with others, and how many are in such a row.
FLEET_SHARE = 0.3
FLEET_SIZES = (4, 20)
# Vehicles of a listed one's fleet that go by without being listed, for each listed one that goes by: as the
# likelihood states it (forty numbers, each 0.02 times as often).
FLEET_VEHICLES_PER_LISTED = 0.8
FLEET_NUMBERS = 20
_KEPT_AS_MEASURED = "0O1I"
_FIRST_LETTER = ALPHABET.index("A") + 1

Codes = NDArray[np.uint8]


@dataclass(frozen=True)
class Templates:
    """Measured reads as templates, a row for each.

    `plates` and `reads`: (n, 16) codes of the characters that stay as measured. `plate_draws` and `read_draws`: (n,
    16) which of 16 newly drawn characters is there, -1 where one stays. `letters`: (n, 16) whether it is a letter.
    `named`: (n,) how often the camera names the true plate among its candidates.
    """

    plates: Codes
    plate_draws: NDArray[np.int8]
    reads: Codes
    read_draws: NDArray[np.int8]
    letters: NDArray[np.bool_]
    countries: NDArray[np.uint16]
    confidences: NDArray[np.float32]
    is_right: NDArray[np.bool_]
    named: NDArray[np.float64]

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> "Templates":
        """Make a template of each measured read, if its texts fit into a row."""
        fitting = [s for s in samples if len(s.plate) <= WIDTH and len(s.read) <= WIDTH]
        count = len(fitting)
        plates, reads = np.zeros((count, WIDTH), np.uint8), np.zeros((count, WIDTH), np.uint8)
        plate_draws, read_draws = np.full((count, WIDTH), -1, np.int8), np.full((count, WIDTH), -1, np.int8)
        letters = np.zeros((count, WIDTH), bool)
        named = np.zeros(count)
        for row, sample in enumerate(fitting):
            i = j = 0
            steps = align(sample.plate, sample.read)
            if len(sample.read) >= SHORTEST and sample.read != sample.plate:
                named[row] = TRUE_CANDIDATE_SHARES[sum(step.kind in DAMAGED for step in steps) >= HEAVY_FROM]
            for step in steps:
                if step.true:
                    plates[row, i] = _code(step.true)
                    letters[row, i] = step.true.isalpha()
                if step.read:
                    reads[row, j] = _code(step.read)
                if step.kind == "kept" and step.true not in _KEPT_AS_MEASURED:
                    plate_draws[row, i] = read_draws[row, j] = i
                i += bool(step.true)
                j += bool(step.read)
        return cls(
            plates,
            plate_draws,
            reads,
            read_draws,
            letters,
            country_codes([s.country for s in fitting]),
            np.array([s.confidence for s in fitting], np.float32),
            np.array([s.plate == s.read for s in fitting]),
            named,
        )


@dataclass(frozen=True)
class Vehicles:
    """Vehicles that went by: their plates, their reads, and the template from which each has its errors."""

    plates: PlateCodes
    reads: PlateCodes
    templates: NDArray[np.intp]

    def take(self, rows: NDArray[np.intp]) -> "Vehicles":
        """Return these vehicles."""
        return Vehicles(self.plates.take(rows), self.reads.take(rows), self.templates[rows])


class Generator:
    """Draws plates and vehicles from templates. The same templates and seed give the same plates and vehicles."""

    def __init__(self, templates: Templates, seed: int) -> None:
        """Count the letters of each country; new ones are drawn from them."""
        self._templates = templates
        self._random = np.random.default_rng(seed)
        # A second generator, so that drawing candidates changes no vehicle.
        self._random_of_candidates = np.random.default_rng([seed, 1])
        self._shares = _shares_of(templates)
        self._pools = {
            kept: {
                int(country): [_pool(templates, country, kept, letters=letters) for letters in (False, True)]
                for country in np.unique(templates.countries)
            }
            for kept in ("", _KEPT_AS_MEASURED)
        }

    def plates(self, count: int) -> PlateCodes:
        """Draw plates of a list, fleets among them."""
        rows = self._random.integers(len(self._templates.countries), size=count)
        layouts = self._templates.plates[rows]
        codes = np.where(layouts > 0, self._draws(rows, ""), 0).astype(np.uint8)
        at = 0
        while at < count:
            if self._random.random() < FLEET_SHARE / np.mean(FLEET_SIZES):
                size = int(self._random.integers(*FLEET_SIZES, endpoint=True))
                for step, place in enumerate(range(at + 1, min(at + size, count)), start=1):
                    codes[place] = next_number(codes[at], step)
                    rows[place] = rows[at]
                at += size
            else:
                at += 1
        return _plate_codes(codes, self._templates.countries[rows])

    def unlisted_plates(self, count: int) -> PlateCodes:
        """Draw plates alone, each country in its stated share of the traffic. No character stays as measured."""
        rows = self._random.choice(len(self._templates.countries), size=count, p=self._shares)
        codes = np.where(self._templates.plates[rows] > 0, self._draws(rows, ""), 0).astype(np.uint8)
        return _plate_codes(codes, self._templates.countries[rows])

    def vehicles(self, count: int) -> Vehicles:
        """Draw vehicles with their reads, each country in its stated share of the traffic."""
        t = self._templates
        rows = self._random.choice(len(t.countries), size=count, p=self._shares)
        draws = self._draws(rows, _KEPT_AS_MEASURED)
        plates = _with_draws(t.plates[rows], t.plate_draws[rows], draws)
        reads = _with_draws(t.reads[rows], t.read_draws[rows], draws)
        return Vehicles(
            _plate_codes(plates, t.countries[rows]), _plate_codes(reads, t.countries[rows], t.confidences[rows]), rows
        )

    def candidates(self, vehicles: Vehicles) -> tuple[NDArray[np.intp], PlateCodes]:
        """Draw the camera's candidates: the row of the vehicle, and the text.

        As the simulators have it (`simulators/confidences.py`), for the measured reads have no candidates: of half
        the misreads the true plate, and of any read at times a text with another character.
        """
        reads, random = vehicles.reads, self._random_of_candidates
        true = np.flatnonzero(random.random(len(reads)) < self._templates.named[vehicles.templates])
        other = np.flatnonzero((random.random(len(reads)) < OTHER_CANDIDATE_SHARE) & (reads.lengths > 0))
        codes = reads.codes[other]
        positions = (random.random(len(other)) * reads.lengths[other]).astype(np.intp)
        mistaken = np.cumsum(CONFUSION_MODEL.substitution, axis=1)[codes[np.arange(len(other)), positions]]
        drawn = random.random((len(other), 1)) * mistaken[:, -1:]
        codes[np.arange(len(other)), positions] = (mistaken < drawn).sum(axis=1)
        vehicle_rows = np.concatenate([true, other])
        given = reads.confidences[vehicle_rows] * random.uniform(*CANDIDATE_CONFIDENCES, size=len(vehicle_rows))
        texts = _plate_codes(
            np.concatenate([vehicles.plates.codes[true], codes]),
            reads.countries[vehicle_rows],
            given.astype(np.float32),
        )
        return vehicle_rows, replace(texts, are_candidates=np.ones(len(vehicle_rows), bool))

    def fleet_vehicles(self, listed: PlateCodes, count: int) -> Vehicles:
        """Draw vehicles, read right, with a number beside a listed one: those of its fleet."""
        chosen = self._random.integers(len(listed), size=count)
        steps = self._random.integers(1, FLEET_NUMBERS, size=count, endpoint=True)
        steps *= self._random.choice([-1, 1], size=count)
        codes = np.stack([next_number(listed.codes[row], step) for row, step in zip(chosen, steps, strict=True)])
        rows = self._random.choice(np.flatnonzero(self._templates.is_right), size=count)
        reads = _plate_codes(codes, listed.countries[chosen], self._templates.confidences[rows])
        return Vehicles(reads, reads, rows)

    def _draws(self, rows: NDArray[np.intp], kept: str) -> Codes:
        """Draw a character for each position of each row, from its country's letters or digits, as on the plate.

        No character of `kept` is drawn.
        """
        draws = np.zeros((len(rows), WIDTH), np.uint8)
        letters, countries = self._templates.letters[rows], self._templates.countries[rows]
        for country, pools in self._pools[kept].items():
            for is_letter, pool in enumerate(pools):
                wanted = (countries == country)[:, None] & (letters == bool(is_letter))
                draws[wanted] = pool[self._random.integers(len(pool), size=int(wanted.sum()))]
        return draws


def _shares_of(templates: Templates) -> NDArray[np.float64]:
    """Return how often each template is drawn: all of a country together in the country's share of the traffic."""
    countries, which, counts = np.unique(templates.countries, return_inverse=True, return_counts=True)
    stated = BACKGROUND_MODEL.shares[BACKGROUND_MODEL.rows(countries)]
    shares: NDArray[np.float64] = (stated / stated.sum() / counts)[which]
    return shares


def next_number(codes: Codes, step: int) -> Codes:
    """Return the plate so many numbers further in its last group of digits; unchanged without digits."""
    is_digit = (codes > 0) & (codes < _FIRST_LETTER)
    if not is_digit.any():
        return codes
    last = int(np.flatnonzero(is_digit)[-1])
    first = last
    while first > 0 and is_digit[first - 1]:
        first -= 1
    group = codes[first : last + 1].astype(np.int64) - 1
    modulus = 10 ** len(group)
    number = (int("".join(map(str, group))) + step) % modulus
    moved = codes.copy()
    moved[first : last + 1] = [int(digit) + 1 for digit in str(number).zfill(len(group))]
    return moved


def encode_samples(texts: Sequence[str], samples: Sequence[Sample]) -> PlateCodes:
    """Encode one text of each sample, with its country and confidence."""
    codes = np.zeros((len(texts), WIDTH), np.uint8)
    for row, text in enumerate(texts):
        codes[row, : len(text)] = [_code(character) for character in text]
    return _plate_codes(
        codes, country_codes([s.country for s in samples]), np.array([s.confidence for s in samples], np.float32)
    )


def _plate_codes(
    codes: Codes, countries: NDArray[np.uint16], confidences: NDArray[np.float32] | None = None
) -> PlateCodes:
    given = np.full(len(codes), np.nan, np.float32) if confidences is None else confidences
    return PlateCodes(np.ascontiguousarray(codes), np.count_nonzero(codes, axis=1).astype(np.uint8), countries, given)


def _with_draws(fixed: Codes, draws_of: NDArray[np.int8], draws: Codes) -> Codes:
    drawn = np.take_along_axis(draws, np.maximum(draws_of, 0).astype(np.intp), axis=1)
    return np.where(draws_of >= 0, drawn, fixed)


def _pool(templates: Templates, country: int, kept: str, *, letters: bool) -> Codes:
    """Return the letters, or digits, of a country's plates, as often as they occur, without those of `kept`."""
    of_country = templates.countries == country
    codes = templates.plates[of_country]
    codes = codes[(codes > 0) & (templates.letters[of_country] == letters)]
    free = codes[~np.isin(codes, [_code(character) for character in kept])]
    return free if len(free) else np.array([_code("X" if letters else "7")], np.uint8)


def _code(character: str) -> int:
    return ALPHABET.index(character) + 1
