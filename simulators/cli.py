"""The command `python -m simulators`."""

import os
import re
import signal
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec
from click.core import ParameterSource

from anpr.cli.duration import Duration
from anpr.cli.watchlist.common import list_file_options, list_format_of, show_faults
from anpr.contracts.events import Entry
from anpr.runtime import logs
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import AnprError, InputError
from anpr.runtime.images import ImageStore
from anpr.runtime.settings_files import load_settings
from anpr.watchlist.csv_file import read_list
from anpr.watchlist.list_context import ListContext
from simulators.expected_alerts import Watchlist
from simulators.run import RunCounts
from simulators.scenarios import scenario_named, scenarios
from simulators.session import Plan, run_session
from simulators.stop_request import stop_on_signals
from simulators.timetable import SERVICES

_EXAMPLES = """
\b
Examples:
  python -m simulators --seed 7 --for 1m --speed 60 --out reads.jsonl     one hour of all ports, at once
  python -m simulators --site calais --live --speed 10                    one port in the terminal, ten times as fast
  python -m simulators --watchlist list.csv --truth truth.jsonl --for 1m  with the alerts that must be raised
  python -m simulators --publish --speed 60 --for 20s                     publish to the sites' Kafka
  python -m simulators --scenario cloned-plate --for 20s --truth t.jsonl  play a scenario

The same options, --seed and --start always give the same output, byte for byte.
"""


class _TimeOfDay(click.ParamType[Any]):
    """A time of day such as 08:30, in seconds since midnight."""

    name = "hh:mm"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch("([01][0-9]|2[0-3]):([0-5][0-9])", str(value))
        if found is None:
            self.fail(f"{value!r} is not a time of day such as 08:30", param, ctx)
        return int(found[1]) * 3600 + int(found[2]) * 60


class _Moment(click.ParamType[Any]):
    """A time in RFC 3339."""

    name = "rfc3339"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self.fail(f"{value!r} is not a time with its UTC offset, such as 2026-06-01T08:00:00Z", param, ctx)
        return moment


@click.command(epilog=_EXAMPLES, context_settings={"max_content_width": 118})
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default="config",
    envvar="ANPR_CONFIG",
    show_default=True,
    help="The configuration folder. Its sites.toml names the cameras and the Kafka of each site.",
)
@click.option(
    "--site",
    "sites",
    multiple=True,
    type=click.Choice(sorted(SERVICES)),
    help="The port. You can repeat this option. [default: all three]",
)
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed gives the same traffic.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Simulated seconds in each real second.",
)
@click.option(
    "--for", "run_for_s", type=Duration(), help="How long to run in real time: 20s, 5m, 2h. [default: until stopped]"
)
@click.option(
    "--at",
    "at_s",
    type=_TimeOfDay(),
    default="08:00",
    show_default=True,
    help="The time of day at which the timetable starts.",
)
@click.option("--start", type=_Moment(), help="The capture time of the first second. [default: now]")
@click.option(
    "--volume",
    type=click.FloatRange(0, 10, min_open=True),
    default=1.0,
    show_default=True,
    help="A factor of an average day's traffic; 2.4 is a peak day. For more reads a second raise --speed.",
)
@click.option("--watchlist", type=click.Path(path_type=Path), help="CSV file of listed vehicles. Some of them come.")
@click.option(
    "--list-name", help="Name of the list. The ids of entries without an id depend on it. [default: the file's name]"
)
@list_file_options
@click.option(
    "--listed-share",
    type=click.FloatRange(0, 1),
    default=0.001,
    show_default=True,
    help="Share of passes that are listed vehicles. Some of the first passes of each site always are.",
)
@click.option(
    "--scenario",
    metavar="NAME",
    help="Play a scenario. --scenario list prints all names. A scenario sets the volume, the listed share and the "
    "watchlist (example_watchlist.csv in the configuration folder) unless you give them.",
)
@click.option(
    "--truth",
    type=click.Path(path_type=Path),
    help="Write the ground truth to this file: which reads must raise which alerts.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write the reads to this file; - is stdout. [default: - ]"
)
@click.option("--live", is_flag=True, help="Write at the pace of the clock instead of as fast as possible.")
@click.option(
    "--publish",
    is_flag=True,
    help="Send the reads to Kafka at the pace of the clock. --out also writes them to a file.",
)
@click.option(
    "--pictures",
    type=click.Choice(["listed", "all"]),
    help="Make pictures of the plates of listed vehicles or of all vehicles. The reads name them. [default: none]",
)
@click.option(
    "--bootstrap", envvar="KAFKA_BOOTSTRAP", help="The Kafka address for all sites, instead of those in sites.toml."
)
@click.pass_context
def main(ctx: click.Context, /, **options: Any) -> None:
    """Simulate the traffic of the ports: reads as JSON lines, to a file, to stdout or to Kafka."""
    if options["scenario"] == "list":
        for name, scenario in scenarios().items():
            click.echo(f"{name:32}{scenario.description}")
        return
    logs.configure(sys.stderr)
    try:
        _apply_scenario(ctx, options)
        with stop_on_signals(signal.SIGTERM, signal.SIGINT) as stop:
            tally, undelivered = run_session(_plan(**options), stop)
    except AnprError as error:
        click.echo("\n".join(error.lines()), err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        click.echo(f"error: {error.filename or _files_named(options)}: {error.strerror}", err=True)
        sys.exit(2)
    click.echo(_summary(tally, undelivered), err=True)
    sys.exit(1 if undelivered else 0)


def _files_named(options: dict[str, Any]) -> str:
    """Return the files that are written: an error of a write names none."""
    files = (options[name] for name in ("out", "truth") if options[name] is not None)
    return " or ".join(map(str, files)) or "the output"


def _apply_scenario(ctx: click.Context, options: dict[str, Any]) -> None:
    """Replace the scenario's name by the scenario, and options that were not given by its own."""
    name = options["scenario"]
    if name is None:
        return
    scenario = options["scenario"] = scenario_named(name)
    for field in ("volume", "listed_share"):
        if ctx.get_parameter_source(field) is ParameterSource.DEFAULT:
            options[field] = getattr(scenario, field)
    if options["watchlist"] is None:
        options["watchlist"] = options["config"] / "example_watchlist.csv"


def _plan(  # noqa: PLR0913, PLR0917  each is an option
    config: Path,
    sites: tuple[str, ...],
    watchlist: Path | None,
    list_name: str | None,
    encoding: str,
    columns: Mapping[str, str],
    valid_for: float | None,
    bootstrap: str | None,
    **rest: Any,
) -> Plan:
    if rest["truth"] and not watchlist:
        raise click.UsageError("--truth needs --watchlist, because without a list no read must raise an alert")
    loaded = load_settings(config, os.environ)
    known = loaded.sites
    missing = [site for site in sites if site not in known]
    if missing:
        raise InputError(
            "site-unknown",
            f"the settings in {config} have no site {missing[0]!r}",
            "name a site of sites.toml",
        )
    chosen = {name: known[name] for name in sites or SERVICES if name in known}
    for name, site in chosen.items():
        if not site.cameras:
            raise InputError(
                "site-without-cameras",
                f"the settings in {config} give site {name!r} no cameras",
                "name a site that has cameras, or add them in sites.toml",
            )
    everywhere = {
        name: msgspec.structs.replace(site, kafka=bootstrap) if bootstrap else site for name, site in known.items()
    }
    images = ImageStore(loaded.images_dir, timedelta(hours=loaded.images.images_retention_hours))
    entries: tuple[Entry, ...] = ()
    if watchlist is not None:
        context = ListContext(known, rest["start"] or system_clock())
        list_format = list_format_of(encoding, columns, valid_for, context)
        listed = read_list(watchlist, list_name or watchlist.stem, list_format, context=context)
        show_faults(watchlist, listed)
        entries = listed.entries
    chosen = {name: everywhere[name] for name in chosen}
    return Plan(
        sites=chosen,
        all_sites=everywhere,
        routes=loaded.routes,
        watchlist=Watchlist(entries, loaded.zones),
        images=images,
        **rest,
    )


def _summary(tally: RunCounts, undelivered: int) -> str:
    return (
        f"reads {tally.reads}, passes {tally.passes}, listed passes {tally.listed_passes}, "
        f"duplicates {tally.duplicates}, late {tally.late}, undelivered {undelivered}, "
        f"at most {tally.behind_s * 1000:.0f} ms behind the clock"
    )
