"""Answers where a vehicle was: from the sightings of a site, scored by the engine, with what is known about each."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from heapq import merge
from itertools import chain, islice
from operator import attrgetter
from typing import NamedTuple

from anpr.contracts.events import ReadIdentity
from anpr.contracts.look_up import MOST_SIGHTINGS, FoundSighting, LookUp, SightingsAnswer
from anpr.history.facts_about import FactsAbout, facts_about
from anpr.history.retention import KeptStores
from anpr.history.sighting import Sighting
from anpr.history.wanted_plate import WantedPlate
from anpr.matching.index import Match

# The engine compares many reads at once at less cost than one after the other.
_READS_AT_ONCE = 500
_by_arrival = attrgetter("arrived_at")


class ScoredSighting(NamedTuple):
    """A sighting, and how the engine matches it with the plate that was asked for."""

    sighting: Sighting
    match: Match

    @property
    def identity(self) -> ReadIdentity:
        """What tells its read from every other."""
        return self.sighting.read.identity


class HistoryLookUp:
    """Answers look-ups at one site. Threads may ask at the same time."""

    def __init__(self, site: str, stores: KeptStores) -> None:
        """Search the stores of `site`."""
        self._site = site
        self._stores = stores

    def find(self, look_up: LookUp, *, covert: bool) -> SightingsAnswer:
        """Return the sightings of a vehicle, and those that may be misreads of it, the newest first.

        A read that came several times is there once, as it came first. Alerts and actions come with it. Without
        `covert`, nothing shows what is covert: neither a covert alert nor a sighting that only such an alert keeps.

        Raises InputError for a text that is no plate and for a partial plate that asks for too much, and
        HistoryUnavailableError when a store cannot be read.
        """
        matched = self._matched(WantedPlate(look_up), look_up, covert=covert)
        newest = matched[:MOST_SIGHTINGS]
        facts = [self._stores.facts, self._stores.covert_facts] if covert else [self._stores.facts]
        about = facts_about([found.sighting for found in newest], facts, covert=covert)
        return SightingsAnswer(
            site=self._site,
            sightings=tuple(self._answer(found, about[found.identity]) for found in newest),
            is_whole=len(matched) == len(newest),
            kept_since=next(iter(self._stores.sightings.days()), None),
        )

    def _matched(self, wanted: WantedPlate, look_up: LookUp, *, covert: bool) -> list[ScoredSighting]:
        """Return what the engine matches, the newest first: all, or a few more than an answer holds."""
        by_read: dict[ReadIdentity, ScoredSighting] = {}
        with ExitStack() as reading:
            sightings = self._with_its_keys(wanted, look_up, reading, covert=covert)
            while len(by_read) <= MOST_SIGHTINGS and (some := list(islice(sightings, _READS_AT_ONCE))):
                for found in _matching(wanted, some):
                    by_read[found.identity] = found  # one that came again came earlier
        return sorted(by_read.values(), key=lambda found: found.sighting.arrived_at, reverse=True)

    def _with_its_keys(
        self, wanted: WantedPlate, look_up: LookUp, reading: ExitStack, *, covert: bool
    ) -> Iterator[Sighting]:
        """Yield what may be of the vehicle, the newest first. `reading` ends the queries that are not read out.

        A day that goes meanwhile has been copied before. So the copies are read last, and no sighting is missed.
        """
        stores = [self._stores.sightings, self._stores.matched]
        if covert:
            stores.append(self._stores.matched_covert)
        if wanted.pattern:
            queries = [store.with_keys_like(wanted.pattern, look_up.since, look_up.until) for store in stores]
        else:
            queries = [store.with_keys(wanted.keys, look_up.since, look_up.until) for store in stores]
        newer, *older = (reading.enter_context(closing(query)) for query in queries)
        return chain(newer, merge(*older, key=_by_arrival, reverse=True))

    def _answer(self, found: ScoredSighting, about: FactsAbout) -> FoundSighting:
        sighting, match = found
        return FoundSighting(
            site=self._site,
            read=sighting.read,
            arrived_at=sighting.arrived_at,
            tier=match.tier,
            probability=match.score,
            explanation=match.explanation,
            alerts=about.alerts,
            actions=about.actions,
        )


def _matching(wanted: WantedPlate, sightings: Sequence[Sighting]) -> Iterator[ScoredSighting]:
    matches = wanted.matches([sighting.read for sighting in sightings])
    for sighting, match in zip(sightings, matches, strict=True):
        if match is not None:
            yield ScoredSighting(sighting, match)
