"""`anpr history`: keeps every sighting of a site; `anpr history copy-days`: gets days from a backup or a replica."""

import threading
from contextlib import closing

import click
import msgspec

from anpr.audit.folders import open_chain, site_folder
from anpr.audit.head_publisher import HeadPublisher
from anpr.audit.upkeep import AuditUpkeep
from anpr.cli import check_site, settings_of
from anpr.cli.health_option import metrics_port, serve_health
from anpr.history.api.sightings_server import SightingsServer
from anpr.history.history_copy import copy_history
from anpr.history.history_service import HistoryService
from anpr.history.look_up import HistoryLookUp
from anpr.kafka.producer import KafkaProducer
from anpr.runtime.clock import system_clock
from anpr.runtime.logs import bind_service
from anpr.runtime.settings import Settings
from anpr.runtime.shutdown import on_stop


@click.group(name="history", invoke_without_command=True)
@click.option("--site", help="The site whose reads are kept.")
@click.option("--host", help="The address to answer look-ups at.  [default: that of the site in sites.toml]")
@click.option("--port", type=click.IntRange(0, 65_535), help="The port for it.  [default: that in sites.toml]")
@metrics_port
@click.pass_context
def command(
    ctx: click.Context, site: str | None, host: str | None, port: int | None, metrics_port: int | None
) -> None:
    """Keep every read of a site, so that it can be looked up later.

    The sightings are kept in day files in history.folder, or in the PostgreSQL that history.url names. A service that
    is killed and started again loses nothing and stores nothing twice. Run two services of a site on two machines:
    each keeps everything. To stop one, send SIGTERM or press Ctrl-C.

    Where sites.toml gives the site a `history` address, the service answers look-ups there, over HTTPS. --host and
    --port are for a machine that is reached by another address than its own.

    \b
    Examples:
      anpr history --site calais
      anpr history --site calais --metrics-port 9466
      anpr history copy-days --site calais --from /mnt/backup/history
    """
    if ctx.invoked_subcommand is None:
        if site is None:
            raise click.UsageError("Missing option '--site'.", ctx)
        settings = settings_of(ctx)
        check_site(settings, site)
        if (host or port is not None) and not settings.sites[site].history:
            raise click.UsageError("--host and --port need the site's `history` address in sites.toml", ctx)
        _keep(settings, site, host, port, metrics_port)


def _keep(settings: Settings, site: str, host: str | None, port: int | None, metrics_port: int | None) -> None:
    stop = threading.Event()
    on_stop(stop.set)
    bind_service(service="history", site=site)
    with closing(open_chain(settings, site, "history", system_clock)) as audit:
        service = HistoryService(settings, site, stop, system_clock, audit)
        if settings.sites[site].history:
            search = HistoryLookUp(site, service.stores)
            service.serve(SightingsServer(settings, site, search, audit, host=host, port=port))
        publisher = HeadPublisher(
            site, site_folder(settings, site), lambda: KafkaProducer(settings.sites[site].kafka), system_clock
        )
        upkeep = AuditUpkeep(publisher)
        upkeep.start()
        try:
            with serve_health(settings, service.health, metrics_port):
                service.run()
        finally:
            upkeep.stop()


@command.command(name="copy-days")
@click.option("--site", required=True, help="The site whose history gets the days.")
@click.option(
    "--from",
    "original",
    required=True,
    metavar="FOLDER|ADDRESS",
    help="A history folder (it has a folder for each site), or the address of a PostgreSQL without its password.",
)
@click.pass_context
def copy_days(ctx: click.Context, site: str, original: str) -> None:
    """Copy days of the site from a backup or from its second history.

    Run the command on the machine of the history that has lost its days, as the user of its service. The service may
    run meanwhile. Missing rows are added; no other row is changed. So you can stop the command and run it again.
    The source is only read. Day files are checked first: their version, their site and their integrity. A file that
    is still being written is left out.

    The command prints a JSON line for each day of each store: how many rows it has there, and how many were new here.
    Exit code 1: there is a `problem` with a day or a store. The others are copied all the same.

    \b
    Examples:
      anpr history copy-days --site calais --from /mnt/backup/history
      anpr history copy-days --site calais --from postgresql://anpr@db2.example/history
    """
    settings = settings_of(ctx)
    check_site(settings, site)
    has_problem = False
    for report in copy_history(settings, site, original):
        click.echo(msgspec.json.encode(report))
        has_problem |= bool(report.problem)
    if has_problem:
        ctx.exit(1)
