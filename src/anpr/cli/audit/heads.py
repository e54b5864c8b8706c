"""`anpr audit heads`: the heads of another site's chains that this machine keeps."""

import click
import msgspec

from anpr.audit.kept_heads import heads_of
from anpr.cli import check_site, settings_of
from anpr.cli.audit.common import readable
from anpr.runtime.plurals import counted


@click.command(name="heads")
@click.option("--site", required=True, help="The other site whose chains are meant.")
@click.pass_context
def command(ctx: click.Context, site: str) -> None:
    """Print the heads of another site's chains that are kept here.

    A head is the number and the hash of the last record at some moment. It holds no personal data. Send the lines to
    the site: there, `anpr audit verify --heads` compares them. One JSON line for each head.

    \b
    Example:
      anpr audit heads --site calais > heads-kept-at-dover.jsonl
    """
    settings = settings_of(ctx)
    check_site(settings, site)
    with readable(settings.audit_dir):
        heads = heads_of(settings.audit_dir, site)
    for head in heads:
        click.echo(msgspec.json.encode(head))
    click.echo(f"{counted(len(heads), 'head')} of {site} on this machine", err=True)
