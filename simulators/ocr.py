"""A simulated recogniser: what a camera reads of a plate, by the errors measured on a real one.

The model is `data/ocr_model.json`, fitted by `simulators.fit_ocr`, which explains it. Everything here is repeatable:
the same model, plate and random numbers give the same reading.
"""

import json
import re
from functools import cache
from importlib import resources
from random import Random
from typing import Any, NamedTuple

from simulators.draw import Weighted

# A read of fewer characters is `lost`: nothing of the plate can be known from it.
SHORTEST = 4
LOST = "lost"
# From this many edits on a read counts as heavily damaged.
HEAVY_FROM = 3
DAMAGED = ("substituted", "deleted", "inserted")

_TWINS = {"0": "O", "O": "0", "1": "I", "I": "1"}
_TO_TWINS = str.maketrans(_TWINS)
_GROUPS = re.compile("[0-9]+|[A-Z]+")
_GLYPHS = re.compile("[01]+|[OI]+")
# A character that was seldom there to be misread is drawn towards the mean, as if seen this often besides.
_PRIOR_READS = 10
# How much more than a right character a wrong one is doubted, and one beside a missing one: estimates.
_DOUBT_OF_WRONG = 6.0
_DOUBT_BESIDE_GAP = 3.0


class Reading(NamedTuple):
    """What the recogniser gives for one frame. The text is canonical; it is empty when nothing was found.

    `doubts` says of each character how much likelier than a plainly right one it is to be doubted; `damage` is the
    number of edits that it suffered, None when nothing of the plate is left.
    """

    text: str
    confidence: float
    doubts: tuple[float, ...] = ()
    damage: int | None = 0


class Recogniser:
    """Reads plates as the fitted model says. It holds no state: the random numbers are handed in."""

    def __init__(self, model: dict[str, Any]) -> None:
        """Prepare the tables of a model as `fit_ocr` writes it."""
        self._bands: Weighted[int] = Weighted(
            (i, sum(band["outcomes"].values())) for i, band in enumerate(model["bands"])
        )
        self._outcomes = [Weighted(band["outcomes"]) for band in model["bands"]]
        self._kinds = {int(damage): Weighted(kinds) for damage, kinds in model["edits"]["kinds"].items()}
        self._places: dict[str, dict[str, float]] = model["edits"]["places"]
        self._slight = _Confusions(model["confusions"]["slight"])
        self._heavy = _Confusions(model["confusions"]["heavy"])
        self._clean_swaps: dict[str, dict[str, float]] = model["swaps"]["clean"]
        self._damaged_swaps: dict[str, dict[str, float]] = model["swaps"]["damaged"]
        self._lost_lengths = Weighted(model["lost"]["lengths"])
        self._lost_characters = Weighted(model["lost"]["characters"])
        self._confidence: dict[str, list[float]] = model["confidence"]

    def quality(self, rng: Random) -> int:
        """Draw the latent quality of one plate going by: all frames of it are read at this quality."""
        return self._bands.draw(rng)

    def read(self, plate: str, quality: int, rng: Random) -> Reading:
        """Read a canonical plate once."""
        outcome = self._outcomes[quality].draw(rng)
        if outcome == LOST:
            length = int(self._lost_lengths.draw(rng))
            text = "".join([self._lost_characters.draw(rng) for _ in range(length)])
            return Reading(text, self._sureness(LOST, rng), (1.0,) * length, None)
        damage = int(outcome)
        text = _with_swaps(plate, self._damaged_swaps if damage else self._clean_swaps, rng)
        swapped = text != plate
        doubts = (1.0,) * len(text)
        if damage:
            text, doubts = self._damaged(text, damage, rng)
        return Reading(text, self._sureness(grade(damage, swapped=swapped), rng), doubts, damage)

    def mistaken(self, character: str, rng: Random) -> str:
        """Return what a character is easily taken for."""
        return self._slight.became(character, rng)

    def _damaged(self, text: str, damage: int, rng: Random) -> tuple[str, tuple[float, ...]]:
        """Return the text after so many edits, each of them at a character of its own, and its doubts."""
        confusions = self._slight if damage < HEAVY_FROM else self._heavy
        kinds = self._kinds[damage]
        length = len(text)
        pieces = list(text)
        untouched = list(range(length))
        doubts = [1.0] * (length + 1)
        inserted: dict[int, str] = {}
        for _ in range(damage):
            kind = kinds.draw(rng)
            places = self._places[kind]
            if kind == "inserted":
                gaps = range(length + 1)
                gap = rng.choices(gaps, [places[part(gap, length)] for gap in gaps])[0]
                inserted[gap] = inserted.get(gap, "") + confusions.inserted.draw(rng)
            elif untouched:
                rates = confusions.rates[kind]
                weights = [places[part(i, length - 1)] * rates.get(text[i], rates["mean"]) for i in untouched]
                place = rng.choices(untouched, weights)[0]
                untouched.remove(place)
                pieces[place] = confusions.became(text[place], rng) if kind == "substituted" else ""
                if kind == "substituted":
                    doubts[place] = _DOUBT_OF_WRONG
                else:  # what stands beside the gap is odd too
                    doubts[place + 1] = max(doubts[place + 1], _DOUBT_BESIDE_GAP)
        found, doubted = "", []
        for i, piece in enumerate([*pieces, ""]):
            found += inserted.get(i, "") + piece
            doubted += [_DOUBT_OF_WRONG] * len(inserted.get(i, "")) + [doubts[i]] * len(piece)
        return found, tuple(doubted)

    def _sureness(self, grade_name: str, rng: Random) -> float:
        """Draw the recogniser's own confidence: between two neighbouring quantiles of the measured ones."""
        quantiles = self._confidence[grade_name]
        position = rng.random() * (len(quantiles) - 1)
        i = int(position)
        return round(quantiles[i] + (quantiles[i + 1] - quantiles[i]) * (position - i), 3)


class _Confusions:
    """What misread characters become, at one grade of damage."""

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
        """Draw what the character is read as, which is never itself nor its twin of one glyph."""
        while True:
            read = self._became.get(true, self._any).draw(rng)
            if read not in (true, _TWINS.get(true)):
                return read


def grade(damage: int, *, swapped: bool) -> str:
    """Return the name under which the confidence of such a reading is kept."""
    if damage:
        return f"edits{min(damage, HEAVY_FROM)}"
    return "swapped" if swapped else "right"


def part(place: int, last: int) -> str:
    """Tell whether a place (from 0) is the first, the last or inside."""
    if place == 0:
        return "first"
    return "last" if place == last else "inside"


class GlyphRun(NamedTuple):
    """Neighbouring 0s and 1s, or Os and Is, of a plate, which a recogniser takes for letters or digits together.

    `context` says what tells it which they are: the character before and behind (L letter, D digit, - none) and
    how many letters or digits stand together there, four meaning four or more.
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
        # A run that was never measured is taken as its first character, which was.
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
