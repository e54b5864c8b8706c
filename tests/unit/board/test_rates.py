from datetime import datetime, timedelta
from typing import Any

import pytest

from anpr.board.rates import RecentRates, percentile
from anpr.contracts.events import Alert, Status
from tests.support.strategies import NOON, a_read, an_alert, an_entry


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def a_status(seconds: float, reads: int, **fields: Any) -> Status:
    """Return the status of a matcher at Calais so many seconds after noon, with the fields given."""
    given: dict[str, Any] = {"site": "calais", "matcher": "one", "started_at": NOON}
    return Status(at=at(seconds), reads=reads, **(given | fields))


def rates_of(*statuses: Status) -> RecentRates:
    rates = RecentRates()
    for status in statuses:
        rates.note_status(status)
    return rates


# --- reads a second ---


def test_the_rate_is_that_between_the_first_and_the_last_status() -> None:
    assert rates_of(a_status(0, 100), a_status(1, 103), a_status(4, 120)).reads_per_second("calais") == 5


def test_one_status_alone_makes_no_rate() -> None:
    assert rates_of(a_status(0, 100)).reads_per_second("calais") == 0
    assert RecentRates().reads_per_second("calais") == 0


def test_a_status_older_than_ten_seconds_does_not_count() -> None:
    assert rates_of(a_status(0, 0), a_status(5, 1000), a_status(15, 1020)).reads_per_second("calais") == 2


def test_the_matchers_of_a_site_add_up_and_those_of_others_do_not() -> None:
    rates = rates_of(
        a_status(0, 0),
        a_status(0, 0, matcher="two"),
        a_status(0, 0, site="dunkerque"),
        a_status(2, 20),
        a_status(2, 10, matcher="two"),
        a_status(2, 2, site="dunkerque"),
    )
    assert rates.reads_per_second("calais") == 15
    assert rates.reads_per_second("dunkerque") == 1


def test_a_restarted_matcher_counts_from_0_and_never_backwards() -> None:
    again = {"started_at": at(2)}
    rates = rates_of(a_status(1, 5000), a_status(2, 0, **again))
    assert rates.reads_per_second("calais") == 0
    rates.note_status(a_status(4, 20, **again))
    assert rates.reads_per_second("calais") == 10


def test_a_matcher_that_is_gone_is_forgotten_when_another_reports_ten_seconds_later() -> None:
    rates = rates_of(a_status(0, 0), a_status(1, 50), a_status(11, 0, site="dunkerque"))
    assert rates.reads_per_second("calais") == 50
    rates.note_status(a_status(11.001, 0, site="dunkerque"))
    assert rates.reads_per_second("calais") == 0


# --- latencies ---


def an_alert_after(seconds: float, **fields: Any) -> Alert:
    return an_alert(a_read(**fields), an_entry(), raised_at=at(seconds))


def test_latencies_run_from_the_capture_to_the_alert_and_to_this_board() -> None:
    rates = RecentRates()
    rates.note_alert(an_alert_after(0.25), at(0.5))
    assert list(rates.raised_seconds("calais")) == [0.25]
    assert list(rates.shown_seconds("calais")) == [0.5]
    assert not rates.raised_seconds("dunkerque")
    assert not rates.shown_seconds("dunkerque")


@pytest.mark.parametrize(
    "alert",
    [
        an_alert(a_read(), an_entry(), kind="late"),
        an_alert(a_read(), an_entry(), kind="retrospective"),
        an_alert(a_read(clock_suspect=True), an_entry()),
    ],
    ids=["late", "retrospective", "a clock not to be trusted"],
)
def test_an_alert_that_does_not_measure_the_systems_speed_is_left_out(alert: Alert) -> None:
    rates = RecentRates()
    rates.note_alert(alert, at(1))
    assert not rates.raised_seconds("calais")
    assert not rates.shown_seconds("calais")


def test_only_the_newest_thousand_latencies_of_a_site_are_kept() -> None:
    rates = RecentRates()
    for number in range(1001):
        rates.note_alert(an_alert_after(number), at(number))
    assert list(rates.raised_seconds("calais")) == list(range(1, 1001))
    assert list(rates.shown_seconds("calais")) == list(range(1, 1001))


# --- percentiles ---


@pytest.mark.parametrize("count", [1, 2, 3, 10, 99, 100, 101])
@pytest.mark.parametrize("share", [0, 0.5, 0.95, 0.99, 1])
def test_a_percentile_is_not_exceeded_by_its_share_of_the_values(count: int, share: float) -> None:
    values = [float(number) for number in reversed(range(count))]
    found = percentile(values, share)
    assert found in values
    not_above = sum(value <= found for value in values)
    assert share <= not_above / count <= share + 1 / count


def test_no_values_have_no_percentile() -> None:
    assert percentile([], 0.5) is None


def test_the_percentile_of_all_values_is_the_greatest() -> None:
    assert percentile([3, 1, 2], 1) == 3
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile([3, 1, 2], 0) == 1
