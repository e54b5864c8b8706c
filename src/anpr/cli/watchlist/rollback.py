"""`anpr watchlist rollback`: return a list to an earlier state."""

from typing import Any

import click

from anpr.cli import settings_of
from anpr.cli.output import json_option
from anpr.cli.progress_line import ProgressLine
from anpr.cli.watchlist.change_audit import audited_change
from anpr.cli.watchlist.common import (
    author,
    confirm_option,
    own_list_option,
    removal_limit_of,
    report_change,
    why_option,
)
from anpr.contracts.events import Generation
from anpr.runtime.clock import system_clock
from anpr.watchlist.store.home import home_store
from anpr.watchlist.store.preconditions import Preconditions


class _GenerationType(click.ParamType[Any]):
    """Converts 1790000000000.12 to a generation."""

    name = "generation"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Generation:
        if isinstance(value, Generation):
            return value
        epoch, _, number = str(value).partition(".")
        if not (epoch.isdecimal() and number.isdecimal()):
            self.fail(f"{value!r} is not a generation; `anpr watchlist show` lists the generations", param, ctx)
        return Generation(epoch=int(epoch), number=int(number))


@click.command(name="rollback")
@own_list_option
@click.option(
    "--to", type=_GenerationType(), help="The generation to return to. Without it: the state before the last change."
)
@why_option
@confirm_option
@json_option
@click.pass_context
def command(  # noqa: PLR0913  each is an option
    ctx: click.Context,
    *,
    list_name: str,
    to: Generation | None,
    why: str,
    confirm_removals: int | None,
    as_json: bool,
) -> None:
    """Return a list to what it held before its last change.

    A rollback is a change too, with a new generation. Roll back again to undo it. `anpr watchlist show` lists the
    states that are kept.

    \b
    Example:
      anpr watchlist rollback --list stolen --why "yesterday's file was applied by mistake"
    """
    settings = settings_of(ctx)
    store, by = home_store(settings), author("rollback")
    with audited_change(settings, list_name, why, by):
        applied = store.rollback(
            list_name,
            to,
            why=why,
            now=system_clock(),
            author=by,
            preconditions=Preconditions(
                allows_new_list=False, removal_limit=removal_limit_of(settings, confirm_removals)
            ),
            progress=ProgressLine(f"writing {list_name}"),
        )
    report_change(applied, as_json=as_json)
