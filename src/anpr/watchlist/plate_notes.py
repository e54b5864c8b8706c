"""Warnings about plates that are taken all the same: each kind is counted, with samples. Pure."""

from collections import Counter
from typing import Final

from anpr.runtime.plurals import counted
from anpr.watchlist.plate_cell import SHORT, PlateCell

_SAMPLES: Final = 3
_CHARACTERS_SHOWN: Final = 64


class PlateNotes:
    """Counts the notes on the lines of a file, and keeps samples."""

    def __init__(self) -> None:
        """There is no note yet."""
        self._counts: Counter[str] = Counter()
        self._samples: dict[str, list[str]] = {}

    def add(self, line: int, cell: str, taken: PlateCell) -> None:
        """Count the notes of a line that was taken: its number, its plate cell, and what was taken from it."""
        for note in taken.notes:
            self._counts[note] += 1
            samples = self._samples.setdefault(note, [])
            if len(samples) < _SAMPLES:
                shown = cell.strip()[:_CHARACTERS_SHOWN]
                as_taken = "" if shown == taken.plate else f" as {taken.plate!r}"
                as_taken += f", country {taken.country}" if taken.country else ""
                samples.append(f"line {line}: {shown!r}{as_taken}")

    def warnings(self) -> list[str]:
        """Return a sentence for each kind of note."""
        kinds = sorted(self._counts, key=lambda note: note != SHORT)
        return [self._sentence(note) for note in kinds]

    def _sentence(self, note: str) -> str:
        count, samples = self._counts[note], self._samples[note]
        if note == SHORT:
            what, _, why = note.partition(":")
            first = samples[0].partition(":")[0].removeprefix("line ")
            return f"{counted(count, 'plate')} {what} (the first on line {first}):{why}"
        return f"{note}: {count} ({'; '.join(samples)}{'; ...' if count > len(samples) else ''})"
