"""`anpr demo`: the whole system on this machine, with simulated traffic."""

import math
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import click
import msgspec

from anpr.board.board_feed import BoardFeed
from anpr.cli.duration import Duration
from anpr.cli.files import FILE_PATH
from anpr.cli.watch import show
from anpr.local.demo import Demo, check_scenario
from anpr.local.run_check import Summary

# What runs until Ctrl-C is for people: the pace of a port, and a few alerts a minute.
LIVE_SCENARIO, LIVE_SPEED = "port-live", 1.0
# What is measured needs many alerts to compare: an hour of timetable in a minute, with its bursts and quiet times.
MEASURED_SCENARIO, MEASURED_SPEED = "crossings", 60.0
LISTS_THE_REST_AFTER_SECONDS = 20.0


@click.command(name="demo")
@click.option("--for", "for_seconds", type=Duration(), help="Run for this long, check everything, then end: 20s, 2m.")
@click.option("--json", "as_json", is_flag=True, help="Show nothing; print one JSON summary on stdout. Needs --for.")
@click.option("--seed", default=7, show_default=True, help="The same seed gives the same traffic.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    help="How much faster than real time the traffic runs.  [default: 1; 60 with --for or --scenario]",
)
@click.option(
    "--listed-share", type=click.FloatRange(0, 1), help="Share of passes that are listed.  [default: the scenario's]"
)
@click.option(
    "--scenario",
    help="Play this scenario within a minute. Names: `python -m simulators --scenario list`.  "
    f"[default: {LIVE_SCENARIO}; {MEASURED_SCENARIO} with --for]",
)
@click.option(
    "--watchlist",
    type=FILE_PATH,
    default=Path("config/example_watchlist.csv"),
    show_default=True,
    help="The list to apply. Its vehicles pass the cameras.",
)
@click.pass_context
def command(  # noqa: PLR0913, PLR0917  click hands over one argument for each option
    ctx: click.Context,
    for_seconds: float | None,
    as_json: bool,
    seed: int,
    speed: float | None,
    listed_share: float | None,
    scenario: str | None,
    watchlist: Path,
) -> None:
    """Run the whole system on this machine, with simulated traffic.

    The demo starts Kafka, Valkey, all services and the traffic of three ports, and shows the alerts live. Without
    --for, it also starts the officers' consoles, says what to do next and runs until Ctrl-C. With --for, it stops the
    traffic after that time, waits until all reads are matched, and compares the board of every site with the ground
    truth. Exit code 1: a board is not exact.

    \b
    Examples:
      anpr demo
      anpr demo --for 20s --json
      anpr demo --scenario cloned-plate
    """
    if as_json and for_seconds is None:
        raise click.UsageError("--json needs --for, because the summary comes at the end")
    if scenario is not None:
        check_scenario(scenario)  # before anything is started
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the last when its terminal is closed
        signal.signal(number, signal.default_int_handler)
    try:
        # A scenario decides what becomes of each of its vehicles.
        with Demo(ctx.obj, watchlist, _print_sentence, lists_some_later=scenario is None) as demo:
            live = demo.open_feed()
            demo.start_matchers(live)
            demo.start_histories()
            notes = demo.start_consoles() if for_seconds is None else []
            # Before the traffic: what a board needs for its own start is no latency.
            boards = _boards_of_all_sites(demo, live) if for_seconds is not None else {}
            demo.wait_until_ready()
            played, pace = _traffic_of(scenario, for_seconds)
            demo.start_traffic(seed=seed, speed=speed or pace, scenario=played, listed_share=listed_share)
            lister = _list_the_rest_later(demo, for_seconds)
            if for_seconds is None:
                click.echo("\n".join(notes), err=True)
                show(live, demo.settings, (), stop, kept_rows=len(notes), faults=demo.faults)
            else:
                summary = _measure(demo, boards, for_seconds, lister, as_json=as_json)
                demo.keep_folder = not summary.is_right
                click.echo(msgspec.json.format(msgspec.json.encode(summary)))
                sys.exit(0 if summary.is_right else 1)
    except KeyboardInterrupt:
        click.echo("stopped; no process was left running", err=True)


def _print_sentence(sentence: str) -> None:
    """Print a sentence on stderr, with its words whole where a person reads it."""
    is_read = sys.stderr.isatty()
    click.echo(click.wrap_text(sentence, shutil.get_terminal_size().columns) if is_read else sentence, err=True)


def _traffic_of(scenario: str | None, for_seconds: float | None) -> tuple[str, float]:
    """Return the scenario that is played, and how much faster than real time."""
    if scenario is None and for_seconds is None:
        return LIVE_SCENARIO, LIVE_SPEED
    return scenario or MEASURED_SCENARIO, MEASURED_SPEED


def _list_the_rest_later(demo: Demo, for_seconds: float | None) -> threading.Timer:
    """List the rest of the vehicles in the middle of a run, at the latest when people have watched for a while."""
    timer = threading.Timer(min(LISTS_THE_REST_AFTER_SECONDS, (for_seconds or math.inf) / 2), demo.list_the_rest)
    timer.daemon = True
    timer.start()
    return timer


def _boards_of_all_sites(demo: Demo, live: BoardFeed) -> dict[str, BoardFeed]:
    """Return a board for each site. That of the first is the one that is shown."""
    shown_site, *other_sites = demo.settings.sites
    return {shown_site: live} | {site: demo.open_feed() for site in other_sites}


def _measure(
    demo: Demo, boards: dict[str, BoardFeed], for_seconds: float, lister: threading.Timer, *, as_json: bool
) -> Summary:
    """Let the traffic run for this long while a board of each site follows it, then summarise."""
    live, *_ = boards.values()
    until = time.monotonic() + for_seconds
    stop = threading.Event()
    timer = threading.Timer(for_seconds, stop.set)
    timer.daemon = True
    timer.start()
    if not as_json:
        show(live, demo.settings, (), stop)
    while time.monotonic() < until:
        for feed in boards.values():
            feed.fold_new_records(0.01)
    demo.stop_traffic()
    lister.join()
    return demo.summarise(boards)
