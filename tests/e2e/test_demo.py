"""The demo, run as a person runs it: right figures, a clear exit code, and no process left behind however it ends."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from anpr.local.processes import wait_until

DEMO = [sys.executable, "-m", "anpr", "demo"]


def of_demo(mark: str) -> list[int]:
    """Return the processes that carry `mark` in their environment, as all that a demo starts do."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """Return a text that is in the environment of everything that is started from here."""
    text = f"MARK-{os.getpid()}-{time.monotonic_ns()}"
    monkeypatch.setenv("DEMO_MARK", text)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    tempfile.tempdir = None
    yield text
    tempfile.tempdir = None


def test_a_measured_run_shows_every_expected_alert_on_every_board(mark: str) -> None:
    done = subprocess.run([*DEMO, "--for", "12s", "--json"], capture_output=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr.decode()
    summary = json.loads(done.stdout)
    assert summary["kafka"] == "broker"
    assert summary["reads_in"] == summary["matched"] > 0
    assert (summary["unaccounted"], summary["dead_letters"]) == (0, 0)
    assert set(summary["boards"]) == {"calais", "coquelles", "dunkerque", "dover", "folkestone"}
    for board in summary["boards"].values():
        assert board["expected"] == board["found"] > 0
        assert (board["missing"], board["unexpected"]) == (0, 0)
    assert set(summary["alerts_by_site"]) == {"calais", "coquelles", "dunkerque"}
    assert of_demo(mark) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_is_ended_no_process_is_left(mark: str, tmp_path: Path, number: signal.Signals) -> None:
    log = tmp_path / "demo.log"
    with log.open("wb") as out:
        demo = subprocess.Popen(DEMO, stdout=out, stderr=out)
    assert wait_until(lambda: b"traffic of" in log.read_bytes(), 90), log.read_text("utf-8")
    assert wait_until(lambda: len(of_demo(mark)) >= 9, 15)  # itself, two servers, three matchers, three simulators
    demo.send_signal(number)
    demo.wait(30)
    assert wait_until(lambda: not of_demo(mark), 15)
    if number is not signal.SIGKILL:
        assert demo.returncode == 0
        assert not list(tmp_path.glob("anpr-demo-*")), "and no file either"


def test_a_kill_of_make_ends_the_demo_too(mark: str, tmp_path: Path) -> None:
    log = tmp_path / "make.log"
    with log.open("wb") as out:
        make = subprocess.Popen(
            ["/usr/bin/make", "demo", "STAMP=Makefile", f"BIN={Path(sys.executable).parent}"], stdout=out, stderr=out
        )
    assert wait_until(lambda: b"traffic of" in log.read_bytes(), 90), log.read_text("utf-8")
    make.kill()
    make.wait()
    assert wait_until(lambda: not of_demo(mark), 30)


def test_without_kafka_it_says_in_one_line_that_it_runs_on_the_mock_and_what_that_cannot_do(
    mark: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    done = subprocess.run([*DEMO, "--for", "8s", "--json"], capture_output=True, timeout=180, check=False)
    assert b"embedded mock broker" in done.stderr
    summary = json.loads(done.stdout)
    assert summary["kafka"] == "mock"
    assert summary["unaccounted"] == 0
    assert done.returncode == 0
    assert of_demo(mark) == []
