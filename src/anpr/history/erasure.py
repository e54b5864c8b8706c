"""Erases a vehicle from the history of a site, for the person whose data they are.

It deletes the sightings that matched nothing. Those of an alert stay, with the alert: they are kept for the purposes
of evidence (Data Protection Act 2018, section 47(2)). Those that only covert alerts keep move to their own store at
once. For whoever may not know of them, they are erased like the others.

It may be interrupted anywhere: the next erasure of any vehicle finishes it. The covert copies come first, then the
hashes, so that nothing comes back that has gone.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date
from typing import NamedTuple

from anpr.contracts.look_up import THIS_PLATE_TIERS, LookUp
from anpr.history.erased_reads import ErasedReads
from anpr.history.retention import KeptStores, copy_sightings
from anpr.history.sighting import Sighting, Source, identity_digest
from anpr.history.sighting_store import SightingStore
from anpr.history.wanted_plate import WantedPlate


class VehicleHeld(NamedTuple):
    """The sightings of a vehicle at a site, by what an erasure does with them, the newest first.

    Attributes:
        unmatched: No alert is about them: they go.
        covert: Only covert alerts are about them: they move to the store apart.
        evidence: An open alert is about them: they stay.
        possible_misreads: How many more may be of it, or of another vehicle: they stay.
    """

    unmatched: Sequence[Sighting]
    covert: Sequence[Sighting]
    evidence: Sequence[Sighting]
    possible_misreads: int

    @property
    def going(self) -> Sequence[Sighting]:
        """What is erased, as everybody learns it who may not know of covert alerts."""
        return [*self.unmatched, *self.covert]


def find_vehicle(stores: KeptStores, look_up: LookUp) -> VehicleHeld:
    """Return what the site holds of a vehicle. Raises InputError for a text that is no plate."""
    wanted = WantedPlate(look_up)
    sightings = {
        (sighting.source, sighting.offset): sighting
        for store in (stores.matched, stores.sightings)
        for sighting in store.with_keys(wanted.keys, look_up.since, look_up.until)
    }
    found = list(sightings.values())
    matches = wanted.matches([sighting.read for sighting in found])
    its_own = [s for s, match in zip(found, matches, strict=True) if match and match.tier in THIS_PLATE_TIERS]
    identities = [sighting.read.identity for sighting in its_own]
    opened = {fact.identity for fact in stores.facts.alerts_of(identities)}
    covert = {fact.identity for fact in stores.covert_facts.alerts_of(identities)} - opened
    held: dict[str, list[Sighting]] = defaultdict(list)
    for sighting in sorted(its_own, key=lambda one: one.arrived_at, reverse=True):
        digest = identity_digest(sighting.read.identity)
        held["evidence" if digest in opened else "covert" if digest in covert else "unmatched"].append(sighting)
    misreads = sum(match is not None and match.tier not in THIS_PLATE_TIERS for match in matches)
    return VehicleHeld(held["unmatched"], held["covert"], held["evidence"], misreads)


def erase_vehicle(stores: KeptStores, held: VehicleHeld) -> int:
    """Erase what goes, repeats of the reads too, and return how many sightings went. Raises UnavailableError."""
    for day, covert in _by_day(held.covert).items():
        copy_sightings(covert, stores.matched_covert, day)
    stores.erased.note(
        {day: [identity_digest(one.read.identity) for one in some] for day, some in _by_day(held.going).items()}
    )
    return finish_erasures(stores)


def finish_erasures(stores: KeptStores) -> int:
    """Delete all sightings whose reads are erased, those too that an erasure left that was broken off.

    Then their bytes leave the disk, on every day of which reads were ever erased. Returns how many sightings went.
    Raises UnavailableError.
    """
    erased = stores.erased
    if not erased.days():
        return 0
    count = stores.sightings.erase(erased.erased(), lambda day, identities: erased.note({day: identities}))
    stores.sightings.erase_remains(erased.days())
    return count


class UnlessErased:
    """The sightings of a site for who adds to them: an erased read stays away, whenever it is erased."""

    def __init__(self, sightings: SightingStore, erased: ErasedReads) -> None:
        """Add to `sightings` what `erased` does not know."""
        self._sightings = sightings
        self._erased = erased

    def add(self, day: date, rows: Sequence[Sighting], offsets: Mapping[Source, int]) -> None:
        """Commit the sightings of one day that are not erased, and up to where each source is read."""
        self._sightings.add(day, rows, offsets, self._erased.erased)

    def of_day(self, day: date) -> Iterator[Sighting]:
        """Return the sightings of a day."""
        return self._sightings.of_day(day)


def _by_day(sightings: Iterable[Sighting]) -> dict[date, list[Sighting]]:
    days: dict[date, list[Sighting]] = defaultdict(list)
    for sighting in sightings:
        days[sighting.arrived_at.astimezone(UTC).date()].append(sighting)
    return days
