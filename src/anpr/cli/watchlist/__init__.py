"""`anpr watchlist`: one file per subcommand, imported only when it is used."""

import gc

import click

from anpr.cli.lazy import LazyGroup

_COMMANDS = {
    "cost": "Show what each tolerance would find and cost if every entry of FILE had it.",
    "plan": "Show what would change if FILE replaced a list.",
    "apply": "Make the changes of PLAN: all or none.",
    "add": "Put one PLATE on a list.",
    "remove": "Remove one PLATE from a list.",
    "rollback": "Apply again what a list held before its last change, as a new generation.",
    "show": "Show the active generation, the size of each list, and the states that it can be rolled back to.",
    "log": "List who changed the lists, when, why, with which file, and how many entries.",
    "export": "Write a list as CSV to stdout, in the form that `anpr watchlist plan` reads.",
    "keep": "Remove entries when their validity ends, and delete the texts of removed entries.",
}


@click.group(name="watchlist", cls=LazyGroup, package=__name__, subcommands=_COMMANDS)
def command() -> None:
    """Plan, apply, view and undo changes of lists.

    Plan a file first: this changes nothing and shows what would change. Then apply the plan: all its changes or none.
    Results are JSON on stdout. Explanations and progress are on stderr.
    """
    # A command ends within a minute and makes no cycles. The collector would walk its million entries repeatedly.
    gc.disable()
