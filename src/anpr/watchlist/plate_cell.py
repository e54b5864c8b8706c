"""The plate cell of a list file: from the text to the plate; what is no plate is refused by name. Pure."""

import re
from typing import Final, NamedTuple

from anpr.contracts import plates
from anpr.contracts.districts import hides_district
from anpr.contracts.no_plate import says_no_plate
from anpr.contracts.plate_marks import is_gap
from anpr.watchlist import beside_plate, spreadsheet_cells
from anpr.watchlist.beside_plate import MOST_GROUPS
from anpr.watchlist.csv_cells import InvalidCellError, as_text
from anpr.watchlist.layout_check import (
    fits_known_layout,
    fits_rare_layout,
    is_plainly_a_plate,
    pattern_fits_known_layout,
)

# A pattern that fixes fewer characters than this would match a good part of the traffic.
MIN_FIXED_CHARACTERS: Final = 3
MAX_PLATE_CHARACTERS: Final = 64
# Cameras read a plate with fewer characters by chance from other plates, and from things that are not plates.
SHORT_PLATE_CHARACTERS: Final = 4

_MAY_BE_WRITTEN: Final = (
    "write spaces, hyphens or dots between the groups, ? for one unknown character, * for any number of them"
)
_PLAIN: Final = re.compile("[A-Za-z0-9]+(?:[ -][A-Za-z0-9]+)*")
_QUOTES: Final = "\"'`´‘’‚“”„«»"  # noqa: RUF001  the quotes of all languages are meant
_QUOTED: Final = re.compile(f"=?[{_QUOTES}]+(?P<text>.*?)[{_QUOTES}]*")

# Why a line is worth a look although it is taken. Each becomes a warning with the number of lines and samples.
TAKEN_FROM_MORE: Final = "cells that held more than a plate, of which the plate was taken"
NO_KNOWN_LAYOUT: Final = "plates that fit no known layout of their country, or of any"
PATTERN_OF_NO_LAYOUT: Final = "patterns that no plate of a known layout of their country, or of any, can fit"
MASKED: Final = "plates with XXX, which may stand for characters that are not known: write ? for each of them"
DIGITS_ONLY: Final = "plates of digits alone without a country, which a spreadsheet may have changed"
NO_DISTRICT: Final = "plates without the gap behind the district, which ring for every vehicle with this text"
MAY_HOLD_COUNTRY: Final = "plates that may have their country's sign beside them: leave the plate alone in its cell"
SHORT: Final = (
    f"with fewer than {SHORT_PLATE_CHARACTERS} letters and digits: "
    "cameras read such texts by chance from other things"
)
# Dots and dashes in a row stand for what the writer does not know: AB12..., AB1----. Each alone would separate.
_ROW_OF_SEPARATORS: Final = re.compile("[^\\w\\s?*]{3,}|^[^\\w\\s?*]{2,}|[^\\w\\s?*]{2,}$")
_MASK: Final = "XXX"


class PlateCell(NamedTuple):
    """A plate or pattern as written, and a key that is equal for equal plates.

    `country` is the one that stood beside the plate, None for none. `notes` says why the line is worth a look.
    """

    plate: str
    key: str
    country: str | None = None
    notes: tuple[str, ...] = ()


def read_plate_cell(cell: str, country: str | None = None) -> PlateCell:
    """Return the plate of a cell; `country` is the line's own, as an ISO 3166 code. Raises InvalidCellError."""
    text = as_text(cell)
    if _PLAIN.fullmatch(text) and len(text) <= MAX_PLATE_CHARACTERS:
        key = plates.canonical(text)
        is_usual = len(key) >= SHORT_PLATE_CHARACTERS and text.count(" ") + text.count("-") < MOST_GROUPS
        is_usual = is_usual and not beside_plate.may_have_sign(text, country)
        if is_usual and _MASK not in key and is_plainly_a_plate(key, country):
            return PlateCell(text, key, None, (NO_DISTRICT,) if hides_district(text, key, country) else ())
    return _read_with_care(text, country)


def _read_with_care(cell: str, country: str | None) -> PlateCell:
    quoted = _QUOTED.fullmatch(cell)
    text = quoted["text"].strip() if quoted else cell
    if len(text) > MAX_PLATE_CHARACTERS:
        raise InvalidCellError(text, f"is longer than {MAX_PLATE_CHARACTERS} characters: it has {len(text)}")
    if plates.has_mojibake(text):
        _refuse_what_is_not_understood(text)
    if reason := spreadsheet_cells.refusal(text, country):
        raise InvalidCellError(text, reason)
    if says_no_plate(text):
        raise InvalidCellError(
            text, "says that there is no plate, and no read that says so is matched: leave the line out"
        )
    separated = beside_plate.separate(text, country)
    plate, beside = separated or (text, None)
    key = plate_key(plate)
    if reason := spreadsheet_cells.refusal_of_digits(key, beside or country):
        raise InvalidCellError(text, reason)
    notes = [TAKEN_FROM_MORE] if quoted or separated else []
    return PlateCell(plate, key, beside, (*notes, *_doubts(plate, key, beside or country)))


def plate_key(text: str) -> str:
    """Return the key of a plate or pattern. Raises InvalidCellError for what no list takes."""
    _refuse_what_is_not_understood(text)
    if plates.is_pattern(text):
        key = plates.canonical_pattern(text)
        if len(key) - key.count("?") - key.count("*") < MIN_FIXED_CHARACTERS:
            raise InvalidCellError(text, f"a pattern needs at least {MIN_FIXED_CHARACTERS} letters or digits")
    else:
        key = plates.canonical(text)
    if not key or len(key) > plates.MAX_CANONICAL_LENGTH:
        counted = len(key) or "none: leave the line out"
        raise InvalidCellError(
            text, f"a plate has 1 to {plates.MAX_CANONICAL_LENGTH} letters and digits, and this has {counted}"
        )
    if (row := _ROW_OF_SEPARATORS.search(text)) and any(map(is_gap, row[0])):
        raise InvalidCellError(
            text, f"{row[0]!r} may stand for characters that are not known: write ? for each, or * for any number"
        )
    return key


def _doubts(plate: str, key: str, country: str | None) -> list[str]:
    if len(key) < SHORT_PLATE_CHARACTERS:
        return [SHORT]
    may_hold_country = [MAY_HOLD_COUNTRY] if beside_plate.may_hold_country(plate, country) else []
    if plates.is_pattern(plate):
        return may_hold_country if pattern_fits_known_layout(key, country) else [PATTERN_OF_NO_LAYOUT]
    doubts = [NO_DISTRICT] if hides_district(plate, key, country) else []
    if _MASK in key:
        doubts.append(MASKED)
    if not fits_known_layout(key, country) and not fits_rare_layout(key, country):
        return [NO_KNOWN_LAYOUT, *doubts]
    return [DIGITS_ONLY] if key.isdigit() and country is None else [*doubts, *may_hold_country]


def _refuse_what_is_not_understood(text: str) -> None:
    """Raise InvalidCellError for a text with a character that is no letter, digit, separator or wildcard."""
    # If it were left out, plates that differ only in it would become one.
    marks = plates.not_understood(text)
    if not marks:
        return
    if plates.has_mojibake(text):
        raise InvalidCellError(
            text, f"{marks[:8]!r} is not in any plate: the file was decoded wrongly before; export it again as UTF-8"
        )
    if letters := plates.unknown_letters(text):
        raise InvalidCellError(text, f"no Latin letter is known for {letters[:8]!r}: use Latin letters")
    raise InvalidCellError(text, f"{marks[:8]!r} separates nothing on a plate: {_MAY_BE_WRITTEN}")
