"""The id of an entry whose file gives it none: the same for the same plate on a list, however it is written. Pure.

Where one text can be of several districts, the length of the district is part of the id if the plate shows it:
`B-MW 555` and `BM-W 555` are two vehicles. `BMW555` may be either, so it is an entry of its own that matches both.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping

import msgspec

from anpr.contracts.districts import is_same_plate, shown_district
from anpr.contracts.events import NO_GENERATION, Entry
from anpr.contracts.plates import canonical_pattern
from anpr.matching.umlauts import has_umlauts


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


def replaced_by_district(
    added: Iterable[Entry], active: Mapping[str, Entry], removed: Collection[str]
) -> list[Entry]:
    """Return the active entries that a change removes and adds again, under an id that includes the district."""
    is_removed = frozenset(removed)
    found = {}
    for entry in added:
        old_id = id_without_district(entry)
        if old_id in is_removed and old_id in active and is_same_district(active[old_id], entry):
            found[old_id] = active[old_id]
    return list(found.values())


def entries_named(plate: str, entries: Iterable[Entry]) -> list[Entry]:
    """Return those of the entries that a person means by a plate: with its district, where it shows one.

    An entry that does not show its district is meant only where no entry has the one that the plate shows.
    """
    same = [entry for entry in entries if is_same_plate(plate, entry.plate, entry.country)]
    shown = [entry for entry in same if shown_district(plate, entry.country) is not None]
    return [entry for entry in shown if shown_district(entry.plate, entry.country) is not None] or same


def is_same_but_for_spelling(entry: Entry, other: Entry) -> bool:
    """Return whether two entries are the same, but for their revisions and for how their values are written.

    With and without its umlaut they are not: a read of `MUE` finds the listed `MÜ`, and not `MU`.
    """
    return (
        _without_spelling(entry) == _without_spelling(other)
        and canonical_pattern(entry.plate) == canonical_pattern(other.plate)
        and is_same_district(entry, other)
        and has_umlauts(entry.plate) == has_umlauts(other.plate)
    )


def _without_spelling(entry: Entry) -> Entry:
    sites, directions = (tuple(sorted(set(names))) for names in (entry.sites, entry.directions))
    return msgspec.structs.replace(entry, revision=NO_GENERATION, plate="", sites=sites, directions=directions)


def is_same_district(entry: Entry, other: Entry) -> bool:
    """Return whether two entries of one text show the same district."""
    return shown_district(entry.plate, entry.country) == shown_district(other.plate, other.country)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).digest()[:16].hex()
