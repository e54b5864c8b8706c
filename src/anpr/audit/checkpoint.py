"""Where a chain begins after retention: the last record whose segment was deleted."""

from datetime import date
from pathlib import Path

import msgspec
from msgspec import Struct

from anpr.runtime.atomic_file import write_atomically

_NAME = "checkpoint.json"


class Checkpoint(Struct, frozen=True, kw_only=True):
    """The last record of a chain that was deleted, and the last day of which all records were.

    The chain itself holds a record of each deletion, with the same sequence number and hash.
    """

    chain: str
    sequence: int
    hash: str
    last_day: date


def has_checkpoint(folder: Path) -> bool:
    """Tell whether retention has deleted records of a chain."""
    return (folder / _NAME).exists()


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """Return the checkpoint of a chain, None if nothing was deleted. Raises OSError, or ValueError for a bad file."""
    try:
        return msgspec.json.decode((folder / _NAME).read_bytes(), type=Checkpoint)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise ValueError(f"{folder / _NAME} cannot be read: {error}") from None


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint of a chain. It is on the disk when this returns. Raises OSError."""
    write_atomically(folder / _NAME, msgspec.json.encode(checkpoint))
