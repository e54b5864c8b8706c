"""What a site holds of a vehicle as text that a person can read. Pure."""

from collections.abc import Iterator
from datetime import datetime, tzinfo

from anpr.contracts.moments import local_time
from anpr.history.held_data import SubjectAccess


def subject_access_text(answer: SubjectAccess, title: str, zone: tzinfo) -> str:
    """Return the whole text. `title` is the name of the site, and the times are those of `zone`."""
    return "".join(f"{line}\n" for line in _lines(answer, title, zone))


def _lines(answer: SubjectAccess, title: str, zone: tzinfo) -> Iterator[str]:
    yield f"What the number-plate system at {title} holds about the vehicle {answer.plate}"
    yield f"Written on {_time(answer.written_at, zone)}. All times are those of {title}."
    yield from _section("Where it was seen", _sightings(answer, zone))
    if answer.possible_misreads:
        yield ""
        yield f"{answer.possible_misreads} more reads may be of this vehicle or of another one. They are left out."
    yield from _section("Alerts about it", _alerts(answer, zone))
    yield from _section("Corrections by the camera", _corrections(answer, zone))
    yield from _section("What officers did", _actions(answer, zone))
    yield from _section("Who looked it up or changed something about it", _audit(answer, zone))


def _section(heading: str, lines: Iterator[str]) -> Iterator[str]:
    yield ""
    yield heading
    yield "-" * len(heading)
    nothing = True
    for line in lines:
        nothing = False
        yield line
    if nothing:
        yield "nothing"


def _sightings(answer: SubjectAccess, zone: tzinfo) -> Iterator[str]:
    for sighting in answer.sightings:
        read = sighting.read
        lane = f"lane {read.lane}" if read.lane else ""
        where = ", ".join(part for part in (read.camera, lane, read.direction) if part)
        yield f"{_time(read.captured_at or sighting.arrived_at, zone)}  {where}, read as {read.plate}"


def _alerts(answer: SubjectAccess, zone: tzinfo) -> Iterator[str]:
    for alert in answer.alerts:
        entry = alert.entry
        yield f"{_time(alert.captured_at, zone)}  on the list {entry.list}: {entry.reason or 'no reason given'}"
        yield f"    read as {alert.read.plate}, listed as {entry.plate}, {alert.tier}, probability {alert.score:.0%}"


def _corrections(answer: SubjectAccess, zone: tzinfo) -> Iterator[str]:
    for correction in answer.corrections:
        at = _time(correction.captured_at, zone) if correction.captured_at else "at an unknown time"
        yield f"{at}  {correction.camera}: the read {correction.read_id} replaces the read {correction.supersedes}"


def _actions(answer: SubjectAccess, zone: tzinfo) -> Iterator[str]:
    for action in answer.actions:
        what = " ".join(part for part in (action.kind, action.outcome, action.plate_check) if part)
        yield f"{_time(action.at, zone)}  {action.officer}: {what}{f', {action.note}' if action.note else ''}"


def _audit(answer: SubjectAccess, zone: tzinfo) -> Iterator[str]:
    for record in answer.audit_records:
        event = record.event
        who = f"{event.user} ({event.role})"
        yield f"{_time(record.at, zone)}  {who}: {event.operation}, {event.what}. {event.reason}"


def _time(moment: datetime, zone: tzinfo) -> str:
    return f"{local_time(moment, zone):%d %B %Y %H:%M:%S}"
