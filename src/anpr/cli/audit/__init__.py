"""`anpr audit`: one file per subcommand, imported only when it is used."""

import click

from anpr.cli.lazy import LazyGroup

_COMMANDS = {
    "verify": "Verify the audit chains of a site: those of this machine, or those in FOLDER, such as a copy.",
    "export": (
        "Export what people did at a site, from the oldest record to the newest, over all chains on this machine."
    ),
    "heads": "Print the heads of a site's audit chains that the other sites keep on this machine.",
}


@click.group(name="audit", cls=LazyGroup, package=__name__, subcommands=_COMMANDS)
def command() -> None:
    """Verify the audit chains of a site, and export what they hold.

    Each console and each history service has a chain of records of what people did. The commands read the chains
    that are on this machine, as the user whose services write them.
    """
