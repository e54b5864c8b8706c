"""What a read and an entry show of the district, where one text can be of several (`contracts.districts`).

A listed `B-MW 555` and a read `BM-W 555` have one text, and the gap says that they are two vehicles. A camera may
also put the gap in the wrong position. So another district counts as one edit: a pair that would be surer is `near`,
and a pair that is one edit apart already is no match. A read without the gap matches both vehicles.
"""

from collections.abc import Sequence
from typing import NamedTuple

from anpr.contracts.districts import districts_shown, gaps, possible_groups, shown_district
from anpr.contracts.events import Entry, Read
from anpr.contracts.plates import as_read, canonical_pattern, is_pattern
from anpr.matching.encoding.plate_codes import FOLDED_CHARACTERS
from anpr.reference_data.limits import LONGEST_BADGE


class Districts(NamedTuple):
    """The lengths of the district that a list and a read show, and all that the text could have.

    `read` is None where the read shows none.
    """

    listed: int
    read: int | None
    possible: frozenset[int]

    @property
    def are_different(self) -> bool:
        """Whether the read shows another district than the list."""
        return self.read not in {None, self.listed}


def compare_districts(text: str, read: Read, entry: Entry) -> Districts | None:
    """Compare the districts of one text of a read, and of an entry that has nearly the same plate.

    Returns None where the entry shows no district, and where the letters are read otherwise than listed, so that the
    positions of the gaps cannot be compared.
    """
    country = entry.country or read.country
    listed = shown_district(entry.plate, country)
    if listed is None:
        return None
    read_as, key = as_read(text), canonical_pattern(entry.plate)
    groups = possible_groups(read_as if is_pattern(key) else key, country)
    letters = max((group.district + group.behind for group in groups), default=0)
    start = 0 if is_pattern(key) else _start(read_as, key, letters)
    if not groups or start is None:
        return None
    shown = districts_shown([gap - start for gap in _gaps_of(text, read_as, read) if gap > start], groups)
    of_read = listed if listed in shown else min(shown, default=None)
    return Districts(listed, of_read, frozenset(group.district for group in groups))


def district_note(districts: Districts, listed_as: str) -> str:
    """Return what the read shows of the district, in words; "" where it shows that of the list."""
    if districts.read == districts.listed:
        return ""
    listed = with_gap(listed_as, districts.listed)
    if districts.read is not None:
        return f"read as {with_gap(listed_as, districts.read)}, listed as {listed}: these may be two vehicles"
    others = [with_gap(listed_as, length) for length in sorted(districts.possible - {districts.listed})]
    return f"the read does not show where the district ends: this may be {listed} or {' or '.join(others)}"


def with_gap(canonical: str, district: int) -> str:
    """Return a canonical plate with a hyphen behind its district."""
    return f"{canonical[:district]}-{canonical[district:]}" if district else canonical


def _gaps_of(text: str, read_as: str, read: Read) -> Sequence[int]:
    """Return the gaps of a text. A candidate with the letters of the read's own text has the gaps of both."""
    found = gaps(text)
    if text != read.plate and as_read(read.plate) == read_as:
        found = sorted({*found, *gaps(read.plate)})
    return found


def _start(read_as: str, listed: str, letters: int) -> int | None:
    """Return where a listed plate begins in a read, perhaps behind other text; None where its letters are not there.

    Where the read does not hold the whole plate, its first letters count. Confused characters count as one.
    """
    read_as, listed = read_as.translate(FOLDED_CHARACTERS), listed.translate(FOLDED_CHARACTERS)
    if (start := read_as.find(listed)) >= 0:
        return start
    return next((at for at in range(LONGEST_BADGE + 1) if read_as.startswith(listed[:letters], at)), None)
