"""What the servers of this package have in common: start, stop, crash, start again on the same port and data."""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from anpr.local import processes
from anpr.runtime.errors import AnprError, UnavailableError

logger = logging.getLogger(__name__)


class Unavailable(UnavailableError):  # noqa: N818  it is no fault of the program
    """Something this machine does not have and could not be given; one sentence with what to install."""

    def __init__(self, message: str) -> None:
        super().__init__(
            "server-not-to-be-had", message, "install what it names, or set KAFKA_BOOTSTRAP and REDIS_URL"
        )


class StartError(AnprError):
    """A server ended or stayed silent at its start; the text holds the last lines of its log."""

    def __init__(self, message: str) -> None:
        super().__init__(
            "server-did-not-start", message, "its log names the cause: a port in use, no memory, a full disk"
        )


class Server(ABC):
    """A server in a child process that dies with this one. As a context it is started and stopped."""

    start_seconds = 60.0  # a laptop under load; a healthy start takes a few
    stop_seconds = 10.0

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process: processes.Child | None = None

    @abstractmethod
    def _command(self) -> Sequence[str]:
        """Make ready what the server needs on disk; return its command."""

    @abstractmethod
    def _answers(self) -> bool:
        """Return whether a client is answered, within about a second."""

    @property
    def pid(self) -> int | None:
        """The process id, None while it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start the server, or start it again, and return when it answers.

        Raises:
            Unavailable: a program that it needs could not be had.
            StartError: it ended, or did not answer within a minute.
        """
        if self.pid is not None:
            return
        command = self._command()
        began = time.monotonic()
        self._process = processes.spawn(command, log=self._log)
        answered = processes.wait_until(lambda: self.pid is None or self._answers(), self.start_seconds)
        if self.pid is None or not answered:
            self.kill()
            raise StartError(f"{type(self).__name__} did not start; the end of {self._log}:\n{self._log_tail()}")
        logger.debug("%s answers after %.1f s", type(self).__name__, time.monotonic() - began)

    def stop(self) -> None:
        """End the server in order; kill it if that takes more than ten seconds. Harmless when it does not run."""
        if self._process:
            processes.end(self._process, self.stop_seconds)

    def kill(self) -> None:
        """Crash the server (SIGKILL). `start` brings it back on the same port and data."""
        if self._process:
            processes.kill(self._process)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _log_tail(self) -> str:
        return "\n".join(self._log.read_text("utf-8", "replace").splitlines()[-30:])
