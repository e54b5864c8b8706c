"""The index on disk: one process of a machine writes it here, the matchers of the machine map it and share its pages.

`current.json` is the one file that is replaced, by a rename; it names the files that count, which never change:

- a *base*, the index of a whole generation,
- and, where the list has changed little since, the *changes* that lead from it to the generation in force. They are
  written whole each time, from the base on, so there is never more than one file of them and no order to keep.

So whoever reads `current.json` finds one whole generation, whenever the writer was killed. What it does not name is
deleted by the writer; who has mapped it keeps it. The time of its last modification says when Redis last confirmed
that it is in force, so an age outlives every process.
"""

import fcntl
import mmap
import os
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple
from zlib import crc32

import msgspec
from msgspec import Struct

from anpr.contracts.events import Generation
from anpr.index_store.index_file import DamagedError, OpenedIndex, decode, decode_changes, encode, encode_changes
from anpr.matching.index import Index
from anpr.watchlist.store.manifest import Manifest

_CURRENT, _LOCK = "current.json", "lock"
_DIGEST_DIGITS = 8


class IndexManifest(Struct, frozen=True):
    """What is in force on this machine: the state of the lists in Redis, and the files that hold their entries."""

    head: Manifest
    base: str
    changes: str | None = None

    @property
    def generation(self) -> Generation:
        """The generation that the files hold."""
        return self.head.generation


class Stamp(NamedTuple):
    """Changes whenever `current.json` is replaced or confirmed; tells apart what is cheap to tell apart."""

    file: int
    modified_ns: int


class Seen(NamedTuple):
    """What `current.json` said, when Redis last confirmed it, and the stamp that it had."""

    current: IndexManifest
    confirmed_at: datetime
    stamp: Stamp


class IndexFolder:
    """The files. Reading raises DamagedError or OSError, FileNotFoundError where they are just being replaced."""

    def __init__(self, path: Path) -> None:
        """`path` is the folder, there or not yet."""
        self.path = path

    def stamp(self) -> Stamp | None:
        """Return what tells whether there is anything new, None while there is no index. It costs one look."""
        try:
            status = (self.path / _CURRENT).stat()
        except FileNotFoundError:
            return None
        return Stamp(status.st_ino, status.st_mtime_ns)

    def read(self) -> Seen:
        """Return what is in force."""
        with (self.path / _CURRENT).open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read()
        digest, text = content[:_DIGEST_DIGITS], content[_DIGEST_DIGITS:]
        try:
            if digest != _digest(text):
                raise DamagedError(f"{file.name}: damaged")
            current = msgspec.json.decode(text, type=IndexManifest)
        except msgspec.MsgspecError:
            raise DamagedError(f"{file.name}: of another version") from None
        return Seen(current, datetime.fromtimestamp(status.st_mtime, UTC), Stamp(status.st_ino, status.st_mtime_ns))

    def open_base(self, current: IndexManifest, *, check_entries: bool) -> Index:
        """Map the base. `check_entries` false leaves most of the work out, for what this machine has just written."""
        return _opened(self.path / current.base, lambda buffer: decode(buffer, check_entries=check_entries)).index

    def open(self, current: IndexManifest, base: Index) -> Index:
        """Return the index in force, given its base."""
        if current.changes is None:
            index = base
        else:
            index = _opened(self.path / current.changes, lambda buffer: decode_changes(buffer, base)).index
        if index.generation != current.generation:
            raise DamagedError(f"{self.path}: {index.generation} instead of {current.generation}")
        return index

    def write_base(self, index: Index, applied_at: datetime) -> str:
        """Write the whole of an index and return the file's name; nobody looks there yet. Raises OSError."""
        return self._write(f"{index.generation}-{uuid.uuid4().hex[:8]}.base", encode(index, applied_at))

    def write_changes(self, index: Index, applied_at: datetime) -> str:
        """Write what leads from the base of an index to it, as `write_base`."""
        return self._write(f"{index.generation}-{uuid.uuid4().hex[:8]}.changes", encode_changes(index, applied_at))

    def put_in_force(self, current: IndexManifest, confirmed_at: datetime) -> None:
        """Replace what is in force, whole or not at all. Raises OSError."""
        text = msgspec.json.encode(current) + b"\n"
        self._write(_CURRENT, [_digest(text), text], confirmed_at)

    def sweep(self, current: IndexManifest | None) -> None:
        """Delete what is not named any more, and what a writer that was killed left behind. Raises OSError."""
        named = {_CURRENT, _LOCK} | ({current.base, current.changes} if current else set())
        for file in self.path.iterdir():
            if file.name not in named:
                file.unlink(missing_ok=True)

    def confirm(self, at: datetime) -> None:
        """Note that what is in force was confirmed. Raises FileNotFoundError when it is gone."""
        os.utime(self.path / _CURRENT, (at.timestamp(), at.timestamp()))

    def bytes_on_disk(self) -> int:
        """Return how large the files are together."""
        return sum(file.stat().st_size for file in self.path.iterdir())

    def lock(self) -> IO[bytes] | None:
        """Become the one process that writes here, until the file returned is closed; None when there is another."""
        self.path.mkdir(parents=True, exist_ok=True)
        file = (self.path / _LOCK).open("wb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return file

    def is_written(self) -> bool:
        """Tell whether a process runs that writes here."""
        try:
            with (self.path / _LOCK).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def _write(self, name: str, pieces: Iterable[bytes | memoryview], modified: datetime | None = None) -> str:
        """Write a file whole or not at all: it is on the disk before it has its name, and so is the name after."""
        self.path.mkdir(parents=True, exist_ok=True)
        beside = self.path / f"{name}.part"
        try:
            with beside.open("wb") as file:
                file.writelines(pieces)
                file.flush()
                if modified is not None:
                    os.utime(file.fileno(), (modified.timestamp(), modified.timestamp()))
                os.fsync(file.fileno())
            beside.replace(self.path / name)
        finally:
            beside.unlink(missing_ok=True)
        folder = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return name


def _opened(path: Path, decode_: Callable[[memoryview], OpenedIndex]) -> OpenedIndex:
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise DamagedError(f"{path}: empty")
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        return decode_(memoryview(mapped))
    except DamagedError as error:
        raise DamagedError(f"{path}: {error}") from None


def _digest(text: bytes) -> bytes:
    return f"{crc32(text):08x}".encode()
