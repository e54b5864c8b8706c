"""Plates by their country's syntax: made at random, and tested.

The syntax is `anpr/reference_data/countries.toml`; the symbols of its forms are explained there.
"""

import re
from functools import cache
from random import Random
from typing import Any

from anpr.reference_data import tables
from simulators.draw import Weighted

_TABLES: dict[str, dict[str, Any]] = tables.load("countries")
COUNTRIES = tuple(_TABLES)


def make(country: str, rng: Random, *, trailer: bool = False) -> str:
    """Return a canonical plate of the country, of a trailer's own series where it has one.

    Raises KeyError for a country that the table does not hold.
    """
    table = _TABLES[country]
    forms = _forms(country, trailer=trailer)
    longest = table.get("longest", 99)
    while True:
        plate = "".join([_character(symbol, table, rng) for symbol in forms.draw(rng)])
        if len(plate) <= longest:
            return plate


def later(country: str, plate: str, by: int) -> str:
    """Return the plate that is given so many plates later, of the same length.

    Its last digits count on when there are three or more, else its last letter; each begins again after its end.
    The plate itself when the country gives no such one.
    """
    digits = [found.span() for found in re.finditer("[0-9]{3,}", plate)]
    if digits:
        start, end = digits[-1]
        number = (int(plate[start:end]) + by) % 10 ** (end - start)
        counted = f"{plate[:start]}{number:0{end - start}}{plate[end:]}"
    else:
        letters = _TABLES[country].get("serial") or _TABLES[country]["alphabet"]
        places = [place for place, character in enumerate(plate) if character in letters]
        if not places:
            return plate
        place = places[-1]
        counted = plate[:place] + letters[(letters.index(plate[place]) + by) % len(letters)] + plate[place + 1 :]
    return counted if fits(country, counted) else plate


def fits(country: str, plate: str) -> bool:
    """Tell whether the canonical plate has one of the country's forms, a trailer's included."""
    return _pattern(country).fullmatch(plate) is not None and len(plate) <= _TABLES[country].get("longest", 99)


def _character(symbol: str, table: dict[str, Any], rng: Random) -> str:
    if symbol == "9":
        return "0123456789"[int(rng.random() * 10)]
    values = _values(symbol, table)
    return values[int(rng.random() * len(values))] if values else symbol


def _values(symbol: str, table: dict[str, Any]) -> str | list[str]:
    """Return what the symbol may stand for; nothing when it stands for itself."""
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
