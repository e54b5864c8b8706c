"""Limits the connections to an HTTP server: how many there are, and how long they may be silent.

The listening socket counts each connection before anything is read from it. When there are too many, the oldest one
without a whole request is ended. So an open page never loses its event stream, whose request has come. The protocol
ends a connection whose client does not send or read in time. Before TLS has begun, the table does.
"""

import asyncio
import resource
import socket
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from anpr.runtime.plain_requests import PlainRequests

MOST_CONNECTIONS: Final = 1000
MOST_OF_AN_ADDRESS: Final = 200
# From the connection until TLS has begun. Without TLS it has begun at once.
HANDSHAKE_SECONDS: Final = 5.0
# From then, or the last answer, until the whole head of a request has come.
HEAD_SECONDS: Final = 10.0
# For so long a client may leave an answer unread of which more is waiting than its connection holds.
READ_SECONDS: Final = 30.0
# Files and sockets that the process needs beside its connections.
_KEPT_FREE: Final = 200

Peer = tuple[str, int]


@dataclass(slots=True)
class _Connection:
    sock: socket.socket
    peer: Peer

    @property
    def is_open(self) -> bool:
        return self.sock.fileno() >= 0


class ConnectionTable:
    """The open connections of one server."""

    def __init__(
        self,
        most: int = MOST_CONNECTIONS,
        most_of_an_address: int = MOST_OF_AN_ADDRESS,
        proxies: Collection[str] = (),
    ) -> None:
        """Allow `most` connections, and `most_of_an_address` from each address that is not one of `proxies`."""
        self._most = max(1, min(most, _open_files() - _KEPT_FREE))
        self._most_of_an_address = most_of_an_address
        self._proxies = frozenset(proxies)
        self._connections: list[_Connection] = []
        # The peers whose request has come whole and is being answered.
        self.busy: set[Peer] = set()
        self._handshakes: dict[Peer, asyncio.TimerHandle] = {}

    def admit(self, sock: socket.socket, peer: Peer) -> bool:
        """Return whether a new connection may stay. Another one that waits without a request may give way to it."""
        self._connections = [connection for connection in self._connections if connection.is_open]
        of_address = [connection for connection in self._connections if connection.peer[0] == peer[0]]
        if peer[0] not in self._proxies and len(of_address) >= self._most_of_an_address:
            return self._replace_one(of_address, sock, peer)
        if len(self._connections) >= self._most:
            return self._replace_one(self._connections, sock, peer)
        self._connections.append(_Connection(sock, peer))
        return True

    def expect_handshake(self, sock: socket.socket, peer: Peer) -> None:
        """End a connection unless `note_handshake` names its peer in time."""
        self.note_handshake(peer)  # an earlier connection had the same address

        def give_up() -> None:
            del self._handshakes[peer]
            _end(sock)

        self._handshakes[peer] = asyncio.get_running_loop().call_later(HANDSHAKE_SECONDS, give_up)

    def note_handshake(self, peer: Peer) -> None:
        """Note that TLS has begun."""
        timer = self._handshakes.pop(peer, None)
        if timer is not None:
            timer.cancel()

    def __len__(self) -> int:
        return sum(connection.is_open for connection in self._connections)

    def _replace_one(self, candidates: list[_Connection], sock: socket.socket, peer: Peer) -> bool:
        oldest = next((known for known in candidates if known.peer not in self.busy), None)
        if oldest is None:
            return False
        self._connections.remove(oldest)
        _end(oldest.sock)
        self._connections.append(_Connection(sock, peer))
        return True


class BoundedListener(socket.socket):
    """A listening socket that takes only the connections that a table admits."""

    def __init__(self, listener: socket.socket, table: ConnectionTable) -> None:
        """Take over the open socket `listener`."""
        super().__init__(listener.family, listener.type, listener.proto, listener.detach())
        self.table = table

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept the next connection. Raises BlockingIOError where it may not stay, as where none waits."""
        connection, peer = super().accept()
        if not self.table.admit(connection, peer[:2]):
            connection.close()
            raise BlockingIOError
        self.table.expect_handshake(connection, peer[:2])
        return connection, peer


class BoundedProtocol(H11Protocol):
    """Ends a connection whose next request is not there, or whose answer is not read, in time.

    It tells the table which connections have a request.
    """

    table: ConnectionTable
    _deadline: asyncio.TimerHandle | None = None
    _reading_deadline: asyncio.TimerHandle | None = None
    _peer: Peer = ("", 0)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """See asyncio.Protocol and uvicorn."""
        self.conn = PlainRequests(h11.SERVER)
        super().connection_made(transport)
        self._peer = tuple((transport.get_extra_info("peername") or ("", 0))[:2])
        self.table.note_handshake(self._peer)
        self._expect_request()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol and uvicorn."""
        super().data_received(data)
        if self._has_request():
            self._expect_nothing()
            self._note_whole_request()
        elif self._deadline is None:
            self._expect_request()  # the beginning of a further one

    def on_response_complete(self) -> None:
        """See asyncio.Protocol and uvicorn."""
        self.table.busy.discard(self._peer)
        super().on_response_complete()
        self._note_whole_request()  # the next one may have come before
        if self.conn.trailing_data[0] and not self._has_request():
            self._expect_request()

    def pause_writing(self) -> None:
        """See asyncio.Protocol: the client does not take what it is sent."""
        super().pause_writing()
        self._reading_deadline = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """See asyncio.Protocol: the client has taken nearly all of it."""
        super().resume_writing()
        self._stop_waiting_for_reader()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol and uvicorn."""
        self._expect_nothing()
        self._stop_waiting_for_reader()
        self.table.busy.discard(self._peer)
        super().connection_lost(exc)

    def _note_whole_request(self) -> None:
        if self._has_request() and self.conn.their_state is h11.DONE:
            self.table.busy.add(self._peer)

    def _has_request(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _expect_request(self) -> None:
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._end_unless_requested)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _stop_waiting_for_reader(self) -> None:
        if self._reading_deadline is not None:
            self._reading_deadline.cancel()
            self._reading_deadline = None

    def _end_unless_requested(self) -> None:
        self._deadline = None
        if not self._has_request():
            self.transport.abort()


def bounded_protocol(table: ConnectionTable) -> type[BoundedProtocol]:
    """Return the HTTP protocol of a server whose connections are in `table`."""
    return type("BoundedProtocolOfServer", (BoundedProtocol,), {"table": table})


def bounded_server_config(
    app: Any, table: ConnectionTable, proxies: Collection[str] = (), **more: Any
) -> uvicorn.Config:
    """Return the settings of a server that believes the headers of `proxies` alone about who asks."""
    return uvicorn.Config(
        app,
        http=bounded_protocol(table),
        ws="none",
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        log_config=None,  # the log of this program, which writes no text of an exception
        log_level="error",  # what a client sends wrongly is no warning: there may be any number of it
        access_log=False,
        server_header=False,
        **more,
    )


def _end(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has gone by itself


def _open_files() -> int:
    """Return how many files the process may open, after raising that to what the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + 2 * _KEPT_FREE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else soft
