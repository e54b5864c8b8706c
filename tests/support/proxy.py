"""A way to a server on this machine, on which something happens."""

import socket
import threading
from abc import ABC, abstractmethod
from typing import Self


class Proxy(ABC):
    """Takes connections at `port` and serves each in a thread. As a context it is started and stopped."""

    def __init__(self, server_port: int) -> None:
        """`server_port` is the server's, on this machine."""
        self.server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.is_stopped = threading.Event()

    @abstractmethod
    def serve(self, client: socket.socket, server: socket.socket) -> None:
        """Hand on what comes of one connection, until either side ends it or `is_stopped`."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_stopped.set()
        self._listener.close()

    def _accept(self) -> None:
        while not self.is_stopped.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self.server_port)) as server:
            self.serve(client, server)
