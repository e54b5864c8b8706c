"""A group of subcommands. Each is a file of a package, imported only when it is used."""

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """A group whose subcommands are modules of a package; each has a click command named `command`."""

    def __init__(self, *, package: str, subcommands: Mapping[str, str], **settings: Any) -> None:
        """`subcommands` has the first sentence of the help of each: to list them imports none.

        The module of a subcommand has its name, with underscores in place of hyphens.
        """
        super().__init__(**settings)
        self._package = package
        self._subcommands = subcommands

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  the interface of click
        """Return the names in the order in which they were given."""
        return list(self._subcommands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a subcommand. Return None when there is none with this name."""
        if cmd_name not in self._subcommands:
            return None
        command = importlib.import_module(f"{self._package}.{cmd_name.replace('-', '_')}").command
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of subcommands, as click does."""
        room = formatter.width - 6 - max(map(len, self._subcommands))
        with formatter.section("Commands"):
            lines = [(name, click.Command(name, help=line)) for name, line in self._subcommands.items()]
            formatter.write_dl([(name, line.get_short_help_str(room)) for name, line in lines])
