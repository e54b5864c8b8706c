"""Asked to stop, a matcher sees its batch through: whenever SIGTERM comes, no read is lost and none is matched twice.

The seed is printed; STOP_SEED=that seed replays the same moments.
"""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from anpr.clock import system_clock
from anpr.local.processes import wait_until
from anpr.watchlist.csv_file import read_list
from tests.faults.oracle import dry_run
from tests.installation import Installation

STOPS = 8
LIST = "example"
WATCHLIST = Path("config/example_watchlist.csv")
# At once, while it joins, in mid-traffic: a stop must be orderly at each.
MOMENTS_SECONDS = (0.0, 0.2, 0.5, 1.0, 1.5, 2.5)


def test_a_matcher_that_is_stopped_at_any_moment_loses_nothing_and_matches_nothing_twice(ports: Installation) -> None:
    seed = int(os.environ.get("STOP_SEED") or random.SystemRandom().randrange(2**31))
    print(f"STOP_SEED={seed}")  # noqa: T201  pytest shows it when the test fails, and with -s
    moments = random.Random(seed)
    it, site = ports, ports.sites[0]
    it.store.apply(LIST, read_list(WATCHLIST, LIST).entries, "test", system_clock())
    it.start_builder()
    sent = it.folder / "sent.jsonl"
    command = [sys.executable, "-m", "simulators", "--config", str(it.config), "--site", site, "--publish"]
    command += ["--speed", "60", "--volume", "10", "--listed-share", "0.6", "--watchlist", str(WATCHLIST)]
    command += ["--list-name", LIST, "--out", str(sent)]
    it.supervisor.add("simulator", command, log=it.folder / "simulator.log", env=it.environment)

    for number in range(STOPS):
        stop_after_seconds = moments.choice(MOMENTS_SECONDS) + moments.random() * 0.2
        code, log = run_and_stop(it, site, number, stop_after_seconds)
        assert code == 0, f"stopped after {stop_after_seconds:.3f} s: exit code {code}\n{log}"
    it.supervisor.remove("simulator")

    it.start_matcher(site, f"{site}-1")
    assert wait_until(lambda: it.waiting(site) == 0, 60), "reads are unaccounted for"
    times = Counter(alert.alert_id for alert in it.alerts([site]))
    assert times.keys() == dry_run(it, WATCHLIST, LIST, sent).keys()
    repeated = Counter(read_id_of(line) for line in sent.read_bytes().splitlines())
    assert max(times.values()) <= max(repeated.values()), "an alert of one read was published twice"


def run_and_stop(it: Installation, site: str, number: int, after_seconds: float) -> tuple[int, str]:
    """Run a matcher, ask it to stop a while after it says that it runs, and return its exit code and its log."""
    log = it.folder / f"matcher-{number}.log"
    with log.open("wb") as out:
        command = it.command("match", "--site", site, "--name", f"{site}-1")
        matcher = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, **it.environment})
        try:
            assert wait_until(lambda: b"matcher runs" in log.read_bytes(), 30), log.read_text("utf-8")
            time.sleep(after_seconds)  # the moment of the stop is what is tried, not waited for
            matcher.terminate()
            return matcher.wait(30), log.read_text("utf-8")
        finally:
            matcher.kill()
            matcher.wait()


def read_id_of(line: bytes) -> str:
    return line.split(b'"read_id":"', 1)[1].split(b'"', 1)[0].decode()
