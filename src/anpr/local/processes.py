"""Child processes that end with this process, however it ends. The servers and the supervisor start theirs here."""

import functools
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from pwd import struct_passwd
from typing import Protocol

from anpr.local import tether


class Child(Protocol):
    """A process that was started here; as `subprocess.Popen`."""

    @property
    def pid(self) -> int:
        """Its process id."""

    def poll(self) -> int | None:
        """Return its exit code, negative for the signal that ended it; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return its exit code. Raises subprocess.TimeoutExpired."""

    def terminate(self) -> None:
        """Send SIGTERM."""

    def kill(self) -> None:
        """Send SIGKILL."""


_StartRequest = tuple[Callable[[], Child], "Future[Child]"]


def spawn(
    argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None, user: struct_passwd | None = None
) -> Child:
    """Start `argv` so that the kernel kills it when this process dies.

    The child gets a session of its own: a Ctrl-C on the terminal reaches only this process, which then ends its
    children in order. The child itself must end the processes that it starts.

    Args:
        argv: The command and its arguments.
        log: The file to which its stdout and stderr are appended.
        env: Variables set for it in addition to those of this process.
        user: The user who runs it; without one, the user of this process. Only root may name another.

    Raises:
        OSError: the process could not be started, or its log could not be opened.
    """

    def start() -> Child:
        ids = f":{user.pw_uid}:{user.pw_gid}" if user is not None else ""
        tethered = [sys.executable, "-I", "-S", tether.__file__, f"KILL:{os.getpid()}{ids}", *argv]
        with log.open("ab") as output:
            return subprocess.Popen(  # noqa: S603  the callers' own commands, no shell
                tethered,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )

    started: Future[Child] = Future()
    _forker().put((start, started))
    return started.result()


@functools.cache
def _forker() -> queue.SimpleQueue[_StartRequest]:
    """Return the queue of the one thread that starts children.

    For the kernel, a child's parent is the thread that forked it. If that thread ended (a pool's, a request's), the
    kernel would kill the child. The thread of this queue ends only with the process.
    """
    requests: queue.SimpleQueue[_StartRequest] = queue.SimpleQueue()
    threading.Thread(target=_start_children, args=(requests,), name="forker", daemon=True).start()
    return requests


def _start_children(requests: queue.SimpleQueue[_StartRequest]) -> None:
    while True:
        start, started = requests.get()
        try:
            started.set_result(start())
        except Exception as error:  # noqa: BLE001  the caller gets it, and this thread must continue
            started.set_exception(error)


# A fork of this process does not have the thread, so it starts its own.
os.register_at_fork(after_in_child=_forker.cache_clear)


def end(process: Child, grace_seconds: float) -> int:
    """Ask `process` to end (SIGTERM); kill it if it has not ended within `grace_seconds`. Return its exit code."""
    process.terminate()
    try:
        return process.wait(grace_seconds)
    except subprocess.TimeoutExpired:
        return kill(process)


def kill(process: Child) -> int:
    """End `process` without a chance to clean up (SIGKILL). Return its exit code once it has ended."""
    process.kill()
    return process.wait()


def wait_until(condition: Callable[[], bool], timeout_seconds: float) -> bool:
    """Check `condition` until it holds, for at most about `timeout_seconds`. Return whether it held.

    A check that takes long is made less often: it would take the processor from those that it waits for.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        started_at = time.monotonic()
        if condition():
            return True
        now = time.monotonic()
        if now > deadline:
            return False
        time.sleep(min(max(0.02, 2 * (now - started_at)), 0.5))
