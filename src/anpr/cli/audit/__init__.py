"""`anpr audit`: one file per subcommand, imported only when it is used."""

import click

from anpr.cli.lazy import LazyGroup

_COMMANDS = {
    "verify": "Verify that the audit chains of a site are as they were written.",
    "export": "Export what people did at a site, the oldest record first.",
    "heads": "Print the heads of another site's chains that are kept here.",
}


@click.group(name="audit", cls=LazyGroup, package=__name__, subcommands=_COMMANDS)
def command() -> None:
    """Verify the audit chains of a site, and export what they hold.

    Each console and each history service has a chain of records of what people did. The commands read the chains on
    this machine. Run them as the user whose services write the chains.
    """
