"""Fit the tables that the likelihood of a match rests on: `python -m benchmarks.fit_likelihood` writes them.

Two tables come of it, both of facts that a person can read and change:

- `src/anpr/reference_data/misreads.toml`: what each character is read as, and how often; how often one is lost, or
  one is too many.
- `src/anpr/reference_data/plates_seen.toml`: which layouts and letters the measured plates of each country have.
  They stand beside the official syntax, which leaves out old, personal and foreign-issued plates.

A fitted table would know one engine's habits. So each confusion counted in the reads is drawn towards a rate that
no engine had a part in: how alike the two characters look, drawn in several typefaces, blurred and laid over each
other. A confusion that was never seen keeps the rate that its looks give it.
"""

import csv
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import click
import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from simulators.alignment import align

CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SHORTEST_READ = 4
# Reads of more edits than this tell little about single characters.
MOST_EDITS = 2

_TYPEFACES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf")
_GLYPH_PIXELS = 32
_BLUR_PIXELS = 3
# Looks turn into a rate: each 0.03 of difference makes a confusion e times rarer.
_UNLIKENESS_SCALE = 0.03
# The rate by looks weighs as much as this many characters read. Measured ones are 2,000 to 9,000 each: a confusion
# that is common in the reads is believed, one that was seen twice hardly.
_LOOKS_WEIGHT = 900
_FIRST_GUESS_SHARE = 0.45
# What remains for pairs that do not look alike at all, as a share of the mean.
_FLOOR_SHARE = 0.1
# Which characters are lost hangs on the engine more than on their looks: this one drops I and J, the narrow ones, ten
# times as often as others. It is believed only in part.
_DELETION_WEIGHT = 3_000
# By rule or by typeface one glyph on many plates, whatever they look like in others.
_ONE_GLYPH = (("0", "O"), ("1", "I"))
_ONE_GLYPH_RATE = 0.02
# One too many was seen six times with this engine; badges and screws are read as characters by others.
_INSERTION_TO_DELETION = 0.3
# Neighbours swapped were not seen at all; people who type plates into lists swap them.
_SWAP_RATE = 2e-5
# It stands on both sides of every comparison, so it decides little.
_UNREADABLE_RATE = 1e-4
# Some recognisers do it often, this one never.
_BADGE_RATE = 5e-3
_PER = 1_000_000


class Sample(NamedTuple):
    """One measured read; its confidence is NaN where the reader told none."""

    country: str
    plate: str
    read: str
    confidence: float


def load(path: Path) -> list[Sample]:
    """Read measured reads: a CSV with the columns country, plate, read and confidence (empty: not told).

    Raises click.ClickException, with the line, for what is no such read.
    """
    samples = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if missing := [column for column in Sample._fields if column not in (rows.fieldnames or ())]:
            raise click.ClickException(f"{path}: no column {', '.join(missing)}")
        for row in rows:
            try:
                samples.append(_sample(row))
            except ValueError as wrong:
                raise click.ClickException(f"{path}, line {rows.line_num}: {wrong}") from None
    if not samples:
        raise click.ClickException(f"{path}: no reads in it")
    return samples


def _sample(row: Mapping[str, str | None]) -> Sample:
    """Return the read of a row. Raises ValueError for what is none."""
    country, plate, read, told = (row[column] or "" for column in Sample._fields)
    for name, text in (("plate", plate), ("read", read)):
        if set(text) - set(CHARACTERS):
            raise ValueError(f"{name} {text!r}: A-Z and 0-9 alone are wanted")
    if not plate:
        raise ValueError("no plate")
    try:
        confidence = float(told or "nan")
    except ValueError:
        confidence = math.inf
    if told and not 0 <= confidence <= 1:
        raise ValueError(f"confidence {told!r}: a number from 0 to 1 is wanted, or nothing")
    return Sample(country, plate, read, confidence)


def fit_misreads(samples: Iterable[Sample]) -> dict[str, Any]:
    """Return the table of misreads: shares of characters, in millionths."""
    seen: Counter[str] = Counter()
    became: defaultdict[str, Counter[str]] = defaultdict(Counter)
    lost: Counter[str] = Counter()
    readable = right = alone = 0
    for sample in samples:
        if len(sample.read) < SHORTEST_READ:
            continue
        readable += 1
        right += sample.read == sample.plate
        steps = align(sample.plate, sample.read)
        seen.update(step.true for step in steps if step.true)
        edits = [step for step in steps if step.kind != "kept"]
        alone += len(edits) == 1
        for step in edits if len(edits) <= MOST_EDITS else ():
            if not step.read:
                lost[step.true] += 1
            elif step.true:
                became[step.true][step.read] += 1
    lost_rate = lost.total() / seen.total()
    guess = _rates_by_looks(sum(counts.total() for counts in became.values()) / seen.total())
    deletion = {c: (lost[c] + lost_rate * _DELETION_WEIGHT) / (seen[c] + _DELETION_WEIGHT) for c in CHARACTERS}
    return {
        "right_share": round(right / readable, 3),
        "alone_share": round(alone / (readable - right), 3),
        "substitution": {c: _row(c, became[c], seen[c], guess) for c in CHARACTERS},
        "deletion": {c: round(deletion[c] * _PER) for c in CHARACTERS},
        "insertion": round(lost_rate * _INSERTION_TO_DELETION / len(CHARACTERS) * _PER),
        "swap": round(_SWAP_RATE * _PER),
        "unreadable": round(_UNREADABLE_RATE * _PER),
        "badge": round(_BADGE_RATE * _PER),
    }


def fit_plates(samples: Iterable[Sample]) -> dict[str, Any]:
    """Return which layouts (A a letter, 9 a digit) and which letters the plates of each country have, counted."""
    layouts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    letters: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for sample in samples:
        layouts[sample.country][re.sub("[A-Z]", "A", re.sub("[0-9]", "9", sample.plate))] += 1
        letters[sample.country].update(c for c in sample.plate if c.isalpha())
    return {
        country: {"layouts": dict(layouts[country].most_common()), "letters": dict(sorted(letters[country].items()))}
        for country in sorted(layouts)
    }


def _row(true: str, became: Counter[str], seen: int, guess: NDArray[np.float64]) -> dict[str, int]:
    """Return what a character is read as, in millionths of the times that it is there."""
    by_looks = guess[CHARACTERS.index(true)]
    rates = {
        read: (became[read] + by_looks[i] * _LOOKS_WEIGHT) / (seen + _LOOKS_WEIGHT)
        for i, read in enumerate(CHARACTERS)
        if read != true
    }
    return {read: round(rate * _PER) for read, rate in sorted(rates.items(), key=lambda item: (-item[1], item[0]))}


def _rates_by_looks(mean_rate: float) -> NDArray[np.float64]:
    """Return how often each character (rows) would be read as each other, by their looks alone."""
    rates = np.exp(-_unlikeness() / _UNLIKENESS_SCALE)
    np.fill_diagonal(rates, 0)
    others = len(CHARACTERS) - 1
    rates += rates.sum() / len(CHARACTERS) / others * _FLOOR_SHARE
    rates *= mean_rate * _FIRST_GUESS_SHARE / rates.sum(axis=1).mean()
    for one, other in _ONE_GLYPH:
        i, j = CHARACTERS.index(one), CHARACTERS.index(other)
        rates[i, j] = rates[j, i] = _ONE_GLYPH_RATE
    np.fill_diagonal(rates, 0)
    return rates


@cache
def _unlikeness() -> NDArray[np.float64]:
    """Return how unlike each two characters look: 0 for the same picture, 1 for no ink in common."""
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    total = np.zeros((len(CHARACTERS), len(CHARACTERS)))
    for typeface in _TYPEFACES:
        pictures = np.stack([_picture(str(folder / typeface), c).ravel() for c in CHARACTERS])
        ink = (pictures**2).sum(axis=1)
        total += (ink[:, None] + ink[None, :] - 2 * pictures @ pictures.T) / (ink[:, None] + ink[None, :])
    return total / len(_TYPEFACES)


def _picture(typeface: str, character: str) -> NDArray[np.float64]:
    """Return the character at one height, blurred, in the middle of a square."""
    canvas = Image.new("L", (160, 160), 0)
    ImageDraw.Draw(canvas).text((40, 30), character, fill=255, font=ImageFont.truetype(typeface, 80))
    glyph = canvas.crop(canvas.getbbox())
    width = min(_GLYPH_PIXELS, max(1, glyph.width * _GLYPH_PIXELS // glyph.height))
    square = Image.new("L", (_GLYPH_PIXELS * 3 // 2,) * 2, 0)
    square.paste(glyph.resize((width, _GLYPH_PIXELS)), ((square.width - width) // 2, _GLYPH_PIXELS // 4))
    return np.asarray(square.filter(ImageFilter.GaussianBlur(_BLUR_PIXELS)), dtype=np.float64)


def misreads_toml(table: dict[str, Any]) -> str:
    """Return the table as the file holds it."""
    substitution = "\n".join(f'"{c}" = {_inline(row)}' for c, row in table["substitution"].items())
    return f"""\
# What cameras read in the place of a character. Written by benchmarks/fit_likelihood.py, which says from what:
# 16,000 measured reads (simulators/data/rapidocr.csv), each rate drawn towards the one that the looks of the two
# characters give. In millionths of the times that the character is there; the likeliest first.

# Reads of four characters or more that are right.
right_share = {table["right_share"]}
# Misreads with one edit and no other.
alone_share = {table["alone_share"]}
# A character that is none of the plate's, for each place and each character.
insertion = {table["insertion"]}
# Two neighbours in each other's place. Not measured.
swap = {table["swap"]}
# A character in whose place a camera gives one that no table knows, or says that it cannot read it. Not measured.
unreadable = {table["unreadable"]}
# A plate with its country's letters beside it that are read as its beginning. Not measured.
badge = {table["badge"]}

# A character that is left out.
deletion = {_inline(table["deletion"])}

[substitution]
{substitution}
"""


def plates_toml(table: dict[str, Any]) -> str:
    """Return the table as the file holds it."""
    countries = "\n\n".join(
        f"[{country}]\nlayouts = {_inline(seen['layouts'])}\nletters = {_inline(seen['letters'])}"
        for country, seen in table.items()
    )
    return f"""\
# Layouts (A a letter, 9 a digit) and letters of plates as they were seen, counted. Written by
# benchmarks/fit_likelihood.py from simulators/data/rapidocr.csv. They stand beside the official syntax of
# countries.toml and are not needed for a country.

{countries}
"""


def _inline(row: dict[str, int]) -> str:
    return "{ " + ", ".join(f'"{key}" = {value}' for key, value in row.items()) + " }"


@click.command()
def main() -> None:
    """Fit the tables that the likelihood of a match rests on to all measured reads, and write them.

    From simulators/data/rapidocr.csv come src/anpr/reference_data/misreads.toml, what each character is read as and
    how often, and src/anpr/reference_data/plates_seen.toml, which layouts and letters plates have. Both files are
    replaced.
    """
    root = Path(__file__).resolve().parent.parent
    samples = load(root / "simulators" / "data" / "rapidocr.csv")
    for name, text in (
        ("misreads", misreads_toml(fit_misreads(samples))),
        ("plates_seen", plates_toml(fit_plates(samples))),
    ):
        target = root / "src" / "anpr" / "data" / f"{name}.toml"
        target.write_text(text, encoding="utf-8")
        print(f"wrote {target.relative_to(root)}")


if __name__ == "__main__":
    main()
