from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from anpr.board.board import Board
from anpr.board.incident import Incident
from anpr.contracts.events import (
    Alert,
    Candidate,
    Correction,
    Cover,
    Entry,
    EntryEnded,
    EntryListed,
    Explanation,
)
from anpr.contracts.local_days import LocalDays
from tests.support.strategies import a_correction, a_read, an_action, an_alert, an_entry, generation, minutes

STOLEN = an_entry("stolen-1", plate="AB12CDE")
NOW = minutes(60)


@pytest.fixture
def board() -> Board:
    return Board(stay_gap=timedelta(minutes=30), window=timedelta(hours=72))


def sighting(minute: float, entry_id: str = "stolen-1", **fields: object) -> Alert:
    """Return the alert of one read at Calais, so many minutes after noon."""
    entry = an_entry(entry_id, plate="AB12CDE")
    return an_alert(a_read(f"read-{minute}", captured_at=minutes(minute)), entry, **fields)


def only(board: Board) -> Incident:
    [incident] = board.incidents(NOW)
    return incident


# --- stays ---


def test_front_and_rear_camera_make_one_incident(board: Board) -> None:
    front, rear = sighting(0), sighting(0.1)
    board.add_alert(rear)
    board.add_alert(front)
    assert only(board).alerts == (front, rear)
    assert only(board).incident_id == front.alert_id


@pytest.mark.parametrize(("minutes_away", "incidents"), [(30, 1), (30.01, 2)])
def test_a_vehicle_away_for_longer_than_the_gap_comes_back_as_a_new_incident(
    board: Board, minutes_away: float, incidents: int
) -> None:
    board.add_alert(sighting(0))
    board.add_alert(sighting(minutes_away))
    assert len(board.incidents(NOW)) == incidents


def test_a_late_alert_joins_two_stays_and_both_old_ids_lead_to_the_joined_one(board: Board) -> None:
    first, second, between = sighting(0), sighting(50), sighting(25, kind="late")
    board.add_alert(first)
    board.add_alert(second)
    board.add_action(an_action("claim-1", "claimed", second), 0)
    assert len(board.incidents(NOW)) == 2

    board.add_alert(between)
    assert only(board).incident_id == first.alert_id
    assert only(board).holders == {"calais": "Ann"}
    for alert in (first, second, between):
        assert board.incident_of(alert.alert_id, NOW) == only(board)


def test_the_same_plate_at_another_port_is_another_incident(board: Board) -> None:
    board.add_alert(sighting(0))
    board.add_alert(an_alert(a_read(site="dover"), STOLEN))
    assert {incident.site for incident in board.incidents(NOW)} == {"calais", "dover"}


def test_two_listed_plates_that_one_read_matches_never_hide_one_another(board: Board) -> None:
    read = a_read(plate="AB1OCDE", captured_at=minutes(0))
    letter = an_alert(read, an_entry("letter", plate="AB1OCDE"))
    digit = an_alert(read, an_entry("digit", plate="AB10CDE"), tier="equivalent")
    board.add_alert(letter)
    board.add_alert(digit)
    board.add_action(an_action("outcome-1", "outcome", letter), 0)
    assert {incident.plate: incident.status for incident in board.incidents(NOW)} == {
        "AB1OCDE": "closed",
        "AB10CDE": "open",
    }


def test_an_incident_leaves_the_board_when_its_window_is_over(board: Board) -> None:
    board.add_alert(sighting(0))
    assert board.incidents(minutes(72 * 60))
    assert not board.incidents(minutes(72 * 60 + 1))
    assert board.incidents(minutes(0)), "and is there again after a wrong clock is corrected"


def test_open_and_most_urgent_incidents_come_first(board: Board) -> None:
    def alert(plate: str, priority: int, tier: str = "exact") -> Alert:
        return an_alert(
            a_read(f"read-{plate}"), an_entry(f"entry-{plate}", plate=plate, priority=priority), tier=tier
        )

    done = alert("DONE", 1)
    for raised in (alert("LESSER", 2), alert("UNSURE", 1, "equivalent"), done, alert("SURE", 1), alert("LEAST", 3)):
        board.add_alert(raised)
    board.add_action(an_action("outcome-1", "outcome", done), 0)
    assert [incident.plate for incident in board.incidents(NOW)] == ["SURE", "UNSURE", "LESSER", "LEAST", "DONE"]


# --- two vehicles with one text ---

BERLIN = an_entry("berlin", plate="B-MW 555", country="DE")
BERGHEIM = an_entry("bergheim", plate="BM-W 555", country="DE")
EITHER = an_entry("either", plate="BMW555", country="DE")


def as_read(text: str, minute: float, *entries: Entry, **fields: Any) -> list[Alert]:
    """Return the alerts of one read for these entries."""
    read = a_read(f"read-{minute}", plate=text, captured_at=minutes(minute), **fields)
    explanation = Explanation(read_as="BMW555", listed_as="BMW555")
    return [an_alert(read, entry, plate="BMW555", explanation=explanation) for entry in entries]


def settle(board: Board, alert: Alert, offset: int = 0) -> None:
    """Claim the incident of an alert, and record an outcome for all that is on the officer's screen."""
    incident = board.incident_of(alert.alert_id, NOW)
    assert incident is not None
    covers = tuple(Cover(entry_id=member.entry.entry_id, tier=member.tier) for member in incident.alerts)
    board.add_action(an_action(f"claim-{offset}", "claimed", incident.best), offset)
    board.add_action(an_action(f"outcome-{offset}", "outcome", incident.best, covers=covers), offset + 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (as_read("B-MW 555", 0, BERLIN), as_read("BM-W 555", 5, BERGHEIM)),
        (as_read("B-MW 555", 0, EITHER), as_read("BM-W 555", 5, EITHER)),
        (as_read("B-MW 555", 0, BERLIN, EITHER), as_read("BM-W 555", 5, BERGHEIM, EITHER)),
        (as_read("BMW555", 0, BERLIN, BERGHEIM), as_read("BM-W 555", 5, BERGHEIM)),
        (as_read("B-MW 555", 0, BERLIN), as_read("BMW555", 5, BERLIN, BERGHEIM)),
        (
            as_read("BMW555", 0, EITHER, candidates=(Candidate(plate="B-MW 555"),)),
            as_read("BM W 555", 5, EITHER),
        ),
    ],
)
@pytest.mark.parametrize("which", [0, 1])
def test_a_settled_vehicle_never_silences_another_with_its_text(
    board: Board, first: list[Alert], second: list[Alert], which: int
) -> None:
    settled, waiting = (first, second) if which == 0 else (second, first)
    for alert in settled:
        board.add_alert(alert)
    settle(board, settled[0])
    for alert in waiting:
        board.add_alert(alert)
    found = {incident.best.read.read_id: incident for incident in board.incidents(NOW)}
    assert found[settled[0].read.read_id].status == "closed"
    other = found[waiting[0].read.read_id]
    assert (other.status, other.holders, len(other.alerts)) == ("open", {}, len(waiting))


def test_reads_with_and_without_the_gap_are_one_incident_where_only_one_vehicle_is_known(board: Board) -> None:
    for alert in (*as_read("BMW555", 0, BERLIN), *as_read("B-MW 555", 0.1, BERLIN), *as_read("BMW 555", 0.2, BERLIN)):
        board.add_alert(alert)
    assert len(only(board).alerts) == 3


def test_a_gap_that_a_camera_put_elsewhere_stays_with_the_listed_vehicle(board: Board) -> None:
    [exact], [elsewhere] = as_read("B-MW 555", 0, BERLIN), as_read("BM-W 555", 0.1, BERLIN)
    board.add_alert(exact)
    board.add_alert(msgspec.structs.replace(elsewhere, tier="near"))
    assert len(only(board).alerts) == 2


def test_a_vehicle_that_comes_back_is_a_new_incident_though_another_with_its_text_was_seen_meanwhile(
    board: Board,
) -> None:
    for alert in (
        *as_read("B-MW 555", 0, BERLIN), *as_read("BM-W 555", 20, BERGHEIM), *as_read("B-MW 555", 40, BERLIN)
    ):  # fmt: skip
        board.add_alert(alert)
    assert [len(incident.alerts) for incident in board.incidents(NOW)] == [1, 1, 1]


# --- one alert, published more than once ---


def test_an_alert_published_late_and_live_is_live(board: Board) -> None:
    live = sighting(0, kind="live", raised_at=minutes(0))
    for again in (sighting(0, kind="retrospective", raised_at=minutes(30)), live, sighting(0, kind="late")):
        board.add_alert(again)
    assert only(board).best == live


def test_an_alert_raised_again_under_a_newer_list_shows_the_entry_of_that_list(board: Board) -> None:
    newer = relisted(2)
    board.add_alert(newer)
    board.add_alert(sighting(0))
    assert only(board).best.entry.reason == "armed"
    assert only(board).best.generation == generation(2)


def relisted(number: int) -> Alert:
    entry = an_entry("stolen-1", plate="AB12CDE", reason="armed", revision=generation(number))
    return an_alert(a_read("read-0", captured_at=minutes(0)), entry)


def test_an_alert_whose_entry_gets_another_plate_moves_there_with_its_actions(board: Board) -> None:
    before = sighting(0)
    corrected = an_entry("stolen-1", plate="AB12CDF", revision=generation(2))
    board.add_action(an_action("claim-1", "claimed", before), 0)
    board.add_alert(before)
    board.incidents(NOW)
    board.add_alert(an_alert(before.read, corrected, tier="near"))
    assert only(board).plate == "AB12CDF"
    assert only(board).holders == {"calais": "Ann"}


# --- actions ---


def test_an_action_before_its_alert_waits_for_it(board: Board) -> None:
    alert = sighting(0)
    board.add_action(an_action("claim-1", "claimed", alert), 0)
    assert board.incidents(NOW) == []
    board.add_alert(alert)
    assert only(board).holders == {"calais": "Ann"}


def test_the_first_claim_in_the_topic_wins_whatever_the_clocks_show(board: Board) -> None:
    alert = sighting(0)
    board.add_alert(alert)
    board.add_action(an_action("claim-2", "claimed", alert, officer="Bob", at=minutes(1)), 8)
    board.add_action(an_action("claim-1", "claimed", alert, officer="Ann", at=minutes(9)), 7)
    assert only(board).holders == {"calais": "Ann"}


def test_each_port_has_its_own_holder_and_only_the_holder_releases(board: Board) -> None:
    alert = sighting(0)
    board.add_alert(alert)
    board.add_action(an_action("claim-1", "claimed", alert, officer="Ann"), 0)
    board.add_action(an_action("release-1", "released", alert, officer="Bob"), 1)
    board.add_action(an_action("claim-2", "claimed", alert, officer="Dee", site="dover"), 0)
    assert only(board).holders == {"calais": "Ann", "dover": "Dee"}
    board.add_action(an_action("release-2", "released", alert, officer="Ann"), 2)
    assert only(board).holders == {"dover": "Dee"}


def test_after_a_retracted_claim_the_next_claim_counts(board: Board) -> None:
    alert = sighting(0)
    board.add_alert(alert)
    board.add_action(an_action("retraction-1", "retracted", alert, retracts="claim-1"), 2)
    board.add_action(an_action("claim-2", "claimed", alert, officer="Bob"), 1)
    board.add_action(an_action("claim-1", "claimed", alert, officer="Ann"), 0)
    assert only(board).holders == {"calais": "Bob"}
    assert only(board).retracted == {("calais", "claim-1")}
    assert len(only(board).actions) == 3, "the retracted claim stays visible"


def test_no_port_retracts_or_replaces_an_action_of_another(board: Board) -> None:
    alert = sighting(0)
    board.add_alert(alert)
    board.add_action(an_action("claim-1", "claimed", alert, officer="Ann"), 5)
    board.add_action(an_action("claim-1", "claimed", alert, officer="Mallory", site="dover"), 0)
    board.add_action(an_action("retraction-1", "retracted", alert, retracts="claim-1", site="dover"), 1)
    assert only(board).holders == {"calais": "Ann"}


def test_an_action_of_another_port_with_the_id_of_a_retracted_one_still_counts(board: Board) -> None:
    alert = sighting(0)
    board.add_alert(alert)
    board.add_action(an_action("outcome-1", "outcome", alert, outcome="stopped_found"), 0)
    board.add_action(an_action("outcome-1", "outcome", alert, outcome="stopped_found", site="dover"), 0)
    board.add_action(an_action("retraction-1", "retracted", alert, retracts="outcome-1"), 1)
    incident = only(board)
    assert {
        action.site: incident.is_retracted(action) for action in incident.actions if action.kind == "outcome"
    } == {
        "calais": True,
        "dover": False,
    }


def test_an_action_delivered_twice_counts_at_its_first_offset(board: Board) -> None:
    alert = sighting(0)
    board.add_alert(alert)
    claim = an_action("claim-1", "claimed", alert, officer="Ann")
    board.add_action(claim, 9)
    board.add_action(an_action("claim-2", "claimed", alert, officer="Bob"), 5)
    board.add_action(claim, 2)
    assert only(board).holders == {"calais": "Ann"}
    assert len(only(board).actions) == 2


def test_of_two_records_of_one_action_only_the_first_counts(board: Board) -> None:
    alert = sighting(0)
    board.add_alert(alert)
    board.add_action(an_action("claim-1", "claimed", alert), 0)
    board.add_action(an_action("action-2", "retracted", alert, retracts="claim-1"), 2)
    board.add_action(an_action("action-2", "comment", alert, retracts="claim-1"), 1)
    assert only(board).holders == {"calais": "Ann"}


def test_actions_at_one_offset_of_two_topics_have_the_same_order_on_every_board(board: Board) -> None:
    other = Board(stay_gap=timedelta(minutes=30), window=timedelta(hours=72))
    alert = sighting(0)
    claims = [an_action(f"claim-{number}", "claimed", alert, officer=f"officer {number}") for number in range(40)]
    for each, in_order in ((board, claims), (other, claims[::-1])):
        each.add_alert(alert)
        for claim in in_order:
            each.add_action(claim, 0)
    assert board.incidents(NOW) == other.incidents(NOW)


def test_after_an_outcome_a_repeat_joins_silently(board: Board) -> None:
    first = sighting(0)
    board.add_alert(first)
    board.add_action(an_action("outcome-1", "outcome", first), 0)
    board.add_alert(sighting(5))
    board.add_alert(sighting(6, tier="equivalent"))
    assert only(board).status == "closed"
    assert len(only(board).alerts) == 3


def test_after_an_outcome_a_better_tier_opens_it_again(board: Board) -> None:
    unsure = sighting(0, tier="equivalent")
    board.add_alert(unsure)
    board.add_action(an_action("outcome-1", "outcome", unsure), 0)
    board.add_alert(sighting(5, tier="exact"))
    assert only(board).status == "open"


def test_after_an_outcome_a_new_entry_opens_it_again_unless_the_officer_had_it_on_the_screen(board: Board) -> None:
    first, other = sighting(0), sighting(0, "wanted-1")
    board.add_alert(first)
    board.add_action(an_action("outcome-1", "outcome", first), 0)
    board.add_alert(other)
    assert only(board).status == "open"
    cover = Cover(entry_id="wanted-1", tier="exact")
    board.add_action(an_action("outcome-2", "outcome", first, covers=(cover,)), 1)
    assert only(board).status == "closed"


@pytest.mark.parametrize("outcome", ["misread", "same_plate_other_vehicle"])
def test_an_outcome_that_it_was_another_vehicle_settles_no_later_read(board: Board, outcome: str) -> None:
    """The listed vehicle itself may come after it."""
    on_screen = sighting(5)
    board.add_alert(sighting(0))
    board.add_alert(on_screen)
    board.add_action(an_action("outcome-1", "outcome", on_screen, outcome=outcome), 0)
    assert only(board).status == "closed"
    board.add_alert(sighting(3))
    assert only(board).status == "closed", "it was captured before"
    board.add_alert(sighting(20))
    assert only(board).status == "open"
    assert only(board).waiting == (sighting(20),)
    board.add_action(an_action("outcome-2", "outcome", sighting(0), outcome="stopped_found"), 1)
    assert only(board).status == "closed"


def test_a_retracted_outcome_opens_it_again(board: Board) -> None:
    alert = sighting(0)
    board.add_alert(alert)
    board.add_action(an_action("outcome-1", "outcome", alert), 0)
    board.add_action(an_action("retraction-1", "retracted", alert, retracts="outcome-1"), 1)
    assert only(board).status == "open"


def test_a_tier_of_a_later_version_is_shown_and_no_outcome_of_another_tier_closes_it(board: Board) -> None:
    board.add_alert(sighting(0))
    board.add_action(an_action("outcome-1", "outcome", sighting(0)), 0)
    board.add_alert(sighting(5, tier="by the badge"))
    assert only(board).status == "open"
    assert only(board).best.tier == "by the badge"
    board.add_action(an_action("outcome-2", "outcome", sighting(5)), 1)
    assert only(board).status == "closed"


# --- corrections ---


def test_a_superseded_read_leaves_the_standing_alerts_whichever_comes_first(board: Board) -> None:
    board.add_correction(a_correction(sighting(0)))
    board.add_correction(a_correction(sighting(40), site="dover"))
    board.add_alert(sighting(0))
    board.add_alert(sighting(40))
    statuses = {incident.first_captured_at: incident.status for incident in board.incidents(NOW)}
    assert statuses == {minutes(0): "corrected", minutes(40): "open"}
    board.add_correction(a_correction(sighting(40)))
    assert {incident.status for incident in board.incidents(NOW)} == {"corrected"}


SECOND = timedelta(seconds=1)
TEN_MINUTES = timedelta(minutes=10)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "corrected"),
        ({"captured_at": minutes(0) + TEN_MINUTES}, "corrected"),
        ({"captured_at": minutes(0) + TEN_MINUTES + SECOND / 1000}, "open"),
        ({"captured_at": minutes(0) - SECOND / 1000}, "open"),
        ({"captured_at": minutes(0) + timedelta(days=1)}, "open"),
        ({"camera": "camera-2"}, "open"),
        ({"camera": ""}, "open"),
        ({"supersedes": "read-2"}, "open"),
    ],
    ids=str,
)
def test_a_correction_counts_for_its_cameras_reads_of_the_ten_minutes_before(
    board: Board, changes: dict[str, Any], status: str
) -> None:
    alert = an_alert(a_read("7", camera="camera-1", captured_at=minutes(0)), STOLEN)
    correction = a_correction(alert, **changes)
    board.add_alert(alert)
    board.add_correction(correction)
    assert only(board).status == status
    otherwise = Board(stay_gap=timedelta(minutes=30), window=timedelta(hours=72))
    otherwise.add_correction(correction)
    otherwise.add_alert(alert)
    assert only(otherwise) == only(board)


def test_a_camera_that_counts_from_1_again_withdraws_nothing_that_it_saw_before(board: Board) -> None:
    before, again = (
        an_alert(a_read("7", camera="camera-1", captured_at=minutes(minute)), STOLEN) for minute in (0, 30)
    )
    board.add_alert(before)
    board.add_alert(again)
    board.add_correction(a_correction(again))
    assert only(board).standing == (before,)
    board.add_correction(a_correction(before, captured_at=minutes(0.5)))
    assert only(board).status == "corrected"


@pytest.mark.parametrize(
    ("claimed_at", "status"), [("", "corrected"), ("2026-03-01T12:00:00Z", "open")], ids=["earlier", "this one"]
)
def test_a_correction_of_an_earlier_version_counts_for_the_reads_of_that_version(
    board: Board, claimed_at: str, status: str
) -> None:
    board.add_correction(Correction(site="dover", read_id="8", supersedes="7"))
    board.add_alert(an_alert(a_read("7", camera="camera-2", claimed_at=claimed_at), STOLEN))
    assert only(board).status == "open"
    board.add_correction(Correction(site="calais", read_id="8", supersedes="7"))
    assert only(board).status == status


def test_the_best_read_of_a_stay_is_one_that_stands(board: Board) -> None:
    board.add_alert(sighting(0, tier="exact"))
    board.add_alert(sighting(5, tier="equivalent"))
    board.add_correction(a_correction(sighting(0)))
    assert only(board).best.tier == "equivalent"
    assert only(board).status == "open"
    assert len(only(board).alerts) == 2


def test_a_read_that_two_versions_match_is_one_incident_and_a_settled_one_stays_settled(board: Board) -> None:
    new = sighting(0)
    read = msgspec.structs.replace(new.read, claimed_at="")
    old = msgspec.structs.replace(new, alert_id="449f5a8f48e0d476d6991fab3ec7a8ed", read=read)
    board.add_alert(old)
    board.add_action(an_action("outcome-1", "outcome", old, outcome="stopped_found"), 0)
    board.add_alert(new)
    assert (only(board).status, len(only(board).alerts)) == ("closed", 2)
    assert board.incident_of(old.alert_id, NOW) == board.incident_of(new.alert_id, NOW) == only(board)


# --- withdrawal ---


def ended(number: int) -> EntryEnded:
    return EntryEnded(entry_id="stolen-1", revision=generation(number), ended_at=minutes(10), why="found")


def test_alerts_of_an_entry_that_left_the_list_are_withdrawn_late_ones_too(board: Board) -> None:
    board.add_alert(sighting(0))
    board.add_entry_ended(ended(2))
    assert only(board).status == "withdrawn"
    board.add_alert(sighting(5))
    assert only(board).status == "withdrawn"
    board.add_alert(sighting(6, "wanted-1"))
    assert only(board).status == "open"


def test_alerts_of_an_entry_listed_again_stand_and_an_earlier_end_does_not_withdraw_them(board: Board) -> None:
    board.add_entry_ended(ended(2))
    board.add_alert(relisted(3))
    assert only(board).status == "open"
    board.add_entry_ended(ended(4))
    board.add_entry_ended(ended(2))
    assert only(board).status == "withdrawn"


def listed(number: int, end: int) -> Entry:
    return an_entry("stolen-1", revision=generation(number), valid_until=minutes(end))


def back(number: int, epoch: int = 1, **fields: Any) -> EntryListed:
    """Return that the entry is listed at a generation, by a change of that generation unless a revision is given."""
    listed_at = generation(number, epoch)
    return EntryListed(entry=an_entry("stolen-1", **{"revision": listed_at, **fields}), generation=listed_at)


def test_an_incident_is_withdrawn_when_the_last_day_of_its_entry_is_over_at_its_site() -> None:
    """On 31 July at 22:00 UTC it is August at Calais, and at Dover an hour later."""
    days = LocalDays({"calais": ZoneInfo("Europe/Paris"), "dover": ZoneInfo("Europe/London")})
    board = Board(timedelta(minutes=30), timedelta(hours=72), days)
    evening = datetime(2026, 7, 31, 20, tzinfo=UTC)
    entry = an_entry(valid_until_day=date(2026, 7, 31), valid_until=evening + timedelta(hours=3))
    for site in ("calais", "dover"):
        board.add_alert(an_alert(a_read(site=site, captured_at=evening), entry))

    def states(hours: float) -> list[str]:
        now = evening + timedelta(hours=hours)
        return [board.incidents_of((site, "AB12CDE"), now)[0].status for site in ("calais", "dover")]

    assert states(1.999) == ["open", "open"]
    assert board.changes_at(("calais", "AB12CDE"), evening) == evening + timedelta(hours=2)
    assert states(2) == ["withdrawn", "open"]
    assert states(3) == ["withdrawn", "withdrawn"]
    longer = msgspec.structs.replace(entry, valid_until_day=date(2026, 8, 1), revision=generation(2))
    board.add_entry_listed(EntryListed(entry=longer, generation=generation(2)))
    assert states(3) == ["open", "open"]


def test_an_incident_withdrawn_by_mistake_is_open_again_when_its_entry_is_listed_again_in_any_order(
    board: Board,
) -> None:
    board.add_entry_listed(back(3))
    board.add_alert(sighting(0))
    board.add_entry_ended(ended(2))
    assert (only(board).status, only(board).listed_again) == ("open", True)
    board.add_entry_ended(ended(4))
    assert (only(board).status, only(board).listed_again) == ("withdrawn", False)
    board.add_entry_listed(back(5))
    assert (only(board).status, only(board).best) == ("open", sighting(0))


def test_an_outcome_still_counts_when_the_entry_is_listed_again(board: Board) -> None:
    board.add_alert(sighting(0))
    board.add_action(an_action("claim-1", "claimed", sighting(0)), 0)
    board.add_action(an_action("outcome-1", "outcome", sighting(0), outcome="turned_away"), 1)
    board.add_entry_ended(ended(2))
    board.add_entry_listed(back(3))
    assert (only(board).status, only(board).holders) == ("closed", {"calais": "Ann"})


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"plate": "ab-12 cde"}, "open"),
        ({"plate": "AB12CDF"}, "withdrawn"),
        ({"handling": "covert"}, "withdrawn"),
        ({"valid_until": minutes(50)}, "withdrawn"),
    ],
    ids=["written differently", "another plate", "covert", "no longer valid"],
)
def test_only_the_same_entry_opens_it_again(board: Board, fields: dict[str, Any], status: str) -> None:
    board.add_alert(sighting(0))
    board.add_entry_ended(ended(2))
    board.add_entry_listed(back(3, **fields))
    assert only(board).status == status


@pytest.mark.parametrize("handling", ["covert", "of a later version"])
def test_an_entry_that_becomes_covert_in_place_withdraws_its_open_alerts(board: Board, handling: str) -> None:
    board.add_alert(sighting(0))
    board.add_entry_listed(back(2, handling=handling))
    assert only(board).status == "withdrawn"
    board.add_entry_listed(back(3))
    assert only(board).status == "open"


@pytest.mark.parametrize(("plate", "status"), [("B MW555", "open"), ("BM-W 555", "withdrawn")])
def test_an_entry_that_returns_with_the_plate_of_another_district_opens_nothing_again(
    board: Board, plate: str, status: str
) -> None:
    entry = an_entry("stolen-1", plate="B-MW 555", country="DE")
    board.add_alert(an_alert(a_read("1", plate="B-MW 555", captured_at=minutes(0)), entry, plate="BMW555"))
    board.add_entry_ended(ended(2))
    board.add_entry_listed(back(3, plate=plate, country="DE"))
    assert only(board).status == status


def test_a_removal_that_a_fail_over_has_lost_does_not_count(board: Board) -> None:
    board.add_alert(sighting(0))
    board.add_entry_ended(ended(2))
    board.add_entry_listed(back(1, epoch=2, revision=generation(1)))
    assert only(board).status == "open"


def test_an_incident_is_withdrawn_at_the_moment_its_entry_expires(board: Board) -> None:
    board.add_alert(an_alert(a_read(), listed(1, 30)))
    (before,) = board.incidents(minutes(29.999))
    (after,) = board.incidents(minutes(30))
    (before_again,) = board.incidents(minutes(29.999))
    assert (before.status, after.status, before_again.status) == ("open", "withdrawn", "open")


def test_the_newest_revision_sets_the_end_of_validity_in_any_order(board: Board) -> None:
    alert = an_alert(a_read(), listed(1, 30))
    board.add_entry_listed(EntryListed(entry=listed(3, 60), generation=generation(3)))
    board.add_alert(alert)
    board.add_entry_listed(EntryListed(entry=listed(2, 10), generation=generation(2)))
    assert [board.incidents(minutes(m))[0].status for m in (30, 59, 60)] == ["open", "open", "withdrawn"]
    board.add_alert(an_alert(a_read("read-2"), listed(4, 20)))
    assert [board.incidents(minutes(m))[0].status for m in (19, 20)] == ["open", "withdrawn"]


def test_the_list_is_asked_about_the_entries_of_open_incidents(board: Board) -> None:
    board.add_alert(sighting(0))
    board.add_alert(sighting(5, "wanted-1"))
    assert board.entries_named() == {"stolen": {"stolen-1", "wanted-1"}}


# --- forgetting ---


def test_only_incidents_that_no_late_alert_can_bring_back_are_forgotten(board: Board) -> None:
    alert = sighting(0)
    board.add_alert(alert)
    board.prune(minutes(2 * 72 * 60))
    assert board.incident_of(alert.alert_id, NOW)
    board.prune(minutes(2 * 72 * 60 + 1))
    assert board.incident_of(alert.alert_id, NOW) is None


def test_a_read_forgotten_with_one_incident_can_still_be_corrected_in_another(board: Board) -> None:
    read = a_read("read-1", captured_at=minutes(0))
    gone = an_alert(read, an_entry("gone", plate="AB1OCDE"))
    kept = an_alert(read, an_entry("kept", plate="AB10CDE"), tier="equivalent")
    board.add_alert(gone)
    board.add_alert(kept)
    for hour in range(1, 145):  # this plate is seen again and again, so its stay continues
        for minute in (30, 60):
            again = a_read(f"read-{hour}-{minute}", captured_at=minutes(60 * hour + minute - 60))
            board.add_alert(an_alert(again, an_entry("kept", plate="AB10CDE")))
    now = minutes(145 * 60)
    board.prune(now)
    [incident] = board.incidents(now)
    assert kept in incident.standing
    board.add_correction(a_correction(kept))
    [incident] = board.incidents(now)
    assert kept not in incident.standing


def test_the_correction_of_a_read_that_is_still_shown_is_never_forgotten(board: Board) -> None:
    old = sighting(0)
    board.add_alert(old)
    board.add_correction(a_correction(old))
    for hour in range(145):  # this plate is seen again and again, so its stay continues
        for minute in (20, 40, 60):
            board.add_alert(sighting(60 * hour + minute))
    now = minutes(145 * 60)
    board.prune(now)
    board.add_alert(sighting(145 * 60))
    [incident] = board.incidents(now)
    assert old in incident.alerts
    assert old not in incident.standing


def test_a_retraction_still_counts_after_its_incident_is_forgotten(board: Board) -> None:
    old, new = sighting(0), sighting(140 * 60)
    for alert in (old, new):
        board.add_alert(alert)
    board.add_action(an_action("claim-1", "claimed", new), 0)
    board.add_action(an_action("retraction-1", "retracted", old, retracts="claim-1"), 1)
    now = minutes(145 * 60)
    board.prune(now)
    board.add_alert(sighting(140 * 60 + 1))
    [incident] = board.incidents(now)
    assert incident.holders == {}
