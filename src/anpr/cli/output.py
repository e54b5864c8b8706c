"""Where results go: tables for a person at a terminal, JSON for programs. Sentences and faults go to stderr."""

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from anpr.runtime.printable_text import printable

# A column whose text takes several lines is at least so wide: half a sentence.
WRAPPED_COLUMNS = 30

json_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON on a terminal too. Into a file or a pipe it is always JSON."
)


def wants_json(*, as_json: bool) -> bool:
    """Return whether stdout gets JSON: when it is asked for, and when no person reads it."""
    return as_json or not sys.stdout.isatty()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, wrapped: str = "") -> None:
    """Print a table as wide as the terminal.

    Columns of which each cell is a number are aligned at the right. Only the last column takes several lines, if it
    is `wrapped`. Where the terminal leaves little room for it, its cells stand below their rows.
    """
    console, cells = Console(), [tuple(row) for row in rows]
    others = _table(columns[:-1], [row[:-1] for row in cells])
    if wrapped and console.measure(others).maximum + WRAPPED_COLUMNS > console.width:
        _print_with_text_below(console, others, [str(row[-1]) for row in cells])
    else:
        console.print(_table(columns, cells, wrapped))


def _print_with_text_below(console: Console, table: Table, texts: Sequence[str]) -> None:
    with console.capture() as captured:
        console.print(table)
    header, *rows = captured.get().splitlines()
    click.echo(header)
    for row, text in zip(rows, texts, strict=True):
        click.echo(row)
        if text:
            console.print(Padding(_plain(text), (0, 0, 0, 2)))


def _table(columns: Sequence[str], cells: Sequence[tuple[object, ...]], wrapped: str = "") -> Table:
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
    return table


def _plain(text: str) -> Text:
    """Return text of a file or a person without markup, and without characters that steer a terminal."""
    return Text(printable(text))
