"""`anpr watchlist show`: show the active lists."""

from collections.abc import Mapping, Sequence
from typing import Final

import click
import msgspec

from anpr.cli import settings_of
from anpr.cli.output import json_option, print_table, wants_json
from anpr.watchlist.store.home import watchlist_reader
from anpr.watchlist.store.manifest import ListManifest, PreviousState

_TIME: Final = "%Y-%m-%d %H:%M:%S"


@click.command(name="show")
@json_option
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> None:
    """Show the active generation and the lists.

    Each list has its size and the states that it can be rolled back to. A terminal gets a table, a program one JSON
    line for each list. Exit code 1: Redis holds no watchlist.

    \b
    Examples:
      anpr watchlist show
      anpr watchlist show --json
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
    lists = sorted(manifest.lists.items())
    previous = {name: list(reversed(reader.previous_states(name))) for name, _ in lists}
    if not wants_json(as_json=as_json):
        _print_table(lists, previous)
        return
    for name, list_manifest in lists:
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
                for state in previous[name]
            ],
        }
        click.echo(msgspec.json.encode(line).decode())


def _print_table(lists: Sequence[tuple[str, ListManifest]], previous: Mapping[str, Sequence[PreviousState]]) -> None:
    """Print each list, and below it the states that it can be rolled back to."""
    rows: list[tuple[object, ...]] = []
    for name, active in lists:
        rows.append((name, active.entries, active.generation, f"active since {active.applied_at:{_TIME}} UTC"))
        for state in previous[name]:
            before = state.list_manifest
            rows.append(("", before.entries, before.generation, f"replaced at {state.replaced_at:{_TIME}} UTC"))
    print_table(("list", "entries", "generation", "state"), rows)
    if any(previous.values()):
        click.echo(
            "To return to a state that was replaced: anpr watchlist rollback --list NAME --to GENERATION", err=True
        )
