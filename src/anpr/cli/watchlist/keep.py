"""`anpr watchlist keep`: the process that keeps the lists at their home."""

import gc
import threading
from datetime import timedelta

import click

from anpr.cli import settings_of
from anpr.cli.stop import on_stop
from anpr.cli.watchlist.common import store_of
from anpr.clock import system_clock
from anpr.logs import get_logger, say_of_each_line
from anpr.services.list_keeper import ListKeeper

log = get_logger(__name__)


@click.command(name="keep")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Take entries off as their validity ends, and delete the texts of entries that are gone. Runs until stopped.

    One such process runs beside the one Redis that lists are written to.

    \b
    Example:
      anpr watchlist keep
    """
    settings = settings_of(ctx)
    stop = threading.Event()
    on_stop(stop.set)
    say_of_each_line(service="keep")
    keeper = ListKeeper(store_of(settings), timedelta(hours=settings.watchlist.keep_previous_hours), system_clock)
    gc.enable()  # unlike the other subcommands this one stays
    log.info("keeper runs")
    while not stop.wait(settings.watchlist.poll_seconds):
        keeper.turn()
    log.info("keeper stopped in order")
