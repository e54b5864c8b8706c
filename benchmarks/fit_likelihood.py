"""Fit the tables that scores are made of: `python -m benchmarks.fit_likelihood` writes them.

There are two tables, both of facts that a person can read and change:

- `src/anpr/reference_data/misreads.toml`: what each character is read as, and how often; how often a character is
  missed, or an extra one is read.
- `src/anpr/reference_data/plates_seen.toml`: which layouts and letters the measured plates of each country have.
  They complement the official syntax, which leaves out old, personal and foreign-issued plates.

A fitted table would know one engine's habits. So the rate of each confusion counted in the reads is drawn towards a
rate that depends on no engine: how alike the two characters look, drawn in several typefaces, blurred and laid over
each other. A confusion that was never seen keeps the rate of its looks.
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

from anpr.reference_data.limits import ALPHABET
from simulators.alignment import align

SHORTEST_READ = 4
# Reads with more edits than this say little about single characters.
MOST_EDITS = 2

_TYPEFACES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf")
_GLYPH_PIXELS = 32
_BLUR_PIXELS = 3
# From looks to a rate: each 0.03 of difference makes a confusion e times rarer.
_DIFFERENCE_SCALE = 0.03
# The rate by looks weighs as much as this many characters read. There are 2,000 to 9,000 measured ones of each
# character, so a confusion that is common in the reads counts nearly in full, and one seen twice hardly at all.
_LOOKS_WEIGHT = 900
_FIRST_GUESS_SHARE = 0.45
# The least rate, for pairs that do not look alike at all, as a share of the mean.
_FLOOR_SHARE = 0.1
# Which characters are missed depends on the engine more than on their looks: this one misses I and J, the narrow
# ones, ten times as often as others. So its counts weigh only in part.
_DELETION_WEIGHT = 3_000
# Pairs that look the same on many plates, by rule or by typeface, whatever they look like in other typefaces.
_SAME_GLYPH = (("0", "O"), ("1", "I"))
_SAME_GLYPH_RATE = 0.02
# This engine read an extra character six times. Others read badges and screws as characters.
_INSERTION_TO_DELETION = 0.3
# No swapped neighbours were measured. People who type plates into lists swap them.
_SWAP_RATE = 2e-5
# It is in both explanations of a read, so it matters little.
_UNREADABLE_RATE = 1e-4
# Some recognisers do it often, this one never did.
_PREFIX_RATE = 5e-3
_PER = 1_000_000


class Sample(NamedTuple):
    """One measured read; its confidence is NaN where the reader gave none, its severity 0 where the file has none."""

    country: str
    plate: str
    read: str
    confidence: float
    severity: float = 0.0


_COLUMNS = Sample._fields[:4]


def load(path: Path) -> list[Sample]:
    """Read measured reads: a CSV with the columns country, plate, read and confidence (may be empty).

    Raises click.ClickException that names the line of a fault.
    """
    samples = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if missing := [column for column in _COLUMNS if column not in (rows.fieldnames or ())]:
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
    """Return the read of a row. Raises ValueError that names the fault."""
    country, plate, read, confidence_text = (row[column] or "" for column in _COLUMNS)
    for name, text in (("plate", plate), ("read", read)):
        if set(text) - set(ALPHABET):
            raise ValueError(f"{name} {text!r}: only A-Z and 0-9 are allowed")
    if not plate:
        raise ValueError("no plate")
    try:
        confidence = float(confidence_text or "nan")
    except ValueError:
        confidence = math.inf
    if confidence_text and not 0 <= confidence <= 1:
        raise ValueError(f"confidence {confidence_text!r}: it must be empty or a number from 0 to 1")
    return Sample(country, plate, read, confidence, float(row.get("severity") or 0))


def fit_misreads(samples: Iterable[Sample]) -> dict[str, Any]:
    """Return the table of misreads, in millionths of each character."""
    seen: Counter[str] = Counter()
    read_as: defaultdict[str, Counter[str]] = defaultdict(Counter)
    missed: Counter[str] = Counter()
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
                missed[step.true] += 1
            elif step.true:
                read_as[step.true][step.read] += 1
    missed_rate = missed.total() / seen.total()
    guess = _rates_by_looks(sum(counts.total() for counts in read_as.values()) / seen.total())
    deletion = {c: (missed[c] + missed_rate * _DELETION_WEIGHT) / (seen[c] + _DELETION_WEIGHT) for c in ALPHABET}
    return {
        "right_share": round(right / readable, 3),
        "alone_share": round(alone / (readable - right), 3),
        "substitution": {c: _row(c, read_as[c], seen[c], guess) for c in ALPHABET},
        "deletion": {c: round(deletion[c] * _PER) for c in ALPHABET},
        "insertion": round(missed_rate * _INSERTION_TO_DELETION / len(ALPHABET) * _PER),
        "swap": round(_SWAP_RATE * _PER),
        "unreadable": round(_UNREADABLE_RATE * _PER),
        "badge": round(_PREFIX_RATE * _PER),
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


def _row(true: str, read_as: Counter[str], seen: int, guess: NDArray[np.float64]) -> dict[str, int]:
    """Return what a character is read as, in millionths of the times that it occurs."""
    by_looks = guess[ALPHABET.index(true)]
    rates = {
        read: (read_as[read] + by_looks[i] * _LOOKS_WEIGHT) / (seen + _LOOKS_WEIGHT)
        for i, read in enumerate(ALPHABET)
        if read != true
    }
    return {read: round(rate * _PER) for read, rate in sorted(rates.items(), key=lambda item: (-item[1], item[0]))}


def _rates_by_looks(mean_rate: float) -> NDArray[np.float64]:
    """Return how often each character (rows) would be read as each other by their looks alone."""
    rates = np.exp(-_differences() / _DIFFERENCE_SCALE)
    np.fill_diagonal(rates, 0)
    others = len(ALPHABET) - 1
    rates += rates.sum() / len(ALPHABET) / others * _FLOOR_SHARE
    rates *= mean_rate * _FIRST_GUESS_SHARE / rates.sum(axis=1).mean()
    for first, second in _SAME_GLYPH:
        i, j = ALPHABET.index(first), ALPHABET.index(second)
        rates[i, j] = rates[j, i] = _SAME_GLYPH_RATE
    np.fill_diagonal(rates, 0)
    return rates


@cache
def _differences() -> NDArray[np.float64]:
    """Return how different two characters look: 0 for the same picture, 1 for no ink in common."""
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    total = np.zeros((len(ALPHABET), len(ALPHABET)))
    for typeface in _TYPEFACES:
        pictures = np.stack([_picture(str(folder / typeface), c).ravel() for c in ALPHABET])
        ink = (pictures**2).sum(axis=1)
        total += (ink[:, None] + ink[None, :] - 2 * pictures @ pictures.T) / (ink[:, None] + ink[None, :])
    return total / len(_TYPEFACES)


def _picture(typeface: str, character: str) -> NDArray[np.float64]:
    """Return the character at a fixed height, blurred, in the middle of a square."""
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
# What cameras read where a character stands. benchmarks/fit_likelihood.py writes this file from 16,000 measured reads
# (simulators/data/rapidocr.csv); it draws each rate towards the rate that the looks of the two characters give.
# Rates are millionths of the times that the character occurs, the likeliest first.

# The share of right reads, among reads of four characters or more.
right_share = {table["right_share"]}
# The share of misreads with one edit and no other.
alone_share = {table["alone_share"]}
# A character that the plate does not have, for each position and each character.
insertion = {table["insertion"]}
# Two neighbours swapped. Not measured.
swap = {table["swap"]}
# A character that the camera reads as one that no table knows, or marks as not readable. Not measured.
unreadable = {table["unreadable"]}
# A plate that is read with its country prefix: the country letters beside it. Not measured.
badge = {table["badge"]}

# A character that the camera misses.
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
# Layouts (A for a letter, 9 for a digit) and letters of plates that were seen, counted. benchmarks/fit_likelihood.py
# writes this file from simulators/data/rapidocr.csv. It complements the official syntax of countries.toml; a country
# does not need an entry here.

{countries}
"""


def _inline(row: dict[str, int]) -> str:
    return "{ " + ", ".join(f'"{key}" = {value}' for key, value in row.items()) + " }"


@click.command()
def main() -> None:
    """Fit the tables that scores are made of to all measured reads, and write them.

    The reads are those of simulators/data/rapidocr.csv. The command replaces two files:
    src/anpr/reference_data/misreads.toml (what each character is read as, and how often) and
    src/anpr/reference_data/plates_seen.toml (which layouts and letters plates have).
    """
    root = Path(__file__).resolve().parent.parent
    samples = load(root / "simulators" / "data" / "rapidocr.csv")
    for name, text in (
        ("misreads", misreads_toml(fit_misreads(samples))),
        ("plates_seen", plates_toml(fit_plates(samples))),
    ):
        target = root / "src" / "anpr" / "reference_data" / f"{name}.toml"
        target.write_text(text, encoding="utf-8")
        print(f"wrote {target.relative_to(root)}")


if __name__ == "__main__":
    main()
