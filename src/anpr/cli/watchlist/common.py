"""What the subcommands share: the store, who they act for, and how they say what they did."""

import getpass
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import msgspec
import redis

from anpr.kafka import topic_specs
from anpr.runtime.settings import Settings
from anpr.watchlist.csv_file import ListFile
from anpr.watchlist.removal_limit import RemovalLimit
from anpr.watchlist.store.applied_change import AppliedChange, Author
from anpr.watchlist.store.manifest import ListManifest, Manifest
from anpr.watchlist.store.reader import WatchlistReader, connect, unavailable
from anpr.watchlist.store.store import WatchlistStore

# A change of a million entries keeps Redis busy for seconds at a time. One that answers at all is given so long.
_PATIENCE_SECONDS = 30
REFUSALS_NAMED = 20

Option = Callable[[Callable[..., Any]], Callable[..., Any]]
list_option: Option = click.option("--list", "list_name", required=True, help="The name of the list.")
new_list_option: Option = click.option("--new-list", is_flag=True, help="The list is a new one.")
why_option: Option = click.option("--why", required=True, help="Why: it is in the log and on the boards.")
confirm_option: Option = click.option(
    "--confirm-removals", type=click.IntRange(min=0), metavar="NUMBER", help="So many entries may be removed."
)


def store_of(settings: Settings, *, may_be_away: bool = False) -> WatchlistStore:
    """Return the store at the watchlist's home: every site reads its own replica, and the first site has the home.

    Raises UnavailableError when it does not answer soon, unless it may be away, as it may for a service.
    """
    url = next(iter(settings.sites.values())).redis
    _check(url, may_be_away)
    return WatchlistStore(
        connect(url, _PATIENCE_SECONDS),
        topic_specs.keep_ended(settings.topics),
        settings.watchlist.keep_previous,
        timedelta(hours=settings.watchlist.keep_previous_hours),
        connect(url),
    )


def reader_of(settings: Settings, site: str | None = None, *, may_be_away: bool = False) -> WatchlistReader:
    """Return what reads the lists: from a site's own replica, or at their home. It can change nothing.

    Raises as `store_of` does.
    """
    url = (settings.sites[site] if site is not None else next(iter(settings.sites.values()))).redis
    _check(url, may_be_away)
    return WatchlistReader(connect(url, _PATIENCE_SECONDS), connect(url))


def _check(url: str, may_be_away: bool) -> None:
    if not may_be_away:
        try:
            with connect(url) as asked:  # nobody is to sit out the patience before a Redis that hangs
                asked.ping()
        except redis.RedisError as error:
            raise unavailable(error) from error


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
