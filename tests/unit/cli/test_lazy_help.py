"""The help of `anpr` lists its commands as their own help begins, and imports none of them for it."""

import subprocess
import sys
from importlib import import_module

import click
import pytest
from click.testing import CliRunner

from anpr import cli
from anpr.cli import audit, calibration, history, site_tokens, topics, users, watchlist

GROUPS = {
    "anpr.cli": cli._anpr,
    "anpr.cli.audit": audit.command,
    "anpr.cli.calibration": calibration.command,
    "anpr.cli.watchlist": watchlist.command,
}


@pytest.mark.parametrize("package", GROUPS)
def test_each_line_is_the_first_sentence_of_the_commands_own_help(package: str) -> None:
    group = GROUPS[package]
    for name, line in import_module(package)._COMMANDS.items():
        command = group.commands.get(name) or group.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        assert line == command.get_short_help_str(1000)


@pytest.mark.parametrize("group", [*GROUPS.values(), *(m.command for m in (history, site_tokens, topics, users))])
def test_each_line_of_a_list_of_commands_is_whole_at_80_columns(group: click.Group) -> None:
    shown = CliRunner().invoke(group, ["--help"], terminal_width=80 - 2).output  # click leaves two columns free
    commands = shown.partition("Commands:\n")[2].splitlines()
    assert len(commands) == len(group.list_commands(click.Context(group))) > 0
    assert not [line for line in commands if line.endswith("...")]


def test_a_list_of_commands_imports_neither_numpy_nor_a_command() -> None:
    code = (
        "import sys; from anpr.cli import main; sys.argv = ['anpr', '--help']\n"
        "try: main()\n"
        "except SystemExit: print(sorted(m for m in sys.modules if m == 'numpy' or m.startswith('anpr.cli.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "  watchlist " in done.stdout
    assert done.stdout.splitlines()[-1] == "['anpr.cli.lazy']"
