"""Plate images: kept for a short time in a folder by site and day. A read carries the reference of its image.

Images stay out of Kafka. A reference is `<site>/<day>/<name>.jpg` with a random name, so that a person who may see
one image cannot guess another. It comes from outside, with a read. So it is always parsed before it becomes a path,
and a text that does not have exactly this form is no reference.
"""

import os
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from anpr.runtime.atomic_file import write_atomically
from anpr.runtime.private_files import make_private_folder

# An image of a plate is a few kB. A larger file is not one of ours and is not served.
MAX_IMAGE_BYTES = 65_536

_REFERENCE = re.compile(r"([a-z0-9-]{1,40})/([0-9]{4}-[0-9]{2}-[0-9]{2})/([0-9a-f]{32})\.jpg", re.ASCII)


class Reference(NamedTuple):
    """A parsed reference: the site, the day of capture in UTC, and the name of the image."""

    site: str
    day: date
    name: str

    def __str__(self) -> str:
        return f"{self.site}/{self.day.isoformat()}/{self.name}.jpg"


def parse(text: str) -> Reference | None:
    """Return the parsed reference; None for any text that is not a reference of this store."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        return None
    try:
        return Reference(match[1], date.fromisoformat(match[2]), match[3])
    except ValueError:
        return None


class ImageStore:
    """The plate images on this machine. Several processes may share the folder."""

    def __init__(self, folder: Path, retention: timedelta) -> None:
        """Keep images in `folder` until `retention` after their capture. The first image creates the folder."""
        self._folder = folder
        self._retention = retention

    def put(self, site: str, captured_at: datetime, jpeg: bytes) -> str:
        """Keep an image and return its reference. Raises OSError when the disk refuses, ValueError for a bad site."""
        captured_at = captured_at.astimezone(UTC)
        reference = Reference(site, captured_at.date(), secrets.token_hex(16))
        if parse(str(reference)) is None:
            raise ValueError(f"{site!r} is not the name of a site")
        file = self._file(reference)
        make_private_folder(file.parent)
        # A file's age counts from the capture, so that a late image does not outlive its retention.
        write_atomically(file, jpeg, modified=captured_at)
        return str(reference)

    def get(self, text: str, site: str, now: datetime) -> bytes | None:
        """Return the image of a reference; None when it belongs to another site, does not exist or has expired."""
        reference = parse(text)
        if reference is None or reference.site != site:
            return None
        try:
            handle = os.open(self._file(reference), os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return None
        with os.fdopen(handle, "rb") as file:
            stat = os.fstat(handle)
            return file.read() if self._is_usable(stat, now) else None

    def holds(self, text: str, site: str, now: datetime) -> bool:
        """Tell whether `get` would return an image. It does not read the image."""
        reference = parse(text)
        if reference is None or reference.site != site:
            return False
        try:
            stat = self._file(reference).stat(follow_symlinks=False)
        except OSError:
            return False
        return self._is_usable(stat, now)

    def sweep(self, now: datetime) -> int:
        """Delete the files that have expired by `now`, half-written ones too. Return how many were deleted."""
        oldest = self._oldest(now)
        deleted = 0
        for folder in self._days(oldest.date()):
            for file in folder.iterdir():
                try:
                    if file.stat(follow_symlinks=False).st_mtime < oldest.timestamp():
                        file.unlink()
                        deleted += 1
                except FileNotFoundError:
                    continue  # another process deleted it first
            if not any(folder.iterdir()):
                _remove_if_empty(folder)
        return deleted

    def _is_usable(self, file: os.stat_result, now: datetime) -> bool:
        is_ours = S_ISREG(file.st_mode) and file.st_size <= MAX_IMAGE_BYTES
        return is_ours and file.st_mtime >= self._oldest(now).timestamp()

    def _oldest(self, now: datetime) -> datetime:
        return now.astimezone(UTC) - self._retention

    def _days(self, until: date) -> Iterator[Path]:
        """Yield the folders of all sites up to and including that day."""
        for folder in self._folder.glob("*/????-??-??"):
            try:
                if date.fromisoformat(folder.name) <= until:
                    yield folder
            except ValueError:
                continue  # not a folder of ours

    def _file(self, reference: Reference) -> Path:
        return self._folder / str(reference)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return  # another process has just put an image there, or removed the folder
