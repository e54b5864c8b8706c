"""Moments as they stand on the pages: in the time that people at the site go by, named each time. Pure.

With the day of the week, for a board holds three days. Everything that is kept or sent stays in UTC.
"""

from collections.abc import Callable
from datetime import datetime, tzinfo

# Writes a moment for officers.
At = Callable[[datetime], str]


def in_zone(zone: tzinfo) -> At:
    """Return what writes moments of these days."""

    def at(moment: datetime) -> str:
        return f"{moment.astimezone(zone):%a %H:%M:%S %Z}"

    return at


def dates_in_zone(zone: tzinfo) -> At:
    """Return what writes moments that may be long ago, or far ahead."""

    def date(moment: datetime) -> str:
        return f"{moment.astimezone(zone):%d %B %Y %H:%M %Z}"

    return date


def seconds_in_zone(zone: tzinfo) -> At:
    """Return what writes moments of a log: the date, and the second."""

    def second(moment: datetime) -> str:
        return f"{moment.astimezone(zone):%d %b %Y %H:%M:%S %Z}"

    return second


def clock_in_zone(zone: tzinfo) -> At:
    """Return what writes moments of the next hours."""

    def clock(moment: datetime) -> str:
        return f"{moment.astimezone(zone):%H:%M %Z}"

    return clock
