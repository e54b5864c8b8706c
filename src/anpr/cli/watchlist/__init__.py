"""`anpr watchlist`: one file per subcommand, imported only when it is used."""

import gc

import click

from anpr.cli.lazy import LazyGroup

_COMMANDS = ("cost", "plan", "apply", "add", "remove", "rollback", "show", "log", "export", "keep")


@click.group(name="watchlist", cls=LazyGroup, package=__name__, subcommands=_COMMANDS)
def command() -> None:
    """Plan, apply, view and undo changes of lists.

    Plan a file first: this changes nothing and shows what would change. Then apply the plan: all its changes or none.
    Results are JSON on stdout. Explanations and progress are on stderr.
    """
    # A command ends within a minute and makes no cycles. The collector would walk its million entries repeatedly.
    gc.disable()
