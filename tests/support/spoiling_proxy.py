"""A proxy that damages one batch on its way to a Kafka broker, so that the broker rejects it for a passing reason."""

import select
import socket
import struct
import threading
import time
from typing import Final

from tests.support.proxy import Proxy

_PRODUCE: Final = 0
_HOST: Final = b"127.0.0.1"
# How long the damaged batch is held back, so that another one can be in flight behind it.
_HOLD_SECONDS: Final = 1.0


class SpoilingProxy(Proxy):
    """Damages the first produce request.

    It holds that request back until another one follows or a second has passed, then passes both on.

    Attributes:
        bootstrap: Its address for Kafka clients. Its answers name itself as the broker, so clients stay on the proxy.
        has_damaged: Set when the request has been damaged.
    """

    def __init__(self, bootstrap: str, good: bytes, bad: bytes) -> None:
        """Replace `good` by `bad`, of the same length, in the first request. `bootstrap` is the broker's address."""
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
                if _is_produce(request) and not self.has_damaged.is_set():
                    self.has_damaged.set()
                    held, release_at = request.replace(self._good, self._bad), time.monotonic() + _HOLD_SECONDS
                elif held and _is_produce(request):
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
    """Return the complete requests. Each begins with its length in four bytes."""
    requests = []
    while len(content) >= 4 and len(content) >= (end := 4 + struct.unpack_from(">i", content)[0]):
        requests.append(content[:end])
        content = content[end:]
    return requests


def _is_produce(request: bytes) -> bool:
    (kind,) = struct.unpack_from(">h", request, 4)
    return bool(kind == _PRODUCE)
