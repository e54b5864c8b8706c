"""Where a generation of the watchlist is: what the head in Redis says, and nothing of the entries themselves."""

from datetime import datetime

from msgspec import Struct

from anpr.contracts.events import Generation


class SnapshotRef(Struct, frozen=True):
    """The entries that the deltas of a list start from: `chunks` values named after `id`, in order of entry id.

    `digest` is over the index of the chunks, which holds a digest of each; `plates` over the index of their plates.
    """

    id: str
    chunks: int
    entries: int
    digest: str
    plates: str


class DeltaRef(Struct, frozen=True):
    """A small change: one value, named after the generation that wrote it, that concerns `entries` entries."""

    generation: Generation
    entries: int
    digest: str


class CompactedFrom(Struct, frozen=True):
    """What a base was written anew from: the base before it and the deltas that it took in."""

    base_id: str
    deltas: tuple[DeltaRef, ...]


class ListManifest(Struct, frozen=True):
    """Where one list is: a base, then deltas in the order in which they count.

    `generation` is the last one by which a person changed the list and `applied_at` is when; what housekeeping does
    leaves them. `base_since` is when the base was written: a text that is gone from the list may be in it still.
    `made_of` is there when it was written for housekeeping, with nothing changed.
    """

    generation: Generation
    applied_at: datetime
    entries: int
    base: SnapshotRef
    base_since: datetime
    deltas: tuple[DeltaRef, ...] = ()
    made_of: CompactedFrom | None = None

    def deltas_since(self, before: "ListManifest", since: Generation) -> list[DeltaRef] | None:
        """Return what holds all changes of the list since a generation in which it was at `before`.

        None when only all entries can tell: then the base was written with a change in it.
        """
        if before.base.id == self.base.id:
            deltas = self.deltas
        elif self.made_of is not None and before.base.id == self.made_of.base_id:
            deltas = self.made_of.deltas + self.deltas
        else:
            return None
        return [delta for delta in deltas if delta.generation > since]


class Manifest(Struct, frozen=True):
    """The generation in force."""

    generation: Generation
    applied_at: datetime
    replication_id: str
    lists: dict[str, ListManifest]
