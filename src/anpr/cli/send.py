"""`anpr send`: publish reads from anything that can write JSON lines."""

import dataclasses
import math
import threading
import time
from pathlib import Path
from typing import BinaryIO

import click

from anpr.cli import check_site, settings_of
from anpr.cli.files import OPENED
from anpr.cli.health_option import ANSWER_SECONDS, metrics_port, served
from anpr.contracts import topics
from anpr.gateway.line_reader import LineReader
from anpr.gateway.sender import Sender
from anpr.gateway.spool import Spool
from anpr.kafka.broker_errors import refused
from anpr.kafka.clients import KafkaProducer
from anpr.kafka.rejections import Rejections
from anpr.reads.decoder import MAX_READ_BYTES
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import InputError, UnavailableError
from anpr.runtime.health import Health
from anpr.runtime.logs import bind_service, get_logger
from anpr.runtime.settings import Settings
from anpr.runtime.shutdown import on_stop

log = get_logger(__name__)

PROGRESS_EVERY_SECONDS = 2
# Asked to stop, it waits this long for the broker to take what it was handed.
GIVE_UP_SECONDS = 5
# Gathers a camera's frames into one request; measured to cost less time than it saves at the broker.
LINGER_MS = 2


@click.command(name="send")
@click.option("--site", required=True, help="The site whose cameras made the reads.")
@click.option(
    "--spool", type=click.Path(path_type=Path, file_okay=False), help="Where lines wait. Default: state_dir."
)
@metrics_port
@click.argument("reads", type=OPENED, default="-")
@click.pass_context
def command(ctx: click.Context, site: str, spool: Path | None, metrics_port: int | None, reads: BinaryIO) -> None:
    """Publish READS (JSON lines; stdin by default) as reads of a site.

    Lines are kept on disk until the broker has them: with the broker away, or refusing, the command waits for it, and
    what was kept when it is stopped goes first on the next start. What it says is a log: words on a terminal, else
    JSON lines. Exit code 1 when a line was too long to send, 3 when lines were left on disk.

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
    on_disk = Spool((spool or settings.state_dir) / f"send-{site}.sqlite")
    try:
        gateway = _Gateway(settings, site, on_disk, reads)
        with served(settings, gateway.health, metrics_port):
            gateway.run(stop)
        left = len(on_disk)
    finally:
        on_disk.close()
    log.info("sent", **dataclasses.asdict(gateway.sender.figures), on_disk=left)
    ctx.exit(3 if left else 1 if gateway.sender.figures.refused else 0)


class _Gateway:
    """A sender on the real broker, and what it says of itself."""

    def __init__(self, settings: Settings, site: str, on_disk: Spool, reads: BinaryIO) -> None:
        self.health = Health("send", self._missing)
        self._site = site
        self._on_disk = on_disk
        self._reads = reads
        self._address = settings.sites[site].kafka
        self._lines = LineReader(reads.fileno(), MAX_READ_BYTES)
        self._refusals = Rejections(f"the broker at {self._address} refuses reads of {site}")
        self.sender = Sender(
            site=site,
            lines=self._lines,
            open_producer=self._open_producer,
            spool=on_disk,
            refusals=self._refusals,
            clock=system_clock,
        )

    def run(self, stop: threading.Event) -> None:
        """Send until the stream ends or a signal says stop. Raises AnprError that says where lines are left."""
        if waiting := len(self._on_disk):
            log.info("lines kept from before go first", on_disk=waiting)
        try:
            self._send(stop)
        except OSError as error:
            raise InputError(
                "reads-unreadable",
                f"{self._reads.name}: {error.strerror or error}",
                "what was read of it is safe; mend the file or the pipe and send the rest",
            ) from None
        if why := self._refusals.standing if stop.is_set() and self._on_disk else self.sender.refused_to_the_end:
            left = f"{len(self._on_disk)} lines stay on disk and go first on the next start{self._unkept()}"
            raise refused(f"the broker refuses reads of {self._site}, {left}", why)
        if self.sender.unkept:
            raise UnavailableError(
                "lines-not-kept",
                f"asked to stop while the disk refused lines and the broker was away{self._unkept()}",
                "make room on the disk, then send these lines again",
            )
        if self._lines.begun.strip() and stop.is_set():
            log.warning("the last line had not ended when asked to stop, it was not sent")

    def _send(self, stop: threading.Event) -> None:
        say_at = time.monotonic() + PROGRESS_EVERY_SECONDS
        give_up_at = math.inf
        while not (self.sender.done or self.sender.refused_to_the_end) and time.monotonic() < give_up_at:
            if stop.is_set():
                if not self.sender.is_waiting:
                    return
                give_up_at = min(give_up_at, time.monotonic() + GIVE_UP_SECONDS)
            self.health.heartbeat()
            self.sender.run_once(is_last=stop.is_set())
            if time.monotonic() >= say_at:
                say_at = time.monotonic() + PROGRESS_EVERY_SECONDS
                if waiting := len(self._on_disk):
                    log.info("lines wait for the broker", sent=self.sender.figures.sent, on_disk=waiting)

    def _unkept(self) -> str:
        """Return which lines of the stream are neither on disk nor with the broker, "" when there are none."""
        lines = self.sender.unkept
        if not lines:
            return ""
        return f"; lines {min(lines)} to {max(lines)} of the stream are neither on disk nor with the broker"

    def _open_producer(self) -> KafkaProducer:
        self._producer = KafkaProducer(self._address, LINGER_MS)
        return self._producer

    def _missing(self) -> list[str]:
        found = self._refusals.missing()
        if not found and (trouble := self._producer.problem(topics.reads(self._site), ANSWER_SECONDS)):
            found.append(f"the broker at {self._address} {trouble}")
        if self.sender.disk_refuses:
            found.append("the disk refuses lines")
        return found
