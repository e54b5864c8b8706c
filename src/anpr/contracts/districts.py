"""The district that a plate's text shows, where one text can be of several.

`B-MW 555` is of Berlin and `BM-W 555` of Bergheim: two vehicles with one canonical text. Only the gap behind the
district's letters tells them apart. `countries.toml` names the countries where that is so; a text without a country
may be of any of them.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache, lru_cache
from string import ascii_uppercase, digits
from typing import Any, Final, NamedTuple

from anpr.contracts.plate_marks import PADDING, WILDCARDS, Position, is_gap, meaning_of, positions
from anpr.contracts.plates import canonical_pattern, country_of
from anpr.reference_data import tables


class LetterGroups(NamedTuple):
    """How many of a plate's first letters are of the district, and how many stand behind its gap."""

    district: int
    behind: int


# What may stand at each position of a plate: any letter (`a`), any digit (`9`), or one of the letters named.
_Shape = tuple[str, ...]

_DISTRICT_GAPS: Final[Mapping[str, Any]] = {
    name: country["district_gap"] for name, country in tables.load("countries").items() if "district_gap" in country
}
COUNTRIES_WITH_GAP: Final = frozenset(_DISTRICT_GAPS)
_SUFFIXES: Final = frozenset(suffix for gap in _DISTRICT_GAPS.values() for suffix in gap.get("suffixes", ""))
# In ASCII, only a text with letters on both sides of its first gap can show a district. Nearly no listed plate has.
_MAY_SHOW: Final = re.compile(r"[\W_]*[A-Za-z?]+[^A-Za-z0-9?*]+[A-Za-z?*]")
_ASCII_POSITIONS: Final = {
    character: Position(character, meaning_of(character)) for character in map(chr, range(128))
}
_TO_LAYOUT: Final = str.maketrans(ascii_uppercase + digits, "a" * 26 + "9" * 10)


def shown_district(plate: str, country: str | None) -> int | None:
    """Return how many letters the district of a listed plate or pattern has, as its gaps show.

    None where they do not show it, and where only one district is possible. `country` is the plate's ISO 3166 code.
    """
    if country is not None and country_of(country) not in _DISTRICT_GAPS:
        return None
    if plate.isascii() and not _MAY_SHOW.match(plate):
        return None
    return _shown_district(plate, country)


def hides_district(plate: str, canonical: str, country: str | None) -> bool:
    """Return whether a plate of a known country could be of several districts, and no gap shows of which."""
    if country is None or country_of(country) not in _DISTRICT_GAPS:
        return False
    districts = {group.district for group in possible_groups(canonical, country)}
    return bool(districts) and 0 not in districts and shown_district(plate, country) is None


def is_grouped_by_district(plate: str, country: str) -> bool:
    """Return whether the gap in the letters of a plate stands where a country of COUNTRIES_WITH_GAP has it.

    Nobody asks here whether there is such a district.
    """
    return bool(districts_shown(gaps(plate), _groups_of_shapes(_layout(canonical_pattern(plate)), country)))


def possible_groups(canonical: str, country: str | None) -> frozenset[LetterGroups]:
    """Return how the letters of a canonical plate or pattern may be grouped.

    None where only one district is possible. A plate without a district has one of no letters.
    """
    if country is not None and country_of(country) not in _DISTRICT_GAPS:
        return frozenset()
    return _possible_groups(_layout(canonical), country and country_of(country))


def districts_shown(gaps_in_text: Collection[int], groups: Collection[LetterGroups]) -> frozenset[int]:
    """Return the lengths of the district for which the gaps in a text stand: one gap in its letters, none elsewhere.

    A gap between the letters and the digits shows nothing, and a text with a gap behind each letter neither.
    """
    return frozenset(
        district
        for district, behind in groups
        if [gap for gap in gaps_in_text if gap < district + behind] == [district]
    )


def gaps(text: str) -> list[int]:
    """Return for each gap of a text how many characters of the plate stand before it; none behind a `*`."""
    found, count = set(), 0
    for piece, meaning in _ascii_positions(text) if text.isascii() else positions(text):
        if WILDCARDS.get(piece) == "*":
            break
        if meaning == "" and count and is_gap(piece):
            found.add(count)
        if meaning != PADDING or count:  # padding in front of the plate is not a character
            count += len(meaning)
    return sorted(found)


def is_same_plate(plate: str, other: str, country: str | None) -> bool:
    """Return whether two listed plates or patterns of a country are the same, however they are written.

    A plate that does not show its district is the same as any with these letters and digits.
    """
    if canonical_pattern(plate) != canonical_pattern(other):
        return False
    districts = {shown_district(plate, country), shown_district(other, country)} - {None}
    return len(districts) < 2


def _layout(canonical: str) -> str:
    layout = canonical.translate(_TO_LAYOUT)
    # Every shape ends with digits or a suffix.
    return layout[:-1] + canonical[-1] if canonical[-1:] in _SUFFIXES else layout


# A line of a list asks twice: for its warnings and for its id.
@lru_cache(maxsize=4096)
def _shown_district(plate: str, country: str | None) -> int | None:
    groups = possible_groups(canonical_pattern(plate), country)
    shown = districts_shown(gaps(plate), groups) if groups else ()
    return min(shown) if len(shown) == 1 else None


def _ascii_positions(text: str) -> Iterator[Position]:
    """Yield what `positions` yields for a text in ASCII, in a tenth of the time."""
    return map(_ASCII_POSITIONS.__getitem__, text)


@lru_cache(maxsize=4096)
def _possible_groups(layout: str, country: str | None) -> frozenset[LetterGroups]:
    names = _DISTRICT_GAPS if country is None else (country,)
    found = frozenset().union(*(_groups_of_shapes(layout, name) for name in names))
    return found if len({groups.district for groups in found}) > 1 else frozenset()


@lru_cache(maxsize=4096)
def _groups_of_shapes(layout: str, country: str) -> frozenset[LetterGroups]:
    return frozenset(groups for groups, shape in _shapes(country) if _could_be(layout, shape))


@cache
def _shapes(country: str) -> tuple[tuple[LetterGroups, _Shape], ...]:
    return tuple(_all_shapes(_DISTRICT_GAPS[country]))


def _all_shapes(gap: Mapping[str, Any]) -> Iterator[tuple[LetterGroups, _Shape]]:
    fewest, most = gap["digits"]
    for district, behind in gap["letters"]:
        for count in range(fewest, most + 1):
            shape = ("a",) * (district + behind) + ("9",) * count
            yield LetterGroups(district, behind), shape
            if suffixes := gap.get("suffixes"):
                yield LetterGroups(district, behind), (*shape, suffixes)


def _could_be(layout: str, shape: _Shape) -> bool:
    """Return whether a layout, perhaps with wildcards, has a plate of this shape."""
    if not layout:
        return not shape
    if layout[0] == "*":
        return any(_could_be(layout[1:], shape[start:]) for start in range(len(shape) + 1))
    is_allowed = bool(shape) and (layout[0] == "?" or layout[0] in shape[0])
    return is_allowed and _could_be(layout[1:], shape[1:])
