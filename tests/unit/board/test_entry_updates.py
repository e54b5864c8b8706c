"""A board learns which of its entries have ended or changed, and never waits for the list."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anpr.board.board import Board
from anpr.board.entry_updates import EntryUpdates
from anpr.contracts.events import Entry, EntryEnded, EntryListed, Generation
from anpr.local.processes import wait_until
from anpr.runtime.errors import UnavailableError
from anpr.watchlist.changes import Changes, changes_between
from anpr.watchlist.store.manifest import ListManifest, Manifest, SnapshotRef
from tests.support.strategies import NOON, a_read, an_alert, an_entry, generation, minutes

LISTS = {
    name: ListManifest(generation(1), NOON, 1, SnapshotRef(name, 1, 1, "", ""), NOON) for name in ("stolen", "wanted")
}


GENERATION_0 = generation(0)


@dataclass(frozen=True)
class State:
    """The contents of the watchlist's home at a generation."""

    generation: Generation = GENERATION_0
    entries: Mapping[str, Entry] = field(default_factory=dict)
    tombstones: Mapping[str, EntryEnded] = field(default_factory=dict)


@dataclass
class Home:
    """The watchlist's home with its history. It answers when `answering` is set, and first raises `failures`."""

    states: list[State] = field(default_factory=lambda: [State()])
    shows: int = -1
    gives_changes: bool = True
    failures: list[Exception] = field(default_factory=list)
    asked: list[list[str]] = field(default_factory=list)
    answering: threading.Event = field(default_factory=threading.Event)

    def lists(self, *entries: Entry) -> None:
        """Activate a generation with exactly these entries."""
        before = self.states[-1]
        self._holds(entries, generation(before.generation.number + 1, before.generation.epoch), before)

    def has_lost(self, changes: int) -> None:
        """Fail over without the newest `changes`, then apply another."""
        kept = self.states[max(1, len(self.states) - 1 - changes)]
        self._holds(list(kept.entries.values()), generation(1, self.states[-1].generation.epoch + 1), kept)

    def _holds(self, entries: Sequence[Entry], number: Generation, before: State) -> None:
        changes = changes_between(before.entries, entries, number)
        put = {entry.entry_id: entry for entry in changes.put}
        kept = {entry.entry_id: before.entries.get(entry.entry_id, entry) for entry in entries}
        ends = {one: EntryEnded(entry_id=one, revision=number, ended_at=NOON, why="found") for one in changes.removed}
        self.states.append(State(number, kept | put, {**before.tombstones, **ends}))

    def read_manifest(self) -> Manifest | None:
        self.answering.wait(120)
        if self.failures:
            raise self.failures.pop()
        shown = self.states[self.shows].generation
        return Manifest(shown, NOON, "id", LISTS) if shown.number else None

    def changes(self, before: Manifest, after: Manifest) -> Changes | None:
        if not self.gives_changes:
            return None
        (old, new) = (
            next(state.entries for state in self.states if state.generation == head.generation)
            for head in (before, after)
        )
        return Changes([e for e in new.values() if old.get(e.entry_id) != e], [one for one in old if one not in new])

    def entries_of(self, list_manifest: ListManifest | None, entry_ids: Sequence[str]) -> dict[str, Entry]:
        assert list_manifest is not None
        listed = self.states[-1].entries
        return {one: listed[one] for one in entry_ids if one in listed and list_manifest == LISTS[listed[one].list]}

    def tombstones(self, entry_ids: Sequence[str]) -> list[EntryEnded]:
        self.asked.append(list(entry_ids))
        tombstones = self.states[-1].tombstones
        return [tombstones[one] for one in entry_ids if one in tombstones]


@pytest.fixture
def home() -> Home:
    home = Home()
    home.answering.set()
    return home


@pytest.fixture
def updates(home: Home) -> Iterator[EntryUpdates]:
    updates = EntryUpdates(home, poll_seconds=0.01)
    yield updates
    updates.stop()


def shows(updates: EntryUpdates, *entry_ids: str) -> None:
    updates.follow_entries({"stolen": entry_ids})


def new_in(updates: EntryUpdates) -> list[tuple[str, int, datetime | None]]:
    """Return the new updates: the entry, its generation, and the end of its validity (None: it has ended)."""
    return [
        (update.entry.entry_id, update.entry.revision.number, update.entry.valid_until)
        if isinstance(update, EntryListed)
        else (update.entry_id, update.revision.number, None)
        for update in updates.new_updates()
    ]


def test_an_entry_that_comes_onto_the_board_is_asked_for_once(home: Home, updates: EntryUpdates) -> None:
    home.lists(an_entry("a", valid_until=minutes(5)), an_entry("b"))
    home.lists(an_entry("a", valid_until=minutes(5)))
    shows(updates, "a", "b")
    updates.poll_list()
    assert new_in(updates) == [("a", 1, minutes(5)), ("b", 2, None)]
    updates.poll_list()
    shows(updates, "a", "b")
    updates.poll_list()
    assert new_in(updates) == []
    assert home.asked == [["a", "b"]]


@pytest.mark.parametrize("gives_changes", [True, False], ids=["a small change", "a whole new list"])
def test_each_change_of_a_shown_entry_is_reported_and_no_other(
    home: Home, updates: EntryUpdates, *, gives_changes: bool
) -> None:
    home.gives_changes = gives_changes
    home.lists(an_entry("a", valid_until=minutes(5)), an_entry("b"), an_entry("c"))
    shows(updates, "a", "b")
    updates.poll_list()
    updates.new_updates()
    home.lists(an_entry("a", valid_until=minutes(50)), an_entry("c", valid_until=minutes(50)))
    updates.poll_list()
    assert sorted(new_in(updates), key=str) == [("a", 2, minutes(50)), ("b", 2, None)]


def test_an_end_is_reported_even_if_the_entry_was_listed_again_before_the_next_poll(
    home: Home, updates: EntryUpdates
) -> None:
    home.lists(an_entry("a"))
    shows(updates, "a")
    updates.poll_list()
    updates.new_updates()
    home.lists()
    home.lists(an_entry("a", valid_until=minutes(50)))
    updates.poll_list()
    assert new_in(updates) == [("a", 3, minutes(50)), ("a", 2, None)]


def test_a_replica_that_is_behind_is_ignored(home: Home, updates: EntryUpdates) -> None:
    home.lists(an_entry("a"))
    home.lists()
    shows(updates, "a")
    updates.poll_list()
    updates.new_updates()
    home.shows = 1
    updates.poll_list()
    assert new_in(updates) == []
    assert len(home.asked) == 1


def test_an_empty_home_reports_nothing(home: Home, updates: EntryUpdates) -> None:
    shows(updates, "a")
    updates.poll_list()
    assert (new_in(updates), home.asked) == ([], [])


def test_while_the_home_of_the_watchlist_is_silent_the_board_continues(home: Home, updates: EntryUpdates) -> None:
    home.lists(an_entry("a"))
    home.answering.clear()
    updates.start()
    shows(updates, "a")
    assert new_in(updates) == []
    home.answering.set()
    assert wait_until(lambda: bool(new_in(updates)), 60)


@pytest.mark.parametrize("failure", [UnavailableError("redis-unavailable", "away", "wait"), ValueError("not JSON")])
def test_a_request_that_failed_is_made_again(home: Home, updates: EntryUpdates, failure: Exception) -> None:
    home.lists(an_entry("a"))
    home.failures = [failure]
    shows(updates, "a")
    updates.start()
    assert wait_until(lambda: bool(new_in(updates)), 60)


# --- boards that were opened at different times ---

ids = st.sampled_from("ab")
lists = st.sampled_from(list(LISTS))
Step = list[Entry] | int | None


def steps(plates: Sequence[str], *others: st.SearchStrategy[int]) -> st.SearchStrategy[list[Step]]:
    """Return steps: all entries that are listed now, how many changes a fail-over loses, None for a poll."""
    entries = st.builds(an_entry, ids, list=lists, plate=st.sampled_from(plates))
    whole = st.lists(entries, max_size=2, unique_by=lambda entry: entry.entry_id)
    return st.lists(st.one_of(whole, st.none(), *others), max_size=12)


class OpenBoard:
    """A board with an alert of each entry of the first generation, and the updates that it has received."""

    def __init__(self, home: Home) -> None:
        self._board = Board(timedelta(minutes=30), timedelta(hours=72))
        self._updates = EntryUpdates(home)
        for entry in home.states[1].entries.values():
            self._board.add_alert(an_alert(a_read(f"read of {entry.entry_id}"), entry))
        self._updates.follow_entries(self._board.entries_named())

    def poll(self) -> set[str]:
        """Poll the list, and return the entries whose alerts stand then."""
        self._updates.poll_list()
        for update in self._updates.new_updates():
            if isinstance(update, EntryListed):
                self._board.add_entry_listed(update)
            else:
                self._board.add_entry_ended(update)
        return {alert.entry.entry_id for incident in self._board.incidents(minutes(1)) for alert in incident.standing}


@given(happens=steps(["AB12CDE", "AB12CDF"]) | steps(["AB12CDE"], st.integers(0, 3)), gives_changes=st.booleans())
def test_an_entrys_alerts_stand_while_it_is_listed_whenever_the_board_was_opened(
    happens: list[Step], *, gives_changes: bool
) -> None:
    home = Home(gives_changes=gives_changes)
    home.answering.set()
    at_first = {entry_id: an_entry(entry_id, plate="AB12CDE") for entry_id in "ab"}
    home.lists(*at_first.values())
    all_the_time = OpenBoard(home)
    for step in happens:
        if isinstance(step, int):
            home.has_lost(step)
        elif step is not None:
            stay = {(entry.entry_id, entry.list) for entry in step}
            before = home.states[-1].entries.values()
            home.lists(*(entry for entry in before if (entry.entry_id, entry.list) in stay))
            home.lists(*step)  # an id is on one list at a time
        else:
            all_the_time.poll()
    stands, of_new_board = all_the_time.poll(), OpenBoard(home).poll()
    now = home.states[-1].entries
    assert {one for one, entry in now.items() if entry.plate == at_first[one].plate} <= of_new_board <= now.keys()
    if any(isinstance(step, int) for step in happens):
        # A board may show an entry that was listed and lost until it is opened again. It never hides a listed entry.
        assert stands >= of_new_board
    else:
        assert stands == of_new_board
