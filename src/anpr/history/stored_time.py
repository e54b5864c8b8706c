"""Days and moments as the tables hold them: numbers that SQLite and PostgreSQL order alike. Pure."""

from datetime import UTC, date, datetime

_MILLISECONDS = 1000


def day_number(day: date) -> int:
    """Return a day as the tables hold it: 20261129."""
    return day.year * 10_000 + day.month * 100 + day.day


def day_of(number: int) -> date:
    """Return the day that a number of `day_number` stands for."""
    return date(number // 10_000, number // 100 % 100, number % 100)


def milliseconds(moment: datetime) -> int:
    """Return a moment as the tables hold it: milliseconds since 1970."""
    return round(moment.timestamp() * _MILLISECONDS)


def moment_of(stored_ms: int) -> datetime:
    """Return the moment, in UTC, that a number of `milliseconds` stands for."""
    return datetime.fromtimestamp(stored_ms / _MILLISECONDS, UTC)
