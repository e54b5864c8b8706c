"""Any days and times may stand in a list: each is taken or refused by name, and shown in words."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anpr.runtime.settings import Site
from anpr.watchlist.csv_file import ListFile, read_list
from anpr.watchlist.list_context import ListContext
from anpr.watchlist.validity import validity_in_words, validity_of_all

ZONES = {
    "calais": "Europe/Paris",
    "dover": "Europe/London",
    "halifax": "America/Halifax",
    "auckland": "Pacific/Auckland",
}
CONTEXT = ListContext(
    {name: Site(title=name.title(), kafka="", redis="", time_zone=zone) for name, zone in ZONES.items()},
    datetime(2026, 6, 1, tzinfo=UTC),
)
offsets = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
any_days = st.dates() | st.sampled_from((date.min, date.max, date(2999, 12, 31)))
any_times = st.datetimes(timezones=offsets) | st.builds(
    datetime.replace,
    st.sampled_from((datetime.min, datetime.max)),  # noqa: DTZ901  the offset follows
    tzinfo=offsets,
)
any_ends = st.one_of(any_days, any_times)
near_days = st.dates(date(2026, 1, 1), date(2027, 1, 1))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lists") / "list.csv"


def read(file: Path, start: date | None, end: date) -> ListFile:
    start_cell = "" if start is None else start.isoformat()
    file.write_text(f"plate,valid_from,valid_until\nAB12 CDE,{start_cell},{end.isoformat()}\n", "utf-8")
    return read_list(file, "stolen", context=CONTEXT)


@given(st.none() | any_ends, any_ends)
def test_a_line_with_any_days_and_times_is_taken_unless_it_ends_before_it_begins(
    file: Path, start: date | None, end: date
) -> None:
    content = read(file, start, end)
    if content.faults:
        assert start is not None
        assert [(fault.field, fault.reason) for fault in content.faults] == [
            ("valid_until", "must be after valid_from")
        ]
        return
    [entry] = content.entries
    assert entry.valid_from is None or entry.valid_from < entry.valid_until
    assert validity_in_words(entry).startswith("valid ")
    assert validity_of_all([entry])


@given(near_days, st.integers(0, 40), st.sampled_from(tuple(ZONES)), st.integers(-36 * 3600, 42 * 24 * 3600))
def test_days_are_counted_by_the_clock_of_the_site(
    file: Path, first_day: date, length: int, site: str, second: int
) -> None:
    last_day = first_day + timedelta(days=length)
    [entry] = read(file, first_day, last_day).entries
    midnight = datetime.combine(first_day, datetime.min.time(), UTC)
    for moment in (midnight + timedelta(seconds=second), midnight + timedelta(hours=second // 3600)):
        today = moment.astimezone(ZoneInfo(ZONES[site])).date()
        assert CONTEXT.days.is_valid_at(entry, site, moment) is (first_day <= today <= last_day)
