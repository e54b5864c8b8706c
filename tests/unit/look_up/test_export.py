"""A look-up for spreadsheets and programs: every sighting, what is missing, and nothing that a sheet runs."""

import csv
import io
import json
from datetime import timedelta
from zoneinfo import ZoneInfo

from anpr.look_up.export import csv_of, json_of
from anpr.look_up.question import Asker, WrittenQuestion, question
from anpr.look_up.site_reply import SiteReply
from anpr.look_up.timeline import Timeline, timeline_of
from tests.support.sightings import a_misread, a_sighting, an_answer, no_answer, with_alert
from tests.support.strategies import NOON, an_action, an_alert, an_entry, minutes

LOOK_UP = question(
    WrittenQuestion("AB12CDE", "why"), Asker("ann", "officer", "calais"), NOON, ZoneInfo("Europe/Paris")
)


def made_of(*replies: SiteReply) -> Timeline:
    return timeline_of(replies, timedelta(minutes=30))


def rows(timeline: Timeline) -> list[dict[str, str]]:
    text = csv_of(timeline, {"calais": ZoneInfo("Europe/Paris")})
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_each_sighting_is_a_line_with_the_time_at_its_port_and_what_happened() -> None:
    sighting = a_sighting(read={"image": "calais/2026-03-01/0.jpg"})
    alert = an_alert(sighting.read, an_entry(priority=2, reason="stolen lorry"))
    action = an_action("1", "outcome", alert, outcome="turned_away", at=minutes(5), note="sent back")
    [seen, misread] = rows(
        made_of(an_answer("calais", with_alert(sighting, alert, action), a_misread(seen_at=minutes(1))))
    )
    assert seen["line"] == "sighting"
    assert (seen["seen_at"], seen["seen_at_site"]) == ("2026-03-01T12:00:00+00:00", "2026-03-01T13:00:00+01:00")
    assert (seen["lane"], seen["direction"], seen["plate_read"]) == ("3", "uk_bound", "AB12CDE")
    assert seen["picture"] == "calais/2026-03-01/0.jpg"
    assert seen["alerts"] == "priority 2, stolen: stolen lorry"
    assert seen["outcomes"] == "turned_away"
    assert seen["who_did_what"] == "2026-03-01T12:05:00+00:00 Ann (calais) outcome turned_away: sent back"
    assert misread["line"] == "possible misread"
    assert misread["probability"] == "0.1200"
    assert misread["explanation"] == (
        "at character 7 the camera read F, and the plate asked for has E: cameras confuse E and F"
    )


def test_what_is_missing_is_in_the_files_too() -> None:
    made = made_of(no_answer("dover", "has no history service"), an_answer("calais", a_sighting(), is_whole=False))
    first, second, _ = rows(made)
    assert (first["line"], first["site"], first["explanation"]) == ("no answer", "dover", "has no history service")
    assert (second["line"], second["site"]) == ("older sightings left out", "calais")
    written = json.loads(json_of(LOOK_UP, made))
    assert written["missing"] == [{"site": "dover", "problem": "has no history service"}]
    assert written["cut_off"] == ["calais"]
    assert written["look_up"]["reason"] == "why"
    assert [one["read"]["plate"] for one in written["sightings"]] == ["AB12CDE"]


def test_no_cell_is_run_by_a_spreadsheet() -> None:
    formula = "=HYPERLINK(A1)"
    sighting = a_sighting(read={"lane": formula, "camera": formula, "position": formula, "image": formula})
    alert = an_alert(sighting.read, an_entry(reason=formula))
    action = an_action("1", "comment", alert, note=formula)
    made = made_of(an_answer("calais", with_alert(sighting, alert, action)), no_answer("dover", formula))
    for row in rows(made):
        for value in row.values():
            assert value[:1] not in "=+-@\t\r" or not value
    assert rows(made)[1]["lane"] == f"'{formula}"
