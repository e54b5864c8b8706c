"""The names of the watchlist's values in Redis.

- `head`: the manifest, which names the active generation.
- `chunk:<id>:<n>`: a few hundred entries of a snapshot, in order of their ids.
- `index:<id>`: for each chunk of that snapshot, the first entry id and the digest.
- `plates:<id>`: for each chunk of that snapshot, a number of 32 bits for each of its plates.
- `delta:<generation>:<digest>`: a small change.
- `ended`: by entry id, the tombstone. `ended_at` orders the tombstones by age.
- `previous:<list>`: the states of a list that can be rolled back to: a bounded number, for a bounded time.
- `log`: the changes, each with its author and reason.
- `news`: a stream that holds the newest generation. A reader that waits for a change waits for its next record.
"""

from collections.abc import Iterable

from anpr.watchlist.store.manifest import DeltaRef, ListManifest, SnapshotRef

PREFIX = "anpr:watchlist:"
MANIFEST = PREFIX + "head"
TOMBSTONES = PREFIX + "ended"
TOMBSTONE_TIMES = PREFIX + "ended_at"
LOG = PREFIX + "log"
NEWS = PREFIX + "news"


def previous_states_key(list_name: str) -> str:
    """Return the name of the value that holds the previous states of a list."""
    return f"{PREFIX}previous:{list_name}"


def delta_key(delta: DeltaRef) -> str:
    """Return the name of a delta's value."""
    return f"{PREFIX}delta:{delta.generation}:{delta.digest[:8]}"


def chunk_key(snapshot: SnapshotRef, number: int) -> str:
    """Return the name of the value of a chunk."""
    return f"{PREFIX}chunk:{snapshot.id}:{number}"


def chunk_index_key(snapshot: SnapshotRef) -> str:
    """Return the name of the value that lists the chunks of a snapshot."""
    return f"{PREFIX}index:{snapshot.id}"


def plate_index_key(snapshot: SnapshotRef) -> str:
    """Return the name of the value by which the chunks of a plate are found."""
    return f"{PREFIX}plates:{snapshot.id}"


def parts_of(list_manifest: ListManifest | None) -> set[SnapshotRef | DeltaRef]:
    """Return the snapshot and the deltas of a list: a few, where their values have thousands of names."""
    return set() if list_manifest is None else {list_manifest.snapshot, *list_manifest.deltas}


def keys_of(parts: Iterable[SnapshotRef | DeltaRef]) -> list[str]:
    """Return the names of all values that hold entries of these snapshots and deltas, in order."""
    names: list[str] = []
    for part in parts:
        if isinstance(part, DeltaRef):
            names.append(delta_key(part))
        else:
            names += [chunk_index_key(part), plate_index_key(part)]
            names += [chunk_key(part, number) for number in range(part.chunks)]
    return sorted(names)
