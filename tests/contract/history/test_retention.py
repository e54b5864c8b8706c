"""SQLite and PostgreSQL let days go alike, and keep the sightings of alerts: one suite, run on both."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from anpr.contracts.events import Alert, encode
from anpr.contracts.site_topics import SiteTopic
from anpr.history.database import HistoryUnavailableError
from anpr.history.fact import facts_of
from anpr.history.fact_store import FactStore
from anpr.history.recorder import Recorder
from anpr.history.retention import DeletedDay, KeptStores, Retention
from anpr.history.sighting import Source, sightings_of
from anpr.history.sighting_store import SightingStore
from anpr.kafka.interfaces import Record
from anpr.runtime.settings import RetentionSettings
from tests.support.history import SITE, TopicInMemory, at, everything, read_record, record_all
from tests.support.strategies import an_alert, an_entry

FIRST_DAY = date(2026, 11, 29)
KEPT = RetentionSettings(sightings_days=30, matched_days=100)
DAY_SECONDS = 86_400


def days_after(count: int) -> date:
    return FIRST_DAY + timedelta(days=count)


def sweep(stores: KeptStores, today: date) -> list[DeletedDay]:
    """Sweep until nothing more goes, and return the days of sightings that went."""
    gone: list[DeletedDay] = []
    retention = Retention(stores, KEPT, gone.append)
    while retention.sweep(today):
        pass
    return gone


def alert_about(record: Record, handling: str) -> Alert:
    [sighting] = sightings_of(SITE, [record], "topic-1")
    return an_alert(sighting.read, an_entry(handling, handling=handling))


def publish(store: FactStore, *alerts: Alert, day: int = 0, first_offset: int = 0) -> None:
    records = [
        Record("alerts", 0, first_offset + number, at(day * DAY_SECONDS), encode(alert))
        for number, alert in enumerate(alerts)
    ]
    Recorder(TopicInMemory(records, "alerts-1"), store, partial(facts_of, SiteTopic(SITE, "alerts"))).run_once(0)


RECORDS = [read_record(offset, plate=f"AB1{offset} CDE") for offset in range(5)]
OPEN, COVERT, BOTH, REPEATED = 1, 2, 3, 4


def fill(stores: KeptStores) -> None:
    """Store a day of five reads, of which four have alerts, one a repeat; and a read of the next day."""
    again = read_record(6, 0.5, plate="AB14 CDE", read_id="read-0-4", captured_at=at(0))
    record_all(stores.sightings, *RECORDS, again, read_record(7, 5))
    publish(stores.facts, *(alert_about(RECORDS[number], "open") for number in (OPEN, BOTH, REPEATED)))
    publish(stores.covert_facts, *(alert_about(RECORDS[number], "covert") for number in (COVERT, BOTH)))


def offsets(store: SightingStore) -> list[int]:
    return [sighting.offset for sighting in everything(store)]


def test_a_day_goes_as_a_whole_and_the_sightings_of_alerts_stay(open_stores: Callable[[], KeptStores]) -> None:
    stores = open_stores()
    fill(stores)
    before = {sighting.offset: sighting for sighting in everything(stores.sightings)}
    assert sweep(stores, days_after(30)) == []
    assert sweep(stores, days_after(31)) == [DeletedDay("sightings", FIRST_DAY, rows=6, kept=4, kept_covert=1)]
    assert offsets(stores.sightings) == [7]
    assert everything(stores.matched) == [before[number] for number in (OPEN, BOTH, REPEATED, 6)]
    assert everything(stores.matched_covert) == [before[COVERT]]
    assert sweep(stores, days_after(31)) == []


def test_the_sightings_of_alerts_go_with_their_alerts_when_their_own_time_has_come(
    open_stores: Callable[[], KeptStores],
) -> None:
    stores = open_stores()
    fill(stores)
    sweep(stores, days_after(100))
    assert (len(everything(stores.matched)), len(everything(stores.matched_covert))) == (4, 1)
    assert len(list(stores.facts.of_day(FIRST_DAY))) == 3
    assert sweep(stores, days_after(101)) == [
        DeletedDay("matched", FIRST_DAY, rows=4),
        DeletedDay("matched-covert", FIRST_DAY, rows=1, covert=True),
        DeletedDay("facts", FIRST_DAY, rows=3),
        DeletedDay("facts-covert", FIRST_DAY, rows=2, covert=True),
    ]
    assert everything(stores.matched) == everything(stores.matched_covert) == []
    assert [list(facts.of_day(FIRST_DAY)) for facts in (stores.facts, stores.covert_facts)] == [[], []]


def test_where_to_read_on_stays_known_when_the_day_that_knew_it_goes(open_stores: Callable[[], KeptStores]) -> None:
    stores = open_stores()
    fill(stores)
    record_all(stores.sightings, read_record(0, 0, partition=3))
    known = stores.sightings.next_offsets(), stores.facts.next_offsets()
    assert known[0] == {Source("topic-1", 0): 8, Source("topic-1", 3): 1}
    sweep(stores, days_after(300))
    stores = open_stores()
    assert (stores.sightings.next_offsets(), stores.facts.next_offsets()) == known
    assert everything(stores.sightings) == []


def test_a_day_that_has_gone_can_begin_again_and_goes_again(open_stores: Callable[[], KeptStores]) -> None:
    stores = open_stores()
    fill(stores)
    sweep(stores, days_after(31))
    kept = everything(stores.matched)
    record_all(stores.sightings, *RECORDS)
    assert sweep(stores, days_after(31)) == [DeletedDay("sightings", FIRST_DAY, rows=5, kept=3, kept_covert=1)]
    assert everything(stores.matched) == kept, "nothing is there twice"


def test_an_alert_that_comes_days_after_its_read_keeps_it(open_stores: Callable[[], KeptStores]) -> None:
    stores = open_stores()
    fill(stores)
    publish(stores.facts, alert_about(RECORDS[0], "open"), day=4, first_offset=9)
    sweep(stores, days_after(31))
    assert 0 in offsets(stores.matched)


class CrashError(Exception):
    """The process ends here."""


class CrashesAt:
    """Lets a number of changes of the stores happen, and ends the process before the next one, or after it."""

    def __init__(self, stores: KeptStores, monkeypatch: pytest.MonkeyPatch, step: int, *, is_after: bool) -> None:
        self.steps, self._last, self._is_after = 0, step, is_after
        for store in stores[:5]:
            for change in ("add", "carry_offsets", "drop"):
                monkeypatch.setattr(store, change, self._counted(getattr(store, change)))

    def _counted(self, change: Callable[..., None]) -> Callable[..., None]:
        def counted(*given: Any) -> None:
            self.steps += 1
            if self.steps == self._last and not self._is_after:
                raise CrashError
            change(*given)
            if self.steps == self._last:
                raise CrashError

        return counted


@pytest.mark.parametrize("is_after", [False, True])
def test_a_crash_at_any_step_loses_nothing_and_doubles_nothing(
    open_stores: Callable[[], KeptStores], monkeypatch: pytest.MonkeyPatch, *, is_after: bool
) -> None:
    stores = open_stores()
    fill(stores)
    known = stores.sightings.next_offsets()
    for step in range(1, 6):
        stores = open_stores()
        with monkeypatch.context() as patched:
            CrashesAt(stores, patched, step, is_after=is_after)
            with suppress(CrashError):
                sweep(stores, days_after(31))
        stores = open_stores()
        held = {*offsets(stores.sightings), *offsets(stores.matched), *offsets(stores.matched_covert)}
        assert held >= {OPEN, COVERT, BOTH, REPEATED, 6, 7}, f"step {step}"
        sweep(stores, days_after(31))
        assert offsets(stores.sightings) == [7], f"step {step}"
        assert offsets(stores.matched) == [OPEN, BOTH, REPEATED, 6], f"step {step}"
        assert offsets(stores.matched_covert) == [COVERT], f"step {step}"
        assert stores.sightings.next_offsets() == known
        record_all(stores.sightings, *RECORDS, read_record(6, 0.5, read_id="read-0-4", captured_at=at(0)))


def test_a_day_of_which_nobody_could_be_told_stays(open_stores: Callable[[], KeptStores]) -> None:
    stores = open_stores()
    fill(stores)

    def refuse(gone: DeletedDay) -> None:
        raise HistoryUnavailableError(f"no place for {gone.rows}")

    with pytest.raises(HistoryUnavailableError):
        Retention(stores, KEPT, refuse).sweep(days_after(31))
    assert len(everything(stores.sightings)) == 7
