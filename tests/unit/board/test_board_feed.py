"""The feed counts changes, so that pages are only made again when needed, and the records that it can never read."""

from anpr.board.board_feed import BoardFeed
from anpr.contracts import topics
from anpr.contracts.events import Correction, Status, encode
from anpr.kafka.in_memory import InMemoryBroker, InMemoryTail
from anpr.runtime.settings import Settings, Site
from tests.support.entries import NoLists
from tests.support.strategies import NOON, a_read, an_action, an_alert, an_entry

# On 1 March at noon UTC it is 2 March there.
AUCKLAND = Site("Auckland", "memory", "redis://none", time_zone="Pacific/Auckland")
SETTINGS = Settings({"calais": Site("Calais", "memory", "redis://none")})


def test_it_counts_facts_that_may_change_an_incident_and_not_the_status_of_matchers() -> None:
    broker = InMemoryBroker(lambda: NOON)
    feed = BoardFeed(SETTINGS, lambda _, names: InMemoryTail(broker, names), NoLists(), lambda: NOON)
    feed.start()

    def changes_after(topic: str, record: object) -> int:
        broker.topics[topic].append((None, encode(record), {}, NOON))
        while not feed.fold_new_records(0.01):
            pass
        return feed.change_count

    alert = an_alert(a_read(), an_entry())
    try:
        assert (
            changes_after(topics.status("calais"), Status(site="calais", matcher="m", at=NOON, started_at=NOON)) == 0
        )
        assert changes_after(topics.alerts("calais"), alert) == 1
        assert changes_after(topics.alerts("calais"), Correction(site="calais", read_id="b", supersedes="a")) == 2
        assert changes_after(topics.actions("calais"), an_action("a", "claimed", alert)) == 3
    finally:
        feed.stop()


def test_it_counts_records_that_were_deleted_before_it_had_read_them_and_none_that_were_gone_at_its_start() -> None:
    broker = InMemoryBroker(lambda: NOON)
    alerts, status = topics.alerts("calais"), topics.status("calais")
    value = {
        alerts: encode(an_alert(a_read(), an_entry())),
        status: encode(Status(site="calais", matcher="m", at=NOON, started_at=NOON)),
    }
    feed = BoardFeed(SETTINGS, lambda _, names: InMemoryTail(broker, names), NoLists(), lambda: NOON)

    def put(topic: str, *, deleted: int) -> None:
        """Put some records on a topic, of which the broker deletes the first ones before anybody can read them."""
        broker.log_start[topic] = len(broker.topics[topic]) + deleted
        broker.topics[topic] += [(None, value[topic], {}, NOON)] * (deleted + 1)

    def fold(count: int) -> None:
        while count:
            count -= feed.fold_new_records(0.01)

    put(alerts, deleted=4)
    put(status, deleted=4)
    feed.start()
    try:
        fold(2)
        assert not feed.missed_records
        put(alerts, deleted=3)
        put(status, deleted=3)
        fold(2)
        assert feed.missed_records == {alerts: 3}
    finally:
        feed.stop()


def test_the_boards_count_days_by_the_clock_of_each_site() -> None:
    broker = InMemoryBroker(lambda: NOON)
    settings = Settings({"calais": SETTINGS.sites["calais"], "auckland": AUCKLAND})
    feed = BoardFeed(
        settings, lambda _, names: InMemoryTail(broker, names), NoLists(), lambda: NOON, with_covert=True
    )
    entry = an_entry(valid_until_day=NOON.date())
    for site in settings.sites:
        alert = an_alert(a_read(site=site, captured_at=NOON), entry)
        broker.topics[topics.alerts(site)].append((None, encode(alert), {}, NOON))
    feed.start()
    try:
        while not feed.caught_up():
            feed.fold_new_records(0.01)
    finally:
        feed.stop()
    assert feed.whole_board is not None
    for board in (feed.board, feed.whole_board):
        states = {incident.site: incident.status for incident in board.incidents(NOON)}
        assert states == {"calais": "open", "auckland": "withdrawn"}
