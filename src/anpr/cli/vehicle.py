"""`anpr vehicle`: where a vehicle was seen, at every port."""

import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import click

from anpr.audit.folders import open_chain
from anpr.audit.record import AuditEvent
from anpr.cli import check_site, settings_of
from anpr.cli.operator import operator_name
from anpr.cli.vehicle_text import VehicleText
from anpr.contracts.look_up import LookUp
from anpr.look_up.ask_sites import ask_sites
from anpr.look_up.export import csv_of, json_of
from anpr.look_up.question import MOST_REASON_CHARACTERS, Asker, WrittenQuestion, question
from anpr.look_up.timeline import Timeline, timeline_of
from anpr.runtime.atomic_file import write_atomically
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import UnavailableError
from anpr.runtime.settings import Settings

ROLE: Final = "command line"
# Exit codes of this command; see `anpr --help`.
_FOUND, _NOTHING, _SITE_MISSING = 0, 1, 3


@click.command(name="vehicle")
@click.argument("plate")
@click.option(
    "--reason", required=True, help=f"Why you look it up, for the audit. At most {MOST_REASON_CHARACTERS} characters."
)
@click.option("--site", help="The site in whose name you ask.  [default: the first in sites.toml]")
@click.option("--port", "ports", multiple=True, help="Ask only this port. Can be repeated.  [default: every port]")
@click.option("--country", default="", help="Leave out reads that name another country: GB, PL, Poland.")
@click.option("--since", default="", help="The first day, or a time, at the asking site.  [default: 30 days ago]")
@click.option("--until", default="", help="The last day, or a time.  [default: today]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "csv", "json"]),
    default="text",
    show_default=True,
    help="CSV is for spreadsheets, JSON for programs.",
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file, for you alone.")
@click.option("--erase", is_flag=True, help="Erase it from the history of --site on this machine.")
@click.option("--yes", is_flag=True, help="Erase without asking.")
@click.option(
    "--subject-access",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Write all that the history of --site on this machine holds of it into FOLDER.",
)
@click.pass_context
def command(  # noqa: PLR0913, PLR0917  click hands over one argument for each option
    ctx: click.Context,
    plate: str,
    reason: str,
    site: str | None,
    ports: tuple[str, ...],
    country: str,
    since: str,
    until: str,
    form: str,
    output: Path | None,
    *,
    erase: bool,
    yes: bool,
    subject_access: Path | None,
) -> None:
    """Show where the vehicle with PLATE was seen, at every port.

    The newest sighting comes first. PLATE may be partial: ? stands for one character and * for any number of them. It
    then needs three letters or digits, and the period is the last 7 days. Possible misreads of PLATE stand apart.

    Your login name, PLATE and the reason are written to the audit here, and at each port before it answers. A port
    that does not answer is named first. Exit code 1: nobody has seen the vehicle. Exit code 3: a port did not answer.

    The keeper of a vehicle may ask what is held about it, or ask for erasure. Run the command on the machine of the
    history then, and name --site. --subject-access writes all that is not covert, for the data protection officer to
    check. --erase shows what goes and asks first. It deletes sightings without an alert; those of alerts stay as
    evidence. Both look at every day.

    \b
    Examples:
      anpr vehicle AB12CDE --reason "seen leaving the lane"
      anpr vehicle "AB1?CDE" --reason "witness statement 12" --port calais --since 2026-11-27
      anpr vehicle AB12CDE --reason "request 4711" --format csv --output ab12cde.csv
      anpr vehicle AB12CDE --reason "request 4712" --site calais --subject-access request-4712
      anpr vehicle AB12CDE --reason "request 4713" --site calais --erase
    """
    settings = settings_of(ctx)
    asking = check_site(settings, site or next(iter(settings.sites)))
    ports = tuple(check_site(settings, port) for port in dict.fromkeys(ports))
    written = WrittenQuestion(plate, reason, country, since, until)
    zone = settings.sites[asking].zone
    look_up = question(written, Asker(operator_name(), ROLE, asking), system_clock(), zone)
    if erase or subject_access:
        others = (ports, country, since, until, output, form != "text")
        if not site or (erase and subject_access) or any(others):
            says = "--erase and --subject-access each need --site, look at every day, and come without other options."
            raise click.UsageError(says, ctx)
        from anpr.cli import data_subject  # noqa: PLC0415  the SQL in it takes time, which a look-up has not

        if erase:
            data_subject.erase(settings, data_subject.everything_of(look_up), is_confirmed=yes)
        elif subject_access:
            data_subject.write_subject_access(settings, data_subject.everything_of(look_up), subject_access)
        return
    words = VehicleText(settings.sites, zone)
    if output is not None:
        _check_writable(output)
    asked = ports or settings.sites_to_ask
    _audit(settings, look_up, form, asked, is_file=output is not None)
    click.echo(f"asking {', '.join(settings.sites[port].title for port in asked)}", err=True)
    replies = asyncio.run(ask_sites(settings, look_up, sites=asked))
    timeline = timeline_of(replies, timedelta(minutes=settings.board.stay_gap_minutes))
    _write(_formatted(form, look_up, timeline, words, settings), output)
    for line in words.missing(timeline) if form != "text" or output else ():
        click.echo(line, err=True)
    ctx.exit(_SITE_MISSING if timeline.missing else _NOTHING if timeline.is_empty else _FOUND)


def _audit(settings: Settings, look_up: LookUp, form: str, ports: tuple[str, ...], *, is_file: bool) -> None:
    """Write the look-up to this site's audit. Raises UnavailableError: then nobody may be asked.

    A result that can be handed on, in a file or for another program, is a disclosure.
    """
    details = {"format": form, "ports": " ".join(ports)}
    details |= {"since": look_up.since.isoformat(), "until": look_up.until.isoformat()}
    details |= {"country": look_up.country} if look_up.country else {}
    details |= {"output": "file"} if is_file else {}
    chain = open_chain(settings, look_up.asking_site, "command", system_clock)
    try:
        chain.append(
            AuditEvent(
                operation="consultation" if form == "text" and not is_file else "disclosure",
                what="look-up",
                user=look_up.user,
                role=look_up.role,
                reason=look_up.reason,
                plate=look_up.plate,
                details=details,
            )
        )
    finally:
        chain.close()


def _formatted(form: str, look_up: LookUp, timeline: Timeline, words: VehicleText, settings: Settings) -> str:
    if form == "csv":
        return csv_of(timeline, settings.zones)
    if form == "json":
        return json_of(look_up, timeline).decode()
    return "".join(f"{line}\n" for line in words.lines(look_up, timeline))


def _check_writable(output: Path) -> None:
    """Raise UnavailableError where no file can be made beside `output`, before anybody is asked."""
    with _reported(output):
        tempfile.TemporaryFile(dir=output.absolute().parent).close()


def _write(text: str, output: Path | None) -> None:
    """Write the result to stdout, or to a file that is there only when it is whole. Raises UnavailableError."""
    if output is None:
        click.echo(text.encode(), nl=False)
        return
    with _reported(output):
        write_atomically(output, text.encode())


@contextlib.contextmanager
def _reported(output: Path) -> Iterator[None]:
    """Turn what the disk says into an UnavailableError."""
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            "look-up-unwritable",
            f"{output} cannot be written: {error.strerror or error}",
            "name a file in a folder where you may write, on a disk with free space",
        ) from None
