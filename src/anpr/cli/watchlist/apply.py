"""`anpr watchlist apply`: put in force what was planned."""

from pathlib import Path

import click

from anpr.cli import settings_of
from anpr.cli.files import FILE_PATH
from anpr.cli.progress_line import ProgressLine
from anpr.cli.watchlist.common import author, confirm_option, removal_limit_of, say_applied
from anpr.contracts.events import NO_GENERATION
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import AnprError
from anpr.watchlist import plan_file
from anpr.watchlist.csv_file import read_list
from anpr.watchlist.plan import in_force_at
from anpr.watchlist.store.home import home_store
from anpr.watchlist.store.preconditions import Preconditions


@click.command(name="apply")
@click.argument("plan_path", metavar="PLAN", type=FILE_PATH)
@confirm_option
@click.option("--why", default="the list was replaced", show_default=True, help="For the log and the boards.")
@click.pass_context
def command(ctx: click.Context, plan_path: Path, confirm_removals: int | None, why: str) -> None:
    """Put in force what PLAN says: all of it at once, or nothing.

    The file that was planned is read again. If it is another one by now, or the list was changed meanwhile, nothing
    is changed. A plan that would remove a large share of the list says which number must be confirmed. What changed
    and the generation that is in force now are one JSON line on stdout.

    \b
    Examples:
      anpr watchlist apply plan.json
      anpr watchlist apply plan.json --confirm-removals 12345 --why "weeded by the owner"
    """
    settings = settings_of(ctx)
    plan = plan_file.read(plan_path)
    file = Path(plan.file)
    content = read_list(file, plan.list, plan.encoding, ProgressLine(f"reading {file.name}"))
    if content.sha256 != plan.file_sha256:
        raise AnprError(
            "plan-other-file",
            f"{file} is not the file that was planned: it has another digest; nothing was changed",
            f"plan again: anpr watchlist plan {file} --list {plan.list} --out {plan_path}",
        )
    now = system_clock()
    applied = home_store(settings).apply(
        plan.list,
        in_force_at(content, now),
        why,
        now,
        author=author("apply", content.sha256),
        preconditions=Preconditions(
            planned_against=plan.base,
            allows_new_list=plan.base == NO_GENERATION,
            allows_first_list=plan.begins,
            removal_limit=removal_limit_of(settings, confirm_removals),
        ),
        progress=ProgressLine(f"writing {plan.list}"),
    )
    say_applied(applied)
