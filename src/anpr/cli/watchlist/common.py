"""Shared by the subcommands: options, the author of a change, and the report of a change."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from anpr.cli.duration import Duration
from anpr.cli.operator import operator_name
from anpr.cli.output import print_table, wants_json
from anpr.runtime.clock import system_clock
from anpr.runtime.nearest import nearest_note
from anpr.runtime.plurals import counted
from anpr.runtime.settings import Settings
from anpr.watchlist.csv_file import ENCODINGS, ListFile
from anpr.watchlist.list_context import ListContext
from anpr.watchlist.list_format import ListFormat, end_of_validity, parse_columns
from anpr.watchlist.removal_limit import RemovalLimit
from anpr.watchlist.reserved_lists import require_own_list
from anpr.watchlist.store.applied_change import AppliedChange, Author
from anpr.watchlist.store.manifest import ListManifest, Manifest
from anpr.watchlist.store.reader import WatchlistReader

FAULTS_SHOWN = 20
_CHANGE_COLUMNS = ("list", "entries", "added", "changed", "removed", "generation")

Option = Callable[[Callable[..., Any]], Callable[..., Any]]
list_option: Option = click.option("--list", "list_name", required=True, help="The name of the list.")
own_list_option: Option = click.option(
    "--list",
    "list_name",
    required=True,
    callback=lambda _ctx, _param, name: require_own_list(name),
    help="The name of the list; not of one that the system itself writes.",
)
new_list_option: Option = click.option("--new-list", is_flag=True, help="Create the list.")
_encoding_option: Option = click.option(
    "--encoding",
    type=click.Choice(ENCODINGS),
    default="utf-8",
    show_default=True,
    help="The encoding of the list file.",
)
_columns_option: Option = click.option(
    "--columns",
    "columns",
    multiple=True,
    metavar="COLUMN=HEADER,...",
    callback=lambda _ctx, _param, texts: parse_columns(texts),
    help="The list is of another system: which of its headers hold our columns, as in plate=PLATE,country=STATE. "
    "Its other columns are left out and named. Its columns may be separated by semicolons or tabs.",
)
_valid_for_option: Option = click.option(
    "--valid-for",
    type=Duration(needs_unit=True),  # 30 would be seconds, and nobody means that
    help="How long a line without valid_until is valid, as in 30d.",
)
why_option: Option = click.option("--why", required=True, help="The reason for the log and the boards.")
confirm_option: Option = click.option(
    "--confirm-removals",
    type=click.IntRange(min=0),
    metavar="NUMBER",
    help="Confirm that this number of entries is removed.",
)


def list_file_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how a list file is written: `encoding`, `columns` and `valid_for`."""
    for option in (_valid_for_option, _columns_option, _encoding_option):
        command = option(command)
    return command


def list_format_of(
    encoding: str, columns: Mapping[str, str], valid_for: float | None, context: ListContext
) -> ListFormat:
    """Return how to read a list file, from the options of `list_file_options`. Raises InputError."""
    end = "" if valid_for is None else end_of_validity(context.at, valid_for, context.days)
    return ListFormat(encoding, columns, end)


def active_list(reader: WatchlistReader, list_name: str) -> tuple[Manifest | None, ListManifest | None]:
    """Return the active manifest, and that of the list."""
    manifest = reader.read_manifest()
    return manifest, manifest.lists.get(list_name) if manifest else None


def removal_limit_of(settings: Settings, confirmed: int | None) -> RemovalLimit:
    """Return the limit on removals of this installation, with the number that the operator confirmed."""
    return RemovalLimit(settings.watchlist.removal_share, confirmed)


def author(command: str, file_sha256: str = "") -> Author:
    """Return the user who runs this command, as the author of its change."""
    return Author(operator_name(), command, file_sha256)


def report_change(applied: AppliedChange, *, as_json: bool) -> None:
    """Print the counts of a change: a table or JSON on stdout, a sentence on stderr."""
    counts = msgspec.structs.asdict(applied) | {"generation": str(applied.generation)}
    if wants_json(as_json=as_json):
        click.echo(msgspec.json.encode(counts).decode())
    else:
        print_table(_CHANGE_COLUMNS, [[counts[column] for column in _CHANGE_COLUMNS]])
    click.echo(
        f"generation {applied.generation} is active: {applied.list} has "
        f"{counted(applied.entries, 'entry', 'entries')} "
        f"({applied.added} added, {applied.changed} changed, {applied.removed} removed)",
        err=True,
    )


def list_context(settings: Settings) -> ListContext:
    """Return what the lists of this installation are checked against, now."""
    return ListContext(settings.sites, system_clock())


def show_faults(file: Path, content: ListFile) -> None:
    """Print the faults of the first refused lines, and the warnings, to stderr."""
    shown = content.faults[:FAULTS_SHOWN]
    for fault in shown:
        click.echo(f"{file}: {fault}", err=True)
    if left := content.refused - len({fault.line for fault in shown}):
        more = counted(left, "more line")
        click.echo(f"{file}: {more} refused: correct these first, then run this again", err=True)
    if content.refused:
        click.echo(
            f"{file}: {counted(content.refused, 'line')} refused, "
            f"{counted(len(content.entries), 'entry', 'entries')} read",
            err=True,
        )
    for warning in content.warnings:
        click.echo(f"{file}: {warning}", err=True)


def show_unknown_sites(file: str, reads_of_site: Mapping[str, float], sites: Collection[str]) -> None:
    """Print to stderr how many reads are of sites that the configuration does not name: no port has such reads."""
    unknown = {site: count for site, count in reads_of_site.items() if site not in sites}
    for site, count in sorted(unknown.items(), key=lambda item: -item[1])[:FAULTS_SHOWN]:
        near = nearest_note(site, sites, "the nearest is")
        click.echo(
            f"{file}: {counted(round(count), 'read')} of a site that the configuration does not name: {site!r}{near}",
            err=True,
        )
