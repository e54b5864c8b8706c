"""Random journeys: who is met, due or overdue at Dover equals a plain reference, and covert ones stay covert."""

import math
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import example, given
from hypothesis import strategies as st

from anpr.arrivals.arrival_watch import AddressedArrival, ArrivalWatch
from anpr.board.board import Board
from anpr.board.journeys import ALWAYS, arrival_state, arrivals
from anpr.contracts.events import Action, Alert, Arrival, Candidate, Correction, Read
from anpr.history.sighting import Sighting, Source
from anpr.matching.read_keys import read_keys
from anpr.runtime.settings import Route
from tests.support.strategies import a_read, an_action, an_alert, an_entry, minutes

GAP_MINUTES, OVERDUE_MINUTES = 30, 60
ROUTES = {
    "calais": Route(origin="calais", destination="dover", by="ferry", crossing_minutes=90, wait_minutes=36),
    "dunkerque": Route(origin="dunkerque", destination="dover", by="ferry", crossing_minutes=120, wait_minutes=120),
    "coquelles": Route(origin="coquelles", destination="dover", by="road", crossing_minutes=40),
}
# No two are near each other for the engine.
PLATES = ("AB12CDE", "KR77XYW")
# After these outcomes a vehicle comes all the same.
COMES = ("handed_to_uk_port", "passed_before_ack")
Fact = Alert | Correction | Action | Arrival
OUTCOMES = (*COMES, "turned_away", "stopped_found")


class Pass(NamedTuple):
    """A pass at a port before the crossing: the minute, and whether the entry that it matched is covert."""

    plate: str
    site: str
    minute: int
    is_covert: bool

    def alert(self) -> Alert:
        handling = "covert" if self.is_covert else "open"
        read = a_read(
            f"{self.plate}-{self.minute}", site=self.site, plate=self.plate, captured_at=minutes(self.minute)
        )
        return an_alert(read, an_entry(f"{self.plate}-{handling}", plate=self.plate, handling=handling))


class Seen(NamedTuple):
    """A read at Dover: of a vehicle that drives off or leaves, and perhaps replaced by another read."""

    plate: str
    minute: int
    direction: str | None
    is_superseded: bool

    def read(self) -> Read:
        return a_read(
            f"in-{self.plate}-{self.minute}",
            site="dover",
            camera="in-1",
            lane="2",
            plate=self.plate,
            direction=self.direction,
            captured_at=minutes(self.minute),
        )


class World(NamedTuple):
    """What happened. `claimed` and `outcomes` belong to the vehicle's first pass at Calais, if it has one."""

    passes: tuple[Pass, ...]
    seen: tuple[Seen, ...]
    claimed: frozenset[str]
    outcomes: dict[str, str]
    now: int


passes = st.builds(
    Pass,
    st.sampled_from(PLATES),
    st.sampled_from(("calais", "calais", "dunkerque", "coquelles")),
    st.sampled_from((0, 10, 40, 75)),
    st.booleans(),
)
sightings_at_dover = st.builds(
    Seen,
    st.sampled_from(PLATES),
    st.sampled_from((20, 44, 45, 60, 95, 130, 186, 187, 260, 300)),
    st.sampled_from(("uk_bound", None, "uk_bound", "fr_bound")),
    st.sampled_from((False, False, True)),
)
worlds = st.builds(
    World,
    st.lists(passes, min_size=1, max_size=6, unique_by=lambda one: (one.plate, one.minute)).map(tuple),
    st.lists(sightings_at_dover, min_size=2, max_size=6, unique_by=lambda one: (one.plate, one.minute)).map(tuple),
    st.frozensets(st.sampled_from(PLATES)),
    st.dictionaries(st.sampled_from(PLATES), st.sampled_from(OUTCOMES), max_size=1),
    st.sampled_from((100, 127, 186, 187, 260, 320, 30)),
)

# --- the reference: minutes, lists and plain rules ---

# A plate, the port that it comes from, what became of it, and the minute at which it was seen.
Outcome = tuple[str, str, str, int | None]


def reference(world: World, *, covert: bool) -> set[Outcome]:
    """Return what the boards show of the vehicles that come by ship: everybody's, or those with covert ones."""
    shown = set()
    known = [one for one in world.passes if covert or not one.is_covert]
    for plate in PLATES:
        for site, crossing, wait in (("calais", 90, 36), ("dunkerque", 120, 120)):
            of_plate = [one for one in known if (one.plate, one.site) == (plate, site)]
            for stay in stays(sorted(one.minute for one in of_plate)):
                is_first = covers_first(world, plate, site, stay, covert=covert)
                outcome = world.outcomes.get(plate) if is_first else None
                if outcome is not None and outcome not in COMES:
                    continue
                earliest = stay[-1] + crossing
                until = earliest + wait + OVERDUE_MINUTES
                is_claimed = is_first and plate in world.claimed
                passed_again = expected_again_from(stay, of_plate, crossing / 2)
                seen = [
                    one.minute
                    for one in world.seen
                    if one.plate == plate
                    and one.direction != "fr_bound"
                    and not one.is_superseded
                    and stay[-1] + crossing / 2 <= one.minute <= world.now
                    and one.minute < passed_again
                    and (is_claimed or one.minute <= until)
                ]
                if not is_claimed and (world.now > until or (not seen and world.now >= passed_again)):
                    continue
                state = "met" if seen else "overdue" if world.now > earliest + wait else "due"
                shown.add((plate, site, state, min(seen, default=None)))
    return shown


def expected_again_from(stay: Sequence[int], of_plate: Sequence[Pass], fastest: float) -> float:
    """Return the minute from which the vehicle is seen as of a later stay, by all the entries that it had in this."""
    handlings = {one.is_covert for one in of_plate if one.minute in stay}
    return min(
        (
            later[-1] + fastest
            for later in stays(sorted(one.minute for one in of_plate))
            if later[0] > stay[-1] and handlings <= {one.is_covert for one in of_plate if one.minute in later}
        ),
        default=math.inf,
    )


def stays(captures: Sequence[int]) -> Iterator[list[int]]:
    stay: list[int] = []
    for minute in captures:
        if stay and minute - stay[-1] > GAP_MINUTES:
            yield stay
            stay = []
        stay.append(minute)
    if stay:
        yield stay


def covers_first(world: World, plate: str, site: str, stay: Sequence[int], *, covert: bool) -> bool:
    """Tell whether the officers' actions are on this stay. They name its first pass, and cover all its entries."""
    first = first_pass(world, plate)
    return first is not None and site == "calais" and first.minute in stay and (covert or not first.is_covert)


def first_pass(world: World, plate: str) -> Pass | None:
    at_calais = [one for one in world.passes if (one.plate, one.site) == (plate, "calais")]
    return min(at_calais, key=lambda one: one.minute, default=None)


# --- the system ---


class InMemorySightings:
    """The sightings of Dover, found by the keys under which history files them."""

    def __init__(self, reads: Sequence[Read]) -> None:
        self._reads = reads

    def with_keys(self, keys: Collection[str], since: datetime, until: datetime) -> Iterator[Sighting]:
        for offset, (read, of_read) in enumerate(zip(self._reads, read_keys(self._reads), strict=True)):
            arrived_at = read.captured_at or datetime.min.replace(tzinfo=UTC)
            if set(keys) & set(of_read) and since <= arrived_at < until:
                yield Sighting(Source("topic", 0), offset, arrived_at, read)


def passed_and_done(world: World, *, covert: bool) -> list[Fact]:
    """Return the alerts and what officers did, with the covert ones or without."""
    known = [one for one in world.passes if covert or not one.is_covert]
    facts: list[Fact] = [one.alert() for one in known]
    for plate in PLATES:
        first = first_pass(world, plate)
        if first is None or first not in known:
            continue
        if plate in world.claimed:
            facts.append(an_action(f"claim-{plate}", "claimed", first.alert(), site="dover"))
        if plate in world.outcomes:
            of_stay = [one for one in known if in_stay_of(first, one, known)]
            facts += [
                an_action(f"outcome-{plate}-{one.minute}", "outcome", one.alert(), outcome=world.outcomes[plate])
                for one in of_stay
            ]
    return facts


def corrections(world: World) -> list[Correction]:
    return [
        Correction(
            site="dover",
            read_id="better",
            supersedes=one.read().read_id,
            camera="in-1",
            captured_at=minutes(one.minute),
        )
        for one in world.seen
        if one.is_superseded
    ]


def facts_of(world: World, *, covert: bool) -> list[Fact]:
    """Return what the topics hold, with the covert ones or without."""
    return [*passed_and_done(world, covert=covert), *corrections(world)]


def in_stay_of(first: Pass, one: Pass, known: Sequence[Pass]) -> bool:
    if (one.plate, one.site) != (first.plate, first.site):
        return False
    captures = sorted(other.minute for other in known if (other.plate, other.site) == (first.plate, first.site))
    stay = next(stay for stay in stays(captures) if first.minute in stay)
    return one.minute in stay


def board_of(facts: Sequence[Fact]) -> Board:
    board = Board(timedelta(minutes=GAP_MINUTES), timedelta(hours=72))
    add_facts(board, facts)
    return board


def add_facts(board: Board, facts: Sequence[Fact]) -> None:
    for offset, fact in enumerate(facts):
        if isinstance(fact, Alert):
            board.add_alert(fact)
        elif isinstance(fact, Correction):
            board.add_correction(fact)
        elif isinstance(fact, Arrival):
            board.add_arrival(fact)
        else:
            board.add_action(fact, offset)


def watch_once(world: World, open_board: Board, whole_board: Board, now: int) -> list[AddressedArrival]:
    """Let the watch look once, at what history has by then."""
    reads = [one.read() for one in world.seen if one.minute <= now]
    published: list[AddressedArrival] = []
    watch = ArrivalWatch("dover", ROUTES, sightings=InMemorySightings(reads), publish=published.extend)
    found = watch.publish_new_arrivals(open_board, whole_board, minutes(now))
    assert found == published, "what is on the boards has been published"
    return found


def states(board: Board, now: int) -> set[Outcome]:
    found = set[Outcome]()
    for incident, concern in arrivals(board.incidents(minutes(now)), "dover", ROUTES, minutes(now)):
        state = arrival_state(concern, minutes(now), ALWAYS)
        seen_at = round((concern.met.captured_at - minutes(0)).total_seconds() / 60) if concern.met else None
        found.add((incident.plate, incident.site, state, seen_at))
    return found


@given(worlds)
def test_who_is_met_due_or_overdue_is_what_the_reference_says(world: World) -> None:
    open_board, whole_board = (board_of(facts_of(world, covert=covert)) for covert in (False, True))
    watch_once(world, open_board, whole_board, world.now)
    assert states(open_board, world.now) == reference(world, covert=False)
    assert states(whole_board, world.now) == reference(world, covert=True)


@given(worlds, st.lists(st.sampled_from((46, 90, 131, 200)), max_size=3), st.sets(st.integers(0, 5), max_size=3))
def test_it_does_not_matter_when_the_watch_looks_or_a_pass_is_known_or_a_board_is_opened(
    world: World, looks: list[int], known_late: set[int]
) -> None:
    late = {one.alert().alert_id for number, one in enumerate(world.passes) if number in known_late}
    boards = [board_of([]), board_of([])]
    known_later: list[list[Fact]] = []
    for covert, board in zip((False, True), boards, strict=True):
        done = passed_and_done(world, covert=covert)
        is_late = [isinstance(fact, Alert) and fact.alert_id in late for fact in done]
        add_facts(board, [fact for fact, comes_late in zip(done, is_late, strict=True) if not comes_late])
        known_later.append([fact for fact, comes_late in zip(done, is_late, strict=True) if comes_late])
    open_board, whole_board = boards
    found: list[AddressedArrival] = []
    for now in sorted(looks):
        if now < world.now:
            found += watch_once(world, open_board, whole_board, now)
    for board, facts in zip(boards, known_later, strict=True):
        add_facts(board, [*facts, *corrections(world)])
    found += watch_once(world, open_board, whole_board, world.now)
    assert not watch_once(world, open_board, whole_board, world.now), "each is told once"
    for covert, board in ((False, open_board), (True, whole_board)):
        told = [arrival for arrival, is_covert in found if covert or not is_covert]
        opened_later = board_of([*told[::-1], *told, *facts_of(world, covert=covert)])
        assert states(opened_later, world.now) == states(board, world.now) == reference(world, covert=covert)


@given(worlds)
@example(
    World(
        (Pass(PLATES[0], "calais", 0, is_covert=False), Pass(PLATES[0], "calais", 10, is_covert=True)),
        (Seen(PLATES[0], 45, "uk_bound", is_superseded=False),),
        frozenset(),
        {},
        100,
    )
)  # only the covert alert says that it cannot have arrived yet
def test_what_is_told_to_everybody_is_what_would_be_told_without_covert_alerts(world: World) -> None:
    open_facts = facts_of(world, covert=False)
    found = watch_once(world, board_of(open_facts), board_of(facts_of(world, covert=True)), world.now)
    alone = watch_once(world, board_of(open_facts), board_of(open_facts), world.now)
    told = [arrival for arrival, is_covert in found if not is_covert]
    assert told == [arrival for arrival, _ in alone]
    covert_alerts = {one.alert().alert_id for one in world.passes if one.is_covert}
    assert {arrival.alert_id for arrival in told}.isdisjoint(covert_alerts)
    assert {arrival.alert_id for arrival, is_covert in found if is_covert} <= covert_alerts


def test_a_guess_of_a_camera_is_told_as_unsure_and_once_until_a_camera_reads_the_plate() -> None:
    alert = Pass(PLATES[0], "calais", 0, is_covert=False).alert()
    guess = a_read(
        "guess",
        site="dover",
        plate="AB12CBE",
        candidates=(Candidate(plate=PLATES[0], confidence=0.4),),
        captured_at=minutes(95),
    )
    reads, board = [guess], board_of([alert])
    watch = ArrivalWatch("dover", ROUTES, sightings=InMemorySightings(reads), publish=lambda _: None)

    def told() -> list[tuple[str, str]]:
        return [
            (one.read_id, one.tier) for one, _ in watch.publish_new_arrivals(board, board_of([alert]), minutes(120))
        ]

    assert told() == [("guess", "near")]
    assert told() == []
    reads.append(Seen(PLATES[0], 97, "uk_bound", is_superseded=False).read())
    assert told() == [("in-AB12CDE-97", "exact")]
    assert told() == []
    [(_, concern)] = arrivals(board.incidents(minutes(120)), "dover", ROUTES, minutes(120))
    assert concern.met is not None
    assert concern.met.tier == "exact"


def test_after_another_vehicle_was_taken_for_it_the_next_sighting_is_told_and_no_sighting_twice() -> None:
    alert = Pass(PLATES[0], "calais", 0, is_covert=False).alert()
    other, rear, true, late = (
        Seen(PLATES[0], at, "uk_bound", is_superseded=False).read() for at in (95, 96, 110, 93)
    )
    own, of_rear, of_true = (an_alert(read, alert.entry) for read in (other, rear, true))
    reads, board = [other, rear], board_of([alert, own, of_rear])
    watch = ArrivalWatch("dover", ROUTES, sightings=InMemorySightings(reads), publish=lambda _: None)

    def told() -> list[str]:
        found = watch.publish_new_arrivals(board, board_of([alert]), minutes(120))
        return [one.read_id for one, _ in found]

    assert told() == [other.read_id]
    misread = an_action("a", "outcome", of_rear, site="dover", outcome="misread", at=minutes(97))
    board.add_action(misread, 0)
    assert [told(), told()] == [[rear.read_id], []], "it was seen by two cameras"
    board.add_alert(of_true)
    reads.append(true)
    assert [told(), told()] == [[true.read_id], []]
    again = an_action("b", "outcome", of_true, site="dover", outcome="misread", at=minutes(111))
    board.add_action(again, 1)
    reads.append(late)
    assert [told(), told()] == [[late.read_id], []], "history was behind"


def test_a_vehicle_that_passes_again_before_it_crosses_is_met_once_and_has_one_card_then() -> None:
    first, again = (Pass(PLATES[0], "calais", minute, is_covert=False).alert() for minute in (0, 75))
    board = board_of([first, again])
    reads: list[Read] = []
    watch = ArrivalWatch("dover", ROUTES, sightings=InMemorySightings(reads), publish=lambda _: None)

    def shown(now: int) -> list[tuple[str, str]]:
        watch.publish_new_arrivals(board, board, minutes(now))
        found = arrivals(board.incidents(minutes(now)), "dover", ROUTES, minutes(now))
        return [(one.incident_id, arrival_state(why, minutes(now), ALWAYS)) for one, why in found]

    ids = (first.alert_id, again.alert_id)
    assert shown(119) == [(ids[0], "due"), (ids[1], "due")], "two vehicles may have this plate"
    assert shown(120) == [(ids[1], "due")], "from now on it may have come with the later ship"
    reads.append(Seen(PLATES[0], 170, "uk_bound", is_superseded=False).read())
    assert shown(171) == [(ids[1], "met")]
    reads.append(Seen(PLATES[0], 100, "uk_bound", is_superseded=False).read())
    assert shown(172) == [(ids[0], "met"), (ids[1], "met")], "history was behind: it came with both ships"
