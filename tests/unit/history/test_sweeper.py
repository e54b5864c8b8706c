"""The sweeper lets a day go only while every alert is stored, tells what goes, and says when a day cannot go."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from structlog.testing import capture_logs

from anpr.audit.record import AuditEvent
from anpr.history.database import HistoryUnavailableError
from anpr.history.held_keys import HeldKeys
from anpr.history.retention import DeletedDay, KeptStores
from anpr.history.sweeper import DeletedDaysReport, Sweeper
from anpr.runtime import metrics
from anpr.runtime.errors import UnavailableError
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


class AuditInMemory:
    """An audit chain that a test looks into."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []
        self.refusal = ""

    def append(self, *events: AuditEvent) -> None:
        if self.refusal:
            raise UnavailableError("audit-unavailable", self.refusal, "free space")
        self.events += events

    def erase_until(self, last_day: date) -> int:
        self.erased_until = last_day
        return 0


def sweeper(stores: KeptStores, now: datetime = LATER, audit: AuditInMemory | None = None) -> Sweeper:
    return Sweeper(SITE, RetentionSettings(), stores, audit or AuditInMemory(), lambda: now)


def test_no_day_goes_while_an_alert_may_wait_on_its_topic(stores: KeptStores) -> None:
    sweeper(stores).run_once(is_settled=False)
    assert len(stores.sightings.days()) == 2
    sweeper(stores).run_once(is_settled=True)
    assert stores.sightings.days() == [FIRST_DAY + timedelta(days=1), LATER.date()]


def test_several_days_go_one_at_a_time_so_that_reads_are_stored_in_between(stores: KeptStores) -> None:
    it = sweeper(stores, now=LATER + timedelta(days=1))
    it.run_once(is_settled=True)
    assert len(everything(stores.sightings)) == 1
    it.run_once(is_settled=True)
    assert everything(stores.sightings) == []


def test_the_log_and_the_metrics_say_what_goes_but_nothing_covert() -> None:
    before = metrics.HISTORY_GONE.labels(SITE)._value.get()
    told = DeletedDaysReport(SITE, AuditInMemory())
    with capture_logs() as logs:
        told(DeletedDay("sightings", FIRST_DAY, rows=70, kept=3, kept_covert=2))
    told(DeletedDay("matched-covert", FIRST_DAY, rows=5, covert=True))
    assert [(line["store"], line["day"], line["rows"], line["kept"]) for line in logs] == [
        ("sightings", "2026-11-29", 70, 3)
    ]
    assert metrics.HISTORY_GONE.labels(SITE)._value.get() - before == 70


def test_the_audit_says_what_goes_and_only_those_who_may_learn_what_covert_alerts_keep() -> None:
    audit = AuditInMemory()
    told = DeletedDaysReport(SITE, audit)
    told(DeletedDay("sightings", FIRST_DAY, rows=70, kept=3, kept_covert=2))
    told(DeletedDay("facts", FIRST_DAY, rows=9))
    told(DeletedDay("matched-covert", FIRST_DAY, rows=5, covert=True))
    assert {event.operation for event in audit.events} == {"erasure"}
    assert [(event.covert, event.details) for event in audit.events] == [
        (False, {"store": "sightings", "day": "2026-11-29", "rows": "70", "kept": "3"}),
        (True, {"store": "sightings", "day": "2026-11-29", "kept": "2"}),
        (False, {"store": "facts", "day": "2026-11-29", "rows": "9", "kept": "0"}),
        (True, {"store": "facts", "day": "2026-11-29", "kept": "0"}),
        (True, {"store": "matched-covert", "day": "2026-11-29", "rows": "5", "kept": "0"}),
    ]


def test_a_day_that_cannot_be_recorded_stays_and_is_named(stores: KeptStores) -> None:
    audit = AuditInMemory()
    audit.refusal = "No space left on device"
    it = sweeper(stores, audit=audit)
    it.run_once(is_settled=True)
    [problem] = it.why_not_ready()
    assert "No space left" in problem
    assert len(everything(stores.sightings)) == 3


def test_a_day_that_cannot_go_is_named(stores: KeptStores, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: date) -> None:
        raise HistoryUnavailableError("the history file 20261129.sqlite: Permission denied")

    it = sweeper(stores)
    monkeypatch.setattr(stores.sightings, "drop", refuse)
    it.run_once(is_settled=True)
    [problem] = it.why_not_ready()
    assert "Permission denied" in problem
    assert len(stores.sightings.days()) >= 2


def test_audit_records_go_when_their_own_time_has_come(stores: KeptStores) -> None:
    audit = AuditInMemory()
    sweeper(stores, audit=audit).run_once(is_settled=True)
    assert audit.erased_until == LATER.date() - timedelta(days=731), "the last day that has been over for 730 days"


def test_the_keys_of_closed_days_are_noted_one_day_at_a_time(stores: KeptStores) -> None:
    it = sweeper(stores, now=datetime(2026, 12, 1, 1, tzinfo=UTC))
    for expected in (1, 2, 2):
        it.run_once(is_settled=True)
        assert len(stores.sightings._held_keys.days(date.min, date.max)) == expected


def test_a_day_whose_keys_cannot_be_noted_holds_nothing_up(
    stores: KeptStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HeldKeys, "note", Mock(side_effect=HistoryUnavailableError("disk full")))
    it = sweeper(stores, audit=(audit := AuditInMemory()))
    it.run_once(is_settled=True)
    it.run_once(is_settled=True)
    assert it.why_not_ready() == []
    assert audit.erased_until < LATER.date()
