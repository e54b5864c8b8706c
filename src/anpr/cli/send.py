"""`anpr send`: publish reads from anything that can write JSON lines."""

import dataclasses
import math
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import click

from anpr import topics
from anpr.adapters.kafka import KafkaPublisher
from anpr.adapters.kafka_errors import refused
from anpr.adapters.records import UndeliveredError
from anpr.adapters.spool import Spool
from anpr.cli import check_site, settings_of
from anpr.cli.health import ANSWER_SECONDS, metrics_port, served
from anpr.clock import system_clock
from anpr.errors import InputError, UnavailableError
from anpr.intake import MAX_READ_BYTES
from anpr.logs import get_logger, say_of_each_line
from anpr.services.health import Health
from anpr.services.lines import Lines
from anpr.services.send import Sender

log = get_logger(__name__)

PROGRESS_EVERY_SECONDS = 2
# Asked to stop with lines that the disk refused, it waits this long for the broker to take them.
GIVE_UP_SECONDS = 5
# Gathers a camera's frames into one request; measured to cost less time than it saves at the broker.
LINGER_MS = 2


@click.command(name="send")
@click.option("--site", required=True, help="The site whose cameras made the reads.")
@click.option(
    "--spool", type=click.Path(path_type=Path, file_okay=False), help="Where lines wait. Default: state_dir."
)
@metrics_port
@click.argument("reads", type=click.File("rb"), default="-")
@click.pass_context
def command(ctx: click.Context, site: str, spool: Path | None, metrics_port: int | None, reads: BinaryIO) -> None:
    """Publish READS (JSON lines; stdin by default) as reads of a site.

    Lines are kept on disk until the broker has them: with the broker away the command waits for it, and what was kept
    when it is stopped goes first on the next start. What it says is a log: words on a terminal, else JSON lines.
    Exit code 1 when a line was too long to send, 3 when lines were left on disk.

    \b
    Examples:
      anpr send --site calais reads.jsonl
      camera-gateway | anpr send --site calais
    """
    settings = settings_of(ctx)
    check_site(settings, site)
    say_of_each_line(service="send", site=site)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    on_disk = Spool((spool or settings.state_dir) / f"send-{site}.sqlite")
    address = settings.sites[site].kafka
    publisher = KafkaPublisher(address, LINGER_MS)
    lines = Lines(reads.fileno(), MAX_READ_BYTES)
    sender = Sender(site=site, lines=lines, publisher=publisher, spool=on_disk, clock=system_clock)
    if waiting := len(on_disk):
        log.info("lines kept from before go first", on_disk=waiting)

    def missing() -> list[str]:
        wanted = {
            f"the broker at {address} does not answer": publisher.answers(topics.reads(site), ANSWER_SECONDS),
            "the disk refuses lines": not sender.disk_refuses,
        }
        return [what for what, there in wanted.items() if not there]

    health = Health("send", missing)
    try:
        with served(settings, health, metrics_port):
            _send(sender, on_disk, stop, health.beat)
    except OSError as error:
        raise InputError(
            "reads-unreadable",
            f"{reads.name}: {error.strerror or error}",
            "what was read of it is safe; mend the file or the pipe and send the rest",
        ) from None
    except UndeliveredError as error:
        left = len(on_disk)
        raise refused(
            f"the broker refuses reads of {site}, {left} lines stay on disk{_unkept(sender)}", error
        ) from None
    finally:
        left = len(on_disk)
        on_disk.close()
    if sender.unkept:
        raise UnavailableError(
            "lines-not-kept",
            f"asked to stop while the disk refused lines and the broker was away{_unkept(sender)}",
            "make room on the disk, then send these lines again",
        )
    if lines.begun.strip() and stop.is_set():
        log.warning("the last line had not ended when asked to stop, it was not sent")
    figures = sender.figures
    log.info("sent", **dataclasses.asdict(figures), on_disk=left)
    ctx.exit(3 if left else 1 if figures.refused else 0)


def _unkept(sender: Sender) -> str:
    """Return which lines of the stream are neither on disk nor with the broker, "" when there are none."""
    if not sender.unkept:
        return ""
    return (
        f"; lines {min(sender.unkept)} to {max(sender.unkept)} of the stream are neither on disk nor with the broker"
    )


def _send(sender: Sender, on_disk: Spool, stop: threading.Event, beat: Callable[[], None]) -> None:
    say_at = time.monotonic() + PROGRESS_EVERY_SECONDS
    give_up_at = math.inf
    while not sender.done and time.monotonic() < give_up_at:
        if stop.is_set():
            if not sender.unkept:
                return
            give_up_at = min(give_up_at, time.monotonic() + GIVE_UP_SECONDS)
        beat()
        sender.turn()
        if time.monotonic() >= say_at:
            say_at = time.monotonic() + PROGRESS_EVERY_SECONDS
            if waiting := len(on_disk):
                log.info("lines wait for the broker", sent=sender.figures.sent, on_disk=waiting)
