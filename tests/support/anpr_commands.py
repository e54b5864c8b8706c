"""Runs `anpr` commands to their end, each in a process of its own that has the program imported already.

To import the program takes a command most of its time, and the tests run hundreds. So one server for each worker
imports it once and forks for each command, and for each service (`forked_services`).
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from anpr.entrypoint import main

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.support.preloaded"])
# `multiprocessing` asks for the exit code of every process whenever one is started, and only one thread may ask.
_ONE_AT_A_TIME = threading.Lock()


def run_command(
    arguments: Sequence[str], environment: Mapping[str, str], given: bytes, timeout_seconds: float
) -> subprocess.CompletedProcess[bytes]:
    """Run `anpr` with these arguments, as `subprocess.run` does. Raises subprocess.TimeoutExpired."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "stdin").write_bytes(given)
        process = fork(_run, list(arguments), dict(environment), Path.cwd(), folder)
        code = exit_code(process, timeout_seconds)
        if code is None:
            process.kill()
            exit_code(process, None)
            raise subprocess.TimeoutExpired(arguments, timeout_seconds, (folder / "stdout").read_bytes())
        return subprocess.CompletedProcess(
            arguments, code, (folder / "stdout").read_bytes(), (folder / "stderr").read_bytes()
        )


def fork(target: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    """Call `target` in a new process of the server. It ends with the tests."""
    process = _CONTEXT.Process(target=target, args=arguments, daemon=True)
    with _ONE_AT_A_TIME:
        process.start()
    return process


def exit_code(process: ForkServerProcess, timeout_seconds: float | None) -> int | None:
    """Wait for the end of a process and return its exit code, None while it runs."""
    connection.wait([process.sentinel], timeout_seconds)
    with _ONE_AT_A_TIME:
        return process.exitcode


def _run(arguments: list[str], environment: dict[str, str], where: Path, folder: Path) -> None:
    files = [os.open(folder / name, os.O_RDWR | os.O_CREAT) for name in ("stdin", "stdout", "stderr")]
    as_command(arguments, environment, where, files)
    main()


def as_command(arguments: Sequence[str], environment: Mapping[str, str], where: Path, files: Sequence[int]) -> None:
    """Make this process look like a command: its arguments, environment, folder, stdin, stdout and stderr."""
    this: Any = multiprocessing.current_process()
    this._config["daemon"] = False  # it may start processes of its own
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(where)
    for number, file in enumerate(files):
        os.dup2(file, number)
    for file in set(files):
        os.close(file)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  it is open until the process ends
    sys.argv = ["anpr", *arguments]
