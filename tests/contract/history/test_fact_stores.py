"""SQLite and PostgreSQL keep alerts, corrections and actions alike: one suite, run on both, on real servers."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

import pytest
from msgspec.structs import replace

from anpr.contracts import canary
from anpr.contracts.events import Action, Alert, Correction, encode
from anpr.history.fact import Fact, facts_of_actions, facts_of_alerts
from anpr.history.fact_store import FactStore
from anpr.history.recorder import Recorder
from anpr.history.sighting import Source
from anpr.history.tables import FACT_TABLES
from anpr.kafka.interfaces import Record
from tests.support.databases import OpenDatabase
from tests.support.history import EVENING, SITE, TopicInMemory, at
from tests.support.strategies import a_correction, a_read, an_action, an_alert, an_entry

READ = a_read(captured_at=EVENING)
ALERT = an_alert(READ, an_entry())
OTHER = an_alert(a_read("read-2", captured_at=EVENING), an_entry())


@pytest.fixture
def store(database_opener: OpenDatabase) -> FactStore:
    return FactStore(database_opener(FACT_TABLES))


def publish(
    store: FactStore,
    facts_of: Callable[[str, Sequence[Record], str], list[Fact]],
    *events: Alert | Correction | Action | bytes,
    topic_id: str,
) -> None:
    values = [event if isinstance(event, bytes) else encode(event) for event in events]
    records = [Record("topic", 0, offset, at(offset), value) for offset, value in enumerate(values)]
    Recorder(TopicInMemory(records, topic_id), store, partial(facts_of, SITE)).run_once(0)


def test_what_was_published_about_a_read_is_found_by_it(store: FactStore) -> None:
    claim, outcome = an_action("1", "claimed", ALERT), an_action("2", "outcome", ALERT, outcome="turned_away")
    publish(store, facts_of_alerts, ALERT, OTHER, a_correction(OTHER), ALERT, topic_id="alerts")
    publish(store, facts_of_actions, claim, outcome, an_action("3", "seen", OTHER), topic_id="actions")
    assert [fact.event() for fact in store.alerts_of([READ.identity])] == [ALERT, ALERT], "repeats included"
    assert [fact.event() for fact in store.actions_on([ALERT.alert_id])] == [claim, outcome]
    assert store.alerts_of([a_read("read-3").identity]) == store.actions_on(["another"]) == []
    kinds = [fact.kind for day in store.days() for fact in store.of_day(day)]
    assert sorted(kinds) == ["action"] * 3 + ["alert"] * 3 + ["correction"]


def test_canaries_and_what_is_no_record_are_not_kept_but_read_past(store: FactStore) -> None:
    test_plate = an_alert(canary.read(SITE, EVENING), canary.entry(EVENING))
    publish(store, facts_of_alerts, test_plate, b"not json", b"{}", ALERT, topic_id="alerts")
    publish(store, facts_of_actions, b"[]", topic_id="actions")
    assert store.next_offsets() == {Source("alerts", 0): 4, Source("actions", 0): 1}
    assert [fact.offset for day in store.days() for fact in store.of_day(day)] == [3]


def test_what_boards_refuse_is_not_kept_either(store: FactStore) -> None:
    elsewhere = an_alert(a_read("read-3", site="dover", captured_at=EVENING), an_entry())
    of_another = replace(OTHER, alert_id=ALERT.alert_id)
    publish(store, facts_of_alerts, of_another, elsewhere, a_correction(elsewhere), topic_id="alerts")
    publish(store, facts_of_actions, an_action("1", "claimed", ALERT, site="dover"), topic_id="actions")
    assert [fact for day in store.days() for fact in store.of_day(day)] == []


def test_a_fact_of_an_earlier_version_that_is_refused_now_costs_no_other(store: FactStore) -> None:
    publish(store, facts_of_alerts, ALERT, OTHER, topic_id="alerts")
    refused = encode(replace(OTHER, raised_at=datetime(9999, 12, 31, tzinfo=UTC)))
    kept = [fact for day in store.days() for fact in store.of_day(day)]
    spoilt = [fact._replace(value=refused) if fact.alert_id == OTHER.alert_id else fact for fact in kept]
    assert [fact.event() for fact in spoilt] == [ALERT, None]


def test_records_that_come_again_change_nothing(store: FactStore) -> None:
    for _ in range(2):
        publish(store, facts_of_alerts, ALERT, OTHER, topic_id="alerts")
    assert len(store.alerts_of([READ.identity, OTHER.read.identity])) == 2
