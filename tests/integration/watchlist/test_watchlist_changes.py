"""Any chain of adds, changes and removals leads to the same list as a fresh load, and so do the changes alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from anpr.contracts.events import Entry
from anpr.contracts.local_days import UTC_DAYS
from anpr.local.valkey_server import ValkeyServer
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import InputError
from anpr.watchlist.changes import Changes, apply_changes
from anpr.watchlist.store import list_writer, reader, snapshot_storage
from anpr.watchlist.store.applied_change import AppliedChange
from anpr.watchlist.store.manifest import Manifest
from anpr.watchlist.store.store import Author, WatchlistStore, connect
from tests.support.entries import FOR_EVER, entry

LISTS = st.sampled_from(["stolen", "wanted"])
NUMBERS = st.integers(0, 11)
TEXTS = st.sampled_from(["", "old", "new"])

# The numbers of entries whose validity has ended.
EXPIRED = {"00", "01", "02"}
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

State = dict[str, str]  # entry id → its reason


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchlistStore]:
    with ValkeyServer(tmp_path_factory.mktemp("valkey")) as server, pytest.MonkeyPatch.context() as small:
        # So small that a dozen entries fill several chunks, outgrow deltas, and are too many to compare.
        small.setattr(snapshot_storage, "CHUNK_ENTRIES", 3)
        small.setattr(list_writer, "CHUNK_ENTRIES", 3)
        small.setattr(reader, "COMPARED_ENTRIES", 6)
        with connect(server.url) as client:
            yield WatchlistStore(client, timedelta(hours=96))


def of(name: str, state: State) -> list[Entry]:
    return [
        entry(one, "AB12CDE", reason=text, list=name, valid_until=LONG_AGO if one[-2:] in EXPIRED else FOR_EVER)
        for one, text in state.items()
    ]


def by_id(entries: list[Entry]) -> dict[str, Entry]:
    found = {one.entry_id: one for one in entries}
    assert len(found) == len(entries)
    return found


def set_replication_id(store: WatchlistStore, replication_id: str) -> None:
    """Give the server another replication id, as after a fail-over or a restart."""
    store._redis.info = lambda _: {"master_replid": replication_id}


class Kept(NamedTuple):
    """What the server holds at a generation: each value with the milliseconds left to it, and what the lists are."""

    values: dict[bytes, tuple[bytes, int]]
    holds: dict[str, State]
    previous: dict[str, list[State]]


class Lists(RuleBasedStateMachine):
    """Two lists that are changed in every way, beside what they must hold."""

    store: WatchlistStore

    def __init__(self) -> None:
        super().__init__()
        self.store._redis.flushall()
        self.servers = 0
        self._start_server()
        self.kept: list[Kept] = []
        self.lost: list[tuple[Manifest, dict[str, Entry]]] = []
        self.holds: dict[str, State] = {}
        self.previous: dict[str, list[State]] = {}
        self.seen: list[tuple[Manifest, dict[str, Entry]]] = []

    @rule(name=LISTS, numbers=st.dictionaries(NUMBERS, TEXTS))
    def apply(self, name: str, numbers: dict[int, str]) -> None:
        after = self._free(name, named(name, numbers))
        self._becomes(name, after, self.store.apply(name, of(name, after), "test", system_clock()))

    @rule(name=LISTS, numbers=st.dictionaries(NUMBERS, TEXTS, max_size=2), removed=st.sets(NUMBERS, max_size=3))
    def change(self, name: str, numbers: dict[int, str], removed: set[int]) -> None:
        put = self._free(name, named(name, numbers))
        remove = named(name, dict.fromkeys(removed - numbers.keys(), "")).keys()
        applied = self.store.change(
            name, of(name, put), list(remove), why="test", now=system_clock(), author=Author()
        )
        others = {one: text for one, text in self.holds.get(name, {}).items() if one not in remove}
        self._becomes(name, others | put, applied)

    @rule(name=LISTS)
    def roll_back(self, name: str) -> None:
        if not self.previous.get(name):
            return
        if self._free(name, self.previous[name][-1]) != self.previous[name][-1]:
            with pytest.raises(InputError, match=r"(is|are) in the list"):
                self.store.rollback(name, None, why="test", now=system_clock(), author=Author())
        else:
            applied = self.store.rollback(name, None, why="test", now=system_clock(), author=Author())
            self._becomes(name, self.previous[name][-1], applied)

    @rule(name=LISTS, numbers=st.sets(NUMBERS))
    def expire(self, name: str, numbers: set[int]) -> None:
        if name in self.holds:
            over = named(name, {number: "" for number in numbers if f"{number:02}" in EXPIRED})
            applied = self.store.expire(name, list(named(name, dict.fromkeys(numbers, ""))), system_clock(), UTC_DAYS)
            others = {one: text for one, text in self.holds[name].items() if one not in over}
            self._becomes(name, others, applied, by_person=False)

    @rule(name=LISTS, changes_meanwhile=st.integers(0, 3))
    def compact(self, name: str, changes_meanwhile: int) -> None:
        if name not in self.holds:
            return
        begun = self.seen[-1 - min(changes_meanwhile, len(self.seen) - 1)][0]
        now = self.seen[-1][0].lists[name]
        if name not in begun.lists or begun.lists[name].snapshot != now.snapshot:
            return
        applied = self.store.compact(name, begun, system_clock())
        self._becomes(name, self.holds[name], applied, by_person=False)
        after = self.seen[-1][0].lists[name]
        assert after.snapshot != now.snapshot
        assert all(delta.generation > begun.generation for delta in after.deltas)
        assert self.store.changes(self.seen[-2][0], self.seen[-1][0]) == Changes([], []), (
            "no reader has to load the list for that"
        )

    @rule(lost=st.integers(0, 3))
    def fail_over(self, lost: int) -> None:
        """Another server becomes the home, which may lack the newest changes."""
        self._start_server()
        lost = min(lost, len(self.seen) - 1)
        if lost > 0:
            self.lost += self.seen[-lost:]
            del self.seen[-lost:], self.kept[-lost:]
            kept = self.kept[-1]
            self.holds, self.previous = dict(kept.holds), copied(kept.previous)
            self.store._redis.flushall()
            for key, (value, left_ms) in kept.values.items():
                self.store._redis.restore(key, max(left_ms, 0), value)

    def _start_server(self) -> None:
        self.servers += 1
        set_replication_id(self.store, f"server {self.servers}")

    def _free(self, name: str, state: State) -> State:
        """Leave out the ids that the other list has."""
        others = {one for other, ids in self.holds.items() if other != name for one in ids}
        return {one: text for one, text in state.items() if one not in others}

    def _becomes(self, name: str, after: State, applied: AppliedChange, *, by_person: bool = True) -> None:
        before = self.holds.get(name, {})
        both = before.keys() & after.keys()
        assert (applied.entries, applied.added, applied.changed, applied.removed) == (
            len(after),
            len(after.keys() - before.keys()),
            sum(before[one] != after[one] for one in both),
            len(before.keys() - after.keys()),
        )
        removed = sorted(before.keys() - after.keys())
        ended = [(one.entry_id, one.revision) for one in self.store.tombstones(removed)]
        assert ended == [(entry_id, applied.generation) for entry_id in removed]
        if name in self.holds and by_person:
            self.previous.setdefault(name, []).append(before)
        self.holds[name] = after
        manifest = self.store.read_manifest()
        assert manifest is not None
        assert manifest.generation == applied.generation
        entries = self.store.load(manifest)
        assert entries is not None
        self.seen.append((manifest, by_id(entries)))
        client = self.store._redis
        values = {key: (client.dump(key), client.pttl(key)) for key in client.scan_iter()}
        self.kept.append(Kept(values, dict(self.holds), copied(self.previous)))

    @invariant()
    def a_fresh_load_gives_what_the_lists_hold(self) -> None:
        if not self.seen:
            return
        manifest, entries = self.seen[-1]
        assert {one: listed.reason for one, listed in entries.items()} == {
            one: text for state in self.holds.values() for one, text in state.items()
        }
        for name, state in self.holds.items():
            asked = list(named(name, dict.fromkeys(range(12), "")))
            assert self.store.entries_of(manifest.lists[name], asked) == {one: entries[one] for one in state}
            of_plate = {"AB12CDE": list(state), "AB12CDF": []}
            for plate, ids in of_plate.items():
                found = self.store.entries_with_plate(manifest.lists[name], plate)
                assert by_id(found) == {one: entries[one] for one in ids}
            assert self.store.validity_ends(manifest.lists[name], UTC_DAYS) == {
                one: entries[one].valid_until for one in state
            }

    @invariant()
    def an_entry_that_is_unchanged_keeps_its_revision(self) -> None:
        if len(self.seen) < 2:
            return
        (_, before), (manifest, after) = self.seen[-2:]
        for entry_id, now in after.items():
            was = before.get(entry_id)
            is_as_it_was = was is not None and (was.list, was.reason) == (now.list, now.reason)
            assert (now.revision != manifest.generation) == is_as_it_was

    @invariant()
    def the_changes_lead_from_any_earlier_generation_to_this_one(self) -> None:
        for manifest, had in self.lost + self.seen[:-1]:
            changes = self.store.changes(manifest, self.seen[-1][0])
            if changes is not None:
                assert not set(changes.removed) & {one.entry_id for one in changes.put}
                assert by_id(apply_changes(list(had.values()), changes)) == self.seen[-1][1]

    @invariant()
    def the_changes_of_small_lists_are_always_known(self) -> None:
        sizes = [list_manifest.entries for manifest, _ in self.seen[-2:] for list_manifest in manifest.lists.values()]
        if len(self.seen) > 1 and max(sizes) <= reader.COMPARED_ENTRIES:
            assert self.store.changes(self.seen[-2][0], self.seen[-1][0]) is not None


def copied(previous: dict[str, list[State]]) -> dict[str, list[State]]:
    return {name: list(states) for name, states in previous.items()}


def named(name: str, numbers: dict[int, str]) -> State:
    """Return a state with ids of this list, and two that may move between the lists."""
    return {f"{name if number < 10 else 'either'}-{number:02}": text for number, text in numbers.items()}


def test_any_chain_of_changes_is_the_list_that_a_fresh_load_gives(store: WatchlistStore) -> None:
    class OnThisStore(Lists):
        pass

    OnThisStore.store = store
    run_state_machine_as_test(OnThisStore, settings=settings(stateful_step_count=15))


@pytest.mark.parametrize("before_it", [0, 1, 3])
@pytest.mark.parametrize("since", [1, 3])
def test_the_first_changes_after_a_fail_over_are_known_however_large_the_list(
    store: WatchlistStore, before_it: int, since: int
) -> None:
    def put(number: int) -> Entry:
        changed_to = of("stolen", {f"stolen-{number:02}": "new"})
        store.change("stolen", changed_to, [], why="test", now=system_clock(), author=Author())
        return changed_to[0]

    store._redis.flushall()
    set_replication_id(store, "the server")
    numbers = range(10, 10 + 100 * reader.COMPARED_ENTRIES)
    store.apply("stolen", of("stolen", {f"stolen-{number}": "old" for number in numbers}), "test", system_clock())
    for number in range(before_it):
        put(number)
    before = store.read_manifest()
    set_replication_id(store, "another server")
    changed_ids = [put(number).entry_id for number in range(50, 50 + since)]
    after = store.read_manifest()
    assert before is not None
    assert after is not None
    assert after.generation.epoch > before.generation.epoch
    changes = store.changes(before, after)
    assert changes is not None
    assert ([one.entry_id for one in changes.put], changes.removed) == (changed_ids, [])
