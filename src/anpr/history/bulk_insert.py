"""Inserts many rows by few statements. Rows that are there already stay as they are.

`executemany` lets other threads have the interpreter after each row, and a look-up that computes gives it back only
after 5 ms (`sys.getswitchinterval`). A statement of many rows waits once.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy import ARRAY, Connection, Table, bindparam, func, select
from sqlalchemy.dialects import postgresql

# Below the 32,766 values that a statement of SQLite may have. Statements of one length are prepared once.
_ROWS_AT_ONCE = 500


def insert_missing(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows that the table does not have. Each row has a value for each column, by the column's name."""
    if connection.dialect.name == "sqlite":
        _insert_values(connection, table, rows)
    else:
        _insert_columns(connection, table, rows)


def _insert_values(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    values_of = itemgetter(*table.columns.keys())
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[start : start + _ROWS_AT_ONCE]
        connection.exec_driver_sql(_statement(table, len(some)), tuple(chain.from_iterable(map(values_of, some))))


def _statement(table: Table, row_count: int) -> str:
    names = table.columns.keys()
    quoted = ", ".join(f'"{name}"' for name in names)
    places = ", ".join([f"({', '.join('?' * len(names))})"] * row_count)
    # No text in it is of a row.
    return f'INSERT INTO "{table.name}" ({quoted}) VALUES {places} ON CONFLICT DO NOTHING'  # noqa: S608


def _insert_columns(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    names = table.columns.keys()
    arrays = [bindparam(f"values_{column.name}", type_=ARRAY(column.type)) for column in table.columns]
    unnested = func.unnest(*arrays).table_valued(*names).render_derived()
    statement = postgresql.insert(table).from_select(names, select(unnested)).on_conflict_do_nothing()
    connection.execute(statement, {f"values_{name}": [row[name] for row in rows] for name in names})
