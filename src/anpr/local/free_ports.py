"""Ports for servers that must come back on the same port after a crash."""

import contextlib
import secrets
import socket

# Below the range from which the kernel takes the ports of outgoing connections (32768 and up on Linux). A port of
# that range can be taken by somebody's connection while its server is down, even by a client that tries to
# reconnect to it: on loopback it then talks to itself and the server cannot bind.
LOWEST, HIGHEST = 20_000, 32_000


def free_ports(count: int) -> list[int]:
    """Return `count` different TCP ports on 127.0.0.1 that nobody listens on."""
    with contextlib.ExitStack() as held:
        ports: list[int] = []
        while len(ports) < count:
            candidate = held.enter_context(socket.socket())
            port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
            with contextlib.suppress(OSError):
                candidate.bind(("127.0.0.1", port))
                ports.append(port)
        return ports
