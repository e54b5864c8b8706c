"""An installation for tests: its configuration folder, its topics, its processes, and the records on its topics."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from anpr.board.board_feed import BoardFeed
from anpr.contracts import events, topics
from anpr.kafka.interfaces import Record
from anpr.kafka.tail import KafkaTail
from anpr.kafka.topic_admin import create_topics, specs_by_address
from anpr.local.free_ports import free_ports
from anpr.local.group_progress import group_progress
from anpr.local.processes import wait_until
from anpr.local.supervisor import Supervisor
from anpr.runtime.clock import system_clock
from anpr.runtime.settings_files import load_settings
from anpr.watchlist.csv_file import read_list
from anpr.watchlist.store.home import tombstone_retention
from anpr.watchlist.store.store import WatchlistStore, connect
from tests.support.anpr_commands import run_command
from tests.support.forked_services import spawn
from tests.support.sites import PATIENT_SECONDS, certificates, exchange_tokens

PORTS = ("calais", "coquelles", "dunkerque")


class Installation:
    """A whole system for one test, in `folder`. Leaving the context stops every process."""

    def __init__(self, folder: Path, kafka: str, redis_url: str, suffix: str) -> None:
        """The sites are the three ports with `suffix` after their names, so that tests can share a broker."""
        self.folder = folder
        self.kafka = kafka
        self.sites = tuple(port + suffix for port in PORTS)
        self.supervisor = Supervisor(grace_seconds=60, spawn=spawn)
        self._has_builder = False
        self.config = folder / "config"
        self.config.mkdir()
        (self.config / "anpr.toml").write_text(f"[watchlist]\nstate_dir = '{folder / 'state'}'\n", "utf-8")
        (self.config / "sites.toml").write_text("\n".join(map(self._site, self.sites)), "utf-8")
        self.environment = {
            "KAFKA_BOOTSTRAP": kafka,
            "REDIS_URL": redis_url,
            "ANPR_HISTORY__TOKENS_FILE": str(folder / "site-tokens.json"),
        }
        self.settings = load_settings(self.config, self.environment)
        self.store = WatchlistStore(connect(redis_url), tombstone_retention(self.settings.topics))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisor.stop()

    def create_topics(self) -> None:
        """Create the topics of all sites."""
        for address, specs in specs_by_address(self.settings).items():
            create_topics(AdminClient({"bootstrap.servers": address}), specs)

    def open_look_ups(self) -> None:
        """Give the history of each site an address with TLS, and each site a token for every one.

        Start the histories after this.
        """
        made = certificates(self.folder / "tls")
        self.environment |= {
            "ANPR_HISTORY__CERTIFICATE": str(made.certificate),
            "ANPR_HISTORY__CERTIFICATE_KEY": str(made.key),
            "ANPR_HISTORY__AUTHORITY": str(made.authority),
            "ANPR_HISTORY__ANSWER_WITHIN_SECONDS": str(PATIENT_SECONDS),
            # Tests ask again and again until something is there.
            "ANPR_HISTORY__OFFICER_LOOK_UPS_PER_MINUTE": "100000",
            "ANPR_HISTORY__SITE_LOOK_UPS_PER_MINUTE": "100000",
        }
        for site, port in zip(self.sites, free_ports(len(self.sites)), strict=True):
            self.environment[f"ANPR_SITES__{site.upper()}__HISTORY"] = f"https://127.0.0.1:{port}"
        self.settings = load_settings(self.config, self.environment)
        for site in self.sites:
            exchange_tokens(self.settings, site, *self.sites)

    def command(self, *arguments: str) -> list[str]:
        """Return an `anpr` command of this installation."""
        return [sys.executable, "-m", "anpr", "--config", str(self.config), *arguments]

    def run(self, *arguments: str, input: bytes = b"", timeout: float = 180) -> subprocess.CompletedProcess[bytes]:  # noqa: A002  as subprocess.run
        """Run an `anpr` command to its end."""
        environment = {**os.environ, **self.environment}
        return run_command(["--config", str(self.config), *arguments], environment, input, timeout)

    def plan(self, file: Path, list_name: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run `anpr watchlist plan`, with --new-list for a new list. The plan is written beside the file."""
        manifest = self.store.read_manifest()
        new = [] if manifest and list_name in manifest.lists else ["--new-list"]
        plan = file.with_suffix(".plan.json")
        return self.run("watchlist", "plan", str(file), "--list", list_name, "--out", str(plan), *new, *arguments)

    def apply(self, file: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run `anpr watchlist apply` with the plan for this file."""
        return self.run("watchlist", "apply", str(file.with_suffix(".plan.json")), *arguments)

    def apply_list(self, file: Path, list_name: str = "stolen") -> None:
        """Apply a list, for tests that are not about the commands which do so."""
        taken = read_list(file, list_name)
        assert not taken.refused
        self.store.apply(list_name, taken.entries, "test", system_clock())

    def plan_and_apply(self, file: Path, list_name: str = "stolen") -> None:
        """Plan and apply a list without refused lines."""
        assert self.plan(file, list_name).returncode == 0
        assert self.apply(file).returncode == 0

    def start(self, name: str, *arguments: str) -> None:
        """Start an `anpr` command and keep it running."""
        self.supervisor.add(name, self.command(*arguments), log=self.folder / f"{name}.log", env=self.environment)

    def start_matcher(self, site: str, name: str) -> None:
        """Start a matcher of a site under its own name; before the first one, start the index builder."""
        if not self._has_builder:
            self.start_builder()
        self.start(name, "match", "--site", site, "--name", name)

    def start_builder(self) -> None:
        """Start the index builder. Its name in the supervisor is `index`."""
        self._has_builder = True
        self.start("index", "index", "--site", self.sites[0])

    def health_address(self, name: str) -> str:
        """Return the address that a process started with `--metrics-port 0` logs for its health and metrics."""
        log = self.folder / f"{name}.log"
        found: list[str] = []

        def is_logged() -> bool:
            found.extend(re.findall(r"http://[0-9.]+:\d+", log.read_text("utf-8") if log.exists() else ""))
            return bool(found)

        assert wait_until(is_logged, 60), log.read_text("utf-8")
        return found[0]

    def records(self, names: Iterable[str]) -> list[Record]:
        """Return all records that are on these topics now."""
        tail = KafkaTail(self.kafka, names)
        records: list[Record] = []

        def is_complete() -> bool:
            records.extend(tail.poll(0.1))
            return tail.caught_up()

        try:
            assert wait_until(is_complete, 60)
        finally:
            tail.close()
        return records

    def alerts(self, sites: Sequence[str] = ()) -> list[events.Alert]:
        """Return every alert on the topics of the sites (default: all sites), repeats included."""
        published = [
            events.decode_alert_record(record.value or b"")
            for record in self.records(map(topics.alerts, sites or self.sites))
        ]
        return [record for record in published if isinstance(record, events.Alert)]

    def waiting(self, site: str) -> int:
        """Return how many reads of a site are not committed yet."""
        share = group_progress(self.kafka, f"anpr-match-{site}", [topics.reads(site)])
        return share.records - share.committed

    def wait_until_matched(self, count: int, site: str, timeout_seconds: float = 180) -> None:
        """Wait until a site's topic holds `count` reads and every one is committed."""

        def is_matched() -> bool:
            try:
                return group_progress(self.kafka, f"anpr-match-{site}", [topics.reads(site)]) == (count, count)
            except KafkaException:  # the broker may be restarting
                return False

        assert wait_until(is_matched, timeout_seconds), f"{self.waiting(site)} reads of {site} wait"

    def open_feed(self) -> BoardFeed:
        """Return a started board of all sites."""
        feed = BoardFeed(self.settings, KafkaTail, self.store, system_clock)
        feed.start()
        return feed

    def _site(self, site: str) -> str:
        cameras = ", ".join(f'{{ name = "{site}-1-{p}", lane = "1", position = "{p}" }}' for p in ("front", "rear"))
        return f'[sites.{site}]\ntitle = "{site.title()}"\nkafka = "x"\nredis = "x"\ncameras = [{cameras}]\n'
