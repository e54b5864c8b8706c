"""The command `python -m simulators`."""

import os
import re
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec
from click.core import ParameterSource

from anpr.cli.duration import Duration
from anpr.runtime import logs
from anpr.runtime.errors import AnprError, InputError
from anpr.runtime.images import ImageStore
from anpr.runtime.settings_files import load_settings
from anpr.watchlist import csv_file
from simulators import stop
from simulators.listing import Watchlist
from simulators.run import Tally
from simulators.scenarios import named, scenarios
from simulators.session import Plan, run_session
from simulators.timetable import SERVICES

_EXAMPLES = """
\b
Examples:
  python -m simulators --seed 7 --for 1m --speed 60 --out reads.jsonl     an hour of all ports, at once
  python -m simulators --site calais --live --speed 10                    one port on the terminal, by the clock
  python -m simulators --watchlist list.csv --truth truth.jsonl --for 1m  with what must raise which alert
  python -m simulators --publish --speed 60 --for 20s                     to the sites' Kafka
  python -m simulators --scenario cloned-plate --for 20s --truth t.jsonl  something happens, and must be noticed

With --seed, --start and the same other options, output is the same to the byte.
"""


class _TimeOfDay(click.ParamType[Any]):
    """A time of day such as 08:30, in seconds since midnight."""

    name = "hh:mm"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch("([01][0-9]|2[0-3]):([0-5][0-9])", str(value))
        if found is None:
            self.fail(f"{value!r} is no time of day; 08:30 is wanted", param, ctx)
        return int(found[1]) * 3600 + int(found[2]) * 60


class _Moment(click.ParamType[Any]):
    """A moment in RFC 3339."""

    name = "rfc3339"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self.fail(f"{value!r} is no moment with its offset; 2026-06-01T08:00:00Z is wanted", param, ctx)
        return moment


@click.command(epilog=_EXAMPLES, context_settings={"max_content_width": 118})
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default="config",
    envvar="ANPR_CONFIG",
    show_default=True,
    help="Folder of the settings; its sites.toml names the cameras and the Kafka of each site.",
)
@click.option(
    "--site", "sites", multiple=True, type=click.Choice(sorted(SERVICES)), help="Which ports. [default: all three]"
)
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed gives the same traffic.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Simulated seconds in each real one.",
)
@click.option("--for", "run_for_s", type=Duration(), help="Real time to run: 20s, 5m, 2h. [default: until stopped]")
@click.option(
    "--at", "at_s", type=_TimeOfDay(), default="08:00", show_default=True, help="Where in the timetable to begin."
)
@click.option("--start", type=_Moment(), help="The moment at which the first second is captured. [default: now]")
@click.option(
    "--volume",
    type=click.FloatRange(0, 10, min_open=True),
    default=1.0,
    show_default=True,
    help="Times an average day's traffic; 2.4 is a peak day. For yet more reads a second raise --speed.",
)
@click.option(
    "--watchlist", type=click.Path(path_type=Path), help="CSV of listed vehicles, some of which will come by."
)
@click.option(
    "--list-name", help="Name of the list; ids of entries without one depend on it. [default: the file's name]"
)
@click.option(
    "--listed-share",
    type=click.FloatRange(0, 1),
    default=0.001,
    show_default=True,
    help="Share of passes that are listed vehicles. Some are always among the first of each site.",
)
@click.option(
    "--scenario",
    metavar="NAME",
    help="What happens: one of those that --scenario list prints. It sets what is not given here: volume, share and "
    "list (the example list beside the settings).",
)
@click.option("--truth", type=click.Path(path_type=Path), help="Write which reads must raise which alerts.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the reads; - is stdout. [default: - ]")
@click.option("--live", is_flag=True, help="Write at the pace of the clock, not as fast as possible.")
@click.option("--publish", is_flag=True, help="Send the reads to Kafka at the pace of the clock; --out records them.")
@click.option(
    "--pictures",
    type=click.Choice(["listed", "all"]),
    help="Make pictures of the plates of listed vehicles, or of all, and write their references into the reads. "
    "[default: none]",
)
@click.option("--bootstrap", envvar="KAFKA_BOOTSTRAP", help="Kafka for all sites, in place of the settings'.")
@click.pass_context
def main(ctx: click.Context, /, **options: Any) -> None:
    """Simulate the traffic of the ports: reads as JSON lines, to a file, to stdout or to Kafka."""
    if options["scenario"] == "list":
        for name, scenario in scenarios().items():
            click.echo(f"{name:32}{scenario.says}")
        return
    logs.configure(sys.stderr)
    try:
        _set_scene(ctx, options)
        with stop.on(signal.SIGTERM, signal.SIGINT) as asked:
            tally, undelivered = run_session(_plan(**options), asked)
    except AnprError as error:
        click.echo("\n".join(error.lines()), err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        click.echo(f"error: {error.filename}: {error.strerror}", err=True)
        sys.exit(2)
    click.echo(_summary(tally, undelivered), err=True)
    sys.exit(1 if undelivered else 0)


def _set_scene(ctx: click.Context, options: dict[str, Any]) -> None:
    """Put the scenario in place of its name, and what it says in place of what was not given."""
    name = options["scenario"]
    if name is None:
        return
    scenario = options["scenario"] = named(name)
    for field in ("volume", "listed_share"):
        if ctx.get_parameter_source(field) is ParameterSource.DEFAULT:
            options[field] = getattr(scenario, field)
    if options["watchlist"] is None:
        options["watchlist"] = options["config"] / "example_watchlist.csv"


def _plan(
    config: Path,
    sites: tuple[str, ...],
    watchlist: Path | None,
    list_name: str | None,
    bootstrap: str | None,
    **rest: Any,
) -> Plan:
    if rest["truth"] and not watchlist:
        raise click.UsageError("--truth needs --watchlist: without a list no read must raise an alert")
    loaded = load_settings(config, os.environ)
    known = loaded.sites
    missing = [site for site in sites if site not in known]
    if missing:
        raise InputError(
            "site-unknown",
            f"the settings in {config} have no site {missing[0]!r}",
            "name one of those in sites.toml",
        )
    chosen = {name: known[name] for name in sites or SERVICES if name in known}
    for name, site in chosen.items():
        if not site.cameras:
            raise InputError(
                "site-without-cameras",
                f"the settings in {config} give site {name!r} no cameras",
                "name a site that has cameras, or add them in sites.toml",
            )
        if bootstrap:
            chosen[name] = msgspec.structs.replace(site, kafka=bootstrap)
    images = ImageStore(loaded.images_dir, timedelta(hours=loaded.images.images_retention_hours))
    return Plan(sites=chosen, watchlist=_watchlist(watchlist, list_name), images=images, **rest)


def _watchlist(file: Path | None, list_name: str | None) -> Watchlist:
    if file is None:
        return Watchlist(())
    listed = csv_file.read_list(file, list_name or file.stem)
    for refusal in listed.refusals[:10]:
        click.echo(f"{file}: {refusal}", err=True)
    if listed.refused:
        click.echo(f"{file}: {listed.refused} lines left out, {len(listed.entries)} entries used", err=True)
    return Watchlist(listed.entries)


def _summary(tally: Tally, undelivered: int) -> str:
    return (
        f"reads {tally.reads}, passes {tally.passes}, listed passes {tally.listed_passes}, "
        f"duplicates {tally.duplicates}, late {tally.late}, undelivered {undelivered}, "
        f"at most {tally.behind_s * 1000:.0f} ms behind the clock"
    )
