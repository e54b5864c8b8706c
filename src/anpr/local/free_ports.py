"""TCP ports for servers that must be able to use the same port again after a crash."""

import contextlib
import secrets
import socket
from collections.abc import Iterator, Sequence

# Below the range from which the kernel takes the ports of outgoing connections (32768 and up on Linux). While a
# server is down, an outgoing connection can get a port of that range, even that of a client that tries to reconnect
# to the server: on loopback the client then talks to itself, and the server cannot bind. The demo's usual ports lie
# above HIGHEST.
LOWEST, HIGHEST = 20_000, 28_000


def free_ports(count: int) -> list[int]:
    """Return `count` TCP ports of 127.0.0.1 on which no process listens. Nobody else gets them here for now.

    A server takes seconds from the choice of its port until it listens there. Therefore this process also takes the
    UDP port of the same number, until it ends: another process that asks here meanwhile gets other ports.
    """
    ports: list[int] = []
    while len(ports) < count:
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        if _is_free(port) and _is_claimed_now(port):
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


def _is_claimed_now(port: int) -> bool:
    """Take the UDP port until this process ends, and return whether that worked."""
    claim = socket.socket(type=socket.SOCK_DGRAM)
    try:
        claim.bind(("127.0.0.1", port))
    except OSError:
        claim.close()
        return False
    claim.detach()  # stays open without a name
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as candidate:
        # As servers do. Otherwise the closed connections of a server that has just ended keep its port for a minute.
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
