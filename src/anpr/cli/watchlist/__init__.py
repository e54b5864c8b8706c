"""`anpr watchlist`: one file per subcommand, imported only when it is used."""

import gc

import click

from anpr.cli.lazy import LazyGroup

_COMMANDS = ("cost", "plan", "apply", "add", "remove", "rollback", "show", "log", "export", "keep")


@click.group(name="watchlist", cls=LazyGroup, package=__name__, subcommands=_COMMANDS)
def command() -> None:
    """Plan, apply, look at and undo lists of plates.

    A file is planned first, which changes nothing and says what would change; the plan is then applied, all of it
    at once. Results are JSON on stdout, words and progress on stderr.
    """
    # A command is over in a minute at most and makes no cycles, while the collector would walk its million entries
    # again and again.
    gc.disable()
