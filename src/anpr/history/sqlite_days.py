"""A store in SQLite: a folder with a file for each day, which is a whole store of that day.

A closed day is one file, which can be copied while history runs. `synchronous=FULL`: after a power cut a file holds
every commit, so no later day's offsets can be newer than an older day's rows (`day_batches`).

A look-up opens a file and closes it: a year of files would take more descriptors than a process has, and a day that
has gone would stay on the disk while it is open. Only the writer, which knows when a day goes, keeps some files open:
the day that it writes, and the few days that were read last, since to open a file takes longer than to read it.
"""

import os
import re
import secrets
import sqlite3
import threading
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from functools import cache
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Engine, NullPool, Select, Table, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from anpr.history.database import HistoryUnavailableError, NoStoreError, unavailable
from anpr.history.schema import prepare
from anpr.history.stored_time import day_number, day_of
from anpr.runtime.atomic_file import sync_folder
from anpr.runtime.errors import InputError, UnavailableError
from anpr.runtime.file_lock import hold

_BUSY_SECONDS = 30
_IS_WRITING = "is_writing"
_MOST_IDLE = 32  # a month, at three descriptors each


class SqliteDays:
    """The day files of one store. One process keeps a folder as its writer; others read it, or add copied rows."""

    def __init__(self, folder: Path, day_tables: Sequence[Table], *, is_writer: bool = True) -> None:
        """Open the store of these tables in `folder`; a writer creates it if there is none.

        A writer upgrades the files of an older schema version, one after the other. Raises InputError for a file of
        any other version, UnavailableError where another process writes it.
        """
        self._folder = folder
        self._day_tables = day_tables
        if not is_writer and not folder.is_dir():
            raise NoStoreError(f"the history folder {folder}")
        self._lock = _lock(folder) if is_writer else None
        self._engines: dict[date, Engine] = {}
        self._written: tuple[date, Connection] | None = None
        self._idle: dict[date, Connection] = {}  # the one that was used last is the last
        self._opening = threading.Lock()
        try:
            if is_writer:
                self._finish_drops()
            for day in self.days():
                with self._unless_it_goes(day):
                    self._open(day)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def begin(self, day: date) -> Iterator[Connection]:
        """See `Database`."""
        if day not in self._engines and not self._file(day).exists():
            self._make(day)
        engine = self._open(day)
        with unavailable(self._name(day)):
            self._stay_open(day, engine)
            with _writing(engine).begin() as connection:
                yield connection

    def rows(self, query: Select[Any], since: date, until: date) -> Iterator[Any]:
        """See `Database`."""
        statement = _Statement(query)
        for day in reversed(self.days()):
            if since <= day <= until:
                with self._unless_it_goes(day):
                    yield from self._rows_of(day, statement)

    def days(self) -> list[date]:
        """See `Database`."""
        return days_in(self._folder)

    def drop(self, day: date) -> None:
        """See `Database`. The day has gone with the new name of its file; what is left of it goes afterwards."""
        with self._opening, _disk_errors(self._name(day)):
            self._engines.pop(day, None)
            if day in self._idle:
                self._idle.pop(day).close()
            if self._written is not None and self._written[0] == day:
                self._close_written()
            file = self._file(day)
            if file.exists():
                file.rename(file.with_name(f"{file.name}{_GONE}"))
            self._finish_drops()

    def erase_remains(self, day: date) -> None:
        """See `Database`. `secure_delete` has overwritten the rows in the file; what the journal holds goes too."""
        with unavailable(self._name(day)):
            connection = self._open(day).raw_connection()
            try:
                is_busy, *_ = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                connection.close()
        if is_busy:
            raise HistoryUnavailableError(f"{self._name(day)}: a look-up reads it all the time")

    def close(self) -> None:
        """See `Database`."""
        with self._opening:
            self._engines.clear()
            self._close_connections()
        if self._lock is not None:
            self._lock.close()

    def _make(self, day: date) -> None:
        """Make the file of a day with its tables. It is there as a whole, or not at all."""
        file = self._file(day)
        new = file.with_name(f"{file.name}{_NEW}{secrets.token_hex(8)}")
        with _disk_errors(self._name(day)):
            new.touch(mode=0o600)
            try:
                self._prepare(day, _engine(new))
                with suppress(FileExistsError):  # another process has just made it
                    os.link(new, file)
                sync_folder(self._folder)
            finally:
                new.unlink(missing_ok=True)

    def _open(self, day: date) -> Engine:
        """Return the engine of a day. Another thread sees it only when the file has been checked."""
        with self._opening:
            if day not in self._engines:
                engine = _engine(self._file(day))
                _check_not_empty(self._file(day))
                self._prepare(day, engine)
                self._engines[day] = engine
            return self._engines[day]

    def _prepare(self, day: date, engine: Engine) -> None:
        with unavailable(self._name(day)), _writing(engine).begin() as connection:
            prepare(
                connection,
                self._name(day),
                self._day_tables,
                lambda _: None,  # a file has no partitions
                may_upgrade=self._lock is not None,
            )

    def _stay_open(self, day: date, engine: Engine) -> None:
        """Keep a connection to the day that is written, and none to any other day.

        The last connection that closes takes the journal into the file and deletes it: too slow for each commit. A
        closed day is one file, without a journal beside it, unless a look-up reads it just then.
        """
        with self._opening:
            if self._written is None or self._written[0] != day:
                self._close_connections()
                self._written = day, engine.connect()

    def _close_connections(self) -> None:
        while self._idle:
            self._idle.popitem()[1].close()
        self._close_written()

    def _close_written(self) -> None:
        if self._written is not None:
            self._written[1].close()
            self._written = None

    def _rows_of(self, day: date, statement: "_Statement") -> Iterator[Any]:
        # A look-up comes here a hundred times, and context managers took longer than SQLite.
        connection = self._connection(day)
        is_idle = False
        try:
            yield from statement.rows(connection)
            is_idle = self._lock is not None and self._keep_idle(day, connection)
        except SQLAlchemyError:
            with unavailable(self._name(day)):
                raise
        finally:
            if not is_idle:
                connection.close()

    def _connection(self, day: date) -> Connection:
        """Return the idle connection to a day, or a new one."""
        with self._opening:
            if (idle := self._idle.pop(day, None)) is not None:
                return idle
        with unavailable(self._name(day)):
            return self._open(day).connect()

    def _keep_idle(self, day: date, connection: Connection) -> bool:
        """Keep a connection for the next look-up instead of the one unused longest. False where it must be closed."""
        with self._opening:
            if self._engines.get(day) is not connection.engine or day in self._idle:
                return False  # the day has gone meanwhile, or another look-up was quicker
            self._idle[day] = connection
            if len(self._idle) > _MOST_IDLE:
                self._idle.pop(next(iter(self._idle))).close()
            return True

    @contextmanager
    def _unless_it_goes(self, day: date) -> Iterator[None]:
        """Pass over a day that goes meanwhile, for its retention has ended: it is no error that it cannot be read."""
        try:
            yield
        except HistoryUnavailableError:
            if self._file(day).exists():
                raise

    def _finish_drops(self) -> None:
        """Delete what is left of days that have gone: their files under the new name, and journals without a file.

        Also files of days that a crash left unfinished.
        """
        for file in self._folder.iterdir():
            match = _LEFT_OVER.match(file.name)
            if match and not (self._folder / match[1]).exists():
                file.unlink(missing_ok=True)

    def _file(self, day: date) -> Path:
        return self._folder / file_name(day)

    def _name(self, day: date) -> str:
        return f"the history file {self._folder}/{file_name(day)}"  # a Path takes its time, and a look-up has many


class _Statement:
    """A query of many files. SQLAlchemy writes it and reads its rows once, in the first file.

    In the others, the driver executes what it wrote: SQLAlchemy takes several times as long as to find a few rows.
    """

    def __init__(self, query: Select[Any]) -> None:
        self._query = query
        self._written: tuple[str, Any] | None = None
        self._row_of = _row_of(tuple(query.selected_columns.keys()))

    def rows(self, connection: Connection) -> Iterator[Any]:
        """Yield its rows in one file. No transaction is open afterwards."""
        if self._written is None:
            result = connection.execute(self._query)
            self._written = result.context.statement, result.context.parameters[0]
            yield from result
            connection.rollback()
        else:
            driver: Any = connection.connection.driver_connection
            try:
                yield from map(self._row_of, driver.execute(*self._written))
            except sqlite3.Error as error:
                # As SQLAlchemy does. No message has the parameters: they are plates.
                raise DBAPIError.instance(self._written[0], (), error, sqlite3.Error, hide_parameters=True) from None


@cache
def _row_of(names: tuple[str, ...]) -> Callable[[Iterable[Any]], Any]:
    """Return what makes a row with these attributes of its values."""
    row: Any = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024  the names are those of a query
    return row._make


_FILE = re.compile(r"^(\d{8})\.sqlite$")
_GONE = ".gone"
_NEW = ".new-"
_LEFT_OVER = re.compile(r"^(\d{8}\.sqlite)(?:\.gone|(?:\.new-\w+)?-wal|(?:\.new-\w+)?-shm|\.new-\w+)$")


def days_in(folder: Path) -> list[date]:
    """Return the days that have a file in a folder, the oldest first. Raises InputError for a name of no day."""
    names = os.listdir(folder)  # noqa: PTH208  a look-up asks a dozen times, and a Path for each file takes its time
    return sorted(_day_of(folder, match[1]) for name in names if (match := _FILE.match(name)))


def _day_of(folder: Path, digits: str) -> date:
    try:
        return day_of(int(digits))
    except ValueError:
        raise InputError(
            "history-day-name",
            f"{folder}/{digits}.sqlite is named like a day file, but {digits} is no day",
            "move the file out of the folder: history did not write it",
        ) from None


def _check_not_empty(file: Path) -> None:
    """Refuse a file without a byte: SQLite takes it for a new database, and its day would be lost in silence."""
    with suppress(FileNotFoundError):  # who opens it says so
        if not file.stat().st_size:
            raise InputError(
                "history-day-damaged",
                f"{file} is empty: its sightings are lost",
                "put this day back from a backup. Without one, delete the file: the others of the folder are sound",
            )


def file_name(day: date) -> str:
    """Return the name of the file of a day."""
    return f"{day_number(day)}.sqlite"


def _engine(file: Path) -> Engine:
    # A reader must not make a file anew that has just gone, so no connection creates one.
    # hide_parameters: they are plates.
    engine = create_engine(
        f"sqlite:///{file.absolute().as_uri()}?mode=rw&uri=true",
        hide_parameters=True,
        connect_args={"timeout": _BUSY_SECONDS},
        poolclass=NullPool,
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver begins no transactions: `_begin` does
    # Not mapped (`mmap_size`): a page that the disk cannot read, or a file that was cut short, would end the process.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "mmap_size=0"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    # At once: a reader that became a writer in the middle could be refused. A reader reads by one statement, which
    # is a transaction by itself.
    if connection.get_execution_options().get(_IS_WRITING):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _writing(engine: Engine) -> Engine:
    return engine.execution_options(**{_IS_WRITING: True})


@contextmanager
def _disk_errors(store: str) -> Iterator[None]:
    """Raise an error of the disk as HistoryUnavailableError."""
    try:
        yield
    except OSError as error:
        raise HistoryUnavailableError(f"{store}: {error.strerror or error}") from None


def _lock(folder: Path) -> IO[bytes]:
    """Make this process the only writer of the folder. Raises UnavailableError when there is one already."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.fdopen(hold(folder / "lock"), "wb")
    except BlockingIOError:
        raise UnavailableError(
            "history-already-kept",
            f"another `anpr history` keeps {folder}",
            "give each history service a store of its own: set history.folder or history.url",
        ) from None
    except OSError as error:
        raise UnavailableError(
            "history-store",
            f"history cannot be kept in {folder}: {error.strerror or error}",
            "make history.folder a folder that this process may write to",
        ) from None
