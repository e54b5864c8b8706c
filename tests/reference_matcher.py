"""The matcher as one would explain it: slow, and plain enough to be checked by reading it.

It looks at every entry for every read. The index must give the same answers, in the same order.
"""

from collections.abc import Iterable
from typing import NamedTuple

from anpr.events import Entry, Read

LETTERS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Answer(NamedTuple):
    """An entry that a read matches, how surely, and the places (from 1) where the two texts differ."""

    entry_id: str
    tier: str
    differing_places: tuple[int, ...]


def answers(read: Read, entries: Iterable[Entry]) -> list[Answer]:
    """Return the entries that a read with an ASCII plate matches, in order of `entry_id`."""
    found = []
    for entry in entries:
        answer = _answer(read, entry)
        if answer is not None:
            found.append(answer)
    return sorted(found)


def _answer(read: Read, entry: Entry) -> Answer | None:
    was_read, listed = _plain(read.plate), _plain(entry.plate)
    if len(was_read) != len(listed):
        return None
    places = [place for place in range(len(listed)) if was_read[place] != listed[place]]
    for place in places:
        if {was_read[place], listed[place]} not in ({"0", "O"}, {"1", "I"}):
            return None
    if places and entry.tolerance == "exact":
        return None
    if not _is_meant_for(entry, read):
        return None
    return Answer(entry.entry_id, "equivalent" if places else "exact", tuple(place + 1 for place in places))


def _is_meant_for(entry: Entry, read: Read) -> bool:
    assert read.captured_at is not None, "intake gives every read a capture time"
    if entry.valid_from is not None and read.captured_at < entry.valid_from:
        return False
    if read.captured_at >= entry.valid_until:
        return False
    if entry.sites and read.site not in entry.sites:
        return False
    # Only two words that are understood can contradict one another.
    if read.direction == "uk_bound":
        return set(entry.directions) != {"fr_bound"}
    if read.direction == "fr_bound":
        return set(entry.directions) != {"uk_bound"}
    return True


def _plain(plate: str) -> str:
    return "".join(character for character in plate.upper() if character in LETTERS_AND_DIGITS)
