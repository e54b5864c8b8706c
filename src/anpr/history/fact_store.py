"""The alerts, corrections and actions of a site, in the tables of a database. Covert ones have their own store."""

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, select

from anpr.contracts.events import ReadIdentity
from anpr.history.bulk_insert import insert_missing
from anpr.history.database import STREAMED, Database, StoredDays
from anpr.history.fact import Fact
from anpr.history.held_facts import HeldFacts
from anpr.history.offsets import carry_offsets, next_offsets, note_offsets
from anpr.history.sighting import Source, identity_digest
from anpr.history.sql_tables import FACTS, SOURCES
from anpr.history.stored_time import day_number, milliseconds, moment_of

# A statement of each length is prepared by itself, which takes longer than to execute it.
_LENGTHS = (1, 8, 64, 512)
# It is as quick to look for these on every day as to find out which of them the days hold.
_FEW_VALUES = 8


class FactStore:
    """What matchers and officers of one site published, for one audience."""

    def __init__(self, database: Database) -> None:
        """Keep it in `database`."""
        self._database = database
        self._alerts = HeldFacts(database, FACTS.c.identity, "alert")
        self._actions = HeldFacts(database, FACTS.c.alert_id, "action")

    def next_offsets(self) -> dict[Source, int]:
        """Return where to read each source on: everything before is committed."""
        return next_offsets(self._database)

    def add(self, day: date, rows: Sequence[Fact], offsets: Mapping[Source, int]) -> None:
        """Commit the facts of one day, and up to where each source is read. What is stored already stays."""
        with self._database.begin(day) as connection:
            numbers = note_offsets(connection, offsets)
            values = [_columns(fact) | {"day": day_number(day), "source": numbers[fact.source]} for fact in rows]
            insert_missing(connection, FACTS, values)

    def alerts_of(self, reads: Collection[ReadIdentity], since: date = date.min) -> list[Fact]:
        """Return the alerts about these reads that came on a day or later, in the order of arrival, with repeats."""
        return self._about({identity_digest(identity) for identity in reads}, self._alerts, since)

    def actions_on(self, alert_ids: Collection[str], since: date = date.min) -> list[Fact]:
        """Return the actions about these alerts that came on a day or later, as `alerts_of` does."""
        return self._about(set(alert_ids), self._actions, since)

    def of_day(self, day: date) -> Iterator[Fact]:
        """See `facts_of_day`."""
        return facts_of_day(self._database, day)

    def days(self) -> list[date]:
        """Return the days of this store, the oldest first."""
        return self._database.days()

    def alerted_since(self, day: date) -> set[bytes]:
        """Return the digests of the identities of reads about which an alert came on `day` or later."""
        query = select(FACTS.c.identity).distinct().where(FACTS.c.kind == "alert", FACTS.c.day >= day_number(day))
        return {bytes(row.identity) for row in self._database.rows(query, day, date.max)}

    def drop(self, day: date) -> None:
        """Delete a day as a whole."""
        self._database.drop(day)
        self._alerts.forget(day)
        self._actions.forget(day)

    def carry_offsets(self, day: date) -> None:
        """Note in `day` where each source is read on, before older days go."""
        carry_offsets(self._database, day)

    def close(self) -> None:
        """Disconnect from the database."""
        self._database.close()

    def _about(self, values: Collection[Any], held: HeldFacts, since: date) -> list[Fact]:
        """Return the facts about these values that came on a day or later, in the order of arrival."""
        wanted = values if len(values) <= _FEW_VALUES else held.held_of(values, since)
        found = self._facts_with(wanted, held, since)
        return sorted(found, key=lambda fact: (fact.arrived_at, fact.source, fact.offset))

    def _facts_with(self, values: Collection[Any], held: HeldFacts, since: date) -> Iterator[Fact]:
        wanted = sorted(values)
        for start in range(0, len(wanted), _LENGTHS[-1]):
            is_wanted = held.column.in_(_padded(wanted[start : start + _LENGTHS[-1]]))
            query = _ROWS.where(is_wanted, FACTS.c.kind == held.kind, FACTS.c.day >= day_number(since))
            yield from map(_fact, self._database.rows(query, since, date.max))


def _padded(values: list[Any]) -> list[Any]:
    """Return the values, the last one repeated: of few lengths, so that databases know the statement from before."""
    length = next(length for length in _LENGTHS if length >= len(values))
    return values + values[-1:] * (length - len(values))


def facts_of_day(days: StoredDays, day: date) -> Generator[Fact]:
    """Return the facts that arrived on a day, in the order of their sources and offsets."""
    query = _ROWS.where(FACTS.c.day == day_number(day))
    query = query.order_by(SOURCES.c.topic_id, SOURCES.c.partition, FACTS.c.offset).execution_options(**STREAMED)
    for row in days.rows(query, day, day):
        yield _fact(row)


_ROWS = select(SOURCES.c.topic_id, SOURCES.c.partition, FACTS).join_from(
    FACTS, SOURCES, SOURCES.c.number == FACTS.c.source
)


def _columns(fact: Fact) -> dict[str, Any]:
    return {
        "offset": fact.offset,
        "arrived_ms": milliseconds(fact.arrived_at),
        "kind": fact.kind,
        "alert_id": fact.alert_id,
        "identity": fact.identity,
        "value": fact.value,
    }


def _fact(row: Row[Any]) -> Fact:
    source = Source(row.topic_id, row.partition)
    return Fact(source, row.offset, moment_of(row.arrived_ms), row.kind, row.alert_id, row.identity, row.value)
