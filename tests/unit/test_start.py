"""Which commands end well when they are asked to stop before they have begun."""

import pytest

from anpr.start import is_service


@pytest.mark.parametrize(
    "line",
    ["match --site calais", "--config there send", "--config=there console --site dover", "watchlist keep", "watch"],
)
def test_what_runs_until_it_is_stopped_does(line: str) -> None:
    assert is_service(line.split())


@pytest.mark.parametrize(
    "line", ["", "watchlist apply plan.json", "watchlist show", "--config match doctor", "dry-run", "topics --create"]
)
def test_what_must_not_say_done_before_it_is_done_does_not(line: str) -> None:
    assert not is_service(line.split())
