"""A proxy that delays a connection or cuts it."""

import select
import socket
import time

from tests.support.proxy import Proxy


class SlowProxy(Proxy):
    """Passes bytes on after `delay_seconds`."""

    def __init__(self, port: int) -> None:
        """`port` is the port of the server on this machine."""
        super().__init__(port)
        self.delay_seconds = 0.0
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def serve(self, client: socket.socket, server: socket.socket) -> None:
        """See `Proxy`."""
        other = {client: server, server: client}
        while not self.is_stopped.is_set():
            for ready in select.select([client, server], [], [], 0.1)[0]:
                content = ready.recv(1 << 16)
                if not content:
                    return
                time.sleep(self.delay_seconds)
                try:
                    other[ready].sendall(content)
                except OSError:
                    return
