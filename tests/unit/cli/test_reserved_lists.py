"""Operators change no list that the system itself writes."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from anpr.cli import _anpr
from anpr.contracts.events import NO_GENERATION
from anpr.runtime.errors import InputError
from anpr.watchlist import plan_file
from anpr.watchlist.csv_file import read_list
from anpr.watchlist.list_context import ListContext
from anpr.watchlist.list_format import ListFormat
from anpr.watchlist.plan import ActiveList, PlannedFile, make_plan
from anpr.watchlist.removal_limit import RemovalLimit
from tests.support.entries import write_list
from tests.support.strategies import NOON

CONFIG = Path(__file__).parents[3] / "config"


def refusal(*arguments: str) -> InputError:
    error = CliRunner().invoke(_anpr, ["--config", str(CONFIG), "watchlist", *arguments]).exception
    assert isinstance(error, InputError)
    return error


@pytest.mark.parametrize("list_name", ["turned_away", "canary", "(calibration)"])
@pytest.mark.parametrize(
    "command",
    [
        ("add", "AB12CDE", "--new-list", "--reason", "x", "--until", "2099-01-01"),
        ("plan", str(CONFIG / "example_watchlist.csv"), "--new-list", "--out", "plan.json"),
        ("remove", "AB12CDE", "--why", "x"),
        ("rollback", "--why", "x"),
    ],
)
def test_no_command_changes_a_list_that_the_system_writes(command: Sequence[str], list_name: str) -> None:
    error = refusal(*command, "--list", list_name)
    assert error.code == "watchlist-reserved-list"
    assert str(error) == (
        f"the system itself writes the list {list_name!r}: its name is reserved; nothing was changed"
    )


def test_a_plan_for_such_a_list_is_not_applied_however_it_was_made(tmp_path: Path) -> None:
    file = write_list(tmp_path / "list.csv", "AB12CDE")
    context = ListContext({}, NOON)
    source = PlannedFile(str(file), ListFormat(), "somebody", context)
    active = ActiveList(NO_GENERATION, is_first_list=True, entries={})
    content = read_list(file, "turned_away", context=context)
    plan_file.write(tmp_path / "plan.json", make_plan("turned_away", content, source, active, RemovalLimit(0.2)))
    assert refusal("apply", str(tmp_path / "plan.json")).code == "watchlist-reserved-list"
