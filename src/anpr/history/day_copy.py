"""Copies days of one store of a site into another, row by row, whatever databases they are in.

What is there already stays, so a copy may be repeated, and broken off at any point. No offset is copied: the service
that keeps the store goes on reading its topics from where it was, and stores again what is still on them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import NamedTuple, Protocol, TypeVar

from anpr.contracts.events import Action, Alert
from anpr.history.fact import Fact
from anpr.history.sighting import Sighting, Source
from anpr.runtime.errors import InputError, UnavailableError

_ROWS_AT_ONCE = 2000

Row = TypeVar("Row", Sighting, Fact)


class CopyTarget(Protocol[Row]):
    """What a copy needs of the store that it fills."""

    def add(self, day: date, rows: Sequence[Row], offsets: Mapping[Source, int]) -> None:
        """Commit rows of one day. What is stored already stays."""
        ...

    def of_day(self, day: date) -> Iterator[Row]:
        """Return the rows of a day."""
        ...


class CopiedDay(NamedTuple):
    """How many rows the original has of a day, and how many of them the store had not."""

    rows: int
    new: int


def copy_day(rows: Iterator[Row], store: CopyTarget[Row], day: date, site: str) -> CopiedDay:
    """Add the rows of one day to the store, as far as it does not have them.

    Raises InputError at a row of another site: what is committed by then is right. Raises HistoryUnavailableError.
    """
    there = _positions(store.of_day(day))
    positions: set[tuple[Source, int]] = set()
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        for row in some:
            _check_site(row, site)
        new = [row for row in some if (row.source, row.offset) not in there]
        if new:
            store.add(day, new, dict.fromkeys((row.source for row in new), 0))
        positions |= _positions(some)
    if missing := len(positions - _positions(store.of_day(day))):
        raise UnavailableError(
            "history-copy-incomplete", f"{missing} rows of {day} are not in the store after the copy", "copy it again"
        )
    return CopiedDay(len(positions), len(positions - there))


def _positions(rows: Iterable[Row]) -> set[tuple[Source, int]]:
    return {(row.source, row.offset) for row in rows}


def _check_site(row: Sighting | Fact, site: str) -> None:
    found = row.read.site if isinstance(row, Sighting) else _site_of(row)
    if found not in {site, ""}:
        raise InputError(
            "history-other-site",
            f"this is the history of {found}, not of {site}",
            "name the folder of the right site",
        )


def _site_of(fact: Fact) -> str:
    """Return the site of a fact, "" of a correction, which names only its camera, and of what cannot be decoded."""
    event = fact.event()
    if isinstance(event, Alert):
        return event.read.site
    return event.site if isinstance(event, Action) else ""
