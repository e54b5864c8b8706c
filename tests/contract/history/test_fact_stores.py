"""SQLite and PostgreSQL keep alerts, corrections and actions alike: one suite, run on both, on real servers."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from msgspec.structs import replace

from anpr.contracts import canary
from anpr.contracts.events import Action, Alert, Correction, encode
from anpr.contracts.site_topics import SiteTopic
from anpr.history.database import Database
from anpr.history.fact import facts_of
from anpr.history.fact_store import FactStore
from anpr.history.recorder import Recorder
from anpr.history.sighting import Source
from anpr.history.sql_tables import FACT_TABLES
from anpr.kafka.interfaces import Record
from tests.support.databases import OpenDatabase
from tests.support.history import EVENING, SITE, TopicInMemory, at
from tests.support.strategies import a_correction, a_read, an_action, an_alert, an_entry

READ = a_read(captured_at=EVENING)
ALERT = an_alert(READ, an_entry())
OTHER = an_alert(a_read("read-2", captured_at=EVENING), an_entry())
CLAIM, OTHER_CLAIM = an_action("1", "claimed", ALERT), an_action("2", "claimed", OTHER)


DAY = timedelta(days=1)

ALERTS, ACTIONS = SiteTopic(SITE, "alerts"), SiteTopic(SITE, "actions")


@pytest.fixture
def database(database_opener: OpenDatabase) -> Database:
    return database_opener(FACT_TABLES)


@pytest.fixture
def store(database: Database) -> FactStore:
    return FactStore(database)


def publish(
    store: FactStore,
    topic: SiteTopic,
    *events: Alert | Correction | Action | bytes,
) -> None:
    values = [event if isinstance(event, bytes) else encode(event) for event in events]
    records = [Record("topic", 0, offset, at(offset), value) for offset, value in enumerate(values)]
    Recorder(TopicInMemory(records, topic.holds), store, partial(facts_of, topic)).run_once(0)


def test_what_was_published_about_a_read_is_found_by_it(store: FactStore) -> None:
    outcome = an_action("2", "outcome", ALERT, outcome="turned_away")
    publish(store, ALERTS, ALERT, OTHER, a_correction(OTHER), ALERT)
    publish(store, ACTIONS, CLAIM, outcome, an_action("3", "seen", OTHER))
    assert [fact.event() for fact in store.alerts_of([READ.identity])] == [ALERT, ALERT], "repeats included"
    assert [fact.event() for fact in store.actions_on([ALERT.alert_id])] == [CLAIM, outcome]
    assert store.alerts_of([a_read("read-3").identity]) == store.actions_on(["another"]) == []
    kinds = [fact.kind for day in store.days() for fact in store.of_day(day)]
    assert sorted(kinds) == ["action"] * 3 + ["alert"] * 3 + ["correction"]


def test_canaries_and_what_is_no_record_are_not_kept_but_read_past(store: FactStore) -> None:
    test_plate = an_alert(canary.read(SITE, EVENING), canary.entry(EVENING))
    publish(store, ALERTS, test_plate, b"not json", b"{}", ALERT)
    publish(store, ACTIONS, b"[]")
    assert store.next_offsets() == {Source("alerts", 0): 4, Source("actions", 0): 1}
    assert [fact.offset for day in store.days() for fact in store.of_day(day)] == [3]


def test_what_boards_refuse_is_not_kept_either(store: FactStore) -> None:
    elsewhere = an_alert(a_read("read-3", site="dover", captured_at=EVENING), an_entry())
    of_another = replace(OTHER, alert_id=ALERT.alert_id)
    publish(store, ALERTS, of_another, elsewhere, a_correction(elsewhere))
    publish(store, ACTIONS, an_action("1", "claimed", ALERT, site="dover"))
    assert [fact for day in store.days() for fact in store.of_day(day)] == []


def test_a_fact_of_an_earlier_version_that_is_refused_now_costs_no_other(store: FactStore) -> None:
    publish(store, ALERTS, ALERT, OTHER)
    refused = encode(replace(OTHER, raised_at=datetime(9999, 12, 31, tzinfo=UTC)))
    kept = [fact for day in store.days() for fact in store.of_day(day)]
    spoilt = [fact._replace(value=refused) if fact.alert_id == OTHER.alert_id else fact for fact in kept]
    assert [fact.event() for fact in spoilt] == [ALERT, None]


def test_records_that_come_again_change_nothing(store: FactStore) -> None:
    for _ in range(2):
        publish(store, ALERTS, ALERT, OTHER)
    assert len(store.alerts_of([READ.identity, OTHER.read.identity])) == 2


def publish_late(store: FactStore, alert: Alert, action: Action, seconds: int = 0) -> None:
    """Publish an alert and an action about it on a day before the newest one of the store."""
    day = EVENING.date() + DAY
    for topic, event in ((ALERTS, alert), (ACTIONS, action)):
        record = Record("topic", 0, 0, at(86_400 + seconds), encode(event))
        topic_id = f"late-{type(event).__name__}-{alert.alert_id}"
        store.add(day, facts_of(topic, [record], topic_id), {Source(topic_id, 0): 1})


def about_both(store: FactStore) -> list[Alert | Correction | Action | None]:
    """Ask about both reads and their alerts, and about hundreds of which nothing is known."""
    others = [an_alert(a_read(f"unknown-{number}"), an_entry()) for number in range(200)]
    asked = [ALERT, OTHER, *others]
    facts = store.alerts_of([one.read.identity for one in asked]) + store.actions_on([one.alert_id for one in asked])
    return [fact.event() for fact in facts]


@pytest.fixture
def asked_before(store: FactStore) -> FactStore:
    """Return a store of three days that was asked about every fact of them."""
    publish_late(store, ALERT, CLAIM)
    store.add(EVENING.date() + 2 * DAY, [], {Source("alerts", 0): 1})
    assert about_both(store) == [ALERT, CLAIM]
    return store


def test_what_another_process_adds_to_an_earlier_day_is_found(asked_before: FactStore, database: Database) -> None:
    publish_late(FactStore(database), OTHER, OTHER_CLAIM, 1)
    assert about_both(asked_before) == [ALERT, OTHER, CLAIM, OTHER_CLAIM]


def test_a_day_that_went_and_came_again_with_other_facts_is_asked_again(asked_before: FactStore) -> None:
    asked_before.drop(EVENING.date() + DAY)
    publish_late(asked_before, OTHER, OTHER_CLAIM)
    assert about_both(asked_before) == [OTHER, OTHER_CLAIM]


def test_nothing_is_known_where_nothing_was_published(store: FactStore) -> None:
    assert about_both(store) == []
