"""A way to a server that takes its time, or is cut."""

import select
import socket
import threading
import time
from typing import Self


class SlowProxy:
    """Hands on what comes, `delay_seconds` later each time. As a context it is started and stopped."""

    def __init__(self, port: int) -> None:
        """`port` is the server's, on this machine."""
        self.delay_seconds = 0.0
        self._server_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._stop = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._listener.close()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._server_port)) as server:
            other = {client: server, server: client}
            while not self._stop.is_set():
                for ready in select.select([client, server], [], [], 0.1)[0]:
                    content = ready.recv(1 << 16)
                    if not content:
                        return
                    time.sleep(self.delay_seconds)
                    try:
                        other[ready].sendall(content)
                    except OSError:
                        return
