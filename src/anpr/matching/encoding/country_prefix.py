"""Country prefixes: the country letters beside a plate, on its blue band or a sticker, read as part of the plate.

`GBAB12CDE` is most likely the British plate `AB12CDE`. `DMAB1234` may be the German plate `MAB1234`, or a plate by
itself. Only `countries.toml` decides what can be a prefix and a plate: the letters are a badge of the country, and
the text behind them has one of the layouts of its forms. The score weighs how probable that is
(`scoring.likelihood`).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.columns import Texts, for_kernels, texts_for_kernels
from anpr.matching.encoding.cuts import Cuts, all_cuts, cut_out, write_cut
from anpr.matching.encoding.layouts import layout_of
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
from anpr.matching.kernels import as_int, kernel, step
from anpr.matching.scoring.background_model import official_layouts
from anpr.reference_data import tables
from anpr.reference_data.limits import LONGEST_BADGE


class PrefixedPlate(NamedTuple):
    """A text as a country prefix, its country, and the plate behind it."""

    prefix: str
    country: str
    plate: str


class PrefixTables(NamedTuple):
    """What kernels look up. `countries` and `layouts` are by the row of a country, 0 for none."""

    rows: NDArray[np.uint8]
    countries: NDArray[np.uint16]
    layouts: NDArray[np.bool_]


class CountryPrefixes:
    """The prefixes of all countries, ready to be found in a batch of reads."""

    def __init__(self, countries: Mapping[str, Any]) -> None:
        """Take a table with the fields of `countries.toml`."""
        names = sorted(countries)
        layouts = [official_layouts(countries[name]) for name in names]
        # By the codes of a prefix as one number: the row of its country, 0 for none.
        rows = np.zeros(CODE_COUNT**LONGEST_BADGE, np.uint8)
        for row, name in enumerate(names, start=1):
            for badge in countries[name]["badges"]:
                rows[_number(encode_plates([badge], [None]).codes[0], len(badge))] = row
        self.tables: Final = for_kernels(
            PrefixTables(
                rows=rows,
                countries=np.concatenate([[0], country_codes(names)]).astype(np.uint16),
                layouts=np.stack([np.zeros_like(layouts[0]), *layouts]),
            )
        )

    def strip(self, reads: PlateCodes) -> tuple[Rows, PlateCodes]:
        """Return the rows of the reads that can be prefix and plate, and these plates as of the prefix's country."""
        texts = texts_for_kernels(reads)
        return cut_out(texts, all_cuts(lambda cuts: _cuts_of_all(self.tables, texts, cuts), len(reads)))

    def splits(self, text: str) -> Iterator[PrefixedPlate]:
        """Return all ways to read a canonical text as prefix and plate."""
        _, plates = self.strip(encode_plates([text], [None]))
        for row in range(len(plates)):
            plate = plates.text(row)
            yield PrefixedPlate(text[: len(text) - len(plate)], country_text(int(plates.countries[row])) or "", plate)


@step
def prefix_cuts(prefixes: PrefixTables, codes: Codes, length: int, row: int, cuts: Cuts, number: int) -> int:
    """Add the ways to read a text as prefix and plate, the shortest prefix first. Return how many cuts there are."""
    for size in range(1, min(LONGEST_BADGE, length - 1) + 1):
        of_country = prefixes.rows[_number_of(codes, size)]
        if of_country and prefixes.layouts[of_country, layout_of(codes[size:], length - size)]:
            country = prefixes.countries[of_country]
            number = write_cut(cuts, number, row, size, length - size, WIDTH, country, 1.0, False, False)
    return number


def _number(codes: Codes, size: int) -> int:
    """Return the first codes of a text as one number: no code is 0, so texts of all sizes differ."""
    number = 0
    for at in range(size):
        number = number * CODE_COUNT + int(codes[at])
    return number


_number_of = step(_number)


@kernel
def _cuts_of_all(prefixes: PrefixTables, texts: Texts, cuts: Cuts) -> int:
    number = 0
    for row in range(len(texts.lengths)):
        number = prefix_cuts(prefixes, texts.codes[row], as_int(texts.lengths[row]), row, cuts, number)
    return number


COUNTRY_PREFIXES: Final = CountryPrefixes(tables.load("countries"))
