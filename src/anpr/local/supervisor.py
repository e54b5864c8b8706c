"""Keeps the child processes of the demo and the fault tests running."""

import logging
import math
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from anpr.local import processes

TICK_SECONDS = 0.05
QUICK_EXIT_SECONDS = 5.0
FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 5.0
LAST_LINE_BYTES = 2_000

logger = logging.getLogger(__name__)


def restart_delay_seconds(quick_exits: int) -> float:
    """Return how long to wait before a restart, after a number of exits in a row that came soon after a start.

    After the first exit the child is restarted immediately, to keep an outage short. A child that keeps exiting has
    to wait, so that it does not take the machine from those that work.
    """
    if quick_exits <= 1:
        return 0.0
    return min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** (quick_exits - 2))


def _last_line(log: Path) -> str:
    """Return the last line of a log, which mostly says why its process ended."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LAST_LINE_BYTES))
            lines = file.read().splitlines()
    except OSError:
        return ""
    return lines[-1].decode(errors="replace") if lines else ""


class Spawn(Protocol):
    """Starts a process that ends with this one, as `processes.spawn` does."""

    def __call__(self, argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> processes.Child:
        """Return the process. Raises OSError."""


@dataclass
class _Child:
    """One process to keep running; times are of the monotonic clock."""

    argv: Sequence[str]
    env: Mapping[str, str] | None
    log: Path
    restart: bool
    process: processes.Child
    started_at: float
    quick_exits: int = 0
    restart_at: float | None = None  # None while it runs


class Supervisor:
    """Child processes by name. Each is restarted when it exits unasked, and all end when this process ends.

    A thread checks them every 50 ms; the methods may be called from any thread. Children outlive the thread that
    asked for them.

    Attributes:
        exit_codes: By name, the codes of all exits so far (negative: the signal that ended it).
    """

    def __init__(self, grace_seconds: float = 10.0, spawn: Spawn = processes.spawn) -> None:
        """Start without children. A child that takes more than `grace_seconds` to end in order is killed."""
        self.exit_codes: dict[str, list[int]] = {}
        self._spawn = spawn
        self._grace_seconds = grace_seconds
        self._restart_counts: dict[str, int] = {}
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
        """Start a child and keep it running.

        Args:
            name: Its name, unique among the children.
            argv: Its command and arguments.
            log: The file to which its output is appended.
            env: Variables set for it in addition to those of this process.
            restart: Whether it is restarted when it exits unasked.

        Raises:
            ValueError: the name is taken.
            OSError: it could not be started.
        """
        with self._lock:
            if name in self._children:
                raise ValueError(f"there is a child {name!r} already")
            process = self._spawn(argv, log=log, env=env)
            self._children[name] = _Child(argv, env, log, restart, process, time.monotonic())
            self._restart_counts.setdefault(name, 0)
            self.exit_codes.setdefault(name, [])

    def pid(self, name: str) -> int | None:
        """Return the process id of a child, None while it does not run."""
        with self._lock:
            process = self._children[name].process
        return process.pid if process.poll() is None else None

    def restarts(self, name: str) -> int:
        """Return how often a child has been restarted. The child may have been removed since."""
        return self._restart_counts[name]

    def kill(self, name: str) -> None:
        """Crash a child (SIGKILL) and return when it has ended. The supervisor then restarts it."""
        with self._lock:
            process = self._children[name].process
        processes.kill(process)

    def remove(self, name: str) -> None:
        """End a child in order, for good."""
        with self._lock:
            child = self._children.pop(name)
        self._end_child(name, child)

    def stop(self) -> None:
        """End all children in order, the last added first. The supervisor cannot be used after that."""
        self._stopping.set()
        self._watcher.join()
        for name in reversed(list(self._children)):
            self.remove(name)

    def _end_child(self, name: str, child: _Child) -> None:
        code = processes.end(child.process, self._grace_seconds)
        if child.restart_at is None:
            self.exit_codes[name].append(code)

    def _watch(self) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            with self._lock:
                for name, child in self._children.items():
                    self._check_child(name, child)

    def _check_child(self, name: str, child: _Child) -> None:
        now = time.monotonic()
        if child.restart_at is None and (code := child.process.poll()) is not None:
            self._record_exit(name, child, code, now)
        if child.restart_at is not None and now >= child.restart_at:
            self._restart(name, child, now)

    def _record_exit(self, name: str, child: _Child, code: int, now: float) -> None:
        self.exit_codes[name].append(code)
        child.quick_exits = child.quick_exits + 1 if now - child.started_at < QUICK_EXIT_SECONDS else 0
        child.restart_at = now + restart_delay_seconds(child.quick_exits) if child.restart else math.inf
        logger.warning("%s ended with code %s; its output is in %s: %s", name, code, child.log, _last_line(child.log))

    def _restart(self, name: str, child: _Child, now: float) -> None:
        try:
            child.process = self._spawn(child.argv, log=child.log, env=child.env)
        except OSError:
            # The machine may lack memory or processes for a moment. This counts as another exit.
            logger.exception("%s could not be restarted", name)
            child.restart_at = now + LONGEST_DELAY_SECONDS
            return
        child.started_at, child.restart_at = now, None
        self._restart_counts[name] += 1
