"""The stores of a site, on both databases."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from anpr.history.retention import KeptStores
from tests.support.kept_stores import kept_stores


@pytest.fixture(params=["sqlite", "postgresql"])
def open_stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], KeptStores]]:
    """Return a function that opens the stores of a site anew, as a restart does."""
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    schema = f"kept-{uuid.uuid4().hex}"
    opened: list[KeptStores] = []

    def open_again() -> KeptStores:
        for stores in opened:
            stores.close()
        opened[:] = [kept_stores(tmp_path, url, schema)]
        return opened[0]

    yield open_again
    for stores in opened:
        stores.close()
