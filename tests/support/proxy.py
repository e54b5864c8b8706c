"""A proxy in front of a server on this machine, as a base for proxies that disturb the connection."""

import socket
import threading
from abc import ABC, abstractmethod
from typing import Self


class Proxy(ABC):
    """Accepts connections at `port` and serves each in a thread. The context starts and stops it."""

    def __init__(self, server_port: int) -> None:
        """`server_port` is the port of the server on this machine."""
        self.server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.is_stopped = threading.Event()

    @abstractmethod
    def serve(self, client: socket.socket, server: socket.socket) -> None:
        """Pass on the bytes of one connection until either side closes it or `is_stopped` is set."""

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
