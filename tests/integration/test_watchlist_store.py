"""The list in Redis: in force all at once, never given out twice, and not mistaken for empty."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from anpr.clock import system_clock
from anpr.errors import AnprError, InputError, UnavailableError
from anpr.events import Entry, Generation
from anpr.local.processes import wait_until
from anpr.local.valkey import ValkeyServer
from anpr.matching.index import Index
from anpr.services.watchlist_follower import WatchlistFollower
from anpr.watchlist import mapped_index
from anpr.watchlist.store import WatchlistStore, connect
from anpr.watchlist.values import CHUNK_ENTRIES, keys_of
from tests.entries import FOR_EVER, entry

KEEP = timedelta(hours=96)


@pytest.fixture
def store(redis_url: str) -> WatchlistStore:
    return WatchlistStore(connect(redis_url), KEEP)


def follower(store: WatchlistStore, folder: Path) -> WatchlistFollower:
    return WatchlistFollower(store, folder / "list.index", 0.02, system_clock)


def plates_of(store: WatchlistStore) -> set[str]:
    head = store.head()
    assert head is not None
    entries = store.load(head)
    assert entries is not None
    return {entry.plate for entry in entries}


def test_applying_a_list_puts_the_whole_of_it_in_force(store: WatchlistStore) -> None:
    assert store.head() is None
    many = [entry(str(number), f"AB{number}") for number in range(CHUNK_ENTRIES * 2 + 1)]
    applied = store.apply("stolen", many, "test", system_clock())
    assert (applied.entries, applied.added, applied.changed, applied.removed) == (len(many), len(many), 0, 0)
    assert plates_of(store) == {one.plate for one in many}


def test_lists_stand_beside_each_other(store: WatchlistStore) -> None:
    store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    store.apply("wanted", [entry("2", "AB2")], "test", system_clock())
    store.apply("stolen", [entry("3", "AB3")], "test", system_clock())
    assert plates_of(store) == {"AB2", "AB3"}


def test_an_id_belongs_to_one_list(store: WatchlistStore) -> None:
    store.apply("stolen", [entry("1", "AB1"), entry("2", "AB2")], "test", system_clock())
    with pytest.raises(InputError, match="'2' among them, are in the list 'stolen'"):
        store.apply("wanted", [entry("2", "AB2"), entry("3", "AB3")], "test", system_clock())
    assert plates_of(store) == {"AB1", "AB2"}


def test_an_entry_that_says_what_it_said_keeps_its_revision(store: WatchlistStore) -> None:
    first = store.apply("stolen", [entry("1", "AB1"), entry("2", "AB2")], "test", system_clock())
    second = store.apply("stolen", [entry("1", "AB1"), entry("2", "AB2", reason="new")], "test", system_clock())
    assert second.generation > first.generation
    assert (second.added, second.changed, second.removed) == (0, 1, 0)
    head = store.head()
    assert head is not None
    revisions = {one.entry_id: one.revision for one in store.load(head) or ()}
    assert revisions == {"1": first.generation, "2": second.generation}


def test_a_removed_entry_leaves_a_tombstone_for_as_long_as_alerts_are_kept(store: WatchlistStore) -> None:
    now = system_clock()
    store.apply("stolen", [entry("1", "AB1"), entry("2", "AB2")], "test", now)
    removal = store.apply("stolen", [entry("2", "AB2")], "recovered", now)
    (ended,) = store.ended(["1", "2", "never listed"])
    assert (ended.entry_id, ended.revision, ended.why) == ("1", removal.generation, "recovered")
    store.apply("stolen", [entry("2", "AB2", reason="new")], "test", now + KEEP + timedelta(seconds=1))
    assert store.ended(["1"]) == []


def test_two_people_who_apply_at_once_do_not_undo_each_other(store: WatchlistStore, redis_url: str) -> None:
    class WhileTheOther(list[Entry]):
        """Entries that somebody else's change comes between the reading and the writing of."""

        def __iter__(self) -> Iterator[Entry]:
            store.apply("stolen", [entry("1", "AB1")], "the other one", system_clock())
            return super().__iter__()

    other = WatchlistStore(connect(redis_url), KEEP)
    with pytest.raises(AnprError, match="somebody else changed the watchlist"):
        other.apply("stolen", WhileTheOther([entry("2", "AB2")]), "test", system_clock())
    assert plates_of(store) == {"AB1"}


def test_a_generation_that_is_not_whole_is_not_taken(store: WatchlistStore, redis_url: str, tmp_path: Path) -> None:
    store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    follows = follower(store, tmp_path)
    follows.follow_once()
    before = follows.held
    store.apply("stolen", [entry("2", "AB2")], "test", system_clock())
    client = redis.Redis.from_url(redis_url)
    head = store.head()
    assert head is not None
    for key in keys_of(head.lists["stolen"]):
        client.set(key, b"\x90")
    follows.follow_once()
    assert follows.held is before
    client.close()


def test_a_home_that_lost_its_newest_changes_gives_no_generation_out_twice(tmp_path: Path) -> None:
    with ValkeyServer(tmp_path / "valkey") as valkey:
        store = WatchlistStore(connect(valkey.url), KEEP)
        before = store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
        valkey.kill()
        valkey.start()  # another replication id, as after a fail-over
        after = store.apply("stolen", [entry("2", "AB2")], "test", system_clock())
    assert after.generation.epoch > before.generation.epoch
    assert after.generation > before.generation


def test_a_new_list_is_followed(store: WatchlistStore, tmp_path: Path) -> None:
    follows = follower(store, tmp_path)
    follows.start()
    assert follows.held is None
    applied = store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    assert wait_until(lambda: follows.held is not None and follows.held.index.generation == applied.generation, 5)
    follows.stop()


def test_an_empty_redis_is_not_taken_for_an_empty_list(tmp_path: Path) -> None:
    with ValkeyServer(tmp_path / "valkey") as valkey:
        store = WatchlistStore(connect(valkey.url), KEEP)
        store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
        follows = follower(store, tmp_path)
        follows.follow_once()
        held = follows.held
        client = redis.Redis.from_url(valkey.url)
        client.flushall()
        client.close()
        follows.follow_once()
        assert held is not None
        assert follows.held is held, "what is held stays, and is not confirmed"


def test_a_replica_behind_its_home_does_not_bring_an_older_list_back(store: WatchlistStore, tmp_path: Path) -> None:
    store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    ahead = Index.build([entry("2", "AB2")], Generation(epoch=2**50, number=1))
    mapped_index.write(tmp_path / "list.index", ahead, FOR_EVER)
    follows = follower(store, tmp_path)
    follows.start()
    follows.follow_once()
    follows.stop()
    assert follows.held is not None
    assert follows.held.index.generation == ahead.generation
    assert follows.held.confirmed_at is None


def test_with_redis_away_a_new_start_goes_on_from_disk(tmp_path: Path) -> None:
    with ValkeyServer(tmp_path / "valkey") as valkey:
        store = WatchlistStore(connect(valkey.url), KEEP)
        applied = store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
        follower(store, tmp_path).follow_once()
        valkey.kill()
        with pytest.raises(UnavailableError, match="does not answer"):
            store.head()
        again = follower(store, tmp_path)
        again.start()
        assert again.held is not None
        assert again.held.index.generation == applied.generation
        assert again.held.confirmed_at is None
        again.stop()
