"""The index on disk: one process of a machine writes it here, the matchers of the machine map it and share its pages.

`current.json` holds the manifest. It is the one file that is replaced, by a rename. It names the files that count,
which never change:

- a *snapshot*, the index of a whole generation,
- and, where the list has changed since, its *deltas*, the oldest first: the entries put since. The newest names the
  rows of all files before it that have left the list. Most changes replace only the newest delta, which is small.

So a reader of `current.json` finds one whole generation, whenever the writer was killed. The writer deletes the files
that it does not name; a process that has mapped one keeps it. The time of the manifest's last modification is when
Redis last confirmed that its generation is active, so the age outlives every process.

The names in `current.json` and of the files are older than those of the code. They stay, so that a matcher and a
builder of neighbouring versions understand each other.
"""

import mmap
import os
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import IO, Final, NamedTuple, TypeVar
from zlib import crc32

import msgspec
from msgspec import Struct, field

from anpr.contracts.events import Generation
from anpr.index_store.index_file import (
    DamagedError,
    OpenedDelta,
    decode_delta,
    decode_snapshot,
    encode_delta,
    encode_snapshot,
)
from anpr.matching.index import Index
from anpr.matching.index_tables import IndexTables
from anpr.runtime.atomic_file import write_atomically
from anpr.runtime.file_lock import hold, is_held
from anpr.runtime.private_files import keep_private, make_private_folder
from anpr.watchlist.calibrations import calibrations_of
from anpr.watchlist.store.manifest import Manifest

_MANIFEST, _LOCK = "current.json", "lock"
_SNAPSHOT_SUFFIX, _DELTA_SUFFIX = ".base", ".changes"
_DIGEST_DIGITS = 8
_NONE_OPENED: Final[Mapping[str, IndexTables]] = MappingProxyType({})

T = TypeVar("T")


class IndexManifest(Struct, frozen=True):
    """The active index: the watchlist's manifest that it was built of, and the files that hold its entries."""

    watchlist: Manifest = field(name="head")
    snapshot: str = field(name="base")
    deltas: tuple[str, ...] = ()

    @property
    def generation(self) -> Generation:
        """The generation that the files hold."""
        return self.watchlist.generation


class ManifestStamp(NamedTuple):
    """Changes whenever the manifest is replaced or confirmed; it costs less to read than the manifest."""

    file: int
    modified_ns: int


class ReadManifest(NamedTuple):
    """A manifest as it was read, when Redis last confirmed it, and its stamp."""

    index_manifest: IndexManifest
    confirmed_at: datetime
    stamp: ManifestStamp


class IndexFolder:
    """The files. Reading raises DamagedError or OSError, FileNotFoundError where they are just being replaced."""

    def __init__(self, path: Path) -> None:
        """`path` is the folder. It need not exist yet."""
        self.path = path

    def manifest_stamp(self) -> ManifestStamp | None:
        """Return a value that changes when there is anything new, None while there is no index."""
        try:
            status = (self.path / _MANIFEST).stat()
        except FileNotFoundError:
            return None
        return ManifestStamp(status.st_ino, status.st_mtime_ns)

    def read_manifest(self) -> ReadManifest:
        """Return the manifest of the active index."""
        with (self.path / _MANIFEST).open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read()
        digest, text = content[:_DIGEST_DIGITS], content[_DIGEST_DIGITS:]
        try:
            if digest != _digest(text):
                raise DamagedError(f"{file.name}: damaged")
            index_manifest = msgspec.json.decode(text, type=IndexManifest)
        except msgspec.MsgspecError:
            raise DamagedError(f"{file.name}: of another version") from None
        confirmed_at = datetime.fromtimestamp(status.st_mtime, UTC)
        return ReadManifest(index_manifest, confirmed_at, ManifestStamp(status.st_ino, status.st_mtime_ns))

    def open_snapshot(self, index_manifest: IndexManifest, *, check_entries: bool) -> Index:
        """Map the snapshot. Leave `check_entries` out, most of the work, for a file that this machine just wrote."""
        path = self.path / index_manifest.snapshot
        return _open(path, lambda buffer: decode_snapshot(buffer, check_entries=check_entries)).index

    def open_index(
        self, index_manifest: IndexManifest, snapshot: Index, opened: Mapping[str, IndexTables] = _NONE_OPENED
    ) -> Index:
        """Return the active index, given its snapshot, and the tables of files that have been `opened` already."""
        index = snapshot
        if index_manifest.deltas:
            *older, newest = index_manifest.deltas
            tables = [opened[name] if name in opened else self._open_delta(name).tables for name in older]
            index = self._open_delta(newest).index([snapshot.snapshot, *tables], snapshot.generation)
        if index.generation != index_manifest.generation:
            raise DamagedError(f"{self.path}: {index.generation} instead of {index_manifest.generation}")
        return replace(index, calibrations=calibrations_of(index_manifest.watchlist.calibrations))

    def write_snapshot(self, index: Index, applied_at: datetime) -> str:
        """Write an index and return the file's name, which no manifest has yet. Raises OSError."""
        return self._write(_new_name(index, _SNAPSHOT_SUFFIX), encode_snapshot(index, applied_at))

    def written_at(self, index_manifest: IndexManifest) -> datetime:
        """Return when the snapshot was written. Raises OSError."""
        return datetime.fromtimestamp((self.path / index_manifest.snapshot).stat().st_mtime, UTC)

    def write_delta(self, index: Index, applied_at: datetime) -> str:
        """Write the newest delta of an index, as `write_snapshot` does."""
        return self._write(_new_name(index, _DELTA_SUFFIX), encode_delta(index, applied_at))

    def activate(self, index_manifest: IndexManifest, confirmed_at: datetime) -> None:
        """Replace the manifest, whole or not at all. Raises OSError."""
        text = msgspec.json.encode(index_manifest) + b"\n"
        self._write(_MANIFEST, [_digest(text), text], confirmed_at)

    def delete_unnamed_files(self, index_manifest: IndexManifest) -> None:
        """Delete the files that the manifest does not name, also those that a killed writer left. Raises OSError."""
        named = {_MANIFEST, _LOCK, index_manifest.snapshot, *index_manifest.deltas}
        for file in self.path.iterdir():
            if file.name not in named:
                file.unlink(missing_ok=True)

    def delete_unnamed_deltas(self, *index_manifests: IndexManifest) -> None:
        """Delete the deltas that none of these manifests names: while a snapshot is built, all else stays."""
        named = {name for index_manifest in index_manifests for name in index_manifest.deltas}
        for file in self.path.glob(f"*{_DELTA_SUFFIX}"):
            if file.name not in named:
                file.unlink(missing_ok=True)

    def confirm(self, at: datetime) -> None:
        """Record that Redis confirmed the active index. Raises FileNotFoundError when the manifest is missing."""
        os.utime(self.path / _MANIFEST, (at.timestamp(), at.timestamp()))

    def bytes_on_disk(self) -> int:
        """Return the size of all files together."""
        return sum(file.stat().st_size for file in self.path.iterdir())

    def lock(self) -> IO[bytes] | None:
        """Become the one process that writes here, until the returned file is closed. None if there is another."""
        make_private_folder(self.path)
        keep_private(self.path)
        try:
            return os.fdopen(hold(self.path / _LOCK), "wb")
        except BlockingIOError:
            return None

    def has_builder(self) -> bool:
        """Tell whether a process holds the lock."""
        return is_held(self.path / _LOCK)

    def _open_delta(self, name: str) -> OpenedDelta:
        return _open(self.path / name, decode_delta)

    def _write(self, name: str, pieces: Iterable[bytes | memoryview], modified: datetime | None = None) -> str:
        """Write a file whole or not at all: first its content is on the disk, then its name."""
        make_private_folder(self.path)
        write_atomically(self.path / name, pieces, modified)
        return name


def _open(path: Path, decode: Callable[[memoryview], T]) -> T:
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise DamagedError(f"{path}: empty")
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        return decode(memoryview(mapped))
    except DamagedError as error:
        raise DamagedError(f"{path}: {error}") from None


def _new_name(index: Index, suffix: str) -> str:
    return f"{index.generation}-{uuid.uuid4().hex[:8]}{suffix}"


def _digest(text: bytes) -> bytes:
    return f"{crc32(text):08x}".encode()
