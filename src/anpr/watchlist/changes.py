"""The changes between two states of a list: entries put and entries removed, by id. Pure."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from anpr.contracts.events import Entry, Generation


class Changes(Struct, frozen=True):
    """Entries that are new or changed, and the ids of those that were removed. No id is in both."""

    put: list[Entry]
    removed: list[str]

    @property
    def size(self) -> int:
        """How many entries the changes concern."""
        return len(self.put) + len(self.removed)


def changes_between(before: Mapping[str, Entry], after: Iterable[Entry], generation: Generation) -> Changes:
    """Return the changes from the entries `before`, by id, to the entries `after`.

    An entry that is unchanged keeps its revision; one that is new or changed gets `generation`.
    """
    put: list[Entry] = []
    after_ids: set[str] = set()
    for entry in after:
        after_ids.add(entry.entry_id)
        if not is_unchanged(before.get(entry.entry_id), entry):
            put.append(msgspec.structs.replace(entry, revision=generation))
    return Changes(put, sorted(before.keys() - after_ids))


def is_unchanged(before: Entry | None, entry: Entry) -> bool:
    """Tell whether the active entry equals this one, revisions apart."""
    if before is None or before.plate != entry.plate:
        return False
    return before == msgspec.structs.replace(entry, revision=before.revision)


def combine_changes(parts: Sequence[Changes]) -> Changes:
    """Return the changes that have the effect of all these in order.

    They name every id that any of these changes names, even one that ends as it began. So the result is the same for
    a state that already includes the first of these changes.
    """
    put: dict[str, Entry] = {}
    removed: set[str] = set()
    for changes in parts:
        for entry_id in changes.removed:
            put.pop(entry_id, None)
        removed.update(changes.removed)
        for entry in changes.put:
            put[entry.entry_id] = entry
        removed.difference_update(entry.entry_id for entry in changes.put)
    return Changes(list(put.values()), sorted(removed))


def apply_changes(entries: Sequence[Entry], changes: Changes) -> list[Entry]:
    """Return the entries with the changes made."""
    replaced = {*changes.removed, *(entry.entry_id for entry in changes.put)}
    return [entry for entry in entries if entry.entry_id not in replaced] + changes.put
