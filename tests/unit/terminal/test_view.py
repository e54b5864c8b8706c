import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from rich.console import Console

from anpr.board.back_checks import BackCheckHealth
from anpr.board.board import Board
from anpr.board.incident import Incident
from anpr.board.journeys import ALWAYS, ArrivalState, Concern
from anpr.board.rates import RecentRates
from anpr.board.site_health import NOT_READ_YET, SiteHealth
from anpr.contracts.events import Alert, Difference, Explanation, Status
from anpr.contracts.losses import Losses
from anpr.runtime.settings import Camera, ConsoleSettings, Route, Site
from anpr.terminal.claim_words import claim_words, unattended_claims
from anpr.terminal.fitting import draw_to_fit
from anpr.terminal.view import View, draw, draw_arrivals
from tests.support.losses import WEEK, a_loss, acknowledged
from tests.support.strategies import NOON, a_correction, a_read, an_action, an_alert, an_entry, generation, minutes

NOW = minutes(1)
CAMERAS = (Camera(name="uk-1", lane="1", position="front"), Camera(name="uk-2", lane="2", position="rear"))
SITES = {
    "calais": Site(title="Calais", kafka="", redis="", cameras=CAMERAS),
    "dunkerque": Site(title="Dunkerque", kafka="", redis="", cameras=CAMERAS),
}


def seconds_ago(count: float) -> datetime:
    return NOW - timedelta(seconds=count)


def a_status(matcher: str = "one", **fields: Any) -> Status:
    """Return the status of a matcher at Calais where all is well, with the fields given."""
    well: dict[str, Any] = {
        "site": "calais",
        "at": NOW,
        "started_at": NOON,
        "generation": generation(7),
        "entries": 24,
        "list_applied_at": seconds_ago(30),
        "list_confirmed_at": NOW,
        "partitions": 6,
        "lag": 0,
        "cameras": {camera.name: NOW for camera in CAMERAS},
    }
    return Status(matcher=matcher, **(well | fields))


def site_health(*matchers: Status, site: str = "calais") -> SiteHealth:
    return SiteHealth(site, matchers or (a_status(),), NOW, is_silent=False)


def claimed_by(incidents: Sequence[Incident], now: datetime = NOW) -> dict[str, str]:
    """Return who has claimed which incident, as `anpr watch` says it."""
    return {
        incident.incident_id: claim_words(incident, unattended_claims(incident, ConsoleSettings(), now), now)
        for incident in incidents
    }


UNREAD = frozenset({"dunkerque"})


def a_view(*alerts: Alert, **fields: Any) -> View:
    """Return a view of these alerts on a board where all is well, with the fields given."""
    board = Board(timedelta(minutes=30), timedelta(hours=72))
    for alert in alerts:
        board.add_alert(alert)
    well: dict[str, Any] = {
        "now": NOW,
        "incidents": board.incidents(NOW),
        "health": [site_health()],
        "rates": RecentRates(),
        "unreadable_records": {},
        "unread_sites": frozenset(),
        "claimed": claimed_by(board.incidents(NOW)),
    }
    return View(**(well | fields))


def shown(view: View, rows: int = 10) -> str:
    """Return the text on a screen."""
    console = Console(record=True, width=160, file=io.StringIO())
    console.print(draw(view, SITES, rows))
    return console.export_text()


def test_the_clock_is_that_of_the_sites_shown() -> None:
    paris, london = ZoneInfo("Europe/Paris"), ZoneInfo("Europe/London")
    assert "2026-03-01 13:01:00 CET" in shown(a_view(zones=(paris,)))
    assert "2026-03-01 13:01:00 CET / 2026-03-01 12:01:00 GMT" in shown(a_view(zones=(paris, london)))


def faults(view: View) -> list[str]:
    return [line.removeprefix(" ! ").rstrip() for line in shown(view).splitlines() if line.startswith(" ! ")]


def styled(view: View, attribute: str) -> Sequence[str]:
    """Return the pieces of text that are, say, underlined."""
    console = Console(width=160, file=io.StringIO())
    segments = console.render(draw(view, SITES, 10))
    return [segment.text for segment in segments if segment.style and getattr(segment.style, attribute)]


def sighting(entry_id: str = "entry-1", **of_entry: Any) -> Alert:
    return an_alert(a_read(lane="1"), an_entry(entry_id, **of_entry))


# --- how many are open ---


def test_the_open_incidents_are_counted() -> None:
    two = [sighting(), an_alert(a_read("other", plate="XY1"), an_entry("entry-2", plate="XY1"))]
    assert "2 open incidents   2026-03-01 12:01:00 UTC" in shown(a_view(*two))
    assert "0 open incidents" in shown(a_view())
    assert "no incidents" in shown(a_view())


def test_a_closed_incident_is_shown_and_not_counted() -> None:
    board = Board(timedelta(minutes=30), timedelta(hours=72))
    board.add_alert(sighting())
    board.add_action(an_action("outcome-1", "outcome", sighting()), 0)
    text = shown(a_view(incidents=board.incidents(NOW)))
    assert "0 open incidents" in text
    assert "closed" in text


@pytest.mark.parametrize(
    "unsure",
    [
        {"unread_sites": UNREAD},
        {"health": [site_health(), SiteHealth("dunkerque", (), seconds_ago(6), is_silent=True)]},
        {"health": [site_health(), SiteHealth("dunkerque", (), None, is_silent=True)]},
    ],
    ids=["not caught up", "a silent site", "a site that never reported"],
)
def test_the_count_is_unknown_while_something_may_be_missing(unsure: dict[str, Any]) -> None:
    text = shown(a_view(sighting(), **unsure))
    assert "? open incidents" in text
    assert "1 open incident" not in text
    assert "AB12CDE" in text, "what is known is still shown"


def test_incidents_that_do_not_fit_are_counted_below_the_others() -> None:
    alerts = [an_alert(a_read(f"r{n}"), an_entry(f"e{n}", plate=f"AB{n}", priority=n)) for n in range(1, 5)]
    text = shown(a_view(*alerts), rows=3)
    assert "1 more incident, less urgent than these" in text
    assert "AB3" in text
    assert "AB4" not in text
    assert "more incident" not in shown(a_view(*alerts), rows=4)


# --- warnings ---


def test_no_fault_is_shown_when_all_is_well() -> None:
    assert not faults(a_view(sighting()))


def test_a_board_that_is_still_loading_says_so() -> None:
    assert faults(a_view(unread_sites=UNREAD)) == ["Reading earlier records. Not everything is shown yet"]


def test_a_port_at_which_nobody_meets_arrivals_is_named_with_the_time_of_its_clock() -> None:
    view = a_view(watched_until={"calais": minutes(-9), "dunkerque": ALWAYS})
    [fault] = faults(view)
    assert fault == (
        "Calais: nobody has checked arrivals since Sun 11:51 UTC. Vehicles that have come are still shown as expected"
    )
    assert not faults(a_view(watched_until={"calais": ALWAYS}))
    assert fault in faults(a_view(watched_until=view.watched_until, unread_sites=UNREAD))
    assert len(faults(a_view(watched_until={"dunkerque": minutes(-9)}, unread_sites=UNREAD))) == 1


def test_ports_where_nobody_looks_for_newly_listed_vehicles_are_named_in_one_line() -> None:
    gone = dict.fromkeys(SITES, BackCheckHealth(None, minutes(-9)))
    assert faults(a_view(back_checks=gone)) == [
        (
            "Calais, Dunkerque: nobody has checked since Sun 11:51 UTC whether newly listed vehicles have passed "
            "already. If one has, it raises NO alert"
        )
    ]
    [reading, of_calais] = faults(a_view(back_checks=gone, unread_sites=UNREAD))
    assert reading.startswith("Reading")
    assert of_calais.startswith("Calais: nobody"), "what was told at Dunkerque may not have been read yet"
    assert not faults(a_view(back_checks=dict.fromkeys(SITES, BackCheckHealth(None, ALWAYS))))


def test_a_site_that_has_never_reported_is_not_checked() -> None:
    view = a_view(health=[SiteHealth("dunkerque", (), None, is_silent=True)])
    assert faults(view) == ["Dunkerque: no matcher has reported yet. Vehicles are NOT being checked"]
    assert "CUT OFF" in shown(view)


def test_a_silent_site_is_cut_off_since_its_last_status() -> None:
    view = a_view(health=[site_health(), SiteHealth("dunkerque", (), seconds_ago(125), is_silent=True)])
    assert faults(view) == ["Dunkerque: no matcher has reported for 2 min. Vehicles may be passing unchecked"]
    assert "CUT OFF" in shown(view)


def test_one_cause_is_one_line_however_many_ports_and_matchers_it_touches() -> None:
    old = [a_status(name, list_confirmed_at=seconds_ago(20)) for name in ("one", "two")]
    silent = [SiteHealth(site, tuple(old), seconds_ago(15), is_silent=True) for site in SITES]
    assert faults(a_view(health=silent)) == [
        "Calais, Dunkerque: no matcher has reported for 15 s. Vehicles may be passing unchecked",
        "Calais, Dunkerque: the watchlist was last confirmed 20 s ago. Changes may be missing",
    ]


def test_where_the_reason_is_known_why_a_site_is_silent_the_command_is_named_that_says_it_to_engineers() -> None:
    away = "the broker at 10.0.0.3:9092 does not answer"
    for heard_at in (None, seconds_ago(125)):
        view = a_view(health=[SiteHealth("dunkerque", (), heard_at, is_silent=True, why_silent=away)])
        (fault,) = faults(view)
        assert fault.endswith(". `anpr doctor` says why")
        assert "broker" not in fault


def test_a_site_whose_matchers_have_no_partition_is_not_checked() -> None:
    waiting, working = a_status("one", partitions=0), a_status("two", partitions=6)
    assert faults(a_view(health=[site_health(waiting)])) == [
        "Calais: no matcher reads any camera yet. Vehicles are NOT being checked"
    ]
    assert not faults(a_view(health=[site_health(waiting, working)])), "a standby matcher is no fault"


def test_a_matcher_without_a_list_checks_nothing() -> None:
    without = a_status("two", generation=None, list_confirmed_at=None, list_applied_at=None)
    view = a_view(health=[site_health(a_status(), without)])
    assert faults(view) == ["Calais: a matcher has never had a watchlist. It checks nothing"]


@pytest.mark.parametrize(("seconds", "is_old"), [(10, False), (11, True)])
def test_a_list_that_is_no_longer_confirmed_is_a_fault(seconds: int, is_old: bool) -> None:
    view = a_view(health=[site_health(a_status(list_confirmed_at=seconds_ago(seconds)))])
    fault = "Calais: the watchlist was last confirmed 11 s ago. Changes may be missing"
    assert faults(view) == [fault] * is_old


def test_a_list_from_disk_has_not_been_confirmed_since_the_start() -> None:
    view = a_view(health=[site_health(a_status(list_confirmed_at=None))])
    assert faults(view) == ["Calais: the watchlist has not been confirmed since the start. Changes may be missing"]


def test_records_that_could_not_be_read_are_counted_by_kind_and_port() -> None:
    view = a_view(unreadable_records={"anpr.dunkerque.alerts.v1": 2, "anpr.calais.alerts.v1": 1})
    assert faults(view) == [
        "1 alert from Calais could not be read",
        "2 alerts from Dunkerque could not be read",
    ]


def test_records_that_were_deleted_before_this_program_had_read_them_are_counted_by_kind_and_port() -> None:
    view = a_view(missed_records={"anpr.dunkerque.alerts.v1": 2, "anpr.calais.alerts.v1": 1})
    assert faults(view) == [
        "1 alert from Calais missing: deleted before this program had read so far",
        "2 alerts from Dunkerque missing: deleted before this program had read so far",
    ]


def test_faults_stand_on_top() -> None:
    lines = shown(a_view(sighting(), unread_sites=UNREAD, unreadable_records={"topic": 1})).splitlines()
    assert [line.startswith(" ! ") for line in lines[:3]] == [True, True, False]


# --- the sites ---


def test_a_site_shows_its_matchers_its_lag_its_list_and_its_cameras() -> None:
    two = (
        a_status("one", lag=3, cameras={"uk-1": seconds_ago(2)}),
        a_status("two", lag=4, cameras={"uk-1": seconds_ago(1)}),
    )
    text = shown(a_view(health=[site_health(*two)]))
    assert "Calais 2 0.0 - - 7 24 entries, 30 s old 1f 1 s 2r none" in " ".join(text.split())


def test_a_lag_that_no_matcher_knows_is_shown_as_unknown() -> None:
    text = shown(a_view(health=[site_health(a_status(lag=None))]))
    assert "Calais 1 0.0 - - ? 24 entries" in " ".join(text.split())


def test_the_list_of_the_newest_generation_of_two_matchers_is_shown() -> None:
    old = a_status("one", generation=generation(9), entries=900)
    new = a_status("two", generation=generation(10), entries=1000)
    for both in ((old, new), (new, old)):
        assert "1,000 entries" in shown(a_view(health=[site_health(*both)]))


def test_a_site_whose_matchers_have_no_list_shows_none() -> None:
    without = a_status(generation=None, list_applied_at=None, list_confirmed_at=None)
    assert "none" in shown(a_view(health=[site_health(without)]))


# --- how certain ---


def misread(tier: str) -> Alert:
    differences = (Difference(place=4, read="O", listed="0", why="one glyph on many plates"),)
    explanation = Explanation(read_as="AB1OCDE", listed_as="AB10CDE", differences=differences)
    return an_alert(a_read(plate="AB1OCDE"), an_entry(plate="AB10CDE"), tier=tier, explanation=explanation)


def test_letters_in_which_read_and_listed_plate_differ_are_marked_in_both() -> None:
    view = a_view(misread("equivalent"))
    assert "AB1OCDE" in shown(view)
    assert "AB10CDE" in shown(view)
    assert styled(view, "underline") == ["O", "0"]
    assert not styled(a_view(sighting()), "underline")


@pytest.mark.parametrize(
    ("tier", "expected"),
    [
        ("exact", " exact "),
        ("equivalent", "same but for 0/O, 1/I"),
        ("near", "possible: check the plate"),
        ("of a later version", "possible: check the plate"),
    ],
)
def test_the_certainty_of_a_match_is_shown_in_words(tier: str, expected: str) -> None:
    words = {" exact ", "same but for 0/O, 1/I", "possible: check the plate"}
    text = shown(a_view(misread(tier)))
    assert {word for word in words if word in text} == {expected}


def test_a_note_against_a_match_stands_beside_its_certainty() -> None:
    explanation = Explanation(read_as="AB1", listed_as="AB1", notes=("country read FR, listed GB",))
    assert "exact; country read FR, listed GB" in shown(
        a_view(an_alert(a_read(), an_entry(), explanation=explanation))
    )


def test_an_alert_that_came_late_is_not_shown_as_live() -> None:
    assert "1 min LATE" in shown(a_view(an_alert(a_read(), an_entry(), kind="late")))
    assert "LATE" not in shown(a_view(sighting()))


def test_a_vehicle_that_passed_before_it_was_listed_is_not_shown_as_live() -> None:
    assert "1 min EARLIER" in shown(a_view(an_alert(a_read(), an_entry(), kind="retrospective")))


# --- why, and what to do ---


def test_a_warning_comes_before_the_reason() -> None:
    view = a_view(sighting(reason="Stolen", instruction="Hold", warnings=("armed", "dogs")))
    assert "ARMED. DOGS. Stolen. Hold" in shown(view)
    assert "ARMED. " in styled(view, "bold")


def test_two_entries_on_one_plate_are_both_shown_with_the_warnings_of_both_first() -> None:
    more_urgent = sighting("a", priority=1, reason="Stolen", warnings=("two men",))
    other = sighting("b", priority=2, reason="Fuel theft", warnings=("armed", "two men"))
    text = shown(a_view(other, more_urgent))
    assert "1 open incident " in text
    assert "TWO MEN. ARMED. Stolen / Fuel theft" in text


def test_what_two_entries_on_one_plate_say_alike_is_said_once() -> None:
    entries = (
        sighting(name, reason=reason, instruction="Hold") for name, reason in (("a", "Stolen"), ("b", "Theft"))
    )
    assert "Stolen. Hold / Theft " in shown(a_view(*entries))


def test_an_incident_without_a_standing_alert_still_shows_why_it_was_raised() -> None:
    board = Board(timedelta(minutes=30), timedelta(hours=72))
    alert = sighting(reason="Stolen")
    board.add_alert(alert)
    board.add_correction(a_correction(alert))
    text = shown(a_view(incidents=board.incidents(NOW)))
    assert "corrected" in text
    assert "Stolen" in text


def test_the_officer_who_has_claimed_it_is_shown_with_the_site() -> None:
    board = Board(timedelta(minutes=30), timedelta(hours=72))
    board.add_alert(sighting())
    board.add_action(an_action("claim-1", "claimed", sighting(), officer="Ann [b]"), 0)
    incidents = board.incidents(NOW)
    assert "Ann [b] (calais)" in shown(a_view(incidents=incidents, claimed=claimed_by(incidents)))


@pytest.mark.parametrize("width", [80, 160])
def test_a_claim_that_nobody_attends_to_is_shown_as_such_by_time_alone(width: int) -> None:
    board = Board(timedelta(minutes=30), timedelta(hours=72))
    board.add_alert(sighting())
    board.add_action(an_action("claim-1", "claimed", sighting(), at=NOON), 0)

    def text_at(minute: float) -> str:
        now = minutes(minute)
        incidents = board.incidents(now)
        view = a_view(now=now, incidents=incidents, claimed=claimed_by(incidents, now))
        console = Console(record=True, width=width, file=io.StringIO())
        console.print(draw_to_fit(view, SITES, width, 24))
        text = console.export_text()
        assert len(text.splitlines()) <= 24
        return " ".join(text.replace("\N{BOX DRAWINGS LIGHT VERTICAL}", " ").split())

    assert "Ann (calais)" in text_at(9)
    assert "UNATTENDED" not in text_at(9)
    assert "UNATTENDED for 12 min" in text_at(12)
    board.add_action(an_action("still", "attended", sighting(), at=minutes(11)), 1)
    assert "UNATTENDED" not in text_at(12)
    board.add_action(an_action("outcome", "outcome", sighting(), at=minutes(11)), 2)
    assert "UNATTENDED" not in text_at(60), "it is settled"


MARKUP = "[red]x[/red]"


@pytest.mark.parametrize(
    "alert",
    [
        sighting(reason=MARKUP),
        sighting(instruction=MARKUP),
        an_alert(a_read(lane=MARKUP), an_entry()),
        an_alert(a_read(), an_entry(), explanation=Explanation(read_as=MARKUP, listed_as="AB1")),
        an_alert(a_read(), an_entry(), explanation=Explanation(read_as="A", listed_as="A", notes=(MARKUP,))),
    ],
    ids=["reason", "instruction", "lane", "plate", "note"],
)
def test_text_that_looks_like_markup_is_shown_as_it_is(alert: Alert) -> None:
    assert MARKUP in shown(a_view(alert))


def test_a_warning_that_looks_like_markup_is_shown_as_it_is() -> None:
    assert MARKUP.upper() in shown(a_view(sighting(warnings=(MARKUP,))))


@pytest.mark.parametrize("name", [MARKUP, "[/]"])
def test_a_topic_whose_name_looks_like_markup_is_shown_as_it_is(name: str) -> None:
    (fault,) = faults(a_view(unreadable_records={name: 1}))
    assert name in fault


@pytest.mark.parametrize("letters", ["\x1b[2J", "\x1b]0;quiet\x07", "\r", "\u202e"])
def test_nothing_in_an_entry_steers_the_officers_terminal(letters: str) -> None:
    view = a_view(sighting(reason=f"stolen{letters}", instruction=letters, warnings=(f"armed{letters}",)))
    assert letters not in shown(view)
    assert "stolen" in shown(view)


@pytest.mark.parametrize("letters", ["\x1b[2J", "\x9b2J", "\r", "\u202e"])
def test_nothing_in_an_explanation_steers_the_officers_terminal(letters: str) -> None:
    alert = sighting()
    texts = Explanation(read_as=f"AB1{letters}", listed_as=f"AB2{letters}")
    assert letters not in shown(a_view(replace(alert, explanation=texts)))


def test_a_narrow_screen_leaves_nothing_out() -> None:
    alert = sighting(reason="stolen", warnings=("armed",))
    console = Console(record=True, width=80, file=io.StringIO())
    console.print(draw(a_view(alert), SITES, 5, 80))
    text = console.export_text()
    for part in ("ARMED", "stolen", "exact", "list ", "reads/s", "1 open incident ", alert.explanation.read_as):
        assert part in text


def test_deleted_reads_are_a_fault_until_a_person_acknowledges_them() -> None:
    losses = Losses(WEEK)
    losses.add(a_loss(2, 4, 6))
    words = "Calais: 3 reads were deleted before they were checked, between Sun 12:00:00 UTC and Sun 12:08:00 UTC"
    assert faults(a_view(losses=losses.by_site(NOW))) == [words]
    losses.acknowledge(acknowledged(a_loss(2, 4, 6)))
    assert faults(a_view(losses=losses.by_site(NOW))) == []


# --- what fits on a screen ---


def lines_of(view: View, width: int, height: int) -> list[str]:
    console = Console(record=True, width=width, file=io.StringIO())
    console.print(draw_to_fit(view, SITES, width, height))
    return console.export_text().splitlines()


def many(count: int) -> list[Alert]:
    long = "Seen at a loading place of a group that hides people in the load of refrigerated trailers"
    return [
        an_alert(
            a_read(f"r{n}", lane="1", plate=f"AB{n}"),
            an_entry(f"e{n}", plate=f"AB{n}", priority=min(n, 4), reason=long, warnings=("armed",)),
        )
        for n in range(1, count + 1)
    ]


@pytest.mark.parametrize("count", [0, 1, 5, 60])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (80, 15), (120, 24), (200, 60)])
def test_the_view_fits_the_screen_whatever_is_on_it(width: int, height: int, count: int) -> None:
    view = a_view(*many(count), health=[site_health(), site_health(site="dunkerque")])
    lines = lines_of(view, width, height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert ("AB1 " in "\n".join(lines)) == (count > 0), "the most urgent is shown"


def test_an_old_terminal_shows_several_incidents_and_counts_the_others() -> None:
    lines = lines_of(a_view(*many(60)), 80, 24)
    shown_incidents = sum("exact" in line for line in lines)
    assert shown_incidents >= 4
    assert f"{60 - shown_incidents} more incidents, less urgent than these" in lines[-1]
    assert len(lines) + 3 > 24, "no room for another"


def test_on_a_narrow_screen_the_cameras_that_see_nothing_are_counted() -> None:
    assert "all 2 see" in "\n".join(lines_of(a_view(), 80, 24))
    blind = a_view(health=[site_health(a_status(cameras={"uk-1": NOW}))])
    assert "2r none" in "\n".join(lines_of(blind, 80, 24))
    dark = a_view(health=[site_health(a_status(cameras={}))])
    assert "2/2 quiet" in "\n".join(lines_of(dark, 80, 24))


# --- before everything is read, and after something has ended ---


def test_until_everything_is_read_the_view_says_reading_and_no_port_is_called_unchecked() -> None:
    for heard_at in (None, seconds_ago(1000)):  # the last is a status from before, which was just read
        health = SiteHealth("dunkerque", (), heard_at, is_silent=True, why_silent=NOT_READ_YET)
        view = a_view(unread_sites=UNREAD, health=[health])
        assert faults(view) == ["Reading earlier records. Not everything is shown yet"]
        for text in (shown(view), "\n".join(lines_of(view, 80, 24))):
            assert text.count("reading") == 2, "for the port and for the incidents"
            for certain in ("CUT OFF", "no incidents", "none", "quiet"):
                assert certain not in text


def test_a_port_whose_broker_does_not_answer_is_named_while_the_view_still_reads() -> None:
    away = SiteHealth("dunkerque", (), None, is_silent=True, why_silent="the broker does not answer")
    assert any(fault.startswith("Dunkerque: ") for fault in faults(a_view(unread_sites=UNREAD, health=[away])))


def test_with_redis_away_nobody_knows_how_many_are_open() -> None:
    view = a_view(health=[site_health(a_status(list_confirmed_at=seconds_ago(11)))])
    assert "? open incidents" in shown(view)
    assert "no incidents" not in shown(view)
    assert "not known: see the red lines" in shown(view)


def test_a_fault_of_this_machine_stands_above_all_others() -> None:
    assert faults(a_view(faults=("Kafka has ended",), unread_sites=UNREAD))[0] == "Kafka has ended"


# --- vehicles that are due ---


@pytest.mark.parametrize("width", [80, 160])
def test_the_vehicles_that_are_due_fit_the_screen_with_all_that_is_known_of_them(width: int) -> None:
    route = Route("calais", "dover", "ferry", 90, 36)
    sites = SITES | {"dover": Site(title="Dover", kafka="", redis="", time_zone="Europe/London")}
    incidents = a_view(*many(3)).incidents
    due: list[tuple[Incident, Concern, ArrivalState]] = [
        (
            incident,
            Concern(route, minutes(90), minutes(126), None, may_claim=True, until=minutes(186), call_at=None),
            "due",
        )
        for incident in incidents
    ]
    console = Console(record=True, width=width, file=io.StringIO())
    console.print(draw_arrivals(due, sites, "dover", width))
    text = " ".join(console.export_text().split())
    for part in (
        "due Sun 13:30 GMT to 14:06 GMT",
        "Calais by ferry",
        "AB1",
        "AB3",
        "exact",
        "ARMED.",
        "P1",
        "trailers",
    ):
        assert part in text
    if width == 80:
        assert len(console.export_text().splitlines()) <= 9


@pytest.mark.parametrize("width", [80, 160])
def test_where_a_vehicle_is_due_stands_apart_from_what_to_do(width: int) -> None:
    alert = an_alert(a_read(), an_entry(instruction="Refer to the duty officer"))
    [incident] = a_view(alert).incidents
    route = Route("calais", "dover", "ferry", 90, 36)
    concern = Concern(route, minutes(90), minutes(126), None, may_claim=True, until=minutes(186), call_at=None)
    sites = SITES | {"dover": Site(title="Dover", kafka="", redis="", time_zone="Europe/London")}
    console = Console(record=True, width=width, file=io.StringIO())
    view = a_view(alert, expected={incident.incident_id: [(concern, "overdue")]})
    console.print(draw(view, sites, 10, width))
    assert "Refer to the duty officer. Dover: overdue" in " ".join(console.export_text().split())
