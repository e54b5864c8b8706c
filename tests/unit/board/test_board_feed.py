"""The feed counts changes, so that pages are only made again when needed, and the records that it can never read."""

from collections.abc import Sequence
from datetime import datetime

from anpr.board.back_checks import BackCheckHealth
from anpr.board.board_feed import BoardFeed
from anpr.board.journeys import ALWAYS, NEVER
from anpr.contracts import topics
from anpr.contracts.events import ArrivalsWatched, BackCheckStatus, Correction, Status, encode
from anpr.kafka.in_memory import InMemoryBroker, InMemoryTail
from anpr.runtime.settings import Camera, Route, Settings, Site
from tests.support.entries import NoLists
from tests.support.strategies import NOON, a_read, an_action, an_alert, an_entry, generation, minutes

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


def test_it_knows_until_when_arrivals_were_met_and_believes_no_clock_that_is_ahead() -> None:
    camera = Camera(name="in-1", lane="1", position="front")
    ferry = Route(origin="calais", destination="dover", by="ferry", crossing_minutes=90)
    sites = {"calais": SETTINGS.sites["calais"], "dover": Site("Dover", "memory", "redis://none", (camera,))}
    broker = InMemoryBroker(lambda: NOON)
    feed = BoardFeed(
        Settings(sites, (ferry,)),
        lambda _, names: InMemoryTail(broker, names),
        NoLists(),
        lambda: NOON,
        with_covert=True,
    )

    def told(until: datetime, topic: str = topics.arrivals("dover")) -> dict[str, datetime]:
        broker.topics[topic].append((None, encode(ArrivalsWatched(site="dover", until=until)), {}, NOON))
        while not feed.fold_new_records(0.01):
            pass
        return feed.site_monitor.watched_until(NOON)

    feed.start()
    try:
        assert feed.site_monitor.watched_until(NOON) == {"dover": NEVER}, "nobody is to meet any at Calais"
        assert told(NOON, topics.covert_arrivals("dover")) == {"dover": NEVER}
        assert told(minutes(-5)) == told(minutes(-9)) == {"dover": minutes(-5)}
        assert told(minutes(-1)) == {"dover": ALWAYS}
        assert told(minutes(30)) == {"dover": ALWAYS}
        assert feed.site_monitor.watched_until(minutes(2)) == {"dover": NOON}
        assert feed.change_count == 0
    finally:
        feed.stop()


def test_it_knows_until_when_newly_listed_vehicles_were_looked_for_and_counts_no_matcher_for_it() -> None:
    broker = InMemoryBroker(lambda: NOON)
    camera = Camera(name="in-1", lane="1", position="front")
    site = Site("Calais", "memory", "redis://none", (camera,), history="http://127.0.0.1:1")
    without_history = Site("Dunkerque", "memory", "redis://none", (camera,))
    settings = Settings({"calais": site, "dunkerque": without_history})
    feed = BoardFeed(settings, lambda _, names: InMemoryTail(broker, names), NoLists(), lambda: NOON)
    status = BackCheckStatus(site="calais", at=NOON, looked_up_to=generation(7), records_left=9, behind_since=NOON)
    feed.start()
    try:
        assert feed.site_monitor.back_check_health(NOON) == {"calais": BackCheckHealth(None, ALWAYS)}
        assert feed.site_monitor.back_check_health(minutes(3)) == {"calais": BackCheckHealth(None, NEVER)}
        broker.topics[topics.status("calais")].append((None, encode(status), {}, NOON))
        while not feed.fold_new_records(0.01):
            pass
        assert feed.site_monitor.back_check_health(NOON) == {"calais": BackCheckHealth(status, ALWAYS)}
        assert feed.site_monitor.back_check_health(minutes(3)) == {"calais": BackCheckHealth(status, NOON)}
        assert [(one.matchers, one.heard_at) for one in feed.health(NOON)] == [((), None)] * 2
        assert not feed.unreadable_records
        assert feed.change_count == 0
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


class AwayTail(InMemoryTail):
    """A broker that cannot be reached."""

    def caught_up(self) -> bool:
        """Return that nobody knows what it holds."""
        return False


def test_a_port_that_cannot_be_reached_makes_no_other_one_look_silent() -> None:
    """The clock of the broker at Calais is a minute behind that of this machine."""
    camera = (Camera(name="in-1", lane="1", position="front"),)
    sites = {
        "calais": Site("Calais", "memory", "redis://none", camera),
        "dunkerque": Site("Dunkerque", "away", "redis://none", camera),
    }
    broker = InMemoryBroker(lambda: minutes(-1))

    def tail(address: str, names: Sequence[str]) -> InMemoryTail:
        return InMemoryTail(broker, names) if address == "memory" else AwayTail(broker, names)

    feed = BoardFeed(Settings(sites), tail, NoLists(), lambda: NOON)
    feed.start()
    try:
        while "calais" in feed.unread_sites():
            feed.fold_new_records(0.01)
        status = Status(site="calais", matcher="m", at=minutes(-1), started_at=minutes(-1), partitions=1)
        broker.topics[topics.status("calais")].append((None, encode(status), {}, minutes(-1)))
        while not feed.fold_new_records(0.01):
            pass
        assert {health.site: health.is_silent for health in feed.health(NOON)} == {"calais": False, "dunkerque": True}
        assert feed.unread_sites() == {"dunkerque"}
        assert not feed.caught_up()
    finally:
        feed.stop()
