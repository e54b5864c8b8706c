"""What a spreadsheet makes of a plate by itself: a number, a date, an error. Pure.

What could be a plate of a known form of its country is none of these: some plates have digits only.
"""

import re
from typing import Final

from anpr.contracts import plates
from anpr.reference_data import tables
from anpr.watchlist.layout_check import could_be_issued, has_known_layouts, has_plates_of_digits

_WORDS: Final = tables.load("spreadsheet_words")
_ERRORS: Final = tuple(_WORDS["errors"]["begin"])
_MONTHS: Final = frozenset(month for months in _WORDS["months"].values() for month in months)

# #1 AB12 CDE is a plate with a number before it, and no error: #DIV/0!
_NUMBERED_PLATE: Final = re.compile(r"#[^/!?]*\d[^/!?]*")

_POWER_OF_TEN: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?E[+-]\d+|[+-]?\d+[.,]\d+E\d+", re.IGNORECASE)
_DECIMAL: Final = re.compile(r"[+-]?\d+[.,]\d*|[+-]?\d*[.,]\d+|[+-]\d+")
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:[.,]\d{3})+")
_TIME: Final = re.compile(r"(?:.*[\sT])?\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?")
_DATE: Final = re.compile(
    r"(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}(?:[ T]\d\d:\d\d.*)?"
    r"|\d{1,2}(?P<mark>[-/.])\d{1,2}(?P=mark)(?:\d{2}|\d{4})(?: \d\d:\d\d.*)?"
    r"|\d{1,2}/\d{1,4}"
)
_WITH_MONTH: Final = re.compile(
    r"(?P<day>\d{1,2})?(?P<before>[-. /]{0,2})(?P<month>[^\W\d_]{3,9})"
    r"(?P<after>\.?[-. /]{0,2})(?P<year>\d{1,2}|(?:19|20)\d\d)?"
)


def refusal(text: str, country: str | None) -> str | None:
    """Return why a cell is what a spreadsheet wrote and no plate; None for any other text."""
    if text.upper().startswith(_ERRORS) and not _NUMBERED_PLATE.fullmatch(text):
        return "is an error that a spreadsheet wrote, no plate: correct the cell and export the file again"
    kind = _kind(text)
    # A Luxembourg plate may be written 12.345, and 1234.5 is a number.
    is_decimal = _DECIMAL.fullmatch(text) and not _THOUSANDS.fullmatch(text)
    if kind is None or (not is_decimal and could_be_issued(plates.canonical(text), country)):
        return None
    return f"a spreadsheet has made {kind} of the plate: save the column as text, and type the plate again"


def refusal_of_digits(key: str, country: str | None) -> str | None:
    """Return why a plate of digits alone is refused: all known plates of its country have letters."""
    if not key.isdigit() or country is None or not has_known_layouts(country) or has_plates_of_digits(country):
        return None
    return (
        f"is a number, and the plates of {country} have letters: if a spreadsheet changed it, save the column as "
        "text; if it is a plate, leave its country out"
    )


def _kind(text: str) -> str | None:
    if _POWER_OF_TEN.fullmatch(text) or _DECIMAL.fullmatch(text):
        return "a number"
    if _DATE.fullmatch(text) or _TIME.fullmatch(text) or _has_month(text):
        return "a date"
    return None


def _has_month(text: str) -> bool:
    """Return whether a text is a date with the name of its month: 12-Mar, Mar-26, 1. Mär 2026.

    `12 MAR` and `MAR12` in capitals are written as people write a plate.
    """
    date = _WITH_MONTH.fullmatch(text)
    if date is None or not (date["day"] or date["year"]) or plates.canonical(date["month"]) not in _MONTHS:
        return False
    if date["day"] and int(date["day"]) > 31:
        return False
    marks = (date["before"] + date["after"]).strip(" ")
    return bool(marks) or date["month"].istitle() or bool(date["day"] and date["year"] and " " in text)
