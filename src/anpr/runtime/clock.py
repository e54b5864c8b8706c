"""The one place where the time of day is asked for. Everything else is handed a clock, or a moment."""

from collections.abc import Callable
from datetime import UTC, datetime

from anpr.runtime.timestamps import to_the_millisecond

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the present moment in UTC, to the millisecond."""
    return to_the_millisecond(datetime.now(UTC))
