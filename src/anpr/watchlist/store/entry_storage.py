"""The entries of a list in Redis: those of its snapshot, with its deltas applied.

A reader gets None for a list that is not whole. There is a newer manifest then, and the reader reads that.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from anpr.contracts.events import Entry
from anpr.contracts.local_days import LocalDays
from anpr.contracts.plates import canonical_pattern
from anpr.matching.encoding.encoded_entry import EncodedEntry
from anpr.runtime.errors import AnprError
from anpr.watchlist.changes import apply_changes, combine_changes
from anpr.watchlist.progress import Progress
from anpr.watchlist.store.delta_storage import DeltaStorage
from anpr.watchlist.store.manifest import ListManifest
from anpr.watchlist.store.snapshot_storage import SnapshotStorage

T = TypeVar("T")

_decode_entry = msgspec.msgpack.Decoder(Entry).decode


class EntryStorage:
    """Reads the entries of lists. Every method raises redis.RedisError."""

    def __init__(self, client: Any) -> None:
        """`client` is a redis.Redis that gives bytes."""
        self.snapshots = SnapshotStorage(client)
        self.deltas = DeltaStorage(client)

    def all_entries(self, list_manifest: ListManifest, progress: Progress) -> list[Entry] | None:
        """Return all entries of a list."""
        entries = self.snapshots.read(list_manifest.snapshot, progress)
        deltas = self.deltas.read(list_manifest.deltas)
        if entries is None or deltas is None:
            return None
        return apply_changes(entries, combine_changes(deltas)) if deltas else entries

    def all_encoded(self, list_manifest: ListManifest) -> list[EncodedEntry] | None:
        """Return all entries of a list as they are stored."""
        latest = self.deltas.latest_entries(list_manifest.deltas)
        if latest is None:
            return None
        entries = self.snapshots.encoded_entries(list_manifest.snapshot, without=latest.keys())
        return None if entries is None else entries + _not_removed(latest)

    def entries(self, list_manifest: ListManifest, entry_ids: Collection[str]) -> dict[str, Entry] | None:
        """Return by id the ones of these entries that the list has."""
        latest = self.deltas.latest_entries(list_manifest.deltas)
        if latest is None:
            return None
        in_snapshot = self.snapshots.entries_with_ids(
            list_manifest.snapshot, {entry_id for entry_id in entry_ids if entry_id not in latest}
        )
        if in_snapshot is None:
            return None
        entries_by_id = latest | {entry[0].entry_id: entry for entry in in_snapshot}
        requested = ((entry_id, entries_by_id.get(entry_id)) for entry_id in entry_ids)
        return {entry_id: _decode_entry(entry[1]) for entry_id, entry in requested if entry is not None}

    def ids(self, list_manifest: ListManifest, entry_ids: Collection[str]) -> set[str] | None:
        """Return the ones of these ids that the list has. It costs less than reading the entries."""
        latest = self.deltas.latest_entries(list_manifest.deltas)
        in_snapshot = self.snapshots.ids_in_chunks_of(list_manifest.snapshot, set(entry_ids))
        if latest is None or in_snapshot is None:
            return None
        in_deltas = {entry_id for entry_id, entry in latest.items() if entry is not None}
        return set(entry_ids) & ((in_snapshot - latest.keys()) | in_deltas)

    def with_plate(self, list_manifest: ListManifest, plate: str) -> list[Entry] | None:
        """Return the entries of a plate or pattern, however it is written."""
        latest = self.deltas.latest_entries(list_manifest.deltas)
        near = self.snapshots.entries_near_plate(list_manifest.snapshot, plate)
        if latest is None or near is None:
            return None
        candidates = _not_removed(latest) + [entry for entry in near if entry[0].entry_id not in latest]
        key = canonical_pattern(plate)
        return [_decode_entry(encoded) for row, encoded in candidates if canonical_pattern(row.plate) == key]

    def validity_ends(self, list_manifest: ListManifest, days: LocalDays) -> dict[str, datetime] | None:
        """Return by entry id when each entry of the list has ended at every site: far smaller than the entries."""
        ends = self.snapshots.validity_ends(list_manifest.snapshot, days)
        if ends is None or not self.deltas.update_validity_ends(ends, list_manifest.deltas, days):
            return None
        return ends


def _not_removed(latest: Mapping[str, EncodedEntry | None]) -> list[EncodedEntry]:
    return [entry for entry in latest.values() if entry is not None]


def require_whole(read: T | None) -> T:
    """Return the read part of a list that the manifest names. Raises AnprError when the list is not whole."""
    if read is None:
        raise AnprError(
            "watchlist-not-whole",
            "the list in Redis is not whole: a part is missing or damaged, or was replaced just now; "
            "nothing was changed",
            "try again. If it fails again, restore Redis, or delete the keys anpr:watchlist:* and apply every list "
            "again",
        )
    return read
