"""Keeps the child processes of the demo and the fault tests running."""

import logging
import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from anpr.local import processes

TICK_SECONDS = 0.05
QUICK_DEATH_SECONDS = 5.0
FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 5.0

logger = logging.getLogger(__name__)


def restart_delay_seconds(quick_deaths: int) -> float:
    """Return how long to wait before a restart, after so many deaths in a row that came soon after a start.

    The first is restarted at once: that is what keeps an outage short. One that keeps dying would otherwise take
    the machine from those that work.
    """
    if quick_deaths <= 1:
        return 0.0
    return min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** (quick_deaths - 2))


@dataclass
class _Child:
    """One process to keep running; times are of the monotonic clock."""

    argv: Sequence[str]
    env: Mapping[str, str] | None
    log: Path
    restart: bool
    process: processes.Child
    started_at: float
    quick_deaths: int = 0
    due_at: float | None = None  # when to start it again; None while it runs


class Supervisor:
    """Child processes by name, each restarted when it exits unasked, all gone when this process is.

    A thread of its own looks after them every 50 ms; the methods may be called from any thread. Children are
    started by `processes.spawn`, so they outlive the thread that asked for them.

    Attributes:
        exit_codes: Of each name, the codes of all its exits so far (negative: the signal that ended it).
    """

    def __init__(self, grace_seconds: float = 10.0) -> None:
        """Begin with no children; one that takes more than `grace_seconds` to end in order is killed."""
        self.exit_codes: dict[str, list[int]] = {}
        self._grace_seconds = grace_seconds
        self._restarts: dict[str, int] = {}
        self._children: dict[str, _Child] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._watcher.start()

    def add(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        restart: bool = True,
    ) -> None:
        """Start a child and look after it.

        Args:
            name: Its name, unique among those that run.
            argv: Its command and arguments.
            log: File to which its output is appended.
            env: Variables set for it beside those of this process.
            restart: Whether it is restarted when it exits unasked.

        Raises:
            ValueError: the name is taken.
            OSError: it could not be started.
        """
        with self._lock:
            if name in self._children:
                raise ValueError(f"there is a child {name!r} already")
            process = processes.spawn(argv, log=log, env=env)
            self._children[name] = _Child(argv, env, log, restart, process, time.monotonic())
            self._restarts.setdefault(name, 0)
            self.exit_codes.setdefault(name, [])

    def pid(self, name: str) -> int | None:
        """Return the process id of a child, None while it does not run."""
        with self._lock:
            process = self._children[name].process
        return process.pid if process.poll() is None else None

    def restarts(self, name: str) -> int:
        """Return how often a child has been restarted, also of one that has been removed."""
        return self._restarts[name]

    def kill(self, name: str) -> None:
        """Crash a child (SIGKILL) and return when it is gone; the supervisor then restarts it."""
        with self._lock:
            process = self._children[name].process
        processes.kill(process)

    def remove(self, name: str) -> None:
        """End a child in order and look after it no more."""
        with self._lock:
            child = self._children.pop(name)
        self._end(name, child)

    def stop(self) -> None:
        """End all children in order, the last added first. The supervisor is done then."""
        self._stopping.set()
        self._watcher.join()
        for name in reversed(list(self._children)):
            self.remove(name)

    def _end(self, name: str, child: _Child) -> None:
        code = processes.end(child.process, self._grace_seconds)
        if child.due_at is None:
            self.exit_codes[name].append(code)

    def _watch(self) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            with self._lock:
                for name, child in self._children.items():
                    self._look_after(name, child)

    def _look_after(self, name: str, child: _Child) -> None:
        now = time.monotonic()
        if child.due_at is None and child.process.poll() is not None:
            self._note_death(name, child, now)
        if child.due_at is not None and now >= child.due_at:
            self._start_again(name, child, now)

    def _note_death(self, name: str, child: _Child, now: float) -> None:
        code = child.process.returncode
        self.exit_codes[name].append(code)
        child.quick_deaths = child.quick_deaths + 1 if now - child.started_at < QUICK_DEATH_SECONDS else 0
        child.due_at = now + restart_delay_seconds(child.quick_deaths) if child.restart else math.inf
        logger.warning("%s ended with code %s; its output is in %s", name, code, child.log)

    def _start_again(self, name: str, child: _Child, now: float) -> None:
        try:
            child.process = processes.spawn(child.argv, log=child.log, env=child.env)
        except OSError:
            # The machine may be out of something for the moment; the child is as good as dead again.
            logger.exception("%s could not be restarted", name)
            child.due_at = now + LONGEST_DELAY_SECONDS
            return
        child.started_at, child.due_at = now, None
        self._restarts[name] += 1
