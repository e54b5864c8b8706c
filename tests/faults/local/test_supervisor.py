"""The supervisor keeps its children running and ends all of them."""

import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from anpr.local import supervisor as module
from anpr.local.processes import wait_until
from anpr.local.supervisor import Supervisor, restart_delay_seconds

SLEEPER = ["sleep", "1000"]
NOTES_ITS_START = "import sys, time; open(sys.argv[1], 'a').write(f'{time.time()}\\n')"
IGNORES_SIGTERM = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(1000)
"""
NOTES_ITS_END = """
import signal, sys, time
def end(*_):
    open(sys.argv[1], "a").write(sys.argv[2])
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(1000)
"""


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    started = Supervisor(grace_seconds=60)
    yield started
    started.stop()


@pytest.fixture
def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a list that gets the delay of each restart, on a machine of any speed: every exit counts as quick."""
    chosen: list[float] = []

    def note(quick_exits: int) -> float:
        chosen.append(restart_delay_seconds(quick_exits))
        return chosen[-1]

    monkeypatch.setattr(module, "QUICK_EXIT_SECONDS", 3600)
    monkeypatch.setattr(module, "restart_delay_seconds", note)
    return chosen


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def running_pid(supervisor: Supervisor, name: str) -> int:
    pid = supervisor.pid(name)
    assert pid is not None
    return pid


def is_ready(log: Path) -> bool:
    return log.exists() and "ready" in log.read_text()


def test_a_killed_child_runs_again_at_once_as_a_new_process(
    supervisor: Supervisor, delays: list[float], tmp_path: Path
) -> None:
    supervisor.add("sleeper", SLEEPER, log=tmp_path / "log")
    first = running_pid(supervisor, "sleeper")

    supervisor.kill("sleeper")

    assert wait_until(lambda: supervisor.pid("sleeper") not in {None, first}, 60)
    assert delays == [0]
    assert not is_there(first)
    assert supervisor.restarts("sleeper") == 1
    assert supervisor.exit_codes["sleeper"] == [-9]


def test_a_child_that_exits_at_once_is_restarted_more_and_more_slowly(
    supervisor: Supervisor, delays: list[float], tmp_path: Path
) -> None:
    notes = tmp_path / "starts"
    supervisor.add("flapping", [sys.executable, "-c", NOTES_ITS_START, str(notes)], log=tmp_path / "log")

    assert wait_until(lambda: supervisor.restarts("flapping") >= 5, 60)

    starts = [float(line) for line in notes.read_text().split()]
    pauses = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert delays[:5] == [0, 0.1, 0.2, 0.4, 0.8]
    assert all(pause >= delay for pause, delay in zip(pauses, delays, strict=False))
    assert set(supervisor.exit_codes["flapping"]) == {0}


def test_the_first_restart_has_no_delay_and_no_delay_is_longer_than_five_seconds() -> None:
    delays = [restart_delay_seconds(quick_exits) for quick_exits in range(12)]
    assert delays[:6] == [0, 0, 0.1, 0.2, 0.4, 0.8]
    assert delays == sorted(delays)
    assert delays[-1] == 5


def test_a_child_that_is_to_run_once_is_not_restarted(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.add("once", ["false"], log=tmp_path / "log", restart=False)
    assert wait_until(lambda: supervisor.exit_codes["once"] == [1], 60)
    assert not wait_until(lambda: supervisor.pid("once") is not None, 0.3)
    assert supervisor.restarts("once") == 0


def test_a_removed_child_ends_and_is_not_restarted(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.add("removed", SLEEPER, log=tmp_path / "log")
    supervisor.add("kept", SLEEPER, log=tmp_path / "log")
    pid = running_pid(supervisor, "removed")

    supervisor.remove("removed")

    assert not is_there(pid)
    assert is_there(running_pid(supervisor, "kept"))
    assert supervisor.exit_codes["removed"] == [-15]
    assert not wait_until(lambda: supervisor.restarts("removed") > 0, 0.3)


def test_two_children_cannot_have_the_same_name(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.add("twin", SLEEPER, log=tmp_path / "log")
    with pytest.raises(ValueError, match="twin"):
        supervisor.add("twin", SLEEPER, log=tmp_path / "log")


def test_a_child_gets_the_variables_set_for_it_and_its_output_is_kept(supervisor: Supervisor, tmp_path: Path) -> None:
    log = tmp_path / "log"
    supervisor.add("env", ["sh", "-c", "echo $SITE; exec sleep 1000"], log=log, env={"SITE": "calais"})
    assert wait_until(lambda: log.exists() and log.read_text() == "calais\n", 60)


def test_stop_ends_all_children_in_reverse_order(supervisor: Supervisor, tmp_path: Path) -> None:
    order = tmp_path / "order"
    for name in "abc":
        argv = [sys.executable, "-c", NOTES_ITS_END, str(order), name]
        supervisor.add(name, argv, log=tmp_path / name)
    assert wait_until(lambda: all(is_ready(tmp_path / name) for name in "abc"), 60)
    pids = [running_pid(supervisor, name) for name in "abc"]

    supervisor.stop()

    assert order.read_text() == "cba"
    assert not any(is_there(pid) for pid in pids)
    assert supervisor.exit_codes == {"a": [0], "b": [0], "c": [0]}


def test_stop_kills_a_child_that_will_not_end(tmp_path: Path) -> None:
    supervisor = Supervisor(grace_seconds=1)
    supervisor.add("deaf", [sys.executable, "-c", IGNORES_SIGTERM], log=tmp_path / "log")
    assert wait_until(lambda: is_ready(tmp_path / "log"), 60)
    pid = running_pid(supervisor, "deaf")

    supervisor.stop()

    assert not is_there(pid)
    assert supervisor.exit_codes["deaf"] == [-9]


def test_the_warning_that_a_child_has_ended_quotes_the_reason_from_its_log(
    supervisor: Supervisor, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    argv = ["sh", "-c", "echo the first line; echo the port is in use; exit 3"]
    supervisor.add("child", argv, log=tmp_path / "log", restart=False)
    assert wait_until(lambda: supervisor.exit_codes["child"] == [3], 60)
    assert wait_until(lambda: caplog.messages != [], 60)
    [warning] = caplog.messages
    assert warning.endswith(f"{tmp_path}/log: the port is in use")
