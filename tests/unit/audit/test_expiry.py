"""Audit records go when their retention has ended, also in chains that nobody writes any more."""

import os
from pathlib import Path

import pytest

from anpr.audit.chain import AuditChain
from anpr.audit.expiry import Expiry
from anpr.audit.folders import chain_folders
from anpr.audit.older_log import take_over
from anpr.audit.segments import segments
from anpr.audit.site_verification import verify_site
from tests.support.audit import SetClock, lines_in, look_up

KEPT_DAYS = 10


class Site:
    """A site with a console that runs, and the chain of a command that has ended."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder / "calais", SetClock()
        self.console, command = (
            AuditChain(self.folder / name, "calais", name, self.clock) for name in ("console-1.pc", "command-1.pc")
        )
        for chain in (self.console, command):
            chain.append(look_up("AB12CDE"))
        command.close()
        self.expiry = Expiry(self.folder, self.console, KEPT_DAYS, self.clock)

    def after(self, days: float) -> bytes:
        """Return every byte of the chains when so many days have passed."""
        self.clock.forward(days)
        self.expiry.run_once()
        return b"".join(line for folder in chain_folders(self.folder) for line in lines_in(folder))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_nothing_outlives_its_retention_and_the_chains_stay_whole(site: Site) -> None:
    assert site.after(KEPT_DAYS).count(b"AB12CDE") == 2
    assert b"AB12CDE" not in site.after(1)
    reports = verify_site(site.folder, [])
    assert [(report.service, report.first, report.fault) for report in reports] == [
        ("command-1.pc", 2, ""),
        ("console-1.pc", 2, ""),
    ]


def test_a_chain_that_another_process_writes_is_left_to_it(site: Site) -> None:
    other = AuditChain(site.folder / "history-1.pc", "calais", "history-1.pc", site.clock)
    other.append(look_up("CD34EFG"))
    assert b"CD34EFG" in site.after(KEPT_DAYS + 1)
    other.close()
    assert b"CD34EFG" not in site.after(1)


def test_a_broken_chain_is_left_to_a_person_and_the_others_go(site: Site) -> None:
    (segment,) = segments(site.folder / "command-1.pc")
    segment.write_bytes(segment.read_bytes().replace(b"anna", b"bert"))
    assert site.after(KEPT_DAYS + 1).count(b"AB12CDE") == 1


def test_an_older_log_goes_when_its_last_line_is_old_enough_and_that_is_no_fault(site: Site, tmp_path: Path) -> None:
    log = tmp_path / "audit-calais.jsonl"
    log.write_bytes(b"{}\n")
    os.utime(log, (site.clock.now.timestamp(),) * 2)
    take_over(log, site.folder, site.console)
    site.after(KEPT_DAYS)
    assert list(site.folder.glob("before-chains/*"))
    site.console.append(look_up())
    site.after(1)
    assert not list(site.folder.glob("before-chains/*"))
    assert not [report.fault for report in verify_site(site.folder, []) if report.fault]
