"""How common a text is among the vehicles that are not listed: read right off their plates, or misread.

A read that is a good plate of its country is most likely just that plate. One that no plate of its country could be
must be a misread of something. Both follow from how densely the country's plates fill the texts: a *layout* (which
places are letters and which digits) has a share of the country's vehicles, and each letter a share of the letters.
The official syntax (`data/countries.toml`) gives the one half, plates as they were seen (`data/plates_seen.toml`,
where there are any) the other; and a small share is spread over all layouts and letters, for there are always plates
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
    UNREADABLE,
    WIDTH,
    Codes,
    Lengths,
    PlateCodes,
    Rows,
    country_codes,
)
from anpr.matching.scoring.confusion_model import FURTHER_EDIT_FACTOR, UNITS, ConfusionModel
from anpr.reference_data import tables
from anpr.reference_data.limits import ALPHABET, LONGEST_LAYOUT

Shares = NDArray[np.float64]

# Layouts of up to this many characters have a number each: a bit a place (1 a letter), and one above for the length.
_LAYOUTS = np.array(2 << LONGEST_LAYOUT)
_OF_NO_LAYOUT = 0  # longer texts, and nothing
# Two codes that stand side by side, as one number of 16 bits, the first the lower byte.
_PAIRS = np.array(CODE_COUNT << 8)
# The share of a country's vehicles whose plates no table foresees, over layouts of 3 to 9 characters; the least
# share of a letter, and of a digit, beside the commonest.
_UNFORESEEN_SHARE = 0.02
_LEAST_LETTER = 0.01
_LEAST_DIGIT = 0.02
_TRAILER_SHARE = 0.1
# Of the layouts that stand behind a misread, those with at least this share of a country's vehicles are counted.
_COUNTED_FROM = 1e-3
DIGITS, LETTERS = slice(1, FIRST_LETTER), slice(FIRST_LETTER, UNREADABLE)
# No plate bears what cannot be read; a share above nothing keeps what is divided by it a number.
_LEAST_UNREADABLE = 1e-9
# Misreads of many edits are spread over all texts, thinner by this factor with each character.
_RUINED_SHARE = 1e-3
_RUINED_PER_CHARACTER = 20.0


class BackgroundModel:
    """Densities of texts by country. Row 0 is any country: the mixture of all by their traffic.

    `countries` are those of the rows from 1 on, `shares` their shares of the traffic. `layouts` holds the share of
    each layout among a row's vehicles, `characters` that of each letter among its letters and digit among its digits.
    """

    def __init__(self, syntax: Mapping[str, Any], seen: Mapping[str, Any], traffic: Mapping[str, float]) -> None:
        """Take the tables as `data/countries.toml`, `data/plates_seen.toml` and `data/traffic.toml` hold them."""
        names = sorted({*syntax, *seen})
        self.countries: Final = country_codes(names)
        shares = np.array([traffic.get(name, traffic["other"]) for name in names])
        self.shares: Final[Shares] = np.concatenate([[1.0], shares / shares.sum()])
        self._row_of = np.zeros(1 + 26 * 26, np.intp)
        self._row_of[self.countries] = np.arange(1, len(names) + 1)
        layouts = np.zeros((len(names) + 1, _LAYOUTS))
        characters = np.ones((len(names) + 1, CODE_COUNT))
        for row, name in enumerate(names, start=1):
            halves = [_official(syntax[name])] if name in syntax else []
            halves += [_measured(seen[name])] if name in seen else []
            layouts[row] = _with_unforeseen(np.mean([of_layouts for of_layouts, _ in halves], axis=0))
            characters[row] = _with_least(np.mean([of_characters for _, of_characters in halves], axis=0))
        for table in (layouts, characters):
            table[0] = self.shares[1:] @ table[1:]
        layouts[:, _OF_NO_LAYOUT] = _UNFORESEEN_SHARE / _LAYOUTS
        self.layouts: Final = layouts
        self._common = _Common(layouts)
        self.characters: Final = characters
        self._log_layouts = _in_units(np.log(layouts, where=layouts > 0, out=np.full_like(layouts, -100))).ravel()
        self._log_pairs = _pairs_of(_in_units(np.log(characters)))

    def rows(self, countries: NDArray[np.uint16]) -> Rows:
        """Return the row of each country: 0 where it is unknown, here or to the camera."""
        return self._row_of.take(countries)

    def log_plates(self, reads: PlateCodes, rows: Rows) -> NDArray[np.int32]:
        """Return the logarithm, in UNITS, of the share of the row's vehicles that bear exactly this plate.

        The letters are looked up two at a time: every read of a batch is asked, so this must be quick.
        """
        pairs = reads.codes.view("<u2").T[: (reads.longest + 1) // 2].astype(np.intp)
        pairs += rows * _PAIRS
        layouts = layouts_of(reads)
        layouts += rows * _LAYOUTS
        logs: NDArray[np.int32] = np.add.reduce(self._log_pairs.take(pairs), axis=0, dtype=np.int32)
        logs += self._log_layouts[layouts]
        return logs

    def misread(self, reads: PlateCodes, rows: Rows, rates: "RatesInto") -> Shares:
        """Return the share of the row's vehicles that are read as this text and do not bear it.

        Plates of every layout of the country are counted, however many of their characters are read as others; those
        with one more or one less by their layout alone; what is further away only as a whole.
        """
        codes, lengths = reads.codes, reads.lengths
        own = self.characters[rows[:, None], codes]
        texts = _Texts(codes, lengths, rows, layouts_of(reads), own, own.prod(axis=1))
        total = self._one_more_or_less(texts, rates)
        total += self._substituted(texts, rates)
        ruined = _RUINED_SHARE * _RUINED_PER_CHARACTER ** -lengths.astype(np.float64)
        return rates.alone_share * total + ruined

    def _substituted(self, texts: "_Texts", rates: "RatesInto") -> Shares:
        """Return the share read as these texts by substitutions alone.

        Each place holds the character itself or one that is read as it. Multiplied out, that is the sum over all
        plates of a layout; the plate that is the text itself is taken off again.
        """
        codes, lengths, rows, layouts, own, whole = texts
        is_letter = codes >= FIRST_LETTER
        of_row = rows[:, None]
        by_kind = np.stack([
            FURTHER_EDIT_FACTOR * rates.digits[of_row, codes] + np.where(is_letter, 0, own),
            FURTHER_EDIT_FACTOR * rates.letters[of_row, codes] + np.where(is_letter, own, 0),
        ])  # fmt: skip
        by_kind[:, codes == 0] = 1
        whose, kinds, shares = self._common.of(rows, lengths)
        every = shares.copy()
        for place in range(min(int(lengths.max(initial=0)), LONGEST_LAYOUT)):
            every *= by_kind[kinds[:, place], whose, place]
        itself = self.layouts[rows, layouts]
        itself = np.where(itself > _COUNTED_FROM, itself, 0) * whole
        # Added one after the other, so that a text has the same share alone and among others.
        alike = np.bincount(whose, every, len(rows))
        substituted: Shares = np.maximum(alike - itself, 0) / FURTHER_EDIT_FACTOR
        return substituted

    def _one_more_or_less(self, texts: "_Texts", rates: "RatesInto") -> Shares:
        """Return the share read as these texts with one character left out or put in."""
        _, lengths, rows, layouts, own, whole = texts
        # Each place is a row.
        places = np.arange(LONGEST_LAYOUT)[:, None]
        rest = np.where(places < lengths, whole / own[:, :LONGEST_LAYOUT].T, 0)
        at_place = rest * self.layouts[rows, _without(layouts, lengths, places)] * rates.insertion
        for is_letter, lost in enumerate((rates.lost_digits, rates.lost_letters)):
            wider = _with(layouts, lengths, places, is_letter)
            at_place += np.where(places <= lengths, whole, 0) * self.layouts[rows, wider] * lost[rows]
        # Added from the first place to the last, so that a text has the same share alone and among others.
        total: Shares = np.cumsum(at_place, axis=0)[-1]
        return total

    def rates_into(self, misreads: ConfusionModel) -> "RatesInto":
        """Return how often a country's letters and digits, as common as they are, are misread into each character."""
        return RatesInto(self.characters, misreads)


class _Texts(NamedTuple):
    """Texts with their rows and layouts, how common each character is in its country, and all of them together."""

    codes: Codes
    lengths: Lengths
    rows: Rows
    layouts: Rows
    own: Shares
    whole: Shares


class RatesInto:
    """By country: how often a letter, or a digit, of its plates is read as a character, or lost."""

    def __init__(self, characters: Shares, misreads: ConfusionModel) -> None:
        """Mix the misreads by how common each character is in each country."""
        self.letters: Final = characters[:, LETTERS] @ misreads.substitution[LETTERS]
        self.digits: Final = characters[:, DIGITS] @ misreads.substitution[DIGITS]
        self.lost_letters: Final = characters[:, LETTERS] @ misreads.deletion[LETTERS]
        self.lost_digits: Final = characters[:, DIGITS] @ misreads.deletion[DIGITS]
        self.insertion: Final = misreads.insertion
        self.alone_share: Final = misreads.alone_share


# By length: the bits of a layout, and the one above them.
_LENGTHS = np.arange(WIDTH + 1)
_ABOVE_LENGTH = np.where((_LENGTHS > 0) & (_LENGTHS <= LONGEST_LAYOUT), 1 << _LENGTHS, _OF_NO_LAYOUT).astype(
    np.uint16
)
_KEPT_OF_LENGTH = np.where(_ABOVE_LENGTH > 0, _ABOVE_LENGTH - 1, 0).astype(np.uint16)


def layouts_of(plates: PlateCodes) -> NDArray[np.intp]:
    """Return the number of each text's layout."""
    layouts = _KEPT_OF_LENGTH.take(plates.lengths)
    layouts &= plates.letter_bits
    layouts |= _ABOVE_LENGTH.take(plates.lengths)
    return layouts.astype(np.intp)


def _in_units(logs: Shares) -> NDArray[np.int32]:
    """Return logarithms as whole numbers: their sum does not hang on the order, and takes half the room."""
    return np.rint(logs * UNITS).astype(np.int32)


def _pairs_of(log_characters: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return, for each row and pair of codes, the sum of the two."""
    pairs = np.zeros((len(log_characters), _PAIRS >> 8, 1 << 8), np.int32)
    pairs[:, :, :CODE_COUNT] = log_characters[:, :, None] + log_characters[:, None, :]
    return pairs.ravel()


class _Common:
    """The layouts that are common enough to be counted, by row and length."""

    def __init__(self, layouts: Shares) -> None:
        """Lay out those of each row and length one after the other."""
        rows, numbers = np.nonzero(layouts > _COUNTED_FROM)
        lengths = np.floor(np.log2(np.maximum(numbers, 1))).astype(np.intp)
        order = np.lexsort((numbers, lengths, rows))
        rows, lengths, numbers = rows[order], lengths[order], numbers[order]
        self._shares = layouts[rows, numbers]
        self._kinds = ((numbers[:, None] >> np.arange(LONGEST_LAYOUT)) & 1).astype(np.intp)
        self._counts = np.zeros((len(layouts), WIDTH + 1), np.intp)
        np.add.at(self._counts, (rows, lengths), 1)
        self._firsts = np.cumsum(self._counts.ravel()).reshape(self._counts.shape) - self._counts

    def of(self, rows: Rows, lengths: Lengths) -> tuple[Rows, Rows, Shares]:
        """Return those of the rows and lengths: (m,) whose each is, (m, 12) 1 for a letter, (m,) its share."""
        counts = self._counts[rows, lengths]
        whose = np.repeat(np.arange(len(rows)), counts)
        places = np.arange(len(whose)) + (self._firsts[rows, lengths] - np.cumsum(counts) + counts)[whose]
        return whose, self._kinds[places], self._shares[places]


def _without(layouts: NDArray[np.intp], lengths: Lengths, place: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the layouts with one place taken out."""
    low = (1 << place) - 1
    fits = (lengths > np.maximum(place, 1)) & (layouts > 0)
    return np.where(fits, (layouts & low) | ((layouts >> 1) & ~low), _OF_NO_LAYOUT)


def _with(layouts: NDArray[np.intp], lengths: Lengths, place: NDArray[np.intp], is_letter: int) -> NDArray[np.intp]:
    """Return the layouts with a letter or digit put in before a place."""
    low = (1 << place) - 1
    fits = (lengths >= place) & (lengths < LONGEST_LAYOUT) & (layouts > 0)
    return np.where(fits, (layouts & low) | (is_letter << place) | ((layouts & ~low) << 1), _OF_NO_LAYOUT)


def official_layouts(table: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Return of each layout whether a country's forms have it."""
    layouts, _ = _official(table)
    return np.asarray(layouts > 0)


def _official(table: Mapping[str, Any]) -> tuple[Shares, Shares]:
    """Return the shares of layouts and characters that a country's forms give."""
    layouts = np.zeros(_LAYOUTS)
    characters = np.zeros(CODE_COUNT)
    forms = [(form["form"], form["weight"]) for form in table["forms"]]
    forms += [(form["form"], form["weight"] * _TRAILER_SHARE) for form in table.get("trailer", ())]
    for form, weight in forms:
        for layout, share in _layouts_of_form(form, table):
            layouts[layout] += weight * share
        for symbol in form:
            values = _values(symbol, table)
            for value in values:
                for character in value:
                    characters[ALPHABET.index(character) + 1] += weight / len(values)
    return layouts / layouts.sum(), _within_kinds(characters)


def _layouts_of_form(form: str, table: Mapping[str, Any]) -> Iterator[tuple[int, float]]:
    """Return the layouts that a form can have, with their shares: codes are of several lengths."""
    found: Counter[str] = Counter({"": 1})
    for symbol in form:
        kinds = Counter("".join("A" if c.isalpha() else "9" for c in value) for value in _values(symbol, table))
        total = kinds.total()
        found = Counter({
            before + kind: shares * count / total for before, shares in found.items() for kind, count in kinds.items()
        })  # fmt: skip
    longest = min(table.get("longest", LONGEST_LAYOUT), LONGEST_LAYOUT)
    return ((_layout(text), share) for text, share in found.items() if len(text) <= longest)


def _measured(table: Mapping[str, Any]) -> tuple[Shares, Shares]:
    """Return the shares of layouts and characters of plates that were seen. Digits are taken to be equally common."""
    layouts = np.zeros(_LAYOUTS)
    characters = np.zeros(CODE_COUNT)
    for text, count in table["layouts"].items():
        layouts[_layout(text)] += count
    for letter, count in table["letters"].items():
        characters[ALPHABET.index(letter) + 1] = count
    characters[1:FIRST_LETTER] = 1
    return layouts / layouts.sum(), _within_kinds(characters)


def _with_unforeseen(layouts: Shares) -> Shares:
    foreseen = slice(1 << 3, 2 << 9)
    spread = np.zeros(_LAYOUTS)
    spread[foreseen] = 1 / (foreseen.stop - foreseen.start)
    return (1 - _UNFORESEEN_SHARE) * layouts + _UNFORESEEN_SHARE * spread


def _with_least(characters: Shares) -> Shares:
    """Return the shares with none below the least; nothing, code 0, has the share 1."""
    raised = characters.copy()
    raised[DIGITS] += _LEAST_DIGIT
    raised[LETTERS] += _LEAST_LETTER
    raised = _within_kinds(raised)
    raised[0] = 1
    raised[UNREADABLE] = _LEAST_UNREADABLE
    return raised


def _within_kinds(characters: Shares) -> Shares:
    """Return the share of each letter among letters and of each digit among digits."""
    shares = np.zeros_like(characters)
    for kind in (DIGITS, LETTERS):
        shares[kind] = characters[kind] / max(characters[kind].sum(), 1e-9)
    return shares


def _layout(text: str) -> int:
    return sum(1 << place for place, kind in enumerate(text) if kind == "A") | (1 << len(text))


def _values(symbol: str, table: Mapping[str, Any]) -> list[str]:
    match symbol:
        case "A":
            return list(table["alphabet"])
        case "S":
            return list(table["serial"])
        case "C":
            return list(table["codes"])
        case "9":
            return list("0123456789")
        case _:
            return [symbol]


BACKGROUND_MODEL: Final = BackgroundModel(
    tables.load("countries"), tables.load("plates_seen"), tables.load("traffic")["share"]
)
