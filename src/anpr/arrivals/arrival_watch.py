"""Looks for the expected vehicles of a port among its sightings, and publishes the first sighting of each.

It keeps nothing. Which vehicles are expected and not met yet follows from the boards, and what has been published
comes back to them. So it may be stopped anywhere, run twice, or start long after a vehicle was seen.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from anpr.arrivals.expected import expected_vehicles
from anpr.arrivals.first_sightings import first_sightings, keys_of
from anpr.board.board import Board
from anpr.contracts.events import Arrival
from anpr.history.sighting import Sighting
from anpr.runtime.settings import Route

# The clock of a camera or of the broker may differ from this one.
_CLOCKS_DIFFER = timedelta(days=1)


class AddressedArrival(NamedTuple):
    """An arrival and its audience: only people with the covert permission see one that `is_covert`."""

    arrival: Arrival
    is_covert: bool


class SightingsByKey(Protocol):
    """What the watch needs of `history.sighting_store.SightingStore`."""

    def with_keys(self, keys: Collection[str], since: datetime, until: datetime) -> Iterable[Sighting]:
        """Return the sightings with one of these keys in a period."""
        ...


class ArrivalWatch:
    """The watch of one port."""

    def __init__(
        self,
        site: str,
        routes: Mapping[str, Route],
        *,
        sightings: SightingsByKey,
        publish: Callable[[Sequence[AddressedArrival]], None],
    ) -> None:
        """`routes` are those that lead to `site`, by their origin. `publish` returns when the broker has them."""
        self._site = site
        self._routes = routes
        self._sightings = sightings
        self._publish = publish

    def publish_new_arrivals(self, open_board: Board, whole_board: Board, now: datetime) -> list[AddressedArrival]:
        """Publish the arrivals of the vehicles that were seen, add them to the boards, and return them.

        What the open board shows is for everybody. The whole board only adds what covert alerts make expected. Raises
        RejectedError and HistoryUnavailableError; what was not done is done at the next call.
        """
        of_open = self._arrivals(open_board, now, covert=False)
        of_covert = self._arrivals(whole_board, now, covert=True)
        found = [AddressedArrival(arrival, is_covert=False) for arrival in of_open]
        found += [AddressedArrival(arrival, is_covert=True) for arrival in of_covert]
        if found:
            self._publish(found)
        for arrival, is_covert in found:
            for board in [whole_board] if is_covert else [open_board, whole_board]:
                board.add_arrival(arrival)
        return found

    def _arrivals(self, board: Board, now: datetime, *, covert: bool) -> list[Arrival]:
        expected = expected_vehicles(board.incidents(now), self._site, self._routes, now, covert=covert)
        if not expected:
            return []
        since = min(vehicle.seen_from for vehicle in expected) - _CLOCKS_DIFFER
        found = self._sightings.with_keys(keys_of(expected), since, now + _CLOCKS_DIFFER)
        return first_sightings(expected, [sighting.read for sighting in found], board.has_superseded)
