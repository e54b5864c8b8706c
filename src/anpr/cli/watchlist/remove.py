"""`anpr watchlist remove`: remove one entry from a list."""

import click

from anpr.cli import settings_of
from anpr.cli.output import json_option
from anpr.cli.watchlist.change_audit import audited_change
from anpr.cli.watchlist.common import active_list, author, own_list_option, report_change, why_option
from anpr.contracts.events import is_covert_handling
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import InputError
from anpr.runtime.plurals import counted
from anpr.watchlist.csv_cells import InvalidCellError
from anpr.watchlist.entry_identity import entries_named
from anpr.watchlist.plate_cell import read_plate_cell
from anpr.watchlist.store.home import home_store
from anpr.watchlist.store.preconditions import Preconditions, check_preconditions


@click.command(name="remove")
@click.argument("plate")
@own_list_option
@click.option("--id", "entry_id", help="Which entry to remove, when the list has several with this plate.")
@why_option
@json_option
@click.pass_context
def command(  # noqa: PLR0913  each is an option
    ctx: click.Context, plate: str, list_name: str, entry_id: str | None, why: str, *, as_json: bool
) -> None:
    """Remove one PLATE from a list. Its incidents are withdrawn at every port within about a second.

    \b
    Example:
      anpr watchlist remove "AB12 CDE" --list today --why "found in Lille"
    """
    settings = settings_of(ctx)
    store = home_store(settings)
    preconditions = Preconditions(allows_new_list=False)
    manifest, list_manifest = active_list(store, list_name)
    plate = _as_listed(plate)
    check_preconditions(preconditions, list_name, manifest)
    entries = entries_named(plate, store.entries_with_plate(list_manifest, plate)) if list_manifest else []
    entry_ids = sorted(entry.entry_id for entry in entries if entry_id in {None, entry.entry_id})
    if len(entry_ids) != 1:
        raise InputError(
            "entry-not-one",
            f"{list_name!r} has {counted(len(entry_ids), 'entry', 'entries')} with this plate"
            + (f": {', '.join(entry_ids[:10])}" if entry_ids else "")
            + "; nothing was changed",
            "choose one of them with --id" if entry_ids else "`anpr watchlist export` shows what the list holds",
        )
    by = author("remove")
    covert = any(is_covert_handling(entry.handling) for entry in entries)
    with audited_change(settings, list_name, why, by, plate=plate, covert=covert):
        applied = store.change(
            list_name, [], entry_ids, why=why, now=system_clock(), author=by, preconditions=preconditions
        )
    report_change(applied, as_json=as_json)


def _as_listed(plate: str) -> str:
    """Return the plate as `add` takes it; a plate that no list takes, as it is."""
    try:
        return read_plate_cell(plate).plate
    except InvalidCellError:
        return plate
