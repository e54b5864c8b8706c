"""A full disk costs no read and no alert, and is logged.

The limit on the size of a file (RLIMIT_FSIZE) stands in for the full disk. The kernel does not let the file grow,
even for root, and the limit can be lifted while the process runs.
"""

import contextlib
import json
import os
import resource
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anpr.contracts import topics
from anpr.local.free_ports import free_ports
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from tests.support.entries import entry, read_line
from tests.support.installation import Installation

FULL = 65_536


class Gateway:
    """A gateway on a pipe, whose disk can be filled and emptied."""

    def __init__(self, it: Installation, site: str, folder: Path, **environment: str) -> None:
        folder.mkdir()
        self._log = folder / "send.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                it.command("send", "--site", site, "--spool", str(folder)),
                stdin=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **it.environment, **environment},
            )
        assert wait_until((folder / f"send-{site}.sqlite-wal").exists, 60)
        self._limits = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)

    def fill_disk(self) -> None:
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (FULL, self._limits[1]))

    def make_room(self) -> None:
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, self._limits)

    def send(self, *lines: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(b"".join(line + b"\n" for line in lines))
        self.process.stdin.flush()

    def end(self) -> int:
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(60)

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = map(json.loads, self._log.read_text("utf-8").splitlines())
        return [line for line in lines if line["event"] == event]


@pytest.fixture
def running() -> Iterator[list[Gateway]]:
    """Return a list. Gateways in it are killed after the test."""
    gateways: list[Gateway] = []
    yield gateways
    for gateway in gateways:
        gateway.process.kill()
        with contextlib.suppress(BrokenPipeError):
            gateway.process.communicate()


def on_topic(it: Installation, site: str) -> set[bytes | None]:
    return {record.value for record in it.records([topics.reads(site)])}


def some_lines(site: str, start: int, count: int) -> list[bytes]:
    return [read_line(f"{start + number:06}", site, "AB1") for number in range(count)]


def test_with_its_disk_full_the_gateway_logs_it_keeps_sending_and_uses_the_disk_again_later(
    installation: Installation, tmp_path: Path, running: list[Gateway]
) -> None:
    site = installation.sites[0]
    gateway = Gateway(installation, site, tmp_path / "spool")
    running.append(gateway)
    before, during, after = (some_lines(site, start, 400) for start in (0, 1000, 2000))
    gateway.send(*before)
    assert wait_until(lambda: on_topic(installation, site) >= set(before), 60)
    gateway.fill_disk()
    gateway.send(*during)
    assert wait_until(lambda: on_topic(installation, site) >= set(during), 60)
    refusals = gateway.logged("the disk refuses lines, they go to the broker without it")
    assert "spool" in refusals[0]["reason"]
    gateway.make_room()
    gateway.send(*after)
    assert gateway.end() == 0
    assert on_topic(installation, site) == {*before, *during, *after}
    assert gateway.logged("the disk accepts lines again")
    assert gateway.logged("sent")[0]["sent"] == 1200


def test_at_the_end_of_its_stream_the_gateway_ends_even_with_its_disk_full(
    installation: Installation, tmp_path: Path, running: list[Gateway]
) -> None:
    site = installation.sites[0]
    gateway = Gateway(installation, site, tmp_path / "spool")
    running.append(gateway)
    before, during = (some_lines(site, start, 400) for start in (0, 1000))
    gateway.send(*before)
    gateway.fill_disk()
    gateway.send(*during)
    assert gateway.end() == 0
    assert on_topic(installation, site) == {*before, *during}
    assert gateway.logged("sent")[0]["on_disk"] == 0


def test_with_its_disk_full_and_the_broker_away_it_reads_no_more_and_names_the_lost_lines(
    installation: Installation, tmp_path: Path, running: list[Gateway]
) -> None:
    site = installation.sites[0]
    nowhere = f"127.0.0.1:{free_ports(1)[0]}"
    gateway = Gateway(installation, site, tmp_path / "spool", KAFKA_BOOTSTRAP=nowhere)
    running.append(gateway)
    kept = some_lines(site, 0, 100)
    gateway.send(*kept)
    assert wait_until(lambda: any(line["on_disk"] == 100 for line in gateway.logged("lines wait for the broker")), 60)
    gateway.fill_disk()
    refused = some_lines(site, 100, 50)
    gateway.send(*refused)
    assert wait_until(lambda: bool(gateway.logged("the disk refuses lines, they go to the broker without it")), 60)
    gateway.process.send_signal(signal.SIGTERM)
    assert gateway.process.wait(60) == 3
    (ended,) = gateway.logged("ended")
    assert ended["code"] == "lines-not-kept"
    assert "lines 101 to 150 of the stream are neither on disk nor with the broker" in ended["error"]

    # The error names enough to lose nothing: the other lines are on disk.
    again = installation.run("send", "--site", site, "--spool", str(tmp_path / "spool"), input=b"\n".join(refused))
    assert again.returncode == 0
    assert on_topic(installation, site) == {*kept, *refused}


def test_with_its_disk_full_a_machine_matches_with_its_last_list_and_logs_it(installation: Installation) -> None:
    it, site = installation, installation.sites[0]
    it.store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    it.start_matcher(site, "one")
    assert it.run("send", "--site", site, input=read_line("a", site, "AB1")).returncode == 0
    it.wait_until_matched(1, site)
    it.supervisor.remove("index")
    # Not even an empty list fits.
    command = ["prlimit", "--fsize=16", *it.command("index", "--site", site)]
    log = it.folder / "pipe.log"
    piped = ["sh", "-c", 'mkfifo "$0.fifo"; cat "$0.fifo" > "$0" & exec "$@" 2> "$0.fifo"', str(log), *command]
    it.store.apply("stolen", [entry("1", "AB1"), entry("2", "AB1")], "test", system_clock())
    it.supervisor.add("full", piped, log=it.folder / "sh.log", env=it.environment)
    assert wait_until(lambda: log.exists() and "the index cannot be written" in log.read_text("utf-8"), 60)
    assert it.run("send", "--site", site, input=read_line("b", site, "AB1")).returncode == 0
    it.wait_until_matched(2, site)
    assert sorted((a.read.read_id, a.entry.entry_id) for a in it.alerts([site])) == [("a", "1"), ("b", "1")]
    it.supervisor.remove("full")
    it.start_builder()

    def has_the_newest() -> bool:
        assert it.run("send", "--site", site, input=read_line("c", site, "AB1")).returncode == 0
        return ("c", "2") in {(alert.read.read_id, alert.entry.entry_id) for alert in it.alerts([site])}

    assert wait_until(has_the_newest, 60)
