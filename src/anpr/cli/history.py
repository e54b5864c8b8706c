"""`anpr history`: keeps every sighting of a site."""

import threading

import click

from anpr.cli import check_site, settings_of
from anpr.cli.health_option import metrics_port, serve_health
from anpr.history.history_service import HistoryService
from anpr.runtime.logs import bind_service
from anpr.runtime.shutdown import on_stop


@click.command(name="history")
@click.option("--site", required=True, help="The site whose reads are kept.")
@metrics_port
@click.pass_context
def command(ctx: click.Context, site: str, metrics_port: int | None) -> None:
    """Keep every read of a site, so that it can be looked up later.

    The sightings are kept in day files in history.folder, or in the PostgreSQL that history.url names. History reads
    the topic on from what is stored: a service that is killed and started again loses nothing and stores nothing
    twice. Run two services of a site on two machines: each keeps everything. To stop one, send SIGTERM or press
    Ctrl-C.

    \b
    Examples:
      anpr history --site calais
      anpr history --site calais --metrics-port 9466
    """
    settings = settings_of(ctx)
    check_site(settings, site)
    stop = threading.Event()
    on_stop(stop.set)
    bind_service(service="history", site=site)
    service = HistoryService(settings, site, stop)
    with serve_health(settings, service.health, metrics_port):
        service.run()
