"""Country prefixes: the country letters beside a plate, on its blue band or a sticker, read as part of the plate.

`GBAB12CDE` is most likely the British plate `AB12CDE`. `DMAB1234` may be the German plate `MAB1234`, or a plate by
itself. Only `countries.toml` decides what can be a prefix and a plate: the letters are a badge of the country, and
the text behind them has one of the layouts of its forms. The score weighs how probable that is
(`scoring.likelihood`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.plate_codes import (
    CODE_COUNT,
    WIDTH,
    Codes,
    PlateCodes,
    Rows,
    country_codes,
    country_text,
    encode_plates,
)
from anpr.matching.scoring.background_model import official_layouts
from anpr.reference_data import tables
from anpr.reference_data.limits import LONGEST_BADGE

# The parts of a look-up key that come from a text's length and from its first code.
_LENGTH_KEYS = np.arange(WIDTH + 1) << 14
_FIRST_CODE_KEYS = np.arange(CODE_COUNT) << 8


class PrefixedPlate(NamedTuple):
    """A text as a country prefix, its country, and the plate behind it."""

    prefix: str
    country: str
    plate: str


class CountryPrefixes:
    """The prefixes of all countries, ready to be found in a batch of reads."""

    def __init__(self, countries: Mapping[str, Any]) -> None:
        """Take a table with the fields of `countries.toml`."""
        names = sorted(countries)
        self._countries = np.concatenate([[0], country_codes(names)]).astype(np.uint16)
        layouts = [official_layouts(countries[name]) for name in names]
        # For each country's row (0 for none): which layouts its plates have.
        self._layouts = np.stack([np.zeros_like(layouts[0]), *layouts])
        # For each length of a prefix, and its codes as one number: the row of its country.
        self._rows = [np.zeros(CODE_COUNT**length, np.uint8) for length in range(LONGEST_BADGE + 1)]
        # By a text's length, its first code, and which of its first eight characters are letters: whether it can be a
        # prefix and a plate. Nearly no text can, and this one look-up excludes the others.
        self._may_have_prefix = np.zeros(WIDTH + 1 << 14, bool)
        for row, name in enumerate(names, start=1):
            for badge in countries[name]["badges"]:
                codes = encode_plates([badge], [None]).codes
                self._rows[len(badge)][_numbers(codes, len(badge))] = row
                plate_layouts = self._layouts[row].nonzero()[0]
                lengths = np.log2(plate_layouts).astype(np.intp)
                letter_bits = (plate_layouts - (1 << lengths) << len(badge)) + (1 << len(badge)) - 1
                keys = (lengths + len(badge) << 14) + (int(codes[0, 0]) << 8) + (letter_bits & 0xFF)
                self._may_have_prefix[keys] = True

    def strip(self, reads: PlateCodes) -> tuple[Rows, PlateCodes] | None:
        """Return the rows of the reads that can be prefix and plate, and these plates as of the prefix's country.

        Returns None, at little cost, where no read can.
        """
        keys = _LENGTH_KEYS.take(reads.lengths)
        keys += _FIRST_CODE_KEYS.take(reads.codes[:, 0])
        keys += reads.letter_bits.view(np.uint8)[::2]
        rows = self._may_have_prefix[keys].nonzero()[0]
        if not len(rows):
            return None
        codes = reads.codes.take(rows, axis=0)
        countries_by_length = np.stack([table.take(_numbers(codes, n)) for n, table in enumerate(self._rows)])
        lengths, columns = countries_by_length.nonzero()
        rows, countries = rows[columns], countries_by_length[lengths, columns]
        plates = _without_first(reads.take(rows), lengths, self._countries[countries])
        is_plate = self._layouts[countries, plates.layouts].nonzero()[0]
        return rows[is_plate], plates.take(is_plate)

    def splits(self, text: str) -> Iterator[PrefixedPlate]:
        """Return all ways to read a canonical text as prefix and plate."""
        _, plates = self.strip(encode_plates([text], [None])) or (None, encode_plates([], []))
        for row in range(len(plates)):
            plate = plates.text(row)
            yield PrefixedPlate(text[: len(text) - len(plate)], country_text(int(plates.countries[row])) or "", plate)


def _without_first(reads: PlateCodes, counts: Rows, countries: NDArray[np.uint16]) -> PlateCodes:
    """Return the reads without their first `lengths` characters, as plates of these countries."""
    positions = counts[:, None] + np.arange(WIDTH)
    exists, positions = positions < WIDTH, np.minimum(positions, WIDTH - 1)
    codes = np.where(exists, np.take_along_axis(reads.codes, positions, axis=1), 0).astype(np.uint8)
    char_confidences = reads.char_confidences
    if char_confidences is not None:
        shifted = np.take_along_axis(char_confidences, positions, axis=1)
        char_confidences = np.where(exists, shifted, np.float32(np.nan))
    lengths = np.maximum(reads.lengths - counts, 0).astype(np.uint8)
    return replace(reads, codes=codes, lengths=lengths, countries=countries, char_confidences=char_confidences)


def _numbers(codes: Codes, length: int) -> Rows:
    """Return the first codes of each text as one number."""
    numbers: Rows = (codes[:, :length].astype(np.intp) * CODE_COUNT ** np.arange(length)).sum(axis=1)
    return numbers


COUNTRY_PREFIXES: Final = CountryPrefixes(tables.load("countries"))
