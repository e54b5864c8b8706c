"""`anpr audit export`: what people did in a period, for an inspector."""

from contextlib import closing
from datetime import datetime
from typing import Final

import click

from anpr.audit.export import csv_lines
from anpr.audit.folders import open_chain, site_folder
from anpr.audit.query import AuditQuery
from anpr.audit.reading import records_of
from anpr.audit.record import AuditEvent
from anpr.cli import settings_of
from anpr.cli.audit.common import readable, site_option, site_or_first
from anpr.cli.operator import operator_name
from anpr.contracts.local_days import day_end, day_start
from anpr.look_up.question import MOST_REASON_CHARACTERS, usable_reason
from anpr.runtime.clock import system_clock
from anpr.runtime.settings import Settings

ROLE: Final = "command line"
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(name="export")
@site_option
@click.option("--since", required=True, type=_DAY, help="The first day at the site, such as 2026-11-01.")
@click.option("--until", required=True, type=_DAY, help="The last day at the site.")
@click.option(
    "--reason",
    required=True,
    help=f"Who asks for it and why, for the audit. At most {MOST_REASON_CHARACTERS} characters.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "json"]),
    default="csv",
    show_default=True,
    help="CSV is for spreadsheets. JSON has the lines of the chains, with their hashes.",
)
@click.option("--with-covert", is_flag=True, help="Also covert records: for people with the covert permission only.")
@click.pass_context
def command(  # noqa: PLR0913, PLR0917  click hands over one argument for each option
    ctx: click.Context,
    site: str | None,
    since: datetime,
    until: datetime,
    reason: str,
    form: str,
    with_covert: bool,
) -> None:
    """Export what people did at a site, the oldest record first.

    The export has the records of all chains on this machine. It is recorded first, with your login name and the
    reason, and is refused when that fails. Covert records are left out unless you ask for them.

    \b
    Examples:
      anpr audit export --site calais --since 2026-11-01 --until 2026-11-30 --reason "inspection 12" > november.csv
      anpr audit export --since 2026-11-29 --until 2026-11-29 --reason "inspection 12" --format json
    """
    settings = settings_of(ctx)
    site = site_or_first(settings, site)
    if since > until:
        raise click.UsageError("--until is before --since")
    zone = settings.sites[site].zone
    query = AuditQuery(since=day_start(since.date(), zone), until=day_end(until.date(), zone), covert=with_covert)
    details = {"since": str(since.date()), "until": str(until.date()), "format": form, "covert": str(with_covert)}
    _record(settings, site, usable_reason(reason, "Say who asks for the export, and why"), details)
    folder = site_folder(settings, site)
    with readable(folder):
        found = records_of(folder, query)
        lines = csv_lines(one.sealed for one in found) if form == "csv" else (one.line.decode() for one in found)
        for line in lines:
            click.echo(line.encode(), nl=False)
    click.echo(f"exported what was recorded at {site}{'' if with_covert else ', without covert records'}", err=True)


def _record(settings: Settings, site: str, reason: str, details: dict[str, str]) -> None:
    """Record the export. Raises UnavailableError: then nothing may be exported."""
    event = AuditEvent(
        operation="disclosure",
        what="audit export",
        user=operator_name(),
        role=ROLE,
        reason=reason,
        details=details,
    )
    with closing(open_chain(settings, site, "command", system_clock)) as chain:
        chain.append(event)
