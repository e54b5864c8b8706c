"""The files of a chain: one segment for each day of UTC, `20261129.jsonl`, to which lines are only added."""

import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

_NAME = re.compile(r"^(\d{8})\.jsonl$")
_BLOCK_BYTES = 64 * 1024


def segments(folder: Path) -> list[Path]:
    """Return the segments of a chain, the oldest first. Raises OSError."""
    return sorted(file for file in folder.iterdir() if _NAME.match(file.name))


def segment_of(folder: Path, day: date) -> Path:
    """Return the path of the segment of a day."""
    return folder / f"{day:%Y%m%d}.jsonl"


def day_of(segment: Path) -> date:
    """Return the day of a segment."""
    return datetime.strptime(segment.stem, "%Y%m%d").replace(tzinfo=UTC).date()


def lines(segment: Path) -> Iterator[bytes]:
    """Yield the lines of a segment, each with its line feed if it has one. Raises OSError."""
    with segment.open("rb") as file:
        yield from file


def lines_backwards(segment: Path) -> Iterator[bytes]:
    """Yield the lines of a segment, the last one first, a block at a time. Raises OSError.

    A last line without a line feed comes without one: its writer is writing it, or died.
    """
    with segment.open("rb") as file:
        start = file.seek(0, os.SEEK_END)
        rest = b""
        while start:
            start, end = max(0, start - _BLOCK_BYTES), start
            file.seek(start)
            rest, *whole = _split(file.read(end - start) + rest)
            yield from reversed(whole)
        if rest:
            yield rest


def _split(block: bytes) -> list[bytes]:
    """Return the lines of a block with their line feeds."""
    *whole, last = block.split(b"\n")
    return [line + b"\n" for line in whole] + ([last] if last else [])
