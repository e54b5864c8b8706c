"""Looking a vehicle up on the console: who may, what is recorded first, and what the page says and leaves out."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from random import Random

import httpx
import pytest

from anpr.audit.chain import AuditChain
from anpr.console.local_time import day_text
from anpr.contracts import topics
from anpr.contracts.look_up import SightingsAnswer
from anpr.local.processes import wait_until
from anpr.local.valkey_server import ValkeyServer
from anpr.look_up.site_reply import SiteReply
from anpr.runtime.errors import UnavailableError
from simulators.plate_pictures import render
from simulators.vehicles import Plate
from tests.support.sightings import PLATE, a_misread, a_sighting, an_answer, no_answer, with_alert
from tests.support.strategies import an_action, an_alert, an_entry
from tests.support.web_console import ConsoleServer, csrf_of, running_console
from tests.web.console.test_acting import text_of

QUESTION = {"plate": "ab12 cde", "reason": "seen leaving the lane"}


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleServer]:
    folder = tmp_path_factory.mktemp("console")
    with ValkeyServer(folder / "valkey") as valkey, running_console(folder / "console", valkey.url) as console_server:
        yield console_server


@pytest.fixture
def server(shared_server: ConsoleServer) -> ConsoleServer:
    shared_server.replies = []
    shared_server.asked.clear()
    return shared_server


def look_up(browser: httpx.Client, path: str = "/vehicle", **fields: str) -> httpx.Response:
    return browser.post(path, data={"csrf": csrf_of(browser, "/vehicle"), **QUESTION, **fields})


def test_the_page_shows_where_the_vehicle_was_and_what_officers_did(server: ConsoleServer) -> None:
    now = server.clock()
    sighting = a_sighting("coquelles", now - timedelta(hours=2), read={"lane": "4"})
    alert = an_alert(sighting.read, an_entry(priority=1, reason="stolen lorry"))
    action = an_action("1", "outcome", alert, officer="kate", site="coquelles", outcome="turned_away", at=now)
    server.replies = [
        an_answer("calais", a_sighting("calais", now)),
        an_answer("coquelles", with_alert(sighting, alert, action)),
    ]
    with server.browser("ann") as ann:
        page = look_up(ann)
    shown = text_of(page)
    assert page.status_code == 200
    for words in (
        "Seen 2 times",
        "Calais lane 3, to the UK",
        "Coquelles lane 4",
        "stolen lorry",
        "Turned away by kate at Coquelles",
    ):
        assert words in shown
    assert "is missing" not in shown
    [(asked, ports, covert)] = server.asked
    assert (asked.plate, asked.user, asked.role, asked.asking_site) == ("ab12 cde", "ann", "officer", "calais")
    assert (ports, covert) == (("calais", "coquelles", "dover"), False)


def test_possible_misreads_stand_apart_with_their_probability_and_the_reason(server: ConsoleServer) -> None:
    server.replies = [an_answer("calais", a_misread(seen_at=server.clock()))]
    with server.browser("ann") as ann:
        shown = text_of(look_up(ann))
    assert "Possible misreads (1)" in shown
    assert "12 % likely to be this vehicle" in shown
    assert "At character 7 the camera read F, and the plate asked for has E: cameras confuse E and F" in shown
    assert "Seen " not in shown.partition("Possible misreads")[0].partition("where it was seen")[2]


def test_a_port_that_does_not_answer_is_named_before_anything_else(server: ConsoleServer) -> None:
    server.replies = [an_answer("calais", a_sighting(seen_at=server.clock()), is_whole=False), no_answer("dover")]
    with server.browser("ann") as ann:
        shown = text_of(look_up(ann))
    before_the_list = shown.partition("Seen once")[0]
    assert "No answer from Dover: did not answer within 5 s. What it saw is missing here." in before_the_list
    assert "Calais has more reads than an answer holds." in before_the_list
    server.replies = [an_answer("calais"), no_answer("dover")]
    with server.browser("ann") as ann:
        assert "No port that answered has seen this vehicle" in text_of(look_up(ann))


def test_ports_whose_history_begins_after_the_period_say_so(server: ConsoleServer) -> None:
    today = server.clock().date()
    answers = {site: SightingsAnswer(site=site, kept_since=today) for site in ("calais", "coquelles")}
    long_ago = SightingsAnswer(site="dover", kept_since=today - timedelta(days=60))
    server.replies = [SiteReply(site, answer) for site, answer in (answers | {"dover": long_ago}).items()]
    with server.browser("ann") as ann:
        shown = text_of(look_up(ann))
    assert f"Calais and Coquelles have no reads from before {day_text(today)}." in shown
    assert "No port has seen this vehicle" in shown
    assert shown.count("no reads from before") == 1


@pytest.mark.parametrize(
    ("part", "fields"),
    [
        ("plate", {"plate": "-"}),
        ("reason", {"reason": " "}),
        ("reason", {"reason": "x" * 501}),
        ("country", {"country": "Atlantis"}),
        ("since", {"since": "2026-11-02", "until": "2026-11-01"}),
    ],
)
def test_what_cannot_be_used_is_said_at_its_field_and_what_was_written_stays(
    server: ConsoleServer, part: str, fields: dict[str, str]
) -> None:
    look_ups_before = server.look_ups()
    with server.browser("ann") as ann:
        page = look_up(ann, **fields)
    assert page.status_code == 400
    assert f'href="#{part}"' in page.text
    assert f'id="{part}-error"' in page.text
    for name, value in (QUESTION | fields).items():
        assert f'name="{name}"' in page.text
        assert f'value="{value.strip()}"' in page.text.replace(f'value="{value}"', f'value="{value.strip()}"')
    assert not server.asked, "nobody was asked"
    assert server.look_ups() == look_ups_before


def test_a_look_up_is_in_the_audit_before_anybody_is_asked(
    server: ConsoleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server.browser("ann") as ann, server.browser("aud") as aud:
        look_up(ann, reason="reason 4711")
        recorded = "annofficerConsultationlook-upab12 cdereason 4711ports: calais coquelles dover; since: "
        assert recorded in text_of(aud.get("/audit"))
        server.asked.clear()

        def full(*_: object) -> None:
            raise UnavailableError("audit-unavailable", "the audit chain cannot be written", "free space")

        monkeypatch.setattr(AuditChain, "append", full)
        refused = look_up(ann)
    assert refused.status_code == 503
    assert not server.asked


def test_only_the_named_ports_are_asked(server: ConsoleServer) -> None:
    with server.browser("ann") as ann:
        ann.post(
            "/vehicle",
            data={"csrf": csrf_of(ann, "/vehicle"), **QUESTION, "port": ["dover", "calais", "atlantis"]},
        )
    assert server.asked[0][1] == ("calais", "dover")


def test_a_form_that_names_only_ports_that_cannot_be_asked_asks_nobody(server: ConsoleServer) -> None:
    """The look-up from a covert incident names its own port alone, and a port without cameras has no history."""
    with server.browser("ann") as ann:
        for address in ("/vehicle", "/vehicle/export"):
            answer = ann.post(address, data={"csrf": csrf_of(ann, "/vehicle"), **QUESTION, "port": "folkestone"})
            assert answer.status_code in {400, 403}
    assert not server.asked


def test_only_people_with_the_covert_permission_ask_for_covert_alerts(server: ConsoleServer) -> None:
    sighting = a_sighting(seen_at=server.clock())
    alert = an_alert(sighting.read, an_entry(handling="covert", reason="quiet"))
    server.replies = [an_answer("calais", with_alert(sighting, alert))]
    with server.browser("cleo") as cleo, server.browser("ann") as ann:
        assert "Covert quiet" in text_of(look_up(cleo))
        look_up(ann)
    assert [covert for _, _, covert in server.asked] == [True, False]


def test_the_incident_page_asks_every_port_and_for_a_covert_one_only_its_own(server: ConsoleServer) -> None:
    plain, covert = server.alert("AB13CDE"), server.alert("SECRET1", handling="covert")
    with server.browser("ann") as ann, server.browser("cleo") as cleo, server.browser("aud") as aud:
        page = ann.get(f"/incident/{plain.alert_id}")
        assert "Where has this vehicle been?" in page.text
        assert '<input type="hidden" name="plate" value="AB13CDE">' in page.text
        assert 'name="port"' not in page.text
        covert_page = cleo.get(f"/incident/{covert.alert_id}").text
        assert '<input type="hidden" name="port" value="calais">' in covert_page
        assert "Write nothing covert" in covert_page
        assert "Where has this vehicle been?" not in aud.get(f"/incident/{plain.alert_id}").text


def other_ports(browser: httpx.Client, incident_id: str) -> httpx.Response:
    csrf = csrf_of(browser, f"/incident/{incident_id}")
    return browser.post(f"/incident/{incident_id}/other-ports", data={"csrf": csrf})


def test_an_incident_shows_where_other_ports_saw_its_vehicle_last_once_that_is_recorded(
    server: ConsoleServer,
) -> None:
    now, plate = server.clock(), "AB15CDE"
    here = server.alert(plate)
    server.alert(plate, "coquelles")
    earlier = [a_sighting("coquelles", now - timedelta(hours=hours), read={"lane": "4"}) for hours in (3, 9)]
    server.replies = [an_answer("coquelles", *earlier), no_answer("dover")]
    look_ups_before = server.look_ups()
    with server.browser("ann") as ann:
        shown = text_of(ann.get(f"/incident/{here.alert_id}"))
        assert "It raised alerts at Coquelles too." in shown
        assert not server.asked, "what the board has is enough for that"
        found = other_ports(ann, here.alert_id)
    lines = re.findall(r"<li.*?</li>", found.text.partition('id="found"')[2], re.DOTALL)
    coquelles, dover = (" ".join(re.sub(r"<[^>]+>", "", line).split()) for line in lines[:2])
    last = now - timedelta(hours=3)
    assert re.fullmatch(
        rf"Coquelles \w+day {day_text(last.date())}, {last:%H:%M:%S} UTC, lane 4, to the UK", coquelles
    )
    assert dover == "Dover: no answer, did not answer within 5 s"
    [(asked, ports, covert)] = server.asked
    assert (asked.plate, asked.user, ports, covert) == (plate, "ann", ("coquelles", "dover"), False)
    record = server.audited()[-1].event
    assert (record.what, record.plate, record.reason) == ("look-up", plate, f"incident {here.alert_id} at calais")
    assert asked.reason == record.reason
    assert server.look_ups() > look_ups_before


def test_a_covert_incident_is_known_at_no_other_port(server: ConsoleServer) -> None:
    covert = server.alert("SECRET2", handling="covert")
    with server.browser("cleo") as cleo, server.browser("ann") as ann:
        assert "other-ports" not in cleo.get(f"/incident/{covert.alert_id}").text
        assert other_ports(cleo, covert.alert_id).status_code == 409
        csrf = csrf_of(ann, "/vehicle")
        assert ann.post(f"/incident/{covert.alert_id}/other-ports", data={"csrf": csrf}).status_code == 404
    assert not server.asked


def test_other_ports_are_not_asked_when_that_cannot_be_recorded(
    server: ConsoleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert = server.alert("AB16CDE")
    with server.browser("ann") as ann:
        csrf = csrf_of(ann, f"/incident/{alert.alert_id}")

        def full(*_: object) -> None:
            raise UnavailableError("audit-unavailable", "the audit chain cannot be written", "free space")

        monkeypatch.setattr(AuditChain, "append", full)
        answer = ann.post(f"/incident/{alert.alert_id}/other-ports", data={"csrf": csrf})
    assert answer.status_code == 503
    assert not server.asked


def test_a_stay_leads_to_its_incident_if_the_user_may_open_it(server: ConsoleServer) -> None:
    now = server.clock()
    sighting = a_sighting(seen_at=now, plate="AB14CDE")
    alert = an_alert(sighting.read, an_entry("AB14CDE", plate="AB14CDE"), raised_at=now)
    other = an_alert(sighting.read, an_entry("gone"), raised_at=now)
    server.put(topics.of_alert(alert), alert)
    assert wait_until(lambda: alert.alert_id in server.shown(), 60)
    server.replies = [an_answer("calais", with_alert(with_alert(sighting, other), alert))]
    with server.browser("ann") as ann:
        assert re.findall(r'href="/incident/(\w+)"', look_up(ann).text) == [alert.alert_id]


def test_a_picture_is_shown_where_this_machine_has_it_and_its_address_works_in_that_session_alone(
    server: ConsoleServer,
) -> None:
    now = server.clock()
    jpeg = render(Plate(PLATE, "GB"), "front", 3, Random(1))
    here = a_sighting(seen_at=now, read={"image": server.images.put("calais", now, jpeg)})
    elsewhere = a_sighting("coquelles", now, read={"image": f"coquelles/{now:%Y-%m-%d}/{'0' * 32}.jpg"})
    of_another_site = a_sighting("coquelles", now - timedelta(hours=3), read={"image": here.read.image})
    server.replies = [an_answer("calais", here), an_answer("coquelles", elsewhere, of_another_site)]
    with server.browser("ann") as ann, server.browser("bob") as bob, server.browser("aud") as aud:
        [address] = set(re.findall(r'src="(/vehicle/image/[^"]+)"', look_up(ann).text))
        picture = ann.get(address)
        assert (picture.status_code, picture.content) == (200, jpeg)
        assert ann.get(address[:-1] + ("0" if address[-1] != "0" else "1")).status_code == 404
        assert bob.get(address).status_code == 404
        assert aud.get(address).status_code == 403


def test_an_export_has_everything_and_is_in_the_audit_as_one(server: ConsoleServer) -> None:
    reads = [a_sighting(seen_at=server.clock() - timedelta(hours=hour)) for hour in range(120)]
    server.replies = [an_answer("calais", *reads), no_answer("dover")]
    with server.browser("sam") as sam, server.browser("ann") as ann, server.browser("aud") as aud:
        page = look_up(sam)
        assert "the newest 100 of 120" in text_of(page)
        assert 'action="/vehicle/export"' in page.text
        made = look_up(sam, "/vehicle/export", format="csv", port="calais", reason="reason 4712")
        assert made.headers["content-type"].startswith("text/csv")
        assert re.fullmatch(r'attachment; filename="sightings-\d{8}-\d{6}\.csv"', made.headers["content-disposition"])
        rows = list(csv.DictReader(io.StringIO(made.content.decode("utf-8-sig"), newline="")))
        assert [row["line"] for row in rows] == ["sighting"] * 120
        as_json = look_up(sam, "/vehicle/export", format="json").json()
        assert as_json["missing"] == [{"site": "dover", "problem": "did not answer within 5 s"}]
        assert len(as_json["sightings"]) == 120
        assert "samsupervisorDisclosurelook-upab12 cdereason 4712ports: calais" in text_of(aud.get("/audit"))
        assert "/vehicle/export" not in look_up(ann).text, "officers are offered none"


def test_no_address_on_the_pages_holds_the_plate_and_nothing_is_kept(server: ConsoleServer) -> None:
    server.replies = [an_answer("calais", a_sighting(seen_at=server.clock()))]
    with server.browser("sam") as sam:
        page = look_up(sam)
    assert PLATE in page.text
    for address in re.findall(r'(?:href|src|action)="([^"]*)"', page.text):
        assert "AB12" not in address.upper()
    assert page.headers["cache-control"] == "no-store"


def test_what_a_camera_or_an_officer_wrote_is_shown_as_text(server: ConsoleServer) -> None:
    script = "<script>alert(1)</script>"
    sighting = a_sighting(seen_at=server.clock(), read={"lane": script, "camera": script, "position": script})
    alert = an_alert(sighting.read, an_entry(reason=script))
    note = an_action("1", "comment", alert, note=script, officer=script)
    server.replies = [an_answer("calais", with_alert(sighting, alert, note)), no_answer("dover", script)]
    with server.browser("ann") as ann:
        page = look_up(ann, reason=script)
    assert script not in page.text
    assert page.text.count("&lt;script&gt;") >= 6


def test_a_long_history_is_a_small_page(server: ConsoleServer) -> None:
    reads = [a_sighting(seen_at=server.clock() - timedelta(minutes=40 * number)) for number in range(2000)]
    server.replies = [an_answer("calais", *reads, is_whole=False)]
    with server.browser("ann") as ann:
        page = look_up(ann)
    assert page.text.count('class="stay"') == 100
    assert len(page.content) < 500_000
