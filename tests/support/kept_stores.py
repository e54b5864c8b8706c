"""The stores of a site with a history of days, for tests of what is kept and what goes."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Table

from anpr.history.database import Database
from anpr.history.erased_reads import ErasedReads
from anpr.history.fact_store import FactStore
from anpr.history.postgresql_days import PostgresqlDays
from anpr.history.retention import KeptStores
from anpr.history.sighting_store import SightingStore
from anpr.history.sql_tables import ERASED_TABLES, FACT_TABLES, SIGHTING_TABLES
from anpr.history.sqlite_days import SqliteDays


def kept_stores(folder: Path, url: str, schema: str) -> KeptStores:
    """Open the stores of a site: in a PostgreSQL where there is a `url`, else in files."""

    def database(kind: str, tables: Sequence[Table]) -> Database:
        return PostgresqlDays(url, f"{schema}-{kind}", tables) if url else SqliteDays(folder / kind, tables)

    return KeptStores(
        SightingStore(database("sightings", SIGHTING_TABLES)),
        SightingStore(database("matched", SIGHTING_TABLES)),
        SightingStore(database("matched-covert", SIGHTING_TABLES)),
        FactStore(database("facts", FACT_TABLES)),
        FactStore(database("facts-covert", FACT_TABLES)),
        ErasedReads(database("erased", ERASED_TABLES), folder / "erasure.key"),
    )
