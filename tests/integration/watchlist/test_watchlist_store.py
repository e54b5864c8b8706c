"""A list in Redis is applied all at once, and no generation is given out twice."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis

from anpr.contracts.events import Entry, Generation
from anpr.contracts.local_days import UTC_DAYS
from anpr.local.processes import wait_until
from anpr.local.valkey_server import ValkeyServer
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import AnprError, InputError, UnavailableError
from anpr.watchlist.keeper import ListKeeper
from anpr.watchlist.store import keys
from anpr.watchlist.store.keys import keys_of, parts_of
from anpr.watchlist.store.manifest import CameraCalibration
from anpr.watchlist.store.reader import WatchlistReader
from anpr.watchlist.store.snapshot_storage import CHUNK_ENTRIES
from anpr.watchlist.store.store import Author, WatchlistStore
from tests.support.calibrations import OFTEN_UNSURE
from tests.support.entries import entry
from tests.support.servers import Connect

KEEP = timedelta(hours=96)


@pytest.fixture
def store(connected: Connect, redis_url: str) -> WatchlistStore:
    return WatchlistStore(connected(redis_url), KEEP)


def plates_of(store: WatchlistStore) -> set[str]:
    manifest = store.read_manifest()
    assert manifest is not None
    entries = store.load(manifest)
    assert entries is not None
    return {entry.plate for entry in entries}


def test_applying_a_list_activates_all_of_it(store: WatchlistStore) -> None:
    assert store.read_manifest() is None
    many = [entry(str(number), f"AB{number}") for number in range(CHUNK_ENTRIES * 2 + 1)]
    applied = store.apply("stolen", many, "test", system_clock())
    assert (applied.entries, applied.added, applied.changed, applied.removed) == (len(many), len(many), 0, 0)
    assert plates_of(store) == {one.plate for one in many}


def test_a_reader_that_waits_for_a_change_is_told_of_each_once(connected: Connect, redis_url: str) -> None:
    store = WatchlistStore(connected(redis_url), KEEP)
    reader = WatchlistReader(connected(redis_url, timeout_seconds=90))
    with ThreadPoolExecutor(1) as pool:
        for change in range(3):
            waiting = pool.submit(reader.wait_for_change, 20)
            store.apply("stolen", [entry(str(change), "AB12CDE")], "test", system_clock())
            assert waiting.result(), "it waited for 20 s and was not told"
    assert not reader.wait_for_change(0.01), "nothing has changed since"


def test_the_entries_of_a_plate_are_found_however_it_is_written(store: WatchlistStore) -> None:
    plates = ["AB12CDE", "ab 12-cde", "AB12CDF", "AB1?CDE", "AB1*CDE", "ÉB12CDE", "A" * 20, "A" * 21, "OB12CDE"]
    others = [entry(f"other {number}", f"XY{number}") for number in range(2 * CHUNK_ENTRIES)]
    store.apply("stolen", [*others, *(entry(plate, plate) for plate in plates)], "test", system_clock())
    author = Author()
    store.change("stolen", [entry("new", "AB12 cde")], ["AB12CDE"], why="test", now=system_clock(), author=author)
    manifest = store.read_manifest()
    assert manifest is not None

    def found(plate: str) -> list[str]:
        return sorted(one.entry_id for one in store.entries_with_plate(manifest.lists["stolen"], plate))

    assert found("Ab12 CdE") == ["ab 12-cde", "new"]
    assert [found(plate) for plate in plates[2:]] == [[plate] for plate in plates[2:]]
    assert found("EB 12 CDE") == ["ÉB12CDE"]
    assert found("0B12CDE") == [], "a removal takes exactly the plate that was named, no look-alike"
    assert found("xy7") == ["other 7"]


def test_a_change_of_one_list_leaves_the_others(store: WatchlistStore) -> None:
    store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    store.apply("wanted", [entry("2", "AB2")], "test", system_clock())
    store.apply("stolen", [entry("3", "AB3")], "test", system_clock())
    assert plates_of(store) == {"AB2", "AB3"}


def test_an_id_belongs_to_one_list(store: WatchlistStore) -> None:
    store.apply("stolen", [entry("1", "AB1"), entry("2", "AB2")], "test", system_clock())
    with pytest.raises(InputError, match="'2' among them, is in the list 'stolen'"):
        store.apply("wanted", [entry("2", "AB2"), entry("3", "AB3")], "test", system_clock())
    assert plates_of(store) == {"AB1", "AB2"}


def test_an_entry_that_moved_to_another_list_stays_when_the_first_list_changes_again(store: WatchlistStore) -> None:
    store.apply("wanted", [entry("1", "AB1"), entry("2", "AB2")], "test", system_clock())
    store.change("wanted", [], ["1"], why="test", now=system_clock(), author=Author())
    store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    before = store.read_manifest()
    for one in (entry("3", "AB3"), entry("4", "AB4")):
        store.change("wanted", [one], [], why="test", now=system_clock(), author=Author())
    after = store.read_manifest()
    assert before is not None
    assert after is not None
    changes = store.changes(before, after)
    assert changes is not None
    assert ([one.entry_id for one in changes.put], changes.removed) == (["3", "4"], [])


def test_an_entry_that_is_applied_again_unchanged_keeps_its_revision(store: WatchlistStore) -> None:
    first = store.apply("stolen", [entry("1", "AB1"), entry("2", "AB2")], "test", system_clock())
    second = store.apply("stolen", [entry("1", "AB1"), entry("2", "AB2", reason="new")], "test", system_clock())
    assert second.generation > first.generation
    assert (second.added, second.changed, second.removed) == (0, 1, 0)
    manifest = store.read_manifest()
    assert manifest is not None
    revisions = {one.entry_id: one.revision for one in store.load(manifest) or ()}
    assert revisions == {"1": first.generation, "2": second.generation}


def test_a_removed_entry_leaves_a_tombstone_for_as_long_as_alerts_are_kept(store: WatchlistStore) -> None:
    now = system_clock()
    store.apply("stolen", [entry("1", "AB1"), entry("2", "AB2")], "test", now)
    removal = store.apply("stolen", [entry("2", "AB2")], "recovered", now)
    (ended,) = store.tombstones(["1", "2", "never listed"])
    assert (ended.entry_id, ended.revision, ended.why) == ("1", removal.generation, "recovered")
    store.apply("stolen", [entry("2", "AB2", reason="new")], "test", now + KEEP + timedelta(seconds=1))
    assert store.tombstones(["1"]) == []


def test_two_people_who_apply_at_once_do_not_undo_each_other(
    connected: Connect, store: WatchlistStore, redis_url: str
) -> None:
    class WhileTheOther(list[Entry]):
        """Entries that somebody else's change comes between reading and writing."""

        def __iter__(self) -> Iterator[Entry]:
            store.apply("stolen", [entry("1", "AB1")], "the other one", system_clock())
            return super().__iter__()

    other = WatchlistStore(connected(redis_url), KEEP)
    with pytest.raises(AnprError, match="somebody else changed the watchlist"):
        other.apply("stolen", WhileTheOther([entry("2", "AB2")]), "test", system_clock())
    assert plates_of(store) == {"AB1"}


def test_an_expiry_at_the_same_time_costs_nobody_their_change(
    connected: Connect, store: WatchlistStore, redis_url: str
) -> None:
    now = system_clock()
    over = entry("2", "AB2", valid_until=now)
    store.apply("stolen", [entry("1", "AB1"), over], "test", now)

    class WhileEntriesExpire(list[Entry]):
        def __iter__(self) -> Iterator[Entry]:
            if "AB2" in plates_of(store):
                store.expire("stolen", ["2"], now, UTC_DAYS)
            return super().__iter__()

    other = WatchlistStore(connected(redis_url), KEEP)
    applied = other.apply("stolen", WhileEntriesExpire([entry("3", "AB3")]), "test", now)
    assert (applied.added, applied.removed) == (1, 1)
    assert [(one.command, one.removed) for one in store.logged_changes(2)] == [("apply", 1), ("expire", 1)]
    assert plates_of(store) == {"AB3"}


@pytest.fixture
def pause(redis_url: str) -> Iterator[Callable[[str, int], None]]:
    """Return a function that makes Redis answer nobody, or no write, for some seconds. Nobody can end the first."""
    with redis.Redis.from_url(redis_url) as client:
        yield lambda what, seconds: client.execute_command("CLIENT", "PAUSE", seconds * 1000, what)
        client.execute_command("CLIENT", "UNPAUSE")


def test_a_redis_that_answers_slowly_is_reported_in_words(
    connected: Connect, store: WatchlistStore, redis_url: str, pause: Callable[[str, int], None]
) -> None:
    applied = store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    manifest = store.read_manifest()
    assert manifest is not None
    slow = WatchlistStore(connected(redis_url, timeout_seconds=0.2), KEEP)
    pause("ALL", 6)
    asks: list[Callable[[], object]] = [
        slow.read_manifest,
        lambda: slow.load(manifest),
        lambda: slow.tombstones(["1"]),
        lambda: slow.logged_changes(1),
        lambda: slow.apply("stolen", [entry("2", "AB2")], "test", system_clock()),
    ]
    for ask in asks:
        with pytest.raises(UnavailableError, match="does not answer"):
            ask()
    assert wait_until(lambda: generation_of(store) == applied.generation, 60)
    assert plates_of(store) == {"AB1"}


def test_a_change_that_redis_does_not_answer_is_whole_or_not_there(
    connected: Connect, store: WatchlistStore, redis_url: str, pause: Callable[[str, int], None]
) -> None:
    store.apply("stolen", [entry("1", "AB1"), entry("2", "AB2")], "test", system_clock())
    pause("WRITE", 60)
    slow = WatchlistStore(connected(redis_url, timeout_seconds=2), KEEP)
    with pytest.raises(UnavailableError, match="either all of the change is active or none") as unknown:
        slow.change("stolen", [entry("3", "AB3")], ["1"], why="test", now=system_clock(), author=Author())
    assert "anpr watchlist show" in unknown.value.next_step
    assert plates_of(store) in ({"AB1", "AB2"}, {"AB2", "AB3"})


def generation_of(store: WatchlistStore) -> Generation | None:
    try:
        manifest = store.read_manifest()
    except UnavailableError:
        return None
    return manifest.generation if manifest else None


def test_a_manifest_of_another_version_is_refused_in_words(store: WatchlistStore, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set(keys.MANIFEST, b'{"generation": {"epoch": 1, "number": 1}, "lists": {"stolen": {}}}')
    with pytest.raises(AnprError, match="written by another version"):
        store.read_manifest()


def test_a_list_that_is_not_whole_is_not_changed(store: WatchlistStore, redis_url: str) -> None:
    store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    manifest = store.read_manifest()
    assert manifest is not None
    with redis.Redis.from_url(redis_url) as client:
        client.delete(*keys_of(parts_of(manifest.lists["stolen"])))
    with pytest.raises(AnprError, match="is not whole"):
        store.apply("stolen", [entry("2", "AB2")], "test", system_clock())
    with pytest.raises(AnprError, match="is not whole"):
        store.change("stolen", [entry("2", "AB2")], [], why="test", now=system_clock(), author=Author())
    assert store.read_manifest() == manifest


def test_a_home_that_lost_its_newest_changes_gives_no_generation_out_twice(
    connected: Connect, tmp_path: Path
) -> None:
    with ValkeyServer(tmp_path / "valkey") as valkey:
        store = WatchlistStore(connected(valkey.url), KEEP)
        before = store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
        valkey.kill()
        valkey.start()  # another replication id, as after a fail-over
        after = store.apply("stolen", [entry("2", "AB2")], "test", system_clock())
    assert after.generation.epoch > before.generation.epoch
    assert after.generation > before.generation


@pytest.mark.parametrize("owner", ["", "lists.stolen.", "lists.stolen.base.", "calibrations.0."])
def test_what_a_newer_version_wrote_is_never_dropped_by_a_change(
    connected: Connect, redis_url: str, store: WatchlistStore, owner: str
) -> None:
    now, by = system_clock(), Author()
    calibration = CameraCalibration.of("calais", "front", OFTEN_UNSURE, now, now)
    store.apply("stolen", [entry("1", "AB1")], "test", now)
    store.apply("stolen", [entry("1", "AB1"), entry("2", "AB2")], "test", now)
    store.calibrate([calibration], why="test", now=now, author=by)
    client: Any = connected(redis_url)
    stored = json.loads(client.get(keys.MANIFEST))
    at = stored
    for name in owner.split(".")[:-1]:
        at = at[int(name) if name.isdigit() else name]
    at["of_tomorrow"] = {"any": 1}
    client.set(keys.MANIFEST, newer := json.dumps(stored).encode())

    manifest = store.read_manifest()
    assert manifest is not None, "it can still be read"
    changes: list[Callable[[], object]] = [
        lambda: store.apply("wanted", [entry("3", "AB3")], "test", now),
        lambda: store.change("stolen", [], ["1"], why="test", now=now, author=by),
        lambda: store.rollback("stolen", None, why="test", now=now, author=by),
        lambda: store.expire("stolen", ["1"], now, UTC_DAYS),
        lambda: store.compact("stolen", manifest, now),
        lambda: store.calibrate([calibration], why="test", now=now, author=by),
    ]
    for change in changes:
        with pytest.raises(AnprError, match=f"would drop {owner}of_tomorrow; nothing was changed") as refused:
            change()
        assert refused.value.code == "watchlist-newer-version"
    keeper = ListKeeper(store, KEEP, system_clock, UTC_DAYS)
    keeper.run_once()
    assert "watchlist-newer-version" in keeper.problem
    assert client.get(keys.MANIFEST) == newer


@pytest.mark.parametrize(
    ("refuse", "reason"),
    [
        (("CONFIG", "SET", "maxmemory", "1"), "command not allowed when used memory > 'maxmemory'."),
        (("REPLICAOF", "127.0.0.1", "1"), "You can't write against a read only replica."),
    ],
)
def test_a_redis_that_refuses_a_change_is_not_said_to_be_away(
    connected: Connect, tmp_path: Path, refuse: tuple[str, ...], reason: str
) -> None:
    """Whoever looks for a network fault meanwhile lists no vehicle. What was to be written is not in the message."""
    now, by = system_clock(), Author()
    with ValkeyServer(tmp_path / "valkey") as valkey:
        client: Any = connected(valkey.url)
        store = WatchlistStore(client, KEEP)
        store.apply("stolen", [entry("1", "AB1")], "test", now)
        before = store.read_manifest()
        client.execute_command(*refuse)
        calibration = CameraCalibration.of("calais", "front", OFTEN_UNSURE, now, now)
        changes: list[Callable[[], object]] = [
            lambda: store.apply("stolen", [entry("2", "AB2")], "test", now),
            lambda: store.change("stolen", [entry("2", "AB2")], ["1"], why="test", now=now, author=by),
            lambda: store.calibrate([calibration], why="test", now=now, author=by),
        ]
        for change in changes:
            with pytest.raises(UnavailableError) as refused:
                change()
            assert str(refused.value) == f"the watchlist's Redis refuses this: {reason}"
            assert refused.value.code == "redis-refused"
        assert store.read_manifest() == before
