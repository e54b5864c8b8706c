"""Moments up to the ends of the calendar, which a list or a camera may name, computed without overflow. Pure."""

from datetime import UTC, datetime, timedelta, tzinfo

# The first and the last moment that a record can hold.
FIRST_MOMENT = datetime.min.replace(tzinfo=UTC)
LAST_MOMENT = datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)


def in_utc(moment: datetime) -> datetime:
    """Return a moment in UTC: the first or the last of all for one that is beyond it."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return FIRST_MOMENT if moment.year == 1 else LAST_MOMENT


def local_time(moment: datetime, zone: tzinfo) -> datetime:
    """Return a moment by the clock of a zone: by UTC where that clock would leave the years 1 to 9999."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return in_utc(moment)


def shifted(moment: datetime, by: timedelta) -> datetime:
    """Return the moment that is so much later: the first or the last of all for one that would be beyond it."""
    try:
        return moment + by
    except OverflowError:
        return LAST_MOMENT if by > timedelta() else FIRST_MOMENT
