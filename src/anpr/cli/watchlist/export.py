"""`anpr watchlist export`: write a list as a file."""

import sys

import click

from anpr.cli import settings_of
from anpr.cli.progress_line import ProgressLine
from anpr.cli.watchlist.common import active_list, list_option
from anpr.runtime.plurals import counted
from anpr.watchlist.csv_export import write_list
from anpr.watchlist.store.entry_storage import require_whole
from anpr.watchlist.store.home import watchlist_reader
from anpr.watchlist.store.preconditions import Preconditions, check_preconditions


@click.command(name="export")
@list_option
@click.pass_context
def command(ctx: click.Context, list_name: str) -> None:
    """Write a list as CSV to stdout.

    `anpr watchlist plan` reads what is written. A cell that a spreadsheet would run as a formula gets an apostrophe
    in front, which `plan` removes again.

    \b
    Example:
      anpr watchlist export --list stolen > stolen.csv
    """
    reader = watchlist_reader(settings_of(ctx))
    manifest, list_manifest = active_list(reader, list_name)
    check_preconditions(Preconditions(allows_new_list=False), list_name, manifest)
    entries = (
        require_whole(reader.load_list(list_manifest, ProgressLine(f"reading {list_name}"))) if list_manifest else []
    )
    with open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False) as out:
        write_list(out, entries)
    click.echo(f"{counted(len(entries), 'entry', 'entries')} of {list_name}", err=True)
