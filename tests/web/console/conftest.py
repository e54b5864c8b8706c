"""The browser that the tests of a file share."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.chromium import launched_chromium


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    """Return a real browser. Each test opens contexts of its own in it."""
    with launched_chromium() as browser:
        yield browser
