"""The machine of a site gets a wrong time for a while: no sighting, no audit record and no image goes for that."""

import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from anpr.audit.folders import open_chain, site_folder
from anpr.audit.record import AuditEvent
from anpr.console.auth.users_file import User, UsersFile
from anpr.contracts import topics
from anpr.history.stores import open_sightings
from anpr.kafka.producer import KafkaProducer
from anpr.local.free_ports import free_ports
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from anpr.runtime.images import ImageStore
from tests.support.audit import lines_in
from tests.support.entries import read_line
from tests.support.installation import Installation
from tests.support.web_console import QUICK_HASH

YEAR_SECONDS = 365 * 24 * 3600
READS = 20


def publish(it: Installation, site: str) -> None:
    producer = KafkaProducer(it.kafka)
    for number in range(READS):
        producer.produce(topics.reads(site), "camera", read_line(str(number), site, "AB12 CDE"))
    assert wait_until(lambda: producer.flush(1) == 0, 60)


class Service:
    """A service with a clock of its own, and what it logs."""

    def __init__(self, it: Installation, name: str, *arguments: str) -> None:
        self.clock, self._log = it.folder / f"{name}.clock", it.folder / f"{name}.log"
        command = [sys.executable, "-m", "tests.support.hasty_upkeep", str(self.clock), *it.command(*arguments)[3:]]
        it.supervisor.add(name, command, log=self._log, env=it.environment)

    def says(self, words: str, times: int = 1) -> bool:
        return self._log.exists() and self._log.read_text("utf-8").count(words) >= times

    def doubts_its_clock(self, times: int = 1) -> bool:
        return self.says("nothing expires by it for now", times)


def sightings(it: Installation, site: str) -> int:
    store = open_sightings(it.settings, site, is_writer=False)
    with closing(store):
        return store.count()


def test_a_history_whose_clock_is_years_ahead_for_a_while_lets_nothing_go(installation: Installation) -> None:
    it, site = installation, installation.sites[0]
    publish(it, site)
    history = Service(it, "history", "history", "--site", site)
    assert wait_until(lambda: history.says("history runs") and sightings(it, site) == READS, 120)
    history.clock.write_text(str(10 * YEAR_SECONDS), "utf-8")
    assert wait_until(lambda: sightings(it, site) < READS or history.doubts_its_clock(), 60)
    history.clock.unlink()
    it.supervisor.remove("history")
    assert sightings(it, site) == READS


@pytest.fixture
def image(installation: Installation) -> Path:
    """An image of a plate that was just taken."""
    folder = installation.settings.images_dir
    store = ImageStore(folder, timedelta(hours=installation.settings.images.images_retention_hours))
    return folder / store.put("calais", system_clock(), b"a picture")


def test_a_console_whose_clock_is_years_ahead_for_a_while_deletes_no_image_and_no_audit_record(
    installation: Installation, image: Path
) -> None:
    it, site = installation, installation.sites[0]
    with closing(open_chain(it.settings, site, "command", system_clock)) as chain:
        chain.append(AuditEvent(operation="consultation", what="look-up", user="ann", role="officer"))
    folder = site_folder(it.settings, site)

    def records() -> int:
        return sum(b'"look-up"' in line for chain in folder.iterdir() for line in lines_in(chain))

    it.environment["ANPR_CONSOLE__USERS_FILE"] = str(it.folder / "users.json")
    UsersFile(it.folder / "users.json").save(User(name="ann", role="officer", password_hash=QUICK_HASH))
    (port,) = free_ports(1)
    console = Service(it, "console", "console", "--site", site, "--port", str(port))
    assert wait_until(lambda: console.says("console runs"), 120)
    console.clock.write_text(str(10 * YEAR_SECONDS), "utf-8")
    # What lets images go says so, and what lets audit records go.
    assert wait_until(lambda: not image.exists() or not records() or console.doubts_its_clock(times=2), 60)
    console.clock.unlink()
    it.supervisor.remove("console")
    assert image.exists()
    assert records() == 1
