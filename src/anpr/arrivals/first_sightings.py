"""The first sighting of each expected vehicle, among the reads of the port where it is expected. Pure."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from anpr.arrivals.expected import ExpectedVehicle
from anpr.contracts.events import NO_GENERATION, Arrival, Read
from anpr.contracts.readings import SUREST_OF_GUESSES, effective_tier_of
from anpr.matching.index import Index
from anpr.matching.read_keys import folded_key


def keys_of(expected: Iterable[ExpectedVehicle]) -> frozenset[str]:
    """Return the keys under which history holds every read that may be of one of these vehicles."""
    return frozenset(folded_key(vehicle.entry.plate) for vehicle in expected) - {""}


def first_sightings(
    expected: Sequence[ExpectedVehicle], reads: Sequence[Read], is_superseded: Callable[[Read], bool]
) -> list[Arrival]:
    """Return the arrivals of the vehicles that one of the reads shows, each by its first capture.

    The engine compares, as it does for the watchlist. A read of a vehicle that leaves for France is no arrival, and
    neither is one that another read has replaced. A later guess of the camera counts where no true reading does, and
    its arrival says so by its tier. One that turned out to be another vehicle is none.
    """
    if not reads:
        return []
    # By position: several incidents may name one entry.
    entries = [
        msgspec.structs.replace(vehicle.entry, entry_id=str(number)) for number, vehicle in enumerate(expected)
    ]
    first: dict[int, Arrival] = {}
    guessed: dict[int, Arrival] = {}
    matches = Index.build(entries, NO_GENERATION).match(reads)
    for read, matches_of_read in sorted(zip(reads, matches, strict=True), key=lambda pair: _order(pair[0])):
        if read.direction == "fr_bound" or is_superseded(read):
            continue
        for match in matches_of_read:
            number = int(match.entry.entry_id)
            vehicle = expected[number]
            is_in_time = read.captured_at and vehicle.seen_from <= read.captured_at <= vehicle.until
            if is_in_time and not vehicle.was_another(read):
                tier = effective_tier_of(match.tier, read, match.explanation)
                found = guessed if tier == SUREST_OF_GUESSES else first
                found.setdefault(number, _arrival(vehicle, read, tier))
    still_guessed = (number for number in guessed.keys() - first.keys() if not expected[number].is_guessed)
    return [*first.values(), *(guessed[number] for number in sorted(still_guessed))]


def _order(read: Read) -> tuple[str, ...]:
    captured_at = read.captured_at.isoformat() if read.captured_at else ""
    return (captured_at, *read.identity)


def _arrival(vehicle: ExpectedVehicle, read: Read, tier: str) -> Arrival:
    return Arrival(
        site=read.site,
        alert_id=vehicle.alert.alert_id,
        read_id=read.read_id,
        camera=read.camera,
        lane=read.lane,
        captured_at=read.captured_at or vehicle.seen_from,
        tier=tier,
    )
