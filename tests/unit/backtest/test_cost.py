"""The alerts of a list are counted over the time that the reads cover, whatever the calendar says."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from anpr.backtest.cost_estimate import estimate_cost
from anpr.contracts.local_days import UTC_DAYS
from anpr.watchlist.alert_cost import Cost
from tests.support.strategies import an_entry

NIGHT = datetime(2026, 3, 1, 21, tzinfo=UTC)


def cost_of(lines: list[bytes]) -> tuple[Cost, list[int]]:
    refused: list[int] = []
    found = estimate_cost(
        [an_entry(plate="AB12CDE")],
        lines,
        timedelta(seconds=60),
        UTC_DAYS,
        on_progress=lambda: None,
        on_bad_read=lambda number, _: refused.append(number),
    )
    return found, refused


def alerting(*hours: float) -> list[bytes]:
    """Return a read of the listed plate so many hours after the beginning of the night."""
    captured_at = [(NIGHT + timedelta(hours=hour)).isoformat() for hour in hours]
    read = {"site": "calais", "plate": "AB12CDE", "camera": "c"}
    return [json.dumps(read | {"read_id": f"{n}", "captured_at": at}).encode() for n, at in enumerate(captured_at)]


@pytest.mark.parametrize(
    ("hours", "covered_hours", "alerts_a_day"),
    [
        ((0, 6), 6, 8),  # a night over midnight is a quarter of a day, not two days
        ((0, 1), 1, 48),
        ((48, 24, 0), 48, 1.5),  # in any order
        ((0, 0.001), 0.001, 48),  # one vehicle within seconds is not thousands a day
        ((0,), 0, 24),
    ],
)
def test_alerts_a_day_are_those_of_the_time_between_the_first_and_the_last_capture(
    hours: tuple[float, ...], covered_hours: float, alerts_a_day: float
) -> None:
    found, _ = cost_of(alerting(*hours))
    assert found.covered == pytest.approx(timedelta(hours=covered_hours), abs=timedelta(milliseconds=1))
    assert (found.alerts, found.alerts_a_day) == (len(hours), alerts_a_day)


def test_lines_that_are_not_reads_are_reported_by_their_number_and_cover_no_time() -> None:
    found, refused = cost_of([b"?", *alerting(0, 24), b"", b'{"read_id": "x"}'])
    assert refused == [1, 5]
    assert (found.reads, found.reads_refused, found.alerts_a_day) == (2, 2, 2)


def test_without_reads_there_are_no_alerts() -> None:
    found, _ = cost_of([])
    assert (found.alerts_a_day, found.covered) == (0, timedelta(0))
