"""Clocks jump both ways, here and at the matchers: no status is hidden, no silence missed, no entry unheard."""

from datetime import datetime, timedelta

import pytest

from anpr.board.board_feed import BoardFeed
from anpr.board.camera_liveness import CameraLiveness
from anpr.board.rates import RecentRates
from anpr.board.site_health import ClockSet
from anpr.board.site_monitor import SiteMonitor
from anpr.board.status_order import TopicPosition
from anpr.contracts import canary, topics
from anpr.contracts.events import Alert, Status, encode
from anpr.kafka.in_memory import InMemoryBroker, InMemoryTail
from anpr.local.processes import wait_until
from anpr.runtime.clock import Clock
from anpr.runtime.settings import Camera, Settings, Site
from tests.support.entries import NoLists
from tests.support.strategies import NOON, a_read, an_alert, an_entry

HOUR = timedelta(hours=1)
JUMPS = pytest.mark.parametrize("jump", [-HOUR, HOUR])
SETTINGS = Settings({"calais": Site("Calais", "memory", "redis://none", (Camera("one", "1", "front"),))})


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def a_status(at: datetime, reads: int = 0, *, partitions: int = 1) -> Status:
    cameras = {"one": at}
    return Status(
        site="calais", matcher="m", at=at, started_at=NOON, reads=reads, cameras=cameras, partitions=partitions
    )


def a_canary(at: datetime) -> Alert:
    return an_alert(canary.read("calais", at), canary.entry(NOON), raised_at=at)


def a_feed(broker: InMemoryBroker, clock: Clock, stopwatch: list[float]) -> BoardFeed:
    return BoardFeed(
        SETTINGS, lambda _, names: InMemoryTail(broker, names), NoLists(), clock, stopwatch=lambda: stopwatch[0]
    )


@JUMPS
def test_the_last_status_on_the_topic_counts_whatever_time_it_names(jump: timedelta) -> None:
    monitor = SiteMonitor(SETTINGS, NOON)
    monitor.note_status(a_status(NOON + jump), NOON, TopicPosition(0, 1, NOON))
    for second in range(1, 6):
        now = NOON + seconds(second)
        monitor.note_status(a_status(now, partitions=0), now, TopicPosition(0, 1 + second, now))
        (health,) = monitor.health(now, lambda _: "")
        assert [status.partitions for status in health.matchers] == [0]


@JUMPS
def test_a_silence_after_this_clock_was_set_is_noticed_as_soon_as_any_other(jump: timedelta) -> None:
    monitor = SiteMonitor(SETTINGS, NOON)
    monitor.note_status(a_status(NOON), NOON, TopicPosition(0, 1, NOON))
    silent_after = SETTINGS.board.silent_after_seconds
    monitor.health(NOON + jump, lambda _: "")
    (health,) = monitor.health(NOON + jump + seconds(silent_after + 1), lambda _: "")
    assert health.is_silent
    now = NOON + jump + seconds(70)
    assert not monitor.health(now, lambda _: "")[0].matchers
    monitor.note_status(a_status(now), now, TopicPosition(0, 2, now))
    assert not monitor.health(now, lambda _: "")[0].is_silent


@JUMPS
def test_a_test_plate_of_a_clock_that_was_wrong_does_not_hide_the_next(jump: timedelta) -> None:
    monitor = SiteMonitor(SETTINGS, NOON)
    monitor.note_canary(a_canary(NOON + jump), NOON)
    monitor.health(NOON + seconds(1), lambda _: "")
    monitor.note_canary(a_canary(NOON + seconds(60)), NOON + seconds(61))
    assert monitor.canaries["calais"].sent_at == NOON + seconds(60)


@JUMPS
def test_a_camera_that_falls_silent_is_found_after_the_clocks_of_its_site_jumped(jump: timedelta) -> None:
    liveness = CameraLiveness(timedelta(minutes=30))
    reads = 0
    for second in range(120):
        reads += 1
        liveness.note_status(a_status(NOON + seconds(second), reads))
    jumped = NOON + jump
    for second in range(3):
        reads += 1
        liveness.note_status(a_status(jumped + seconds(second), reads))
    for second in range(123, 140):
        reads += 1
        liveness.note_status(a_status(NOON + seconds(second), reads))
    now = NOON + seconds(140)
    state = liveness.state("calais", "one", now)
    assert not state.is_silent
    assert state.last_read_at == NOON + seconds(139)
    assert liveness.state("calais", "one", now + timedelta(minutes=31)).is_silent


@JUMPS
def test_reads_a_second_are_known_again_within_an_interval_and_cost_no_memory(jump: timedelta) -> None:
    rates = RecentRates()
    for at in [*range(20), *(jump.total_seconds() + second for second in range(3)), *range(23, 60)]:
        rates.note_status(a_status(NOON + seconds(at), reads=round(at % 3600)))
    assert 0.9 < rates.reads_per_second("calais") < 1.1
    assert sum(map(len, rates._reads.values())) < 20


@JUMPS
def test_entries_are_followed_whatever_the_clock_says(jump: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    broker, now, stopwatch = InMemoryBroker(lambda: NOON), [NOON], [0.0]
    feed = a_feed(broker, lambda: now[0], stopwatch)
    followed: list[object] = []
    monkeypatch.setattr(feed._entry_updates, "follow_entries", followed.append)
    for second in range(5):
        now[0] = NOON + jump * (second == 2) + seconds(second)
        stopwatch[0] += 1
        feed.fold_new_records(0)
        assert len(followed) == second + 1
    assert feed.opened_at <= now[0]


@JUMPS
def test_it_knows_for_an_hour_that_the_clock_was_set(jump: timedelta) -> None:
    broker, wrong_by, stopwatch = InMemoryBroker(lambda: NOON), [timedelta()], [0.0]
    feed = a_feed(broker, lambda: NOON + seconds(stopwatch[0]) + wrong_by[0], stopwatch)
    known = []
    for minute in range(90):
        stopwatch[0], wrong_by[0] = 60.0 * minute, jump * (minute >= 5)
        feed.fold_new_records(0)
        known.append(feed.clock_set())
    assert known[:5] == [None] * 5
    assert known[5] == known[64] == ClockSet(NOON + jump + seconds(300), jump)
    assert known[66:] == [None] * 24


@pytest.mark.parametrize("jump", [-24 * 30 * HOUR, 24 * 30 * HOUR])
def test_a_clock_that_was_wrong_for_a_while_costs_no_incident(jump: timedelta) -> None:
    now, stopwatch = [NOON], [0.0]
    broker = InMemoryBroker(lambda: now[0])
    feed = a_feed(broker, lambda: now[0], stopwatch)
    alert = an_alert(a_read("1", captured_at=NOON), an_entry(), raised_at=NOON)
    feed.start()
    broker.topics[topics.alerts("calais")].append((None, encode(alert), {}, NOON))
    assert wait_until(lambda: feed.fold_new_records(0.01) > 0, 60)
    for minute in range(60):
        wrong_by = jump if 10 < minute < 50 else timedelta()
        now[0], stopwatch[0] = NOON + seconds(60 * minute) + wrong_by, 60.0 * minute
        feed.fold_new_records(0)
    assert [incident.incident_id for incident in feed.board.incidents(now[0])] == [alert.alert_id]
    feed.stop()
