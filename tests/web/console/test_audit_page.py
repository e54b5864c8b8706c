"""An auditor finds who did what at the consoles of a site. What cannot be recorded is not done."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import msgspec
import pytest

from anpr.audit.chain import AuditChain
from anpr.audit.record_search import PAGE_RECORDS
from tests.support.audit import look_up
from tests.support.web_console import PASSWORD, ConsoleServer, csrf_of, running_console
from tests.web.console.test_acting import actions, do, text_of


@pytest.fixture
def server(tmp_path: Path, redis_url: str) -> Iterator[ConsoleServer]:
    with running_console(tmp_path / "console", redis_url) as console_server:
        yield console_server


def rows(page: httpx.Response) -> list[list[str]]:
    """Return the cells of each record that a page shows."""
    table = page.text.partition('id="records"')[2]
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr.*?</tr>", table)[1:]]
    return [[html.unescape(re.sub("<.*?>", "", cell)) for cell in row] for row in cells]


def look_ups_shown(auditor: httpx.Client) -> set[tuple[str, str, str]]:
    """Return what, which plate and which incident the records of the audit page are about."""
    return {(what, plate, incident) for _, _, _, _, what, plate, incident, *_ in rows(auditor.get("/audit"))}


def search(auditor: httpx.Client, **fields: str) -> httpx.Response:
    today = f"{auditor_day(auditor)}"
    form = {"since": today, "until": today} | fields
    return auditor.post("/audit", data={"csrf": csrf_of(auditor, "/audit"), **form})


def auditor_day(auditor: httpx.Client) -> str:
    found = re.search(r'name="until"[^>]*value="([^"]+)"', auditor.get("/audit").text)
    assert found
    return found[1]


def test_everything_that_an_officer_does_about_an_incident_is_recorded(server: ConsoleServer) -> None:
    alert = server.alert("AB12CDE")
    with server.browser("ann") as ann, server.browser("aud") as aud:
        do(ann, alert.alert_id, "claim")
        do(ann, alert.alert_id, "plate-check", plate_check="same")
        do(ann, alert.alert_id, "outcome", outcome="turned_away")
        outcome = actions(server)[-1]
        do(ann, alert.alert_id, "take-back", action=outcome.action_id)
        do(ann, alert.alert_id, "comment", note="the driver was helpful")
        shown = rows(search(aud, person="ann", kind="alteration"))
        ann.post("/sign-out", data={"csrf": csrf_of(ann, "/"), "with": "keep"})
    assert [(row[4], row[5]) for row in shown] == [
        (what, "AB12CDE") for what in ("comment", "retracted", "outcome", "plate check", "claimed")
    ]
    details = " ".join(row[8] for row in shown)
    assert "outcome: Turned away" in details
    assert "plate check: Same plate" in details
    assert f"retracts: {outcome.action_id}" in details
    assert "helpful" not in details, "the note is on the actions topic"
    sign_ins = [record.event.what for record in server.audited() if record.event.operation == "sign-in"]
    assert sign_ins == ["signed in", "signed in", "signed out"]


def test_an_auditor_filters_by_person_vehicle_kind_and_period(server: ConsoleServer) -> None:
    server.audit_chain.append(look_up("AB12CDE", "ann"), look_up("CD34EFG", "bob"))
    server.clock_offset = timedelta(days=3)
    with server.browser("aud") as aud:
        assert rows(search(aud, person="ann")) == []
        since = {"since": f"{(server.clock() - timedelta(days=4)).date()}"}
        assert [row[5] for row in rows(search(aud, person="ANN", **since))] == ["AB12CDE"]
        assert [row[1] for row in rows(search(aud, vehicle="cd34 efg", kind="consultation", **since))][-1] == "bob"
        assert {row[3] for row in rows(search(aud, kind="sign-in", **since))} == {"Sign-in"}
        assert "There is no such record" in search(aud, person="nobody", **since).text


def test_an_auditor_who_looks_a_vehicle_up_is_recorded_before_the_answer(server: ConsoleServer) -> None:
    with server.browser("aud") as aud:
        shown = rows(search(aud, vehicle="AB12CDE"))
    (row,) = shown
    assert row[1:6] == ["aud", "auditor", "Consultation", "audit log", "AB12CDE"]
    event = server.audited()[-1].event
    assert (event.user, event.plate) == ("aud", "AB12CDE")


def test_an_auditor_reads_the_days_of_a_look_up_as_the_console_writes_times(server: ConsoleServer) -> None:
    asked = {
        "ports": "calais dover",
        "since": "2026-10-31T00:00:00+00:00",
        "until": "2026-11-29T12:41:07.123456+00:00",
    }
    server.audit_chain.append(msgspec.structs.replace(look_up("AB12CDE", "ann"), details=asked))
    with server.browser("aud") as aud:
        (row,) = rows(search(aud, person="ann"))
    words = "ports: calais dover; since: 31 Oct 2026 00:00:00 UTC; until: 29 Nov 2026 12:41:07 UTC"
    assert row[8] == words


def test_long_results_come_page_by_page_over_all_consoles_of_the_machine(server: ConsoleServer) -> None:
    other = AuditChain(server.audit_folder / "console-2", "calais", "console-2", server.clock)
    for number in range(PAGE_RECORDS):
        (other if number % 2 else server.audit_chain).append(look_up(f"P{number}", "ann"))
    other.append(*(look_up(f"P{PAGE_RECORDS + number}", "ann") for number in range(PAGE_RECORDS // 2)))
    plates: list[str] = []
    with server.browser("aud") as aud:
        page = search(aud, person="ann")
        while True:
            plates += [row[5] for row in rows(page)]
            after = re.search(r'name="after" value="([^"]+)"', page.text)
            if after is None:
                break
            assert "Show older records" in page.text
            page = search(aud, person="ann", after=after[1])
    assert sorted(plates) == sorted(f"P{number}" for number in range(PAGE_RECORDS * 3 // 2))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"since": "yesterday"}, "Enter the first day, such as 2026-11-29."),
        ({"until": ""}, "Enter the last day, such as 2026-11-29."),
        ({"since": "2026-11-02", "until": "2026-11-01"}, "The last day must not be before the first."),
        ({"vehicle": "*CDE"}, "Enter the whole plate, such as AB12 CDE."),
        ({"vehicle": "**"}, "Enter the whole plate, such as AB12 CDE."),
        ({"vehicle": "\u30fc"}, "Enter the whole plate, such as AB12 CDE."),  # only a hyphen of another script
        ({"person": "x" * 65}, "The person must be 64 characters or fewer."),
        ({"kind": "gossip"}, "Select a kind from the list."),
    ],
)
def test_a_field_that_cannot_be_used_is_named(server: ConsoleServer, fields: dict[str, str], says: str) -> None:
    with server.browser("aud") as aud:
        answer = search(aud, **fields)
    assert answer.status_code == 400
    assert says in text_of(answer)
    assert f'href="#{next(iter({"until"} & fields.keys() or fields))}"' in answer.text


def test_a_page_that_no_search_gave_is_refused(server: ConsoleServer) -> None:
    with server.browser("aud") as aud:
        answer = search(aud, after="console-1")
    assert answer.status_code == 503
    assert "no such page" in answer.text


def test_lines_that_cannot_be_read_are_counted_on_the_page(server: ConsoleServer) -> None:
    server.audit_chain.append(look_up("AB12CDE"))
    (segment,) = server.audit_folder.glob("console-1/*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b"AB12CDE", b"ZZ99ZZZ"))
    with server.browser("aud") as aud:
        assert "1 line of the log cannot be read" in aud.get("/audit").text


def test_what_cannot_be_recorded_is_not_done(server: ConsoleServer, monkeypatch: pytest.MonkeyPatch) -> None:
    alert = server.alert("AB12CDE")
    with server.browser("ann") as ann, server.browser("aud") as aud, server.browser() as visitor:
        form = {"csrf": csrf_of(ann, "/")}

        def full(*_: object) -> int:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr("anpr.audit.durable_file.os.write", full)
            refused = ann.post(f"/incident/{alert.alert_id}/claim", data=form)
            assert refused.status_code == 503
            assert "free space on the disk" in refused.text
            assert not actions(server)
            assert aud.get("/audit").status_code == 503
            assert visitor.post("/sign-in", data={"name": "bob", "password": PASSWORD}).status_code == 503
            assert "AB12CDE" in ann.get("/").text, "the board goes on"
        assert ann.post(f"/incident/{alert.alert_id}/claim", data=form).status_code == 303
