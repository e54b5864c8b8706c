"""A cell that holds a plate and something else: a second plate, its country, a remark. Pure.

The plate is taken where it is certain: beside it is only its country, or a remark in brackets. Otherwise the cell is
refused.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import combinations, pairwise
from typing import Final, NamedTuple

from anpr.contracts import plates
from anpr.contracts.country_codes import country_code
from anpr.contracts.districts import COUNTRIES_WITH_GAP, is_grouped_by_district
from anpr.watchlist.csv_cells import InvalidCellError
from anpr.watchlist.layout_check import (
    could_be_issued,
    could_be_issued_anywhere,
    fits_known_layout,
    fits_rare_layout,
    has_known_layouts,
    pattern_fits_known_layout,
)

_SHORTEST_PLATE: Final = 4
_SHORTEST_REMARK: Final = 3
_LONGEST_SIGN: Final = 3
_COUNTRY_OF_MANY_DISTRICTS: Final = "DE"
# No plate has these marks; people write them between a plate and what stands beside it.
_PARTS: Final = re.compile(r"[/\\,;:&+|()\[\]{}<>]+")
_REMARK_IN_BRACKETS: Final = re.compile(r"\s*(?:\((?P<round>[^()]*)\)|\[(?P<square>[^\[\]]*)\])\s*")
_TOKENS: Final = re.compile(r"\S+")
# United Kingdom, Bosnia & Herzegovina.
_MOST_WORDS_OF_A_NAME: Final = 3
# A plate is written in three groups at most; a fourth one before or behind it is something else.
MOST_GROUPS: Final = 3
TWO_PLATES: Final = "holds two plates: give each a line of its own"
_REMARK: Final = "holds a plate and something beside it: leave the plate alone in its cell"


class Separated(NamedTuple):
    """The plate of a cell as written, and its country where it stood beside the plate."""

    plate: str
    country: str | None


def separate(text: str, country: str | None) -> Separated | None:
    """Return the plate of a cell that holds more, None for a cell that is one plate or no plate at all.

    Raises InvalidCellError for two plates, and where it is not certain what belongs to the plate.
    """
    found = _by_marks(text, country) if _PARTS.search(text) else _by_spaces(text, country)
    if found is None:
        return None
    # What is left may hold more than a plate too.
    within = separate(found.plate, found.country or country)
    return found if within is None else Separated(within.plate, within.country or found.country)


def _by_marks(text: str, country: str | None) -> Separated | None:
    parts = [part.strip() for part in _PARTS.split(text) if part.strip(" -.")]
    found = [part for part in parts if _is_plate(part)]
    if len(found) > 1:
        raise InvalidCellError(text, TWO_PLATES)
    if not found:
        return None
    [plate] = found
    others = [part for part in parts if part is not plate]
    codes = {country_code(other.strip(" -.")) for other in others}
    if others and None not in codes and len(codes) == 1:
        return _of_country(text, plate, others[0].strip(" -."), country)
    without = _REMARK_IN_BRACKETS.sub(" ", text).strip()
    if without == plate and others and _is_beside_remarks(plates.canonical(plate), others, country):
        return Separated(plate, None)
    if others or text.strip(" -.") != plate:
        raise InvalidCellError(text, _REMARK)
    return None


def _is_beside_remarks(key: str, others: list[str], country: str | None) -> bool:
    """Return whether what is in brackets beside a plate is no part of it: ABC 12 (3) may be ABC 123."""
    return fits_known_layout(key, country) or (fits_rare_layout(key, country) and all(map(_is_remark, others)))


def _by_spaces(text: str, country: str | None) -> Separated | None:
    spans = [match.span() for match in _TOKENS.finditer(_without_separators(text))]
    if len(spans) <= 1:
        return None
    is_one_plate = _has_known_layout(text, country)
    separated = _beside_country(text, spans, country)
    if plates.is_pattern(text):
        return None if is_one_plate and len(spans) <= MOST_GROUPS else separated
    key = plates.canonical(text)
    if is_one_plate and len(spans) <= MOST_GROUPS:
        return separated if separated and not _could_be_whole(text, key, country, separated.country) else None
    if separated or is_one_plate or fits_rare_layout(key, country):
        return separated
    if _holds_two_plates(text, spans, country):
        raise InvalidCellError(text, TWO_PLATES)
    for (_, end), (start, _) in pairwise(spans):
        for part, other in ((text[:end], text[start:]), (text[start:], text[:end])):
            if _is_whole_plate(part, country) and _is_remark(other):
                raise InvalidCellError(text, _REMARK)
    return None


def may_have_sign(text: str, country: str | None) -> bool:
    """Return whether the first or last group of a text in plain letters may be its country's sign: quickly."""
    groups = text.upper().replace("-", " ").split(" ")
    return len(groups) > 1 and (_is_sign(groups[0], country) or _is_sign(groups[-1], country))


def may_hold_country(text: str, country: str | None) -> bool:
    """Return whether what is taken as one plate may be a plate with its country's sign beside it: EE 789 KY."""
    spans = [match.span() for match in _TOKENS.finditer(_without_separators(text))]
    separated = _beside_country(text, spans, country) if 1 < len(spans) <= MOST_GROUPS else None
    if separated is None or separated.country is None:
        return False
    # In D-AB 123 the gap shows that D is the district.
    return separated.country not in COUNTRIES_WITH_GAP or not is_grouped_by_district(text, separated.country)


def _is_sign(group: str, country: str | None) -> bool:
    if len(group) > _LONGEST_SIGN or not group.isalpha():
        return False
    code = _country_of_sign(group)
    return code is not None and code == (country or code)


@lru_cache(maxsize=4096)
def _country_of_sign(group: str) -> str | None:
    code = country_code(group)
    return code if has_known_layouts(code) else None


def _could_be_whole(text: str, key: str, country: str | None, of_sign: str | None) -> bool:
    """Return whether a text that begins or ends with a country's sign could be one plate, written as it is."""
    # Not all German districts are known, so the gap decides: LTU-VK 807 may be German, and LT ABC 123 may not.
    if country in {None, _COUNTRY_OF_MANY_DISTRICTS} and is_grouped_by_district(text, _COUNTRY_OF_MANY_DISTRICTS):
        return True
    if could_be_issued(key, country) or (country is None and could_be_issued_anywhere(key)):
        return True
    of_country = country or of_sign
    return of_country not in COUNTRIES_WITH_GAP and fits_rare_layout(key, of_country)


def _without_separators(text: str) -> str:
    """Return a text of the same length with a space for each mark that separates and is seen."""
    return "".join(" " if not plates.meaning_of(c) and not _is_invisible(c) else c for c in text)


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in {"Cf", "Mn"}


def _beside_country(text: str, spans: list[tuple[int, int]], country: str | None) -> Separated | None:
    """Return the plate of a text that begins or ends with its country: a code, or a name of a few words."""
    for words in range(1, min(_MOST_WORDS_OF_A_NAME, len(spans) - 1) + 1):
        for rest, name in (
            (text[spans[words][0] :], text[: spans[words - 1][1]]),
            (text[: spans[-words - 1][1]], text[spans[-words][0] :]),
        ):
            code = country_code(name)
            is_known = code is not None and has_known_layouts(code) and code == (country or code)
            if is_known and _has_known_layout(rest, code):
                return Separated(rest.strip(), code)
    return None


def _holds_two_plates(text: str, spans: list[tuple[int, int]], country: str | None) -> bool:
    """Return whether two plates stand behind each other, whatever word is between them."""
    ends = [
        (first, last)
        for first in range(len(spans))
        for last in range(first, min(first + MOST_GROUPS, len(spans)))
        if _is_whole_plate(text[spans[first][0] : spans[last][1]], country)
    ]
    return any(last < first for (_, last), (first, _) in combinations(sorted(ends), 2))


def _of_country(text: str, plate: str, sign: str, country: str | None) -> Separated:
    beside = country_code(sign)
    if country is not None and beside != country:
        raise InvalidCellError(text, f"says the plate is of {beside}, and the column `country` says {country}")
    within = separate(plate, beside)  # two plates are refused as two
    if not _may_be_of(within.plate if within else plate, beside, sign):
        raise InvalidCellError(text, _REMARK)
    return Separated(plate, beside)


def _may_be_of(plate: str, country: str | None, sign: str) -> bool:
    """Return whether a plate or pattern may be of the country whose sign is beside it.

    A sign of one letter may as well be the plate's last letter, as in AB12CD(E): then its letters must be possible.
    """
    if plates.is_pattern(plate):
        return pattern_fits_known_layout(plates.canonical_pattern(plate), country)
    key = plates.canonical(plate)
    if not has_known_layouts(country) and len(sign) > 1:
        return True
    if len(sign) == 1 and has_known_layouts(country):
        return could_be_issued(key, country)
    return fits_known_layout(key, country) or fits_rare_layout(key, country)


def _has_known_layout(text: str, country: str | None) -> bool:
    """Return whether a plate fits a layout of its country, or of any, and whether one can fit a pattern."""
    if plates.is_pattern(text):
        return pattern_fits_known_layout(plates.canonical_pattern(text), country)
    return fits_known_layout(plates.canonical(text), country)


def _is_plate(part: str) -> bool:
    """Return whether a part may be a plate: it has a digit, and nothing that is not understood."""
    key = plates.canonical(part)
    is_long_enough = _SHORTEST_PLATE <= len(key) <= plates.MAX_CANONICAL_LENGTH
    return is_long_enough and any(map(str.isdigit, key)) and not plates.not_understood(part)


def _is_whole_plate(part: str, country: str | None) -> bool:
    key = plates.canonical(part)
    has_layout = fits_known_layout(key, country) or fits_rare_layout(key, country)
    return len(key) > _SHORTEST_PLATE and not key.isdigit() and has_layout


def _is_remark(part: str) -> bool:
    key = plates.canonical(part)
    return len(key) >= _SHORTEST_REMARK and key.isalpha()
