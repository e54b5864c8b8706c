"""`anpr watchlist log`: list the changes, with their authors and reasons."""

import click
import msgspec

from anpr.cli import settings_of
from anpr.watchlist.store.home import watchlist_reader


@click.command(name="log")
@click.option("--list", "list_name", help="Show only this list.")
@click.option(
    "--count", type=click.IntRange(min=1, max=10_000), default=50, show_default=True, help="How many changes to show."
)
@click.pass_context
def command(ctx: click.Context, list_name: str | None, count: int) -> None:
    """List who changed the lists, when, why, with which file, and how many entries. The newest change comes first.

    One JSON line for each change.

    \b
    Example:
      anpr watchlist log --list stolen
    """
    changes = watchlist_reader(settings_of(ctx)).logged_changes(count if list_name is None else 10_000)
    for logged in [change for change in changes if list_name in {None, change.list}][:count]:
        line = msgspec.to_builtins(logged) | {"generation": str(logged.generation)}
        click.echo(msgspec.json.encode(line).decode())
