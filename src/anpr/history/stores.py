"""Opens the stores of a site where the settings say: in a folder, or in a PostgreSQL."""

from collections.abc import Sequence

from sqlalchemy import Table

from anpr.history.database import Database
from anpr.history.fact_store import FactStore
from anpr.history.postgresql_days import PostgresqlDays
from anpr.history.sighting_store import SightingStore
from anpr.history.sqlite_days import SqliteDays
from anpr.history.tables import FACT_TABLES, SIGHTING_TABLES
from anpr.runtime.settings import Settings


def open_sightings(settings: Settings, site: str, *, is_writer: bool = True) -> SightingStore:
    """Open the sightings of a site. Only one process at a time may be the writer of a folder.

    This and the function below raise InputError for a store of another schema version, and UnavailableError where
    the store cannot be used.
    """
    return SightingStore(_database(settings, site, "sightings", SIGHTING_TABLES, is_writer=is_writer))


def open_facts(settings: Settings, site: str, *, covert: bool, is_writer: bool = True) -> FactStore:
    """Open the alerts, corrections and actions of a site. Covert ones are in a store with rights of its own."""
    kind = "facts-covert" if covert else "facts"
    return FactStore(_database(settings, site, kind, FACT_TABLES, is_writer=is_writer))


def _database(settings: Settings, site: str, kind: str, day_tables: Sequence[Table], *, is_writer: bool) -> Database:
    if settings.history.url:
        return PostgresqlDays(settings.history.url, f"history-{site}-{kind}", day_tables, is_writer=is_writer)
    return SqliteDays(settings.history_dir / site / kind, day_tables, is_writer=is_writer)
