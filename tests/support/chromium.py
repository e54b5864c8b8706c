"""A real browser for tests: Debian's Chromium, driven by Playwright; and the wire between it and a console."""

import os
import shutil
import socket
import subprocess
import threading
from contextlib import suppress

from anpr.local.server import ServerUnavailableError
from tests.support.servers import missing


def chromium() -> str:
    """Return the program. Where it is missing it is installed in CI, and the test is skipped elsewhere."""
    found = shutil.which("chromium")
    apt_get = shutil.which("apt-get")
    if found is None and os.environ.get("CI") and apt_get:
        subprocess.run([apt_get, "update", "--quiet"], check=False)
        subprocess.run([apt_get, "install", "--yes", "--quiet", "chromium"], check=False)
        found = shutil.which("chromium")
    if found is None:
        missing(ServerUnavailableError("there is no chromium here (Debian: apt-get install chromium)"))
    return str(found)


class Wire:
    """A way to a console that can be cut, lost, hang, and be laid to another console, with the address unchanged."""

    def __init__(self, url: str) -> None:
        self.lead_to(url)
        self.hangs = threading.Event()
        self._ends: list[socket.socket] = []
        self._lost: set[socket.socket] = set()
        # How often a browser has begun to follow the board by this wire.
        self.feeds = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def lead_to(self, url: str) -> None:
        """Lead new connections to this console."""
        self._port = int(url.rpartition(":")[2])

    def cut(self) -> None:
        """Cut all connections that there are."""
        while self._ends:
            end = self._ends.pop()
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def lose(self) -> None:
        """Let all connections that there are stay open, and carry nothing for ever: new ones work."""
        self._lost.update(self._ends)

    def close(self) -> None:
        """Cut all and take no more."""
        # Only when nobody takes connections any more is there none that is missed here.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self._port))
                except OSError:
                    near.close()
                    continue
                self._ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                self.feeds += data.startswith(b"GET /board/stream")
                while self.hangs.is_set():
                    threading.Event().wait(0.05)
                if one not in self._lost:
                    other.sendall(data)
            other.shutdown(socket.SHUT_RDWR)
