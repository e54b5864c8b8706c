"""A database of each kind that a history store can be in."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Table

from anpr.history.database import Database
from anpr.history.postgresql_days import PostgresqlDays
from anpr.history.sqlite_days import SqliteDays

# Opens the store of these tables; it closes the one that was opened before, as a restart does.
OpenDatabase = Callable[[Sequence[Table]], Database]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenDatabase]:
    """Return a function that opens one and the same store."""
    opened: list[Database] = []
    schema = f"history-{uuid.uuid4().hex}"
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""

    def open_again(tables: Sequence[Table]) -> Database:
        for database in opened:
            database.close()
        opened.append(PostgresqlDays(url, schema, tables) if url else SqliteDays(tmp_path / "store", tables))
        return opened[-1]

    yield open_again
    for database in opened:
        database.close()
