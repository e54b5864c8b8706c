"""Which keys each closed day holds, so that a look-up asks a day only for those.

A look-up asks for hundreds of keys, and thirty days together hold only a few of them. To look for all of them in the
file of every day took half of its time. A key is noted by a checksum of four bytes. Two keys may have the same: then
a day is asked for a key that it does not hold.

The note of a day is deleted in the transaction that adds a row to the day or erases one. So a note always covers all
keys of its day, whichever process writes the day, and wherever it is interrupted.
"""

import secrets
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, delete, func, insert, select

from anpr.history.database import Database
from anpr.history.sql_tables import HELD_KEYS, SIGHTING_KEYS
from anpr.history.stored_time import day_number, day_of

# Of the keys of a day: each once, in ascending order.
Checksums = NDArray[np.uint32]

_STORED = np.dtype("<u4")
_EDITIONS = 1 << 62
_UNTESTED_BITS = 8


class _DayKeys(NamedTuple):
    edition: int
    checksums: Checksums


class HeldKeys:
    """The keys of the days of one store. Threads may ask at the same time."""

    def __init__(self, database: Database) -> None:
        """They are in `database`, beside the sightings."""
        self._database = database
        # As read before: a store says by a number whether it is still true. A month of a busy port takes 20 MB.
        self._known: dict[date, _DayKeys] = {}
        # By the first bits of a checksum: whether any day that was read has such a one. Nearly none of the keys of a
        # look-up is on any day; to find that out day by day takes two milliseconds. It takes 16 MB.
        self._may_be_held = np.zeros(1 << (32 - _UNTESTED_BITS), np.bool_)

    def note(self, day: date) -> None:
        """Note the keys of a day. Nobody can write the day meanwhile."""
        with self._database.begin(day) as connection:
            forget_held_keys(connection, day)
            keys = connection.execute(_keys_of(day)).scalar()
            values = {"day": day_number(day), "edition": secrets.randbelow(_EDITIONS)}
            checksums = _checksums(keys or "").astype(_STORED).tobytes()
            connection.execute(insert(HELD_KEYS).values(**values, checksums=checksums))

    def days(self, since: date, until: date) -> set[date]:
        """Return the days from `since` to `until` of which the keys are noted."""
        return set(self._editions(since, until))

    def noted(self, stored: Collection[date], since: date, until: date) -> dict[date, Checksums]:
        """Return what is noted of the days from `since` to `until`. `stored` are all days of the store."""
        known = {day: noted for day, noted in self._known.items() if day in stored}
        found = {}
        for day, edition in self._editions(since, until).items():
            noted = known.get(day)
            if noted is None or noted.edition != edition:
                noted = self._noted_of(day)
            if noted is not None:
                found[day] = noted
        self._known = known | found
        return {day: noted.checksums for day, noted in found.items()}

    def of_day(self, day: date) -> Checksums:
        """Return the keys that a day holds now, from its rows."""
        keys = " ".join(row.keys or "" for row in self._database.rows(_keys_of(day), day, day))
        return self._remembered(_checksums(keys))

    def held_of(self, keys: Collection[str], days: Sequence[Checksums]) -> list[str]:
        """Return which of the keys one of these days may hold. The days come from `noted` and `of_day`."""
        by_position = list(keys)
        wanted = np.fromiter(map(crc32, map(str.encode, by_position)), np.uint32, len(by_position))
        positions = np.flatnonzero(self._may_be_held[wanted >> _UNTESTED_BITS])
        # In ascending order: each search begins where the one before has ended.
        positions = positions[wanted[positions].argsort()]
        wanted = wanted[positions]
        is_held = np.zeros(len(wanted), np.bool_)
        for held in days:
            if len(held):
                is_held |= held.take(held.searchsorted(wanted), mode="clip") == wanted
        return [by_position[position] for position in positions[is_held].tolist()]

    def _editions(self, since: date, until: date) -> dict[date, int]:
        is_in_days = HELD_KEYS.c.day.between(day_number(since), day_number(until))
        query = select(HELD_KEYS.c.day, HELD_KEYS.c.edition).where(is_in_days)
        return {day_of(row.day): row.edition for row in self._database.rows(query, since, until)}

    def _noted_of(self, day: date) -> _DayKeys | None:
        """Return what is noted of a day; None where that has just gone."""
        query = select(HELD_KEYS.c.edition, HELD_KEYS.c.checksums).where(HELD_KEYS.c.day == day_number(day))
        noted = (
            _DayKeys(row.edition, self._remembered(np.frombuffer(row.checksums, _STORED)))
            for row in self._database.rows(query, day, day)
        )
        return next(noted, None)

    def _remembered(self, checksums: Checksums) -> Checksums:
        self._may_be_held[checksums >> _UNTESTED_BITS] = True
        return checksums


def forget_held_keys(connection: Connection, day: date) -> None:
    """Forget what is noted of a day, because its rows change."""
    connection.execute(delete(HELD_KEYS).where(HELD_KEYS.c.day == day_number(day)))


def _keys_of(day: date) -> Select[Any]:
    # A day has some 200,000 keys. As one text they are read in a third of the time. No key has a space.
    keys = func.aggregate_strings(SIGHTING_KEYS.c.key, " ").label("keys")
    return select(keys).where(SIGHTING_KEYS.c.day == day_number(day))


def _checksums(keys: str) -> Checksums:
    return np.unique(np.fromiter(map(crc32, keys.encode().split()), np.uint32))
