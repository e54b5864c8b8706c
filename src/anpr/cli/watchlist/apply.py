"""`anpr watchlist apply`: make the changes of a plan."""

from pathlib import Path

import click

from anpr.cli import settings_of
from anpr.cli.files import FILE_PATH
from anpr.cli.output import json_option
from anpr.cli.progress_line import ProgressLine
from anpr.cli.watchlist.change_audit import audited_change
from anpr.cli.watchlist.common import (
    author,
    confirm_option,
    list_context,
    removal_limit_of,
    report_change,
    show_faults,
)
from anpr.contracts.events import NO_GENERATION
from anpr.runtime.errors import AnprError
from anpr.watchlist import plan_file
from anpr.watchlist.csv_file import read_list
from anpr.watchlist.plan import unexpired_entries
from anpr.watchlist.reserved_lists import require_own_list
from anpr.watchlist.store.home import home_store
from anpr.watchlist.store.preconditions import Preconditions


@click.command(name="apply")
@click.argument("plan_path", metavar="PLAN", type=FILE_PATH)
@confirm_option
@click.option(
    "--why", default="the list was replaced", show_default=True, help="The reason for the log and the boards."
)
@json_option
@click.pass_context
def command(ctx: click.Context, plan_path: Path, confirm_removals: int | None, why: str, *, as_json: bool) -> None:
    """Make the changes of PLAN: all or none.

    The planned file is read again. If the file or the list has changed since the plan, nothing is changed. A plan
    that would remove a large share of the list names the number that you must confirm. A terminal gets a table of
    what was changed, a program one JSON line.

    \b
    Examples:
      anpr watchlist apply plan.json
      anpr watchlist apply plan.json --confirm-removals 12345 --why "weeded by the owner"
    """
    settings = settings_of(ctx)
    plan = plan_file.read(plan_path)
    require_own_list(plan.list)
    file = Path(plan.file)
    context = list_context(settings)
    content = read_list(file, plan.list, plan.list_format, ProgressLine(f"reading {file.name}"), context)
    if content.sha256 != plan.file_sha256:
        raise AnprError(
            "plan-other-file",
            f"{file} has changed since it was planned: its digest is different; nothing was changed",
            f"plan again: anpr watchlist plan {file} --list {plan.list} --out {plan_path}",
        )
    show_faults(file, content)
    if content.refused > plan.refused:
        raise AnprError(
            "plan-other-configuration",
            f"{file}: {content.refused} of its lines are refused, but {plan.refused} when it was planned; "
            "nothing was changed",
            f"the configuration has changed since: plan again: anpr watchlist plan {file} --list {plan.list} "
            f"--out {plan_path}",
        )
    store, by = home_store(settings), author("apply", content.sha256)
    with audited_change(settings, plan.list, why, by):
        applied = store.apply(
            plan.list,
            unexpired_entries(content, context.at),
            why,
            context.at,
            author=by,
            preconditions=Preconditions(
                planned_against=plan.planned_against,
                allows_new_list=plan.planned_against == NO_GENERATION,
                allows_first_list=plan.is_first_list,
                removal_limit=removal_limit_of(settings, confirm_removals),
            ),
            progress=ProgressLine(f"writing {plan.list}"),
        )
    report_change(applied, as_json=as_json)
