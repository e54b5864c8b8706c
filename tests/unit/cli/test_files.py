"""A file that cannot be read is reported like any other error, with a code."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from anpr.cli import console, demo, dry_run, send
from anpr.cli.watchlist import apply, cost, plan
from anpr.runtime.errors import InputError

PLAN_TO = ["--list", "stolen", "--out", "plan.json"]


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (plan.command, ["{bad}", *PLAN_TO]),
        (plan.command, ["{good}", *PLAN_TO, "--reads", "{bad}"]),
        (apply.command, ["{bad}"]),
        (cost.command, ["{bad}"]),
        (dry_run.command, ["--watchlist", "{bad}", "--reads", "{good}"]),
        (dry_run.command, ["--watchlist", "{good}", "--reads", "{bad}"]),
        (send.command, ["--site", "calais", "{bad}"]),
        (demo.command, ["--watchlist", "{bad}"]),
        (console.command, ["--site", "calais", "--tls-cert", "{bad}"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_file_that_cannot_be_read_is_reported_by_name_with_a_code(
    command: click.Command, arguments: list[str], tmp_path: Path
) -> None:
    good = tmp_path / "good"
    good.touch()
    for bad in (tmp_path / "not there", tmp_path):
        result = CliRunner().invoke(command, [argument.format(good=good, bad=bad) for argument in arguments])
        assert isinstance(result.exception, InputError)
        assert result.exception.code == "file-unreadable"
        assert str(bad) in str(result.exception)
