"""The rows that are derived of a sighting's read: its keys. A store can derive them again at any time.

Whoever changes what is derived here, or the folding table, raises `sql_tables.SCHEMA_VERSION`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, select

from anpr.contracts.events import Read
from anpr.history.bulk_insert import insert_missing
from anpr.history.sighting import decode_stored
from anpr.history.sql_tables import SIGHTING_KEYS, SIGHTINGS
from anpr.matching.read_keys import read_keys

_ROWS_AT_ONCE = 2000


def derived_rows(positions: Sequence[Mapping[str, int]], reads: Sequence[Read]) -> dict[Table, list[dict[str, Any]]]:
    """Return the rows of each derived table, for reads at these positions: day, source and offset."""
    keys = [
        {**position, "key": key}
        for position, keys_of_read in zip(positions, read_keys(reads), strict=True)
        for key in keys_of_read
    ]
    return {SIGHTING_KEYS: keys}


def derive_again(connection: Connection) -> None:
    """Fill the derived tables, which are empty, with the rows of every sighting."""
    query = select(SIGHTINGS.c.day, SIGHTINGS.c.source, SIGHTINGS.c.offset, SIGHTINGS.c.read)
    for rows in connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE}).partitions():
        positions = [{"day": row.day, "source": row.source, "offset": row.offset} for row in rows]
        derived = derived_rows(positions, [decode_stored(row.read) for row in rows])
        for table, new in derived.items():
            insert_missing(connection, table, new)
