"""A parent that is killed leaves no process behind."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from anpr.local import tether
from anpr.local.processes import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals a child when its parent dies")

# Each prints the child's process id once the child runs, and then waits to be killed.
PARENTS = {
    "a child started with the tether as a file": """
        import subprocess, sys
        child = subprocess.Popen([sys.executable, "-I", "-S", {tether!r}, "KILL", "sleep", "1000"])
        """,
    "a child started with the tether as a module": """
        import subprocess, sys
        child = subprocess.Popen([sys.executable, "-m", "anpr.local.tether", "TERM", "sleep", "1000"])
        """,
    "a child started by a thread that has ended": """
        import threading
        from pathlib import Path
        from anpr.local.processes import spawn, wait_until
        def start():
            global child
            child = spawn(["sleep", "1000"], log=Path({directory!r}, "log"))
            # Only a tether that is active when the thread ends could harm the child.
            wait_until(lambda: b"anpr" not in Path(f"/proc/{{child.pid}}/cmdline").read_bytes(), 60)
        thread = threading.Thread(target=start)
        thread.start()
        thread.join()
        """,
    "a Valkey server": """
        from pathlib import Path
        from anpr.local.valkey_server import ValkeyServer
        child = ValkeyServer(Path({directory!r}))
        child.start()
        """,
    "a supervised child": """
        from pathlib import Path
        from types import SimpleNamespace
        from anpr.local.supervisor import Supervisor
        supervisor = Supervisor()
        supervisor.add("sleeper", ["sleep", "1000"], log=Path({directory!r}, "log"))
        child = SimpleNamespace(pid=supervisor.pid("sleeper"))
        """,
}


def command_of(pid: int) -> str:
    """Return the program that a process runs, "" if there is no such process or it is a zombie."""
    try:
        # Separated by NULs, or by blanks where the program has set its own title, as Valkey does.
        words = Path(f"/proc/{pid}/cmdline").read_text("utf-8").replace("\0", " ").split()
        return words[0] if words else ""
    except (FileNotFoundError, ProcessLookupError):
        return ""


def runs_its_command(pid: int) -> bool:
    return Path(command_of(pid)).name in {"sleep", "valkey-server"}


@contextlib.contextmanager
def parent(code: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run `code` in a Python of its own. Yield that process and the process id of the child that it started."""
    lines = [*code.strip().splitlines(), "print(child.pid, flush=True)", "import time", "time.sleep(1000)"]
    program = "\n".join(line.removeprefix("        ") for line in lines)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        child = 0
        try:
            assert process.stdout
            child = int(process.stdout.readline())
            assert wait_until(lambda: runs_its_command(child), 60)
            yield process, child
        finally:
            process.kill()
            with contextlib.suppress(ProcessLookupError):
                if runs_its_command(child):
                    os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize("kind", PARENTS)
def test_no_process_is_left_when_the_parent_is_killed(kind: str, tmp_path: Path) -> None:
    code = PARENTS[kind].format(tether=tether.__file__, directory=str(tmp_path))
    with parent(code) as (process, child):
        process.kill()
        assert wait_until(lambda: not command_of(child), 60)


def test_a_child_continues_when_the_thread_that_started_it_ends(tmp_path: Path) -> None:
    code = PARENTS["a child started by a thread that has ended"].format(directory=str(tmp_path))
    with parent(code) as (_, child):
        assert not wait_until(lambda: not command_of(child), 0.5)


def test_a_command_whose_parent_has_already_ended_does_not_start() -> None:
    somebody_else = os.getppid()
    tethered = [sys.executable, "-I", "-S", tether.__file__, f"KILL:{somebody_else}", "echo", "started"]
    done = subprocess.run(tethered, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "the parent has ended" in done.stderr


def test_a_command_that_does_not_exist_is_named() -> None:
    tethered = [sys.executable, "-I", "-S", tether.__file__, "KILL", "no-such-command", "x"]
    done = subprocess.run(tethered, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip() == "tether: no-such-command: No such file or directory"
