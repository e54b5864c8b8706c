"""What the subcommands share: the store, who they act for, and how they say what they did."""

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from anpr.runtime.settings import Settings
from anpr.watchlist.csv_file import ListFile
from anpr.watchlist.removal_limit import RemovalLimit
from anpr.watchlist.store.applied_change import AppliedChange, Author
from anpr.watchlist.store.manifest import ListManifest, Manifest
from anpr.watchlist.store.reader import WatchlistReader

REFUSALS_NAMED = 20

Option = Callable[[Callable[..., Any]], Callable[..., Any]]
list_option: Option = click.option("--list", "list_name", required=True, help="The name of the list.")
new_list_option: Option = click.option("--new-list", is_flag=True, help="The list is a new one.")
why_option: Option = click.option("--why", required=True, help="Why: it is in the log and on the boards.")
confirm_option: Option = click.option(
    "--confirm-removals", type=click.IntRange(min=0), metavar="NUMBER", help="So many entries may be removed."
)


def list_in_force(reader: WatchlistReader, list_name: str) -> tuple[Manifest | None, ListManifest | None]:
    """Return what is in force, and where in it the list is."""
    manifest = reader.read_manifest()
    return manifest, manifest.lists.get(list_name) if manifest else None


def removal_limit_of(settings: Settings, confirmed: int | None) -> RemovalLimit:
    """Return the guard against removals of an installation."""
    return RemovalLimit(settings.watchlist.removal_share, confirmed)


def author(how: str, file_sha256: str = "") -> Author:
    """Return who runs this command."""
    try:
        who = getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        who = "unknown"
    return Author(who, how, file_sha256)


def say_applied(applied: AppliedChange) -> None:
    """Say what a change changed: JSON for programs, words for people."""
    click.echo(
        msgspec.json.encode(msgspec.structs.asdict(applied) | {"generation": str(applied.generation)}).decode()
    )
    click.echo(
        f"generation {applied.generation} in force: {applied.list} has {applied.entries} entries "
        f"({applied.added} added, {applied.changed} changed, {applied.removed} removed)",
        err=True,
    )


def show_refusals(file: Path, content: ListFile) -> None:
    """Name refused lines on stderr, the first of very many."""
    for refusal in content.refusals[:REFUSALS_NAMED]:
        click.echo(f"{file}: {refusal}", err=True)
    if content.refused:
        click.echo(f"{file}: {content.refused} lines refused, {len(content.entries)} taken", err=True)
    for warning in content.warnings:
        click.echo(f"{file}: {warning}", err=True)
