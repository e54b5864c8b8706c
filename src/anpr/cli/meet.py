"""`anpr meet`: looks for the vehicles that are expected at a port among those that its cameras have seen."""

import os
import threading

import click

from anpr.arrivals.arrival_service import ArrivalService
from anpr.cli import settings_of
from anpr.cli.arrival_routes import arrival_routes
from anpr.cli.health_option import metrics_port, serve_health
from anpr.runtime.logs import bind_service
from anpr.runtime.shutdown import on_stop

# Live matching comes first on a busy machine.
_NICE = 5


@click.command(name="meet")
@click.option("--site", required=True, help="The port where the vehicles drive off.")
@metrics_port
@click.pass_context
def command(ctx: click.Context, site: str, metrics_port: int | None) -> None:
    """Look for the vehicles that are expected at a port.

    The first sighting of each is published. A vehicle is expected while an alert of another port says that it may be
    on the ferry or shuttle to this one. The command reads the history that `anpr history` keeps on this machine.
    Start it again at any time. To stop it, send SIGTERM or press Ctrl-C.

    \b
    Examples:
      anpr meet --site dover
      anpr meet --site dover --metrics-port 9480
    """
    settings = settings_of(ctx)
    routes = arrival_routes(settings, site)
    os.nice(_NICE)
    stop = threading.Event()
    on_stop(stop.set)
    bind_service(service="meet", site=site)
    service = ArrivalService(settings, site, routes, stop)
    with serve_health(settings, service.health, metrics_port):
        service.run()
