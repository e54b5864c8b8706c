"""Whether a plate fits a layout of its country, by the forms of `countries.toml`. Pure.

A layout is where a plate has letters and where digits. The rare layouts (of personal, diplomatic and historic plates)
are not all known, so a plate that fits none may be right: a reason for a warning, never for a refusal by itself.
"""

import re
from functools import cache, lru_cache
from itertools import product
from typing import Any, Final

from anpr.reference_data import tables
from anpr.reference_data.limits import LONGEST_LAYOUT
from anpr.reference_data.rare_layouts import rare_layouts
from anpr.reference_data.table_checks import SYMBOLS

_COUNTRIES: Final = tables.load("countries")
_TO_LAYOUT: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", "A" * 26 + "9" * 10)

_MONTHS: Final = frozenset(
    month for months in tables.load("spreadsheet_words")["months"].values() for month in months
)
# 12-Mar-26, Mar-26, 12-March, 1E-23: where letters and digits are in them.
_AS_SPREADSHEETS_WRITE: Final = re.compile("9{0,2}A{3,9}(?:9{1,2}|9{4})?|9+A9+")


def has_known_layouts(country: str | None) -> bool:
    """Return whether the layouts of a country (its ISO 3166 code) are known."""
    return country in _COUNTRIES


def fits_known_layout(canonical_plate: str, country: str | None) -> bool:
    """Return whether a plate fits a layout of its country; of any, where its country or its layouts are not known."""
    return canonical_plate.translate(_TO_LAYOUT) in _layouts_for(country)


def pattern_fits_known_layout(canonical_pattern: str, country: str | None) -> bool:
    """Return whether a plate of a known layout can fit a pattern: `?` is one character, `*` any number of them."""
    return _pattern_fits(canonical_pattern.translate(_TO_LAYOUT), country)


@lru_cache(maxsize=4096)
def _pattern_fits(pattern: str, country: str | None) -> bool:
    fitting = re.compile(pattern.replace("?", ".").replace("*", ".*"))
    return any(map(fitting.fullmatch, _layouts_for(country)))


def fits_rare_layout(canonical_plate: str, country: str | None) -> bool:
    """Return whether a plate fits a layout that few plates of its country have, and is no month with a number."""
    if country is None or not has_known_layouts(country):
        return False
    layout = canonical_plate.translate(_TO_LAYOUT)
    return layout in _rare_layouts(country) and canonical_plate.strip("0123456789") not in _MONTHS


@lru_cache(maxsize=4096)
def _is_plainly_a_plate(layout: str, country: str | None) -> bool:
    return layout in _layouts_for(country) and "A" in layout and not _AS_SPREADSHEETS_WRITE.fullmatch(layout)


def is_plainly_a_plate(canonical_plate: str, country: str | None) -> bool:
    """Return whether a plate fits a known layout, and no spreadsheet writes a number or a date in that layout."""
    return _is_plainly_a_plate(canonical_plate.translate(_TO_LAYOUT), country)


def has_plates_of_digits(country: str) -> bool:
    """Return whether many plates of a country have digits alone."""
    return any(set(layout) == {"9"} for layout in _layouts_for(country))


def could_be_issued(canonical_plate: str, country: str | None) -> bool:
    """Return whether a form of this country has a plate with these very letters; False where no form is known."""
    return country is not None and has_known_layouts(country) and bool(_forms(country).fullmatch(canonical_plate))


@lru_cache(maxsize=4096)
def could_be_issued_anywhere(canonical_plate: str) -> bool:
    """Return whether a form of any country has a plate with these very letters."""
    return any(could_be_issued(canonical_plate, country) for country in _COUNTRIES)


def _layouts_for(country: str | None) -> frozenset[str]:
    """Return the layouts of a country; of all, where the country or its layouts are not known."""
    return _layouts(country) if country is not None and has_known_layouts(country) else _all_layouts()


@cache
def _layouts(country: str) -> frozenset[str]:
    syntax = _COUNTRIES[country]
    found = set()
    for form in (*syntax["forms"], *syntax.get("trailer", ())):
        parts = [_values(symbol, syntax) for symbol in form["form"]]
        found |= {"".join(combination).translate(_TO_LAYOUT) for combination in product(*map(_distinct, parts))}
    longest = min(syntax.get("longest", LONGEST_LAYOUT), LONGEST_LAYOUT)
    return frozenset(layout for layout in found if len(layout) <= longest)


@cache
def _rare_layouts(country: str) -> frozenset[str]:
    return rare_layouts(_COUNTRIES[country].get("rare", ()))


@cache
def _all_layouts() -> frozenset[str]:
    return frozenset().union(*map(_layouts, _COUNTRIES))


@cache
def _forms(country: str) -> re.Pattern[str]:
    syntax = _COUNTRIES[country]
    return re.compile(
        "|".join(
            "".join(f"(?:{'|'.join(_values(symbol, syntax))})" for symbol in form["form"])
            for form in (*syntax["forms"], *syntax.get("trailer", ()))
        )
    )


def _values(symbol: str, syntax: dict[str, Any]) -> list[str]:
    """Return the texts that a symbol of a form stands for."""
    if symbol == "9":
        return list("0123456789")
    return list(syntax[SYMBOLS[symbol]]) if symbol in SYMBOLS else [symbol]


def _distinct(values: list[str]) -> set[str]:
    return {value.translate(_TO_LAYOUT) for value in values}
