"""Child processes that end with this one, however it ends; the parts that the servers and the supervisor share."""

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

from anpr.local import tether

Child = subprocess.Popen[bytes]
_Order = tuple[Callable[[], Child], "Future[Child]"]


def spawn(argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> Child:
    """Start `argv` so that the kernel kills it when this process dies.

    It gets a session of its own: a Ctrl-C on the terminal reaches only this process, which then ends its children
    in order. Processes that the child starts are its own to end.

    Args:
        argv: The command and its arguments.
        log: File to which its stdout and stderr are appended.
        env: Variables set for it beside those of this process.

    Raises:
        OSError: the process or its log could not be made.
    """

    def start() -> Child:
        tethered = [sys.executable, "-I", "-S", tether.__file__, f"KILL:{os.getpid()}", *argv]
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
def _forker() -> queue.SimpleQueue[_Order]:
    """Return the queue of the one thread that starts children.

    The kernel takes a child's parent to be the thread that forked it: started by a thread that ends (a pool's, a
    request's), the child would be killed with the thread. This one ends only with the process.
    """
    orders: queue.SimpleQueue[_Order] = queue.SimpleQueue()
    threading.Thread(target=_start_children, args=(orders,), name="forker", daemon=True).start()
    return orders


def _start_children(orders: queue.SimpleQueue[_Order]) -> None:
    while True:
        start, started = orders.get()
        try:
            started.set_result(start())
        except Exception as error:  # noqa: BLE001  it is the caller's, and this thread must go on
            started.set_exception(error)


# A fork of this process does not have the thread; it makes its own.
os.register_at_fork(after_in_child=_forker.cache_clear)


def end(process: Child, grace_seconds: float) -> int:
    """Ask `process` to end (SIGTERM), kill it if it has not within `grace_seconds`; return its exit code."""
    process.terminate()
    try:
        return process.wait(grace_seconds)
    except subprocess.TimeoutExpired:
        return kill(process)


def kill(process: Child) -> int:
    """End `process` without a chance to clean up (SIGKILL); return its exit code once it is gone."""
    process.kill()
    return process.wait()


def wait_until(condition: Callable[[], bool], timeout_seconds: float) -> bool:
    """Look at `condition` until it holds, for at most about `timeout_seconds`; return whether it held."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
