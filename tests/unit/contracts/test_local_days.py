"""Days at the ports: 23, 24 and 25 hours long, each site's own."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from anpr.contracts.local_days import UTC_DAYS, LocalDays, day_end, day_start
from tests.support.strategies import an_entry

PARIS = ZoneInfo("Europe/Paris")
PORTS = {"calais": PARIS, "dover": ZoneInfo("Europe/London")}


@pytest.mark.parametrize(
    ("day", "starts", "hours"),
    [
        (date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC), 23),
        (date(2026, 7, 14), datetime(2026, 7, 13, 22, tzinfo=UTC), 24),
        (date(2026, 10, 25), datetime(2026, 10, 24, 22, tzinfo=UTC), 25),
        (date(2026, 12, 31), datetime(2026, 12, 30, 23, tzinfo=UTC), 24),
    ],
)
def test_a_day_at_calais_lasts_as_long_as_its_clocks_say(day: date, starts: datetime, hours: int) -> None:
    assert day_start(day, PARIS) == starts
    assert day_end(day, PARIS) - starts == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("Africa/Cairo", datetime(2026, 4, 23, 22, tzinfo=UTC)),  # at midnight the clocks go to 01:00
        ("America/Havana", datetime(2026, 11, 1, 4, tzinfo=UTC)),  # at 01:00 they go back to midnight
    ],
)
def test_a_day_whose_midnight_is_left_out_or_comes_twice_begins_with_its_first_moment(
    zone: str, first: datetime
) -> None:
    day = first.astimezone(ZoneInfo(zone)).date()
    assert day_start(day, ZoneInfo(zone)) == first
    assert (first - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date() == day - timedelta(days=1)


def test_the_latest_end_is_that_of_the_site_furthest_west_and_the_earliest_start_furthest_east() -> None:
    days = LocalDays(PORTS | {"halifax": ZoneInfo("America/Halifax"), "auckland": ZoneInfo("Pacific/Auckland")})
    july = date(2026, 7, 31)
    assert days.latest_end_of(july) == datetime(2026, 8, 1, 3, tzinfo=UTC)
    assert days.earliest_start_of(july) == datetime(2026, 7, 30, 12, tzinfo=UTC)
    assert LocalDays(PORTS).latest_end_of(july) == datetime(2026, 7, 31, 23, tzinfo=UTC)
    assert LocalDays(PORTS).earliest_start_of(july) == datetime(2026, 7, 30, 22, tzinfo=UTC)
    assert UTC_DAYS.latest_end_of(july) == datetime(2026, 8, 1, tzinfo=UTC)


def test_the_days_decide_even_where_the_moments_were_worked_out_for_other_sites() -> None:
    """As when a site west of all others is added after the list was applied."""
    entry = an_entry(valid_until_day=date(2026, 7, 31), valid_until=datetime(2026, 7, 31, 23, tzinfo=UTC))
    days = LocalDays(PORTS | {"halifax": ZoneInfo("America/Halifax")})
    evening = datetime(2026, 8, 1, 2, 59, tzinfo=UTC)
    assert days.is_valid_at(entry, "halifax", evening)
    assert not days.is_valid_at(entry, "dover", evening)
    assert days.latest_end(entry) == evening + timedelta(minutes=1)
