"""The commands for auditors: verify a site's chains, and export what was recorded."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from anpr.audit.chain import AuditChain
from anpr.audit.folders import machine_name
from anpr.audit.head_publisher import heads_in
from anpr.audit.kept_heads import KeptHeads
from anpr.audit.record import AuditEvent
from anpr.audit.segments import segments
from anpr.cli import _anpr
from anpr.cli.operator import operator_name
from anpr.runtime.errors import InputError, UnavailableError
from tests.support.audit import SetClock, look_up
from tests.unit.cli.test_vehicle import SITES

EXPORT = ("export", "--site", "calais", "--since", "2026-11-29", "--until", "2026-11-29", "--reason", "inspection 12")


class Machine:
    """A machine of Calais with one console, whose heads Dover keeps on the same machine."""

    def __init__(self, folder: Path) -> None:
        (folder / "sites.toml").write_text(SITES)
        (folder / "anpr.toml").write_text(f'[audit]\nfolder = "{folder / "audit"}"\n')
        self.folder, self.audit, self.clock = folder, folder / "audit", SetClock()
        name = f"console-1.{machine_name()}"
        self.console = self.audit / "calais" / name
        self.chain = AuditChain(self.console, "calais", name, self.clock)

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(_anpr, ["--config", str(self.folder), "audit", *arguments])

    def keep_heads(self) -> None:
        kept = KeptHeads(self.audit / "dover" / "heads")
        kept.keep(heads_in(self.audit / "calais", self.clock))
        kept.close()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_verify_says_that_the_chains_are_whole_and_against_what(machine: Machine) -> None:
    machine.chain.append(look_up(), look_up())
    alone = machine.run("verify")
    assert alone.exit_code == 0
    assert "no head that another site keeps was compared" in alone.stderr
    machine.keep_heads()
    result = machine.run("verify", "--site", "calais")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert (report["first"], report["last"], report["confirmed"], report["faulty"]) == (1, 2, 2, 0)
    assert "records 1 to 2: as it was written" in result.stderr
    assert "AB12CDE" not in result.output


def test_verify_names_the_first_changed_record_and_its_line(machine: Machine) -> None:
    machine.chain.append(look_up("AB12CDE"), look_up("CD34EFG"))
    segment = segments(machine.console)[0]
    segment.write_bytes(segment.read_bytes().replace(b"CD34EFG", b"XX99XXX"))
    result = machine.run("verify")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["faulty"] == 2
    assert "NOT AS IT WAS WRITTEN: record 2: changed" in result.stderr
    assert "20261129.jsonl line 2" in result.stderr


def test_verify_names_a_chain_whose_checkpoint_cannot_be_read_and_goes_on_with_the_others(machine: Machine) -> None:
    machine.chain.append(look_up())
    other = AuditChain(machine.audit / "calais" / "history-1.pc", "calais", "history-1.pc", machine.clock)
    other.append(look_up())
    (machine.console / "checkpoint.json").write_bytes(b"no")
    result = machine.run("verify")
    assert result.exit_code == 1
    assert "NOT AS IT WAS WRITTEN: checkpoint.json is not as it was written" in result.stderr
    assert "history-1.pc: records 1 to 1: as it was written" in result.stderr


def test_a_cut_tail_shows_by_heads_from_another_machine(machine: Machine, tmp_path: Path) -> None:
    machine.chain.append(look_up(), look_up())
    machine.keep_heads()
    heads = machine.run("heads", "--site", "calais")
    assert heads.exit_code == 0
    assert "1 head of calais on this machine" in heads.stderr
    file = tmp_path / "heads-kept-at-dover.jsonl"
    file.write_text(heads.stdout)
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "20261129.jsonl").write_bytes(segments(machine.console)[0].read_bytes().splitlines(keepends=True)[0])
    for kept in (machine.audit / "dover" / "heads").glob("*.jsonl"):
        kept.unlink()
    assert machine.run("verify", str(copy)).exit_code == 0
    result = machine.run("verify", str(copy), "--heads", str(file))
    assert result.exit_code == 1
    assert json.loads(result.stdout)["faulty"] == 2


def test_verify_of_a_folder_that_is_not_there_or_of_heads_that_are_none_is_an_error(
    machine: Machine, tmp_path: Path
) -> None:
    missing = machine.run("verify", str(tmp_path / "none"))
    assert isinstance(missing.exception, UnavailableError)
    assert missing.exception.code == "audit-unreadable"
    (tmp_path / "heads").write_text("no\n")
    machine.chain.append(look_up())
    assert isinstance(machine.run("verify", "--heads", str(tmp_path / "heads")).exception, InputError)


def test_where_there_is_no_chain_nothing_was_verified(machine: Machine, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    result = machine.run("verify", str(empty))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "NOTHING WAS VERIFIED: there are no audit chains in" in result.stderr


def test_an_export_is_recorded_first_and_holds_the_period_without_covert_records(machine: Machine) -> None:
    machine.chain.append(look_up("AB12CDE"), look_up("SECRET1", covert=True))
    machine.clock.forward(days=2)
    machine.chain.append(look_up("CD34EFG"))
    result = machine.run(*EXPORT)
    assert result.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(result.stdout.removeprefix("\ufeff"))))
    assert [row["plate"] for row in rows if row["service"] == machine.console.name] == ["AB12CDE"]
    assert "SECRET1" not in result.output
    (command,) = (machine.audit / "calais").glob("command-1.*/*.jsonl")
    event = json.loads(command.read_bytes())["record"]["event"]
    assert (event["operation"], event["what"], event["reason"]) == ("disclosure", "audit export", "inspection 12")
    assert event["user"] == operator_name()
    with_covert = machine.run(*EXPORT, "--with-covert", "--format", "json")
    assert "SECRET1" in with_covert.stdout
    assert machine.run("verify").exit_code == 0


def test_json_has_the_lines_of_the_chains(machine: Machine) -> None:
    machine.chain.append(look_up("AB12CDE"))
    result = machine.run(*EXPORT, "--format", "json")
    lines = [line for line in result.stdout_bytes.splitlines(keepends=True) if b"AB12CDE" in line]
    assert lines == [segments(machine.console)[0].read_bytes()]


def test_a_spreadsheet_runs_nothing_of_an_export(machine: Machine) -> None:
    machine.chain.append(
        AuditEvent(operation="consultation", what="=1+1", user="@x", role="+y", reason='-2+3";\t=cmd', plate="=A1")
    )
    rows = list(csv.reader(io.StringIO(machine.run(*EXPORT).stdout)))
    cells = [cell for row in rows for cell in row if cell.strip("'").startswith(("=", "+", "-", "@"))]
    assert len(cells) == 5
    assert all(cell.startswith("'") for cell in cells)


def test_what_cannot_be_recorded_is_not_exported(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.chain.append(look_up("AB12CDE"))

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("anpr.audit.durable_file.os.write", full)
    result = machine.run(*EXPORT)
    assert isinstance(result.exception, UnavailableError)
    assert "AB12CDE" not in result.output


def test_a_period_that_ends_before_it_begins_is_refused(machine: Machine) -> None:
    result = machine.run(*EXPORT, "--until", "2026-11-01")
    assert result.exit_code == 2
    assert "--until is before --since" in result.output


@pytest.mark.parametrize("reason", ["", " \t\u2003", "a" * 501, "a" * 70_000, "a\udcff"])
def test_an_export_whose_reason_cannot_be_used_is_refused(machine: Machine, reason: str) -> None:
    machine.chain.append(look_up("AB12CDE"))
    result = machine.run(*EXPORT, "--reason", reason)
    assert isinstance(result.exception, InputError)
    assert "AB12CDE" not in result.output
    assert not list((machine.audit / "calais").glob("command-1.*/*.jsonl")), "nothing is recorded either"
    assert machine.run(*EXPORT, "--reason", "a" * 500).exit_code == 0
