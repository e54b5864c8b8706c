"""The letters of the country beside a plate, on its blue band or on a badge, when they are read as part of it.

`GBAB12CDE` is most likely the British plate `AB12CDE`; `DMAB1234` may be the German `MAB1234`, or a plate by itself.
What can be badge and plate is told by `data/countries.toml` alone: a badge of the country before a text of one of the
layouts that its forms have. How likely that is, is weighed with all else (`likelihood`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.plate_codes import (
    CODE_COUNT,
    WIDTH,
    Bytes,
    PlateCodes,
    country_codes,
    country_text,
    encode_plates,
)
from anpr.matching.lookup.hash_table import Rows
from anpr.matching.scoring.background_model import layouts_of, official_layouts
from anpr.reference_data import tables

_LONGEST = 3
# By length, and by first code: its part of the number by which a text is looked up that may begin with a badge.
_OF_LENGTH = np.arange(WIDTH + 1) << 14
_OF_FIRST = np.arange(CODE_COUNT) << 8


class PrefixedPlate(NamedTuple):
    """A text as a badge, its country, and the plate behind it."""

    badge: str
    country: str
    plate: str


class CountryPrefixes:
    """The badges of all countries, ready to be found in a batch of reads."""

    def __init__(self, syntax: Mapping[str, Any]) -> None:
        """Take a table as `data/countries.toml` holds it."""
        names = sorted(syntax)
        self._countries = np.concatenate([[0], country_codes(names)]).astype(np.uint16)
        of_countries = [official_layouts(syntax[name]) for name in names]
        # By row of a country, 0 for none: whether plates have that layout.
        self._layouts = np.stack([np.zeros_like(of_countries[0]), *of_countries])
        # By length of a badge, and by its codes as one number: the row of its country.
        self._rows = [np.zeros(CODE_COUNT**length, np.uint8) for length in range(_LONGEST + 1)]
        # By a text's length, its first code, and which of its first eight are letters: whether it can be badge and
        # plate. Nearly all can not, and are turned away by this alone.
        self._begins = np.zeros(WIDTH + 1 << 14, bool)
        for row, name in enumerate(names, start=1):
            for badge in syntax[name]["badges"]:
                codes = encode_plates([badge], [None]).codes
                self._rows[len(badge)][_numbers(codes, len(badge))] = row
                behind = self._layouts[row].nonzero()[0]
                length = np.log2(behind).astype(np.intp)
                letters = (behind - (1 << length) << len(badge)) + (1 << len(badge)) - 1
                self._begins[(length + len(badge) << 14) + (int(codes[0, 0]) << 8) + (letters & 0xFF)] = True

    def taken_off(self, reads: PlateCodes) -> tuple[Rows, PlateCodes] | None:
        """Return the rows of those reads that can be badge and plate, and the plates, as of the badge's country.

        None where it is not worth a look: there is none.
        """
        begins = _OF_LENGTH.take(reads.lengths)
        begins += _OF_FIRST.take(reads.codes[:, 0])
        begins += reads.letters.view(np.uint8)[::2]
        begin = self._begins[begins].nonzero()[0]
        if not len(begin):
            return None
        heads = reads.codes.take(begin, axis=0)
        of_lengths = np.stack([rows.take(_numbers(heads, length)) for length, rows in enumerate(self._rows)])
        lengths, places = of_lengths.nonzero()
        which, countries = begin[places], of_lengths[lengths, places]
        plates = _without_head(reads.take(which), lengths, self._countries[countries])
        possible = self._layouts[countries, layouts_of(plates)].nonzero()[0]
        return which[possible], plates.take(possible)

    def of(self, text: str) -> Iterator[PrefixedPlate]:
        """Return all that a canonical text can be as badge and plate."""
        _, plates = self.taken_off(encode_plates([text], [None])) or (None, encode_plates([], []))
        for row in range(len(plates)):
            plate = plates.text(row)
            yield PrefixedPlate(text[: len(text) - len(plate)], country_text(int(plates.countries[row])) or "", plate)


def _without_head(reads: PlateCodes, lengths: Rows, countries: NDArray[np.uint16]) -> PlateCodes:
    """Return the reads without so many of their first characters, and as of these countries."""
    places = lengths[:, None] + np.arange(WIDTH)
    there, places = places < WIDTH, np.minimum(places, WIDTH - 1)
    codes = np.where(there, np.take_along_axis(reads.codes, places, axis=1), 0).astype(np.uint8)
    chars = reads.char_confidences
    if chars is not None:
        chars = np.where(there, np.take_along_axis(chars, places, axis=1), np.float32(np.nan))
    left = np.maximum(reads.lengths - lengths, 0).astype(np.uint8)
    return replace(reads, codes=codes, lengths=left, countries=countries, char_confidences=chars)


def _numbers(codes: Bytes, length: int) -> Rows:
    """Return the first codes of each text as one number."""
    numbers: Rows = (codes[:, :length].astype(np.intp) * CODE_COUNT ** np.arange(length)).sum(axis=1)
    return numbers


COUNTRY_PREFIXES: Final = CountryPrefixes(tables.load("countries"))
