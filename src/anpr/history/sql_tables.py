"""The tables of the history stores, and the one schema version that this program reads and writes.

`sources` gives each partition of a topic a number, and holds the offset behind its last stored record. The rows of
the other tables are keyed by day, source and offset, so a record that comes again changes nothing.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

# Raise it when a table changes, or what is derived of a read (`derived_rows`); a test says so. An older store is
# upgraded, a newer one refused by name: see `schema`.
SCHEMA_VERSION: Final = 3

_METADATA: Final = MetaData()
VERSION: Final = Table("schema_version", _METADATA, Column("version", Integer, primary_key=True, autoincrement=False))
SOURCES: Final = Table(
    "sources",
    _METADATA,
    Column("number", Integer, primary_key=True),
    Column("topic_id", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    UniqueConstraint("topic_id", "partition"),
)


def _position() -> tuple[Column[int], Column[int], Column[int]]:
    """Return the columns that name a record: its day as a number such as 20261129, its source, its offset."""
    return (
        Column("day", Integer, primary_key=True, autoincrement=False),
        Column("source", Integer, primary_key=True, autoincrement=False),
        Column("offset", BigInteger, primary_key=True, autoincrement=False),
    )


def _day_table(name: str, *columns: Column[Any], has_rowid: bool = False) -> Table:
    return Table(name, _METADATA, *columns, sqlite_with_rowid=has_rowid, postgresql_partition_by="LIST (day)")


SIGHTINGS: Final = _day_table(
    "sightings",
    *_position(),
    Column("arrived_ms", BigInteger, nullable=False),
    Column("identity", LargeBinary(16), nullable=False),
    Column("read", LargeBinary, nullable=False),
)
SIGHTING_KEYS: Final = _day_table("sighting_keys", Column("key", Text, primary_key=True), *_position())
# The checksums of the keys of a day, once it is closed; see `held_keys`. `edition` is another number each time.
# It has a rowid: where there is none, SQLite finds a row by reading all of it.
HELD_KEYS: Final = _day_table(
    "held_keys",
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("edition", BigInteger, nullable=False),
    Column("checksums", LargeBinary, nullable=False),
    has_rowid=True,
)
# Alerts, corrections and actions. `identity` is that of an alert's read; `alert_id` is an alert's, or what an action
# is about.
FACTS: Final = _day_table(
    "facts",
    *_position(),
    Column("arrived_ms", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("alert_id", Text, index=True),
    Column("identity", LargeBinary(16), index=True),
    Column("value", LargeBinary, nullable=False),
)
# A keyed hash of each read that was erased, by the day on which the broker had got it; see `erased_reads`.
ERASED_READS: Final = _day_table(
    "erased_reads",
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), primary_key=True),
)
# The tables of each kind of store whose rows belong to a day: a day goes as a whole.
SIGHTING_TABLES: Final = (SIGHTINGS, SIGHTING_KEYS, HELD_KEYS)
FACT_TABLES: Final = (FACTS,)
ERASED_TABLES: Final = (ERASED_READS,)
# Those whose rows come from the rows of the others.
DERIVED_TABLES: Final = (SIGHTING_KEYS, HELD_KEYS)


def create_tables(connection: Any, day_tables: Sequence[Table]) -> None:
    """Create the tables of a store with these day tables."""
    _METADATA.create_all(connection, tables=[VERSION, SOURCES, *day_tables])
