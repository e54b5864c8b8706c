"""The watchlist as the simulators see it: which reads must raise which alerts.

This is the simplest possible comparison, and on purpose shares no code with the matcher, so that each checks the
other. It states exactly what the tiers `exact` and `equivalent` must find. By its other tiers a matcher guesses with
a probability. Of those alerts the truth says only which ones name the vehicle that was really there.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo

from anpr.contracts import plates
from anpr.contracts.events import DIRECTIONS, Entry, Read
from simulators.vehicles import Plate


class Watchlist:
    """The entries, and the alerts that a read must raise under the tiers `exact` and `equivalent`."""

    def __init__(self, entries: Iterable[Entry], zones: Mapping[str, tzinfo] | None = None) -> None:
        """Index the entries by canonical plate, with 0 written as O and 1 as I. Patterns are kept apart.

        `zones` holds the time zone of each site; a site without one has UTC.
        """
        self._zones = zones or {}
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
        """Return the alerts that the read must raise, as sorted pairs of entry_id and tier."""
        found: dict[str, str] = {}
        for text in _texts(read):
            for plate, entry in self._by_glyphs.get(_glyphs(text), ()):
                if self._applies_to(entry, read.site, read.direction, captured_at):
                    if text == plate:
                        found[entry.entry_id] = "exact"
                    elif entry.tolerance != "exact":
                        found.setdefault(entry.entry_id, "equivalent")
        return sorted(found.items())

    def named(self, read: Read) -> list[str]:
        """Return the entries whose plate was surely read, wherever and whenever they are valid, in order."""
        return sorted(
            {
                entry.entry_id
                for text in _texts(read)
                for plate, entry in self._by_glyphs.get(_glyphs(text), ())
                if text == plate or entry.tolerance != "exact"
            }
        )

    def entry(self, entry_id: str) -> Entry:
        """Return an entry with a whole plate."""
        return next(entry for listed in self._by_glyphs.values() for _, entry in listed if entry.entry_id == entry_id)

    def misread(self, true_plate: str, read: Read, captured_at: datetime) -> bool:
        """Tell whether the true plate should have raised an alert, but no text that was read is that plate."""
        return _glyphs(true_plate) not in map(_glyphs, _texts(read)) and any(
            self._applies_to(entry, read.site, read.direction, captured_at) for entry in self._naming(true_plate)
        )

    def guesses(self, true_plate: str, read: Read, captured_at: datetime) -> list[str]:
        """Return the entries of the right vehicle that a matcher may find by other than the sure tiers.

        They are the entries of the plate that was there, if it was misread and they tolerate errors, and the patterns
        that cover the plate as it is or as it was read.
        """
        texts = _texts(read)
        named = () if _glyphs(true_plate) in map(_glyphs, texts) else self._by_glyphs.get(_glyphs(true_plate), ())
        found = [entry for _, entry in named if entry.tolerance != "exact"]
        found += [entry for pattern, entry in self._patterns if any(map(pattern.fullmatch, (true_plate, *texts)))]
        return sorted(
            entry.entry_id for entry in found if self._applies_to(entry, read.site, read.direction, captured_at)
        )

    def holds(self, plate: str) -> bool:
        """Tell whether an entry, valid or not, names exactly this canonical plate."""
        return any(self._naming(plate))

    def vehicles(self) -> list[Plate]:
        """Return the plates of all entries."""
        return [plate for plate, _ in self._vehicles]

    def vehicles_expected(self, site: str, moment: datetime) -> list[Plate]:
        """Return the plates of the entries that are valid for UK-bound vehicles at the site."""
        return [plate for plate, entry in self._vehicles if self._applies_to(entry, site, "uk_bound", moment)]

    def _applies_to(self, entry: Entry, site: str, direction: str | None, captured_at: datetime) -> bool:
        return applies_to(entry, site, direction, captured_at, self._zones.get(site, UTC))

    def _naming(self, plate: str) -> Iterator[Entry]:
        return (entry for listed, entry in self._by_glyphs.get(_glyphs(plate), ()) if listed == plate)


def applies_to(entry: Entry, site: str, direction: str | None, captured_at: datetime, zone: tzinfo = UTC) -> bool:
    """Tell whether the entry applies to a vehicle at this site, in this direction, at this moment.

    `zone` is the time zone of the site: where the list gives days, its calendar there decides.
    """
    today = captured_at.astimezone(zone).date()
    if entry.valid_from_day is not None:
        has_begun = entry.valid_from_day <= today
    else:
        has_begun = entry.valid_from is None or entry.valid_from <= captured_at
    if entry.valid_until_day is not None:
        has_ended = today > entry.valid_until_day
    else:
        has_ended = entry.valid_until <= captured_at
    if has_ended or not has_begun:
        return False
    if entry.sites and site not in entry.sites:
        return False
    return not entry.directions or direction not in DIRECTIONS or direction in entry.directions


def _texts(read: Read) -> list[str]:
    """Return the read text and the candidates, in capitals, without spaces and hyphens."""
    written = [read.plate, *(candidate.plate for candidate in read.candidates)]
    return [text.upper().replace(" ", "").replace("-", "") for text in written]


def _glyphs(text: str) -> str:
    return text.replace("0", "O").replace("1", "I")


def _pattern(written: str) -> re.Pattern[str]:
    """Return a list's pattern (`?` one character, `*` any number) as a regular expression."""
    wanted = [character for character in written.upper() if character.isalnum() or character in "?*"]
    return re.compile("".join({"?": ".", "*": ".*"}.get(character, character) for character in wanted))
