"""Writes files that are there as a whole, or not at all: after a crash, and on a full disk."""

import os
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path


def write_atomically(
    path: Path, content: bytes | Iterable[bytes | memoryview], modified: datetime | None = None
) -> None:
    """Write a file for this user alone, in place of one of that name. It is on the disk when this returns.

    A large content may come in pieces. `modified` is when the file was modified, where that is not now.

    Raises OSError: then the earlier file is there as it was, and nothing is left of the new one.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # readable by its owner alone
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            if modified is not None:
                os.utime(file.fileno(), (modified.timestamp(), modified.timestamp()))
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names of the files in a folder. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
