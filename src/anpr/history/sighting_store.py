"""The sightings of a site, in the tables of a database. Rows and the offsets that they stand for are one commit."""

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, select

from anpr.history.database import Database, StoredDays, day_number
from anpr.history.derived_rows import derived_rows
from anpr.history.offsets import carry_offsets, insert_into, next_offsets, note_offsets
from anpr.history.sighting import Sighting, Source, decode_stored, encode_read, identity_digest
from anpr.history.tables import SIGHTING_KEYS, SIGHTINGS, SOURCES

# As many values as one statement may surely have.
_KEYS_AT_ONCE = 500
_MILLISECONDS = 1000


class SightingStore:
    """The sightings of one site."""

    def __init__(self, database: Database) -> None:
        """Keep them in `database`."""
        self._database = database

    def next_offsets(self) -> dict[Source, int]:
        """Return where to read each source on: everything before is committed."""
        return next_offsets(self._database)

    def add(self, day: date, rows: Sequence[Sighting], offsets: Mapping[Source, int]) -> None:
        """Commit the sightings of one day, and up to where each source is read. What is stored already stays."""
        with self._database.begin(day) as connection:
            numbers = note_offsets(connection, offsets)
            number = day_number(day)
            positions = [{"day": number, "source": numbers[row.source], "offset": row.offset} for row in rows]
            sightings = [position | _columns(row) for position, row in zip(positions, rows, strict=True)]
            derived = derived_rows(positions, [row.read for row in rows])
            for table, new in {SIGHTINGS: sightings, **derived}.items():
                if new:
                    connection.execute(insert_into(connection, table).on_conflict_do_nothing(), new)

    def count(self) -> int:
        """Return how many sightings are stored; a read that came twice counts twice."""
        query = select(func.count().label("sightings")).select_from(SIGHTINGS)
        return sum(row.sightings for row in self._database.rows(query, date.min, date.max))

    def with_keys(self, keys: Collection[str], since: datetime, until: datetime) -> list[Sighting]:
        """Return the sightings with one of these keys that arrived from `since` until before `until`, newest first.

        A read that came several times is there once, as it came first in the period.
        """
        found: dict[tuple[Source, int], Row[Any]] = {}
        wanted = sorted(set(keys))
        first_day, last_day = since.astimezone(UTC).date(), until.astimezone(UTC).date()
        for start in range(0, len(wanted), _KEYS_AT_ONCE):
            query = _with_keys(wanted[start : start + _KEYS_AT_ONCE], since, until)
            for row in self._database.rows(query, first_day, last_day):
                found[Source(row.topic_id, row.partition), row.offset] = row
        return _once(found.values())

    def of_day(self, day: date) -> Iterator[Sighting]:
        """See `sightings_of_day`."""
        return sightings_of_day(self._database, day)

    def first_offset(self, source: Source, since: datetime) -> int | None:
        """Return the first offset of a source on the day of a moment or later, None where there is none."""
        offsets = select(SIGHTINGS.c.offset).join_from(SIGHTINGS, SOURCES, SOURCES.c.number == SIGHTINGS.c.source)
        first = offsets.order_by(SIGHTINGS.c.offset).limit(1)
        return min((row.offset for row in self._of_source(first, source, since)), default=None)

    def in_offsets(self, source: Source, start: int, end: int, since: datetime) -> list[Sighting]:
        """Return the sightings of a source from one offset until before another, that arrived since a moment."""
        query = _rows().where(SIGHTINGS.c.offset >= start, SIGHTINGS.c.offset < end)
        found = map(_sighting, self._of_source(query, source, since))
        return [sighting for sighting in found if sighting.arrived_at >= since]

    def _of_source(self, query: Select[Any], source: Source, since: datetime) -> Iterator[Row[Any]]:
        """Yield the rows of a query for each day since a moment: the rows of one day lie by their source."""
        is_source = and_(SOURCES.c.topic_id == source.topic_id, SOURCES.c.partition == source.partition)
        for day in self.days():
            if day >= since.astimezone(UTC).date():
                is_day = SIGHTINGS.c.day == day_number(day)
                yield from self._database.rows(query.where(is_source, is_day), day, day)

    def days(self) -> list[date]:
        """Return the days of this store, the oldest first."""
        return self._database.days()

    def drop(self, day: date) -> None:
        """Delete a day as a whole, with the offsets in it."""
        self._database.drop(day)

    def carry_offsets(self, day: date) -> None:
        """Note in `day` where each source is read on, before older days go."""
        carry_offsets(self._database, day)

    def close(self) -> None:
        """Disconnect from the database."""
        self._database.close()


def sightings_of_day(days: StoredDays, day: date) -> Generator[Sighting]:
    """Return the sightings that arrived on a day, repeats included, in the order of their sources and offsets."""
    query = _rows().where(SIGHTINGS.c.day == day_number(day))
    query = query.order_by(SOURCES.c.topic_id, SOURCES.c.partition, SIGHTINGS.c.offset)
    for row in days.rows(query, day, day):
        yield _sighting(row)


def _columns(sighting: Sighting) -> dict[str, Any]:
    return {
        "arrived_ms": _milliseconds(sighting.arrived_at),
        "identity": identity_digest(sighting.read.identity),
        "read": encode_read(sighting.read),
    }


def _rows() -> Select[Any]:
    columns = SIGHTINGS.c.offset, SIGHTINGS.c.arrived_ms, SIGHTINGS.c.identity, SIGHTINGS.c.read
    sources = SOURCES.c.number == SIGHTINGS.c.source
    return select(SOURCES.c.topic_id, SOURCES.c.partition, *columns).join_from(SIGHTINGS, SOURCES, sources)


def _with_keys(keys: Sequence[str], since: datetime, until: datetime) -> Select[Any]:
    is_same = and_(*(SIGHTINGS.c[name] == SIGHTING_KEYS.c[name] for name in ("day", "source", "offset")))
    # PostgreSQL looks only into the partitions of these days.
    first_day, last_day = (day_number(moment.astimezone(UTC).date()) for moment in (since, until))
    is_in_days = SIGHTING_KEYS.c.day.between(first_day, last_day)
    arrived = SIGHTINGS.c.arrived_ms
    is_in_period = and_(arrived >= _milliseconds(since), arrived < _milliseconds(until))
    return _rows().join(SIGHTING_KEYS, is_same).where(SIGHTING_KEYS.c.key.in_(keys), is_in_days, is_in_period)


def _sighting(row: Row[Any]) -> Sighting:
    arrived_at = datetime.fromtimestamp(row.arrived_ms / _MILLISECONDS, UTC)
    return Sighting(Source(row.topic_id, row.partition), row.offset, arrived_at, decode_stored(row.read))


def _once(rows: Iterable[Row[Any]]) -> list[Sighting]:
    """Return each read once, as it came first; the newest read first."""
    first: dict[bytes, Row[Any]] = {}
    for row in sorted(rows, key=_order):
        first.setdefault(row.identity, row)
    return [_sighting(row) for row in sorted(first.values(), key=_order, reverse=True)]


def _order(row: Row[Any]) -> tuple[int, str, int, int]:
    return row.arrived_ms, row.topic_id, row.partition, row.offset


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * _MILLISECONDS)
