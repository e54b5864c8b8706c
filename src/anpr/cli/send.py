"""`anpr send`: publish reads from anything that can write JSON lines."""

import dataclasses
import threading
from pathlib import Path
from typing import BinaryIO

import click

from anpr.cli import check_site, settings_of
from anpr.cli.files import OPEN_FILE
from anpr.cli.health_option import metrics_port, serve_health
from anpr.gateway.gateway_service import GatewayService
from anpr.gateway.spool import Spool
from anpr.runtime.logs import bind_service, get_logger
from anpr.runtime.shutdown import on_stop

log = get_logger(__name__)


@click.command(name="send")
@click.option("--site", required=True, help="The site whose cameras made the reads.")
@click.option(
    "--spool",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder where lines wait for the broker. Default: state_dir.",
)
@metrics_port
@click.argument("reads", type=OPEN_FILE, default="-")
@click.pass_context
def command(ctx: click.Context, site: str, spool: Path | None, metrics_port: int | None, reads: BinaryIO) -> None:
    """Publish READS, a file of JSON lines, as reads of a site.

    Without READS, the command reads stdin. It keeps each line on disk until the broker has it. While the broker is
    away or refuses, the command waits. Lines that are left on disk when it is stopped go first on the next start.

    It writes a log to stderr: text on a terminal, otherwise JSON lines. Exit code 1: a line was too long to send, or
    cannot be matched. Exit code 3: lines were left on disk.

    \b
    Examples:
      anpr send --site calais reads.jsonl
      camera-gateway | anpr send --site calais
    """
    settings = settings_of(ctx)
    check_site(settings, site)
    bind_service(service="send", site=site)
    stop = threading.Event()
    on_stop(stop.set)
    lines = Spool((spool or settings.state_dir) / f"send-{site}.sqlite")
    try:
        service = GatewayService(settings, site, lines, reads, stop)
        with serve_health(settings, service.health, metrics_port):
            counts = service.run()
        left = len(lines)
    finally:
        lines.close()
    log.info("sent", **dataclasses.asdict(counts), on_disk=left)
    ctx.exit(3 if left else 1 if counts.refused or counts.unmatchable else 0)
