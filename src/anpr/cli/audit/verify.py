"""`anpr audit verify`: whether the audit chains are as they were written."""

from pathlib import Path

import click
import msgspec

from anpr.audit.folders import machine_name, site_folder
from anpr.audit.kept_heads import heads_of, read_heads
from anpr.audit.site_verification import verify_site
from anpr.cli import settings_of
from anpr.cli.audit.common import readable, site_option, site_or_first
from anpr.cli.files import FILE_PATH


@click.command(name="verify")
@site_option
@click.option("--heads", multiple=True, type=FILE_PATH, help="Heads that another site keeps. Can be repeated.")
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.pass_context
def command(ctx: click.Context, site: str | None, heads: tuple[Path, ...], folder: Path | None) -> None:
    """Verify that the audit chains of a site are as they were written.

    The chains are those of this machine, or those in FOLDER, such as a copy. The command names the first record of
    each chain that was changed, removed, moved or inserted. It also compares the chains with the heads that other
    sites keep on this machine, and with those in --heads. Without heads, a chain that was cut off at its end looks
    whole. A chain may begin behind the last record that retention deleted.

    It prints a JSON line for each chain. Exit code 1: a chain is not as it was written, is gone, or there is none.

    \b
    Examples:
      anpr audit verify --site calais
      anpr audit verify --site calais --heads heads-kept-at-dover.jsonl
      anpr audit verify --site calais /mnt/copy/audit/calais
    """
    settings = settings_of(ctx)
    site = site_or_first(settings, site)
    with readable(settings.audit_dir):
        kept = heads_of(settings.audit_dir, site) + [head for file in heads for head in read_heads(file)]
    own = folder is None
    folder = folder or site_folder(settings, site)
    with readable(folder):
        of_site = [head for head in kept if head.site == site]
        reports = verify_site(folder, of_site, machine_name() if own else "")
    for report in reports:
        click.echo(msgspec.json.encode(report))
        verdict = f"NOT AS IT WAS WRITTEN: {report.fault}" if report.fault else "as it was written"
        click.echo(f"{report.service}: records {report.first} to {report.last}: {verdict}", err=True)
    if not reports:
        click.echo(f"NOTHING WAS VERIFIED: there are no audit chains in {folder}", err=True)
    elif not of_site:
        click.echo("no head that another site keeps was compared: a chain that was cut off looks whole", err=True)
    ctx.exit(1 if not reports or any(report.fault for report in reports) else 0)
