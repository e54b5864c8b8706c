"""Opens the stores of a site where the settings say: in a folder, or in a PostgreSQL."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import Table

from anpr.history.closed_days import ClosedDays
from anpr.history.database import Database
from anpr.history.fact_store import FactStore
from anpr.history.postgresql_days import PostgresqlDays
from anpr.history.sighting_store import SightingStore
from anpr.history.sqlite_days import SqliteDays
from anpr.history.tables import FACT_TABLES, SIGHTING_TABLES
from anpr.runtime.errors import InputError
from anpr.runtime.settings import Settings

SIGHTINGS: Final = "sightings"
FACTS: Final = "facts"
COVERT_FACTS: Final = "facts-covert"
# Each kind of store, and the tables of its days.
TABLES: Final = {SIGHTINGS: SIGHTING_TABLES, FACTS: FACT_TABLES, COVERT_FACTS: FACT_TABLES}


def open_sightings(settings: Settings, site: str, *, is_writer: bool = True) -> SightingStore:
    """Open the sightings of a site. Only one process at a time may be the writer of a folder.

    This and the function below raise InputError for a store of another schema version and for one that is not to be
    made, because this is no writer; UnavailableError where the store cannot be used.
    """
    return SightingStore(_database(settings, site, SIGHTINGS, SIGHTING_TABLES, is_writer=is_writer))


def open_facts(settings: Settings, site: str, *, covert: bool, is_writer: bool = True) -> FactStore:
    """Open the alerts, corrections and actions of a site. Covert ones are in a store with rights of its own."""
    return FactStore(_database(settings, site, COVERT_FACTS if covert else FACTS, FACT_TABLES, is_writer=is_writer))


def open_original(address: str, site: str, kind: str) -> ClosedDays | PostgresqlDays:
    """Open a store of a site to copy from: in a history folder, or in a PostgreSQL by its address.

    Raises InputError when it is not there or cannot be read, UnavailableError when the database does not answer.
    """
    if "://" in address:
        _refuse_password(address)
        return PostgresqlDays(address, _schema(site, kind), TABLES[kind], is_writer=False)
    return ClosedDays(Path(address) / site / kind)


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
