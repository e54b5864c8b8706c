"""A real browser for tests: Debian's Chromium, driven by Playwright; and the wire between it and a console."""

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from anpr.local.server import ServerUnavailableError
from tests.support.servers import missing

# The suggestions under the address bar are two pages of Chromium's own for each window: without them a window takes
# half the processor time. Of two lists Chromium obeys the last, so this one repeats what Playwright switches off.
_FEATURES_OFF = (
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)


def chromium() -> str:
    """Return the program. Where it is missing it is installed in CI, and the test is skipped elsewhere."""
    # A test beside this one may be installing it: then the program is there before all that it needs is.
    with (Path(tempfile.gettempdir()) / "anpr-tests-chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = shutil.which("chromium")
        apt_get = shutil.which("apt-get")
        if found is None and os.environ.get("CI") and apt_get:
            subprocess.run([apt_get, "update", "--quiet"], check=False)
            subprocess.run([apt_get, "install", "--yes", "--quiet", "chromium"], check=False)
            found = shutil.which("chromium")
    if found is None:
        missing(ServerUnavailableError("there is no chromium here (Debian: apt-get install chromium)"))
    return str(found)


@contextmanager
def launched_chromium() -> Iterator[Browser]:
    """Start the browser, and close it at the end."""
    arguments = ["--no-sandbox", f"--disable-features={','.join(_FEATURES_OFF)}"]
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium(), args=arguments) as browser,
    ):
        yield browser


class Wire:
    """A connection to a console at a fixed address. It can break, go silent, hang, or lead to another console."""

    def __init__(self, url: str) -> None:
        self.connect_to(url)
        self.hangs = threading.Event()
        self._ends: list[socket.socket] = []
        self._lost: set[socket.socket] = set()
        # How many streams browsers have opened through this wire.
        self.streams = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def connect_to(self, url: str) -> None:
        """Connect new connections to this console."""
        self._port = int(url.rpartition(":")[2])

    def cut(self) -> None:
        """Break all open connections."""
        while self._ends:
            end = self._ends.pop()
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def lose(self) -> None:
        """Let all open connections stay open but carry nothing any more. New ones work."""
        self._lost.update(self._ends)

    def close(self) -> None:
        """Break all connections, and accept no more."""
        # No connection is missed here, because none is accepted any more.
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
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self.streams += data.startswith(b"GET /board/stream")
                while self.hangs.is_set():
                    threading.Event().wait(0.05)
                if source not in self._lost:
                    target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)
