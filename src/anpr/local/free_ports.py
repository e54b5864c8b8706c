"""TCP ports for servers that must be able to use the same port again after a crash."""

import contextlib
import secrets
import socket
from collections.abc import Iterator, Sequence

# Below the range from which the kernel takes the ports of outgoing connections (32768 and up on Linux). While a
# server is down, an outgoing connection can get a port of that range, even that of a client that tries to reconnect
# to the server: on loopback the client then talks to itself, and the server cannot bind.
LOWEST, HIGHEST = 20_000, 32_000


def free_ports(count: int) -> list[int]:
    """Return `count` different TCP ports on 127.0.0.1 on which no process listens."""
    with contextlib.ExitStack() as sockets:
        ports: list[int] = []
        while len(ports) < count:
            candidate = sockets.enter_context(socket.socket())
            port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
            with contextlib.suppress(OSError):
                candidate.bind(("127.0.0.1", port))
                ports.append(port)
        return ports


def usual_ports(usual: Sequence[int]) -> list[int]:
    """Return these ports of 127.0.0.1, and another free port in the place of each that is in use."""
    return [port if _is_free(port) else free_ports(1)[0] for port in usual]


@contextlib.contextmanager
def claimed(port: int) -> Iterator[bool]:
    """Keep a port of 127.0.0.1 from all others, and yield whether this process has it. It goes when the process ends.

    A server takes seconds from the choice of its port until it listens there. Who has the claim may choose.
    """
    with socket.socket() as claim:
        try:
            claim.bind(("127.0.0.1", port))
        except OSError:
            yield False
        else:
            yield True


def _is_free(port: int) -> bool:
    with socket.socket() as candidate:
        # As servers do. Otherwise the closed connections of a server that has just ended keep its port for a minute.
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
