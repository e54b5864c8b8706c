"""The id of an entry whose file gives it none: the same for the same plate on a list, however it is written. Pure.

Where one text can be of several districts, the length of the district is part of the id if the plate shows it:
`B-MW 555` and `BM-W 555` are two vehicles. `BMW555` may be either, so it is an entry of its own that matches both.
"""

import hashlib

from anpr.contracts.districts import shown_district
from anpr.contracts.events import Entry
from anpr.contracts.plates import canonical_pattern


def entry_id(list_name: str, plate: str, key: str, country: str | None) -> str:
    """Return the id of a plate or pattern on a list; `key` is its canonical form."""
    district = shown_district(plate, country)
    return _hash(list_name, key, country or "", *(() if district is None else (str(district),)))


def id_without_district(entry: Entry) -> str | None:
    """Return the id that an entry had when no id named a district; None where its id names none, or is the file's."""
    key = canonical_pattern(entry.plate)
    if shown_district(entry.plate, entry.country) is None:
        return None
    if entry.entry_id != entry_id(entry.list, entry.plate, key, entry.country):
        return None
    return _hash(entry.list, key, entry.country or "")


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).digest()[:16].hex()
