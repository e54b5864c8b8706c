"""A way to a Kafka broker on which one batch is damaged, so that the broker refuses it for a passing reason."""

import select
import socket
import struct
import threading
import time
from typing import Final

from tests.support.proxy import Proxy

_PRODUCE: Final = 0
_HOST: Final = b"127.0.0.1"
# How long the damaged batch is held back for another to be under way behind it.
_HOLD_SECONDS: Final = 1.0


class SpoilingProxy(Proxy):
    """Damages the first request to write that comes.

    It holds that request back until another one follows or a second has gone, then hands both on.

    Attributes:
        bootstrap: Its address for Kafka clients. They are told that the broker is here, and so stay on this way.
        has_damaged: Set when the request has come.
    """

    def __init__(self, bootstrap: str, good: bytes, bad: bytes) -> None:
        """Of the first request, `good` is made `bad`, of the same length; `bootstrap` is a broker on this machine."""
        super().__init__(int(bootstrap.rpartition(":")[2]))
        self.has_damaged = threading.Event()
        self._good, self._bad = good, bad
        self.bootstrap = f"127.0.0.1:{self.port}"

    def serve(self, client: socket.socket, server: socket.socket) -> None:
        """See `Proxy`."""
        requests, held, release_at = b"", b"", 0.0
        while not self.is_stopped.is_set():
            ready = select.select([client, server], [], [], 0.05)[0]
            if server in ready:
                if not (answer := server.recv(1 << 16)):
                    return
                client.sendall(answer.replace(self._address(self.server_port), self._address(self.port)))
            if client in ready:
                if not (content := client.recv(1 << 16)):
                    return
                requests += content
            for request in (whole := _whole_requests(requests)):
                if _is_write(request) and not self.has_damaged.is_set():
                    self.has_damaged.set()
                    held, release_at = request.replace(self._good, self._bad), time.monotonic() + _HOLD_SECONDS
                elif held and _is_write(request):
                    server.sendall(held + request)
                    held = b""
                else:
                    server.sendall(request)
            requests = requests[sum(map(len, whole)) :]
            if held and time.monotonic() > release_at:
                server.sendall(held)
                held = b""

    @staticmethod
    def _address(port: int) -> bytes:
        return _HOST + struct.pack(">i", port)


def _whole_requests(content: bytes) -> list[bytes]:
    """Return the requests that are complete; each begins with its length in four bytes."""
    requests = []
    while len(content) >= 4 and len(content) >= (end := 4 + struct.unpack_from(">i", content)[0]):
        requests.append(content[:end])
        content = content[end:]
    return requests


def _is_write(request: bytes) -> bool:
    (kind,) = struct.unpack_from(">h", request, 4)
    return bool(kind == _PRODUCE)
