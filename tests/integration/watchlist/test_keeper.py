"""Entries leave their list when their validity ends, and the texts of removed entries leave Redis."""

import socket
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
import redis
from structlog.testing import capture_logs

from anpr.contracts.local_days import UTC_DAYS, LocalDays
from anpr.local.processes import wait_until
from anpr.local.valkey_server import ValkeyServer
from anpr.runtime.clock import system_clock
from anpr.watchlist.keeper import ListKeeper
from anpr.watchlist.store import list_writer, snapshot_storage, transaction
from anpr.watchlist.store.store import Author, WatchlistStore
from tests.support.entries import entry
from tests.support.installation import Installation
from tests.support.plain_http import NO_CERTIFICATES
from tests.support.servers import Connect

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def store(connected: Connect, redis_url: str) -> WatchlistStore:
    return WatchlistStore(connected(redis_url), timedelta(hours=96))


def ids(store: WatchlistStore) -> set[str]:
    manifest = store.read_manifest()
    assert manifest is not None
    return {one.entry_id for one in store.load(manifest) or ()}


def test_an_entry_leaves_its_list_when_its_validity_ends_and_not_before(store: WatchlistStore) -> None:
    clock = Clock()
    keeper = ListKeeper(store, 72 * HOUR, clock, UTC_DAYS)
    keeper.run_once()  # there is no list yet
    store.apply("stolen", [entry("1", "AB1", valid_until=NOON + HOUR), entry("2", "AB2")], "test", NOON)
    store.apply("wanted", [entry("3", "AB3", valid_until=NOON + HOUR)], "test", NOON)
    clock.now = NOON + HOUR - timedelta(milliseconds=1)
    keeper.run_once()
    assert ids(store) == {"1", "2", "3"}
    clock.now = NOON + HOUR
    keeper.run_once()
    assert ids(store) == {"2"}
    assert {(one.entry_id, one.ended_at, one.why) for one in store.tombstones(["1", "2", "3"])} == {
        ("1", clock.now, "its validity has ended"),
        ("3", clock.now, "its validity has ended"),
    }
    manifest = store.read_manifest()
    keeper.run_once()
    assert store.read_manifest() == manifest, "nothing is done twice"
    assert [one.command for one in store.logged_changes(2)] == ["expire", "expire"]


def test_an_entry_of_days_leaves_its_list_when_its_last_day_is_over_everywhere(
    store: WatchlistStore,
) -> None:
    clock = Clock()
    days = LocalDays({"calais": ZoneInfo("Europe/Paris"), "halifax": ZoneInfo("America/Halifax")})
    keeper = ListKeeper(store, 72 * HOUR, clock, days)
    # It was applied when Calais was the only site. 2 is put when the keeper follows the list already.
    first, second = (
        entry(number, "AB1", valid_until=datetime(2026, 3, 1, 23, tzinfo=UTC), valid_until_day=date(2026, 3, 1))
        for number in ("1", "2")
    )
    store.apply("stolen", [first, entry("3", "AB2")], "test", NOON)
    keeper.run_once()
    store.change("stolen", [second], [], why="test", now=NOON, author=Author())
    clock.now = datetime(2026, 3, 2, 3, 59, 59, tzinfo=UTC)
    keeper.run_once()
    assert ids(store) == {"1", "2", "3"}, "at Halifax it is still 1 March"
    assert "expire" not in {change.command for change in store.logged_changes(9)}
    manifest = store.read_manifest()
    assert manifest is not None
    ends = store.validity_ends(manifest.lists["stolen"], days)
    assert ends is not None
    assert {ends["1"], ends["2"]} == {clock.now + timedelta(seconds=1)}
    assert store.expire("stolen", ["1", "2"], clock.now, days).removed == 0
    clock.now += timedelta(seconds=1)
    keeper.run_once()
    assert ids(store) == {"3"}


def test_an_end_that_was_moved_counts_and_the_old_one_does_not(store: WatchlistStore) -> None:
    clock = Clock()
    keeper = ListKeeper(store, 72 * HOUR, clock, UTC_DAYS)
    store.apply("stolen", [entry("1", "AB1", valid_until=NOON + HOUR), entry("2", "AB2")], "test", NOON)
    keeper.run_once()
    moved = [entry("1", "AB1", valid_until=NOON + 3 * HOUR), entry("2", "AB2", valid_until=NOON + 2 * HOUR)]
    store.change("stolen", moved, [], why="test", now=NOON, author=Author())
    clock.now = NOON + HOUR
    keeper.run_once()
    assert ids(store) == {"1", "2"}
    clock.now = NOON + 2 * HOUR
    keeper.run_once()
    assert ids(store) == {"1"}


def test_an_expiry_does_not_come_between_a_plan_and_its_apply(store: WatchlistStore) -> None:
    clock = Clock()
    store.apply("stolen", [entry("1", "AB1", valid_until=NOON + HOUR), entry("2", "AB2")], "test", NOON)
    manifest = store.read_manifest()
    assert manifest is not None
    clock.now = NOON + HOUR
    ListKeeper(store, 72 * HOUR, clock, UTC_DAYS).run_once()
    after = store.read_manifest()
    assert after is not None
    assert after.generation > manifest.generation
    assert after.lists["stolen"].generation == manifest.lists["stolen"].generation
    assert not store.previous_states("stolen")


def test_while_redis_is_away_the_error_is_logged_once_and_the_keeper_continues(
    connected: Connect, tmp_path: Path
) -> None:
    with ValkeyServer(tmp_path / "valkey") as valkey:
        clock = Clock()
        store = WatchlistStore(connected(valkey.url), timedelta(hours=96))
        store.apply("stolen", [entry("1", "AB1", valid_until=NOON + HOUR), entry("2", "AB2")], "test", NOON)
        keeper = ListKeeper(store, 72 * HOUR, clock, UTC_DAYS)
        clock.now = NOON + HOUR
        valkey.kill()
        with capture_logs() as lines:
            keeper.run_once()
            keeper.run_once()
        assert [line["code"] for line in lines] == ["redis-unavailable"]
        assert "docs/errors.md#redis-unavailable" in keeper.problem
        valkey.start()
        store.apply("stolen", [entry("1", "AB1", valid_until=NOON + HOUR), entry("2", "AB2")], "test", NOON)
        keeper.run_once()
        assert ids(store) == {"2"}
        assert not keeper.problem


def test_a_redis_that_hangs_is_reported_soon_and_the_keeper_is_not_ready_until_it_answers(
    installation: Installation,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        installation.environment["REDIS_URL"] = f"redis://127.0.0.1:{mute.getsockname()[1]}/0"
        installation.start("keep", "watchlist", "keep", "--metrics-port", "0")
        address = installation.health_address("keep")
        first = httpx.get(f"{address}/readyz", timeout=60, verify=NO_CERTIFICATES)
        assert (first.status_code, "answer" in first.text) == (503, True), "never ready before Redis has answered"
        log = installation.folder / "keep.log"
        # A large change is given half a minute.
        assert wait_until(
            lambda: (
                "docs/errors.md#redis-unavailable"
                in httpx.get(f"{address}/readyz", timeout=60, verify=NO_CERTIFICATES).text
            ),
            60,
        )
        assert '"code": "redis-unavailable"' in log.read_text("utf-8")
        assert "next_step" in log.read_text("utf-8")


def test_expired_entries_are_counted_in_the_metrics(installation: Installation) -> None:
    it = installation
    it.store.apply(
        "stolen", [entry("1", "AB1", valid_until=system_clock()), entry("2", "AB2")], "test", system_clock()
    )
    it.start("keep", "watchlist", "keep", "--metrics-port", "0")
    address = it.health_address("keep")
    assert wait_until(
        lambda: (
            "anpr_expired_entries_total 1.0"
            in httpx.get(f"{address}/metrics", timeout=60, verify=NO_CERTIFICATES).text
        ),
        60,
    )
    assert wait_until(
        lambda: httpx.get(f"{address}/readyz", timeout=60, verify=NO_CERTIFICATES).text == "ready\n", 60
    )


def texts_in(redis_url: str) -> bytes:
    with redis.Redis.from_url(redis_url) as client:
        keys = [key for key in client.scan_iter("anpr:watchlist:*") if client.type(key) == b"string"]
        return b"".join(value for value in client.mget(keys) if value)


@pytest.fixture
def is_gone(redis_url: str) -> Callable[[bytes], bool]:
    return lambda text: text not in texts_in(redis_url)


def test_the_text_of_an_entry_that_was_removed_leaves_redis(
    connected: Connect, redis_url: str, is_gone: Callable[[bytes], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (snapshot_storage, transaction):
        monkeypatch.setattr(module, "UNNAMED_VALUES_KEPT_FOR", timedelta(seconds=1))
    store = WatchlistStore(connected(redis_url), timedelta(hours=96), keep_previous_for=timedelta(seconds=1))
    store.apply("stolen", [entry("1", "AB1", reason="the secret"), entry("2", "AB2")], "test", NOON)
    store.change("stolen", [], ["1"], why="test", now=NOON, author=Author())
    assert not is_gone(b"the secret"), "it can be rolled back to"
    clock = Clock()
    keeper = ListKeeper(store, HOUR, clock, UTC_DAYS)
    keeper.run_once()
    assert not is_gone(b"the secret")
    clock.now = NOON + HOUR
    keeper.run_once()
    assert wait_until(lambda: is_gone(b"the secret"), 60)
    assert ids(store) == {"2"}


def test_deltas_that_have_become_large_are_compacted(
    connected: Connect, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (snapshot_storage, list_writer):
        monkeypatch.setattr(module, "CHUNK_ENTRIES", 3)
    store = WatchlistStore(connected(redis_url), timedelta(hours=96))
    store.apply("stolen", [entry(str(number), "AB1") for number in range(9)], "test", NOON)
    keeper = ListKeeper(store, 72 * HOUR, Clock(), UTC_DAYS)

    def changes_beside_the_snapshot(removed: int) -> int:
        store.change("stolen", [], [str(removed)], why="test", now=NOON, author=Author())
        keeper.run_once()
        manifest = store.read_manifest()
        assert manifest is not None
        return sum(delta.entries for delta in manifest.lists["stolen"].deltas)

    assert [changes_beside_the_snapshot(removed) for removed in range(6)] == [1, 2, 3, 0, 1, 2]
    assert ids(store) == {"6", "7", "8"}


def test_a_bounded_number_of_previous_states_is_kept(connected: Connect, redis_url: str) -> None:
    store = WatchlistStore(connected(redis_url), timedelta(hours=96), keep_previous=2)
    for number in range(6):
        store.apply("stolen", [entry("1", "AB1", reason=f"text {number}")], "test", NOON)
    assert len(store.previous_states("stolen")) == 2
    with redis.Redis.from_url(redis_url) as client:
        lasting = [key for key in client.scan_iter("anpr:watchlist:*") if client.ttl(key) == -1]
        hour = [key for key in client.scan_iter("anpr:watchlist:delta:*") if 0 < client.ttl(key) <= 3600]
    lasts = {"head", "log", "news", "index", "plates", "chunk", "the newest delta", "those before it"}
    assert len(lasting) == len(lasts)
    assert hour, "for readers who have just read the old manifest"
