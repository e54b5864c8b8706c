"""The demo, run as a person runs it: right counts, a clear exit code, and no process left behind however it ends."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from anpr.local.processes import wait_until

PROC = Path("/proc")
# Tethered to this process, so that a killed test run leaves no demo behind.
DEMO = [sys.executable, "-m", "anpr.local.tether", "TERM", sys.executable, "-m", "anpr", "demo"]


def demo_processes(folder: Path) -> list[int]:
    """Return the processes with an open file under `folder`. Every process of a demo has its log open there."""
    found = []
    for process in PROC.iterdir():
        try:
            files = [file.readlink() for file in (process / "fd").iterdir()] if process.name.isdigit() else []
        except OSError:
            continue  # it has just ended
        if any(file.is_relative_to(folder) for file in files):
            found.append(int(process.name))
    return found


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the folder in which a demo writes all its files."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_a_measured_run_shows_every_expected_alert_on_every_board(folder: Path) -> None:
    done = subprocess.run([*DEMO, "--for", "12s", "--json"], capture_output=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr.decode()
    summary = json.loads(done.stdout)
    assert summary["kafka"] == "broker"
    assert summary["reads_in"] == summary["matched"] > 0
    assert (summary["unaccounted"], summary["dead_letters"]) == (0, 0)
    # Some vehicles are listed after they have passed: none on a machine that is so slow that their reads wait.
    retrospective = summary["alerts_by_kind"].get("retrospective", 0)
    # How many vehicles have arrived or tried again in so short a time depends on the machine; none may be missed.
    history = summary["history"]
    assert history.keys() >= {"arrivals_met", "turned_away_met"}
    assert (history["sightings"], history["retrospective"]) == (summary["reads_in"], retrospective)
    assert [history[name] for name in history if name.endswith(("_missing", "_unexpected"))] == [0, 0, 0, 0]
    assert set(summary["boards"]) == {"calais", "coquelles", "dunkerque", "dover", "folkestone"}
    for board in summary["boards"].values():
        assert board["expected"] == board["found"] > 0
        assert (board["missing"], board["unexpected"], board["false_guesses"]) == (0, 0, 0)
    # How many vehicles come by in so short a time depends on the machine, so a port may have had no listed one.
    assert summary["boards"].keys() >= summary["alerts_by_site"].keys() > set()
    assert demo_processes(folder) == []


# Ctrl-C, a closed terminal, a kill. The test below uses SIGTERM.
# The first comes while the demo shows alerts, the others while it starts: a start takes half a minute of a processor.
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_however_it_is_ended_no_process_is_left(folder: Path, number: signal.Signals) -> None:
    log = folder / "demo.log"
    with log.open("wb") as out:
        demo = subprocess.Popen(DEMO, stdout=out, stderr=out)
    if number is signal.SIGINT:
        assert wait_until(lambda: b"traffic of" in log.read_bytes(), 180), log.read_text("utf-8")
    # Itself, two servers, five matchers, five histories and more.
    assert wait_until(lambda: len(demo_processes(folder)) >= 14, 180)
    demo.send_signal(number)
    demo.wait(60)
    assert wait_until(lambda: not demo_processes(folder), 60)
    if number is not signal.SIGKILL:
        assert demo.returncode == 0
        assert not list(folder.glob("anpr-demo-*")), "no file is left either"


def test_what_make_demo_says_can_be_pasted_and_a_kill_of_make_ends_it(folder: Path) -> None:
    log, stamp = folder / "make.log", folder / "installed"
    stamp.touch()  # so make has nothing to install
    with log.open("wb") as out:
        make = subprocess.Popen(
            ["/usr/bin/make", "demo", f"STAMP={stamp}", f"BIN={Path(sys.executable).parent}", "ARGS="],
            stdout=out,
            stderr=out,
            env={name: value for name, value in os.environ.items() if name != "MAKEFLAGS"},  # those of `make test`
        )
    try:
        assert wait_until(lambda: b"Ctrl-C here ends the demo" in log.read_bytes() or make.poll() is not None, 300)
        said = log.read_text("utf-8")
        assert make.poll() is None, said
        environment, *_, look_up = said.partition("In another terminal:\n")[2].partition("Ctrl-C")[0].splitlines()

        def is_seen() -> bool:
            """Paste it into a shell that knows nothing. The last command ends with 1 until the vehicle came by.

            It ends with 3 while a port does not answer in time: a busy machine is slow.
            """
            done = subprocess.run(
                ["/bin/sh", "-c", f"{environment}\n{look_up}"],
                cwd=folder,
                env={"PATH": "/usr/bin:/bin"},
                capture_output=True,
                check=False,
            )
            assert done.returncode in (0, 1, 3), done.stderr.decode()
            return done.returncode == 0

        assert wait_until(is_seen, 300)
        [valkey] = (
            pid for pid in demo_processes(folder) if b"valkey-server" in (PROC / f"{pid}/cmdline").read_bytes()
        )
        os.kill(valkey, signal.SIGKILL)
        assert wait_until(lambda: b"Valkey has ended" in log.read_bytes(), 60), "the demo names what has ended"
    finally:
        make.kill()
        make.wait()
    assert wait_until(lambda: not demo_processes(folder), 300)  # each of thirty ends in order, without its Valkey


def test_without_kafka_one_line_explains_that_the_mock_broker_runs_and_its_limits(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "M2_REPO"):
        monkeypatch.setenv(name, str(folder / "empty"))
    (folder / "empty").mkdir()
    (folder / "empty" / "jgo.conf").write_text("[repositories]\ncentral = http://127.0.0.1:1/\n")
    done = subprocess.run([*DEMO, "--for", "8s", "--json"], capture_output=True, timeout=600, check=False)
    assert b"embedded mock broker" in done.stderr
    summary = json.loads(done.stdout)
    assert summary["kafka"] == "mock"
    assert summary["unaccounted"] == 0
    assert summary["history"] is None, "history needs the ids of topics, which a mock broker does not have"
    assert done.returncode == 0
    assert demo_processes(folder) == []
