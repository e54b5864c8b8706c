"""The watchlist as the simulators see it: which reads must raise which alerts.

This is on purpose not the matcher: the plainest comparison that can be written, so that each checks the other.
It states exactly what the tiers `exact` and `equivalent` must find. What a matcher finds beyond them it guesses by
probability; of that the truth says only which guesses name the vehicle that was really there.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from anpr.contracts import plates
from anpr.contracts.events import DIRECTIONS, Entry, Read
from simulators.vehicles import Plate


class Watchlist:
    """The entries, and what must come of a read under the tiers `exact` and `equivalent`."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """File the entries by their canonical plate with 0 written as O and 1 as I, and patterns apart."""
        self._by_glyphs: dict[str, list[tuple[str, Entry]]] = {}
        self._vehicles: list[tuple[Plate, Entry]] = []
        self._patterns: list[tuple[re.Pattern[str], Entry]] = []
        for entry in entries:
            if "?" in entry.plate or "*" in entry.plate:
                self._patterns.append((_pattern(entry.plate), entry))
                continue
            plate = plates.canonical(entry.plate)
            self._by_glyphs.setdefault(_glyphs(plate), []).append((plate, entry))
            self._vehicles.append((Plate(plate, entry.country), entry))

    def expected(self, read: Read, captured_at: datetime) -> list[tuple[str, str]]:
        """Return the alerts that the read must raise, as pairs of entry_id and tier in their order."""
        found: dict[str, str] = {}
        for text in _texts(read):
            for plate, entry in self._by_glyphs.get(_glyphs(text), ()):
                if concerns(entry, read.site, read.direction, captured_at):
                    if text == plate:
                        found[entry.entry_id] = "exact"
                    elif entry.tolerance != "exact":
                        found.setdefault(entry.entry_id, "equivalent")
        return sorted(found.items())

    def misread(self, shown: str, read: Read, captured_at: datetime) -> bool:
        """Tell whether the plate really shown should have raised an alert, but nothing read is that plate."""
        return _glyphs(shown) not in map(_glyphs, _texts(read)) and any(
            concerns(entry, read.site, read.direction, captured_at) for entry in self._naming(shown)
        )

    def guesses(self, shown: str, read: Read, captured_at: datetime) -> list[str]:
        """Return the entries that a matcher may find beyond the sure tiers, and be right about the vehicle.

        They are those of the plate really shown, when it was read as another and they tolerate errors, and patterns
        that cover the plate as it is or as it was read.
        """
        texts = _texts(read)
        named = () if _glyphs(shown) in map(_glyphs, texts) else self._by_glyphs.get(_glyphs(shown), ())
        found = [entry for _, entry in named if entry.tolerance != "exact"]
        found += [entry for pattern, entry in self._patterns if any(map(pattern.fullmatch, (shown, *texts)))]
        return sorted(entry.entry_id for entry in found if concerns(entry, read.site, read.direction, captured_at))

    def holds(self, plate: str) -> bool:
        """Tell whether an entry, in force or not, names exactly this canonical plate."""
        return any(self._naming(plate))

    def vehicles(self) -> list[Plate]:
        """Return the plates of all entries."""
        return [plate for plate, _ in self._vehicles]

    def vehicles_expected(self, site: str, moment: datetime) -> list[Plate]:
        """Return the plates of the entries in force for vehicles on their way to the UK through the site."""
        return [plate for plate, entry in self._vehicles if concerns(entry, site, "uk_bound", moment)]

    def _naming(self, plate: str) -> Iterator[Entry]:
        return (entry for listed, entry in self._by_glyphs.get(_glyphs(plate), ()) if listed == plate)


def concerns(entry: Entry, site: str, direction: str | None, captured_at: datetime) -> bool:
    """Tell whether the entry is meant for a vehicle at this site, going this way, at this moment."""
    if captured_at >= entry.valid_until or (entry.valid_from is not None and captured_at < entry.valid_from):
        return False
    if entry.sites and site not in entry.sites:
        return False
    return not entry.directions or direction not in DIRECTIONS or direction in entry.directions


def _texts(read: Read) -> list[str]:
    """Return what was read and what else the camera thinks possible, without case, spaces and hyphens."""
    written = [read.plate, *(candidate.plate for candidate in read.candidates)]
    return [text.upper().replace(" ", "").replace("-", "") for text in written]


def _glyphs(text: str) -> str:
    return text.replace("0", "O").replace("1", "I")


def _pattern(written: str) -> re.Pattern[str]:
    """Return the pattern of a list (`?` one character, `*` any) as an expression."""
    wanted = [character for character in written.upper() if character.isalnum() or character in "?*"]
    return re.compile("".join({"?": ".", "*": ".*"}.get(character, character) for character in wanted))
