"""The only module that reads the time of day. All other code gets a clock or a moment as a parameter."""

from collections.abc import Callable
from datetime import UTC, datetime

from anpr.runtime.timestamps import to_the_millisecond

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the present moment in UTC, to the millisecond."""
    return to_the_millisecond(datetime.now(UTC))
