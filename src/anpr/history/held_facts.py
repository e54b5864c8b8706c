"""Which reads and alerts the facts of each day are about, so that a look-up asks only the days that know of them.

A look-up asks about each of its sightings, of which few raised an alert. To look for hundreds of them in the file of
every day took half of its time. Facts are far fewer than sightings, so a process reads once what they are about.

A day of facts only grows, and goes as a whole. So while it has as many facts as before, nothing of it has changed.
"""

from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select

from anpr.history.database import Database
from anpr.history.sql_tables import FACTS
from anpr.history.stored_time import day_number, day_of


class _KnownDay(NamedTuple):
    fact_count: int
    values: frozenset[Any]


class HeldFacts:
    """What the facts of one kind are about, day by day. Threads may ask at the same time.

    Attributes:
        column: Says what such a fact is about.
        kind: The kind of these facts.
    """

    def __init__(self, database: Database, column: ColumnElement[Any], kind: str) -> None:
        """They are in `database`."""
        self.column = column
        self.kind = kind
        self._database = database
        # What was found before. A month with a hundred alerts a day takes half a megabyte.
        self._known: dict[date, _KnownDay] = {}

    def held_of(self, values: Collection[Any], since: date) -> set[Any]:
        """Return those of the values that a fact of the day `since` or later is about."""
        wanted = set(values)
        return {value for day in self._days(since) for value in wanted & day.values}

    def forget(self, day: date) -> None:
        """Forget a day that goes: it may come again with as many other facts."""
        self._known = {known: found for known, found in self._known.items() if known != day}

    def _days(self, since: date) -> Collection[_KnownDay]:
        known, found = self._known, {}
        for day, fact_count in self._counts(since).items():
            found_before = known.get(day)
            if found_before is None or found_before.fact_count != fact_count:
                # Counted first: a fact that comes meanwhile makes it another number the next time.
                found_before = _KnownDay(fact_count, self._values_of(day))
            found[day] = found_before
        self._known = known | found
        return found.values()

    def _counts(self, since: date) -> dict[date, int]:
        is_since = FACTS.c.day >= day_number(since)
        query = select(FACTS.c.day, func.count().label("facts")).where(is_since).group_by(FACTS.c.day)
        return {day_of(row.day): row.facts for row in self._database.rows(query, since, date.max)}

    def _values_of(self, day: date) -> frozenset[Any]:
        query = select(self.column.label("value")).where(FACTS.c.kind == self.kind, FACTS.c.day == day_number(day))
        return frozenset(row.value for row in self._database.rows(query, day, day))
