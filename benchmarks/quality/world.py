"""What the figures are measured on: lists, listed vehicles that were misread, and vehicles that are not listed.

Everything is drawn from measured reads by a seeded generator. A drawn vehicle *errs as a measured one did*: it has
the layout of a measured plate and its errors, the same characters lost and confused in the same places, with all
characters that were read right drawn anew (those of 0/O and 1/I stay, since how they are read hangs on them). So no
model of the engine stands between the measurement and the figure, and an engine's own file brings its own errors.
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

# Any change that moves a figure changes this.
VERSION = 2

# Of a list, the share that are registered in a row with others, and how many stand in such a row.
FLEET_SHARE = 0.3
FLEET_SIZES = (4, 20)
# Vehicles of a listed one's fleet that go by without being listed, for each listed one that goes by: as the
# likelihood states it (forty numbers, each 0.02 times as often).
SIBLINGS_PER_LISTED = 0.8
SIBLING_NUMBERS = 20
_KEPT_AS_MEASURED = "0O1I"
_FIRST_LETTER = ALPHABET.index("A") + 1

Codes = NDArray[np.uint8]


@dataclass(frozen=True)
class Templates:
    """Measured reads as templates, a row each.

    `plates` and `reads`: (n, 16) codes of what stays as it was measured. `plate_draws` and `read_draws`: (n, 16)
    which of 16 freshly drawn characters stands there, -1 for what stays. `letters`: (n, 16) whether it is a letter.
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
        """Make a template of each measured read whose texts fit into a row."""
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
    """Vehicles that went by: their plates, what was read of them, and which measured read each errs as."""

    plates: PlateCodes
    reads: PlateCodes
    templates: NDArray[np.intp]

    def take(self, rows: NDArray[np.intp]) -> "Vehicles":
        """Return these of them."""
        return Vehicles(self.plates.take(rows), self.reads.take(rows), self.templates[rows])


class Generator:
    """Draws plates and vehicles from templates. The same templates and seed give the same ones again."""

    def __init__(self, templates: Templates, seed: int) -> None:
        """Count the letters of each country, from which new ones are drawn."""
        self._templates = templates
        self._random = np.random.default_rng(seed)
        # Of their own, so that what is asked of candidates changes no vehicle.
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
        return _packed(codes, self._templates.countries[rows])

    def vehicles(self, count: int) -> Vehicles:
        """Draw vehicles with what was read of them, from each country as many as the traffic is stated to have."""
        t = self._templates
        rows = self._random.choice(len(t.countries), size=count, p=self._shares)
        draws = self._draws(rows, _KEPT_AS_MEASURED)
        plates = _put(t.plates[rows], t.plate_draws[rows], draws)
        reads = _put(t.reads[rows], t.read_draws[rows], draws)
        return Vehicles(
            _packed(plates, t.countries[rows]), _packed(reads, t.countries[rows], t.confidences[rows]), rows
        )

    def candidates(self, vehicles: Vehicles) -> tuple[NDArray[np.intp], PlateCodes]:
        """Draw what the camera thinks possible besides its reading of each vehicle: whose it is, and the text.

        As the simulators have it (`simulators/confidences.py`), for the measured reads have no candidates: of half
        the misreads the true plate, and of any read at times a text with another character.
        """
        reads, random = vehicles.reads, self._random_of_candidates
        true = np.flatnonzero(random.random(len(reads)) < self._templates.named[vehicles.templates])
        other = np.flatnonzero((random.random(len(reads)) < OTHER_CANDIDATE_SHARE) & (reads.lengths > 0))
        codes = reads.codes[other]
        places = (random.random(len(other)) * reads.lengths[other]).astype(np.intp)
        mistaken = np.cumsum(CONFUSION_MODEL.substitution, axis=1)[codes[np.arange(len(other)), places]]
        drawn = random.random((len(other), 1)) * mistaken[:, -1:]
        codes[np.arange(len(other)), places] = (mistaken < drawn).sum(axis=1)
        whose = np.concatenate([true, other])
        told = reads.confidences[whose] * random.uniform(*CANDIDATE_CONFIDENCES, size=len(whose))
        texts = _packed(
            np.concatenate([vehicles.plates.codes[true], codes]), reads.countries[whose], told.astype(np.float32)
        )
        return whose, replace(texts, are_candidates=np.ones(len(whose), bool))

    def siblings(self, listed: PlateCodes, count: int) -> Vehicles:
        """Draw vehicles that stand beside listed ones in their rows of numbers; read right."""
        chosen = self._random.integers(len(listed), size=count)
        steps = self._random.integers(1, SIBLING_NUMBERS, size=count, endpoint=True)
        steps *= self._random.choice([-1, 1], size=count)
        codes = np.stack([next_number(listed.codes[row], step) for row, step in zip(chosen, steps, strict=True)])
        rows = self._random.choice(np.flatnonzero(self._templates.is_right), size=count)
        reads = _packed(codes, listed.countries[chosen], self._templates.confidences[rows])
        return Vehicles(reads, reads, rows)

    def _draws(self, rows: NDArray[np.intp], kept: str) -> Codes:
        """Draw a character for each place of each row, as its country has them, a letter where the plate has one.

        None of those in `kept` is drawn.
        """
        draws = np.zeros((len(rows), WIDTH), np.uint8)
        letters, countries = self._templates.letters[rows], self._templates.countries[rows]
        for country, pools in self._pools[kept].items():
            for is_letter, pool in enumerate(pools):
                wanted = (countries == country)[:, None] & (letters == bool(is_letter))
                draws[wanted] = pool[self._random.integers(len(pool), size=int(wanted.sum()))]
        return draws


def _shares_of(templates: Templates) -> NDArray[np.float64]:
    """Return how often each template is drawn: those of a country together as often as its vehicles go by."""
    countries, which, counts = np.unique(templates.countries, return_inverse=True, return_counts=True)
    stated = BACKGROUND_MODEL.shares[BACKGROUND_MODEL.rows(countries)]
    shares: NDArray[np.float64] = (stated / stated.sum() / counts)[which]
    return shares


def next_number(codes: Codes, step: int) -> Codes:
    """Return the plate so many numbers further in its last group of digits; the same one where it has none."""
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


def pack_samples(texts: Sequence[str], samples: Sequence[Sample]) -> PlateCodes:
    """Pack one text of each sample, with its country and confidence."""
    codes = np.zeros((len(texts), WIDTH), np.uint8)
    for row, text in enumerate(texts):
        codes[row, : len(text)] = [_code(character) for character in text]
    return _packed(
        codes, country_codes([s.country for s in samples]), np.array([s.confidence for s in samples], np.float32)
    )


def _packed(
    codes: Codes, countries: NDArray[np.uint16], confidences: NDArray[np.float32] | None = None
) -> PlateCodes:
    told = np.full(len(codes), np.nan, np.float32) if confidences is None else confidences
    return PlateCodes(np.ascontiguousarray(codes), np.count_nonzero(codes, axis=1).astype(np.uint8), countries, told)


def _put(fixed: Codes, draws_of: NDArray[np.int8], draws: Codes) -> Codes:
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
