"""What turns one state of a list into another: entries put and entries removed, by id."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from anpr.contracts.events import Entry, Generation


class Changes(Struct, frozen=True):
    """Entries that are added or say something else now, and the ids of those that left. No id is in both."""

    put: list[Entry]
    removed: list[str]

    @property
    def size(self) -> int:
        """How many entries they concern."""
        return len(self.put) + len(self.removed)


def between(before: Mapping[str, Entry], wanted: Iterable[Entry], generation: Generation) -> Changes:
    """Return what turns `before` (by id) into the wanted entries.

    An entry that says what it said keeps its revision; one that is new or says something else gets `generation`.
    """
    put: list[Entry] = []
    wanted_ids: set[str] = set()
    for entry in wanted:
        wanted_ids.add(entry.entry_id)
        if not says_the_same(before.get(entry.entry_id), entry):
            put.append(msgspec.structs.replace(entry, revision=generation))
    return Changes(put, sorted(before.keys() - wanted_ids))


def says_the_same(before: Entry | None, entry: Entry) -> bool:
    """Tell whether the entry in force says what this one says, revisions apart."""
    if before is None or before.plate != entry.plate:
        return False
    return before == msgspec.structs.replace(entry, revision=before.revision)


def merged(several: Sequence[Changes]) -> Changes:
    """Return one that does what these do one after the other.

    It names every id that any of them names, also one that is back where it began: so it may be applied to a state
    in which the first of them are in already, and leads to the same.
    """
    put: dict[str, Entry] = {}
    removed: set[str] = set()
    for changes in several:
        for entry_id in changes.removed:
            put.pop(entry_id, None)
        removed.update(changes.removed)
        for entry in changes.put:
            put[entry.entry_id] = entry
        removed.difference_update(entry.entry_id for entry in changes.put)
    return Changes(list(put.values()), sorted(removed))


def changed(entries: Sequence[Entry], changes: Changes) -> list[Entry]:
    """Return the entries with the changes made."""
    gone = {*changes.removed, *(entry.entry_id for entry in changes.put)}
    return [entry for entry in entries if entry.entry_id not in gone] + changes.put
