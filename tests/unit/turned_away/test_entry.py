"""What officers at the other ports learn of a vehicle that was turned away."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from anpr.board.board import Board
from anpr.contracts import turned_away
from anpr.contracts.bounds import beyond_bounds
from anpr.contracts.events import OUTCOMES, Candidate, Cover, Entry
from anpr.contracts.local_days import UTC_DAYS
from anpr.runtime.settings import BoardSettings, Site
from anpr.terminal.incident_lines import incident_line
from anpr.turned_away.outcomes import TurnedAwayOutcomes, entries_to_list
from tests.support.strategies import NOON, a_read, an_action, an_alert, an_entry, minutes

SITES = {
    "calais": Site("Calais", "kafka", "redis", time_zone="Europe/Paris"),
    "coquelles": Site("Coquelles", "kafka", "redis", time_zone="Europe/Paris"),
    "dover": Site("Dover", "kafka", "redis", time_zone="Europe/London"),
}
STOLEN = an_entry(
    plate="AB12 CDE",
    country="GB",
    priority=2,
    reason="stolen in Kent",
    instruction="hold in the lane",
    warnings=("may be armed",),
    tolerance="near",
    owner="Kent Police",
    legal_basis="warrant 12",
)


def outcomes(sites: dict[str, Site] = SITES) -> TurnedAwayOutcomes:
    return TurnedAwayOutcomes(sites, BoardSettings())


def listed_after(entry: Entry, **read: Any) -> Entry:
    """Return the entry that exists after a vehicle of this entry was turned away at Calais at noon."""
    known = outcomes()
    alert = an_alert(a_read(**read), entry, plate=read.get("plate", entry.plate))
    known.add_alert(alert, is_covert=alert.is_covert)
    action = an_action("1", "outcome", alert, outcome="turned_away")
    known.add_action(action, 0, NOON, is_covert=alert.is_covert)
    [found] = entries_to_list(known.decisions(NOON)).values()
    return found


def test_the_entry_says_where_when_by_whom_and_why_and_all_its_fields_are_filled() -> None:
    found = listed_after(STOLEN)
    assert found.list == "turned_away" in OUTCOMES
    assert found.reason == "Turned away at Calais at 13:00 CET on 1 March 2026 by Ann. Reason there: stolen in Kent"
    assert (found.plate, found.country, found.priority, found.tolerance) == ("AB12 CDE", "GB", 2, "near")
    assert (found.instruction, found.warnings) == ("hold in the lane", ("may be armed",))
    assert (found.owner, found.legal_basis, found.source) == (
        "UK control at Calais",
        "warrant 12",
        "outcome 1 at calais",
    )
    assert (found.valid_from, found.valid_until) == (NOON, NOON + timedelta(hours=24))
    assert found.sites == ("coquelles", "dover")
    assert found.handling == "open"
    assert found.entry_id == turned_away.entry_id("calais", "1")
    assert not beyond_bounds(found)


def test_an_entry_without_a_legal_basis_gets_the_one_of_this_processing() -> None:
    found = listed_after(an_entry())
    assert "Data Protection Act 2018" in found.legal_basis
    assert found.reason == "Turned away at Calais at 13:00 CET on 1 March 2026 by Ann"


def test_texts_as_long_as_they_may_be_make_an_entry_within_its_bounds() -> None:
    long = an_entry(reason="x" * 2000, warnings=tuple(f"{number}" for number in range(16)), owner="o" * 64)
    assert not beyond_bounds(listed_after(long))
    assert len(listed_after(long).reason) == 2000


@pytest.mark.parametrize(
    ("read_as", "listed_plate", "expected"),
    [
        ("AB12 CDE", "AB1?*", "AB12 CDE"),
        ("AB12CDE", "AB1?*", "AB12CDE"),
        ("AB1?CDE", "AB1*", "AB1?CDE"),  # a position that was not read stands for any character
    ],
)
def test_of_a_pattern_the_plate_that_was_read_is_listed(read_as: str, listed_plate: str, expected: str) -> None:
    known = outcomes()
    alert = an_alert(a_read(plate=read_as), an_entry(plate=listed_plate), plate=read_as.replace(" ", ""))
    known.add_alert(alert, is_covert=False)
    known.add_action(an_action("1", "outcome", alert, outcome="turned_away"), 0, NOON, is_covert=False)
    [found] = entries_to_list(known.decisions(NOON)).values()
    assert (found.plate, found.tolerance) == (expected, "tolerant")


def test_of_a_pattern_that_a_candidate_fitted_the_candidate_is_listed() -> None:
    known = outcomes()
    read = a_read(plate="ZZ99ZZZ", candidates=(Candidate(plate="AB12CDE"),))
    alert = an_alert(read, an_entry(plate="AB1?*"), plate="AB12CDE")
    known.add_alert(alert, is_covert=False)
    known.add_action(an_action("1", "outcome", alert, outcome="turned_away"), 0, NOON, is_covert=False)
    assert [entry.plate for entry in entries_to_list(known.decisions(NOON)).values()] == ["AB12CDE"]


@pytest.mark.parametrize("plate", ["*", "A*", "", "-"])
def test_a_text_that_no_list_takes_is_not_listed_whatever_a_site_publishes(plate: str) -> None:
    known = outcomes()
    alert = an_alert(a_read(plate="X"), an_entry(plate=plate), plate=plate)
    known.add_alert(alert, is_covert=False)
    known.add_action(an_action("1", "outcome", alert, outcome="turned_away"), 0, NOON, is_covert=False)
    assert entries_to_list(known.decisions(NOON)) == {}


def test_warnings_of_every_entry_that_the_officer_saw_go_along_but_no_covert_ones_on_an_open_entry() -> None:
    known = outcomes()
    armed = an_entry("armed", warnings=("may be armed",), priority=1)
    quiet = an_entry("quiet", warnings=("informant inside",), handling="covert")
    plain = an_entry("plain", priority=3)
    alerts = [an_alert(a_read(), entry) for entry in (plain, armed, quiet)]
    for alert in alerts:
        known.add_alert(alert, is_covert=alert.is_covert)
    covers = tuple(Cover(entry_id=entry_id, tier="exact") for entry_id in ("plain", "armed", "quiet"))
    open_one = an_action("open", "outcome", alerts[0], outcome="turned_away", covers=covers)
    covert_one = an_action("covert", "outcome", alerts[2], outcome="turned_away", covers=covers[2:])
    known.add_action(open_one, 0, NOON, is_covert=False)
    known.add_action(covert_one, 0, NOON, is_covert=True)
    by_handling = {entry.handling: entry for entry in entries_to_list(known.decisions(NOON)).values()}
    assert (by_handling["open"].warnings, by_handling["open"].priority) == (("may be armed",), 1)
    assert by_handling["covert"].warnings == ("informant inside",)


def test_an_entry_that_has_become_covert_since_the_alert_makes_a_covert_one() -> None:
    known = outcomes()
    alert = an_alert(a_read(), STOLEN)
    known.add_alert(alert, is_covert=False)
    known.add_action(an_action("1", "outcome", alert, outcome="turned_away"), 0, NOON, is_covert=False)
    [decision] = known.decisions(NOON, {("stolen", "entry-1")})
    assert decision.entry is not None
    assert decision.entry.is_covert


def test_a_console_whose_clock_is_ahead_lists_nobody_for_longer() -> None:
    known = outcomes()
    alert = an_alert(a_read(), STOLEN)
    known.add_alert(alert, is_covert=False)
    next_year = NOON + timedelta(days=365)
    known.add_action(an_action("1", "outcome", alert, outcome="turned_away", at=next_year), 0, NOON, is_covert=False)
    [entry] = entries_to_list(known.decisions(NOON)).values()
    assert entry.valid_until == NOON + timedelta(hours=24)


def test_where_there_is_no_other_port_nobody_is_listed() -> None:
    known = outcomes({"calais": SITES["calais"]})
    alert = an_alert(a_read(), STOLEN)
    known.add_alert(alert, is_covert=False)
    known.add_action(an_action("1", "outcome", alert, outcome="turned_away"), 0, NOON, is_covert=False)
    assert entries_to_list(known.decisions(NOON)) == {}


def test_an_outcome_that_cannot_be_used_costs_only_itself() -> None:
    known = outcomes()
    for number, site in enumerate(("calais", "unknown")):
        alert = an_alert(a_read(str(number), plate=f"AB1{number}CDE"), an_entry(str(number), plate=f"AB1{number}CDE"))
        known.add_alert(alert, is_covert=False)
        action = an_action(str(number), "outcome", alert, outcome="turned_away", site=site)
        known.add_action(action, 0, NOON, is_covert=False)
    assert [entry.plate for entry in entries_to_list(known.decisions(NOON)).values()] == ["AB10CDE"]
    assert known.failed == {("unknown", "1")}
    known.prune(NOON + timedelta(days=2))
    assert not known.failed, "when its day is over it is forgotten"


def test_a_back_check_finds_what_has_passed_since_the_vehicle_was_turned_away_and_nothing_before() -> None:
    days = UTC_DAYS.without_starts()
    found = listed_after(STOLEN)
    assert not days.is_valid_at(found, "dover", minutes(-1))
    assert days.is_valid_at(found, "dover", NOON)
    ordinary = an_entry(valid_from=minutes(30))
    assert days.is_valid_at(ordinary, "dover", NOON), "of any other list, what has passed before counts too"


def test_programs_people_and_the_terminal_read_first_that_a_vehicle_was_turned_away() -> None:
    found = listed_after(STOLEN)
    read = a_read("at Dover", site="dover", captured_at=minutes(90))
    board = Board(timedelta(minutes=30), timedelta(hours=72))
    for entry in (msgspec.structs.replace(STOLEN, entry_id="0", warnings=("two people",)), found):
        board.add_alert(an_alert(read, entry, plate="AB12CDE"))
    [incident] = board.incidents(minutes(91))
    assert [entry.list for entry in incident.entries] == ["turned_away", "stolen"]
    assert incident_line(incident)["reasons"] == [found.reason, "stolen in Kent"]
    assert incident_line(incident)["warnings"] == ("may be armed", "two people")
