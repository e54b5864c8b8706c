"""`anpr watchlist log`: list the changes, with their authors and reasons."""

from collections.abc import Sequence

import click
import msgspec

from anpr.cli import settings_of
from anpr.cli.output import json_option, print_table, wants_json
from anpr.watchlist.store.applied_change import LoggedChange
from anpr.watchlist.store.home import watchlist_reader


@click.command(name="log")
@click.option("--list", "list_name", help="Show only this list.")
@click.option(
    "--count", type=click.IntRange(min=1, max=10_000), default=50, show_default=True, help="How many changes to show."
)
@json_option
@click.pass_context
def command(ctx: click.Context, list_name: str | None, count: int, *, as_json: bool) -> None:
    """List who changed the lists, when and why.

    The newest change comes first, with its file and how many entries it changed. A terminal gets a table. A program
    gets one JSON line for each change, which also has its generation and the digest of its file.

    \b
    Examples:
      anpr watchlist log --list stolen
      anpr watchlist log --json
    """
    changes = watchlist_reader(settings_of(ctx)).logged_changes(count if list_name is None else 10_000)
    shown = [change for change in changes if list_name in {None, change.list}][:count]
    if not wants_json(as_json=as_json):
        _print_table(shown)
        return
    for logged in shown:
        line = msgspec.to_builtins(logged) | {"generation": str(logged.generation)}
        click.echo(msgspec.json.encode(line).decode())


def _print_table(changes: Sequence[LoggedChange]) -> None:
    print_table(
        ("at (UTC)", "list", "who", "how", "entries", "change", "why"),
        (
            (
                f"{change.applied_at:%Y-%m-%d %H:%M}",
                change.list,
                change.user or "-",
                change.command,
                change.entries,
                f"+{change.added} ~{change.changed} -{change.removed}",
                change.why,
            )
            for change in changes
        ),
        wrapped="why",
    )
    click.echo("+ added, ~ changed, - removed", err=True)
