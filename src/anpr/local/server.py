"""The servers of this package: each can be started, stopped, crashed, and started again with its port and data."""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from pwd import struct_passwd
from types import TracebackType
from typing import Self

from anpr.local import processes
from anpr.runtime.errors import AnprError, UnavailableError

logger = logging.getLogger(__name__)


class ServerUnavailableError(UnavailableError):
    """This machine has no such server and could not get one. The message is one sentence with what to install."""

    def __init__(self, message: str) -> None:
        super().__init__(
            "server-not-to-be-had",
            message,
            "install the program that the message names, or set KAFKA_BOOTSTRAP and REDIS_URL",
        )


class StartError(AnprError):
    """A server ended, or did not answer, at its start. The text holds the last lines of its log."""

    def __init__(self, message: str) -> None:
        super().__init__(
            "server-did-not-start", message, "read the cause in its log: a port in use, no memory, a full disk"
        )


class Server(ABC):
    """A server in a child process that dies with this one. As a context it is started and stopped.

    Attributes:
        log: The file with its output.
    """

    start_seconds = 60.0  # for a laptop under load; usually it takes a few seconds
    stop_seconds = 10.0

    def __init__(self, log: Path, user: struct_passwd | None = None) -> None:
        self.log = log
        self._user = user
        self._process: processes.Child | None = None

    @abstractmethod
    def _command(self) -> Sequence[str]:
        """Prepare the server's files, and return its command."""

    @abstractmethod
    def _is_answering(self) -> bool:
        """Return within about a second whether the server answers a client."""

    @property
    def pid(self) -> int | None:
        """The process id, None while it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start or restart the server, and return when it answers.

        Raises:
            ServerUnavailableError: a program that it needs could not be found or fetched.
            StartError: it ended, or did not answer within a minute.
        """
        if self.pid is not None:
            return
        command = self._command()
        started_at = time.monotonic()
        self._process = processes.spawn(command, log=self.log, user=self._user)
        answered = processes.wait_until(lambda: self.pid is None or self._is_answering(), self.start_seconds)
        if self.pid is None or not answered:
            self.kill()
            raise StartError(f"{type(self).__name__} did not start; the end of {self.log}:\n{self._log_tail()}")
        logger.debug("%s answers after %.1f s", type(self).__name__, time.monotonic() - started_at)

    def stop(self) -> None:
        """End the server in order; kill it if that takes over ten seconds. Do nothing if it is not running."""
        if self._process:
            processes.end(self._process, self.stop_seconds)

    def kill(self) -> None:
        """Crash the server (SIGKILL). `start` starts it again with the same port and data."""
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
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-30:])
