"""Keeps lines on disk until the broker has them: one small SQLite file for each site that a gateway sends for."""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from anpr.runtime.errors import UnavailableError
from anpr.runtime.private_files import FILE_MODE, make_private_folder


class SpooledLine(NamedTuple):
    """A line on disk. Its number gives the order; its key is the record's key, by which Kafka chooses a partition."""

    number: int
    key: str | None
    line: bytes


class Spool:
    """Lines in the order in which they were appended. They survive a crash or a power cut until they are removed."""

    def __init__(self, path: Path) -> None:
        """Open the spool. Raises UnavailableError when another process uses it, or the disk refuses."""
        self._path = path
        self._open()

    def _open(self) -> None:
        path = self._path
        try:
            make_private_folder(path.parent)
            path.touch(FILE_MODE)
            path.chmod(FILE_MODE)  # SQLite gives its other files the mode of this one
            self._db = sqlite3.connect(path, timeout=0.5)
            # Exclusive: two gateways on one spool would send every line twice. Full: a commit waits for the disk.
            self._db.executescript(
                "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                "PRAGMA secure_delete=ON;"  # a line that the broker has must not stay in a free page
                "CREATE TABLE IF NOT EXISTS spool (number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT, line BLOB);"
            )
        except (sqlite3.Error, OSError) as error:
            raise self._unavailable(error) from None

    def append(self, lines: Iterable[tuple[str | None, bytes]]) -> None:
        """Add (key, line) pairs. All are on disk when this returns. Raises UnavailableError, having added none."""
        try:
            with self._db:
                self._db.executemany("INSERT INTO spool (key, line) VALUES (?, ?)", lines)
        except sqlite3.Error as error:
            raise self._unavailable(error) from None

    def lines_after(self, number: int, limit: int) -> list[SpooledLine]:
        """Return up to `limit` lines with a higher number than this, the oldest first. Raises UnavailableError."""
        try:
            rows = self._db.execute(
                "SELECT number, key, line FROM spool WHERE number > ? ORDER BY number LIMIT ?", (number, limit)
            )
            return [SpooledLine(*row) for row in rows]
        except sqlite3.Error as error:
            raise self._unavailable(error) from None

    def remove(self, numbers: Sequence[int]) -> None:
        """Remove lines that the broker has. Raises UnavailableError: the next start then sends them again."""
        try:
            with self._db:
                self._db.executemany("DELETE FROM spool WHERE number = ?", [(number,) for number in numbers])
        except sqlite3.Error as error:
            raise self._unavailable(error) from None

    def recreate(self) -> None:
        """Remove all lines by deleting the file. A full disk allows this even when it refuses changes to the file.

        Numbers begin at 1 again. Raises UnavailableError.
        """
        self._db.close()
        try:
            for ending in ("-wal", ""):
                self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
        except OSError as error:
            raise self._unavailable(error) from None
        self._open()

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM spool").fetchone()[0])

    def close(self) -> None:
        """Close the file, so that another gateway may use it."""
        self._db.close()

    def _unavailable(self, error: sqlite3.Error | OSError) -> UnavailableError:
        return UnavailableError(
            "spool-unusable",
            f"the spool {self._path} cannot be used: {error}",
            "check whether another `anpr send` is using it, and whether the disk is full",
        )
