"""Makes random plates by their country's syntax, and checks plates against it.

The syntax is in `anpr/reference_data/countries.toml`, which explains the symbols of its forms.
"""

import re
from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any

from anpr.reference_data import tables
from simulators.weighted import Weighted

_TABLES: Mapping[str, dict[str, Any]] = tables.load("countries")
COUNTRIES = tuple(_TABLES)


def make_plate(country: str, rng: Random, *, trailer: bool = False) -> str:
    """Return a random canonical plate of the country, of the trailers' own series if asked for and if it has one.

    Raises KeyError for a country that is not in the table.
    """
    table = _TABLES[country]
    forms = _forms(country, trailer=trailer)
    longest = table.get("longest", 99)
    while True:
        plate = "".join([_character(symbol, table, rng) for symbol in forms.draw(rng)])
        if len(plate) <= longest:
            return plate


def later_plate(country: str, plate: str, by: int) -> str:
    """Return the plate that the country issues `by` plates later, of the same length.

    The last group of three or more digits counts on; without one, the last letter does. Each starts again after its
    end. If the country issues no such plate, return the plate itself.
    """
    digits = [found.span() for found in re.finditer("[0-9]{3,}", plate)]
    if digits:
        start, end = digits[-1]
        number = (int(plate[start:end]) + by) % 10 ** (end - start)
        counted = f"{plate[:start]}{number:0{end - start}}{plate[end:]}"
    else:
        letters = _TABLES[country].get("serial") or _TABLES[country]["alphabet"]
        positions = [position for position, character in enumerate(plate) if character in letters]
        if not positions:
            return plate
        last = positions[-1]
        counted = plate[:last] + letters[(letters.index(plate[last]) + by) % len(letters)] + plate[last + 1 :]
    return counted if fits_country(country, counted) else plate


def fits_country(country: str, plate: str) -> bool:
    """Tell whether the canonical plate has one of the country's forms, trailers' forms included."""
    return _pattern(country).fullmatch(plate) is not None and len(plate) <= _TABLES[country].get("longest", 99)


def _character(symbol: str, table: dict[str, Any], rng: Random) -> str:
    if symbol == "9":
        return "0123456789"[int(rng.random() * 10)]
    values = _values(symbol, table)
    return values[int(rng.random() * len(values))] if values else symbol


def _values(symbol: str, table: dict[str, Any]) -> str | list[str]:
    """Return the characters or codes that the symbol stands for, nothing when it stands for itself."""
    name = {"A": "alphabet", "S": "serial", "C": "codes"}.get(symbol)
    return table[name] if name else ""


@cache
def _forms(country: str, *, trailer: bool) -> Weighted[str]:
    table = _TABLES[country]
    forms = table["trailer"] if trailer and "trailer" in table else table["forms"]
    return Weighted([(form["form"], form["weight"]) for form in forms])


@cache
def _pattern(country: str) -> re.Pattern[str]:
    table = _TABLES[country]
    forms = [*table["forms"], *table.get("trailer", ())]
    return re.compile("|".join("".join(_expression(symbol, table) for symbol in form["form"]) for form in forms))


def _expression(symbol: str, table: dict[str, Any]) -> str:
    if symbol == "9":
        return "[0-9]"
    return f"(?:{'|'.join(values)})" if (values := _values(symbol, table)) else symbol
