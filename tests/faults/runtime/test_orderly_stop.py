"""Stopped at any moment, a service finishes its work, loses nothing and exits with success.

The test prints its seed. STOP_SEED=<that seed> replays the same moments.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from anpr.contracts import topics
from anpr.index_store.folder import IndexFolder
from anpr.local.free_ports import free_ports
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from anpr.watchlist.csv_file import read_list
from tests.support.entries import entry, read_line
from tests.support.installation import Installation
from tests.support.oracle import dry_run
from tests.support.plain_http import NO_CERTIFICATES

STOPS = 6
LIST = "example"
WATCHLIST = Path("config/example_watchlist.csv")
# At once, while it joins its group, with traffic: a stop must be orderly at each moment.
MOMENTS_SECONDS = (0.0, 0.2, 0.5, 1.0, 1.5, 2.5)
PASSWORD = "correct horse battery"  # noqa: S105  of people in tests


@pytest.fixture
def moments() -> Iterator[float]:
    """Return, without end, the seconds after its start at which a service is stopped."""
    seed = int(os.environ.get("STOP_SEED") or random.SystemRandom().randrange(2**31))
    print(f"STOP_SEED={seed}")  # noqa: T201  pytest shows it when the test fails, and with -s
    draw = random.Random(seed)
    return iter(lambda: draw.choice(MOMENTS_SECONDS) + draw.random() * 0.2, None)


def test_a_matcher_loses_nothing_and_matches_nothing_twice(ports: Installation, moments: Iterator[float]) -> None:
    it, site = ports, ports.sites[0]
    it.store.apply(LIST, read_list(WATCHLIST, LIST).entries, "test", system_clock())
    it.start_builder()
    sent = it.folder / "sent.jsonl"
    command = [sys.executable, "-m", "simulators", "--config", str(it.config), "--site", site, "--publish"]
    command += ["--speed", "60", "--volume", "10", "--listed-share", "0.6", "--watchlist", str(WATCHLIST)]
    command += ["--list-name", LIST, "--out", str(sent)]
    it.supervisor.add("simulator", command, log=it.folder / "simulator.log", env=it.environment)

    for number in range(STOPS):
        # Half of the moments count from its first line of code, half from the start of the matching.
        run_and_stop(
            it, next(moments), "match", "--site", site, "--name", f"{site}-1", logs=(b"", b"matcher runs")[number % 2]
        )
    it.supervisor.remove("simulator")

    it.start_matcher(site, f"{site}-1")
    assert wait_until(lambda: it.waiting(site) == 0, 180), "reads are unaccounted for"
    times = Counter(alert.alert_id for alert in it.alerts([site]))
    assert times.keys() == dry_run(it, WATCHLIST, LIST, sent).keys()
    repeated = Counter(read_id_of(line) for line in sent.read_bytes().splitlines())
    assert max(times.values()) <= max(repeated.values()), "an alert of one read was published twice"
    it.supervisor.remove(f"{site}-1")
    it.supervisor.remove("index")


def test_a_gateway_sends_every_line_of_its_stream_once(ports: Installation, moments: Iterator[float]) -> None:
    it, site = ports, ports.sites[1]
    stream, into = os.pipe()
    lines: list[bytes] = []
    is_over = threading.Event()

    def put() -> None:
        while not is_over.wait(0.002):
            lines.append(read_line(f"line-{len(lines)}", site, "AB1"))
            os.write(into, lines[-1] + b"\n")
        os.close(into)

    camera = threading.Thread(target=put)
    camera.start()
    try:
        for _ in range(STOPS):
            run_and_stop(it, next(moments), "send", "--site", site, stdin=stream)
    finally:
        is_over.set()
        with subprocess.Popen(it.command("send", "--site", site), stdin=stream, env=environment(it)) as rest:
            os.close(stream)
            camera.join()
    assert rest.returncode == 0
    on_topic = Counter(record.value for record in it.records([topics.reads(site)]))
    assert on_topic.keys() == set(lines)
    assert set(on_topic.values()) == {1}


def test_an_index_builder_leaves_a_whole_index_of_a_list_that_was_active(
    ports: Installation, moments: Iterator[float]
) -> None:
    it = ports
    contents: dict[object, set[str]] = {}
    is_over = threading.Event()

    def change() -> None:
        while not is_over.wait(0.05):
            ids = [f"{len(contents)}-{number}" for number in range(len(contents) % 7 + 1)]
            applied = it.store.apply(LIST, [entry(one, "AB12CDE") for one in ids], "test", system_clock())
            contents[applied.generation] = set(ids)

    operator = threading.Thread(target=change)
    operator.start()
    folder = IndexFolder(it.settings.index_dir)
    try:
        for number in range(STOPS):
            logs = b"index activated" if number % 2 else b""
            run_and_stop(it, next(moments), "index", "--site", it.sites[0], logs=logs)
            with contextlib.suppress(FileNotFoundError):  # it may have been stopped before its first
                manifest = folder.read_manifest().index_manifest
                index = folder.open_index(manifest, folder.open_snapshot(manifest, check_entries=True))
                if manifest.generation in contents:
                    assert {entry.entry_id for entry in index.entries()} == contents[manifest.generation]
    finally:
        is_over.set()
        operator.join()
    assert folder.read_manifest().index_manifest.generation in contents


def test_a_console_ends_the_event_streams_of_its_browsers(ports: Installation, moments: Iterator[float]) -> None:
    it, site = ports, ports.sites[0]
    it.environment["ANPR_CONSOLE__USERS_FILE"] = str(it.folder / "users.json")
    it.environment["ANPR_CONSOLE__CANARY_EVERY_SECONDS"] = "0.5"
    added = it.run(
        "users", "add", "ann", "--role", "officer", "--site", "*", "--password-stdin", input=f"{PASSWORD}\n".encode()
    )
    assert added.returncode == 0
    streams: list[threading.Thread] = []
    for number in range(STOPS):
        (port,) = free_ports(1)
        is_open = bool(number % 2)

        def look(url: str = f"http://127.0.0.1:{port}") -> None:
            streams.append(threading.Thread(target=follow, args=(url, begun := threading.Event())))
            streams[-1].start()
            assert begun.wait(60)

        run_and_stop(
            it, next(moments), "console", "--site", site, "--port", str(port),
            logs=b"console runs" if is_open else b"", then=look if is_open else lambda: None,
        )  # fmt: skip
    for stream in streams:
        stream.join(60)
        assert not stream.is_alive(), "a browser still waits for events"


def follow(url: str, begun: threading.Event) -> None:
    """Sign in and read events until the stream ends."""
    with httpx.Client(base_url=url, headers={"Origin": url}, timeout=60, verify=NO_CERTIFICATES) as browser:
        assert wait_until(lambda: can_connect(url), 60)
        browser.post("/sign-in", data={"name": "ann", "password": PASSWORD})
        with browser.stream("GET", "/board/stream") as events:
            for _ in events.iter_bytes():
                begun.set()


def can_connect(url: str) -> bool:
    try:
        return bool(httpx.get(f"{url}/sign-in", timeout=60, verify=NO_CERTIFICATES).status_code)
    except httpx.HTTPError:
        return False


def run_and_stop(
    it: Installation,
    after_seconds: float,
    *arguments: str,
    stdin: int | None = None,
    logs: bytes = b"",
    then: Callable[[], object] = lambda: None,
) -> None:
    """Run a service, stop it a while after it has logged `logs`, and check that it exits soon and with success."""
    log = it.folder / f"{arguments[0]}-{time.monotonic_ns()}.log"
    with log.open("wb") as out:
        service = subprocess.Popen(it.command(*arguments), stdin=stdin, stdout=out, stderr=out, env=environment(it))
        try:
            assert wait_until(lambda: handles_stop(service.pid) and logs in log.read_bytes(), 60), log.read_text(
                "utf-8"
            )
            then()
            time.sleep(after_seconds)  # this is the moment under test, not a wait
            service.terminate()
            code = service.wait(60)
        finally:
            service.kill()
            service.wait()
    what = f"{arguments[0]} stopped {after_seconds:.3f} s after {logs.decode() or 'its first line of code'}"
    assert code == 0, f"{what}: exit code {code}\n{log.read_text('utf-8')}"
    assert b"Traceback" not in log.read_bytes(), f"{what}\n{log.read_text('utf-8')}"
    assert b'"level": "error"' not in log.read_bytes(), f"{what}\n{log.read_text('utf-8')}"


def handles_stop(pid: int) -> bool:
    """Return whether a process has a handler for SIGTERM: before its first line of code the kernel ends it."""
    caught = Path(f"/proc/{pid}/status").read_text("utf-8").split("SigCgt:")[1].split()[0]
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def environment(it: Installation) -> dict[str, str]:
    return {**os.environ, **it.environment}


def read_id_of(line: bytes) -> str:
    return line.split(b'"read_id":"', 1)[1].split(b'"', 1)[0].decode()
