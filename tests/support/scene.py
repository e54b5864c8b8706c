"""The whole system for tests in a browser, on real servers: traffic, matchers, consoles behind wires, and users.

It is started once for many tests. So each test sends vehicles of its own and looks only for those.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import httpx
import msgspec
from playwright.sync_api import Browser, BrowserContext, Page, expect

from anpr.console.auth.users_file import User, UsersFile
from anpr.contracts import topics
from anpr.contracts.alert_id import alert_id
from anpr.contracts.events import BackCheckStatus, Generation, encode
from anpr.kafka.producer import KafkaProducer
from anpr.local.free_ports import free_ports
from anpr.local.kafka_server import KafkaServer
from anpr.local.processes import wait_until
from anpr.local.server import ServerUnavailableError
from anpr.local.valkey_server import ValkeyServer
from anpr.runtime.clock import system_clock
from anpr.runtime.images import ImageStore
from tests.support.chromium import Wire, launched_chromium
from tests.support.installation import Installation
from tests.support.plain_http import NO_CERTIFICATES
from tests.support.servers import missing
from tests.support.strategies import a_read
from tests.support.web_console import PASSWORD, QUICK_HASH, USERS

READY_SECONDS = 180
# Each test uses its own plates. No look-alike turns the last letters of one into those of another.
PLATES = tuple(f"TE{number}{end}" for number in range(20, 50) for end in ("ACE", "HMX", "PTV"))
# Dirk's sessions are short, and Gill signs out: no other test uses theirs.
OTHERS = (
    User(name="dirk", role="officer", sites=("dunkerque",)),
    User(name="gill", role="officer", sites=("calais",)),
)
COVERT_PLATE = "CV77RST"
# Only Coquelles looks for it.
COQUELLES_PLATE = "QW88LKJ"
URGENT_PLATE = "UR66GNT"  # of priority 1
# Of priority 5: a claim of it is unattended after a few seconds without an action.
LEAST_PLATE = "LE55AST"
# Two lanes, so that an officer can choose one.
CALAIS_CAMERAS = """[
    {name = "calais-1-front", lane = "1", position = "front"}, {name = "calais-1-rear", lane = "2", position = "rear"}
]"""
# Long enough to open the board, short enough to wait for its end.
SHORT_SESSION_HOURS = 8 / 3600


class Scene:
    """The running system. A context that starts everything and leaves nothing behind."""

    def __init__(self, folder: Path) -> None:
        self._stack = ExitStack()
        self._folder = folder
        self._plates = iter(PLATES)
        self._states: dict[tuple[str, str], Any] = {}
        self.wires: dict[str, Wire] = {}
        self.addresses: dict[str, str] = {}

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        self.valkey = valkey = self._stack.enter_context(ValkeyServer(self._folder / "valkey"))
        self.kafka = KafkaServer(self._folder / "kafka")
        try:
            self._stack.enter_context(self.kafka)
        except ServerUnavailableError as error:
            missing(error)
        it = self.installation = Installation(self._folder, self.kafka.bootstrap, valkey.url, suffix="")
        self._stack.enter_context(it)
        it.environment |= {
            "ANPR_CONSOLE__USERS_FILE": str(self._folder / "users.json"),
            "ANPR_SITES__CALAIS__TIME_ZONE": "Europe/Paris",
            "ANPR_SITES__CALAIS__CAMERAS": CALAIS_CAMERAS,
            "ANPR_CONSOLE__CLAIM_DUE_SECONDS": "[600, 600, 600, 600, 5]",
            # A busy machine is slow, and no test here measures speed.
            "ANPR_CONSOLE__CANARY_DUE_SECONDS": "60",
            "ANPR_CONSOLE__LIST_OLD_AFTER_SECONDS": "60",
        }
        it.create_topics()
        it.open_look_ups()
        users = UsersFile(self._folder / "users.json")
        for user in (*USERS.values(), *OTHERS):
            users.save(msgspec.structs.replace(user, password_hash=QUICK_HASH))
        self.images = ImageStore(it.settings.images_dir, timedelta(hours=1))
        listed = self._write_list()
        it.apply_list(listed)
        for site in it.sites:
            it.start_matcher(site, f"{site}-1")
        for site in it.sites:
            self._start_console(site)
        it.start("keep", "watchlist", "keep")
        for site in it.sites[:2]:  # Dunkerque has none
            it.start(f"history-{site}", "history", "--site", site)
        self.start_traffic()
        self.producer = KafkaProducer(self.kafka.bootstrap)
        self._tell_that_new_entries_are_looked_for()
        self.browser: Browser = self._stack.enter_context(launched_chromium())
        for site, url in self.addresses.items():
            assert wait_until(lambda at=url: _answers(at), READY_SECONDS), site  # type: ignore[misc]
        with httpx.Client(
            base_url=self.addresses["calais"],
            headers={"Origin": self.addresses["calais"]},
            timeout=60,
            verify=NO_CERTIFICATES,
        ) as ann:
            ann.post("/sign-in", data={"name": "ann", "password": PASSWORD})
            assert wait_until(lambda: self.head(ann).get("count", "?") != "?", READY_SECONDS), self.head(ann)

    @staticmethod
    def head(client: httpx.Client) -> dict[str, Any]:
        """Return the head of the board, nothing while the console still reads the topics."""
        answer = client.get("/board/state")
        return dict(answer.json()["set"]["head"]) if answer.status_code == httpx.codes.OK else {}

    def _write_list(self) -> Path:
        rows = ["entry_id,plate,country,category,priority,reason,instruction,warnings,valid_until,tolerance,handling"]
        rows[0] += ",sites,owner"
        rest = "hold in the lane,May be armed,2099-01-01,tolerant,open,,Kent Police"
        rows += [f"{plate},{plate},GB,stolen,2,why {plate},{rest}" for plate in PLATES]
        rows.append(f"{URGENT_PLATE},{URGENT_PLATE},GB,stolen,1,urgent,stop it,,2099-01-01,tolerant,open,,")
        rows.append(f"{LEAST_PLATE},{LEAST_PLATE},GB,of interest,5,a fine,,,2099-01-01,tolerant,open,,")
        rows.append(f"{COVERT_PLATE},{COVERT_PLATE},GB,of interest,2,quiet,,,2099-01-01,tolerant,covert,,")
        of_coquelles = "GB,of interest,1,papers to check,,,2099-01-01,tolerant,open,coquelles,"
        rows.append(f"{COQUELLES_PLATE},{COQUELLES_PLATE},{of_coquelles}")
        file = self._folder / "stolen.csv"
        file.write_text("\n".join(rows) + "\n", "utf-8")
        return file

    def _start_console(self, site: str) -> None:
        (port,) = free_ports(1)
        self.addresses[site] = f"http://127.0.0.1:{port}"
        self.wires[site] = Wire(self.addresses[site])
        self._stack.callback(self.wires[site].close)
        more = {"ANPR_CONSOLE__SESSION_HOURS": str(SHORT_SESSION_HOURS)} if site == "dunkerque" else {}
        it = self.installation
        it.supervisor.add(
            f"console-{site}",
            it.command("console", "--site", site, "--port", str(port)),
            log=self._folder / f"console-{site}.log",
            env={**it.environment, **more},
        )

    def start_traffic(self) -> None:
        """Start ordinary vehicles at all ports. None of them is listed: tests send the listed ones."""
        it = self.installation
        command = [sys.executable, "-m", "simulators", "--config", str(it.config), "--publish", "--speed", "10"]
        command += ["--out", str(self._folder / "sent.jsonl")]
        it.supervisor.add("traffic", command, log=self._folder / "traffic.log", env=it.environment)

    def _tell_that_new_entries_are_looked_for(self) -> None:
        """Report in the name of the back-checks, which no test here needs: without them every board would warn."""
        stop = threading.Event()
        any_list = Generation(epoch=2**62, number=0)

        def tell() -> None:
            producer = KafkaProducer(self.kafka.bootstrap)
            while True:
                for site in self.installation.sites:
                    status = BackCheckStatus(site=site, at=system_clock(), looked_up_to=any_list)
                    producer.produce(topics.status(site), None, encode(status))
                producer.flush(1)
                if stop.wait(20):
                    return

        teller = threading.Thread(target=tell, name="back-checks", daemon=True)
        teller.start()
        self._stack.callback(teller.join)
        self._stack.callback(stop.set)

    # --- vehicles ---

    def plate(self) -> str:
        """Return a listed plate that no other test has."""
        return next(self._plates)

    def comes_by(self, plate: str, site: str = "calais", *, read_as: str = "", **fields: Any) -> str:
        """Send a read of a vehicle now. Return the id of its incident, if it is listed and this is its first read."""
        return self.come_by([plate], site, **({"plate": read_as} if read_as else {}), **fields)[0]

    def come_by(self, plates: Iterable[str], site: str = "calais", **fields: Any) -> list[str]:
        """Send reads of several vehicles at once."""
        incidents: list[str] = []
        for plate in plates:
            now = system_clock()
            read_id = f"{plate}-{now.isoformat()}-{len(incidents)}"
            given = {"camera": f"{site}-1-front", "lane": "1", "direction": "uk_bound", "country": "GB"}
            read = a_read(read_id, site=site, captured_at=now, **{**given, "plate": plate, **fields})
            self.producer.produce(topics.reads(site), read.camera, encode(read))
            incidents.append(alert_id(read.identity, plate))
        assert self.producer.flush(60) == 0
        return incidents

    # --- users ---

    def context(self, site: str, user: str, **options: Any) -> BrowserContext:
        """Return a browser in which a user is signed in at a console. Each user signs in once."""
        url = self.wires[site].url
        if (site, user) not in self._states:
            context = self.browser.new_context()
            page = context.new_page()
            sign_in(page, url, user)
            expect(page.locator("#main")).to_be_visible()
            page.wait_for_url(lambda at: "sign-in" not in at)
            self._states[site, user] = context.storage_state()
            context.close()
        return self.browser.new_context(storage_state=self._states[site, user], **options)

    @contextmanager
    def page(self, site: str, user: str, path: str = "/", **options: Any) -> Iterator[Page]:
        """Open a page of a console as a signed-in user, in an own browser."""
        context = self.context(site, user, **{"viewport": {"width": 1280, "height": 900}, **options})
        try:
            page = context.new_page()
            page.goto(self.wires[site].url + path)
            yield page
        finally:
            context.close()

    # --- faults ---

    @contextmanager
    def frozen(self, site: str) -> Iterator[None]:
        """Freeze a console: its process stops, its connections stay open."""
        pid = self.installation.supervisor.pid(f"console-{site}")
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    @contextmanager
    def swallowed(self, site: str) -> Iterator[None]:
        """Let the wire to a console accept bytes and pass none on."""
        self.wires[site].hangs.set()
        try:
            yield
        finally:
            self.wires[site].hangs.clear()


def sign_in(page: Page, url: str, name: str, password: str = PASSWORD) -> None:
    """Fill in the form and send it."""
    page.goto(f"{url}/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/sign-in", timeout=60, verify=NO_CERTIFICATES).status_code == 200
    except httpx.HTTPError:
        return False
