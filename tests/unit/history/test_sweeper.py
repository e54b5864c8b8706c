"""The sweeper lets a day go only while every alert is stored, tells what goes, and says when a day cannot go."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from anpr.history.database import HistoryUnavailableError
from anpr.history.retention import DayGone, KeptStores, Retention
from anpr.history.sweeper import GoneDays, Sweeper
from anpr.runtime import metrics
from anpr.runtime.settings import RetentionSettings
from tests.support.history import SITE, everything, read_record, record_all
from tests.support.kept_stores import kept_stores

FIRST_DAY = date(2026, 11, 29)
LATER = datetime(2026, 12, 31, tzinfo=UTC)


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[KeptStores]:
    """Return stores with sightings of two days."""
    stores = kept_stores(tmp_path, "", "")
    record_all(stores.sightings, read_record(0), read_record(1), read_record(2, 5))
    yield stores
    stores.close()


def sweeper(stores: KeptStores, *, is_settled: bool = True, now: datetime = LATER) -> Sweeper:
    retention = Retention(stores, RetentionSettings(), GoneDays(SITE))
    return Sweeper(SITE, retention, lambda: now, is_settled=lambda: is_settled)


def test_no_day_goes_while_an_alert_may_wait_on_its_topic(stores: KeptStores) -> None:
    sweeper(stores, is_settled=False).run_once()
    assert len(stores.sightings.days()) == 2
    sweeper(stores).run_once()
    assert stores.sightings.days() == [FIRST_DAY + timedelta(days=1), LATER.date()]


def test_several_days_go_one_at_a_time_so_that_reads_are_stored_in_between(stores: KeptStores) -> None:
    it = sweeper(stores, now=LATER + timedelta(days=1))
    it.run_once()
    assert len(everything(stores.sightings)) == 1
    it.run_once()
    assert everything(stores.sightings) == []


def test_what_goes_is_in_the_log_and_the_metrics_but_nothing_covert() -> None:
    before = metrics.HISTORY_GONE.labels(SITE)._value.get()
    with capture_logs() as logs:
        GoneDays(SITE)(DayGone(FIRST_DAY, sightings=70, kept=3, kept_covert=2))
    assert logs == [
        {"event": "a day of sightings goes", "log_level": "info", "day": "2026-11-29", "sightings": 70, "kept": 3}
    ]
    assert metrics.HISTORY_GONE.labels(SITE)._value.get() - before == 70


def test_a_day_that_cannot_go_is_named(stores: KeptStores, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: date) -> None:
        raise HistoryUnavailableError("the history file 20261129.sqlite: Permission denied")

    it = sweeper(stores)
    monkeypatch.setattr(stores.sightings, "drop", refuse)
    it.run_once()
    [problem] = it.missing()
    assert "Permission denied" in problem
    assert len(stores.sightings.days()) >= 2
