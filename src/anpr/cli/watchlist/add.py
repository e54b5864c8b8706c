"""`anpr watchlist add`: put one entry on a list."""

import sys
from collections.abc import Mapping

import click

from anpr.cli import settings_of
from anpr.cli.output import json_option
from anpr.cli.watchlist.change_audit import audited_change
from anpr.cli.watchlist.common import (
    active_list,
    author,
    list_context,
    new_list_option,
    own_list_option,
    report_change,
)
from anpr.contracts.events import Entry, is_covert_handling
from anpr.runtime.errors import AnprError, InputError
from anpr.watchlist.csv_cells import COLUMNS
from anpr.watchlist.csv_file import read_cells
from anpr.watchlist.entry_identity import id_without_district, is_same_but_for_spelling, is_same_district
from anpr.watchlist.list_context import ListContext
from anpr.watchlist.side_by_side import side_by_side
from anpr.watchlist.store.home import home_store
from anpr.watchlist.store.preconditions import Preconditions
from anpr.watchlist.store.store import WatchlistStore
from anpr.watchlist.validity import validity_in_words

_OWN_OPTIONS = ("plate", "reason", "valid_until")


@click.command(name="add")
@click.argument("plate")
@own_list_option
@new_list_option
@click.option("--reason", required=True, help="Why the plate is listed. Officers see it.")
@click.option("--until", required=True, help="When the entry ends: 2026-12-31, or 2026-12-31T18:00Z.")
@click.option(
    "--set",
    "other_cells",
    type=(click.Choice([column for column in COLUMNS if column not in _OWN_OPTIONS]), str),
    multiple=True,
    metavar="COLUMN VALUE",
    help="Any other column of a list file, with the value of its cell.",
)
@click.option("--replace", is_flag=True, help="Replace the active entry of this plate without a question.")
@click.option("--why", default="one entry added", show_default=True, help="The reason for the log.")
@json_option
@click.pass_context
def command(  # noqa: PLR0913  each is an option
    ctx: click.Context,
    *,
    plate: str,
    list_name: str,
    new_list: bool,
    reason: str,
    until: str,
    other_cells: tuple[tuple[str, str], ...],
    replace: bool,
    why: str,
    as_json: bool,
) -> None:
    """Put one PLATE on a list. The entry is active at every port within about a second.

    Adding the plate again replaces its entry. The command shows both entries and asks; without a terminal it wants
    --replace. Nothing is changed when the answer is no (exit code 1), or when --replace is missing (exit code 2). The
    next file of a list replaces the whole list, so keep single entries on a list of their own.

    \b
    Examples:
      anpr watchlist add "AB12 CDE" --list today --new-list --reason "left the scene" --until 2026-12-31
      anpr watchlist add "AB1? CDE" --list today --reason "partly read" --until 2026-12-31 --set priority 1
    """
    cells = {"plate": plate, "reason": reason, "valid_until": until} | dict(other_cells)
    settings = settings_of(ctx)
    context = list_context(settings)
    entry = _entry_of(cells, list_name, context)
    store = home_store(settings)
    replaced = _replaced_entries(store, entry)
    differing = [active for active in replaced.values() if not is_same_but_for_spelling(active, entry)]
    for active in differing:
        click.echo(f"{list_name} has this entry already:\n{side_by_side(active, entry)}", err=True)
    if differing and not replace:
        _ask(list_name)
    by = author("add")
    covert = any(is_covert_handling(each.handling) for each in (entry, *replaced.values()))
    with audited_change(settings, list_name, why, by, plate=entry.plate, covert=covert):
        applied = store.change(
            list_name,
            [entry],
            [entry_id for entry_id in replaced if entry_id != entry.entry_id],
            why=why,
            now=context.at,
            author=by,
            preconditions=Preconditions(allows_new_list=new_list),
            replaced=replaced,
        )
    report_change(applied, as_json=as_json)


def _entry_of(cells: Mapping[str, str], list_name: str, context: ListContext) -> Entry:
    """Return the entry of these cells, and print its warnings. Raises InputError."""
    content = read_cells(cells, list_name, context)
    if content.faults:
        faults = [f"{fault.field} {fault.value!r}: {fault.reason}" for fault in content.faults]
        raise InputError(
            "entry-refused",
            "; ".join([*faults, "nothing was changed"]),
            "docs/operators.md lists what each column may hold",
        )
    [entry] = content.entries
    if context.has_ended(entry):
        raise InputError(
            "entry-refused",
            f"valid_until {cells['valid_until']!r}: this time has passed; nothing was changed",
            "give a time in the future",
        )
    for sentence in (validity_in_words(entry), *content.warnings):
        click.echo(sentence, err=True)
    return entry


def _replaced_entries(store: WatchlistStore, entry: Entry) -> dict[str, Entry]:
    """Return by id the active entries that the new one would replace.

    These are the entry with its id, and the entry of the same district with the id from before ids named districts.
    """
    _, list_manifest = active_list(store, entry.list)
    old_id = id_without_district(entry)
    found = store.entries_of(list_manifest, [entry.entry_id, *([old_id] if old_id else [])])
    return {
        entry_id: active
        for entry_id, active in found.items()
        if entry_id == entry.entry_id or is_same_district(active, entry)
    }


def _ask(list_name: str) -> None:
    """Ask on the terminal whether the entry is to be replaced. Raises AnprError for no, and without a terminal."""
    if not sys.stdin.isatty():
        raise InputError(
            "entry-exists",
            f"the list {list_name!r} has this entry with other values; nothing was changed",
            "compare the two above. To replace the active entry, add --replace",
        )
    if not click.confirm("Replace the active entry?", err=True):
        raise AnprError(
            "entry-exists",
            "the active entry was kept; nothing was changed",
            "to list both, give the new one an id of its own: --set entry_id ID",
        )
