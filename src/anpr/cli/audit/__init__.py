"""`anpr audit`: one file per subcommand, imported only when it is used."""

import click

from anpr.cli.lazy import LazyGroup


@click.group(name="audit", cls=LazyGroup, package=__name__, subcommands=("verify", "export", "heads"))
def command() -> None:
    """Verify the audit chains of a site, and export what they hold.

    Each console and each history service has a chain of records of what people did. The commands read the chains
    that are on this machine, as the user whose services write them.
    """
