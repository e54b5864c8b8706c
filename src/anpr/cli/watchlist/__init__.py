"""`anpr watchlist`: one file per subcommand, imported only when it is used."""

import gc

import click

from anpr.cli.lazy import LazyGroup

_COMMANDS = {
    "cost": "Show what each tolerance would find and cost for a list.",
    "plan": "Show what would change if FILE replaced a list.",
    "apply": "Make the changes of PLAN: all or none.",
    "add": "Put one PLATE on a list.",
    "remove": "Remove one PLATE from a list.",
    "rollback": "Return a list to what it held before its last change.",
    "show": "Show the active generation and the lists.",
    "log": "List who changed the lists, when and why.",
    "export": "Write a list as CSV to stdout.",
    "keep": "Remove entries when their validity ends.",
}


@click.group(name="watchlist", cls=LazyGroup, package=__name__, subcommands=_COMMANDS)
def command() -> None:
    """Plan, apply, view and undo changes of lists.

    Plan a file first: this changes nothing and shows what would change. Then apply the plan: all its changes or none.
    A terminal gets tables, a program JSON on stdout. Explanations and progress are on stderr.
    """
    # A command ends within a minute and makes no cycles. The collector would walk its million entries repeatedly.
    gc.disable()
