"""The incidents of a page, each at its position: by section, in the order of urgency. Pure."""

import bisect
from collections.abc import Callable, Sequence
from typing import NamedTuple

from anpr.board.board import Key
from anpr.board.incident import Incident
from anpr.console.board.triage import SECTIONS, BoardPosition


class PlacedIncident(NamedTuple):
    """An incident and where it belongs."""

    position: BoardPosition
    incident: Incident

    @property
    def sort_key(self) -> tuple[str, str]:
        """Sorts within a section. No two incidents have the same."""
        return self.position.order, self.incident.incident_id


class PlacedIncidents:
    """All incidents that a page knows. What it holds under a key is replaced as a whole."""

    def __init__(self) -> None:
        """Start with none."""
        self._by_key: dict[Key, Sequence[PlacedIncident]] = {}
        self._by_id: dict[str, PlacedIncident] = {}
        self._sorted: dict[str, list[tuple[str, str]]] = {section: [] for section in SECTIONS}

    def add(self, key: Key, placed: Sequence[PlacedIncident]) -> None:
        """Add the incidents of a key, which must have none."""
        self._by_key[key] = placed
        for entry in placed:
            bisect.insort(self._sorted[entry.position.section], entry.sort_key)
            self._by_id[entry.incident.incident_id] = entry

    def remove(self, key: Key) -> None:
        """Remove the incidents of a key, if it has any."""
        for entry in self._by_key.pop(key, ()):
            in_section = self._sorted[entry.position.section]
            del in_section[bisect.bisect_left(in_section, entry.sort_key)]
            del self._by_id[entry.incident.incident_id]

    def keys_of(self, is_wanted: Callable[[Incident], bool]) -> set[Key]:
        """Return the keys of the incidents that fit a condition."""
        return {key for key, placed in self._by_key.items() if any(is_wanted(entry.incident) for entry in placed)}

    def count(self, section: str) -> int:
        """Return how many incidents a section has."""
        return len(self._sorted[section])

    def most_urgent(self, section: str, count: int, start: int = 0) -> list[PlacedIncident]:
        """Return up to `count` incidents of a section, from the one at `start` on."""
        return [self._by_id[incident_id] for _, incident_id in self._sorted[section][start : start + count]]
