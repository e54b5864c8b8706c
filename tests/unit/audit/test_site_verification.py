"""A verification of a site finds chains that were changed, cut off, begun anew or removed as a whole."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from anpr.audit.chain import AuditChain
from anpr.audit.head_publisher import heads_in
from anpr.audit.older_log import take_over
from anpr.audit.segments import segments
from anpr.audit.site_verification import ChainReport, verify_site
from anpr.contracts.events import AuditHead
from tests.support.audit import SetClock, look_up


class Site:
    """The chains of a site, with three days of records and the heads that others keep after each."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock, self.heads = folder, SetClock(), list[AuditHead]()
        self.chains = [
            AuditChain(folder / name, "calais", name, self.clock) for name in ("console-1.pc", "history-1.pc")
        ]
        self.console = folder / "console-1.pc"
        for _ in range(3):
            for chain in self.chains:
                chain.append(look_up(), look_up())
            self.heads += heads_in(folder, self.clock)
            self.clock.forward(days=1)

    def faults(self, heads: list[AuditHead] | None = None, machine: str = "") -> dict[str, int]:
        return {report.service: report.faulty for report in self.reports(heads, machine) if report.fault}

    def reports(self, heads: list[AuditHead] | None = None, machine: str = "") -> list[ChainReport]:
        return verify_site(self.folder, self.heads if heads is None else heads, machine)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "audit" / "calais")


def test_chains_as_they_were_written_have_no_fault(site: Site) -> None:
    console, history = site.reports()
    assert (console.service, console.first, console.last, console.confirmed) == ("console-1.pc", 1, 6, 6)
    assert not console.fault + history.fault
    assert site.reports([])[0].confirmed == 0, "and it says when nothing was compared"


def test_after_retention_a_chain_is_verified_from_its_checkpoint_and_older_heads_still_count(site: Site) -> None:
    site.chains[0].erase_until(date(2026, 11, 29))
    assert site.faults() == {}
    assert site.reports()[0].first == 3
    segments(site.console)[0].unlink()
    assert site.faults() == {"console-1.pc": 3}


def test_of_a_chain_with_nothing_behind_its_checkpoint_the_record_after_it_is_missed(site: Site) -> None:
    site.chains[0].erase_until(date(2026, 11, 30))
    for segment in segments(site.console):
        segment.unlink()
    assert site.reports([])[0].fault == "record 5: removed: nothing is left behind the checkpoint"
    console, history = site.reports()
    assert (console.service, console.faulty, history.fault) == ("console-1.pc", 5, ""), "one report for each chain"
    (site.console / "checkpoint.json").write_bytes(b"no")
    assert [report.service for report in site.reports()] == ["console-1.pc", "history-1.pc"]


@pytest.mark.parametrize("left", [b"", b"{}", b"\xff", b'{"chain":"\xff"}'])
def test_a_chain_whose_checkpoint_cannot_be_read_is_faulty_and_the_others_are_verified(
    site: Site, left: bytes
) -> None:
    site.chains[0].erase_until(date(2026, 11, 29))
    (site.console / "checkpoint.json").write_bytes(left)
    console, history = site.reports()
    assert (console.faulty, console.fault) == (1, "checkpoint.json is not as it was written")
    assert (history.fault, history.last) == ("", 6)


def cut_tail(site: Site) -> int:
    segments(site.console)[-1].unlink()
    return 5


def cut_last_record(site: Site) -> int:
    last = segments(site.console)[-1]
    last.write_bytes(last.read_bytes().splitlines(keepends=True)[0])
    return 6


def forge_checkpoint(site: Site) -> int:
    """Delete the first day, and write a checkpoint as retention does, which no record tells of."""
    other = site.folder / "copy.pc"
    shutil.copytree(site.console, other)
    chain = AuditChain(other, "calais", "copy.pc", site.clock)
    chain.erase_until(date(2026, 11, 29))
    chain.close()
    shutil.copy(other / "checkpoint.json", site.console)
    shutil.rmtree(other)
    segments(site.console)[0].unlink()
    return 3


def begin_anew(site: Site) -> int:
    site.chains[0].close()
    shutil.rmtree(site.console)
    chain = AuditChain(site.console, "calais", "console-1.pc", site.clock)
    chain.append(look_up())
    chain.close()
    return 1


def remove_all(site: Site) -> int:
    shutil.rmtree(site.console)
    return 1


@pytest.mark.parametrize("tamper", [cut_tail, cut_last_record, forge_checkpoint, begin_anew, remove_all])
def test_what_a_chain_alone_does_not_show_shows_with_the_heads_that_others_keep(
    site: Site, tamper: Callable[[Site], int]
) -> None:
    assert site.faults() == {}
    faulty = tamper(site)
    assert site.faults() == {"console-1.pc": faulty}


def test_only_chains_of_a_machine_that_is_verified_can_be_missing(site: Site) -> None:
    chain = AuditChain(site.folder / "console-1.other", "calais", "console-1.other", site.clock)
    chain.append(look_up())
    site.heads += heads_in(site.folder, site.clock)
    shutil.rmtree(site.folder / "console-1.other")
    assert site.faults() == {}, "it is on its own machine"
    assert site.faults(machine="other") == {"console-1.other": 1}


def test_a_broken_chain_that_was_renamed_is_still_there(site: Site) -> None:
    site.chains[0].close()
    site.console.rename(site.folder / "console-1.pc.broken")
    AuditChain(site.console, "calais", "console-1.pc", site.clock).append(look_up())
    assert site.faults() == {}


def test_an_older_log_that_was_changed_is_named(site: Site, tmp_path: Path) -> None:
    log = tmp_path / "audit-calais.jsonl"
    log.write_bytes(b"{}\n")
    take_over(log, site.folder, site.chains[0])
    assert site.faults() == {}
    (kept,) = site.folder.glob("before-chains/*.jsonl")
    kept.write_bytes(b"")
    assert site.faults() == {"console-1.pc": 7}


def test_a_record_that_is_being_written_is_no_fault(site: Site) -> None:
    with segments(site.console)[-1].open("ab") as file:
        file.write(b'{"hash":"12')
    report = site.reports()[0]
    assert (report.fault, report.is_unfinished) == ("", True)
