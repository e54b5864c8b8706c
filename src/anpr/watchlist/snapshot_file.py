"""The last good list on disk, so that a matcher which starts while Redis is away matches all the same."""

import hashlib
import os
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from anpr.events import Entry, Generation

# Changed whenever the layout below changes: a file of another version is refused, and written anew from Redis.
_VERSION = b"anpr-snapshot-1\n"
_DIGEST_BYTES = hashlib.sha256().digest_size


class Snapshot(Struct, frozen=True):
    """One generation of the list with all its entries."""

    generation: Generation
    applied_at: datetime
    entries: list[Entry]


class DamagedError(Exception):
    """The file is not a whole snapshot of this version."""


def write(path: Path, snapshot: Snapshot) -> None:
    """Put the snapshot at `path`, whole or not at all. Raises OSError, as when the disk is full."""
    body = msgspec.msgpack.encode(snapshot)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(_VERSION + hashlib.sha256(body).digest() + body)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read(path: Path) -> Snapshot | None:
    """Return the snapshot at `path`, None when there is no file. Raises DamagedError."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    head = len(_VERSION)
    digest, body = content[head : head + _DIGEST_BYTES], content[head + _DIGEST_BYTES :]
    if not content.startswith(_VERSION) or hashlib.sha256(body).digest() != digest:
        raise DamagedError(f"{path}: not a whole snapshot of this version")
    return msgspec.msgpack.decode(body, type=Snapshot)
