"""The retention of a site's history: a day goes as a whole, and the sightings of alerts move to a store of their own.

A day goes in this order: what must stay is noted and copied, what became of the day is reported, the day is dropped.
Each step may be done again, and changes nothing then. So a crash between any two steps loses nothing and doubles
nothing: the day is still there, and the next sweep does all steps again.

A sighting that only covert alerts keep moves to a store apart. Others must not learn that it is kept.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from anpr.history.erased_reads import ErasedReads
from anpr.history.fact_store import FactStore
from anpr.history.sighting import Sighting, Source, identity_digest
from anpr.history.sighting_store import SightingStore
from anpr.runtime.settings import RetentionSettings

_DAY = timedelta(days=1)


class KeptStores(NamedTuple):
    """The stores of a site: sightings, those that open and only covert alerts keep, facts, and what was erased."""

    sightings: SightingStore
    matched: SightingStore
    matched_covert: SightingStore
    facts: FactStore
    covert_facts: FactStore
    erased: ErasedReads

    def close(self) -> None:
        """Disconnect from all."""
        for store in self:
            store.close()


class DeletedDay(NamedTuple):
    """What becomes of a day of a store: how many rows there were, and how many open and only covert alerts keep.

    `covert` is true where the store holds what only people with the covert permission may know of.
    """

    store: str
    day: date
    rows: int
    kept: int = 0
    kept_covert: int = 0
    covert: bool = False


# Told of each day before it goes. An UnavailableError keeps the day until the next attempt.
Report = Callable[[DeletedDay], None]


class Retention:
    """What may be kept of a site's history on a day, and what must go."""

    def __init__(self, stores: KeptStores, kept: RetentionSettings, report: Report) -> None:
        """`report` gets each day before it is deleted."""
        self._stores = stores
        self._kept = kept
        self._report = report

    def sweep(self, today: date) -> bool:
        """Let the oldest day of each store go if its time has come. Return whether one went: there may be more.

        Raises HistoryUnavailableError and what the reporter raises.
        """
        went = self._sweep_sightings(today - timedelta(days=self._kept.sightings_days), today)
        first_matched = today - timedelta(days=self._kept.matched_days)
        stores = self._stores
        for name, store in (
            ("matched", stores.matched),
            ("matched-covert", stores.matched_covert),
            ("facts", stores.facts),
            ("facts-covert", stores.covert_facts),
        ):
            went |= self._sweep_matched(name, store, first_matched, today)
        for day in stores.erased.days():
            if day < first_matched:
                stores.erased.drop(day)
        return went

    def oldest_day(self) -> date | None:
        """Return the oldest day of which every sighting is kept, None when there is none."""
        return next(iter(self._stores.sightings.days()), None)

    def _sweep_sightings(self, first_kept: date, today: date) -> bool:
        store = self._stores.sightings
        day = _oldest(store, first_kept)
        if day is None:
            return False
        self._report(self._keep_matched(day))
        # A quiet partition may have its offset only in the day that goes.
        store.carry_offsets(today)
        store.drop(day)
        return True

    def _sweep_matched(self, name: str, store: SightingStore | FactStore, first_kept: date, today: date) -> bool:
        """Let the oldest day of a store go that keeps sightings of alerts, or facts."""
        day = _oldest(store, first_kept)
        if day is None:
            return False
        rows = sum(1 for _ in store.of_day(day))
        self._report(DeletedDay(name, day, rows, covert="covert" in name))
        if isinstance(store, FactStore):
            store.carry_offsets(today)
        store.drop(day)
        return True

    def _keep_matched(self, day: date) -> DeletedDay:
        """Copy the day's sightings of alerts. Alerts about them came on this day or later, give or take its clock."""
        stores = self._stores
        opened = stores.facts.alerted_since(day - _DAY)
        covert = stores.covert_facts.alerted_since(day - _DAY) - opened
        sightings, kept, kept_covert = 0, [], []
        for sighting in stores.sightings.of_day(day):
            sightings += 1
            digest = identity_digest(sighting.read.identity)
            if digest in opened:
                kept.append(sighting)
            elif digest in covert:
                kept_covert.append(sighting)
        copy_sightings(kept, stores.matched, day)
        copy_sightings(kept_covert, stores.matched_covert, day)
        return DeletedDay("sightings", day, sightings, len(kept), len(kept_covert))


def copy_sightings(sightings: Sequence[Sighting], store: SightingStore, day: date) -> None:
    """Add sightings of one day to a store that keeps them for longer. What is there already stays."""
    if sightings:
        offsets: dict[Source, int] = {}
        for sighting in sightings:
            offsets[sighting.source] = max(sighting.offset + 1, offsets.get(sighting.source, 0))
        store.add(day, sightings, offsets)


def _oldest(store: SightingStore | FactStore, first_kept: date) -> date | None:
    """Return the oldest day of a store if it is before the first day that is kept."""
    days = store.days()
    return days[0] if days and days[0] < first_kept else None
