"""The manifest in Redis: it names the values that hold the entries of the active generation, and holds no entry.

The names of the stored JSON fields are older than those of the code; they stay, so that every version reads them.
"""

import struct
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Self

import msgspec
from msgspec import Meta, Struct, field
from msgspec.structs import astuple

from anpr.contracts.events import NO_GENERATION, Generation

# A number for each hundredth from 0 to 1. As a list in JSON they would take ten times as long to read, and every
# change of a list makes another manifest to read.
_COUNTS: Final = struct.Struct("<101I")


class SnapshotRef(Struct, frozen=True):
    """A snapshot of a list: `chunks` values named after `id`, with the entries in order of entry id.

    `digest` is of the index of the chunks, which holds a digest of each chunk. `plates_digest` is of the index of
    their plates.
    """

    id: str
    chunks: int
    entries: int
    digest: str
    plates_digest: str = field(name="plates")


class DeltaRef(Struct, frozen=True):
    """A small change: one value, named after the generation that wrote it, that concerns `entries` entries."""

    generation: Generation
    entries: int
    digest: str


class CompactedFrom(Struct, frozen=True):
    """What a snapshot was compacted from: the snapshot before it, and the deltas that it now includes."""

    snapshot_id: str = field(name="base_id")
    deltas: tuple[DeltaRef, ...]


class ListManifest(Struct, frozen=True):
    """The values of one list: a snapshot, then deltas in the order in which they apply.

    Attributes:
        generation: The last generation in which a person changed the list. Expiry and compaction leave it.
        applied_at: When that generation was applied.
        entries: How many entries the list has.
        snapshot_written_at: An entry removed since then may still be in the snapshot.
        compacted_from: Set when the snapshot was written by compaction, with no entry changed.
    """

    generation: Generation
    applied_at: datetime
    entries: int
    snapshot: SnapshotRef = field(name="base")
    snapshot_written_at: datetime = field(name="base_since")
    deltas: tuple[DeltaRef, ...] = ()
    compacted_from: CompactedFrom | None = field(default=None, name="made_of")

    def deltas_since(self, before: "ListManifest", since: Generation) -> list[DeltaRef] | None:
        """Return the deltas that hold all changes of the list since a generation in which it was at `before`.

        None when only all entries can show what changed: the snapshot was written with a change in it.
        """
        if before.snapshot.id == self.snapshot.id:
            deltas = self.deltas
        elif self.compacted_from is not None and before.snapshot.id == self.compacted_from.snapshot_id:
            deltas = self.compacted_from.deltas + self.deltas
        else:
            return None
        return [delta for delta in deltas if delta.generation > since]


class CameraCalibration(Struct, frozen=True, kw_only=True):
    """What the calibration of a camera is learned from, and the generation that applied it.

    `counts` says how many of its reads had each confidence, in hundredths from 0 to 1. The reads arrived from `since`
    until before `until`.
    """

    site: str
    camera: str
    packed_counts: Annotated[bytes, Meta(min_length=_COUNTS.size, max_length=_COUNTS.size)] = field(name="counts")
    since: datetime
    until: datetime
    generation: Generation = NO_GENERATION
    applied_at: datetime | None = None

    @classmethod
    def of(cls, site: str, camera: str, counts: Sequence[int], since: datetime, until: datetime) -> Self:
        """Return the calibration of a camera, which no generation has applied yet."""
        return cls(site=site, camera=camera, packed_counts=_COUNTS.pack(*counts), since=since, until=until)

    @property
    def name(self) -> tuple[str, str]:
        """The site and the camera."""
        return self.site, self.camera

    @property
    def counts(self) -> tuple[int, ...]:
        """How many of its reads had each confidence."""
        return _COUNTS.unpack(self.packed_counts)

    @property
    def reads(self) -> int:
        """How many reads it is learned from."""
        return sum(self.counts)


class Manifest(Struct, frozen=True, omit_defaults=True):
    """The active generation, when it was applied, the lists by name, and the calibrated cameras.

    `replication_id` is the one that Redis had then: it changes with every fail-over.
    """

    generation: Generation
    applied_at: datetime
    replication_id: str
    lists: dict[str, ListManifest]
    calibrations: tuple[CameraCalibration, ...] = ()


def unknown_fields(stored: bytes, manifest: Manifest) -> list[str]:
    """Return the fields of a stored manifest that this version does not know; `manifest` is what it read of it."""
    return list(_unknown(msgspec.json.decode(stored), manifest, ""))


def _unknown(stored: Any, read: Any, path: str) -> Iterator[str]:
    if isinstance(stored, dict):
        is_struct = isinstance(read, Struct)
        known = dict(zip(read.__struct_encode_fields__, astuple(read), strict=True)) if is_struct else read
        for name, value in stored.items():
            if name in known:
                yield from _unknown(value, known[name], f"{path}{name}.")
            else:
                yield path + name
    elif isinstance(stored, list):
        for number, (value, item) in enumerate(zip(stored, read, strict=True)):
            yield from _unknown(value, item, f"{path}{number}.")


class PreviousState(Struct, frozen=True):
    """A state of a list that can be rolled back to, and when it was replaced."""

    list_manifest: ListManifest = field(name="place")
    replaced_at: datetime
