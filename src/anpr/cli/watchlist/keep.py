"""`anpr watchlist keep`: run the list keeper, and keep the list of vehicles that were turned away."""

import gc
import os
import threading
from contextlib import ExitStack
from datetime import timedelta

import click

from anpr.cli import settings_of
from anpr.cli.health_option import metrics_port, serve_health
from anpr.contracts.local_days import LocalDays
from anpr.kafka.tail import KafkaTail
from anpr.runtime.cautious_clock import CautiousClock
from anpr.runtime.clock import system_clock
from anpr.runtime.health import Health
from anpr.runtime.logs import bind_service, get_logger
from anpr.runtime.shutdown import on_stop
from anpr.turned_away.turned_away_keeper import TurnedAwayKeeper
from anpr.watchlist.keeper import ListKeeper
from anpr.watchlist.store.home import home_store

log = get_logger(__name__)


# Compacting a list of millions takes this long, and a Redis that does not answer gets half a minute.
_STUCK_AFTER_SECONDS = 180


@click.command(name="keep")
@metrics_port
@click.pass_context
def command(ctx: click.Context, metrics_port: int | None) -> None:
    """Remove entries when their validity ends.

    The list keeper runs until you stop it. It also deletes the texts of removed entries. A vehicle that was turned
    away at a port goes on the list `turned_away` of all other ports for a day. Run the keeper once, near the Redis
    that accepts changes of the lists.

    \b
    Examples:
      anpr watchlist keep
      anpr watchlist keep --metrics-port 9473
    """
    settings = settings_of(ctx)
    stop = threading.Event()
    on_stop(stop.set)
    bind_service(service="keep")
    keep_previous = timedelta(hours=settings.watchlist.keep_previous_hours)
    days = LocalDays(settings.zones)
    store = home_store(settings, may_be_away=True)
    clock = CautiousClock(system_clock)
    keeper = ListKeeper(store, keep_previous, clock, days)
    turned_away = TurnedAwayKeeper(settings, KafkaTail, store, clock)
    gc.enable()  # unlike the other subcommands, this one runs on
    os.nice(10)  # after a whole new list it reads as much as the index builder does, and officers wait for that one
    health = Health(
        "keep", lambda: [*([keeper.problem] if keeper.problem else []), *turned_away.problems()], _STUCK_AFTER_SECONDS
    )
    log.info("list keeper runs")
    with serve_health(settings, health, metrics_port), ExitStack() as opened:
        turned_away.start()
        opened.callback(turned_away.stop)
        while not stop.wait(settings.watchlist.poll_seconds):
            health.heartbeat()
            keeper.run_once()
            turned_away.run_once()
    log.info("list keeper stopped in order")
