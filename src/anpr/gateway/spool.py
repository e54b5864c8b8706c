"""Lines kept on disk until the broker has them: a small SQLite file, one for each site that a gateway sends for."""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from anpr.runtime.errors import UnavailableError


class Spooled(NamedTuple):
    """A line on disk, with the number that says its order."""

    number: int
    key: str | None
    line: bytes


class Spool:
    """What was put in is there after a crash or a power cut, in its order, until it is removed."""

    def __init__(self, path: Path) -> None:
        """Open the spool. Raises UnavailableError when another process has it, or the disk refuses."""
        self._path = path
        self._open()

    def _open(self) -> None:
        path = self._path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=0.5)
            # Exclusive: two senders on one spool would send everything twice. Full: a commit is on the disk itself.
            self._db.executescript(
                "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                "CREATE TABLE IF NOT EXISTS spool (number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT, line BLOB);"
            )
        except (sqlite3.Error, OSError) as error:
            raise self._unavailable(error) from None

    def put(self, lines: Iterable[tuple[str | None, bytes]]) -> None:
        """Keep the lines. They are on disk when this returns. Raises UnavailableError, having kept none of them."""
        try:
            with self._db:
                self._db.executemany("INSERT INTO spool (key, line) VALUES (?, ?)", lines)
        except sqlite3.Error as error:
            raise self._unavailable(error) from None

    def after(self, number: int, limit: int) -> list[Spooled]:
        """Return the lines that follow `number`, the oldest first."""
        try:
            rows = self._db.execute(
                "SELECT number, key, line FROM spool WHERE number > ? ORDER BY number LIMIT ?", (number, limit)
            )
            return [Spooled(*row) for row in rows]
        except sqlite3.Error as error:
            raise self._unavailable(error) from None

    def remove(self, numbers: Sequence[int]) -> None:
        """Let lines go that the broker has. Raises UnavailableError; they are then sent again on the next start."""
        try:
            with self._db:
                self._db.executemany("DELETE FROM spool WHERE number = ?", [(number,) for number in numbers])
        except sqlite3.Error as error:
            raise self._unavailable(error) from None

    def start_anew(self) -> None:
        """Let all lines go by removing the file, which a full disk allows where it refuses a change of the file.

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
        """Let the file go."""
        self._db.close()

    def _unavailable(self, error: sqlite3.Error | OSError) -> UnavailableError:
        return UnavailableError(
            "spool-unusable",
            f"the spool {self._path} cannot be used: {error}",
            "is another `anpr send` using it, or is the disk full?",
        )
