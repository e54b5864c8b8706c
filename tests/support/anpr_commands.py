"""Runs `anpr` commands to their end, each in a process of its own that has the program imported already.

To import the program takes a command most of its time, and the tests run hundreds. So one server for each worker
imports it once and forks for each command. What runs until it is stopped is started in the ordinary way.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from anpr.entrypoint import main

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.support.preloaded"])


def run_command(
    arguments: Sequence[str], environment: Mapping[str, str], given: bytes, timeout_seconds: float
) -> subprocess.CompletedProcess[bytes]:
    """Run `anpr` with these arguments, as `subprocess.run` does. Raises subprocess.TimeoutExpired."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "stdin").write_bytes(given)
        process = _CONTEXT.Process(target=_run, args=(list(arguments), dict(environment), Path.cwd(), folder))
        process.start()
        process.join(timeout_seconds)
        if process.is_alive():
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(arguments, timeout_seconds, (folder / "stdout").read_bytes())
        code = process.exitcode
        process.close()
        assert code is not None
        return subprocess.CompletedProcess(
            arguments, code, (folder / "stdout").read_bytes(), (folder / "stderr").read_bytes()
        )


def _run(arguments: list[str], environment: dict[str, str], where: Path, folder: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(where)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        file = os.open(folder / name, os.O_RDWR | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  it is open until the process ends
    sys.argv = ["anpr", *arguments]
    main()
