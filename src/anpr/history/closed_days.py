"""Day files that are only read: those of a backup or of another machine. Nothing is written, not even beside them."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Row, Select, create_engine

from anpr.history.database import HistoryUnavailableError, NoStoreError, unavailable
from anpr.history.schema import check_readable
from anpr.history.sqlite_days import days_in, file_name
from anpr.runtime.errors import InputError


class ClosedDays:
    """The days in a folder that no process is writing; see `database.StoredDays`."""

    def __init__(self, folder: Path) -> None:
        """Read the day files in `folder`. Raises NoStoreError when there is no such folder."""
        if not folder.is_dir():
            raise NoStoreError(f"the history folder {folder}")
        self._folder = folder

    def check(self, day: date) -> None:
        """Raise InputError when a day cannot be copied: its file is damaged, still written, or of another schema."""
        file = self._folder / file_name(day)
        journal = file.with_name(f"{file.name}-wal")
        if journal.exists() and journal.stat().st_size:
            raise InputError(
                "history-day-not-closed",
                f"{file} has a journal beside it: it is still written",
                "copy this day when the service there has closed it, a day later, or stop that service",
            )
        if not self._is_sound(day):
            raise InputError(
                "history-day-damaged", f"{file} is damaged", "take this day from the other service or an older backup"
            )
        with self._connected(day) as connection:
            check_readable(connection, self._name(day))

    def rows(self, query: Select[Any], since: date, until: date) -> Iterator[Row[Any]]:
        """See `StoredDays`."""
        for day in reversed(self.days()):
            if since <= day <= until:
                with self._connected(day) as connection:
                    yield from connection.execute(query)

    def days(self) -> list[date]:
        """See `StoredDays`."""
        return days_in(self._folder)

    def close(self) -> None:
        """See `StoredDays`."""

    @contextmanager
    def _connected(self, day: date) -> Iterator[Connection]:
        # `immutable`: SQLite makes no journal, so a backup may be on a disk that cannot be written.
        address = f"file:{quote(str(self._folder / file_name(day)))}?mode=ro&immutable=1"
        engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True), hide_parameters=True)
        try:
            with unavailable(self._name(day)), engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()

    def _is_sound(self, day: date) -> bool:
        """Return whether SQLite finds no fault in a file: neither in its pages nor in the order of its rows."""
        try:
            with self._connected(day) as connection:
                return bool(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() == "ok")
        except HistoryUnavailableError:
            return False

    def _name(self, day: date) -> str:
        return f"the history file {self._folder / file_name(day)}"
