"""Opens the stores of a site where the settings say: in a folder, or in a PostgreSQL."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Table

from anpr.history.closed_days import ClosedDays
from anpr.history.database import Database
from anpr.history.erased_reads import ErasedReads
from anpr.history.fact_store import FactStore
from anpr.history.postgresql_days import PostgresqlDays
from anpr.history.retention import KeptStores
from anpr.history.sighting_store import SightingStore
from anpr.history.sql_tables import ERASED_TABLES, FACT_TABLES, SIGHTING_TABLES
from anpr.history.sqlite_days import SqliteDays
from anpr.runtime.errors import InputError
from anpr.runtime.settings import Settings

SIGHTINGS: Final = "sightings"
MATCHED: Final = "matched"
COVERT_MATCHED: Final = "matched-covert"
FACTS: Final = "facts"
COVERT_FACTS: Final = "facts-covert"
_ERASED: Final = "erased"
# Each kind of store, and the tables of its days.
TABLES: Final = {
    SIGHTINGS: SIGHTING_TABLES,
    MATCHED: SIGHTING_TABLES,
    COVERT_MATCHED: SIGHTING_TABLES,
    FACTS: FACT_TABLES,
    COVERT_FACTS: FACT_TABLES,
}

AnyStore = TypeVar("AnyStore", SightingStore, FactStore, ErasedReads)


def open_sightings(settings: Settings, site: str, *, is_writer: bool = True) -> SightingStore:
    """Open the sightings of a site. Only one process at a time may be the writer of a folder.

    This and the functions below raise InputError for a store of another schema version and for one that is not to be
    made, because this is no writer; UnavailableError where the store cannot be used.
    """
    return SightingStore(_database(settings, site, SIGHTINGS, SIGHTING_TABLES, is_writer=is_writer))


def open_matched(settings: Settings, site: str, *, covert: bool, is_writer: bool = True) -> SightingStore:
    """Open the sightings of alerts whose day has gone; those of only covert alerts are in a store of their own."""
    kind = COVERT_MATCHED if covert else MATCHED
    return SightingStore(_database(settings, site, kind, SIGHTING_TABLES, is_writer=is_writer))


def open_facts(settings: Settings, site: str, *, covert: bool, is_writer: bool = True) -> FactStore:
    """Open the alerts, corrections and actions of a site. Covert ones are in a store with rights of its own."""
    return FactStore(_database(settings, site, COVERT_FACTS if covert else FACTS, FACT_TABLES, is_writer=is_writer))


def open_store(settings: Settings, site: str, kind: str, *, is_writer: bool = True) -> SightingStore | FactStore:
    """Open the store of a kind."""
    database = _database(settings, site, kind, TABLES[kind], is_writer=is_writer)
    return FactStore(database) if TABLES[kind] is FACT_TABLES else SightingStore(database)


def open_original(address: str, site: str, kind: str) -> ClosedDays | PostgresqlDays:
    """Open a store of a site to copy from: in a history folder, or in a PostgreSQL by its address.

    Raises InputError when it is not there or cannot be read, UnavailableError when the database does not answer.
    """
    if "://" in address:
        _refuse_password(address)
        return PostgresqlDays(address, _schema(site, kind), TABLES[kind], is_writer=False)
    return ClosedDays(Path(address) / site / kind)


def open_erased(settings: Settings, site: str, *, is_writer: bool = True) -> ErasedReads:
    """Open the hashes of the reads that were erased from a site's history. They are not copied to another history."""
    database = _database(settings, site, _ERASED, ERASED_TABLES, is_writer=is_writer)
    return ErasedReads(database, settings.erasure_key_file)


def open_all(settings: Settings, site: str, *, is_writer: bool = True) -> KeptStores:
    """Open every store of a site."""
    with ExitStack() as opened:

        def opening(store: AnyStore) -> AnyStore:
            opened.callback(store.close)
            return store

        stores = KeptStores(
            opening(open_sightings(settings, site, is_writer=is_writer)),
            opening(open_matched(settings, site, covert=False, is_writer=is_writer)),
            opening(open_matched(settings, site, covert=True, is_writer=is_writer)),
            opening(open_facts(settings, site, covert=False, is_writer=is_writer)),
            opening(open_facts(settings, site, covert=True, is_writer=is_writer)),
            opening(open_erased(settings, site, is_writer=is_writer)),
        )
        opened.pop_all()
    return stores


def _database(settings: Settings, site: str, kind: str, day_tables: Sequence[Table], *, is_writer: bool) -> Database:
    if settings.history.url:
        return PostgresqlDays(settings.history.url, _schema(site, kind), day_tables, is_writer=is_writer)
    return SqliteDays(settings.history_dir / site / kind, day_tables, is_writer=is_writer)


def _refuse_password(address: str) -> None:
    """Every user of a machine can read the command lines of its processes."""
    if "@" in address and ":" in address.partition("://")[2].rpartition("@")[0]:
        raise InputError(
            "history-url",
            "the address on the command line holds a password",
            "leave the password out: libpq takes it from the file ~/.pgpass or from PGPASSWORD",
        )


def _schema(site: str, kind: str) -> str:
    return f"history-{site}-{kind}"
