"""Writes a changed list as a delta when the change is small beside the list, otherwise as a new snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from anpr.contracts.events import Entry, Generation
from anpr.matching.encoding.encoded_entry import encode_entries
from anpr.watchlist.changes import Changes, apply_changes
from anpr.watchlist.progress import Progress, silent
from anpr.watchlist.store.delta_storage import encode_delta
from anpr.watchlist.store.entry_storage import EntryStorage, require_whole
from anpr.watchlist.store.keys import delta_key
from anpr.watchlist.store.manifest import DeltaRef, ListManifest
from anpr.watchlist.store.snapshot_storage import CHUNK_ENTRIES

# A change of more entries than this share of the snapshot, and than fit one chunk, makes a new snapshot: each change
# reads all deltas.
_DELTA_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a list that is determined but not yet written.

    Attributes:
        changes: The entries put and removed.
        before: By id, the changed entries before the change.
        all_before: By id, all entries of the list before the change, when the change has read them.
        is_by_person: False for expiry, compaction and the list `turned_away`: nobody plans against their results, or
            rolls back to them.
        compacted: The list as compaction has written it already.
    """

    changes: Changes
    before: Mapping[str, Entry]
    all_before: Mapping[str, Entry] | None = None
    is_by_person: bool = True
    compacted: ListManifest | None = None


@dataclass(frozen=True, slots=True)
class WrittenList:
    """A list after a change, and the values of its new deltas by key: the transaction writes them."""

    list_manifest: ListManifest
    deltas: Mapping[str, bytes]


class ListWriter:
    """Writes lists. Every method raises redis.RedisError, and AnprError when the list in Redis is not whole."""

    def __init__(self, storage: EntryStorage) -> None:
        """Read and write the entries in `storage`."""
        self._storage = storage

    def write(  # noqa: PLR0913  the change, the list before it, and what the new manifest says
        self,
        edit: Edit,
        before: ListManifest | None,
        generation: Generation,
        now: datetime,
        *,
        entries: int,
        progress: Progress,
    ) -> WrittenList:
        """Write a change of a list that leaves `entries` entries. No manifest names the new values yet."""
        if edit.compacted is not None:
            return WrittenList(edit.compacted, {})
        if before is None or edit.is_by_person:
            changed_in, changed_at = generation, now
        else:
            changed_in, changed_at = before.generation, before.applied_at
        if before is None or _needs_snapshot(edit.changes.size, before):
            all_after = apply_changes(self._entries_before(edit, before), edit.changes)
            all_after.sort(key=lambda entry: entry.entry_id)
            snapshot = self._storage.snapshots.write(encode_entries(all_after), len(all_after), progress)
            return WrittenList(ListManifest(changed_in, changed_at, entries, snapshot, now), {})
        if not edit.changes.size:
            return WrittenList(msgspec.structs.replace(before, generation=changed_in, applied_at=changed_at), {})
        older, values = self._combine_newest(before.deltas)
        newest, value = encode_delta(edit.changes, generation)
        after = msgspec.structs.replace(
            before, generation=changed_in, applied_at=changed_at, entries=entries, deltas=(*older, newest)
        )
        return WrittenList(after, {**values, delta_key(newest): value})

    def _entries_before(self, edit: Edit, before: ListManifest | None) -> list[Entry]:
        if edit.all_before is not None:
            return list(edit.all_before.values())
        return require_whole(self._storage.all_entries(before, silent)) if before is not None else []

    def _combine_newest(self, deltas: tuple[DeltaRef, ...]) -> tuple[tuple[DeltaRef, ...], dict[str, bytes]]:
        """Combine the last deltas that are not larger than those after them; return all, and the new value."""
        kept, combined = list(deltas), list[DeltaRef]()
        while kept and (not combined or kept[-1].entries <= sum(delta.entries for delta in combined)):
            combined.insert(0, kept.pop())
        if len(combined) < 2:
            return deltas, {}
        delta, value = require_whole(self._storage.deltas.combine(combined))
        return (*kept, delta), {delta_key(delta): value}


def is_compaction_due(list_manifest: ListManifest) -> bool:
    """Tell whether so much has changed since the snapshot of a list was written that it should be compacted."""
    return _needs_snapshot(sum(delta.entries for delta in list_manifest.deltas), list_manifest)


def _needs_snapshot(changed_entries: int, list_manifest: ListManifest) -> bool:
    return changed_entries > max(CHUNK_ENTRIES, list_manifest.snapshot.entries * _DELTA_SHARE)
