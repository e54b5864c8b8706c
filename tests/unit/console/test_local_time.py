"""Officers see the time of their own site, with its time zone and day."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from anpr.console.local_time import (
    clock_span_in,
    clock_time_in,
    date_time_in,
    day_text,
    log_time_in,
    weekday_time_in,
)
from anpr.runtime.settings_files import load_settings

CONFIG = Path(__file__).parents[3] / "config"
PARIS, LONDON = ZoneInfo("Europe/Paris"), ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("zone", "moment", "written"),
    [
        (PARIS, datetime(2026, 1, 15, 23, 30, tzinfo=UTC), "Fri 00:30:00 CET"),
        (LONDON, datetime(2026, 1, 15, 23, 30, tzinfo=UTC), "Thu 23:30:00 GMT"),
        (PARIS, datetime(2026, 7, 1, 8, 0, tzinfo=UTC), "Wed 10:00:00 CEST"),
        (LONDON, datetime(2026, 7, 1, 8, 0, tzinfo=UTC), "Wed 09:00:00 BST"),
        (UTC, datetime(2026, 7, 1, 8, 0, tzinfo=PARIS), "Wed 06:00:00 UTC"),
        # The hour that comes twice when summer time ends.
        (PARIS, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "Sun 02:30:00 CEST"),
        (PARIS, datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "Sun 02:30:00 CET"),
    ],
)
def test_a_time_is_in_the_sites_zone_and_names_the_zone_and_the_day(
    zone: ZoneInfo, moment: datetime, written: str
) -> None:
    assert weekday_time_in(zone)(moment) == written


def test_a_date_is_in_the_sites_zone() -> None:
    assert date_time_in(PARIS)(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)) == "1 January 2027 00:30 CET"


def test_a_log_line_shows_the_date_and_the_second() -> None:
    assert log_time_in(PARIS)(datetime(2026, 12, 31, 23, 30, 7, tzinfo=UTC)) == "01 Jan 2027 00:30:07 CET"


@pytest.mark.parametrize("day", [date(2099, 12, 31), date.min, date.max, date(2027, 1, 1)])
def test_a_day_is_a_day_and_no_time(day: date) -> None:
    assert day_text(date(2099, 12, 31)) == "31 December 2099"
    assert day_text(day).startswith(f"{day.day} ")


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/Halifax", "Pacific/Auckland", "Pacific/Kiritimati"])
@pytest.mark.parametrize("hours", range(0, 25, 4))
def test_the_first_and_the_last_moments_of_all_can_be_shown_everywhere(zone: str, hours: int) -> None:
    formats = [of_zone(ZoneInfo(zone)) for of_zone in (weekday_time_in, date_time_in, log_time_in, clock_time_in)]
    for moment in (datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC) + timedelta(hours=hours)):
        assert all(write(moment) for write in formats)
    last = datetime.max.replace(tzinfo=UTC)
    assert date_time_in(PARIS)(last) == "31 December 9999 23:59 UTC", "at Paris the year 10000 has begun"


@pytest.mark.parametrize(
    ("start", "minutes", "written"),
    [
        (datetime(2026, 3, 1, 12, 30, tzinfo=UTC), 36, "12:30 to 13:06 GMT"),
        (datetime(2026, 3, 1, 12, 30, tzinfo=UTC), 0, "12:30 GMT"),
        (datetime(2026, 3, 29, 0, 45, tzinfo=UTC), 30, "00:45 GMT to 02:15 BST"),
    ],
)
def test_two_moments_name_the_zone_once_unless_the_clocks_change(start: datetime, minutes: int, written: str) -> None:
    assert clock_span_in(LONDON)(start, start + timedelta(minutes=minutes)) == written


def test_french_ports_use_french_time_and_british_ports_british_time() -> None:
    sites = load_settings(CONFIG, {}).sites
    french = {"calais", "coquelles", "dunkerque"}
    assert {name for name, site in sites.items() if site.time_zone == "Europe/Paris"} == french
    assert {name for name, site in sites.items() if site.time_zone == "Europe/London"} == set(sites) - french
