"""Starts `anpr` services for tests, each in a process of its own that has the program imported already.

To import the program and to load the kernels takes a service most of its start, and the tests start hundreds. So
the server of `anpr_commands` forks them too. Such a process has the log, the environment, the session and the exit
code that it would have otherwise, and dies with the tests. The demo, the documented commands, and the tests of a
start or a stop itself start theirs in the ordinary way.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from anpr.entrypoint import main
from anpr.local import processes, tether
from tests.support.anpr_commands import as_command, exit_code, fork

_ANPR = [sys.executable, "-m", "anpr"]


def spawn(argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> processes.Child:
    """Fork an `anpr` command; start any other as `processes.spawn` does. Raises OSError."""
    if list(argv[: len(_ANPR)]) != _ANPR:
        return processes.spawn(argv, log=log, env=env)
    return _Forked(list(argv[len(_ANPR) :]), log, {**os.environ, **(env or {})})


class _Forked:
    """A forked service, with the methods of `subprocess.Popen` that `processes.Child` names."""

    def __init__(self, arguments: list[str], log: Path, environment: dict[str, str]) -> None:
        self._arguments = arguments
        log.touch()  # it is there as soon as the service is started, as the ordinary start has it
        self._process = fork(_serve, arguments, environment, Path.cwd(), log)

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return exit_code(self._process, 0)

    def wait(self, timeout: float | None = None) -> int:
        code = exit_code(self._process, timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self._arguments, timeout or 0)
        return code

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


def _serve(arguments: list[str], environment: dict[str, str], where: Path, log: Path) -> None:
    tether.die_with_parent(signal.SIGKILL, os.getppid())
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    as_command(arguments, environment, where, (os.open(os.devnull, os.O_RDONLY), output, output))
    main()
