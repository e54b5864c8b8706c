"""`anpr vehicle --erase` and `--subject-access`: what a person may ask of the history that holds their data."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import click
import msgspec

from anpr.audit.chain import AuditChain
from anpr.audit.folders import open_chain, site_folder
from anpr.audit.record import AuditEvent, Operation
from anpr.contracts.look_up import LookUp
from anpr.contracts.plates import is_pattern
from anpr.history.erasure import VehicleHeld, erase_vehicle, find_vehicle, finish_erasures
from anpr.history.held_data import SubjectAccess
from anpr.history.stores import open_all
from anpr.history.subject_access import LeftOut, subject_access
from anpr.history.subject_access_text import subject_access_text
from anpr.runtime.atomic_file import write_atomically
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import InputError, UnavailableError
from anpr.runtime.plurals import counted
from anpr.runtime.settings import Settings

_FIRST_DAY: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FILES: Final = ("subject-access.json", "subject-access.txt")


def everything_of(look_up: LookUp) -> LookUp:
    """Return the question without its period. Raises InputError for a partial plate: it may be many vehicles."""
    if is_pattern(look_up.plate):
        raise InputError(
            "data-subject-partial",
            "a partial plate may be of many vehicles",
            "write the whole plate of the person's vehicle",
        )
    return msgspec.structs.replace(look_up, since=_FIRST_DAY, until=system_clock() + timedelta(days=2))


def erase(settings: Settings, look_up: LookUp, *, is_confirmed: bool) -> None:
    """Show what goes, ask, and erase the vehicle from the history of a site on this machine.

    Prints what became of it as JSON. Raises UnavailableError.
    """
    site = look_up.asking_site
    with closing(_chain(settings, site)) as audit, closing(open_all(settings, site, is_writer=False)) as stores:
        held = find_vehicle(stores, look_up)
        audit.append(*_records(look_up, "consultation", "erasure asked for", held))
        for line in _plan(settings, site, held):
            click.echo(line, err=True)
        going = len(held.going)
        if going:
            if not is_confirmed:
                click.confirm(f"Erase {counted(going, 'sighting')} for good?", abort=True, err=True)
                held = find_vehicle(stores, look_up)  # an alert that came meanwhile keeps its sighting as evidence
            audit.append(*_records(look_up, "erasure", "erasure of a vehicle", held))
            going = erase_vehicle(stores, held)
        else:
            finish_erasures(stores)  # one that was broken off may have left bytes
    result = {"site": site, "erased": going, "kept": len(held.evidence), "possible_misreads": held.possible_misreads}
    click.echo(msgspec.json.encode(result))


def _plan(settings: Settings, site: str, held: VehicleHeld) -> list[str]:
    """Return in words what goes, what stays and why, and what goes by itself."""
    topics = settings.topics
    hours = max(topics.reads_retention_hours, topics.alerts_retention_hours, topics.deadletters_retention_hours)
    lines = [f"The history of {site} on this machine holds of this vehicle:"]
    if held.going:
        days = [sighting.arrived_at.date() for sighting in held.going]
        lines.append(f"  {counted(len(days), 'sighting')} without an alert, {min(days)} to {max(days)}: erased")
    if held.evidence:
        lines.append(f"  {counted(len(held.evidence), 'sighting')} of alerts, and the alerts: they stay as evidence")
    if held.possible_misreads:
        lines.append(
            f"  {counted(held.possible_misreads, 'sighting')} of other plates that may be misreads of it: kept"
        )
    if not (held.going or held.evidence):
        lines.append("  nothing")
    lines.append(f"What the topics hold goes by itself within {hours * 1.1:g} hours, images sooner.")
    lines.append("Each history service of a site has its own stores: run this on the machine of the other one, too.")
    return lines


def write_subject_access(settings: Settings, look_up: LookUp, folder: Path) -> None:
    """Write all that the history of a site on this machine holds of a vehicle, as JSON and as text.

    Raises UnavailableError when a store, the audit or the folder cannot be used.
    """
    site, now = look_up.asking_site, system_clock()
    zone = settings.sites[site].zone
    with closing(_chain(settings, site)) as audit, closing(open_all(settings, site, is_writer=False)) as stores:
        held = find_vehicle(stores, look_up)
        answer, left_out = subject_access(stores, site_folder(settings, site), look_up, held, now)
        audit.append(*_disclosures(look_up, answer, left_out))
    written = (
        msgspec.json.format(msgspec.json.encode(answer)),
        subject_access_text(answer, settings.sites[site].title, zone).encode(),
    )
    for name, content in zip(_FILES, written, strict=True):
        _write(folder / name, content)
        click.echo(f"{folder / name}", err=True)


def _records(look_up: LookUp, operation: Operation, what: str, held: VehicleHeld) -> list[AuditEvent]:
    """Return what the audit records. The covert record is always there: its absence would tell something too."""
    details = {"sightings": str(len(held.going)), "kept": str(len(held.evidence))}
    kept = {"kept": str(len(held.covert))}
    covert = _event(look_up, operation, "sightings that covert alerts keep", kept, covert=True)
    return [_event(look_up, operation, what, details), covert]


def _disclosures(look_up: LookUp, answer: SubjectAccess, left_out: LeftOut) -> list[AuditEvent]:
    """Return what the audit records. The covert record is always there: its absence would tell something too."""
    details = {
        name: str(len(getattr(answer, name)))
        for name in ("sightings", "alerts", "corrections", "actions", "audit_records")
    }
    counts = {name: str(count) for name, count in left_out._asdict().items()}
    covert = _event(look_up, "disclosure", "covert records left out", counts, covert=True)
    return [_event(look_up, "disclosure", "subject access", details), covert]


def _event(
    look_up: LookUp, operation: Operation, what: str, details: dict[str, str], *, covert: bool = False
) -> AuditEvent:
    return AuditEvent(
        operation=operation,
        what=what,
        user=look_up.user,
        role=look_up.role,
        reason=look_up.reason,
        plate=look_up.plate,
        covert=covert,
        details=details,
    )


def _chain(settings: Settings, site: str) -> AuditChain:
    """Open the chain in which it is recorded before it is done."""
    return open_chain(settings, site, "command", system_clock)


def _write(file: Path, content: bytes) -> None:
    """Write a file for its owner alone: it is there as a whole, or not at all."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(file, content)
    except OSError as error:
        raise UnavailableError(
            "data-subject-unwritable",
            f"{file} cannot be written: {error.strerror or error}",
            "name a folder where you may write, on a disk with free space",
        ) from None
