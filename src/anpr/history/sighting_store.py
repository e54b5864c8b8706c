"""The sightings of a site, in the tables of a database. Rows and the offsets that they stand for are one commit."""

from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import groupby, product
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, delete, func, select, tuple_

from anpr.history.bulk_insert import insert_missing
from anpr.history.database import PLANNED_BY_VALUES, STREAMED, Database, StoredDays
from anpr.history.derived_rows import derived_rows
from anpr.history.held_keys import HeldKeys, forget_held_keys
from anpr.history.key_conditions import fits, one_of
from anpr.history.offsets import carry_offsets, next_offsets, note_offsets
from anpr.history.sighting import Sighting, Source, decode_stored, encode_read, identity_digest
from anpr.history.sql_tables import SIGHTING_KEYS, SIGHTINGS, SOURCES
from anpr.history.stored_time import day_number, milliseconds, moment_of

_POSITION = (SIGHTING_KEYS.c.day, SIGHTING_KEYS.c.source, SIGHTING_KEYS.c.offset)
# As many positions as one statement may surely name.
_POSITIONS_AT_ONCE = 500
# For more keys it is quicker to read all keys of a day than to look for each.
_MANY_KEYS = 100_000


class SightingStore:
    """The sightings of one site."""

    def __init__(self, database: Database) -> None:
        """Keep them in `database`."""
        self._database = database
        self._held_keys = HeldKeys(database)

    def next_offsets(self) -> dict[Source, int]:
        """Return where to read each source on: everything before is committed."""
        return next_offsets(self._database)

    def add(
        self,
        day: date,
        rows: Sequence[Sighting],
        offsets: Mapping[Source, int],
        erased: Callable[[], Callable[[bytes], bool]] | None = None,
    ) -> None:
        """Commit the sightings of one day, and up to where each source is read. What is stored already stays.

        `erased` tells by the digest of a read's identity whether it was erased; those are left out. It is asked for
        while no other process can write the day, so an erasure at the same time either is known to it, or finds the
        rows that are committed here.
        """
        with self._database.begin(day) as connection:
            if erased is not None:
                is_erased = erased()
                rows = [row for row in rows if not is_erased(identity_digest(row.read.identity))]
            forget_held_keys(connection, day)
            numbers = note_offsets(connection, offsets)
            number = day_number(day)
            positions = [{"day": number, "source": numbers[row.source], "offset": row.offset} for row in rows]
            sightings = [position | _columns(row) for position, row in zip(positions, rows, strict=True)]
            derived = derived_rows(positions, [row.read for row in rows])
            for table, new in {SIGHTINGS: sightings, **derived}.items():
                insert_missing(connection, table, new)

    def count(self) -> int:
        """Return how many sightings are stored; a read that came twice counts twice."""
        query = select(func.count().label("sightings")).select_from(SIGHTINGS)
        return sum(row.sightings for row in self._database.rows(query, date.min, date.max))

    def with_keys(self, keys: Collection[str], since: datetime, until: datetime) -> Generator[Sighting]:
        """Yield the sightings with one of these keys that arrived from `since` until before `until`, newest first.

        Each record is there once, so a read that came several times is there as often.
        """
        first_day, last_day = _days_of(since, until)
        stored = self.days()
        noted = self._held_keys.noted(stored, first_day, last_day)
        in_period = (day for day in reversed(stored) if first_day <= day <= last_day)
        is_worth_reading = len(keys) > _MANY_KEYS
        for is_known, some in groupby(in_period, lambda day: is_worth_reading or day in noted):
            days = list(some)
            wanted: Collection[str] = keys
            if is_known:
                held = [noted[day] if day in noted else self._held_keys.of_day(day) for day in days]
                wanted = self._held_keys.held_of(keys, held)
            if wanted:
                yield from self._found(one_of(SIGHTING_KEYS.c.key, wanted), since, until, days[-1], days[0])

    def with_keys_like(self, pattern: str, since: datetime, until: datetime) -> Generator[Sighting]:
        """Yield the sightings with a key that fits a pattern of letters, digits, `?` and `*`; see `with_keys`.

        It reads all keys of the period, or in SQLite only those with the pattern's beginning.
        """
        days = _days_of(since, until)
        return self._found(fits(SIGHTING_KEYS.c.key, pattern), since, until, *days, **PLANNED_BY_VALUES)

    def note_held_keys(self, before: date) -> bool:
        """Note the keys of one day before another one, for quicker look-ups. Return False if all are noted."""
        days = [day for day in self.days() if day < before]
        missing = set(days) - self._held_keys.days(date.min, before)
        for day in days:
            if day in missing:
                self._held_keys.note(day)
                return True
        return False

    def of_day(self, day: date) -> Iterator[Sighting]:
        """See `sightings_of_day`."""
        return sightings_of_day(self._database, day)

    def first_offset(self, source: Source, since: datetime) -> int | None:
        """Return the first offset of a source on the day of a moment or later, None where there is none."""
        offsets = select(SIGHTINGS.c.offset).join_from(SIGHTINGS, SOURCES, SOURCES.c.number == SIGHTINGS.c.source)
        first = offsets.order_by(SIGHTINGS.c.offset).limit(1)
        by_day = (self._of_source(first, source, [day]) for day in self._days_since(since))
        return min((row.offset for rows in by_day for row in rows), default=None)

    def in_offsets(self, source: Source, start: int, end: int, since: datetime) -> list[Sighting]:
        """Return the sightings of a source from one offset until before another, that arrived since a moment."""
        query = _rows().where(SIGHTINGS.c.offset >= start, SIGHTINGS.c.offset < end)
        found = map(_sighting, self._of_source(query, source, self._days_since(since)))
        return sorted((sighting for sighting in found if sighting.arrived_at >= since), key=attrgetter("offset"))

    def _days_since(self, since: datetime) -> list[date]:
        return [day for day in self.days() if day >= since.astimezone(UTC).date()]

    def _of_source(self, query: Select[Any], source: Source, days: Sequence[date]) -> Iterator[Row[Any]]:
        """Yield the rows of a query on these days. It names each: within a day, rows lie in the order of sources."""
        if days:
            is_source = and_(SOURCES.c.topic_id == source.topic_id, SOURCES.c.partition == source.partition)
            is_day = SIGHTINGS.c.day.in_(list(map(day_number, days)))
            yield from self._database.rows(query.where(is_source, is_day), min(days), max(days))

    def days(self) -> list[date]:
        """Return the days of this store, the oldest first."""
        return self._database.days()

    def erase(self, is_erased: Callable[[bytes], bool], note: Callable[[date, Collection[bytes]], object]) -> int:
        """Delete every sighting of the reads that are erased, repeats too, and return how many.

        `is_erased` gets what `identity_digest` returns. `note` is told of the reads of a day before they go. Looking
        through every day takes a while. The bytes stay on the disk until `erase_remains`.
        """
        return sum(self._erase_of_day(day, is_erased, note) for day in self._database.days())

    def erase_remains(self, days: Collection[date]) -> None:
        """Take the bytes of what was erased on these days from the disk."""
        for day in self._database.days():
            if day in days:
                self._database.erase_remains(day)

    def drop(self, day: date) -> None:
        """Delete a day as a whole, with the offsets in it."""
        self._database.drop(day)

    def carry_offsets(self, day: date) -> None:
        """Note in `day` where each source is read on, before older days go."""
        carry_offsets(self._database, day)

    def close(self) -> None:
        """Disconnect from the database."""
        self._database.close()

    def _found(
        self,
        has_key: ColumnElement[bool],
        since: datetime,
        until: datetime,
        first_day: date,
        last_day: date,
        **options: Any,
    ) -> Generator[Sighting]:
        # PostgreSQL looks only into the partitions of these days. It does not take this over from table to table.
        days = day_number(first_day), day_number(last_day)
        # A read may have several of the keys.
        found = select(*_POSITION).where(has_key, SIGHTING_KEYS.c.day.between(*days)).distinct().subquery()
        is_same = and_(*(SIGHTINGS.c[column.name] == column for column in found.c), SIGHTINGS.c.day.between(*days))
        arrived = SIGHTINGS.c.arrived_ms
        query = _rows().join(found, is_same).where(arrived >= milliseconds(since), arrived < milliseconds(until))
        query = query.order_by(arrived.desc(), SOURCES.c.topic_id, SOURCES.c.partition, SIGHTINGS.c.offset.desc())
        for row in self._database.rows(query.execution_options(**options), first_day, last_day):
            yield _sighting(row)

    def _erase_of_day(
        self, day: date, is_erased: Callable[[bytes], bool], note: Callable[[date, Collection[bytes]], object]
    ) -> int:
        # One transaction, in which no other process can add to the day what has just been erased; see `add`.
        with self._database.begin(day) as connection:
            columns = SIGHTINGS.c.source, SIGHTINGS.c.offset, SIGHTINGS.c.identity
            rows = connection.execute(
                select(*columns).where(SIGHTINGS.c.day == day_number(day)), execution_options=STREAMED
            )
            going = {(row.source, row.offset): bytes(row.identity) for row in rows if is_erased(bytes(row.identity))}
            if going:
                forget_held_keys(connection, day)
                note(day, set(going.values()))
            positions = list(going)
            for table, start in product((SIGHTING_KEYS, SIGHTINGS), range(0, len(positions), _POSITIONS_AT_ONCE)):
                some = positions[start : start + _POSITIONS_AT_ONCE]
                is_wanted = tuple_(table.c.source, table.c.offset).in_(some)
                connection.execute(delete(table).where(table.c.day == day_number(day), is_wanted))
        return len(going)


def sightings_of_day(days: StoredDays, day: date) -> Generator[Sighting]:
    """Return the sightings that arrived on a day, repeats included, in the order of their sources and offsets."""
    query = _rows().where(SIGHTINGS.c.day == day_number(day))
    query = query.order_by(SOURCES.c.topic_id, SOURCES.c.partition, SIGHTINGS.c.offset).execution_options(**STREAMED)
    for row in days.rows(query, day, day):
        yield _sighting(row)


def _days_of(since: datetime, until: datetime) -> tuple[date, date]:
    return since.astimezone(UTC).date(), until.astimezone(UTC).date()


def _columns(sighting: Sighting) -> dict[str, Any]:
    return {
        "arrived_ms": milliseconds(sighting.arrived_at),
        "identity": identity_digest(sighting.read.identity),
        "read": encode_read(sighting.read),
    }


def _rows() -> Select[Any]:
    columns = SIGHTINGS.c.offset, SIGHTINGS.c.arrived_ms, SIGHTINGS.c.read
    sources = SOURCES.c.number == SIGHTINGS.c.source
    return select(SOURCES.c.topic_id, SOURCES.c.partition, *columns).join_from(SIGHTINGS, SOURCES, sources)


def _sighting(row: Row[Any]) -> Sighting:
    source = Source(row.topic_id, row.partition)
    return Sighting(source, row.offset, moment_of(row.arrived_ms), decode_stored(row.read))
