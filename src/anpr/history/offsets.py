"""Up to where each source is read, committed together with the rows that it stands for."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from anpr.history.database import Database
from anpr.history.sighting import Source
from anpr.history.sql_tables import SOURCES


def next_offsets(database: Database) -> dict[Source, int]:
    """Return where to read each source on: everything before is committed."""
    found: dict[Source, int] = {}
    # A source of which only copied rows are there is at 0: it was not read. See `day_copy`.
    query = select(SOURCES.c.topic_id, SOURCES.c.partition, SOURCES.c.next_offset).where(SOURCES.c.next_offset > 0)
    for row in database.rows(query, date.min, date.max):
        source = Source(row.topic_id, row.partition)
        found[source] = max(row.next_offset, found.get(source, 0))
    return found


def note_offsets(connection: Connection, next_offsets: Mapping[Source, int]) -> dict[Source, int]:
    """Note up to where each source is read, and return the numbers of the sources."""
    rows = [
        {"topic_id": source.topic_id, "partition": source.partition, "next_offset": next_offset}
        for source, next_offset in sorted(next_offsets.items())
    ]
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(SOURCES)
    newer = statement.excluded.next_offset
    statement = statement.on_conflict_do_update(
        index_elements=["topic_id", "partition"],
        set_={"next_offset": newer},
        # Reading old records again, as a rebuild does, moves nothing back.
        where=newer > SOURCES.c.next_offset,
    )
    connection.execute(statement, rows)
    return {Source(row.topic_id, row.partition): row.number for row in connection.execute(select(SOURCES))}


def carry_offsets(database: Database, day: date) -> None:
    """Note in `day` up to where every source is read, so that older days can go without their offsets."""
    offsets = next_offsets(database)
    if offsets:
        with database.begin(day) as connection:
            note_offsets(connection, offsets)
