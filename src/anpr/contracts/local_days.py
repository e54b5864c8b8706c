"""Local days: when a day begins and ends by the clock of each site. Pure.

A list that gives a day means that day at the site where the vehicle is read. It has 23, 24 or 25 hours there, and one
instant cannot say when it begins or ends at every site. So an entry keeps the day, and all code that reads its
validity asks here, with the site of the read.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Protocol

from anpr.contracts import turned_away
from anpr.contracts.events import Entry
from anpr.contracts.moments import LAST_MOMENT, in_utc, local_time

# The days of all entries of a list are few, and they are looked up for each entry.
_CACHED_DAYS = 4096


class HasEnd(Protocol):
    """A validity that ends: an `Entry` has it, and so has `ValidityEnd`."""

    @property
    def valid_until(self) -> datetime:
        """The moment of the end; of a day, its latest end over all sites."""

    @property
    def valid_until_day(self) -> date | None:
        """The last day, None when the end is a moment."""


class LocalDays:
    """The days of the sites. A site that has no time zone here has the days of UTC."""

    def __init__(self, zones: Mapping[str, tzinfo]) -> None:
        """`zones` holds the time zone of each site."""
        self._zones = dict(zones)
        self._all_zones = tuple(dict.fromkeys(self._zones.values())) or (UTC,)

    def starts_at(self, entry: Entry, site: str) -> datetime | None:
        """Return from which moment an entry is valid at a site, None when it always was."""
        if entry.valid_from_day is None:
            return entry.valid_from
        return day_start(entry.valid_from_day, self._zones.get(site, UTC))

    def without_starts(self) -> "LocalDays":
        """Return days on which an entry has always been valid: a back-check looks at what passed before.

        An entry of `turned_away` is valid from its start all the same: before it, nobody had turned the vehicle away.
        """
        return _DaysWithoutStarts(self._zones)

    def ends_at(self, entry: HasEnd, site: str) -> datetime:
        """Return the moment from which an entry is no longer valid at a site."""
        if entry.valid_until_day is None:
            return entry.valid_until
        return day_end(entry.valid_until_day, self._zones.get(site, UTC))

    def is_valid_at(self, entry: Entry, site: str, moment: datetime) -> bool:
        """Return whether an entry is valid at a site at this moment."""
        starts_at = self.starts_at(entry, site)
        return (starts_at is None or starts_at <= moment) and moment < self.ends_at(entry, site)

    def is_ever_valid(self, start: date, end: date) -> bool:
        """Return whether a validity holds any time at any site. Each end is a day, or a datetime."""
        return any(_starts_at(start, zone) < _ends_at(end, zone) for zone in self._all_zones)

    def date_at(self, site: str, moment: datetime) -> date:
        """Return the date at a site at this moment."""
        return local_time(moment, self._zones.get(site, UTC)).date()

    def latest_date(self, moment: datetime) -> date:
        """Return the latest date of any site at this moment."""
        return max(local_time(moment, zone).date() for zone in self._all_zones)

    def latest_end(self, entry: HasEnd) -> datetime:
        """Return the moment from which an entry is no longer valid at any site."""
        return entry.valid_until if entry.valid_until_day is None else self.latest_end_of(entry.valid_until_day)

    def earliest_start_of(self, day: date) -> datetime:
        """Return the moment at which a day begins at the first site."""
        return min(day_start(day, zone) for zone in self._all_zones)

    def latest_end_of(self, day: date) -> datetime:
        """Return the moment at which a day is over at the last site."""
        return _latest_end(day, self._all_zones)


class _DaysWithoutStarts(LocalDays):
    def starts_at(self, entry: Entry, site: str) -> datetime | None:  # noqa: ARG002  the interface of its base
        return entry.valid_from if entry.list == turned_away.LIST else None


# The days of installations whose sites name no time zone.
UTC_DAYS = LocalDays({})


def _starts_at(start: date, zone: tzinfo) -> datetime:
    return start if isinstance(start, datetime) else day_start(start, zone)


def _ends_at(end: date, zone: tzinfo) -> datetime:
    return end if isinstance(end, datetime) else day_end(end, zone)


@lru_cache(_CACHED_DAYS)
def day_start(day: date, zone: tzinfo) -> datetime:
    """Return the moment in UTC at which a day begins in a time zone: the first, where its midnight comes twice."""
    return in_utc(datetime.combine(day, time(), zone))


@lru_cache(_CACHED_DAYS)
def day_end(day: date, zone: tzinfo) -> datetime:
    """Return the moment in UTC at which the next day begins in a time zone."""
    if day == date.max:
        return LAST_MOMENT
    return day_start(day + timedelta(days=1), zone)


@lru_cache(_CACHED_DAYS)
def _latest_end(day: date, zones: tuple[tzinfo, ...]) -> datetime:
    return max(day_end(day, zone) for zone in zones)
