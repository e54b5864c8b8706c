"""Writes a look-up as CSV for spreadsheets and JSON for programs. Both name each site that did not answer."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Final

import msgspec
from msgspec import Struct

from anpr.contracts.events import Action, Alert
from anpr.contracts.look_up import FoundSighting, LookUp
from anpr.contracts.moments import in_utc, local_time
from anpr.look_up.explanation_words import explanation_words
from anpr.look_up.site_reply import SiteReply
from anpr.look_up.timeline import Stay, Timeline, seen_at
from anpr.runtime.spreadsheet_text import as_cell

# What a line is. A site that did not answer has a line too, so that a file cut out of its mail still says so.
SIGHTING: Final = "sighting"
POSSIBLE_MISREAD: Final = "possible misread"
NO_ANSWER: Final = "no answer"
CUT_OFF: Final = "older sightings left out"
COLUMNS: Final = (
    "line",
    "site",
    "seen_at",
    "seen_at_site",
    "lane",
    "direction",
    "position",
    "camera",
    "plate_read",
    "country",
    "tier",
    "probability",
    "explanation",
    "picture",
    "alerts",
    "outcomes",
    "who_did_what",
)


class MissingSite(Struct, frozen=True, kw_only=True):
    """A site that did not answer, and why."""

    site: str
    problem: str


class VehicleReport(Struct, frozen=True, kw_only=True):
    """A look-up for programs: the question, what is missing, and all sightings, the newest first.

    `cut_off` names the sites that hold more than an answer does: their oldest sightings are missing.
    """

    look_up: LookUp
    missing: tuple[MissingSite, ...]
    cut_off: tuple[str, ...]
    sightings: tuple[FoundSighting, ...]
    possible_misreads: tuple[FoundSighting, ...]


def json_of(look_up: LookUp, timeline: Timeline) -> bytes:
    """Return the look-up as one JSON object."""
    report = VehicleReport(
        look_up=look_up,
        missing=tuple(MissingSite(site=reply.site, problem=reply.problem) for reply in timeline.missing),
        cut_off=timeline.cut_off,
        sightings=tuple(_newest_first(timeline.stays)),
        possible_misreads=tuple(_newest_first(timeline.possible_misreads)),
    )
    return msgspec.json.format(msgspec.json.encode(report)) + b"\n"


def csv_of(timeline: Timeline, zones: Mapping[str, tzinfo]) -> str:
    """Return the look-up as CSV, a line for each sighting. `zones` holds the time zone of each site.

    It begins with a byte order mark: without it spreadsheets read the file as Latin-1.
    """
    text = io.StringIO(newline="")
    text.write("\ufeff")
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    for line in _lines(timeline, zones):
        writer.writerow({column: as_cell(value) for column, value in line.items()})
    return text.getvalue()


def _lines(timeline: Timeline, zones: Mapping[str, tzinfo]) -> Iterator[dict[str, str]]:
    for reply in timeline.missing:
        yield _missing_line(reply)
    for site in timeline.cut_off:
        yield {"line": CUT_OFF, "site": site}
    for what, stays in ((SIGHTING, timeline.stays), (POSSIBLE_MISREAD, timeline.possible_misreads)):
        for sighting in _newest_first(stays):
            yield {"line": what} | _sighting_line(sighting, zones.get(sighting.site, UTC))


def _missing_line(reply: SiteReply) -> dict[str, str]:
    return {"line": NO_ANSWER, "site": reply.site, "explanation": reply.problem}


def _sighting_line(sighting: FoundSighting, zone: tzinfo) -> dict[str, str]:
    read = sighting.read
    return {
        "site": sighting.site,
        "seen_at": _utc(seen_at(sighting)),
        "seen_at_site": local_time(seen_at(sighting), zone).isoformat(timespec="seconds"),
        "lane": read.lane or "",
        "direction": read.direction or "",
        "position": read.position or "",
        "camera": read.camera,
        "plate_read": read.plate,
        "country": read.country or "",
        "tier": sighting.tier,
        "probability": f"{sighting.probability:.4f}",
        "explanation": "; ".join(explanation_words(sighting.explanation)),
        "picture": read.image or "",
        "alerts": "; ".join(map(_alert_text, sighting.alerts)),
        "outcomes": "; ".join(action.outcome or "" for action in _standing_outcomes(sighting)),
        "who_did_what": "; ".join(map(_action_text, sighting.actions)),
    }


def _alert_text(alert: Alert) -> str:
    entry = alert.entry
    why = f": {entry.reason}" if entry.reason else ""
    return f"priority {entry.priority}, {entry.list}{' (covert)' if alert.is_covert else ''}{why}"


def _standing_outcomes(sighting: FoundSighting) -> tuple[Action, ...]:
    return Stay(sighting.site, (sighting,)).outcomes


def _action_text(action: Action) -> str:
    what = " ".join(part for part in (action.kind, action.plate_check, action.outcome) if part)
    note = f": {action.note}" if action.note else ""
    return f"{_utc(action.at)} {action.officer} ({action.site}) {what}{note}"


def _utc(moment: datetime) -> str:
    return in_utc(moment).isoformat(timespec="seconds")


def _newest_first(stays: Iterable[Stay]) -> list[FoundSighting]:
    found = [sighting for stay in stays for sighting in stay.sightings]
    return sorted(found, key=lambda one: (seen_at(one), one.read.identity), reverse=True)
