"""`anpr index`: the index builder of a machine. Each machine runs only one."""

import threading

import click

from anpr.cli import check_site, settings_of
from anpr.cli.health_option import metrics_port, serve_health
from anpr.index_store.builder_service import BuilderService
from anpr.runtime.logs import bind_service
from anpr.runtime.shutdown import on_stop


@click.command(name="index")
@click.option("--site", required=True, help="The site whose Redis is followed.")
@metrics_port
@click.pass_context
def command(ctx: click.Context, site: str, metrics_port: int | None) -> None:
    """Keep the index of the watchlist on this machine's disk.

    The index follows the watchlist in the site's Redis. The matchers of the machine use it, so each machine with
    matchers needs one `anpr index`, and only one: a second one for the same state_dir ends with exit code 3. To stop
    it, send SIGTERM or press Ctrl-C. The matchers continue with the index that is on disk.

    \b
    Examples:
      anpr index --site calais
      anpr index --site calais --metrics-port 9465
    """
    settings = settings_of(ctx)
    check_site(settings, site)
    stop = threading.Event()
    on_stop(stop.set)
    bind_service(service="index", site=site)
    service = BuilderService(settings, site, stop)
    with serve_health(settings, service.health, metrics_port):
        service.run()
