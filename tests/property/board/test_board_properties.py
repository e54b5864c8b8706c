from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from anpr.board.board import Board, Key
from anpr.board.incident import Incident
from anpr.contracts.alert_id import alert_id
from anpr.contracts.events import (
    Action,
    Alert,
    Correction,
    Cover,
    Entry,
    EntryEnded,
    EntryListed,
    Explanation,
    Generation,
    Read,
)
from anpr.contracts.local_days import LocalDays
from tests.support.board_model import (
    ZONES,
    ExpectedIncident,
    Fact,
    OfficerAction,
    add_fact,
    expected,
    last_capture,
    seen,
)
from tests.support.strategies import (
    a_correction,
    a_read,
    an_action,
    an_alert,
    an_arrival,
    an_entry,
    generation,
    minutes,
)

STAY_GAP = timedelta(minutes=30)
WINDOW = timedelta(hours=72)
SITES = ("calais", "dover")
ENTRIES = ("car", "driver", "trailer")
PLATES = ("AB0", "ABO")
OFFICERS = ("Ann", "Bob")
# Minutes after noon. The capture at 25 joins those before and after it. 80 is just near enough to 50; 111 is not near
# enough to 80.
CAPTURES = (0, 25, 50, 80, 111, 140, 171, 300)
TIERS = ("exact", "equivalent", "near", "by the badge")
KINDS = ("live", "late", "retrospective")

NEVER = minutes(10**6)

sites = st.sampled_from(SITES)
entry_ids = st.sampled_from(ENTRIES)
tiers = st.sampled_from(TIERS)
# Below 0.3 an alert calls nobody.
scores = st.sampled_from((0.9, 0.9, 0.2))
outcomes = st.sampled_from((None, "stopped_found", "misread", "same_plate_other_vehicle"))
covers = st.lists(st.builds(Cover, entry_id=entry_ids, tier=tiers), max_size=2).map(tuple)


def new_board() -> Board:
    return Board(STAY_GAP, WINDOW, LocalDays(ZONES))


def board_of(facts: Sequence[Fact]) -> Board:
    board = new_board()
    for fact in facts:
        add_fact(board, fact)
    return board


def some_or_many(facts: st.SearchStrategy[Fact]) -> st.SearchStrategy[list[Fact]]:
    """Return lists of facts: short ones, and ones long enough that facts meet."""
    return st.lists(facts, max_size=6) | st.lists(facts, min_size=12, max_size=30)


# --- any order, any repetition: random facts, even ones that contradict each other ---

# A world so small that facts often concern the same alert, read, entry or action.
# Cameras count their reads alike, and start again: each of these ids names several reads.
few_read_ids = st.integers(0, 2).map("read-{}".format)
few_cameras = st.sampled_from(("camera-1", "camera-2"))
few_entry_ids = st.sampled_from(ENTRIES[:2])
few_days = st.none() | st.sampled_from((date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 2)))
few_sites = st.sampled_from(("calais", "calais", "calais", "dover"))
few_generations = st.integers(1, 2).map(generation)
few_captures = st.sampled_from(CAPTURES[:4]).map(minutes)
few_alert_ids = st.builds(
    lambda site, camera, read_id, captured_at, entry_id: alert_id(
        a_read(read_id, site=site, camera=camera, captured_at=captured_at).identity, entry_id
    ),
    few_sites,
    few_cameras,
    few_read_ids,
    few_captures,
    few_entry_ids,
)
few_action_ids = st.integers(0, 3).map("action-{}".format)


@st.composite
def alerts(draw: st.DrawFn, captured: Sequence[float] | None = None) -> Alert:
    """Return any alert, captured at one of some minutes. Each camera uses its few read ids again and again.

    Without `captured`, some cameras write no capture time, so two captures may be one read.
    """
    minute = draw(st.sampled_from(captured or CAPTURES[:4]))
    given = {} if captured else draw(st.sampled_from(({}, {}, {"claimed_at": ""})))
    read = a_read(
        draw(few_read_ids), site=draw(few_sites), camera=draw(few_cameras), captured_at=minutes(minute), **given
    )
    entry = an_entry(
        draw(few_entry_ids),
        plate=draw(st.sampled_from(PLATES)),
        revision=draw(few_generations),
        priority=draw(st.integers(1, 2)),
        valid_until=draw(st.sampled_from((minutes(40), minutes(400), NEVER))),
        valid_until_day=draw(few_days),
    )
    return an_alert(
        read,
        entry,
        tier=draw(tiers),
        score=draw(scores),
        kind=draw(st.sampled_from((*KINDS, "rumoured", "guessed"))),
        generation=draw(few_generations),
        raised_at=minutes(minute + draw(st.integers(0, 3))),
    )


corrections = st.builds(
    Correction,
    site=few_sites,
    read_id=few_read_ids,
    supersedes=few_read_ids,
    camera=few_cameras,
    captured_at=st.none() | st.builds(minutes, st.sampled_from((-1, 0, 5, 10, 11, 25, 35, 36))),
)
actions = st.builds(
    an_action,
    few_action_ids,
    st.sampled_from(("claimed", "released", "outcome", "retracted", "comment")),
    few_alert_ids,
    site=few_sites,
    officer=st.sampled_from(OFFICERS),
    outcome=outcomes,
    covers=covers,
    retracts=st.none() | few_action_ids,
    holder=st.none() | st.sampled_from(OFFICERS),
    hands_to=st.none() | st.sampled_from(OFFICERS),
)
listed = st.builds(
    EntryListed,
    entry=st.builds(
        an_entry,
        few_entry_ids,
        plate=st.sampled_from(PLATES),
        revision=st.integers(1, 3).map(generation),
        valid_until=st.sampled_from((40, 400)).map(minutes),
        valid_until_day=few_days,
        handling=st.sampled_from(("open", "open", "covert")),
    ),
    generation=st.integers(1, 4).map(generation),
)
ends = st.builds(
    EntryEnded,
    entry_id=few_entry_ids,
    revision=st.integers(1, 3).map(generation),
    ended_at=st.just(minutes(0)),
    why=st.text(),
)
officer_actions = st.builds(OfficerAction, actions, st.integers(0, 5))
arrivals = st.builds(
    an_arrival,
    few_alert_ids,
    st.sampled_from((0, 5, 25)).map(minutes),
    site=few_sites,
    read_id=few_read_ids,
    camera=few_cameras,
    tier=tiers,
)
other_facts: st.SearchStrategy[Fact] = st.one_of(
    corrections, arrivals, officer_actions, officer_actions, ends, listed
)
any_facts = some_or_many(st.one_of(alerts(), alerts(), other_facts))
# Two facts that meet in just the wrong way are rare, and these tests are quick.
thorough = settings(max_examples=4 * settings().max_examples)


@thorough
@given(any_facts, st.data())
def test_the_board_is_the_same_in_any_order_and_with_any_repetition(facts: list[Fact], data: st.DataObject) -> None:
    repeated = data.draw(st.lists(st.sampled_from(facts), max_size=10)) if facts else []
    otherwise = data.draw(st.permutations(facts + repeated))
    now = minutes(data.draw(st.sampled_from((0, 300, 72 * 60, 80 * 60))))
    shown = board_of(facts).incidents(now)
    assert board_of(otherwise).incidents(now) == shown
    assert board_of(facts[::-1]).incidents(now) == shown


GERMAN = tuple(an_entry(plate, plate=plate, country="DE") for plate in ("B-MW 555", "BM-W 555", "BMW555"))


@st.composite
def german_alerts(draw: st.DrawFn) -> list[Alert]:
    """Return the alerts of reads of two vehicles with one text, within one stay: with the gap, and without it."""
    found = []
    for number, (minute, text) in enumerate(
        draw(st.lists(st.tuples(st.integers(0, 29), st.sampled_from([entry.plate for entry in GERMAN])), max_size=6))
    ):
        read = a_read(f"read-{number}", plate=text, captured_at=minutes(minute))
        explanation = Explanation(read_as="BMW555", listed_as="BMW555")
        entries = [entry for entry in GERMAN if text in {entry.plate, "BMW555"} or entry.plate == "BMW555"]
        found += [an_alert(read, entry, plate="BMW555", explanation=explanation) for entry in entries]
    return found


@given(german_alerts(), st.data())
def test_what_is_done_about_one_vehicle_never_settles_another_with_its_text(
    raised: list[Alert], data: st.DataObject
) -> None:
    facts: list[Fact] = [*raised]
    settled = data.draw(st.sampled_from(GERMAN[:2])).plate
    for alert in raised:
        if alert.read.plate == settled:
            covers = tuple(Cover(entry_id=entry.entry_id, tier="exact") for entry in GERMAN)
            for kind in ("claimed", "outcome"):
                action = an_action(f"{kind}-{alert.alert_id}", kind, alert, covers=covers)
                facts.append(OfficerAction(action, len(facts)))
    shown = board_of(data.draw(st.permutations(facts))).incidents(minutes(60))
    assert shown == board_of(facts).incidents(minutes(60))
    assert sorted(alert.alert_id for incident in shown for alert in incident.alerts) == sorted(
        alert.alert_id for alert in raised
    )
    for incident in shown:
        if any(alert.read.plate not in {settled, "BMW555"} for alert in incident.alerts):
            assert (incident.status, incident.holders) == ("open", {})


@thorough
@given(any_facts)
def test_looking_at_the_board_in_between_changes_nothing(facts: list[Fact]) -> None:
    board, watched = new_board(), new_board()
    for fact in facts:
        add_fact(board, fact)
        add_fact(watched, fact)
        watched.incidents(minutes(0))
        watched.entries_named()
    assert watched.incidents(minutes(300)) == board.incidents(minutes(300))


@given(any_facts)
def test_every_alert_is_in_exactly_one_incident_and_its_id_leads_there(facts: list[Fact]) -> None:
    board = board_of(facts)
    incidents = board.incidents(minutes(0))
    members = [alert.alert_id for incident in incidents for alert in incident.alerts]
    assert sorted(members) == sorted({fact.alert_id for fact in facts if isinstance(fact, Alert)})
    for incident in incidents:
        assert {leads_to(board, alert.alert_id) for alert in incident.alerts} == {incident.incident_id}


@given(any_facts)
def test_the_list_is_asked_about_the_entries_that_incidents_name_and_no_others(facts: list[Fact]) -> None:
    board = board_of(facts)
    named: dict[str, set[str]] = {}
    for incident in board.incidents(minutes(0)):
        for alert in incident.alerts:
            named.setdefault(alert.entry.list, set()).add(alert.entry.entry_id)
    assert {name: entries for name, entries in board.entries_named().items() if entries} == named


def leads_to(board: Board, alert_id: str) -> str | None:
    incident = board.incident_of(alert_id, minutes(0))
    return incident.incident_id if incident else None


# --- a crossing: officers there say whether what arrived was another vehicle, about an incident of their own ---

AT_CALAIS = [an_alert(a_read(f"read-{at}", captured_at=minutes(at)), an_entry("car")) for at in (0, 20)]
AT_DOVER = [
    an_alert(a_read(f"read-{at}", site="dover", camera="in-1", captured_at=minutes(at)), an_entry(name), tier=tier)
    for at, name, tier in (
        (95, "car", "exact"),
        (97, "car", "folded"),
        (110, "car", "exact"),
        (110, "driver", "exact"),
        (130, "driver", "exact"),  # without it, the last one is a stay of its own
        (150, "car", "exact"),
    )
]
seen_at_dover = st.sampled_from(AT_DOVER)
arrived_at_dover = st.builds(
    lambda own, expecting: an_arrival(expecting, own.captured_at, read_id=own.read.read_id, tier=own.tier),
    seen_at_dover,
    st.sampled_from(AT_CALAIS),
)
on_screen = st.sampled_from(((), (Cover(entry_id="car", tier="exact"), Cover(entry_id="driver", tier="folded"))))
said_of_arrivals = st.builds(
    lambda number, own, **fields: an_action(f"action-{number}", "outcome", own, **fields),
    st.integers(0, 3),
    seen_at_dover,
    outcome=outcomes,
    covers=on_screen,
    site=st.sampled_from(("dover", "dover", "dover", "calais")),
)


@st.composite
def crossings(draw: st.DrawFn) -> list[Fact]:
    """Return what becomes of a vehicle that crosses, and of what was taken for it, in any order."""
    facts: list[Fact] = [*AT_CALAIS, *draw(st.lists(seen_at_dover, min_size=1, unique=True))]
    facts += draw(st.lists(arrived_at_dover, min_size=1, max_size=4, unique=True))
    facts += [a_correction(own) for own in draw(st.lists(seen_at_dover, max_size=1))]
    said = draw(st.lists(said_of_arrivals, max_size=4, unique_by=lambda action: action.action_id))
    undone = draw(st.lists(st.sampled_from(said), max_size=2, unique=True)) if said else []
    done = said + [
        an_action(f"undo-{one.action_id}", "retracted", one.alert_id, site=one.site, retracts=one.action_id)
        for one in undone
    ]
    facts += [OfficerAction(action, offset) for offset, action in enumerate(done)]
    return draw(st.permutations(facts))


@thorough
@given(crossings(), st.data())
def test_step_by_step_a_board_says_of_a_crossing_what_the_model_and_a_board_built_anew_say(
    facts: list[Fact], data: st.DataObject
) -> None:
    board, now = new_board(), minutes(160)
    changed, known = board.track_changes(), dict[Key, list[Incident]]()
    for number, fact in enumerate(facts, 1):
        add_fact(board, fact)
        incidents = {key: board.incidents_of(key, now) for key in board.keys()}  # noqa: SIM118  a board is no mapping
        unchanged = incidents.keys() - changed
        assert [incidents[key] for key in unchanged] == [known[key] for key in unchanged], "who draws it must know"
        changed.clear()
        known = incidents
        shown = {incident.incident_id: seen(incident) for incident in board.incidents(now)}
        assert shown == {one.incident_id: one for one in expected(facts[:number], STAY_GAP, now)}
    repeated = data.draw(st.lists(st.sampled_from(facts), max_size=5))
    otherwise = board_of(data.draw(st.permutations(facts + repeated)))
    assert otherwise.incidents(now) == board.incidents(now)


# --- forgetting ---

DAY = 24 * 60
OLD_AND_NEW = (0, 25, 50, 1 * DAY, 3 * DAY, 3 * DAY + 20, 5 * DAY, 5 * DAY + 10, 7 * DAY, 7 * DAY + 30)


def list_answers_again(board: Board, facts: Sequence[Fact], entry_id: str) -> None:
    """Tell a board what there was to know about an entry: the list is asked when an alert names it anew.

    A board that has forgotten nothing got that answer at the entry's first alert, so it has to be told it too.
    """
    for fact in facts:
        if isinstance(fact, Alert) and fact.entry.entry_id == entry_id:
            board.add_entry_listed(EntryListed(entry=fact.entry, generation=fact.generation))
        elif (isinstance(fact, EntryListed) and fact.entry.entry_id == entry_id) or (
            isinstance(fact, EntryEnded) and fact.entry_id == entry_id
        ):
            add_fact(board, fact)


def alert_of_the_driver(site: str, day: int, valid_until: datetime) -> Alert:
    read = a_read(site=site, captured_at=minutes(day * DAY))
    return an_alert(read, an_entry("driver", valid_until=valid_until))


@example(
    [alert_of_the_driver("dover", 0, NEVER)], 5 * DAY, [alert_of_the_driver("calais", 3, minutes(40))], 0
)  # what Dover's alert says of the entry counts at Calais once the list has said it
@given(
    some_or_many(alerts(OLD_AND_NEW) | other_facts),
    st.sampled_from((5 * DAY, 6 * DAY + 10, 7 * DAY, 9 * DAY)),
    some_or_many(alerts(OLD_AND_NEW) | other_facts),
    st.integers(0, DAY),
)
def test_forgetting_incidents_out_of_reach_never_changes_the_board(
    before: list[Fact], minute: int, after: list[Fact], later: int
) -> None:
    now = minutes(minute)
    # Even for late reads, the decoder accepts no capture time older than the window.
    in_reach = [fact for fact in after if not isinstance(fact, Alert) or now - fact.captured_at <= WINDOW]
    kept, pruned = board_of(before), board_of(before)
    pruned.incidents(now)
    pruned.prune(now)
    assert pruned.incidents(now) == kept.incidents(now)
    for fact in in_reach:
        add_fact(kept, fact)
        add_fact(pruned, fact)
        if isinstance(fact, Alert):
            for board in (kept, pruned):
                list_answers_again(board, before, fact.entry.entry_id)
        assert pruned.incidents(now) == kept.incidents(now)
    assert pruned.incidents(minutes(minute + later)) == kept.incidents(minutes(minute + later))


@given(some_or_many(alerts(OLD_AND_NEW) | other_facts))
def test_incidents_long_out_of_reach_are_forgotten(facts: list[Fact]) -> None:
    board = board_of(facts)
    board.prune(minutes(20 * DAY))
    for fact in facts:
        if isinstance(fact, Alert):
            assert board.incident_of(fact.alert_id, minutes(0)) is None
    assert board.incidents(minutes(0)) == []
    assert not any(board.entries_named().values()), "the list is not asked about it either"


# --- a realistic world of cameras, list and officers: the board against a model of what officers must see ---

# Each camera starts to count again after three reads.
READ_IDS = ("1", "2", "3")
CAMERAS = ("front", "rear")
read_ids = st.sampled_from(READ_IDS)
cameras = st.sampled_from(CAMERAS)


def the_read(site: str, camera: str, number: int) -> Read:
    """Return the read that a camera makes at a capture time of the world."""
    read_id = READ_IDS[number % len(READ_IDS)]
    return a_read(read_id, site=site, camera=camera, captured_at=minutes(CAPTURES[number]))


numbers_of_reads = st.integers(0, len(CAPTURES) - 1)
alert_ids = st.builds(
    lambda site, camera, number, entry_id: alert_id(the_read(site, camera, number).identity, entry_id),
    sites,
    cameras,
    numbers_of_reads,
    entry_ids,
)


class Shift(RuleBasedStateMachine):
    """A few vehicles at two sites, a list that changes, officers who act, consoles that start again."""

    def __init__(self) -> None:
        super().__init__()
        self.board = new_board()
        self.facts: list[Fact] = []
        self.now = minutes(60)
        self.generation = generation(1)
        # Each entry as listed at each generation; None if it was not listed.
        self.listed: dict[Generation, dict[str, Entry | None]] = {}
        self.raised: dict[tuple[str, Generation], dict[str, Any]] = {}
        self.done: list[Action] = []

    @initialize(plates=st.lists(st.sampled_from(PLATES), min_size=len(ENTRIES), max_size=len(ENTRIES)))
    def the_list_is_loaded(self, plates: list[str]) -> None:
        self.listed[self.generation] = {
            name: an_entry(name, plate=plate, valid_until=NEVER) for name, plate in zip(ENTRIES, plates, strict=True)
        }

    @rule(site=sites, camera=cameras, numbers=st.lists(numbers_of_reads, max_size=4), data=st.data())
    def reads_match(self, site: str, camera: str, numbers: list[int], data: st.DataObject) -> None:
        """Any reads, early or late, once or again."""
        for number in numbers:
            for entry_id in data.draw(st.lists(entry_ids, min_size=1, unique=True)):
                self._a_read_matches(the_read(site, camera, number), entry_id, data)

    def _a_read_matches(self, read: Read, entry_id: str, data: st.DataObject) -> None:
        """Match against the list of any generation so far."""
        matched_with = data.draw(st.sampled_from(sorted(self.listed)))
        entry = self.listed[matched_with][entry_id]
        if entry is None:
            return
        name = alert_id(read.identity, entry_id)
        # One read and one revision of an entry always match at the same tier.
        fixed = self.raised.setdefault((name, entry.revision), {"tier": data.draw(tiers), "score": data.draw(scores)})
        kind = data.draw(st.sampled_from(KINDS))
        self._happens(an_alert(read, entry, kind=kind, generation=matched_with, **fixed))

    @rule(
        site=sites,
        camera=cameras,
        old=read_ids,
        number=numbers_of_reads,
        after=st.sampled_from((-1, 0, 0.1, 10, 11)),
    )
    def a_read_is_corrected(self, site: str, camera: str, old: str, number: int, after: float) -> None:
        """Correct some minutes after a capture, before the read or after it, perhaps a read that never was."""
        captured_at = minutes(CAPTURES[number] + after)
        self._happens(Correction(site=site, read_id="4", supersedes=old, camera=camera, captured_at=captured_at))

    @rule(site=sites, camera=cameras, number=numbers_of_reads, expected=alert_ids, tier=tiers)
    def an_expected_vehicle_is_seen(self, site: str, camera: str, number: int, expected: str, tier: str) -> None:
        """See it before its alert or after it, in a read that may be corrected."""
        read = the_read(site, camera, number)
        self._happens(
            an_arrival(expected, minutes(CAPTURES[number]), site=site, read_id=read.read_id, camera=camera, tier=tier)
        )

    @rule(site=sites, new=read_ids, old=read_ids)
    def a_matcher_of_an_earlier_version_corrects(self, site: str, new: str, old: str) -> None:
        self._happens(Correction(site=site, read_id=new, supersedes=old))

    @rule(
        site=sites, officer=st.sampled_from(OFFICERS), kind=st.sampled_from(("claimed", "released")), data=st.data()
    )
    def an_officer_takes_or_leaves_it(self, site: str, officer: str, kind: str, data: st.DataObject) -> None:
        self._acts(kind, data, site=site, officer=officer)

    @rule(
        site=sites,
        holder=st.none() | st.sampled_from(OFFICERS),
        hands_to=st.none() | st.sampled_from(OFFICERS),
        data=st.data(),
    )
    def it_is_handed_over(self, site: str, holder: str | None, hands_to: str | None, data: st.DataObject) -> None:
        self._acts("released", data, site=site, holder=holder, hands_to=hands_to)

    @rule(site=sites, outcome=outcomes, covers=covers, data=st.data())
    def an_officer_gives_the_outcome(
        self, site: str, outcome: str | None, covers: tuple[Cover, ...], data: st.DataObject
    ) -> None:
        self._acts("outcome", data, site=site, outcome=outcome, covers=covers)

    @rule(site=sites, kind=st.sampled_from(("seen", "plate_check", "comment", "waved at")), data=st.data())
    def an_officer_does_something_else(self, site: str, kind: str, data: st.DataObject) -> None:
        self._acts(kind, data, site=site)

    @rule(site=sites, steps_back=st.integers(-2, 5), data=st.data())
    def an_officer_retracts_something(self, site: str, steps_back: int, data: st.DataObject) -> None:
        """Retract perhaps an action of another site, or one that nobody has done yet."""
        self._acts("retracted", data, site=site, retracts=f"action-{len(self.done) - 1 - steps_back}")

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def an_action_is_delivered_again(self, data: st.DataObject) -> None:
        """Deliver it again at a later offset of the topic, as after a lost acknowledgement."""
        self._happens(OfficerAction(data.draw(st.sampled_from(self.done)), self._next_offset()))

    @rule(entry_id=entry_ids)
    def an_entry_leaves_the_list(self, entry_id: str) -> None:
        self._is_listed(entry_id, None)
        self._happens(EntryEnded(entry_id=entry_id, revision=self.generation, ended_at=self.now, why="found"))

    @rule(
        entry_id=entry_ids,
        plate=st.sampled_from(PLATES),
        end=st.sampled_from((70, 200, 300)) | st.none(),
        last_day=few_days,
        handling=st.sampled_from(("open", "open", "covert")),
    )
    def an_entry_is_listed_or_changed(
        self, entry_id: str, plate: str, end: int | None, last_day: date | None, handling: str
    ) -> None:
        until = NEVER if end is None else minutes(end)
        fields = {"plate": plate, "valid_until": until, "valid_until_day": last_day, "handling": handling}
        self._is_listed(entry_id, an_entry(entry_id, **fields))

    @rule(entry_id=entry_ids, data=st.data())
    def an_entry_is_rolled_back(self, entry_id: str, data: st.DataObject) -> None:
        earlier = data.draw(st.sampled_from([number for number in self.listed if number <= self.generation]))
        if self.listed[earlier][entry_id] is not None:
            self._is_listed(entry_id, self.listed[earlier][entry_id])

    @rule(data=st.data())
    def its_home_fails_over_and_has_lost_the_newest_changes(self, data: st.DataObject) -> None:
        kept = data.draw(st.sampled_from(sorted(self.listed)))
        self.listed[generation(1, self.generation.epoch + 1)] = self.listed[kept]
        self.generation = generation(1, self.generation.epoch + 1)

    @rule(entry_id=entry_ids, data=st.data())
    def the_list_reports_an_entry(self, entry_id: str, data: st.DataObject) -> None:
        """Report it at the present generation, or, from a replica that is behind, at an earlier one."""
        listed_at = data.draw(st.just(self.generation) | st.sampled_from(sorted(self.listed)))
        entry = self.listed[listed_at][entry_id]
        if entry is not None:
            self._happens(EntryListed(entry=entry, generation=listed_at))

    @precondition(lambda self: self.facts)
    @rule(data=st.data())
    def a_record_comes_again(self, data: st.DataObject) -> None:
        add_fact(self.board, data.draw(st.sampled_from(self.facts)))

    @precondition(lambda self: self.facts)
    @rule(data=st.data())
    def the_console_starts_again(self, data: st.DataObject) -> None:
        self.board = board_of(data.draw(st.permutations(self.facts)))

    @rule(minute=st.integers(-DAY, 5 * DAY) | st.sampled_from((69, 70, 199, 250, 300)))
    def the_clock_jumps(self, minute: int) -> None:
        self.now = minutes(minute)

    @invariant()
    def the_board_shows_what_officers_must_see(self) -> None:
        must_see = {incident.incident_id: incident for incident in expected(self.facts, STAY_GAP, self.now)}
        shown = {incident.incident_id: seen(incident) for incident in self.board.incidents(self.now)}
        assert shown == {name: incident for name, incident in must_see.items() if self._is_in_window(incident)}
        for name, incident in must_see.items():
            assert {leads_to(self.board, member) for member in incident.members} == {name}

    @invariant()
    def what_is_open_comes_first(self) -> None:
        still_open = [incident.status == "open" for incident in self.board.incidents(self.now)]
        assert still_open == sorted(still_open, reverse=True)

    def _is_in_window(self, incident: ExpectedIncident) -> bool:
        return self.now - last_capture(incident, self.facts) <= WINDOW

    def _acts(self, kind: str, data: st.DataObject, **fields: Any) -> None:
        """Act on an alert that is on the board, or on any that may still come."""
        known = [fact.alert_id for fact in self.facts if isinstance(fact, Alert)]
        alert = data.draw(st.sampled_from(known) | alert_ids if known else alert_ids)
        action = an_action(f"action-{len(self.done)}", kind, alert, **fields)
        self.done.append(action)
        self._happens(OfficerAction(action, self._next_offset()))

    def _is_listed(self, entry_id: str, entry: Entry | None) -> None:
        after = generation(self.generation.number + 1, self.generation.epoch)
        revised = None if entry is None else msgspec.structs.replace(entry, revision=after)
        self.listed[after] = self.listed[self.generation] | {entry_id: revised}
        self.generation = after

    def _next_offset(self) -> int:
        return sum(isinstance(fact, OfficerAction) for fact in self.facts)

    def _happens(self, fact: Fact) -> None:
        self.facts.append(fact)
        add_fact(self.board, fact)


TestShift = Shift.TestCase
TestShift.settings = settings(stateful_step_count=40, max_examples=2 * settings().max_examples)
