"""Programs that read `anpr watch --json` can follow each incident and each site."""

from datetime import UTC, timedelta

from anpr.board.board import Board
from anpr.board.incident import Incident
from anpr.board.journeys import expected_at
from anpr.board.site_health import SiteHealth
from anpr.runtime.settings import Route
from anpr.terminal.arrival_words import arrival_words
from anpr.terminal.incident_lines import arrival_line, expected_line, incident_line, removed_incident_line, site_line
from tests.support.strategies import NOON, a_read, an_action, an_alert, an_arrival, an_entry, minutes


def incidents(*plates: str) -> list[Incident]:
    board = Board(timedelta(minutes=30), timedelta(hours=72))
    for plate in plates:
        alert = an_alert(a_read(f"read of {plate}", plate=plate), an_entry(f"entry of {plate}", plate=plate))
        board.add_alert(alert)
        board.add_action(an_action(f"claim of {plate}", "claimed", alert, officer="Ann"), 0)
    return board.incidents(NOON)


def test_an_incident_line_says_what_it_is_how_certain_and_who_has_claimed_it() -> None:
    (incident,) = incidents("AB12CDE")
    line = incident_line(incident)
    assert (line["type"], line["plate"], line["certainty"]) == ("incident", "AB12CDE", "exact")
    assert line["holders"] == {"calais": "Ann"}


FERRY = Route(origin="calais", destination="dover", by="ferry", crossing_minutes=90, wait_minutes=36)


def test_a_line_says_where_the_vehicle_is_expected_and_when_and_in_which_lane_it_was_met() -> None:
    (incident,) = incidents("AB12CDE")
    [(site, concern)] = expected_at(incident, [FERRY], NOON)
    assert site == "dover"
    due = expected_line(concern, "due")
    assert incident_line(incident, [(concern, "due")])["expected"] == [due]
    assert (due["to"], due["arrival"], due["seen_at"]) == ("dover", "due", None)
    met = concern._replace(met=an_arrival(incident.incident_id, minutes(101), lane="3", tier="folded"))
    line = arrival_line(incident, met, "met")
    assert (line["type"], line["arrival"], line["seen_at"], line["seen_lane"]) == (
        "arrival",
        "met",
        minutes(101),
        "3",
    )
    assert arrival_words(concern, "due", UTC) == "due Sun 13:30 UTC to 14:06 UTC"
    assert arrival_words(concern, "overdue", UTC) == "overdue Sun 13:30 UTC to 14:06 UTC"
    at_once = concern._replace(latest=concern.earliest)
    assert arrival_words(at_once, "due", UTC) == "due Sun 13:30 UTC", "no window from a minute to the same minute"
    assert arrival_words(met, "met", UTC) == "met Sun 13:41 UTC, lane 3 (likely: check the plate)"


def test_an_incident_that_is_not_shown_any_more_has_joined_another_or_is_too_old() -> None:
    joined, other = incidents("AB12CDE", "XY1")
    of_joined = joined.alerts[0].alert_id
    assert removed_incident_line(of_joined, [other, joined]) == {
        "type": "incident",
        "incident_id": of_joined,
        "status": "joined",
        "into": joined.incident_id,
    }
    expired = {"type": "incident", "incident_id": of_joined, "status": "expired"}
    assert removed_incident_line(of_joined, [other]) == expired, "what it joined is not shown either"


def test_a_site_line_says_for_how_long_nothing_was_received() -> None:
    silent = SiteHealth("calais", (), NOON, is_silent=True, why_silent="the broker does not answer")
    line = site_line(silent, minutes(2))
    assert (line["is_silent"], line["why_silent"]) == (True, "the broker does not answer")
    assert line["heard_seconds_ago"] == 120
    never = site_line(SiteHealth("calais", (), None, is_silent=True), NOON)
    assert (never["heard_at"], never["heard_seconds_ago"]) == (None, None)
