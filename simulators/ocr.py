"""A simulated recogniser: reads plates with the errors that were measured on a real recogniser.

The model is `data/ocr_model.json`. `simulators.fit_ocr` fits and explains it. The same model, plate and random
numbers give the same reading.
"""

import json
import re
from functools import cache
from importlib import resources
from random import Random
from typing import Any, NamedTuple

from anpr.contracts.no_plate import says_no_plate
from simulators.weighted import Weighted

# A read with fewer characters is `lost`: it says nothing about the plate.
SHORTEST = 4
LOST = "lost"
# A read with this many edits or more counts as heavily damaged.
HEAVY_FROM = 3
DAMAGED = ("substituted", "deleted", "inserted")

_TWINS = {"0": "O", "O": "0", "1": "I", "I": "1"}
_TO_TWINS = str.maketrans(_TWINS)
_GROUPS = re.compile("[0-9]+|[A-Z]+")
_GLYPHS = re.compile("[01]+|[OI]+")
# The rate of a rare character is drawn towards the mean, as if it had been seen this many times more at the mean
# rate.
_PRIOR_READS = 10
# How much more likely a wrong character, or one beside a missing one, is in doubt than a right one: estimates.
_DOUBT_OF_WRONG = 6.0
_DOUBT_BESIDE_GAP = 3.0


class Reading(NamedTuple):
    """The recogniser's result for one frame. The text is canonical, and empty when nothing was found.

    `doubts` says for each character how much more likely it is in doubt than a right one. `damage` is the number of
    edits, None when nothing of the plate is left.
    """

    text: str
    confidence: float
    doubts: tuple[float, ...] = ()
    damage: int | None = 0


class Recogniser:
    """Reads plates by the fitted model. It has no state: the caller gives the random numbers."""

    def __init__(self, model: dict[str, Any]) -> None:
        """Prepare the tables of a model from `fit_ocr`."""
        self._bands: Weighted[int] = Weighted(
            (i, sum(band["outcomes"].values())) for i, band in enumerate(model["bands"])
        )
        self._outcomes = [Weighted(band["outcomes"]) for band in model["bands"]]
        self._kinds = {int(damage): Weighted(kinds) for damage, kinds in model["edits"]["kinds"].items()}
        self._position_weights: dict[str, dict[str, float]] = model["edits"]["places"]
        self._slight = _Confusions(model["confusions"]["slight"])
        self._heavy = _Confusions(model["confusions"]["heavy"])
        self._clean_swaps: dict[str, dict[str, float]] = model["swaps"]["clean"]
        self._damaged_swaps: dict[str, dict[str, float]] = model["swaps"]["damaged"]
        self._lost_lengths = Weighted(model["lost"]["lengths"])
        self._lost_characters = Weighted(model["lost"]["characters"])
        self._confidence: dict[str, list[float]] = model["confidence"]

    def quality(self, rng: Random) -> int:
        """Draw the latent quality of one plate. All its frames are read at this quality."""
        return self._bands.draw(rng)

    def read(self, plate: str, quality: int, rng: Random) -> Reading:
        """Read a canonical plate once. A fragment that happens to be a word for no plate (NC) is read again."""
        while says_no_plate((reading := self._read_once(plate, quality, rng)).text):
            pass
        return reading

    def _read_once(self, plate: str, quality: int, rng: Random) -> Reading:
        outcome = self._outcomes[quality].draw(rng)
        if outcome == LOST:
            length = int(self._lost_lengths.draw(rng))
            text = "".join([self._lost_characters.draw(rng) for _ in range(length)])
            return Reading(text, self._confidence_of(LOST, rng), (1.0,) * length, None)
        damage = int(outcome)
        text = _with_swaps(plate, self._damaged_swaps if damage else self._clean_swaps, rng)
        swapped = text != plate
        doubts = (1.0,) * len(text)
        if damage:
            text, doubts = self._damaged(text, damage, rng)
        return Reading(text, self._confidence_of(grade(damage, swapped=swapped), rng), doubts, damage)

    def mistaken(self, character: str, rng: Random) -> str:
        """Return a character for which this one is easily taken."""
        return self._slight.became(character, rng)

    def _damaged(self, text: str, damage: int, rng: Random) -> tuple[str, tuple[float, ...]]:
        """Return the text after `damage` edits, each at another character, and its doubts."""
        confusions = self._slight if damage < HEAVY_FROM else self._heavy
        kinds = self._kinds[damage]
        length = len(text)
        pieces = list(text)
        untouched = list(range(length))
        doubts = [1.0] * (length + 1)
        inserted: dict[int, str] = {}
        for _ in range(damage):
            kind = kinds.draw(rng)
            weight_of = self._position_weights[kind]
            if kind == "inserted":
                gaps = range(length + 1)
                gap = rng.choices(gaps, [weight_of[part(gap, length)] for gap in gaps])[0]
                inserted[gap] = inserted.get(gap, "") + confusions.inserted.draw(rng)
            elif untouched:
                rates = confusions.rates[kind]
                weights = [weight_of[part(i, length - 1)] * rates.get(text[i], rates["mean"]) for i in untouched]
                position = rng.choices(untouched, weights)[0]
                untouched.remove(position)
                pieces[position] = confusions.became(text[position], rng) if kind == "substituted" else ""
                if kind == "substituted":
                    doubts[position] = _DOUBT_OF_WRONG
                else:  # the character beside the gap is doubtful too
                    doubts[position + 1] = max(doubts[position + 1], _DOUBT_BESIDE_GAP)
        read, read_doubts = "", []
        for i, piece in enumerate([*pieces, ""]):
            read += inserted.get(i, "") + piece
            read_doubts += [_DOUBT_OF_WRONG] * len(inserted.get(i, "")) + [doubts[i]] * len(piece)
        return read, tuple(read_doubts)

    def _confidence_of(self, grade_name: str, rng: Random) -> float:
        """Draw the recogniser's own confidence, between two neighbouring quantiles of the measured ones."""
        quantiles = self._confidence[grade_name]
        position = rng.random() * (len(quantiles) - 1)
        i = int(position)
        return round(quantiles[i] + (quantiles[i + 1] - quantiles[i]) * (position - i), 3)


class _Confusions:
    """The characters that misread characters become, at one grade of damage."""

    def __init__(self, table: dict[str, Any]) -> None:
        seen: dict[str, int] = table["seen"]
        became: dict[str, dict[str, int]] = table["became"]
        substituted = {true: sum(counts.values()) for true, counts in became.items()}
        self.rates = {"substituted": _rates(substituted, seen), "deleted": _rates(table["deleted"], seen)}
        self.inserted = Weighted(table["inserted"])
        self._became = {true: Weighted(counts) for true, counts in became.items()}
        together: dict[str, int] = {}
        for counts in became.values():
            for read, count in counts.items():
                together[read] = together.get(read, 0) + count
        self._any = Weighted(together)

    def became(self, true: str, rng: Random) -> str:
        """Draw the character as which this one is misread: never itself, nor its twin (0/O, 1/I)."""
        while True:
            read = self._became.get(true, self._any).draw(rng)
            if read not in (true, _TWINS.get(true)):
                return read


def grade(damage: int, *, swapped: bool) -> str:
    """Return the name of the confidence table for such a reading."""
    if damage:
        return f"edits{min(damage, HEAVY_FROM)}"
    return "swapped" if swapped else "right"


def part(position: int, last: int) -> str:
    """Return whether a position (from 0) is the first, the last or inside."""
    if position == 0:
        return "first"
    return "last" if position == last else "inside"


class GlyphRun(NamedTuple):
    """Neighbouring 0s and 1s, or Os and Is, of a plate. A recogniser takes all of them for letters or for digits.

    `context` is the evidence on which it decides: the character before and behind (L letter, D digit, - none), and
    how many letters or digits stand together there (4 means four or more).
    """

    text: str
    start: int
    end: int
    context: str


def glyph_runs(plate: str) -> list[GlyphRun]:
    """Return the runs of a canonical plate from left to right."""
    runs = []
    for group in _GROUPS.finditer(plate):
        for found in _GLYPHS.finditer(group[0]):
            start, end = group.start() + found.start(), group.start() + found.end()
            sides = _kind(plate[start - 1 : start]) + _kind(plate[end : end + 1])
            runs.append(GlyphRun(found[0], start, end, f"{sides}{min(len(group[0]), 4)}"))
    return runs


def _with_swaps(plate: str, rates: dict[str, dict[str, float]], rng: Random) -> str:
    """Return the plate with some of its runs of 0 and 1, or of O and I, read as their twins."""
    text = plate
    for run in glyph_runs(plate):
        # A run that was never measured counts as its first character, which was measured.
        of_run = rates.get(run.text) or rates[run.text[0]]
        if rng.random() < of_run.get(run.context, of_run["mean"]):
            text = text[: run.start] + run.text.translate(_TO_TWINS) + text[run.end :]
    return text


@cache
def load() -> Recogniser:
    """Return the recogniser of the committed model."""
    text = (resources.files("simulators") / "data" / "ocr_model.json").read_text("utf-8")
    return Recogniser(json.loads(text))


def _kind(character: str) -> str:
    if not character:
        return "-"
    return "D" if character.isdigit() else "L"


def _rates(counts: dict[str, int], seen: dict[str, int]) -> dict[str, float]:
    mean = sum(counts.values()) / sum(seen.values())
    rates = {
        true: (counts.get(true, 0) + mean * _PRIOR_READS) / (number + _PRIOR_READS) for true, number in seen.items()
    }
    return rates | {"mean": mean}
