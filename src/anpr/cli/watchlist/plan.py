"""`anpr watchlist plan`: show what a file would change and cost, before anything is changed."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from anpr.backtest.cost_estimate import DAY, SHORTEST_TIME, estimate_cost
from anpr.cli import settings_of
from anpr.cli.files import FILE_PATH, OPEN_FILE
from anpr.cli.output import json_option, print_table, wants_json
from anpr.cli.progress_line import ProgressLine
from anpr.cli.watchlist.common import (
    FAULTS_SHOWN,
    active_list,
    author,
    list_context,
    list_file_options,
    list_format_of,
    new_list_option,
    own_list_option,
    removal_limit_of,
    show_faults,
    show_unknown_sites,
)
from anpr.cli.watchlist.retrospective_count import count_retrospective, report_retrospective
from anpr.contracts.events import NO_GENERATION
from anpr.contracts.local_days import LocalDays
from anpr.reads.decoder import BadRead
from anpr.runtime.durations import in_words
from anpr.runtime.plurals import counted
from anpr.runtime.settings import Settings
from anpr.watchlist import plan_file
from anpr.watchlist.alert_cost import Cost
from anpr.watchlist.calibrations import calibrations_of
from anpr.watchlist.csv_file import ListFile, read_list
from anpr.watchlist.plan import ActiveList, Plan, PlannedFile, make_plan, unexpired_entries
from anpr.watchlist.store.entry_storage import require_whole
from anpr.watchlist.store.home import watchlist_reader
from anpr.watchlist.store.manifest import CameraCalibration
from anpr.watchlist.store.preconditions import Preconditions, check_preconditions

_ONLY_IN_THE_FILE = ("format", "refusals", "sample", "sampled_validities")


@click.command(name="plan")
@click.argument("file", type=FILE_PATH)
@own_list_option
@new_list_option
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Where to write the plan."
)
@list_file_options
@json_option
@click.option("--reads", type=OPEN_FILE, help="Reads from the past, as JSON lines: count the alerts.")
@click.pass_context
def command(  # noqa: PLR0913  each is an option
    ctx: click.Context,
    *,
    file: Path,
    list_name: str,
    new_list: bool,
    out: Path,
    encoding: str,
    columns: Mapping[str, str],
    valid_for: float | None,
    reads: BinaryIO | None,
    as_json: bool,
) -> None:
    """Show what would change if FILE replaced a list. Nothing is changed.

    The plan is written to --out, for `anpr watchlist apply`. A terminal gets a short table of it, a program JSON.
    Lines that cannot be used are named on stderr, and would be left out. `plan` refuses what `apply` would refuse
    because of the active lists. Exit code 1: there are lines that cannot be used.

    With --reads, the plan also has the alerts a day that the list would have raised: by tier, port, hour and
    nationality. It names the entries that would have raised the most.

    The plan also says how many retrospective alerts it would raise about vehicles that have passed already, and where
    they would ring. It counts them in the histories on this machine, and names every port that it could not count.
    Your login name is written to the audit of each port that was counted.

    \b
    Examples:
      anpr watchlist plan stolen.csv --list stolen --out plan.json
      anpr watchlist plan stolen.csv --list stolen --out plan.json --reads yesterday.jsonl
      anpr watchlist plan export.csv --list stolen --out plan.json --columns plate=PLATE,country=STATE --valid-for 30d
    """
    settings = settings_of(ctx)
    reader = watchlist_reader(settings)
    manifest, list_manifest = active_list(reader, list_name)
    check_preconditions(Preconditions(allows_new_list=new_list), list_name, manifest)
    context = list_context(settings)
    list_format = list_format_of(encoding, columns, valid_for, context)
    content = read_list(file, list_name, list_format, ProgressLine(f"reading {file.name}"), context)
    show_faults(file, content)
    active_entries = (
        require_whole(reader.load_list(list_manifest, ProgressLine(f"reading the active {list_name}")))
        if list_manifest
        else []
    )
    active = ActiveList(
        generation=list_manifest.generation if list_manifest else NO_GENERATION,
        is_first_list=manifest is None,
        entries={entry.entry_id: entry for entry in active_entries},
    )
    planned = unexpired_entries(content, context.at)
    reader.refuse_shared_ids(
        manifest, list_name, [entry.entry_id for entry in planned if entry.entry_id not in active.entries]
    )
    source = PlannedFile(str(file.absolute()), list_format, author("plan").user, context)
    plan = make_plan(list_name, content, source, active, removal_limit_of(settings, None))
    counted = count_retrospective(settings, plan, active, planned)
    plan = msgspec.structs.replace(plan, retrospective=counted)
    if reads is not None:
        cost = _cost(settings, content, plan, reads, manifest.calibrations if manifest else ())
        show_unknown_sites(reads.name, cost.reads_of_site, settings.sites)
        plan = msgspec.structs.replace(plan, cost=cost)
    plan_file.write(out, plan)
    _report(settings, plan, out, [plan.validity, *plan.warnings[len(content.warnings) :]], as_json=as_json)
    ctx.exit(1 if plan.refused else 0)


def _cost(
    settings: Settings,
    content: ListFile,
    plan: Plan,
    reads: BinaryIO,
    calibrations: Sequence[CameraCalibration],
) -> Cost:
    entries = unexpired_entries(content, plan.made_at)
    size = Path(reads.name).stat().st_size if Path(reads.name).is_file() else 0
    progress = ProgressLine("matching reads")
    late_after = timedelta(seconds=settings.matcher.late_after_seconds)
    shown = 0

    def on_bad_read(number: int, error: BadRead) -> None:
        nonlocal shown
        shown += 1
        if shown <= FAULTS_SHOWN:
            click.echo(f"{reads.name}: line {number}: {error}", err=True)

    def on_progress() -> None:
        if size:
            progress(reads.tell(), size)

    days = LocalDays(settings.zones)
    return estimate_cost(
        entries,
        reads,
        late_after,
        days,
        calibrations=calibrations_of(calibrations),
        on_progress=on_progress,
        on_bad_read=on_bad_read,
    )


def _report(settings: Settings, plan: Plan, out: Path, sentences: Sequence[str], *, as_json: bool) -> None:
    """Print the plan in short: tables or JSON on stdout, and these sentences on stderr."""
    if wants_json(as_json=as_json):
        in_short = {name: value for name, value in msgspec.to_builtins(plan).items() if name not in _ONLY_IN_THE_FILE}
        click.echo(msgspec.json.encode(in_short | {"base": str(plan.planned_against)}).decode())
    else:
        _print_tables(plan)
    click.echo(
        f"{plan.list}: {counted(plan.entries_before, 'entry', 'entries')} would become {plan.entries_after}: "
        f"{plan.added} added, {plan.changed} changed, {plan.removed} removed, {plan.unchanged} unchanged\n"
        f"in the file: {counted(plan.refused, 'line')} refused, {plan.expired} expired, {plan.duplicates} repeated, "
        f"{plan.never_rings} can never ring",
        err=True,
    )
    for sentence in filter(None, sentences):
        click.echo(sentence, err=True)
    if plan.cost is not None:
        _report_cost(plan.cost)
    if plan.retrospective is not None:
        report_retrospective(settings, plan.retrospective)
    confirm = f" --confirm-removals {plan.confirm_removals}" if plan.confirm_removals is not None else ""
    click.echo(f"Nothing is changed yet. To apply the plan: anpr watchlist apply {out}{confirm}", err=True)


def _print_tables(plan: Plan) -> None:
    """Print how many entries would change, and some of them with what differs or when they are valid."""
    print_table(
        ("list", "entries now", "with this file", "added", "changed", "removed", "unchanged"),
        [
            (
                plan.list,
                plan.entries_before,
                plan.entries_after,
                plan.added,
                plan.changed,
                plan.removed,
                plan.unchanged,
            )
        ],
    )
    if plan.sample:
        click.echo()
        print_table(
            ("change", "plate", "entry", "what differs, and when it is valid"),
            (
                (
                    change.kind,
                    change.plate,
                    change.entry_id,
                    "; ".join(filter(None, (", ".join(change.fields), plan.sampled_validities.get(change.entry_id)))),
                )
                for change in plan.sample
            ),
            wrapped="what differs, and when it is valid",
        )
        if left := plan.added + plan.changed + plan.removed - len(plan.sample):
            click.echo(f"and {counted(left, 'more change')}")
        click.echo()


def _report_cost(cost: Cost) -> None:
    click.echo(
        f"{counted(cost.reads, 'read')} matched, {counted(cost.reads_refused, 'line')} refused; "
        f"{_covered_time(cost)}",
        err=True,
    )
    click.echo(f"{counted(cost.alerts, 'alert')}, which is {cost.alerts_a_day} alerts a day", err=True)
    for name in ("by_tier", "by_port", "by_hour", "by_nationality"):
        counts = ", ".join(f"{value} {count}" for value, count in getattr(cost, name).items())
        click.echo(f"  {name.replace('_', ' ')}: {counts or 'none'}", err=True)
    for entry in cost.most:
        click.echo(f"  {entry.alerts_a_day} a day: {entry.plate} ({entry.entry_id})", err=True)


def _covered_time(cost: Cost) -> str:
    """Return how long the reads cover, and how reliable the numbers a day are, in words."""
    first, last = cost.first_captured_at, cost.last_captured_at
    if first is None or last is None:
        return "no read has a capture time"
    covered = f"they cover {in_words(cost.covered)}, {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
    if cost.covered < SHORTEST_TIME:
        return f"{covered}: the numbers a day are scaled up as if from one hour, and are not reliable"
    if cost.covered < DAY:
        return f"{covered}: the numbers a day are scaled up from less than a day: busy or quiet hours may be missing"
    return covered
