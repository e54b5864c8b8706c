"""A console for tests: real HTTP and real sessions, on the broker in memory."""

import socket
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import argon2
import httpx
import msgspec
import uvicorn

from anpr.audit.chain import AuditChain
from anpr.audit.record import AuditRecord, unseal
from anpr.console.auth import users_file
from anpr.console.auth.sessions import connect_sessions
from anpr.console.auth.users_file import User, UsersFile
from anpr.console.bootstrap import ConsoleServers, build_console
from anpr.contracts import topics
from anpr.contracts.events import Alert, Status, encode
from anpr.contracts.look_up import LookUp
from anpr.kafka.in_memory import InMemoryBroker, InMemoryProducer, InMemoryTail
from anpr.local import govuk_frontend
from anpr.local.processes import wait_until
from anpr.look_up.site_reply import SiteReply
from anpr.runtime.clock import system_clock
from anpr.runtime.http_connections import BoundedListener, ConnectionTable, bounded_server_config
from anpr.runtime.images import ImageStore
from anpr.runtime.settings import Camera, ConsoleSettings, Route, Settings, Site
from tests.support.audit import lines_in
from tests.support.entries import NoLists
from tests.support.plain_http import NO_CERTIFICATES
from tests.support.strategies import a_read, an_alert, an_entry, generation

PASSWORD = "correct horse battery"  # noqa: S105  of people in tests
ROUTES = (
    Route(origin="calais", destination="dover", by="ferry", crossing_minutes=90, wait_minutes=30),
    Route(origin="calais", destination="coquelles", by="road", crossing_minutes=10),
    Route(origin="coquelles", destination="calais", by="road", crossing_minutes=10),
)
CAMERAS = (Camera("camera-1", "1", "front"),)
# As valid as any other, and checked in a thousandth of the time: most tests sign several users in.
QUICK_HASH = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)

# One of each role, one of another site, and three with the covert permission.
USERS = {
    user.name: user
    for user in (
        User(name="ann", role="officer", sites=("calais",)),
        User(name="bob", role="officer", sites=("calais",)),
        User(name="sam", role="supervisor", sites=("*",)),
        User(name="olga", role="operator", sites=("*",)),
        User(name="aud", role="auditor", sites=("*",)),
        User(name="kate", role="officer", sites=("coquelles",)),
        User(name="cleo", role="officer", sites=("calais",), covert=True),
        User(name="carl", role="officer", sites=("calais",), covert=True),
        User(name="cora", role="auditor", sites=("*",), covert=True),
    )
}


class ConsoleServer:
    """A running console. Several that share a broker are consoles of one system."""

    def __init__(
        self,
        folder: Path,
        redis_url: str,
        console: ConsoleSettings,
        site: str = "calais",
        broker: InMemoryBroker | None = None,
    ) -> None:
        self.clock_offset = timedelta()  # how much time has gone by that a test did not wait for
        self.clock_set_by = timedelta()  # by how much somebody has set the clock
        self.broker = broker or InMemoryBroker(self.clock)
        self.settings = Settings(
            {
                name: Site(name.title(), "memory", redis_url, cameras, history=history)
                for name, cameras, history in (
                    ("calais", CAMERAS, ""),
                    ("coquelles", CAMERAS, ""),
                    ("dover", (), "http://127.0.0.1:1"),
                )
            },
            routes=ROUTES,
            console=console,
        )
        self.users = UsersFile(folder / "users.json")
        for user in USERS.values():
            self.users.save(msgspec.structs.replace(user, password_hash=QUICK_HASH))
        self.images = ImageStore(folder / "images", timedelta(hours=1))
        self.audit_folder = folder / "audit" / site
        self.audit_chain = AuditChain(self.audit_folder / "console-1", site, "console-1", self.clock)
        # What the ports answer to a look-up, and what they were asked: the question, the ports, and if also covert.
        self.replies: list[SiteReply] = []
        self.asked: list[tuple[LookUp, tuple[str, ...], bool]] = []
        servers = ConsoleServers(
            open_tail=lambda _, names: InMemoryTail(self.broker, names),
            open_producer=lambda: InMemoryProducer(self.broker),
            lists=NoLists(),
            open_canary=lambda _: None,
            open_redis=lambda: connect_sessions(redis_url),
            users=self.users,
            audit_chain=self.audit_chain,
            audit_folder=self.audit_folder,
            images=self.images,
            ask_sites=self._ask_sites,
            govuk=govuk_frontend.folder_if_there(),
        )
        self.console = build_console(self.settings, site, servers, self.clock, self.stopwatch)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.connections = ConnectionTable(proxies=console.trusted_proxies)
        self._server = uvicorn.Server(
            bounded_server_config(
                self.console.application,
                self.connections,
                console.trusted_proxies,
                timeout_graceful_shutdown=1,
                timeout_keep_alive=60,
            )
        )
        listener = BoundedListener(self._socket, self.connections)
        self._thread = threading.Thread(target=self._server.run, args=([listener],))

    async def _ask_sites(self, look_up: LookUp, sites: Collection[str], covert: bool) -> list[SiteReply]:
        self.asked.append((look_up, tuple(sites), covert))
        return [reply for reply in self.replies if reply.site in sites]

    def clock(self) -> datetime:
        return system_clock() + self.clock_offset + self.clock_set_by

    def stopwatch(self) -> float:
        return time.monotonic() + self.clock_offset.total_seconds()

    def start(self) -> None:
        self._thread.start()
        assert wait_until(lambda: self._server.started, 60)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()

    @contextmanager
    def browser(self, name: str | None = None) -> Iterator[httpx.Client]:
        """Give a browser, signed in as `name`."""
        with httpx.Client(
            base_url=self.url, headers={"Origin": self.url}, timeout=60, verify=NO_CERTIFICATES
        ) as client:
            if name is not None:
                answer = client.post("/sign-in", data={"name": name, "password": PASSWORD})
                assert answer.status_code == 303, answer.text
            yield client

    def put(self, topic: str, fact: object) -> None:
        """Put a record on a topic."""
        self.broker.topics[topic].append((None, encode(fact), {}, self.clock()))

    def report_all_is_well(self, **fields: Any) -> None:
        """Let the matchers of all ports report, with a list that was just confirmed, and the fields given."""
        now = self.clock()
        for site, settings in self.settings.sites.items():
            if settings.cameras:
                status = Status(
                    site=site,
                    matcher=f"{site}-1",
                    at=now,
                    started_at=now,
                    generation=generation(1),
                    list_confirmed_at=now,
                    partitions=1,
                    cameras={"camera-1": now},
                )
                self.put(topics.status(site), msgspec.structs.replace(status, **fields))

    def alert(self, plate: str, site: str = "calais", *, handling: str = "open", image: str | None = None) -> Alert:
        """Let a listed vehicle pass now, and return its alert once it is on the console's board."""
        now = self.clock()
        entry = an_entry(
            f"{plate}-{handling}", plate=plate, handling=handling, reason=f"why {plate}", instruction="hold"
        )
        read = a_read(f"read-{plate}-{handling}", site=site, plate=plate, captured_at=now, lane="1", image=image)
        alert = an_alert(read, entry, raised_at=now)
        self.put(topics.of_alert(alert), alert)
        assert wait_until(lambda: alert.alert_id in self.shown(), 60)
        return alert

    def audited(self) -> list[AuditRecord]:
        """Return the records of its audit chain, the oldest first."""
        return [unseal(line).record for line in lines_in(self.audit_folder / "console-1")]

    def look_ups(self) -> int:
        """Return how many look-ups its audit chain holds."""
        return sum(record.event.operation in {"consultation", "disclosure"} for record in self.audited())

    def shown(self) -> set[str]:
        """Return the incidents that its board shows to anybody."""
        return {name for page in self.console.parts.board.pages.values() for name in page.stream.state}


def csrf_of(browser: httpx.Client, path: str) -> str:
    """Return the token that a form of that page must send."""
    return browser.get(path).text.split('name="csrf" value="')[1].split('"')[0]


@contextmanager
def running_console(
    folder: Path,
    redis_url: str,
    console: ConsoleSettings | None = None,
    *,
    site: str = "calais",
    broker: InMemoryBroker | None = None,
) -> Iterator[ConsoleServer]:
    """Run a console while the context lasts."""
    folder.mkdir(exist_ok=True)
    server = ConsoleServer(folder, redis_url, console or ConsoleSettings(), site, broker)
    server.start()
    try:
        # Checked for unknown names.
        with patch.object(users_file, "DUMMY_HASH", QUICK_HASH):
            yield server
    finally:
        server.stop()
