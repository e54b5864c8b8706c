"""A store in PostgreSQL: a schema of the database, whose tables of rows are partitioned by day.

All days are in one database, so rows and offsets of several days could be one commit. They are not, so that both
kinds of database work alike.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, create_engine, event, func, inspect, make_url, select, text
from sqlalchemy.exc import ArgumentError, InvalidatePoolError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from anpr.history.database import PLANNED_BY_VALUES, STREAMED, NoStoreError, unavailable
from anpr.history.schema import prepare
from anpr.history.stored_time import day_number, day_of
from anpr.runtime.errors import InputError

# A statement is prepared when it is executed again; see `_plan_once`.
_CONNECT = {"connect_timeout": 5, "prepare_threshold": 1}
# Services that make the same schema or partition at the same time wait for each other: CREATE IF NOT EXISTS can fail.
_DDL_LOCK = 0x616E7072
# As in SQLite, one transaction at a time writes a store.
_WRITE_LOCK = 0x616E7073
# Asked several times in a look-up, so not by SQLAlchemy's inspection, which takes a millisecond longer.
_PARTITIONS = text(
    "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = to_regclass(:table)"
)
# Takes back for a transaction what `_plan_once` sets.
_PLAN_BY_VALUES = text(
    "SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'on', true)"
)
# The driver takes many rows over at less cost than one after the other.
_ROWS_AT_ONCE = 1000
_USED_AT = "used_at"
# A connection that was idle for longer is asked whether it still is one.
_IDLE_SECONDS = 1


class PostgresqlDays:
    """One store in a PostgreSQL. Several services may write it, though each replica should have one of its own."""

    def __init__(self, url: str, schema: str, day_tables: Sequence[Table], *, is_writer: bool = True) -> None:
        """Open the store of these tables, and create it if there is none. A writer upgrades an older store.

        Raises InputError for an address that is none and for any other schema version, HistoryUnavailableError when
        the database does not answer.
        """
        self._schema = schema
        self._day_tables = day_tables
        self._engine = _engine(url, schema)
        self._alone = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._store = f"the history schema {schema} at {self._engine.url.host or 'the local socket'}"
        self._days: set[date] = set()
        try:
            with unavailable(self._store), self._engine.begin() as connection:
                _lock(connection)
                self._make_schema(connection, is_writer=is_writer)
                prepare(
                    connection,
                    self._store,
                    day_tables,
                    self._make_partitions_again,
                    schema=schema,
                    may_upgrade=is_writer,
                )
        except BaseException:
            self.close()
            raise

    @contextmanager
    def begin(self, day: date) -> Iterator[Connection]:
        """See `Database`."""
        with unavailable(self._store):
            if day not in self._days:
                self._make_partitions(day)
            with self._engine.begin() as connection:
                connection.execute(select(func.pg_advisory_xact_lock(_WRITE_LOCK, func.hashtext(self._schema))))
                yield connection

    def rows(self, query: Select[Any], since: date, until: date) -> Iterator[Any]:
        """See `Database`."""
        del since, until  # the day is a condition of each query, by which PostgreSQL chooses the partitions
        options = query.get_execution_options()
        with unavailable(self._store), self._reading(options) as connection:
            if PLANNED_BY_VALUES.keys() <= options.keys():
                connection.execute(_PLAN_BY_VALUES)
            with connection.execute(query) as result:  # who asks may stop in the middle
                for some in result.partitions(_ROWS_AT_ONCE):
                    yield from some

    def days(self) -> list[date]:
        """See `Database`."""
        with unavailable(self._store), self._reading({}) as connection:
            return self._days_in(connection)

    def drop(self, day: date) -> None:
        """See `Database`. A table a transaction: a look-up locks the same tables in another order."""
        self._days.discard(day)
        with unavailable(self._store):
            # The first table goes last: as long as it is there, the day is seen, and goes at the next attempt.
            for table in reversed(self._day_tables):
                of, partition = self._qualified(table.name), self._qualified(f"{table.name}_{day_number(day)}")
                with self._engine.begin() as connection:
                    _lock(connection)
                    if connection.execute(select(func.to_regclass(partition))).scalar() is not None:
                        connection.execute(text(f"ALTER TABLE {of} DETACH PARTITION {partition}"))
                        connection.execute(text(f"DROP TABLE {partition}"))

    def erase_remains(self, day: date) -> None:
        """See `Database`. VACUUM FULL writes a partition anew: VACUUM alone leaves bytes of rows in its pages."""
        with unavailable(self._store), self._engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in self._day_tables:
                connection.execute(text(f"VACUUM FULL {self._qualified(f'{table.name}_{day_number(day)}')}"))

    def close(self) -> None:
        """See `Database`."""
        self._engine.dispose()

    def _reading(self, options: Mapping[str, Any]) -> AbstractContextManager[Connection]:
        """Return a connection for a query with these options.

        A statement alone needs no transaction, which would be two more messages to the server and back.
        """
        is_alone = not options.keys() & {*STREAMED, *PLANNED_BY_VALUES}
        return self._alone.connect() if is_alone else self._engine.begin()

    def _make_schema(self, connection: Connection, *, is_writer: bool) -> None:
        if is_writer:
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {self._quoted(self._schema)}"))
        elif not inspect(connection).has_schema(self._schema):
            raise NoStoreError(self._store)

    def _days_in(self, connection: Connection) -> list[date]:
        first = self._day_tables[0].name
        names = connection.execute(_PARTITIONS, {"table": self._qualified(first)}).scalars()
        return sorted(day_of(int(name.removeprefix(f"{first}_"))) for name in names)

    def _make_partitions(self, day: date) -> None:
        with self._engine.begin() as connection:
            _lock(connection)
            self._make_partitions_in(connection, day)
        self._days.add(day)

    def _make_partitions_again(self, connection: Connection) -> None:
        for day in self._days_in(connection):
            self._make_partitions_in(connection, day)

    def _make_partitions_in(self, connection: Connection, day: date) -> None:
        number = day_number(day)
        for table in self._day_tables:
            of, partition = self._qualified(table.name), self._qualified(f"{table.name}_{number}")
            connection.execute(
                text(f"CREATE TABLE IF NOT EXISTS {partition} PARTITION OF {of} FOR VALUES IN ({number})")
            )

    def _qualified(self, table: str) -> str:
        return f"{self._quoted(self._schema)}.{self._quoted(table)}"

    def _quoted(self, name: str) -> str:
        return self._engine.dialect.identifier_preparer.quote(name)


def _lock(connection: Connection) -> None:
    connection.execute(select(func.pg_advisory_xact_lock(_DDL_LOCK)))


def _engine(url: str, schema: str) -> Engine:
    """Return the engine. Raises InputError; the text of the address is in no message, for it may hold a password."""
    next_step = 'write it so: "postgresql://anpr@db.example/history"'
    try:
        address = make_url(url).set(drivername="postgresql+psycopg")
        engine = create_engine(address, hide_parameters=True, connect_args=_CONNECT)
    except ModuleNotFoundError:
        raise InputError(
            "history-url",
            "history.url names a PostgreSQL, but its driver is not installed",
            "install the package with its extra `postgresql`",
        ) from None
    except (ArgumentError, SQLAlchemyError, ValueError):
        raise InputError("history-url", "history.url is not an address of a PostgreSQL", next_step) from None
    if make_url(url).get_backend_name() != "postgresql":
        raise InputError("history-url", "history.url is not an address of a PostgreSQL", next_step)
    event.listen(engine, "connect", _plan_once)
    event.listen(engine, "checkin", _note_end_of_use)
    event.listen(engine, "checkout", partial(_ping_if_idle, engine.dialect))
    return engine.execution_options(schema_translate_map={None: schema})


def _note_end_of_use(_: object, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = time.monotonic()


def _ping_if_idle(dialect: Any, connection: Any, record: ConnectionPoolEntry, _: object) -> None:
    """Connect again if the server has ended a connection while it was idle.

    To ask so before each of the dozen questions of a look-up would double its messages.
    """
    if time.monotonic() - record.info.get(_USED_AT, math.inf) > _IDLE_SECONDS:
        try:
            dialect.do_ping(connection)
        except dialect.dbapi.Error:
            raise InvalidatePoolError from None


def _plan_once(connection: Any, _: object) -> None:
    """Let the server plan each prepared statement once, whatever its values are, but for PLANNED_BY_VALUES.

    A look-up's statement is about the partitions of many days. To plan it takes several times as long as to execute
    it. The driver forgets what is prepared when a transaction is rolled back: what only reads commits, or has none.

    A plan may be of a day that had just begun. By it the server would read the whole day, later too, until it has
    analysed the day. So it takes an index where there is one.
    """
    connection.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")
    connection.commit()
