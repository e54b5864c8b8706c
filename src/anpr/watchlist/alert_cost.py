"""The cost of a list as a plan states it: the alerts a day that it would have raised. Pure."""

from datetime import datetime, timedelta

from msgspec import Struct


class EntryCost(Struct, frozen=True):
    """An entry and how many alerts a day it would have raised."""

    entry_id: str
    plate: str
    alerts_a_day: float


class Cost(Struct, frozen=True, kw_only=True):
    """Alerts a day, scaled from the time between the first and the last capture, at least an hour.

    `by_hour` has the hours of the captures, in UTC. `most` has the entries with the most alerts. `reads_of_site` has
    the number of reads by their site, whether the configuration names it or not.
    """

    reads: int
    reads_refused: int
    first_captured_at: datetime | None
    last_captured_at: datetime | None
    alerts: int
    alerts_a_day: float
    by_tier: dict[str, float]
    by_port: dict[str, float]
    by_hour: dict[str, float]
    by_nationality: dict[str, float]
    most: tuple[EntryCost, ...]
    reads_of_site: dict[str, float] = {}

    @property
    def covered(self) -> timedelta:
        """The time from the first capture to the last."""
        if self.first_captured_at is None or self.last_captured_at is None:
            return timedelta(0)
        return self.last_captured_at - self.first_captured_at
