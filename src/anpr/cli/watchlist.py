"""`anpr watchlist`: put a list in force."""

import getpass
from pathlib import Path

import click
import msgspec

from anpr import topics
from anpr.cli import settings_of
from anpr.clock import system_clock
from anpr.errors import InputError
from anpr.settings import Settings
from anpr.watchlist.csv_file import ListFile, read_list
from anpr.watchlist.store import WatchlistStore, connect


@click.group(name="watchlist")
def command() -> None:
    """Put lists of plates in force."""


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--list", "list_name", required=True, help="The list that the file is the whole of.")
@click.pass_context
def apply(ctx: click.Context, file: Path, list_name: str) -> None:
    """Put FILE in force as the whole of a list: all of it at once.

    Lines that cannot be used are named on stderr and left out; the rest goes into force. What changed is one JSON
    line on stdout. Exit code 1 when lines were left out.

    \b
    Example:
      anpr watchlist apply config/example_watchlist.csv --list stolen
    """
    settings = settings_of(ctx)
    if not list_name.strip():
        raise click.BadParameter("a list needs a name", param_hint="--list")
    content = read_list(file, list_name)
    show_refusals(file, content)
    if not content.entries:
        raise InputError(
            "list-empty",
            f"{file}: no line of it can be used, and an empty list is not put in force",
            "mend the lines named above, then apply it again",
        )
    applied = store_of(settings).apply(list_name, content.entries, f"applied by {getpass.getuser()}", system_clock())
    click.echo(msgspec.json.encode(applied).decode())
    click.echo(
        f"generation {applied.generation} in force: {applied.list} has {applied.entries} entries "
        f"({applied.added} added, {applied.changed} changed, {applied.removed} removed)",
        err=True,
    )
    ctx.exit(1 if content.refusals else 0)


def store_of(settings: Settings) -> WatchlistStore:
    """Return the store at the watchlist's home: every site reads its own replica, and the first site has the home."""
    home = next(iter(settings.sites.values()))
    return WatchlistStore(connect(home.redis), topics.keep_ended(settings.topics))


def show_refusals(file: Path, content: ListFile) -> None:
    """Name each refused line on stderr."""
    for refusal in content.refusals:
        click.echo(f"{file}: {refusal}", err=True)
    if content.refusals:
        click.echo(f"{file}: {len(content.refusals)} lines refused, {len(content.entries)} taken", err=True)
