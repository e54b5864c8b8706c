"""Converts times to the form of the contracts: in UTC, to the millisecond. Pure."""

from datetime import UTC, datetime


def to_the_millisecond(moment: datetime) -> datetime:
    """Return the moment in UTC without the digits below a millisecond. Raises OverflowError near year 1."""
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
