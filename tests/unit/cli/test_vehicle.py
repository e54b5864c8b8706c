"""The command that looks a vehicle up: what it prints, what it records first, and its exit codes."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from anpr.audit.folders import site_folder
from anpr.cli import _anpr, vehicle
from anpr.cli.operator import operator_name
from anpr.contracts.look_up import LookUp
from anpr.look_up.question import UnusableQuestionError
from anpr.look_up.site_reply import SiteReply
from anpr.runtime.errors import InputError, UnavailableError
from anpr.runtime.settings import Settings
from anpr.runtime.settings_files import load_settings
from tests.support.sightings import a_misread, a_sighting, an_answer, no_answer, with_alert
from tests.support.strategies import an_action, an_alert, an_entry, minutes

SITES = """
[sites.calais]
title = "Calais"
time_zone = "Europe/Paris"
kafka = "x"
redis = "x"
history = "http://127.0.0.1:1"
[sites.dover]
title = "Dover"
time_zone = "Europe/London"
kafka = "x"
redis = "x"
history = "http://127.0.0.1:1"
[sites.folkestone]
title = "Folkestone"
kafka = "x"
redis = "x"
"""
REASON = ("--reason", "seen leaving the lane")


class Ports:
    """The ports that answer, and what they were asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.replies: list[SiteReply] = []
        self.asked: list[LookUp] = []

    async def ask_sites(self, _: Settings, look_up: LookUp, *, sites: Collection[str]) -> list[SiteReply]:
        assert self.audit_lines(), "it is recorded first"
        self.asked.append(look_up)
        return [reply for reply in self.replies if reply.site in sites]

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(_anpr, ["--config", str(self.folder), "vehicle", *arguments])

    def audit_lines(self) -> list[dict[str, Any]]:
        settings = load_settings(self.folder, {})
        files = sorted(site_folder(settings, "calais").rglob("*.jsonl"))
        lines = [json.loads(line) for file in files for line in file.read_bytes().splitlines()]
        return [line["record"]["event"] for line in lines if line["record"]["event"].get("plate")]


@pytest.fixture
def ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ports:
    (tmp_path / "sites.toml").write_text(SITES, "utf-8")
    (tmp_path / "anpr.toml").write_text(f"[watchlist]\nstate_dir = '{tmp_path / 'state'}'\n", "utf-8")
    made = Ports(tmp_path)
    monkeypatch.setattr(vehicle, "ask_sites", made.ask_sites)
    return made


def test_it_shows_each_stay_in_the_time_of_its_port_with_what_happened(ports: Ports) -> None:
    sighting = a_sighting(read={"image": "calais/2026-03-01/0.jpg"})
    alert = an_alert(sighting.read, an_entry(priority=1, reason="stolen lorry"))
    undone = an_action("1", "outcome", alert, outcome="misread", at=minutes(2), officer="ann")
    undo = an_action("2", "retracted", alert, retracts="1", at=minutes(3), officer="ann")
    outcome = an_action("3", "outcome", alert, outcome="turned_away", at=minutes(5), officer="ann", note="sent back")
    ports.replies = [
        an_answer("calais", with_alert(sighting, alert, undone, undo, outcome), a_misread(seen_at=minutes(9))),
        an_answer("dover", a_sighting("dover", minutes(180))),
    ]
    done = ports.run("AB12CDE", *REASON)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[1:] == [
        "",
        "Sun 01 Mar 2026 15:00:00 GMT  Dover, lane 3, to the UK",
        "    15:00:00  AB12CDE  GB  lane 3  dover-uk-3-front  front  no picture",
        "",
        "Sun 01 Mar 2026 13:00:00 CET  Calais, lane 3, to the UK",
        "    alert: priority 1, stolen: stolen lorry",
        "    13:02:00  ann (Calais) recorded the outcome: Misread: not this plate (undone)",
        "    13:03:00  ann (Calais) undid",
        '    13:05:00  ann (Calais) recorded the outcome: Turned away: "sent back"',
        "    13:00:00  AB12CDE  GB  lane 3  calais-uk-3-front  front  picture calais/2026-03-01/0.jpg",
        "",
        "POSSIBLE MISREADS: the camera read another plate. It may be this vehicle or another one",
        "",
        "Sun 01 Mar 2026 13:09:00 CET  Calais, lane 3, to the UK, read as AB12CDF, probability 12%",
        "    13:09:00  AB12CDF  GB  lane 3  calais-uk-3-front  front  no picture",
        "    at character 7 the camera read F, and the plate asked for has E: cameras confuse E and F",
    ]
    assert done.stderr == "asking Calais, Dover\n", "Folkestone has neither cameras nor a history"


def test_nothing_that_others_wrote_steers_the_terminal_or_looks_like_a_line_of_its_own(ports: Ports) -> None:
    said = "\x1b[2J\r\nNO ANSWER from Dover: \u202e"
    sighting = a_sighting(read={"lane": said, "camera": f"\x9b{said}", "image": said})
    alert = an_alert(sighting.read, an_entry(reason=said, list=said))
    action = an_action("1", "comment", alert, note=said, officer=said)
    ports.replies = [an_answer("calais", with_alert(sighting, alert, action)), an_answer("dover")]
    done = ports.run("AB12CDE", *REASON)
    assert not {"\x1b", "\x9b", "\r", "\u202e"} & set(done.stdout)
    assert "NO ANSWER" in done.stdout
    assert not [line for line in done.stdout.splitlines() if line.startswith("NO ANSWER")]


def test_a_port_that_does_not_answer_is_named_first_and_changes_the_exit_code(ports: Ports) -> None:
    ports.replies = [an_answer("calais", a_sighting()), no_answer("dover", "has no history service")]
    missing = "NO ANSWER from Dover: has no history service. What it saw is missing"
    done = ports.run("AB12CDE", *REASON)
    assert done.exit_code == 3
    assert done.stdout.splitlines()[1] == missing
    for form in ("csv", "json"):
        done = ports.run("AB12CDE", *REASON, "--format", form)
        assert done.exit_code == 3
        assert missing in done.stderr
        assert "has no history service" in done.stdout


def test_a_port_whose_history_begins_within_the_period_says_so(ports: Ports) -> None:
    ports.replies = [an_answer("calais", a_sighting())]
    done = ports.run("AB12CDE", *REASON, "--since", "1999-12-31")
    assert "Calais has no reads from before 1 January 2000" in done.stdout.splitlines()


def test_nothing_found_is_the_exit_code_1(ports: Ports) -> None:
    ports.replies = [an_answer("calais"), an_answer("dover")]
    done = ports.run("AB12CDE", *REASON)
    assert done.exit_code == 1
    assert "No port has seen it" in done.stdout


def test_the_person_and_the_reason_are_recorded_before_anybody_is_asked(ports: Ports) -> None:
    ports.replies = [an_answer("calais", a_sighting())]
    assert ports.run("AB12CDE", *REASON).exit_code == 0
    assert ports.run("AB12CDE", *REASON, "--format", "csv").exit_code == 0
    seen, exported = ports.audit_lines()
    assert (seen["operation"], exported["operation"]) == ("consultation", "disclosure")
    assert (seen["user"], seen["reason"], seen["plate"]) == (operator_name(), REASON[1], "AB12CDE")
    [asked, _] = ports.asked
    assert (asked.user, asked.asking_site) == (operator_name(), "calais")


def test_the_record_says_what_was_asked_and_a_file_is_a_disclosure(ports: Ports, tmp_path: Path) -> None:
    ports.replies = [an_answer("calais", a_sighting())]
    period = ("--since", "2026-03-01", "--until", "2026-03-01T13:00+01:00", "--country", "Poland")
    twice = ("--port", "calais", "--port", "calais")
    assert ports.run("AB12CDE", *REASON, *period, *twice, "--output", str(tmp_path / "found.txt")).exit_code == 0
    [event] = ports.audit_lines()
    assert event["operation"] == "disclosure"
    assert event["details"] == {
        "format": "text",
        "output": "file",
        "ports": "calais",
        "since": "2026-02-28T23:00:00+00:00",
        "until": "2026-03-01T12:00:00+00:00",
        "country": "PL",
    }


def test_where_it_cannot_be_recorded_nobody_is_asked(ports: Ports) -> None:
    (ports.folder / "state").write_text("no folder", "utf-8")
    done = ports.run("AB12CDE", *REASON)
    assert isinstance(done.exception, UnavailableError)
    assert not ports.asked


@pytest.mark.parametrize(
    "arguments",
    [
        ("AB12CDE", "--reason", " "),
        ("AB12CDE", "--reason", "x" * 501),
        ("?", *REASON),
        ("AB1?", *REASON, "--since", "2026-01-01"),
        ("AB12CDE", *REASON, "--country", "Atlantis"),
    ],
)
def test_what_cannot_be_used_is_refused(ports: Ports, arguments: tuple[str, ...]) -> None:
    assert isinstance(ports.run(*arguments).exception, UnusableQuestionError)
    assert not ports.asked


def test_a_reason_must_be_given_and_ports_must_be_configured(ports: Ports) -> None:
    assert ports.run("AB12CDE").exit_code == 2
    assert isinstance(ports.run("AB12CDE", *REASON, "--port", "dovr").exception, InputError)
    assert isinstance(ports.run("AB12CDE", *REASON, "--site", "dovr").exception, InputError)
    assert not ports.asked


def test_a_file_is_written_whole_and_for_its_owner_alone(ports: Ports) -> None:
    ports.replies = [an_answer("calais", a_sighting())]
    file = ports.folder / "found.csv"
    done = ports.run("AB12CDE", *REASON, "--format", "csv", "--output", str(file))
    assert (done.exit_code, done.stdout) == (0, "")
    assert file.read_text("utf-8").count("\n") == 2
    assert file.stat().st_mode & 0o077 == 0
    assert {one.name for one in ports.folder.iterdir()} == {"sites.toml", "anpr.toml", "state", "found.csv"}
    ports.asked.clear()
    nowhere = ports.run("AB12CDE", *REASON, "--output", str(ports.folder / "none" / "found.csv"))
    assert isinstance(nowhere.exception, UnavailableError)
    assert not ports.asked, "that shows before anybody is asked"
