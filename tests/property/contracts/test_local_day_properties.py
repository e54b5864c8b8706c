"""A day is the day of the site where the vehicle is read, whatever its zone and its clock changes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from anpr.contracts.local_days import LocalDays, day_end, day_start
from anpr.contracts.moments import FIRST_MOMENT, LAST_MOMENT
from simulators.expected_alerts import Watchlist
from tests.support.strategies import a_read, an_entry

# West and east of Greenwich, with a half hour, and with clocks that change at midnight (Havana, Beirut).
ZONES = {
    "calais": ZoneInfo("Europe/Paris"),
    "dover": ZoneInfo("Europe/London"),
    "halifax": ZoneInfo("America/Halifax"),
    "auckland": ZoneInfo("Pacific/Auckland"),
    "kiritimati": ZoneInfo("Pacific/Kiritimati"),
    "st john's": ZoneInfo("America/St_Johns"),
    "havana": ZoneInfo("America/Havana"),
    "beirut": ZoneInfo("Asia/Beirut"),
    "lord howe": ZoneInfo("Australia/Lord_Howe"),
}
DAYS = LocalDays(ZONES)

sites = st.sampled_from((*ZONES, "a site without a zone"))
days = st.dates(date(2015, 1, 1), date(2060, 12, 31))
moments = st.datetimes(datetime(2015, 1, 1), datetime(2061, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
EVERY_DAY = st.dates()


@st.composite
def near_a_day(draw: st.DrawFn) -> tuple[date, datetime]:
    """Draw a day, and a moment within three days of it: often exactly a midnight somewhere."""
    day = draw(days)
    minutes = draw(st.integers(-2 * 24 * 2, 3 * 24 * 2).map(lambda half_hours: 30 * half_hours))
    second = draw(st.sampled_from((-1, 0, 1)))
    moment = datetime.combine(day, datetime.min.time(), UTC)
    return day, moment + timedelta(minutes=minutes, seconds=second)


@given(near_a_day(), st.integers(0, 3), sites)
@example((date(2026, 3, 29), datetime(2026, 3, 29, 22, tzinfo=UTC)), 0, "calais")
@example((date(2026, 10, 25), datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC)), 0, "calais")
def test_an_entry_is_valid_iff_the_date_at_the_site_is_among_its_days(
    near: tuple[date, datetime], length: int, site: str
) -> None:
    first_day, moment = near
    last_day = first_day + timedelta(days=length)
    entry = an_entry(valid_from_day=first_day, valid_until_day=last_day)
    today = moment.astimezone(ZONES.get(site, UTC)).date()
    assert DAYS.is_valid_at(entry, site, moment) is (first_day <= today <= last_day)


@given(near_a_day(), st.none() | st.integers(-1, 1), st.none() | st.integers(-1, 1), sites)
def test_the_simulators_expect_the_same(
    near: tuple[date, datetime], start: int | None, end: int | None, site: str
) -> None:
    """Their truth shares no code with the matcher."""
    day, moment = near
    entry = an_entry(
        valid_until=datetime(2099, 1, 1, tzinfo=UTC),
        valid_from_day=None if start is None else day + timedelta(days=start),
        valid_until_day=None if end is None else day + timedelta(days=end),
    )
    watchlist = Watchlist([entry], ZONES)
    expected = watchlist.expected(a_read(plate=entry.plate, site=site), moment)
    assert (expected != []) is DAYS.is_valid_at(entry, site, moment)


@given(days, moments)
def test_a_validity_is_over_everywhere_at_the_latest_end_and_begins_at_the_earliest_start(
    day: date, moment: datetime
) -> None:
    entry = an_entry(valid_from_day=day, valid_until_day=day)
    end, start = DAYS.latest_end(entry), DAYS.earliest_start_of(day)
    assert not any(DAYS.is_valid_at(entry, site, end) for site in ZONES)
    assert any(DAYS.is_valid_at(entry, site, end - timedelta(milliseconds=1)) for site in ZONES)
    assert any(DAYS.is_valid_at(entry, site, start) for site in ZONES)
    assert not any(DAYS.is_valid_at(entry, site, start - timedelta(milliseconds=1)) for site in ZONES)
    if any(DAYS.is_valid_at(entry, site, moment) for site in ZONES):
        assert start <= moment < end


@given(st.none() | moments, moments, moments, sites)
def test_a_time_with_an_offset_is_the_same_time_at_every_site(
    start: datetime | None, end: datetime, moment: datetime, site: str
) -> None:
    entry = an_entry(valid_from=start, valid_until=end)
    assert DAYS.is_valid_at(entry, site, moment) is ((start is None or start <= moment) and moment < end)
    assert DAYS.latest_end(entry) == end


@given(EVERY_DAY, sites)
@example(date.min, "auckland")
@example(date.min, "halifax")
@example(date.max, "auckland")
@example(date.max, "halifax")
@example(date(9999, 12, 30), "halifax")
def test_every_day_of_the_calendar_begins_and_ends(day: date, site: str) -> None:
    zone = ZONES.get(site, UTC)
    assert FIRST_MOMENT <= day_start(day, zone) <= day_end(day, zone) <= LAST_MOMENT
    assert FIRST_MOMENT <= DAYS.earliest_start_of(day) <= DAYS.latest_end_of(day) <= LAST_MOMENT


@given(st.lists(EVERY_DAY, min_size=2, max_size=2))
def test_a_validity_of_days_in_order_holds_time_and_one_of_days_in_the_wrong_order_holds_none(
    given_days: list[date],
) -> None:
    first_day, last_day = given_days
    assert DAYS.is_ever_valid(first_day, last_day) is (first_day <= last_day)
