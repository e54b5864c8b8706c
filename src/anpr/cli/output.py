"""Where results go: tables for a person at a terminal, JSON for programs. Sentences and faults go to stderr."""

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

json_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON on a terminal too. Into a file or a pipe it is always JSON."
)


def wants_json(*, as_json: bool) -> bool:
    """Return whether stdout gets JSON: when it is asked for, and when no person reads it."""
    return as_json or not sys.stdout.isatty()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, wrapped: str = "") -> None:
    """Print a table as wide as the terminal.

    Columns of which each cell is a number are aligned at the right. Only the column `wrapped` takes several lines.
    """
    cells = [tuple(row) for row in rows]
    table = Table(box=None, header_style="dim", pad_edge=False)
    for position, column in enumerate(columns):
        is_number = bool(cells) and all(isinstance(row[position], int) for row in cells)
        table.add_column(
            column,
            justify="right" if is_number else "left",
            no_wrap=column != wrapped,
            ratio=1 if column == wrapped else None,
        )
    for row in cells:
        table.add_row(*(_plain(str(cell)) for cell in row))
    Console().print(table)


def _plain(text: str) -> Text:
    """Return text of a file or a person without markup, and without characters that steer a terminal."""
    return Text("".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text))
