"""`anpr watchlist show`: what is in force."""

import click
import msgspec

from anpr.cli import settings_of
from anpr.cli.watchlist.common import reader_of


@click.command(name="show")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Say which generation is in force, what each list holds, and what it can be rolled back to.

    One JSON line for each list. Exit code 1 when Redis holds no watchlist.

    \b
    Example:
      anpr watchlist show
    """
    reader = reader_of(settings_of(ctx))
    head = reader.head()
    if head is None:
        click.echo("Redis holds no watchlist", err=True)
        ctx.exit(1)
    click.echo(f"generation {head.generation} in force, applied at {head.applied_at:%Y-%m-%d %H:%M:%S} UTC", err=True)
    for name, place in sorted(head.lists.items()):
        line = {
            "list": name,
            "generation": str(place.generation),
            "applied_at": place.applied_at,
            "entries": place.entries,
            "previous": [
                {
                    "generation": str(one.place.generation),
                    "entries": one.place.entries,
                    "replaced_at": one.replaced_at,
                }
                for one in reversed(reader.previous(name))
            ],
        }
        click.echo(msgspec.json.encode(line).decode())
