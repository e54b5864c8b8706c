"""`anpr watchlist plan`: what a file would change, and what it would cost, before anything is changed."""

from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from anpr.backtest.cost_estimate import DAY, LEAST_COVERED, cost
from anpr.cli import settings_of
from anpr.cli.files import FILE_PATH, OPEN_FILE
from anpr.cli.progress_line import ProgressLine
from anpr.cli.watchlist.common import (
    REFUSALS_NAMED,
    author,
    list_in_force,
    list_option,
    new_list_option,
    removal_limit_of,
    show_refusals,
)
from anpr.contracts.events import NO_GENERATION
from anpr.reads.decoder import BadRead
from anpr.runtime.clock import system_clock
from anpr.runtime.durations import in_words
from anpr.runtime.settings import Settings
from anpr.watchlist import plan_file
from anpr.watchlist.cost import Cost
from anpr.watchlist.csv_file import ENCODINGS, ListFile, read_list
from anpr.watchlist.plan import Base, Plan, Source, in_force_at, make_plan
from anpr.watchlist.store.entry_storage import require_whole
from anpr.watchlist.store.home import watchlist_reader
from anpr.watchlist.store.preconditions import Preconditions, check_preconditions

_NOT_IN_SHORT = ("format", "refusals", "sample")


@click.command(name="plan")
@click.argument("file", type=FILE_PATH)
@list_option
@new_list_option
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Where to put the plan.")
@click.option("--encoding", type=click.Choice(ENCODINGS), default="utf-8", show_default=True, help="Of FILE.")
@click.option("--reads", type=OPEN_FILE, help="Reads of the past, as JSON lines: what would have rung?")
@click.pass_context
def command(  # noqa: PLR0913  each is an option
    ctx: click.Context,
    *,
    file: Path,
    list_name: str,
    new_list: bool,
    out: Path,
    encoding: str,
    reads: BinaryIO | None,
) -> None:
    """Say what would change if FILE were the whole of a list. Nothing is changed.

    The plan goes to --out, for `anpr watchlist apply`, and in short as JSON to stdout. Lines that cannot be used are
    named on stderr: they would be left out. Exit code 1 when there are any. With --reads the plan also holds the
    alerts a day that the list would have raised, by tier, port, hour and nationality, and the entries that would
    have rung most.

    \b
    Examples:
      anpr watchlist plan stolen.csv --list stolen --out plan.json
      anpr watchlist plan stolen.csv --list stolen --out plan.json --reads yesterday.jsonl
    """
    settings = settings_of(ctx)
    reader = watchlist_reader(settings)
    manifest, list_manifest = list_in_force(reader, list_name)
    check_preconditions(Preconditions(allows_new_list=new_list), list_name, manifest)
    content = read_list(file, list_name, encoding, ProgressLine(f"reading {file.name}"))
    show_refusals(file, content)
    in_force = (
        require_whole(reader.load_list(list_manifest, ProgressLine(f"reading {list_name} as it is")))
        if list_manifest
        else []
    )
    plan = make_plan(
        list_name,
        content,
        Source(str(file.absolute()), encoding, author("plan").user, system_clock()),
        Base(
            generation=list_manifest.generation if list_manifest else NO_GENERATION,
            begins=manifest is None,
            entries={entry.entry_id: entry for entry in in_force},
        ),
        removal_limit_of(settings, None),
    )
    if reads is not None:
        plan = msgspec.structs.replace(plan, cost=_cost(settings, content, plan, reads))
    plan_file.write(out, plan)
    _say(plan, out)
    ctx.exit(1 if plan.refused else 0)


def _cost(settings: Settings, content: ListFile, plan: Plan, reads: BinaryIO) -> Cost:
    entries = in_force_at(content, plan.made_at)
    size = Path(reads.name).stat().st_size if Path(reads.name).is_file() else 0
    told = ProgressLine("matching reads")
    late_after = timedelta(seconds=settings.matcher.late_after_seconds)
    named = 0

    def refuse(number: int, error: BadRead) -> None:
        nonlocal named
        named += 1
        if named <= REFUSALS_NAMED:
            click.echo(f"{reads.name}: line {number}: {error}", err=True)

    def tell() -> None:
        if size:
            told(reads.tell(), size)

    return cost(entries, reads, late_after, tell=tell, refuse=refuse)


def _say(plan: Plan, out: Path) -> None:
    """Say the plan in short: JSON for programs, words for people."""
    told = {name: value for name, value in msgspec.structs.asdict(plan).items() if name not in _NOT_IN_SHORT}
    click.echo(msgspec.json.encode(told | {"base": str(plan.base)}).decode())
    click.echo(
        f"{plan.list}: {plan.entries_before} entries would become {plan.entries_after}: {plan.added} added, "
        f"{plan.changed} changed, {plan.removed} removed, {plan.unchanged} as they are\n"
        f"of the file: {plan.refused} lines refused, {plan.expired} expired already, {plan.duplicates} repeated",
        err=True,
    )
    if plan.cost is not None:
        _say_cost(plan.cost)
    confirm = f" --confirm-removals {plan.confirm_removals}" if plan.confirm_removals is not None else ""
    click.echo(f"nothing is changed yet; to apply it: anpr watchlist apply {out}{confirm}", err=True)


def _say_cost(cost: Cost) -> None:
    click.echo(f"{cost.reads} reads taken, {cost.reads_refused} lines refused; {_covered(cost)}", err=True)
    click.echo(f"{cost.alerts} alerts, which makes {cost.alerts_a_day} alerts a day", err=True)
    for name in ("by_tier", "by_port", "by_hour", "by_nationality"):
        counts = ", ".join(f"{of} {count}" for of, count in getattr(cost, name).items())
        click.echo(f"  {name.replace('_', ' ')}: {counts or 'none'}", err=True)
    for ringing in cost.most:
        click.echo(f"  {ringing.alerts_a_day} a day: {ringing.plate} ({ringing.entry_id})", err=True)


def _covered(cost: Cost) -> str:
    """Say how long the reads cover, and what a rate made of that is worth."""
    first, last = cost.first_captured_at, cost.last_captured_at
    if first is None or last is None:
        return "none says when it was captured"
    says = f"they cover {in_words(cost.covered)}, {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
    if cost.covered < LEAST_COVERED:
        return f"{says}: the figures a day are scaled up as if from one hour, and say next to nothing"
    if cost.covered < DAY:
        return f"{says}: the figures a day are scaled up from so little, and busy hours or quiet ones may be missing"
    return says
