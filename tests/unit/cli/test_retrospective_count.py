"""What a plan says beforehand about the vehicles that have passed already."""

import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from anpr.cli.watchlist.retrospective_count import count_retrospective, report_retrospective
from anpr.contracts.events import NO_GENERATION, Entry
from anpr.runtime.clock import system_clock
from anpr.watchlist.csv_file import ListFile
from anpr.watchlist.list_context import ListContext
from anpr.watchlist.list_format import ListFormat
from anpr.watchlist.plan import ActiveList, Plan, PlannedFile, make_plan
from anpr.watchlist.removal_limit import RemovalLimit
from anpr.watchlist.retrospective import Retrospective
from tests.support.history_machine import Machine
from tests.support.strategies import an_entry, generation

AGO = timedelta(minutes=30)


def counted_by(machine: Machine, *planned: Entry) -> Retrospective:
    active = ActiveList(generation(1), is_first_list=False, entries={})
    return count_retrospective(machine.settings, plan_of(machine, planned, active), active, planned)


def plan_of(machine: Machine, planned: Sequence[Entry], active: ActiveList) -> Plan:
    context = ListContext(machine.settings.sites, system_clock())
    content = ListFile(tuple(planned), (), 0, frozenset(), 0, 0, 0, (), "digest")
    source = PlannedFile("f.csv", ListFormat("utf-8", {}, ""), "olga", context)
    return make_plan("stolen", content, source, active, RemovalLimit(0.5, None))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    monkeypatch.setattr(os, "nice", lambda _: None)
    made = Machine(tmp_path)
    yield made
    made.store.close()


def an_entry_of(entry_id: str, plate: str, **fields: object) -> Entry:
    until = system_clock() + timedelta(days=30)
    return an_entry(entry_id, plate=plate, revision=NO_GENERATION, valid_from=None, valid_until=until, **fields)


def test_it_counts_where_vehicles_have_passed_and_where_they_would_ring(machine: Machine) -> None:
    now = system_clock()
    machine.listed(an_entry_of("old", "KL34XYZ"))
    machine.passed(0, "AB12CDE", now - AGO)
    machine.passed(1, "AB12CDE", now - AGO)
    machine.passed(2, "CD34EFG", now - timedelta(hours=20))
    machine.passed(3, "KL34XYZ", now - AGO)
    counted = counted_by(machine, an_entry_of("1", "AB12CDE"), an_entry_of("2", "CD34EFG"))
    assert counted.alerts == {"calais": 3}
    assert counted.rings == {"dover": 1}, "one vehicle is on the water, the other one landed long ago"
    assert set(counted.not_counted) == {*machine.settings.sites_to_ask} - {"calais"}


def test_a_port_is_never_left_out_in_silence(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    counted = counted_by(machine, an_entry_of("1", "AB12CDE"))
    assert set(counted.not_counted) == {*machine.settings.sites_to_ask}
    machine.listed()
    counted = counted_by(machine, an_entry_of("1", "AB12CDE"))
    report_retrospective(machine.settings, counted)
    said = capsys.readouterr().err
    assert "0 retrospective alerts about vehicles that have passed in the last 72 hours: none" in said
    assert "not counted at Dunkerque: its history is not on this machine" in said


def test_an_operator_who_plans_a_pattern_reads_no_log_lines(
    machine: Machine, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    machine.listed()
    machine.passed(0, "AB12CDE", system_clock() - AGO)
    caplog.set_level("DEBUG")
    assert counted_by(machine, an_entry_of("1", "AB12*")).alerts == {"calais": 1}
    said = capsys.readouterr()
    assert (said.out, said.err, caplog.text) == ("", "", "")


def test_a_plan_that_adds_nothing_raises_nothing(machine: Machine) -> None:
    machine.listed()
    assert counted_by(machine) == Retrospective(hours=72, alerts={}, rings={}, not_counted={})
