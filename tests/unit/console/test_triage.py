"""Where an incident belongs on a site's page, and whom it calls."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from anpr.board.board import Board
from anpr.board.journeys import ALWAYS, NEVER
from anpr.console.board.triage import (
    DEALT,
    ELSEWHERE,
    NOW,
    NOWHERE,
    PASSED,
    REVIEW,
    SETTLED,
    BoardPosition,
    TriageRules,
    position_of,
)
from anpr.contracts.events import Action, Alert, Arrival, Candidate, Explanation
from anpr.runtime.settings import ConsoleSettings, Route
from tests.support.strategies import NOON, a_read, an_action, an_alert, an_arrival, an_entry, minutes

RULES = TriageRules("calais", timedelta(minutes=2), 0.3)
GAP, WINDOW = timedelta(minutes=30), timedelta(hours=72)
FERRY = Route(origin="calais", destination="dover", by="ferry", crossing_minutes=90, wait_minutes=30)
DOVER = TriageRules("dover", timedelta(minutes=2), 0.3, {"calais": FERRY})


def alert(**fields: Any) -> Alert:
    of_read = {name: fields.pop(name) for name in ("site", "captured_at") if name in fields}
    return an_alert(a_read(fields.pop("read_id", "read-1"), **of_read), an_entry(), **fields)


def placed(  # noqa: PLR0913  all that differs
    *facts: Alert | Arrival,
    at: float = 0,
    actions: tuple[Any, ...] = (),
    rules: TriageRules = RULES,
    signed_in: frozenset[str] | None = None,
    watched_until: datetime = ALWAYS,
    of: Alert | None = None,
) -> BoardPosition:
    """Return the position of the only incident of these facts, or of the incident of an alert."""
    board = Board(GAP, WINDOW)
    for fact in facts:
        if isinstance(fact, Arrival):
            board.add_arrival(fact)
        else:
            board.add_alert(fact)
    for offset, action in enumerate(actions):
        board.add_action(action, offset)
    incident = board.incident_of(of.alert_id, NOON) if of else board.incidents(NOON)[0]
    assert incident is not None
    return position_of(incident, rules, minutes(at), signed_in, watched_until)


@pytest.mark.parametrize("tier", ["exact", "equivalent", "folded", "pattern", "of a later version"])
def test_a_sure_match_rings_at_once(tier: str) -> None:
    position = placed(alert(tier=tier))
    assert (position.section, position.rings) == (NOW, "officer")


@pytest.mark.parametrize("fields", [{"tier": "near"}, {"score": 0.29}])
def test_an_uncertain_match_waits_for_review_and_never_rings(fields: dict[str, Any]) -> None:
    for at in (0, 1, 60):
        position = placed(alert(**fields), at=at)
        assert (position.section, position.rings) == (REVIEW, "")


def test_a_later_guess_of_the_camera_rings_below_what_the_camera_did_read_so_although_it_is_newer() -> None:
    guess = a_read("guess", plate="ZZ99ZZZ", captured_at=minutes(1), candidates=(Candidate(plate="AB12CDE"),))
    of_guess = an_alert(guess, an_entry(), explanation=Explanation(read_as="AB12CDE", listed_as="AB12CDE"))
    later, before = placed(of_guess, at=1), placed(alert(), at=1)
    assert (later.section, later.rings) == (NOW, "officer")
    assert before.order < later.order


def test_one_sure_read_makes_a_sure_incident() -> None:
    assert placed(alert(tier="near"), alert(tier="exact", read_id="read-2")).section == NOW


def test_an_incident_that_nobody_claims_in_time_calls_the_supervisor() -> None:
    assert placed(alert(), at=1.9).rings == "officer"
    assert placed(alert(), at=2).rings == "supervisor"


def test_an_alert_raised_by_a_clock_that_is_ahead_rings_when_its_time_has_come() -> None:
    ahead = alert(raised_at=minutes(3))
    assert [(placed(ahead, at=at).rings, placed(ahead, at=at).changes_at) for at in (0, 3.5, 5.5)] == [
        ("", minutes(3)),
        ("officer", minutes(5)),
        ("supervisor", None),
    ]


def test_a_claim_ends_the_ringing_and_a_release_restarts_the_time() -> None:
    claimed = an_action("a", "claimed", alert())
    released = an_action("b", "released", alert(), at=minutes(5))
    assert placed(alert(), at=3, actions=(claimed,)).rings == ""
    assert placed(alert(), at=6, actions=(claimed, released)).rings == "officer"
    assert placed(alert(), at=7, actions=(claimed, released)).rings == "supervisor"


def test_a_claim_without_an_action_for_ten_minutes_rings_the_supervisor_and_its_holder() -> None:
    claimed = an_action("a", "claimed", alert())
    still = an_action("b", "attended", alert(), at=minutes(9))
    comment_of_another = an_action("c", "comment", alert(), officer="Bob", at=minutes(9))
    assert placed(alert(), at=9.9, actions=(claimed,)).rings == ""
    unattended = placed(alert(), at=10, actions=(claimed, comment_of_another))
    assert (unattended.rings, unattended.calls) == ("unattended", "Ann")
    assert placed(alert(), at=9.9, actions=(claimed,)).changes_at == minutes(10)
    assert [placed(alert(), at=at, actions=(claimed, still)).rings for at in (18.9, 19)] == ["", "unattended"]
    assert placed(alert(tier="near"), at=60, actions=(claimed,)).rings == "", "an uncertain match never does"
    assert placed(alert(tier="near"), at=60, actions=(claimed,)).claims[0].is_unattended, "and yet it is shown"


def test_an_unattended_claim_that_nobody_takes_over_in_time_calls_every_officer() -> None:
    """A supervisor may be signed in nowhere."""
    claimed = an_action("a", "claimed", alert())
    assert [placed(alert(), at=at, actions=(claimed,)).rings for at in (11.9, 12)] == ["unattended", "overdue"]
    assert placed(alert(), at=11, actions=(claimed,)).changes_at == minutes(12)
    nobody = frozenset[str]()
    signed_out = [placed(alert(), at=at, actions=(claimed,), signed_in=nobody).rings for at in (1.9, 2)]
    assert signed_out == ["unattended", "overdue"], "it counts from the holder's last action"
    assert placed(alert(tier="near"), at=60, actions=(claimed,)).rings == "", "an uncertain match never does"


def test_what_comes_after_the_outcome_of_its_holder_calls_at_once() -> None:
    """They have gone on to the next vehicle: their old claim must not silence a surer read, or a new entry."""
    unsure, sure = alert(tier="equivalent"), an_alert(a_read("later"), an_entry())
    claimed = an_action("a", "claimed", unsure)
    outcome = an_action("b", "outcome", unsure, outcome="stopped_nothing_found", at=minutes(1))
    assert placed(unsure, at=1.5, actions=(claimed, outcome)).section == SETTLED
    reopened = placed(unsure, sure, at=1.5, actions=(claimed, outcome), of=sure)
    assert (reopened.section, reopened.rings, reopened.calls) == (NOW, "unattended", "Ann")
    assert placed(unsure, sure, at=3, actions=(claimed, outcome), of=sure).rings == "overdue"
    attended = an_action("c", "attended", sure, at=minutes(1.2))
    assert placed(unsure, sure, at=1.5, actions=(claimed, outcome, attended), of=sure).section == DEALT
    undone = an_action("d", "retracted", unsure, retracts="b", at=minutes(1.2))
    assert placed(unsure, at=1.5, actions=(claimed, outcome, undone)).section == DEALT


def test_how_long_a_claim_lasts_depends_on_the_priority() -> None:
    rules = TriageRules(
        "calais", timedelta(minutes=2), 0.3, claim_due=ConsoleSettings(claim_due_seconds=(60, 1, 1, 1, 1)).claim_due
    )
    urgent = an_alert(a_read(), an_entry(priority=1))
    claimed = an_action("a", "claimed", urgent)
    assert [placed(urgent, at=at, actions=(claimed,), rules=rules).rings for at in (0.9, 1)] == ["", "unattended"]


def test_a_claim_is_unattended_once_its_holder_is_signed_out_here_and_goes_by_time_elsewhere() -> None:
    claimed = an_action("a", "claimed", alert())
    there = an_action("b", "claimed", alert(), site="dover")
    position = placed(alert(), at=1, actions=(claimed, there), signed_in=frozenset({"Bob"}))
    assert (position.rings, [claim.why_unattended for claim in position.claims]) == ("unattended", ["signed_out", ""])
    assert placed(alert(), at=1, actions=(claimed, there), signed_in=frozenset({"Ann"})).rings == ""
    assert placed(alert(), at=1, actions=(claimed, there)).rings == "", "nobody knows who is signed in"


def test_who_was_handed_an_incident_is_called_until_they_do_something_about_it() -> None:
    claimed = an_action("a", "claimed", alert())
    handed = an_action("b", "released", alert(), hands_to="Bob", at=minutes(1))
    looked = an_action("c", "comment", alert(), officer="Bob", at=minutes(2))
    for sure in (alert(), alert(tier="near")):
        position = placed(sure, at=1, actions=(claimed, handed))
        assert (position.rings, position.calls, position.claims[0].handed_by) == ("", "Bob", "Ann")
        assert placed(sure, at=3, actions=(claimed, handed, looked)).calls == ""


def test_a_vehicle_that_had_left_when_it_was_listed_does_not_ring_and_a_late_alert_does() -> None:
    listed = {"kind": "retrospective", "raised_at": minutes(5)}
    left = placed(alert(**listed), at=5)
    assert (left.section, left.rings, left.may_claim) == (PASSED, "", True), "it may still stand in the lane"
    assert placed(alert(**listed, tier="near"), at=5).section == REVIEW
    assert placed(alert(kind="late", raised_at=minutes(5)), at=5).rings == "officer"
    assert placed(alert(**listed), alert(read_id="read-2", raised_at=minutes(5)), at=5).rings == "officer"


def test_a_vehicle_that_was_listed_moments_after_it_was_seen_may_still_be_in_the_lane_and_rings() -> None:
    for raised_at, found in ((0.1, (NOW, "officer")), (1, (NOW, "officer")), (1.1, (PASSED, ""))):
        position = placed(alert(kind="retrospective", raised_at=minutes(raised_at)), at=raised_at)
        assert (position.section, position.rings) == found


def test_a_vehicle_that_was_dealt_with_does_not_ring_when_another_entry_finds_it_afterwards() -> None:
    outcome = an_action("a", "outcome", alert(), outcome="stopped_found")
    later_listed = an_alert(a_read(), an_entry("of-another-list"), kind="retrospective", raised_at=minutes(20))
    position = placed(alert(), later_listed, at=30, actions=(outcome,))
    assert (position.section, position.rings) == (PASSED, "")


def test_another_ports_incident_is_elsewhere_and_a_settled_one_is_settled() -> None:
    assert placed(alert(site="coquelles")).section == ELSEWHERE
    assert placed(alert(), actions=(an_action("a", "outcome", alert(), outcome="turned_away"),)).section == SETTLED


def test_a_vehicle_due_at_a_uk_port_is_on_its_board_until_an_hour_after_its_latest_arrival() -> None:
    assert placed(alert(), rules=DOVER).section == ELSEWHERE
    assert placed(alert(), rules=DOVER, at=180).section == ELSEWHERE
    assert placed(alert(), rules=DOVER, at=180.1).section == NOWHERE
    assert placed(alert(), rules=DOVER, at=78).changes_at == minutes(180)
    assert placed(alert(site="coquelles"), rules=DOVER).section == NOWHERE


WITH_CAMERAS = TriageRules("dover", timedelta(minutes=2), 0.3, {"calais": FERRY}, has_cameras=True)


def test_a_vehicle_is_overdue_once_it_should_have_been_seen_until_a_camera_of_the_port_sees_it() -> None:
    assert [placed(alert(), rules=WITH_CAMERAS, at=at).arrival for at in (0, 120, 120.1)] == ["due", "due", "overdue"]
    assert placed(alert(), rules=WITH_CAMERAS, at=78).changes_at == minutes(120), "the card changes by itself"
    assert placed(alert(), rules=DOVER, at=150).arrival == "due", "without cameras nobody can know"
    seen = an_arrival(alert(), minutes(130))
    position = placed(alert(), seen, rules=WITH_CAMERAS, at=150)
    assert position.concern is not None
    assert (position.arrival, position.concern.met) == ("met", seen)
    assert position.rings == "supervisor", "it calls until somebody here has claimed it"


def test_a_vehicle_that_arrives_and_raises_an_alert_here_has_one_card() -> None:
    arrived = an_arrival(alert(), minutes(100))

    def own(**fields: Any) -> Alert:
        read = a_read("arrived", site="dover", camera="in-1", captured_at=minutes(100))
        return an_alert(read, an_entry(fields.pop("entry_id", "entry-1")), **fields)

    def placed_beside(own_alert: Alert, *actions: Action) -> BoardPosition:
        facts = (alert(), arrived, own_alert)
        return placed(*facts, rules=WITH_CAMERAS, at=101, actions=actions, of=alert())

    merged = placed_beside(own())
    assert (merged.section, merged.rings, merged.arrival) == (NOWHERE, "", "met")
    assert merged.concern is not None
    assert merged.concern.own_alert == own()
    assert placed(alert(), arrived, own(), rules=WITH_CAMERAS, at=101, of=own()).section == NOW
    claimed = an_action("a", "claimed", alert(), site="dover", at=minutes(99))
    assert placed_beside(own(), claimed).section == DEALT, "its holder keeps it"
    for not_calling in (
        own(tier="near"),
        own(score=0.1),
        own(kind="retrospective", raised_at=minutes(105)),
        own(entry_id="entry-2"),
    ):
        assert placed_beside(not_calling).rings == "supervisor"


def at_dover(minute: float, **fields: Any) -> Alert:
    """Return the alert of a read at Dover at a minute, by the entry that made the vehicle expected there."""
    return an_alert(
        a_read(f"at-{minute}", site="dover", camera="in-1", captured_at=minutes(minute)), an_entry(), **fields
    )


def arrival_of(own: Alert) -> Arrival:
    return an_arrival(alert(), own.captured_at, read_id=own.read.read_id, tier=own.tier)


@pytest.mark.parametrize("outcome", ["misread", "same_plate_other_vehicle"])
def test_another_vehicle_that_was_taken_for_it_silences_no_vehicle_that_is_still_on_the_water(outcome: str) -> None:
    other, true = at_dover(95), at_dover(110)
    facts = (alert(), other, arrival_of(other))
    settled = an_action("a", "outcome", other, site="dover", outcome=outcome, at=minutes(97))
    for at, state in ((98, "due"), (111, "due"), (121, "overdue")):
        position = placed(*facts, rules=WITH_CAMERAS, at=at, actions=(settled,), of=alert())
        assert position.concern is not None
        assert (position.section, position.rings, position.arrival) == (ELSEWHERE, "supervisor", state)
        assert (position.concern.met, position.concern.other) == (None, arrival_of(other))
    undone = an_action("b", "retracted", other, site="dover", retracts="a", at=minutes(98))
    assert placed(*facts, rules=WITH_CAMERAS, at=99, actions=(settled, undone), of=alert()).section == NOWHERE
    came = (*facts, true, arrival_of(true))
    own = placed(*came, rules=WITH_CAMERAS, at=111, actions=(settled,), of=true)
    assert (own.section, own.rings) == (NOW, "supervisor")
    merged = placed(*came, rules=WITH_CAMERAS, at=111, actions=(settled,), of=alert())
    assert merged.concern is not None
    assert (merged.section, merged.concern.met) == (NOWHERE, arrival_of(true))


def test_a_vehicle_that_was_dealt_with_where_it_arrived_is_not_expected_any_more() -> None:
    own = at_dover(95)
    dealt_with = an_action("a", "outcome", own, site="dover", outcome="stopped_nothing_found", at=minutes(97))
    for other_first in (False, True):
        misread = an_action("b", "outcome", own, site="dover", outcome="misread", at=minutes(96))
        actions = (misread, dealt_with) if other_first else (dealt_with,)
        position = placed(alert(), own, arrival_of(own), rules=WITH_CAMERAS, at=98, actions=actions, of=alert())
        assert (position.section, position.arrival) == (NOWHERE, "met")


def test_a_guess_of_a_camera_counts_as_an_arrival_until_a_camera_has_read_the_plate() -> None:
    guess, sure = an_arrival(alert(), minutes(96), tier="near"), an_arrival(alert(), minutes(99), tier="folded")
    for facts, met in (((guess,), guess), ((guess, sure), sure), ((sure, guess), sure)):
        position = placed(alert(), *facts, rules=WITH_CAMERAS, at=100)
        assert position.concern is not None
        assert (position.arrival, position.concern.met) == ("met", met)


def test_a_vehicle_that_should_have_come_since_anybody_looked_is_not_said_to_be_overdue() -> None:
    states = [
        placed(alert(), rules=WITH_CAMERAS, at=at, watched_until=watched_until).arrival
        for at, watched_until in (
            (119, minutes(100)),
            (130, minutes(100)),
            (130, minutes(121)),
            (130, NEVER),
            (130, ALWAYS),
        )
    ]
    assert states == ["due", "unwatched", "overdue", "unwatched", "overdue"]
    without_cameras = placed(alert(), rules=DOVER, at=130, watched_until=NEVER)
    assert without_cameras.arrival == "due", "nobody is to look there"


def test_a_sighting_counts_as_an_arrival_only_at_the_port_and_when_the_vehicle_can_be_there() -> None:
    too_soon, elsewhere = an_arrival(alert(), minutes(44)), an_arrival(alert(), minutes(95), site="folkestone")
    again_in_france = alert(read_id="read-2", captured_at=minutes(20))
    assert placed(alert(), too_soon, elsewhere, rules=WITH_CAMERAS, at=100).arrival == "due"
    assert placed(alert(), an_arrival(alert(), minutes(45)), rules=WITH_CAMERAS, at=100).arrival == "met"
    assert (
        placed(alert(), again_in_france, an_arrival(alert(), minutes(60)), rules=WITH_CAMERAS, at=100).arrival
        == "due"
    )


def test_a_vehicle_due_calls_the_uk_port_in_time_then_its_supervisor_until_it_is_claimed() -> None:
    assert placed(alert(), rules=DOVER, at=74.9).rings == ""
    assert placed(alert(), rules=DOVER, at=74.9).changes_at == minutes(75)
    assert placed(alert(), rules=DOVER, at=75).rings == "officer"
    assert placed(alert(), rules=DOVER, at=75).changes_at in {minutes(75), minutes(77)}
    assert placed(alert(), rules=DOVER, at=77).rings == "supervisor"
    claimed = an_action("a", "claimed", alert(), site="dover", at=minutes(74))
    assert placed(alert(), rules=DOVER, at=80, actions=(claimed,)).rings == ""
    early = an_action("a", "claimed", alert(), site="dover", at=minutes(10))
    assert placed(alert(), rules=DOVER, at=74.9, actions=(early,)).rings == "", "there is nothing to do yet"
    assert placed(alert(), rules=DOVER, at=75, actions=(early,)).rings == "overdue"
    assert placed(alert(tier="near"), rules=DOVER, at=80).rings == "", "an uncertain match never does"


def test_a_vehicle_that_was_listed_while_it_crosses_is_due_and_calls_the_uk_port_like_any_other() -> None:
    """It was seen at Calais at noon, and listed when it was on the water."""
    listed = alert(kind="retrospective", raised_at=minutes(40))
    position = placed(listed, rules=DOVER, at=41)
    assert position.concern is not None
    assert (position.section, position.rings, position.concern.earliest) == (ELSEWHERE, "", minutes(90))
    assert placed(listed, rules=DOVER, at=75).rings == "officer"
    just_listed = alert(kind="retrospective", raised_at=minutes(85))
    assert [placed(just_listed, rules=DOVER, at=at).rings for at in (85, 87)] == ["officer", "supervisor"]
    assert placed(just_listed, at=85).rings == "", "it has left"
    assert placed(just_listed, rules=DOVER, at=181).section == NOWHERE


@pytest.mark.parametrize(
    "again",
    [
        alert(read_id="read-2", captured_at=minutes(40), score=0.29),
        an_alert(a_read("read-2", captured_at=minutes(40)), an_entry(), tier="near"),
    ],
)
def test_a_vehicle_that_calls_the_uk_port_does_so_although_a_later_match_of_its_plate_calls_nobody(
    again: Alert,
) -> None:
    """The first match is a guess of the camera: as sure as one by an edit, but it calls officers out."""
    guess = Candidate(plate="AB12CDE", confidence=0.3)
    read = a_read(plate="XY12CDE", candidates=(guess,))
    first = an_alert(read, an_entry(), explanation=Explanation(read_as="AB12CDE", listed_as="AB12CDE"))
    for at in (75, 90, 120, 179):
        assert placed(first, again, rules=DOVER, at=at, of=first).rings, at
    surely = an_alert(a_read("read-3", captured_at=minutes(40)), an_entry())
    assert placed(first, again, surely, rules=DOVER, at=120, of=first).section == NOWHERE, "it comes with that stay"


def test_a_vehicle_that_france_hands_over_calls_the_uk_port_at_once() -> None:
    handed_over = an_action("a", "outcome", alert(), outcome="handed_to_uk_port", at=minutes(5))
    assert placed(alert(), rules=DOVER, at=5, actions=(handed_over,)).rings == "officer"
    passed = an_action("a", "outcome", alert(), outcome="passed_before_ack", at=minutes(5))
    assert placed(alert(), rules=DOVER, at=5, actions=(passed,)).rings == ""


def test_the_next_vehicles_off_the_ship_come_first_those_due_together_by_priority() -> None:
    urgent = [
        an_alert(a_read(f"r{at}", plate="XY1", captured_at=minutes(at)), an_entry("e2", plate="XY1", priority=1))
        for at in (9, 16)
    ]
    together, later = (placed(one, rules=DOVER) for one in urgent)
    first = placed(alert(), rules=DOVER)
    assert together.order < first.order < later.order
    assert together.due_from == first.due_from == minutes(90)
    assert first.due_before == later.due_from == minutes(105)


def test_what_needs_somebody_comes_first_then_the_priority_then_the_newest() -> None:
    urgent, old, new = (
        an_alert(a_read(f"r{at}", captured_at=minutes(at)), an_entry(priority=priority))
        for at, priority in ((-3, 1), (-2, 2), (-1, 2))
    )
    orders = [placed(one, actions=()).order for one in (urgent, new, old)]
    assert orders == sorted(orders)
    claimed = an_action("a", "claimed", urgent)
    assert placed(urgent, actions=(claimed,)).section == DEALT
    assert placed(urgent, actions=(claimed,), at=10).section == NOW, "nobody attends to it"
    assert placed(alert(tier="near"), actions=(an_action("a", "claimed", alert()),)).section == DEALT
    at_dover = an_action("a", "claimed", alert(), site="dover")
    assert placed(alert(), rules=DOVER, actions=(at_dover,)).section == DEALT
    handed = an_action("b", "released", urgent, hands_to="Bob")
    assert placed(urgent, actions=(claimed, handed)).section == NOW, "Bob has not answered"


def test_what_another_port_deals_with_comes_after_what_nobody_there_has_claimed() -> None:
    road = Route(origin="coquelles", destination="calais", by="road", crossing_minutes=10)
    rules = TriageRules("calais", timedelta(minutes=2), 0.3, {"coquelles": road})
    urgent = an_alert(a_read(site="coquelles"), an_entry(priority=1))
    claimed = an_action("a", "claimed", urgent, site="coquelles")
    assert placed(alert(site="coquelles"), rules=rules).order < placed(urgent, actions=(claimed,), rules=rules).order


def test_an_incident_that_a_uk_port_has_claimed_stays_on_its_board_however_late_the_ship() -> None:
    claimed = an_action("a", "claimed", alert(), site="dover")
    position = placed(alert(), rules=DOVER, at=600, actions=(claimed,))
    assert (position.section, position.may_claim) == (ELSEWHERE, True)


def test_a_handed_over_vehicle_waits_at_the_uk_port_and_one_that_france_dealt_with_is_settled_there() -> None:
    handed_over = an_action("a", "outcome", alert(), outcome="handed_to_uk_port")
    assert placed(alert(), actions=(handed_over,)).section == SETTLED
    assert placed(alert(), rules=DOVER, actions=(handed_over,)).section == ELSEWHERE
    found = an_action("b", "outcome", alert(), outcome="stopped_found")
    assert placed(alert(), rules=DOVER, actions=(found,)).section == SETTLED


def test_a_site_may_claim_its_own_open_incidents_and_no_settled_one() -> None:
    assert placed(alert()).may_claim
    assert not placed(alert(), actions=(an_action("a", "outcome", alert(), outcome="misread"),)).may_claim


def test_cards_are_in_the_order_of_the_board() -> None:
    board = Board(timedelta(minutes=30), timedelta(hours=72))
    for number, (priority, tier, kind) in enumerate(
        [(2, "exact", "live"), (1, "folded", "live"), (1, "exact", "late"), (1, "exact", "live"), (5, "new", "live")]
    ):
        entry = an_entry(f"e{number}", plate=f"PLATE{number}", priority=priority)
        board.add_alert(an_alert(a_read(f"r{number}", plate=entry.plate), entry, tier=tier, kind=kind))
    orders = [position_of(incident, RULES, NOON).order for incident in board.incidents(NOON)]
    assert orders == sorted(orders)
