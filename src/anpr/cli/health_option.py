"""The option `--metrics-port` of every service, and the server that it starts."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from anpr.runtime import metrics
from anpr.runtime.errors import UnavailableError
from anpr.runtime.health import Health, HealthServer
from anpr.runtime.logs import get_logger
from anpr.runtime.settings import Settings

log = get_logger(__name__)

metrics_port = click.option(
    "--metrics-port",
    type=click.IntRange(0, 65_535),
    help="Serve /metrics, /livez and /readyz at this port; 0 takes a free port and logs it. Default: metrics.port.",
)


@contextmanager
def serve_health(settings: Settings, health: Health, port: int | None) -> Iterator[None]:
    """Serve a service's health and metrics while the context lasts, at the option's port or else at the settings'.

    Without a port nothing is served. Raises UnavailableError when the address cannot be used.
    """
    port = settings.metrics.port if port is None else port
    if port is None:
        yield
        return
    host = settings.metrics.host
    metrics.STATE_FREE.set_function(lambda: _free_bytes(settings.state_dir))
    try:
        server = HealthServer(health, host, port)
    except OSError as error:
        raise UnavailableError(
            "metrics-address",
            f"the metrics cannot be served at {host}:{port}: {error.strerror or error}",
            "give each service its own --metrics-port, and set metrics.host to an address of this machine",
        ) from None
    with server:
        log.info("serving health and metrics", address=f"http://{host}:{server.server_port}")
        yield


def _free_bytes(folder: Path) -> float:
    """Return the free space on the disk that holds a folder, which may not exist yet."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(existing).free
