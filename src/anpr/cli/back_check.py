"""`anpr back-check`: looks for new entries among the sightings of a site."""

import os
import threading

import click

from anpr.back_check.back_check_service import BackCheckService
from anpr.cli import check_site, settings_of
from anpr.cli.health_option import metrics_port, serve_health
from anpr.runtime.logs import bind_service
from anpr.runtime.shutdown import on_stop

# Live matching comes first on a busy machine.
_NICE = 5


@click.command(name="back-check")
@click.option("--site", required=True, help="The site whose history is searched.")
@metrics_port
@click.pass_context
def command(ctx: click.Context, site: str, metrics_port: int | None) -> None:
    """Look for newly listed vehicles among those that have passed.

    Each one that has passed raises a retrospective alert. The command reads the history that `anpr history` keeps and
    the index that `anpr index` keeps, both on this machine. history.back_check_hours says how far it looks back. It
    goes on where it was stopped, so start it again at any time. To stop it, send SIGTERM or press Ctrl-C.

    \b
    Examples:
      anpr back-check --site calais
      anpr back-check --site calais --metrics-port 9467
    """
    settings = settings_of(ctx)
    check_site(settings, site)
    os.nice(_NICE)
    stop = threading.Event()
    on_stop(stop.set)
    bind_service(service="back-check", site=site)
    service = BackCheckService(settings, site, stop)
    with serve_health(settings, service.health, metrics_port):
        service.run()
