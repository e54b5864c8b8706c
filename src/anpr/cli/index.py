"""`anpr index`: the process that builds the index of its machine. Each machine runs only one."""

import gc
import threading
import time
from typing import IO

import click

from anpr.cli import check_site, settings_of
from anpr.cli.health_option import metrics_port, serve_health
from anpr.index_store.builder import IndexBuilder
from anpr.index_store.compaction import compact_in_subprocess
from anpr.index_store.folder import IndexFolder
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import UnavailableError
from anpr.runtime.health import Health
from anpr.runtime.logs import bind_service, get_logger
from anpr.runtime.settings import Settings
from anpr.runtime.shutdown import on_stop
from anpr.watchlist.store.reader import WatchlistReader, connect

log = get_logger(__name__)

# A matcher holds the same lock for some microseconds when it checks for a builder, so one failed try proves nothing.
_LOCK_SECONDS = 0.2


@click.command(name="index")
@click.option("--site", required=True, help="The site whose Redis is followed.")
@metrics_port
@click.pass_context
def command(ctx: click.Context, site: str, metrics_port: int | None) -> None:
    """Follow the watchlists in a site's Redis and keep the index on this machine's disk up to date.

    The matchers of the machine use that index. So each machine with matchers needs one `anpr index`, and only one: a
    second one for the same state_dir ends with exit code 3. To stop it, send SIGTERM or press Ctrl-C. The matchers
    continue with the index that is on disk.

    \b
    Examples:
      anpr index --site calais
      anpr index --site calais --metrics-port 9465
    """
    settings = settings_of(ctx)
    check_site(settings, site)
    run(settings, site, metrics_port)


def run(settings: Settings, site: str, port: int | None) -> None:
    """Build the index until a signal asks to stop. Health and metrics are served at `port`."""
    stop = threading.Event()
    on_stop(stop.set)
    bind_service(service="index", site=site)
    # Millions of entries form no reference cycles. A search for cycles would take longer than building the index.
    gc.set_threshold(1_000_000, 20, 100)
    folder = IndexFolder(settings.index_dir)
    lock = _lock(folder)
    builder = IndexBuilder(
        WatchlistReader(connect(settings.sites[site].redis)), folder, system_clock, compact_in_subprocess
    )

    def missing() -> list[str]:
        if builder.active is None:
            return [f"no index yet: {builder.problem or 'it is being built'}"]
        return [builder.problem] if builder.problem else []

    health = Health("index", missing)
    log.info("index builder runs", folder=str(folder.path))
    with lock, serve_health(settings, health, port):
        while not stop.is_set():
            health.heartbeat()
            builder.run_once()
            stop.wait(settings.watchlist.poll_seconds)
    log.info("index builder stopped in order")


def _lock(folder: IndexFolder) -> IO[bytes]:
    """Make this process the only builder of the folder. Raises UnavailableError when there is one already."""
    until = time.monotonic() + _LOCK_SECONDS
    try:
        while (lock := folder.lock()) is None:
            if time.monotonic() > until:
                raise UnavailableError(
                    "index-already-built",
                    f"another `anpr index` runs on this machine for {folder.path}",
                    "one serves all matchers of a machine; to follow another Redis, stop the other one first",
                )
            time.sleep(0.01)
    except OSError as error:
        raise UnavailableError(
            "index-folder",
            f"the index cannot be kept in {folder.path}: {error.strerror or error}",
            "make watchlist.state_dir a folder that this process may write to, with space for the index",
        ) from None
    return lock
