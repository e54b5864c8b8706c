"""What the keeper of a vehicle may ask for, on the command line: what is held of it, and that it goes."""

import json
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from anpr.audit.folders import site_folder
from anpr.cli import _anpr
from anpr.contracts.events import encode
from anpr.contracts.site_topics import SiteTopic
from anpr.history.fact import facts_of
from anpr.history.recorder import Recorder
from anpr.history.retention import KeptStores
from anpr.history.sighting_store import SightingStore
from anpr.history.stores import open_all
from anpr.kafka.interfaces import Record
from anpr.runtime.errors import InputError
from anpr.runtime.settings import Settings
from anpr.runtime.settings_files import load_settings
from tests.contract.history.test_erasure import found_in
from tests.contract.history.test_retention import alert_about, publish
from tests.support.history import SITE, TopicInMemory, at, everything, read_record, record_all
from tests.support.strategies import an_action

SITES = '[sites.calais]\ntitle = "Calais"\nkafka = "x"\nredis = "x"\ntime_zone = "Europe/Paris"\n'
REASON = ("--reason", "request 4711", "--site", SITE)
RECORDS = [
    read_record(0, plate="AB12 CDE", lane="7"),
    read_record(1, plate="AB12 CDE"),
    read_record(2, plate="AB12 CDE"),
    read_record(3, plate="AB12 CDF"),
    read_record(4, plate="XY99 ZZZ"),
]
UNMATCHED, OPEN, COVERT, NEAR, OTHER = range(5)


class Machine:
    """A machine with a history of some reads, whose service runs."""

    def __init__(self, folder: Path) -> None:
        (folder / "sites.toml").write_text(SITES)
        (folder / "anpr.toml").write_text(f'[watchlist]\nstate_dir = "{folder}/state"\n')
        self.folder = folder
        self.settings: Settings = load_settings(folder, {})
        self.stores: KeptStores = open_all(self.settings, SITE)
        record_all(self.stores.sightings, *RECORDS)
        alert = alert_about(RECORDS[OPEN], "open")
        publish(self.stores.facts, alert)
        publish(self.stores.covert_facts, alert_about(RECORDS[COVERT], "covert"))
        action = encode(an_action("1", "outcome", alert, outcome="turned_away", note="no papers"))
        actions = TopicInMemory([Record("actions", 0, 0, at(0), action)], "actions-1")
        Recorder(actions, self.stores.facts, partial(facts_of, SiteTopic(SITE, "actions"))).run_once(0)

    def run(self, *arguments: str, says: str = "") -> Result:
        return CliRunner().invoke(_anpr, ["--config", str(self.folder), "vehicle", *arguments], input=says)

    def audited(self) -> list[dict[str, Any]]:
        files = site_folder(self.settings, SITE).rglob("*.jsonl")
        return [json.loads(line)["record"]["event"] for file in files for line in file.read_text().splitlines()]

    def offsets(self) -> list[int]:
        return [sighting.offset for sighting in everything(self.stores.sightings)]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.stores.close()


def test_an_erasure_shows_what_goes_asks_and_is_recorded_with_its_reason(machine: Machine) -> None:
    done = machine.run("AB12CDE", *REASON, "--erase", says="y\n")
    assert done.exit_code == 0, done.output
    assert "2 sightings without an alert" in done.stderr
    assert "1 sighting of alerts, and the alerts: they stay as evidence" in done.stderr
    assert json.loads(done.stdout) == {"site": SITE, "erased": 2, "kept": 1, "possible_misreads": 1}
    assert machine.offsets() == [OPEN, NEAR, OTHER]
    asked, told = machine.audited()[::2]
    assert (asked["operation"], told["operation"]) == ("consultation", "erasure")
    assert (told["plate"], told["reason"]) == ("AB12CDE", "request 4711")
    assert told["details"] == {"sightings": "2", "kept": "1"}
    assert [(covert["covert"], covert["details"]) for covert in machine.audited()[1::2]] == [
        (True, {"kept": "1"})
    ] * 2


def test_an_alert_that_comes_while_somebody_is_asked_keeps_its_sighting(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def says_yes(*_: object, **__: object) -> None:
        publish(machine.stores.facts, alert_about(RECORDS[UNMATCHED], "late"), first_offset=1)

    monkeypatch.setattr("click.confirm", says_yes)
    assert json.loads(machine.run("AB12CDE", *REASON, "--erase").stdout)["erased"] == 1
    assert machine.offsets() == [UNMATCHED, OPEN, NEAR, OTHER]


def test_an_alert_about_a_read_that_may_be_of_somebody_else_is_not_disclosed(machine: Machine) -> None:
    publish(machine.stores.facts, alert_about(RECORDS[NEAR], "open"), first_offset=1)
    machine.run("AB12CDE", *REASON, "--subject-access", str(machine.folder / "request"))
    answer = json.loads((machine.folder / "request" / "subject-access.json").read_text())
    assert [alert["read"]["plate"] for alert in answer["alerts"]] == ["AB12 CDE"]


def test_the_numbers_of_audit_records_tell_nothing_covert(machine: Machine) -> None:
    for plate in ("AB12CDE", "XY99ZZZ"):
        machine.run(plate, *REASON, "--subject-access", str(machine.folder / plate))
    assert [event["plate"] for event in machine.audited() if event.get("covert")] == ["AB12CDE", "XY99ZZZ"]


def test_nothing_goes_before_somebody_says_yes_or_without_a_record(machine: Machine) -> None:
    assert machine.run("AB12CDE", *REASON, "--erase", says="n\n").exit_code == 1
    assert machine.audited()[0]["operation"] == "consultation", "what is held was shown"
    shutil.rmtree(machine.settings.audit_dir)
    machine.settings.audit_dir.write_text("no folder")
    refused = machine.run("AB12CDE", *REASON, "--erase", "--yes")
    assert refused.exit_code == 1
    assert getattr(refused.exception, "code", "") == "audit-unavailable"
    assert len(machine.offsets()) == len(RECORDS)


def test_a_script_may_say_yes_beforehand_and_a_second_time_there_is_nothing_to_do(machine: Machine) -> None:
    for erased in (2, 0):
        done = machine.run("AB12CDE", *REASON, "--erase", "--yes")
        assert json.loads(done.stdout)["erased"] == erased


def test_the_bytes_that_a_broken_off_erasure_left_go_with_the_next_although_nothing_is_held(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(SightingStore, "erase_remains", broken_off)
        assert machine.run("AB12CDE", *REASON, "--erase", "--yes").exit_code == 1
    assert machine.offsets() == [OPEN, NEAR, OTHER]
    read_id = b'"read-0-0"'
    assert found_in(machine.folder, read_id)
    done = machine.run("QQ11 QQQ", *REASON, "--erase")
    assert json.loads(done.stdout)["erased"] == 0
    assert not found_in(machine.folder, read_id)


def broken_off(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "arguments",
    [
        ["--erase", "--reason", "x"],
        [*REASON, "--erase", "--subject-access", "f"],
        [*REASON, "--erase", "--since", "2026-11-29"],
        [*REASON, "--subject-access", "f", "--output", "g"],
    ],
)
def test_it_must_be_clear_what_is_asked_and_of_which_site(machine: Machine, arguments: list[str]) -> None:
    done = machine.run("AB12CDE", *arguments)
    assert done.exit_code == 2
    assert "each need --site" in done.output


def test_a_partial_plate_may_be_of_many_people(machine: Machine) -> None:
    refused = machine.run("AB1?CDE", *REASON, "--erase")
    assert isinstance(refused.exception, InputError)
    assert refused.exception.code == "data-subject-partial"


def test_a_subject_access_writes_all_that_is_held_and_nothing_covert(machine: Machine) -> None:
    folder = machine.folder / "request"
    assert machine.run("ab12 cde", *REASON, "--subject-access", str(folder)).exit_code == 0
    written = json.loads((folder / "subject-access.json").read_text())
    assert [s["read"]["read_id"] for s in written["sightings"]] == ["read-0-0", "read-0-1", "read-0-2"]
    assert written["possible_misreads"] == 1
    assert [alert["entry"]["handling"] for alert in written["alerts"]] == ["open"]
    assert [action["note"] for action in written["actions"]] == ["no papers"]
    text = (folder / "subject-access.txt").read_text()
    for words in (
        "AB12 CDE",
        "lane 7",
        "30 November 2026 00:59:58",
        "stolen",
        "turned_away, no papers",
        "1 more reads",
    ):
        assert words in text
    everything_written = text + json.dumps(written)
    assert "covert" not in everything_written
    assert "AB12 CDF" not in everything_written, "it may be the data of somebody else"
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())


def test_that_something_covert_was_left_out_is_recorded_for_those_who_may_know(machine: Machine) -> None:
    machine.run("AB12CDE", *REASON, "--subject-access", str(machine.folder / "request"))
    told, covert = machine.audited()
    assert (told["operation"], told["what"], told["details"]["sightings"]) == ("disclosure", "subject access", "3")
    assert "covert" not in told
    assert (covert["covert"], covert["details"]) == (True, {"alerts": "1", "audit_records": "0"})


def test_who_looked_the_vehicle_up_is_held_too_and_covert_records_are_not_shown(machine: Machine) -> None:
    for name in ("first", "second"):
        machine.run("AB12CDE", *REASON, "--subject-access", str(machine.folder / name))
    written = json.loads((machine.folder / "second" / "subject-access.json").read_text())
    assert [record["event"]["what"] for record in written["audit_records"]] == ["subject access"]
    assert machine.audited()[-1]["details"] == {"alerts": "1", "audit_records": "1"}


def test_an_alert_whose_sighting_has_gone_is_held_all_the_same(machine: Machine) -> None:
    for day in machine.stores.sightings.days():
        machine.stores.sightings.drop(day)
    machine.run("AB12CDE", *REASON, "--subject-access", str(machine.folder / "request"))
    written = json.loads((machine.folder / "request" / "subject-access.json").read_text())
    assert (len(written["sightings"]), len(written["alerts"])) == (0, 1)


def test_a_folder_that_cannot_be_written_is_named(machine: Machine) -> None:
    (machine.folder / "file").touch()
    refused = machine.run("AB12CDE", *REASON, "--subject-access", str(machine.folder / "file" / "request"))
    assert getattr(refused.exception, "code", "") == "data-subject-unwritable"
