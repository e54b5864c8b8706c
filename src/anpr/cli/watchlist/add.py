"""`anpr watchlist add`: put one entry on a list."""

import click

from anpr.cli import settings_of
from anpr.cli.watchlist.common import author, list_context, list_option, new_list_option, report_change
from anpr.runtime.errors import InputError
from anpr.watchlist.csv_cells import COLUMNS
from anpr.watchlist.csv_file import read_cells
from anpr.watchlist.store.home import home_store
from anpr.watchlist.store.preconditions import Preconditions

_OWN_OPTIONS = ("plate", "reason", "valid_until")


@click.command(name="add")
@click.argument("plate")
@list_option
@new_list_option
@click.option("--reason", required=True, help="Why the plate is listed. Officers see it.")
@click.option("--until", required=True, help="When the entry ends: 2026-12-31, or 2026-12-31T18:00Z.")
@click.option(
    "--set",
    "other_cells",
    type=(click.Choice([column for column in COLUMNS if column not in _OWN_OPTIONS]), str),
    multiple=True,
    metavar="COLUMN VALUE",
    help="Any other column of a list file, with the value of its cell.",
)
@click.option("--why", default="one entry added", show_default=True, help="The reason for the log.")
@click.pass_context
def command(  # noqa: PLR0913  each is an option
    ctx: click.Context,
    *,
    plate: str,
    list_name: str,
    new_list: bool,
    reason: str,
    until: str,
    other_cells: tuple[tuple[str, str], ...],
    why: str,
) -> None:
    """Put one PLATE on a list. The entry is active at every port within about a second.

    Adding the plate again changes its entry. The next file of a list replaces the whole list, so keep single entries
    on a list of their own.

    \b
    Examples:
      anpr watchlist add "AB12 CDE" --list today --new-list --reason "left the scene" --until 2026-12-31
      anpr watchlist add "AB1? CDE" --list today --reason "partly read" --until 2026-12-31 --set priority 1
    """
    cells = {"plate": plate, "reason": reason, "valid_until": until} | dict(other_cells)
    settings = settings_of(ctx)
    context = list_context(settings)
    content = read_cells(cells, list_name, context)
    if content.faults:
        faults = [f"{fault.field} {fault.value!r}: {fault.reason}" for fault in content.faults]
        raise InputError(
            "entry-refused",
            "; ".join([*faults, "nothing was changed"]),
            "docs/operators.md lists what each column may hold",
        )
    [entry] = content.entries
    if context.has_ended(entry):
        raise InputError(
            "entry-refused",
            f"valid_until {until!r}: this time has passed; nothing was changed",
            "give a time in the future",
        )
    for warning in content.warnings:
        click.echo(warning, err=True)
    store = home_store(settings)
    preconditions = Preconditions(allows_new_list=new_list)
    report_change(
        store.change(
            list_name, [entry], [], why=why, now=context.at, author=author("add"), preconditions=preconditions
        )
    )
