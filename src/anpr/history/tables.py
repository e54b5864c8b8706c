"""The tables of a history store, and the one schema version that this program reads and writes.

`sources` gives each partition of a topic a number, and holds the offset behind its last stored record. `sightings`
and `sighting_keys` are keyed by day, source and offset, so a record that comes again changes nothing.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

# Change it with the tables. A store of another version is refused by name; see `database`.
SCHEMA_VERSION: Final = 1

METADATA: Final = MetaData()
VERSION: Final = Table("schema_version", METADATA, Column("version", Integer, primary_key=True, autoincrement=False))
SOURCES: Final = Table(
    "sources",
    METADATA,
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


SIGHTINGS: Final = Table(
    "sightings",
    METADATA,
    *_position(),
    Column("arrived_ms", BigInteger, nullable=False),
    Column("identity", LargeBinary(16), nullable=False),
    Column("read", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
    postgresql_partition_by="LIST (day)",
)
SIGHTING_KEYS: Final = Table(
    "sighting_keys",
    METADATA,
    Column("key", Text, primary_key=True),
    *_position(),
    sqlite_with_rowid=False,
    postgresql_partition_by="LIST (day)",
)
# The tables whose rows belong to a day: a day goes as a whole.
DAY_TABLES: Final = (SIGHTINGS, SIGHTING_KEYS)
