"""`anpr watchlist`: one file per subcommand, imported only when it is used."""

import gc
import importlib

import click

_COMMANDS = ("cost", "plan", "apply", "add", "remove", "rollback", "show", "log", "export", "keep")


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  the interface of click
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(f"anpr.cli.watchlist.{cmd_name}").command
        return command if isinstance(command, click.Command) else None


@click.group(name="watchlist", cls=_Lazy)
def command() -> None:
    """Plan, apply, look at and undo lists of plates.

    A file is planned first, which changes nothing and says what would change; the plan is then applied, all of it
    at once. Results are JSON on stdout, words and progress on stderr.
    """
    # A command is over in a minute at most and makes no cycles, while the collector would walk its million entries
    # again and again.
    gc.disable()
