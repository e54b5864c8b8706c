"""Fills the stores of a site with the days of another history of it: that of the second service, or a backup.

It may run beside the service that keeps the stores. A day that cannot be copied is named, and costs no other day.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from typing import Final, NamedTuple

from msgspec import Struct

from anpr.contracts.events import Undecodable
from anpr.history.closed_days import ClosedDays
from anpr.history.day_copy import CopiedDay, copy_day
from anpr.history.erased_reads import ErasedReads
from anpr.history.erasure import UnlessErased
from anpr.history.fact_store import FactStore, facts_of_day
from anpr.history.postgresql_days import PostgresqlDays
from anpr.history.sighting_store import SightingStore, sightings_of_day
from anpr.history.sql_tables import FACT_TABLES
from anpr.history.stores import SIGHTINGS, TABLES, open_erased, open_original, open_store
from anpr.runtime.errors import InputError, UnavailableError
from anpr.runtime.settings import Settings

# Facts come first: when a copied day goes because its retention has ended, the service keeps the sightings of those
# alerts that it has.
_KINDS: Final = sorted(TABLES, key=lambda kind: TABLES[kind] is not FACT_TABLES)


class DayReport(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one day of one store. `rows` are those of the original, `new` those that the store had not.

    With a `problem`, the day is not whole in the store. Without a `day`, there was nothing to copy from.
    """

    store: str
    day: date | None = None
    rows: int = 0
    new: int = 0
    problem: str = ""


def copy_history(settings: Settings, site: str, original: str) -> Iterator[DayReport]:
    """Copy every day of every store, the newest first, from a history folder or the address of a PostgreSQL.

    Raises InputError when a store of the site is not there to be filled, and UnavailableError.
    """
    with closing(open_erased(settings, site, is_writer=False)) as erased:
        for kind in _KINDS:
            with closing(open_store(settings, site, kind, is_writer=False)) as store:
                yield from _copy_store(original, store, kind, site, erased)


def _copy_store(
    original: str, store: SightingStore | FactStore, kind: str, site: str, erased: ErasedReads
) -> Iterator[DayReport]:
    try:
        days = open_original(original, site, kind)
    except InputError as error:
        yield DayReport(store=kind, problem=str(error))
        return
    with closing(days):
        if not days.days():
            yield DayReport(store=kind)
        for day in reversed(days.days()):
            yield _StoreCopy(days, store, kind, site, erased).copied(day)


class _StoreCopy(NamedTuple):
    """One store that is copied into that of the site, but no sightings of reads that were erased there."""

    original: ClosedDays | PostgresqlDays
    store: SightingStore | FactStore
    kind: str
    site: str
    erased: ErasedReads

    def copied(self, day: date) -> DayReport:
        """Copy a day, and tell what became of it."""
        try:
            if isinstance(self.original, ClosedDays):
                self.original.check(day)
            copied = self._copy_rows(day)
        except InputError as error:
            return DayReport(store=self.kind, day=day, problem=str(error))
        except Undecodable as error:
            problem = f"a row cannot be decoded: {type(error).__name__}"
            return DayReport(store=self.kind, day=day, problem=problem)
        except UnavailableError as error:
            if error.code != "history-copy-incomplete":
                raise
            return DayReport(store=self.kind, day=day, problem=str(error))
        return DayReport(store=self.kind, day=day, rows=copied.rows, new=copied.new)

    def _copy_rows(self, day: date) -> CopiedDay:
        if isinstance(self.store, FactStore):
            with closing(facts_of_day(self.original, day)) as facts:
                return copy_day(facts, self.store, day, self.site)
        with closing(sightings_of_day(self.original, day)) as sightings:
            if self.kind != SIGHTINGS:
                return copy_day(sightings, self.store, day, self.site)
            # Asked for each day: a copy may take hours, and a vehicle may be erased meanwhile.
            rows = filter(self.erased.may_keep(), sightings)
            return copy_day(rows, UnlessErased(self.store, self.erased), day, self.site)
