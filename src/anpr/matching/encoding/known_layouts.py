"""The layouts that plates of each country are known to have: the forms of `countries.toml` and its `rare` layouts."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.plate_codes import COUNTRY_COUNT, Rows, country_codes, encode_plates
from anpr.matching.scoring.background_model import official_layouts
from anpr.reference_data import tables
from anpr.reference_data.rare_layouts import rare_layouts


class KnownLayouts:
    """Which layouts are known, by country. Where a country's are not known, those of all countries count."""

    def __init__(self, countries: Mapping[str, Any]) -> None:
        """Take a table with the fields of `countries.toml`."""
        names = sorted(countries)
        self.row_of_country: Final = np.zeros(COUNTRY_COUNT, np.intp)
        self.row_of_country[country_codes(names)] = np.arange(1, len(names) + 1)
        by_country = [official_layouts(countries[name]) for name in names]
        for name, layouts in zip(names, by_country, strict=True):
            rare = sorted(rare_layouts(countries[name].get("rare", ())))
            layouts[encode_plates(rare, [None] * len(rare)).layouts] = True
        # For each country's row (0 for any): which layouts its plates have.
        self.by_row: Final = np.stack([np.any(by_country, axis=0), *by_country])

    def rows(self, countries: NDArray[np.uint16]) -> Rows:
        """Return the row of each country."""
        return self.row_of_country.take(countries)

    def have(self, countries: NDArray[np.uint16], layouts: Rows) -> NDArray[np.bool_]:
        """Return for each country (0 for any) and layout (as `PlateCodes.layouts`) whether the country has it."""
        is_known: NDArray[np.bool_] = self.by_row[self.rows(countries), layouts]
        return is_known

    def has(self, plate: str, country: str | None) -> bool:
        """Return whether a canonical plate has a layout of its country."""
        encoded = encode_plates([plate], [country])
        return bool(self.have(encoded.countries, encoded.layouts)[0])


KNOWN_LAYOUTS: Final = KnownLayouts(tables.load("countries"))
