"""Fills the stores of a site with the days of another history of it: that of the second service, or a backup.

It may run beside the service that keeps the stores. A day that cannot be copied is named, and costs no other day.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import date

from msgspec import Struct

from anpr.contracts.events import Undecodable
from anpr.history.closed_days import ClosedDays
from anpr.history.day_copy import CopiedDay, copy_day
from anpr.history.fact_store import FactStore, facts_of_day
from anpr.history.postgresql_days import PostgresqlDays
from anpr.history.sighting_store import SightingStore, sightings_of_day
from anpr.history.stores import TABLES, open_original, open_store
from anpr.runtime.errors import InputError
from anpr.runtime.settings import Settings


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
    for kind in TABLES:
        with closing(open_store(settings, site, kind, is_writer=False)) as store:
            try:
                days = open_original(original, site, kind)
            except InputError as error:
                yield DayReport(store=kind, problem=str(error))
                continue
            with closing(days):
                if not days.days():
                    yield DayReport(store=kind)
                for day in reversed(days.days()):
                    yield _copied(days, store, kind, day, site)


def _copied(
    original: ClosedDays | PostgresqlDays, store: SightingStore | FactStore, kind: str, day: date, site: str
) -> DayReport:
    try:
        if isinstance(original, ClosedDays):
            original.check(day)
        copied = _copy_rows(original, store, day, site)
    except InputError as error:
        return DayReport(store=kind, day=day, problem=str(error))
    except Undecodable as error:
        return DayReport(store=kind, day=day, problem=f"a row cannot be decoded: {type(error).__name__}")
    return DayReport(store=kind, day=day, rows=copied.rows, new=copied.new)


def _copy_rows(
    original: ClosedDays | PostgresqlDays, store: SightingStore | FactStore, day: date, site: str
) -> CopiedDay:
    if isinstance(store, SightingStore):
        with closing(sightings_of_day(original, day)) as sightings:
            return copy_day(sightings, store, day, site)
    with closing(facts_of_day(original, day)) as facts:
        return copy_day(facts, store, day, site)
