"""A site whose history is in memory, for tests that make many of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, StaticPool, create_engine

from anpr.history.erased_reads import ErasedReads
from anpr.history.fact_store import FactStore
from anpr.history.look_up import HistoryLookUp
from anpr.history.retention import KeptStores
from anpr.history.sighting_store import SightingStore
from anpr.history.sql_tables import FACT_TABLES, SIGHTING_TABLES, create_tables
from tests.support.history import SITE, at


class DaysInMemory:
    """All days of a store in one SQLite in memory; see `anpr.history.database.Database`."""

    def __init__(self) -> None:
        self._engine = create_engine("sqlite://", poolclass=StaticPool)
        with self._engine.begin() as connection:
            create_tables(connection, [*SIGHTING_TABLES, *FACT_TABLES])

    @contextmanager
    def begin(self, day: date) -> Iterator[Connection]:  # noqa: ARG002  one store for all days
        with self._engine.begin() as connection:
            yield connection

    def rows(self, query: Select[Any], since: date, until: date) -> Iterator[Row[Any]]:  # noqa: ARG002  as above
        with self._engine.connect() as connection:
            yield from connection.execute(query)

    def days(self) -> list[date]:
        return [at(0).date(), at(2).date()]

    def drop(self, day: date) -> None:
        raise NotImplementedError

    def erase_remains(self, day: date) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self._engine.dispose()


class SearchInMemory:
    """A site whose history is in memory: its stores, and the search over them."""

    def __init__(self) -> None:
        self.stores = KeptStores(
            SightingStore(DaysInMemory()),
            SightingStore(DaysInMemory()),
            SightingStore(DaysInMemory()),
            FactStore(DaysInMemory()),
            FactStore(DaysInMemory()),
            ErasedReads(DaysInMemory(), Path("no key")),
        )
        self.search = HistoryLookUp(SITE, self.stores)

    def close(self) -> None:
        self.stores.close()
