"""`anpr watchlist show`: show the active lists."""

import click
import msgspec

from anpr.cli import settings_of
from anpr.watchlist.store.home import watchlist_reader


@click.command(name="show")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Show the active generation, the size of each list, and the states that it can be rolled back to.

    One JSON line for each list. Exit code 1 when Redis holds no watchlist.

    \b
    Example:
      anpr watchlist show
    """
    reader = watchlist_reader(settings_of(ctx))
    manifest = reader.read_manifest()
    if manifest is None:
        click.echo("Redis holds no watchlist", err=True)
        ctx.exit(1)
    click.echo(
        f"generation {manifest.generation} is active, applied at {manifest.applied_at:%Y-%m-%d %H:%M:%S} UTC",
        err=True,
    )
    for name, list_manifest in sorted(manifest.lists.items()):
        line = {
            "list": name,
            "generation": str(list_manifest.generation),
            "applied_at": list_manifest.applied_at,
            "entries": list_manifest.entries,
            "previous": [
                {
                    "generation": str(state.list_manifest.generation),
                    "entries": state.list_manifest.entries,
                    "replaced_at": state.replaced_at,
                }
                for state in reversed(reader.previous_states(name))
            ],
        }
        click.echo(msgspec.json.encode(line).decode())
