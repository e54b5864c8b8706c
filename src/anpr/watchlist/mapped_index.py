"""The index on disk: written whole or not at all, and mapped, so that all matchers of a machine share its pages.

A matcher that starts while Redis is away maps the last one, and matches all the same.
"""

import mmap
import os
from datetime import datetime
from pathlib import Path

from anpr.matching.index import Index
from anpr.matching.index_file import DamagedError, Opened, decode, encode


def write(path: Path, index: Index, applied_at: datetime) -> None:
    """Put the index at `path`, whole or not at all; whoever has mapped an older one keeps it. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.writelines(encode(index, applied_at))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read(path: Path, *, check_entries: bool = True) -> Opened | None:
    """Map the index at `path`, None when there is no file. Raises DamagedError.

    `check_entries` false leaves out what is most of the work, for a file that this machine has just written.
    """
    try:
        with path.open("rb") as file:
            if not os.fstat(file.fileno()).st_size:
                raise DamagedError(f"{path}: empty")
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        return None
    try:
        return decode(memoryview(mapped), check_entries=check_entries)
    except DamagedError as error:
        raise DamagedError(f"{path}: {error}") from None
