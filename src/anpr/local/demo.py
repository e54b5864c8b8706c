"""The whole system on one machine, as `anpr demo` runs it: servers, matchers, simulated traffic and boards."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from shlex import quote
from typing import Self

import msgspec
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from anpr.board.board_feed import BoardFeed
from anpr.console.auth.users_file import User, UsersFile, hash_password
from anpr.contracts import topics
from anpr.contracts.events import Entry
from anpr.history.stores import open_sightings
from anpr.kafka.tail import KafkaTail
from anpr.kafka.topic_admin import create_topics, specs_by_address
from anpr.local import run_check
from anpr.local.demo_journeys import crossings_in_words, demo_environment, uk_ports
from anpr.local.free_ports import claimed, free_ports, usual_ports
from anpr.local.group_progress import group_progress
from anpr.local.kafka_server import KafkaServer
from anpr.local.mock_broker import LIMITS, MockBroker
from anpr.local.next_steps import next_steps
from anpr.local.processes import wait_until
from anpr.local.server import Server, ServerUnavailableError
from anpr.local.supervisor import Supervisor
from anpr.local.valkey_server import ValkeyServer
from anpr.runtime.atomic_file import write_atomically
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import AnprError, InputError, UnavailableError
from anpr.runtime.nearest import nearest_note
from anpr.runtime.plurals import counted
from anpr.runtime.settings import Settings
from anpr.runtime.settings_files import load_settings
from anpr.runtime.site_tokens import SiteTokensFile
from anpr.watchlist.csv_file import read_list
from anpr.watchlist.list_context import ListContext
from anpr.watchlist.store.home import home_store

LIST_NAME = "example"
# The same at each run if they are free, so that a bookmark of a console and a copied command go on working.
KAFKA_PORTS, VALKEY_PORT = (28_092, 28_093), 28_079
FIRST_CONSOLE_PORT, FIRST_HISTORY_PORT = 28_080, 28_070
# Of several demos on a machine, the one that holds this port takes those.
CLAIM_PORT = 28_069
# A few seconds on a machine that is free. One that is busy may take minutes, and to give up would not help.
READY_SECONDS = 180
DRAIN_SECONDS = 60
BOARD_SECONDS = 30
HISTORY_SECONDS = 30
# The entries that are listed later are among so many of the first.
LATER_AMONG = 100

DEMO_USERS = (
    User(name="officer", role="officer", sites=("*",)),
    User(name="officer2", role="officer", sites=("*",)),
    User(name="supervisor", role="supervisor", sites=("*",)),
    User(name="covert", role="supervisor", sites=("*",), covert=True),
    User(name="operator", role="operator", sites=("*",)),
    User(name="auditor", role="auditor", sites=("*",)),
)

ShowProgress = Callable[[str], None]


def check_scenario(name: str) -> None:
    """Raise InputError, with the nearest name, when the simulators have no scenario of this name."""
    command = [sys.executable, "-m", "simulators", "--scenario", "list"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  no shell
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    if name not in names:
        raise InputError(
            "scenario-unknown",
            f"no scenario {name!r}{nearest_note(name, names, 'the nearest is')}",
            "print all scenarios with: python -m simulators --scenario list",
        )


class Demo:
    """A context that starts everything, and ends every process.

    It deletes its files too, unless `keep_folder` is set, or an error ends it: then its logs are of use.
    """

    def __init__(
        self, config: Path, watchlist: Path, show_progress: ShowProgress, *, lists_some_later: bool = False
    ) -> None:
        """`config` is the configuration folder, `watchlist` the list to apply.

        With `lists_some_later`, every second of its first entries waits for `list_the_rest`.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="anpr-demo-"))
        self.keep_folder = False
        self._config = config.absolute()
        self._watchlist = watchlist.absolute()
        self._show_progress = show_progress
        self._stack = ExitStack()
        self.supervisor = Supervisor()
        self._servers: dict[str, Server] = {}
        self._environment: dict[str, str] = {}
        self._mock: MockBroker | None = None
        self._lists_some_later = lists_some_later
        self._later: set[str] = set()
        self._listed_at: datetime | None = None
        self.kafka = ""
        # The ports whose traffic is simulated. Vehicles travel on from there.
        self._origins: list[str] = []
        # Where services say that they are ready, by their names.
        self._health_ports: dict[str, int] = {}
        self._listed_plate = ""
        self._has_claim = False
        self.settings: Settings

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.keep_folder = True
            self.__exit__()
            raise
        return self

    def __exit__(self, kind: object = None, error: object = None, trace: object = None) -> None:
        self.keep_folder = self.keep_folder or isinstance(error, AnprError) or bool(self.faults())
        self.supervisor.stop()
        self._stack.close()
        if self.keep_folder:
            self._show_progress(f"the logs are in {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def ports(self) -> list[str]:
        """The sites that have cameras."""
        return [name for name, site in self.settings.sites.items() if site.cameras]

    def open_feed(self) -> BoardFeed:
        """Start a feed that follows all sites and the watchlist, and return it."""
        feed = BoardFeed(self.settings, KafkaTail, home_store(self.settings), system_clock)
        feed.start()
        self._stack.callback(feed.stop)
        return feed

    def start_matchers(self, feed: BoardFeed) -> None:
        """Start a matcher for each port, and wait until each has the watchlist and its cameras."""
        self._start_child("index", self._command("index", "--site", self.ports[0]))
        for site in self.ports:
            self.add_matcher(site, f"{site}-1")

        def are_ready() -> bool:
            feed.fold_new_records(0.1)
            return all(
                any(status.generation and status.partitions for status in health.matchers)
                for health in feed.health(system_clock())
            )

        if not wait_until(are_ready, READY_SECONDS):
            raise UnavailableError(
                "demo-not-ready", f"the matchers are not ready after {READY_SECONDS} s", "read the matchers' logs"
            )
        self._show_progress(f"{len(self.ports)} matchers have the watchlist and their cameras")

    def start_histories(self) -> None:
        """Start a history and its back-check for each port, where the broker has the ids of topics that they need."""
        if self._mock is not None:
            return
        tokens = SiteTokensFile(self.settings.tokens_file)
        for site in self.ports:
            for asking in self.settings.sites:
                tokens.hold(tokens.make(asking, site, system_clock()))
            self._start_service(f"history-{site}", "history", "--site", site)
            self._start_service(f"back-check-{site}", "back-check", "--site", site)
        for site in uk_ports(self.settings):
            self._start_service(f"meet-{site}", "meet", "--site", site)
        self._show_progress("history keeps every read of each port; new entries and expected vehicles are looked for")

    def wait_until_ready(self) -> None:
        """Wait until every service does its work. Traffic that came before would wait for processes that start."""
        waiting = list(self._health_ports.items())

        def is_nobody_waiting() -> bool:
            while waiting and _is_ready(waiting[0][1]):
                del waiting[0]
            return not waiting

        if not wait_until(is_nobody_waiting, READY_SECONDS):
            names = ", ".join(name for name, _ in waiting)
            self._show_progress(f"after {READY_SECONDS} s these may not be ready, and the traffic begins: {names}")

    def list_the_rest(self) -> None:
        """List the vehicles that were left out at the start. Some have passed by now."""
        if not self._later:
            return
        home_store(self.settings).apply(LIST_NAME, self._entries(), "demo, later", system_clock())
        self._listed_at = system_clock()

    def add_matcher(self, site: str, name: str, *, restart: bool = True) -> None:
        """Start one matcher of a site. The supervisor knows it as `matcher-<name>`."""
        command = self._command("match", "--site", site, "--name", name)
        self._start_child(f"matcher-{name}", command, restart=restart)

    def faults(self) -> list[str]:
        """Return a sentence for each of its servers that has ended, and for each service that had to start again."""
        ended = [
            f"{name} has ended. Press Ctrl-C, and start the demo again. Its log: {server.log}"
            for name, server in self._servers.items()
            if server.pid is None
        ]
        return ended + [
            f"{name} ended with code {codes[-1]} and was started again. Its log: {self._log_file(name)}"
            for name, codes in self.supervisor.exit_codes.items()
            if any(codes)
        ]

    def start_traffic(self, *, seed: int, speed: float, scenario: str, listed_share: float | None = None) -> None:
        """Start the simulators of all ports, with their ground truth: in one process, which is enough for all.

        The scenario says how much traffic comes and how much of it is listed, unless `listed_share` does.
        """
        traffic = ["--scenario", scenario]
        if listed_share is not None:
            traffic += ["--listed-share", str(listed_share)]
        command = [sys.executable, "-m", "simulators", "--config", str(self._config), "--publish"]
        for site in self._origins:
            command += ["--site", site]
        command += ["--seed", str(seed), "--speed", str(speed), *traffic, "--pictures", "listed"]
        command += ["--watchlist", str(self._watchlist), "--list-name", LIST_NAME]
        command += ["--truth", str(self._truth_file), "--out", str(self.folder / "reads.jsonl")]
        self._start_child("simulators", command)
        self._show_progress("traffic of " + ", ".join(self.settings.sites[site].title for site in self._origins))
        self._show_progress(crossings_in_words(self.settings))

    def start_consoles(self) -> list[str]:
        """Start a console for each port, with one person of each role. Return what to do next.

        The console of a port sends its test plate. Without one every board says that none comes back from there.
        """
        password = secrets.token_urlsafe(9)
        users = UsersFile(Path(self._environment["ANPR_CONSOLE__USERS_FILE"]))
        for user in DEMO_USERS:
            users.save(msgspec.structs.replace(user, password_hash=hash_password(password)))
        ports = dict(zip(self.ports, self._ports_from(FIRST_CONSOLE_PORT, len(self.ports)), strict=True))
        for site, port in ports.items():
            self._start_service(f"console-{site}", "console", "--site", site, "--port", str(port))
        return next_steps(
            {self.settings.sites[site].title: port for site, port in ports.items()},
            [user.name for user in DEMO_USERS],
            password,
            self._write_environment(),
            self._listed_plate if self._mock is None else None,
        )

    def stop_traffic(self) -> None:
        """Stop the simulators. They first deliver and record everything that they have published."""
        self.supervisor.remove("simulators")

    def summarise(self, boards: dict[str, BoardFeed]) -> run_check.Summary:
        """Wait until all traffic is matched and on the boards, then compare the boards with the truth."""
        if not wait_until(self._is_drained, DRAIN_SECONDS):
            self._show_progress(f"{self._unmatched_reads()} reads are still not matched after {DRAIN_SECONDS} s")
        passes = [
            msgspec.json.decode(line, type=run_check.TruePass) for line in self._truth_file.read_bytes().splitlines()
        ]
        truth = run_check.truth_of(passes)

        def are_exact() -> bool:
            for feed in boards.values():
                feed.fold_new_records(0.05)
            return all(self._check(feed, truth).is_exact for feed in boards.values())

        wait_until(are_exact, BOARD_SECONDS)
        reads_in, committed = self._count_reads()
        dead_letters = group_progress(self.kafka, "anpr-demo", map(topics.deadletters, self.ports)).records
        matched = committed - dead_letters
        first = next(iter(boards.values()))
        rates = first.site_monitor.rates
        self._wait_for_history(matched, passes, truth, first)
        shown = run_check.shown_alerts(first.board.incidents(system_clock()))
        return run_check.Summary(
            kafka="mock" if self._mock else "broker",
            reads_in=reads_in,
            matched=matched,
            dead_letters=dead_letters,
            unaccounted=reads_in - committed,
            alerts_by_site=run_check.count_by(shown.values(), lambda alert: alert.read.site),
            alerts_by_tier=run_check.count_by(shown.values(), lambda alert: alert.tier),
            alerts_by_kind=run_check.count_by(shown.values(), lambda alert: alert.kind),
            capture_to_alert_ms=run_check.percentiles_ms([s for p in self.ports for s in rates.raised_seconds(p)]),
            capture_to_board_ms=run_check.percentiles_ms([s for p in self.ports for s in rates.shown_seconds(p)]),
            boards={name: self._check(feed, truth) for name, feed in boards.items()},
            history=self._check_history(passes, truth, first),
        )

    def _start(self) -> None:
        self._has_claim = self._stack.enter_context(claimed(CLAIM_PORT))
        valkey = ValkeyServer(self.folder / "valkey", *self._ports_like([VALKEY_PORT]))
        self._start_server("Valkey", valkey)
        self._start_kafka()
        self._environment = {
            "KAFKA_BOOTSTRAP": self.kafka,
            "REDIS_URL": valkey.url,
            "ANPR_WATCHLIST__STATE_DIR": str(self.folder / "state"),
            "ANPR_HISTORY__FOLDER": str(self.folder / "history"),
            "ANPR_HISTORY__URL": "",
            "ANPR_HISTORY__TOKENS_FILE": str(self.folder / "site-tokens.json"),
            "ANPR_CONSOLE__USERS_FILE": str(self.folder / "users.json"),
        }
        self._load_settings()
        self._origins = self.ports
        self._environment |= demo_environment(self.settings)
        self._load_settings()
        self._environment |= self._history_addresses()
        self._load_settings()
        for address, specs in specs_by_address(self.settings).items():
            if self._mock is None:
                create_topics(AdminClient({"bootstrap.servers": address}), specs)
            else:
                self._mock.create_topics(spec.name for spec in specs)
        entries = self._entries()
        self._listed_plate = entries[0].plate
        if self._lists_some_later and self._mock is None:
            self._later = {entry.entry_id for entry in entries[:LATER_AMONG:2]}
        at_first = [entry for entry in entries if entry.entry_id not in self._later]
        applied = home_store(self.settings).apply(LIST_NAME, at_first, "demo", system_clock())
        self._start_child("list-keeper", self._command("watchlist", "keep"))
        later = f", {len(self._later)} more are listed later" if self._later else ""
        self._show_progress(
            f"watchlist {self._watchlist.name}: {counted(applied.entries, 'entry', 'entries')} applied{later}"
        )

    def _entries(self) -> tuple[Entry, ...]:
        context = ListContext(self.settings.sites, system_clock())
        return read_list(self._watchlist, LIST_NAME, context=context).entries

    def _load_settings(self) -> None:
        self.settings = load_settings(self._config, {**os.environ, **self._environment})

    def _history_addresses(self) -> dict[str, str]:
        """Return an address on this machine for the history of each port, so without TLS; none where none runs."""
        own_ports = self._ports_from(FIRST_HISTORY_PORT, len(self.ports))
        return {
            f"ANPR_SITES__{site.upper()}__HISTORY": "" if self._mock else f"http://127.0.0.1:{own_port}"
            for site, own_port in zip(self.ports, own_ports, strict=True)
        }

    def _start_kafka(self) -> None:
        self._show_progress("starting Kafka and Valkey (the first time, this fetches Kafka: 45 MB)")
        try:
            server = KafkaServer(self.folder / "kafka", ports=self._ports_like(KAFKA_PORTS))
            self._start_server("Kafka", server)
            self.kafka = server.bootstrap
            self._show_progress("Kafka and Valkey have started")
        except ServerUnavailableError as error:
            self._mock = MockBroker()
            self._mock.start()
            self._stack.callback(self._mock.stop)
            self.kafka = self._mock.bootstrap
            self._show_progress(f"{error} {LIMITS}")

    def _ports_from(self, first: int, count: int) -> list[int]:
        return self._ports_like(range(first, first + count))

    def _ports_like(self, usual: Sequence[int]) -> list[int]:
        """Return these ports where they are free. Only one demo may ask: its servers do not listen there yet."""
        return usual_ports(usual) if self._has_claim else free_ports(len(usual))

    def _start_server(self, name: str, server: Server) -> None:
        server.start()
        self._stack.callback(server.stop)
        self._servers[name] = server

    def _write_environment(self) -> Path:
        """Write the file by which a shell finds the commands, the configuration and the servers of this demo."""
        commands = Path(sys.executable).parent
        exports = {"ANPR_CONFIG": str(self._config), **self._environment}
        lines = [f"export PATH={quote(str(commands))}:$PATH"]
        lines += [f"export {name}={quote(value)}" for name, value in exports.items()]
        environment = self.folder / "environment"
        write_atomically(environment, "".join(f"{line}\n" for line in lines).encode())
        return environment

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "anpr", "--config", str(self._config), *arguments]

    def _start_service(self, name: str, *arguments: str) -> None:
        """Start a service that says when it is ready."""
        [port] = free_ports(1)
        self._health_ports[name] = port
        self._start_child(name, self._command(*arguments, "--metrics-port", str(port)))

    def _start_child(self, name: str, command: list[str], *, restart: bool = True) -> None:
        self.supervisor.add(name, command, log=self._log_file(name), env=self._environment, restart=restart)

    def _log_file(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    @property
    def _truth_file(self) -> Path:
        return self.folder / "truth.jsonl"

    def _count_reads(self) -> tuple[int, int]:
        """Return how many reads were sent, and how many the matchers have committed."""
        progress = [group_progress(self.kafka, f"anpr-match-{site}", [topics.reads(site)]) for site in self.ports]
        return sum(site_progress.records for site_progress in progress), sum(
            site_progress.committed for site_progress in progress
        )

    def _wait_for_history(
        self, matched: int, passes: Sequence[run_check.TruePass], truth: run_check.Truth, feed: BoardFeed
    ) -> None:
        """Wait until the histories hold every matched read, and the board what was found in them."""

        def is_found() -> bool:
            feed.fold_new_records(0.05)
            found = self._check_history(passes, truth, feed)
            return found is None or (found.sightings == matched and found.finds_all)

        wait_until(is_found, HISTORY_SECONDS)

    def _check_history(
        self, passes: Sequence[run_check.TruePass], truth: run_check.Truth, feed: BoardFeed
    ) -> run_check.HistoryCheck | None:
        """Compare what the histories hold, and what was found in them, with the truth; None where none runs."""
        if self._mock is not None:
            return None
        now, listed_at = system_clock(), self._listed_at
        incidents = feed.board.incidents(now)
        shown = run_check.shown_alerts(incidents)
        expected = run_check.passed_before(passes, self._later, listed_at) if listed_at else set()
        arrivals = run_check.check_arrivals(incidents, passes, self.settings.routes, now)
        known = run_check.known_as_turned_away(shown.values())
        return run_check.HistoryCheck(
            self._count_sightings(),
            retrospective=sum(alert.kind == "retrospective" for alert in shown.values()),
            retrospective_missing=len(expected - shown.keys()),
            arrivals_met=arrivals.met,
            arrivals_met_missing=arrivals.missing,
            arrivals_met_unexpected=arrivals.unexpected,
            turned_away_met=len(known & truth.turned_away),
            turned_away_met_missing=len(truth.turned_away - known),
        )

    def _count_sightings(self) -> int:
        """Return how many sightings the histories hold."""
        sightings = 0
        for site in self.ports:
            store = open_sightings(self.settings, site, is_writer=False)
            sightings += store.count()
            store.close()
        return sightings

    def _is_drained(self) -> bool:
        try:
            return self._unmatched_reads() == 0
        except KafkaException:  # on a busy machine the broker may answer late
            return False

    def _unmatched_reads(self) -> int:
        reads_in, committed = self._count_reads()
        return reads_in - committed

    def _check(self, feed: BoardFeed, truth: run_check.Truth) -> run_check.BoardCheck:
        return run_check.check_board(feed.board.incidents(system_clock()), truth)


def _is_ready(health_port: int) -> bool:
    """Ask a service whether it does its work."""
    with closing(HTTPConnection("127.0.0.1", health_port, timeout=2)) as connection:
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
