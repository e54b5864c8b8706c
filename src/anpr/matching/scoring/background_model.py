"""The background model: how common a text is among vehicles that are not listed, read right or misread.

A read in the form of a plate of its country is most likely right. A read that no plate of its country can have must
be a misread. Both follow from how densely the country's plates fill the possible texts: each *layout* (which
positions are letters and which are digits) has a share of the country's vehicles, and each letter has a share of the
letters.

The official syntax (`countries.toml`) counts for one half, and plates as they were seen (`plates_seen.toml`, where
there are any) for the other. A small share is spread over all layouts and letters, because there are always plates
that no table foresees.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.layouts import layout_of
from anpr.matching.encoding.plate_codes import (
    CODE_COUNT,
    FIRST_LETTER,
    NO_LAYOUT,
    UNREADABLE,
    WIDTH,
    Codes,
    PlateCodes,
    Rows,
    country_codes,
)
from anpr.matching.kernels import step
from anpr.matching.scoring.confusion_model import FURTHER_EDIT_FACTOR, UNITS, ConfusionModel
from anpr.matching.scoring.evidence import Shares
from anpr.reference_data import tables
from anpr.reference_data.limits import ALPHABET, LONGEST_LAYOUT

# The numbers of layouts: `PlateCodes.layouts`.
_LAYOUT_COUNT = 2 << LONGEST_LAYOUT
# The share of a country's vehicles whose plates no table foresees, spread over layouts of 3 to 9 characters; and the
# least share of a letter and of a digit, beside the commonest.
_UNFORESEEN_SHARE = 0.02
_LEAST_LETTER = 0.01
_LEAST_DIGIT = 0.02
_TRAILER_SHARE = 0.1
# Behind a misread, only layouts with at least this share of the country's vehicles are counted.
_COMMON_SHARE = 1e-3
# A text in a layout that fewer vehicles of its country have may be more than a plate (`encoding/inner_plates.py`).
# Where the camera names no country, a layout of one country in forty vehicles tells little.
RARE_LAYOUT_SHARE: Final = 2e-3
RARE_LAYOUT_SHARE_OF_ALL: Final = 2.5e-2
DIGITS, LETTERS = slice(1, FIRST_LETTER), slice(FIRST_LETTER, UNREADABLE)
# No plate has a character that cannot be read. A share above 0 prevents a division by zero.
_LEAST_UNREADABLE = 1e-9
# Misreads with many edits are spread over all texts; each further character makes a text rarer by this factor.
_RUINED_SHARE = 1e-3
_RUINED_PER_CHARACTER = 20.0


class BackgroundTables(NamedTuple):
    """What kernels look up. The common layouts of a row and a length are those of group `row * 17 + length`."""

    row_of_country: Rows
    shares: Shares
    layouts: Shares
    characters: Shares
    log_layouts: NDArray[np.int32]
    log_characters: NDArray[np.int32]
    common_begins: Rows
    common_layouts: Rows
    common_shares: Shares


class RateTables(NamedTuple):
    """By country: how often a letter, or a digit, of its plates is read as a character, or is lost."""

    letters: Shares
    digits: Shares
    lost_letters: Shares
    lost_digits: Shares
    insertion: float
    alone_share: float


class BackgroundModel:
    """How common texts are, by country. Row 0 is any country: the mixture of all by their traffic.

    `countries` are those of the rows from 1 on, `shares` their shares of the traffic. `layouts` has the share of each
    layout among a row's vehicles, `characters` the share of each letter among its letters and digit among its digits.
    """

    def __init__(self, official: Mapping[str, Any], seen: Mapping[str, Any], traffic: Mapping[str, float]) -> None:
        """Take tables with the fields of `countries.toml`, `plates_seen.toml` and `traffic.toml`."""
        names = sorted({*official, *seen})
        self.countries: Final = country_codes(names)
        shares = np.array([traffic.get(name, traffic["other"]) for name in names])
        self.shares: Final[Shares] = np.concatenate([[1.0], shares / shares.sum()])
        self._row_of_country = np.zeros(1 + 26 * 26, np.intp)
        self._row_of_country[self.countries] = np.arange(1, len(names) + 1)
        layouts = np.zeros((len(names) + 1, _LAYOUT_COUNT))
        characters = np.ones((len(names) + 1, CODE_COUNT))
        for row, name in enumerate(names, start=1):
            halves = [_official_shares(official[name])] if name in official else []
            halves += [_seen_shares(seen[name])] if name in seen else []
            layouts[row] = _with_unforeseen(np.mean([layout_shares for layout_shares, _ in halves], axis=0))
            characters[row] = _with_least(np.mean([character_shares for _, character_shares in halves], axis=0))
        for table in (layouts, characters):
            table[0] = self.shares[1:] @ table[1:]
        layouts[:, NO_LAYOUT] = _UNFORESEEN_SHARE / _LAYOUT_COUNT
        self.layouts: Final = layouts
        self.characters: Final = characters
        # By row and layout: whether few vehicles have it.
        self.are_rare: Final = layouts < RARE_LAYOUT_SHARE
        self.are_rare[0] = layouts[0] < RARE_LAYOUT_SHARE_OF_ALL
        rows, common = np.nonzero(layouts > _COMMON_SHARE)
        lengths = np.floor(np.log2(np.maximum(common, 1))).astype(np.intp)
        order = np.lexsort((common, lengths, rows))
        group = (rows * (WIDTH + 1) + lengths)[order]
        self.tables: Final = BackgroundTables(
            row_of_country=self._row_of_country,
            shares=self.shares,
            layouts=layouts,
            characters=characters,
            log_layouts=_in_units(np.log(layouts, where=layouts > 0, out=np.full_like(layouts, -100))),
            log_characters=_in_units(np.log(characters)),
            common_begins=group.searchsorted(np.arange(len(layouts) * (WIDTH + 1) + 1)),
            common_layouts=common[order],
            common_shares=layouts[rows[order], common[order]],
        )

    def rows(self, countries: NDArray[np.uint16]) -> Rows:
        """Return the row of each country: 0 for one that the camera does not know or that has no table."""
        return self._row_of_country.take(countries)

    def has_rare_layout(self, reads: PlateCodes) -> NDArray[np.bool_]:
        """Return which reads have a layout that few vehicles of their country have, or of all if none is named."""
        is_rare: NDArray[np.bool_] = self.are_rare[self.rows(reads.countries), reads.layouts]
        return is_rare

    def layout_shares(self, reads: PlateCodes) -> Shares:
        """Return the share of vehicles, of each read's country or of all, that have its layout."""
        shares: Shares = self.layouts[self.rows(reads.countries), reads.layouts]
        return shares

    def rates_into(self, confusions: ConfusionModel) -> "RateTables":
        """Return how often a country's letters and digits, as common as they are, are misread as each character."""
        letters, digits = self.characters[:, LETTERS], self.characters[:, DIGITS]
        return RateTables(
            letters=letters @ confusions.substitution[LETTERS],
            digits=digits @ confusions.substitution[DIGITS],
            lost_letters=letters @ confusions.deletion[LETTERS],
            lost_digits=digits @ confusions.deletion[DIGITS],
            insertion=confusions.insertion,
            alone_share=confusions.alone_share,
        )


@step
def log_plate(background: BackgroundTables, codes: Codes, length: int, row: int) -> int:
    """Return the logarithm, in UNITS, of the share of the row's vehicles that have exactly this plate."""
    log = background.log_layouts[row, layout_of(codes, length)]
    for at in range(length):
        log += background.log_characters[row, codes[at]]
    return log


@step
def misread_share(background: BackgroundTables, rates: RateTables, codes: Codes, length: int, row: int) -> float:
    """Return the share of the row's vehicles that have another plate and are misread as this text.

    Plates of every layout of the country count, however many of their characters are misread. Plates with one
    character more or fewer count by their layout alone, and plates further away only all together.
    """
    whole = 1.0
    for at in range(length):
        whole *= background.characters[row, codes[at]]
    total = _one_more_or_less(background, rates, codes, length, row, whole)
    total += _substituted(background, rates, codes, length, row, whole)
    return rates.alone_share * total + ruined_share(length)


@step
def _substituted(
    background: BackgroundTables, rates: RateTables, codes: Codes, length: int, row: int, whole: float
) -> float:
    """Return the share misread as this text by substitutions alone.

    Each position has the character itself or one that is read as it. The product over the positions is the sum
    over all plates of a layout; the plate that is the text itself is subtracted.
    """
    all_plates = 0.0
    group = row * (WIDTH + 1) + length
    for number in range(background.common_begins[group], background.common_begins[group + 1]):
        layout, share = background.common_layouts[number], background.common_shares[number]
        for at in range(min(length, LONGEST_LAYOUT)):
            code = codes[at]
            read_as = rates.letters[row, code] if layout >> at & 1 else rates.digits[row, code]
            is_of_kind = (layout >> at & 1) == (code >= FIRST_LETTER)
            share *= FURTHER_EDIT_FACTOR * read_as + (background.characters[row, code] if is_of_kind else 0.0)
        all_plates += share
    itself = background.layouts[row, layout_of(codes, length)]
    itself = itself * whole if itself > _COMMON_SHARE else 0.0
    return max(all_plates - itself, 0.0) / FURTHER_EDIT_FACTOR


@step
def _one_more_or_less(
    background: BackgroundTables, rates: RateTables, codes: Codes, length: int, row: int, whole: float
) -> float:
    """Return the share misread as this text by one character left out or inserted."""
    layout, total = layout_of(codes, length), 0.0
    for at in range(min(length + 1, LONGEST_LAYOUT)):
        at_position = 0.0
        if at < length:
            without = background.layouts[row, _without(layout, length, at)]
            at_position = whole / background.characters[row, codes[at]] * without * rates.insertion
        at_position += whole * background.layouts[row, _layout_with(layout, length, at, 0)] * rates.lost_digits[row]
        at_position += whole * background.layouts[row, _layout_with(layout, length, at, 1)] * rates.lost_letters[row]
        total += at_position
    return total


@step
def ruined_share(length: int) -> float:
    """Return the share of vehicles whose plates are misread with many edits, as each text of this length."""
    return _RUINED_SHARE * math.pow(_RUINED_PER_CHARACTER, -float(length))


def _in_units(logs: Shares) -> NDArray[np.int32]:
    """Return logarithms as whole numbers: their sum does not depend on the order, and they take half the memory."""
    return np.rint(logs * UNITS).astype(np.int32)


@step
def _without(layout: int, length: int, at: int) -> int:
    """Return the layout without one position."""
    if length <= max(at, 1) or layout == NO_LAYOUT:
        return NO_LAYOUT
    low = (1 << at) - 1
    return (layout & low) | ((layout >> 1) & ~low)


@step
def _layout_with(layout: int, length: int, at: int, is_letter: int) -> int:
    """Return the layout with a letter or a digit inserted before a position."""
    if length >= LONGEST_LAYOUT or layout == NO_LAYOUT:
        return NO_LAYOUT
    low = (1 << at) - 1
    return (layout & low) | (is_letter << at) | ((layout & ~low) << 1)


def official_layouts(country: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Return for each layout whether the forms of a country have it."""
    layouts, _ = _official_shares(country)
    return np.asarray(layouts > 0)


def _official_shares(country: Mapping[str, Any]) -> tuple[Shares, Shares]:
    """Return the shares of layouts and of characters that a country's forms give."""
    layouts = np.zeros(_LAYOUT_COUNT)
    characters = np.zeros(CODE_COUNT)
    forms = [(form["form"], form["weight"]) for form in country["forms"]]
    forms += [(form["form"], form["weight"] * _TRAILER_SHARE) for form in country.get("trailer", ())]
    for form, weight in forms:
        for layout, share in _layouts_of_form(form, country):
            layouts[layout] += weight * share
        for symbol in form:
            characters += weight * _mean_characters(_values(symbol, country))
    return layouts / layouts.sum(), _within_kinds(characters)


def _layouts_of_form(form: str, country: Mapping[str, Any]) -> Iterator[tuple[int, float]]:
    """Return the layouts that a form can have, with their shares: district codes have several lengths."""
    layouts: Counter[str] = Counter({"": 1})
    for symbol in form:
        kinds = _kinds(_values(symbol, country))
        total = kinds.total()
        layouts = Counter({
            before + kind: share * count / total for before, share in layouts.items() for kind, count in kinds.items()
        })  # fmt: skip
    longest = min(country.get("longest", LONGEST_LAYOUT), LONGEST_LAYOUT)
    return ((_layout_number(text), share) for text, share in layouts.items() if len(text) <= longest)


@cache
def _kinds(values: tuple[str, ...]) -> Counter[str]:
    """Return how many values have each form of letters and digits."""
    return Counter("".join("A" if c.isalpha() else "9" for c in value) for value in values)


@cache
def _mean_characters(values: tuple[str, ...]) -> Shares:
    """Return how often a value has each character."""
    means = np.zeros(CODE_COUNT)
    for character, count in Counter("".join(values)).items():
        means[ALPHABET.index(character) + 1] = count / len(values)
    return means


def _seen_shares(country: Mapping[str, Any]) -> tuple[Shares, Shares]:
    """Return the shares of layouts and characters of plates that were seen. All digits count as equally common."""
    layouts = np.zeros(_LAYOUT_COUNT)
    characters = np.zeros(CODE_COUNT)
    for text, count in country["layouts"].items():
        layouts[_layout_number(text)] += count
    for letter, count in country["letters"].items():
        characters[ALPHABET.index(letter) + 1] = count
    characters[1:FIRST_LETTER] = 1
    return layouts / layouts.sum(), _within_kinds(characters)


def _with_unforeseen(layouts: Shares) -> Shares:
    foreseeable = slice(1 << 3, 2 << 9)
    evenly = np.zeros(_LAYOUT_COUNT)
    evenly[foreseeable] = 1 / (foreseeable.stop - foreseeable.start)
    return (1 - _UNFORESEEN_SHARE) * layouts + _UNFORESEEN_SHARE * evenly


def _with_least(characters: Shares) -> Shares:
    """Return the shares with none below the least. Code 0, no character, has the share 1."""
    raised = characters.copy()
    raised[DIGITS] += _LEAST_DIGIT
    raised[LETTERS] += _LEAST_LETTER
    raised = _within_kinds(raised)
    raised[0] = 1
    raised[UNREADABLE] = _LEAST_UNREADABLE
    return raised


def _within_kinds(characters: Shares) -> Shares:
    """Return the share of each letter among the letters and of each digit among the digits."""
    shares = np.zeros_like(characters)
    for kind in (DIGITS, LETTERS):
        shares[kind] = characters[kind] / max(characters[kind].sum(), 1e-9)
    return shares


def _layout_number(text: str) -> int:
    return sum(1 << position for position, kind in enumerate(text) if kind == "A") | (1 << len(text))


def _values(symbol: str, country: Mapping[str, Any]) -> tuple[str, ...]:
    match symbol:
        case "A":
            return tuple(country["alphabet"])
        case "S":
            return tuple(country["serial"])
        case "C":
            return tuple(country["codes"])
        case "9":
            return tuple("0123456789")
        case _:
            return (symbol,)


BACKGROUND_MODEL: Final = BackgroundModel(
    tables.load("countries"), tables.load("plates_seen"), tables.load("traffic")["share"]
)
