"""No read and no alert is lost or counted twice, whichever process dies during traffic.

The seed is printed; ORACLE_SEED=that seed replays the same fault times, ORACLE_SECONDS makes the run longer.
"""

import json
import os
import random
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from anpr.board.board_feed import BoardFeed
from anpr.contracts import topics
from anpr.contracts.events import Alert
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from anpr.watchlist.csv_file import read_list
from tests.support.installation import Installation
from tests.support.oracle import Fault, dead_letters, dry_run, fault_times, settle, shown
from tests.support.servers import OwnServers

KILLS = 24
LIST = "example"
WATCHLIST = Path("config/example_watchlist.csv")
GARBAGE = 50
SENT = 200


class Scene:
    """The system under faults."""

    def __init__(self, installation: Installation, servers: OwnServers) -> None:
        self.servers = servers
        self.installation = installation
        self.kills = 0
        self._restarts: list[threading.Thread] = []

    def begin(self) -> None:
        it = self.installation
        it.store.apply(LIST, read_list(WATCHLIST, LIST).entries, "test", system_clock())
        for site in it.sites:
            it.start_matcher(site, f"{site}-1")
            self._simulate(site)
        sent = it.folder / "sent.jsonl"
        sent.write_text("\n".join(sent_lines()) + "\n", "utf-8")
        it.supervisor.add(
            "send", it.command("send", "--site", "calais", str(sent)), log=it.folder / "send.log", restart=False,
            env=it.environment,
        )  # fmt: skip

    def inject(self, fault: Fault) -> None:
        supervisor = self.installation.supervisor
        match fault.what:
            case "kill matcher":
                assert wait_until(lambda: supervisor.pid(fault.of) is not None, 60)
                supervisor.kill(fault.of)
                self.kills += 1
            case "second matcher joins":
                self.installation.start_matcher("calais", "calais-2")
            case "second matcher leaves":
                supervisor.remove("calais-2")
            case "redis goes":
                self.servers.redis.kill()
            case "redis comes back":
                self.servers.redis.start()
            case "broker is killed and restarted":
                self.servers.kafka.kill()
                self._restarts.append(threading.Thread(target=self.servers.kafka.start))
                self._restarts[-1].start()

    def end_traffic(self) -> None:
        for restart in self._restarts:
            restart.join()
        for site in self.installation.sites:
            self.installation.supervisor.remove(f"simulator-{site}")
            # A simulator that was killed, or could not send every read, has written reads that the broker never had.
            assert self.installation.supervisor.exit_codes[f"simulator-{site}"] == [0]
        # 1: it sent every line, and some of them cannot be matched.
        assert wait_until(lambda: self.installation.supervisor.exit_codes["send"] == [1], 180)

    def reads(self) -> Path:
        """Return every line that was published, in one file."""
        folder = self.installation.folder
        whole = folder / "reads.jsonl"
        parts = [folder / f"reads-{site}.jsonl" for site in self.installation.sites]
        whole.write_bytes(b"".join(part.read_bytes() for part in [*parts, folder / "sent.jsonl"]))
        return whole

    def _simulate(self, site: str) -> None:
        it = self.installation
        command = [sys.executable, "-m", "simulators", "--config", str(it.config), "--site", site, "--publish"]
        command += ["--speed", "60", "--volume", "10", "--listed-share", "0.6", "--watchlist", str(WATCHLIST)]
        command += ["--list-name", LIST, "--out", str(it.folder / f"reads-{site}.jsonl")]
        it.supervisor.add(f"simulator-{site}", command, log=it.folder / f"simulator-{site}.log", env=it.environment)


def sent_lines() -> Iterator[str]:
    """Return what a gateway sends too: reads of a listed plate, and lines that no matcher can match.

    Two cameras count their reads alike, and each starts again after 50.
    """
    now = system_clock()
    for number in range(SENT):
        captured_at = (now - timedelta(milliseconds=number)).isoformat()
        seen = {"plate": "AB12 CDE", "camera": f"sent-{number % 2}", "captured_at": captured_at}
        yield json.dumps({"read_id": str(number // 2 % 50), "site": "calais", **seen})
    for number in range(GARBAGE):
        yield f'{{"read_id": "garbage-{number}", "plate": {number}}}'


@pytest.fixture
def scene(ports: Installation, own_servers: OwnServers) -> Scene:
    return Scene(ports, own_servers)


def test_under_faults_the_topics_hold_exactly_the_alerts_of_the_dry_run(scene: Scene) -> None:
    seed = int(os.environ.get("ORACLE_SEED") or random.SystemRandom().randrange(2**31))
    seconds = float(os.environ.get("ORACLE_SECONDS", "45"))
    print(f"ORACLE_SEED={seed}")  # noqa: T201  pytest shows it when the test fails, and with -s
    it = scene.installation
    scene.begin()
    feeds = {site: it.open_feed() for site in it.sites}
    began = time.monotonic()
    faults = fault_times(seed, [f"{site}-1" for site in it.sites], KILLS, seconds)
    for fault in faults:
        watch_until(began + fault.at_seconds, feeds)
        print(f"{time.monotonic() - began:7.3f} s  {fault}")  # noqa: T201  as above
        scene.inject(fault)
    watch_until(began + seconds, feeds)
    scene.end_traffic()

    assert wait_until(lambda: all(it.waiting(site) == 0 for site in it.sites), 180), "reads are unaccounted for"
    expected = dry_run(it, WATCHLIST, LIST, scene.reads())
    published = [alert.alert_id for alert in it.alerts()]
    print(f"{scene.kills} kills; {len(expected)} alerts, {len(published) - len(expected)} of them published again")  # noqa: T201
    assert set(published) == expected.keys(), difference(it, expected, set(published))
    sent = {alert.read.identity for alert in expected.values() if alert.read.camera.startswith("sent-")}
    assert len(sent) == SENT, "reads with one id are several reads"
    assert dead_letters(it) == GARBAGE
    assert scene.kills >= 20

    feeds["a board that was opened afterwards"] = it.open_feed()
    for name, feed in feeds.items():
        settle(feed, expected.keys())
        times = shown(feed.board)
        assert times.keys() == expected.keys(), name
        assert set(times.values()) == {1}, f"{name} shows an alert in two incidents"
        assert not feed.unreadable_records, name
        assert not feed.missed_records, name
        assert not feed.losses.by_site(system_clock()), name
        feed.stop()


def difference(installation: Installation, expected: Mapping[str, Alert], published: AbstractSet[str]) -> str:
    """Return for each missing alert whether its read is on the topic, and what it matched."""
    on_topic = {r.value: r for r in installation.records(map(topics.reads, installation.sites))}
    records = {msgspec.json.decode(value).get("read_id"): r for value, r in on_topic.items() if value}
    later = {alert.alert_id for alert in installation.alerts()} - published
    lines = [f"{len(published - expected.keys())} published that were not expected"]
    for alert_id in expected.keys() - published:
        alert = expected[alert_id]
        record = records.get(alert.read.read_id)
        where = f"{record.topic}[{record.partition}]@{record.offset}" if record else "not on the topic"
        lines.append(
            f"{alert.read.read_id} {where}{', came later' * (alert_id in later)}: "
            f"{alert.tier} {alert.score} {alert.read.plate} {alert.plate} {alert.read.candidates}"
        )
    return "\n".join(lines)


def watch_until(moment: float, feeds: dict[str, BoardFeed]) -> None:
    """Let the boards follow their topics until a moment of the monotonic clock."""
    while time.monotonic() < moment:
        for feed in feeds.values():
            feed.fold_new_records(0.02)
