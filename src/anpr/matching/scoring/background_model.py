"""The background model: how common a text is among vehicles that are not listed, read right or misread.

A read in the form of a plate of its country is most likely right. A read that no plate of its country can have must
be a misread. Both follow from how densely the country's plates fill the possible texts: each *layout* (which
positions are letters and which are digits) has a share of the country's vehicles, and each letter has a share of the
letters.

The official syntax (`countries.toml`) counts for one half, and plates as they were seen (`plates_seen.toml`, where
there are any) for the other. A small share is spread over all layouts and letters, because there are always plates
that no table foresees.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.plate_codes import (
    CODE_COUNT,
    FIRST_LETTER,
    NO_LAYOUT,
    UNREADABLE,
    WIDTH,
    Codes,
    Lengths,
    PlateCodes,
    Rows,
    country_codes,
)
from anpr.matching.scoring.confusion_model import FURTHER_EDIT_FACTOR, UNITS, ConfusionModel
from anpr.matching.scoring.evidence import Shares
from anpr.reference_data import tables
from anpr.reference_data.limits import ALPHABET, LONGEST_LAYOUT

# The numbers of layouts: `PlateCodes.layouts`.
_LAYOUT_COUNT = np.array(2 << LONGEST_LAYOUT)
# Two codes side by side are one number of 16 bits, the first in the lower byte.
_PAIR_COUNT = np.array(CODE_COUNT << 8)
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
        self._common_layouts = _CommonLayouts(layouts)
        self._are_rare = (layouts < RARE_LAYOUT_SHARE).ravel()
        self._are_rare[:_LAYOUT_COUNT] = layouts[0] < RARE_LAYOUT_SHARE_OF_ALL
        self.characters: Final = characters
        self._log_layouts = _in_units(np.log(layouts, where=layouts > 0, out=np.full_like(layouts, -100))).ravel()
        self._log_pairs = _pair_logs(_in_units(np.log(characters)))

    def rows(self, countries: NDArray[np.uint16]) -> Rows:
        """Return the row of each country: 0 for one that the camera does not know or that has no table."""
        return self._row_of_country.take(countries)

    def has_rare_layout(self, reads: PlateCodes) -> NDArray[np.bool_]:
        """Return which reads have a layout that few vehicles of their country have, or of all if none is named."""
        is_rare: NDArray[np.bool_] = self._are_rare.take(self.rows(reads.countries) * _LAYOUT_COUNT + reads.layouts)
        return is_rare

    def layout_shares(self, reads: PlateCodes) -> Shares:
        """Return the share of vehicles, of each read's country or of all, that have its layout."""
        shares: Shares = self.layouts[self.rows(reads.countries), reads.layouts]
        return shares

    def log_plates(self, reads: PlateCodes, rows: Rows) -> NDArray[np.int32]:
        """Return the logarithm, in UNITS, of the share of the row's vehicles that have exactly this plate.

        Characters are looked up two at a time: this is asked of every read of a batch, so it must be quick.
        """
        pairs = reads.codes.view("<u2").T[: (reads.longest + 1) // 2].astype(np.intp)
        pairs += rows * _PAIR_COUNT
        layouts = rows * _LAYOUT_COUNT + reads.layouts
        logs: NDArray[np.int32] = np.add.reduce(self._log_pairs.take(pairs), axis=0, dtype=np.int32)
        logs += self._log_layouts[layouts]
        return logs

    def misread(self, reads: PlateCodes, rows: Rows, rates: "MisreadRates") -> Shares:
        """Return the share of the row's vehicles that have another plate and are misread as this text.

        Plates of every layout of the country count, however many of their characters are misread. Plates with one
        character more or fewer count by their layout alone, and plates further away only all together.
        """
        codes, lengths = reads.codes, reads.lengths
        by_position = self.characters[rows[:, None], codes]
        texts = _Texts(codes, lengths, rows, reads.layouts, by_position, by_position.prod(axis=1))
        total = self._one_more_or_less(texts, rates)
        total += self._substituted(texts, rates)
        return rates.alone_share * total + ruined(lengths)

    def _substituted(self, texts: "_Texts", rates: "MisreadRates") -> Shares:
        """Return the share misread as these texts by substitutions alone.

        Each position has the character itself or one that is read as it. The product over the positions is the sum
        over all plates of a layout; the plate that is the text itself is subtracted.
        """
        codes, lengths, rows, layouts, by_position, whole = texts
        is_letter = codes >= FIRST_LETTER
        row_column = rows[:, None]
        by_kind = np.stack([
            FURTHER_EDIT_FACTOR * rates.digits[row_column, codes] + np.where(is_letter, 0, by_position),
            FURTHER_EDIT_FACTOR * rates.letters[row_column, codes] + np.where(is_letter, by_position, 0),
        ])  # fmt: skip
        by_kind[:, codes == 0] = 1
        text_rows, kinds, shares = self._common_layouts.of(rows, lengths)
        by_layout = shares.copy()
        for position in range(min(int(lengths.max(initial=0)), LONGEST_LAYOUT)):
            by_layout *= by_kind[kinds[:, position], text_rows, position]
        itself = self.layouts[rows, layouts]
        itself = np.where(itself > _COMMON_SHARE, itself, 0) * whole
        # bincount adds in a fixed order, so a text has the same share alone and among others.
        all_plates = np.bincount(text_rows, by_layout, len(rows))
        substituted: Shares = np.maximum(all_plates - itself, 0) / FURTHER_EDIT_FACTOR
        return substituted

    def _one_more_or_less(self, texts: "_Texts", rates: "MisreadRates") -> Shares:
        """Return the share misread as these texts by one character left out or inserted."""
        _, lengths, rows, layouts, by_position, whole = texts
        # A row for each position.
        positions = np.arange(LONGEST_LAYOUT)[:, None]
        shares_without = np.where(positions < lengths, whole / by_position[:, :LONGEST_LAYOUT].T, 0)
        at_position = shares_without * self.layouts[rows, _without(layouts, lengths, positions)] * rates.insertion
        for is_letter, lost in enumerate((rates.lost_digits, rates.lost_letters)):
            wider = _with(layouts, lengths, positions, is_letter)
            at_position += np.where(positions <= lengths, whole, 0) * self.layouts[rows, wider] * lost[rows]
        # cumsum adds from the first position to the last, so a text has the same share alone and among others.
        total: Shares = np.cumsum(at_position, axis=0)[-1]
        return total

    def rates_into(self, confusions: ConfusionModel) -> "MisreadRates":
        """Return how often a country's letters and digits, as common as they are, are misread as each character."""
        return MisreadRates(self.characters, confusions)


def ruined(lengths: Lengths) -> Shares:
    """Return the share of vehicles whose plates are misread with many edits, as each text of these lengths."""
    return np.asarray(_RUINED_SHARE * _RUINED_PER_CHARACTER ** -lengths.astype(np.float64))


class _Texts(NamedTuple):
    """Texts with their rows and layouts, each character's share in its country, and the product of these shares."""

    codes: Codes
    lengths: Lengths
    rows: Rows
    layouts: Rows
    by_position: Shares
    whole: Shares


class MisreadRates:
    """By country: how often a letter, or a digit, of its plates is read as a character, or is lost."""

    def __init__(self, characters: Shares, confusions: ConfusionModel) -> None:
        """Weigh the confusions by how common each character is in each country."""
        self.letters: Final = characters[:, LETTERS] @ confusions.substitution[LETTERS]
        self.digits: Final = characters[:, DIGITS] @ confusions.substitution[DIGITS]
        self.lost_letters: Final = characters[:, LETTERS] @ confusions.deletion[LETTERS]
        self.lost_digits: Final = characters[:, DIGITS] @ confusions.deletion[DIGITS]
        self.insertion: Final = confusions.insertion
        self.alone_share: Final = confusions.alone_share


def _in_units(logs: Shares) -> NDArray[np.int32]:
    """Return logarithms as whole numbers: their sum does not depend on the order, and they take half the memory."""
    return np.rint(logs * UNITS).astype(np.int32)


def _pair_logs(log_characters: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return, for each row and pair of codes, the sum of the two logarithms."""
    pairs = np.zeros((len(log_characters), _PAIR_COUNT >> 8, 1 << 8), np.int32)
    pairs[:, :, :CODE_COUNT] = log_characters[:, :, None] + log_characters[:, None, :]
    return pairs.ravel()


class _CommonLayouts:
    """The layouts that are common enough to be counted, by row and length."""

    def __init__(self, layouts: Shares) -> None:
        """Store the layouts of each row and length one after the other."""
        rows, numbers = np.nonzero(layouts > _COMMON_SHARE)
        lengths = np.floor(np.log2(np.maximum(numbers, 1))).astype(np.intp)
        order = np.lexsort((numbers, lengths, rows))
        rows, lengths, numbers = rows[order], lengths[order], numbers[order]
        self._shares = layouts[rows, numbers]
        self._kinds = ((numbers[:, None] >> np.arange(LONGEST_LAYOUT)) & 1).astype(np.intp)
        self._counts = np.zeros((len(layouts), WIDTH + 1), np.intp)
        np.add.at(self._counts, (rows, lengths), 1)
        self._firsts = np.cumsum(self._counts.ravel()).reshape(self._counts.shape) - self._counts

    def of(self, rows: Rows, lengths: Lengths) -> tuple[Rows, Rows, Shares]:
        """Return the layouts for texts: (m,) the text of each, (m, 12) 1 for a letter, (m,) the layout's share."""
        counts = self._counts[rows, lengths]
        text_rows = np.repeat(np.arange(len(rows)), counts)
        offsets = (self._firsts[rows, lengths] - np.cumsum(counts) + counts)[text_rows]
        stored = np.arange(len(text_rows)) + offsets
        return text_rows, self._kinds[stored], self._shares[stored]


def _without(layouts: NDArray[np.intp], lengths: Lengths, positions: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the layouts without one position."""
    low = (1 << positions) - 1
    exists = (lengths > np.maximum(positions, 1)) & (layouts > 0)
    return np.where(exists, (layouts & low) | ((layouts >> 1) & ~low), NO_LAYOUT)


def _with(
    layouts: NDArray[np.intp], lengths: Lengths, positions: NDArray[np.intp], is_letter: int
) -> NDArray[np.intp]:
    """Return the layouts with a letter or a digit inserted before a position."""
    low = (1 << positions) - 1
    exists = (lengths >= positions) & (lengths < LONGEST_LAYOUT) & (layouts > 0)
    return np.where(exists, (layouts & low) | (is_letter << positions) | ((layouts & ~low) << 1), NO_LAYOUT)


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
            values = _values(symbol, country)
            for value in values:
                for character in value:
                    characters[ALPHABET.index(character) + 1] += weight / len(values)
    return layouts / layouts.sum(), _within_kinds(characters)


def _layouts_of_form(form: str, country: Mapping[str, Any]) -> Iterator[tuple[int, float]]:
    """Return the layouts that a form can have, with their shares: district codes have several lengths."""
    layouts: Counter[str] = Counter({"": 1})
    for symbol in form:
        kinds = Counter("".join("A" if c.isalpha() else "9" for c in value) for value in _values(symbol, country))
        total = kinds.total()
        layouts = Counter({
            before + kind: share * count / total for before, share in layouts.items() for kind, count in kinds.items()
        })  # fmt: skip
    longest = min(country.get("longest", LONGEST_LAYOUT), LONGEST_LAYOUT)
    return ((_layout_number(text), share) for text, share in layouts.items() if len(text) <= longest)


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


def _values(symbol: str, country: Mapping[str, Any]) -> list[str]:
    match symbol:
        case "A":
            return list(country["alphabet"])
        case "S":
            return list(country["serial"])
        case "C":
            return list(country["codes"])
        case "9":
            return list("0123456789")
        case _:
            return [symbol]


BACKGROUND_MODEL: Final = BackgroundModel(
    tables.load("countries"), tables.load("plates_seen"), tables.load("traffic")["share"]
)
