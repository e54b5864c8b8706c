"""The entry by which the other ports know a vehicle that was turned away at one. Pure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from anpr.contracts import turned_away
from anpr.contracts.events import NO_GENERATION, Action, Alert, Entry
from anpr.contracts.moments import local_time, shifted
from anpr.contracts.plates import canonical, is_pattern
from anpr.runtime.settings import Site
from anpr.watchlist.csv_cells import InvalidCellError
from anpr.watchlist.plate_cell import plate_key

_LAW: Final = "Data Protection Act 2018, Part 3 (law enforcement); in France directive (EU) 2016/680"
_CATEGORY: Final = "turned away"
# The bounds of the contract: `anpr.contracts.events`.
_MOST_NAME, _MOST_TEXT, _MOST_WARNINGS = 64, 2000, 16


def entry_of(
    outcome: Action, alert: Alert, of_vehicle: Sequence[Entry], sites: Mapping[str, Site], *, is_covert: bool
) -> Entry | None:
    """Return the entry that an outcome makes; None where no other site or no usable plate is known.

    `alert` is the one that the outcome names, `of_vehicle` are the entries that it covers. Their warnings go along:
    whoever stops the vehicle next needs them. So do the reason and the instruction of the alert's own entry.
    """
    others = tuple(name for name in sites if name != outcome.site)
    plate = _plate_of(alert)
    if not others or not _is_usable(plate):
        return None
    listed, turned_away_at = alert.entry, sites[outcome.site]
    warnings = dict.fromkeys(warning for entry in (listed, *of_vehicle) for warning in entry.warnings)
    return Entry(
        entry_id=turned_away.entry_id(outcome.site, outcome.action_id),
        revision=NO_GENERATION,
        list=turned_away.LIST,
        plate=plate,
        country=listed.country,
        category=_CATEGORY,
        priority=min(entry.priority for entry in (listed, *of_vehicle)),
        reason=_reason(outcome, turned_away_at.title, turned_away_at.zone, listed.reason),
        instruction=listed.instruction,
        warnings=tuple(islice(warnings, _MOST_WARNINGS)),
        valid_from=outcome.at,
        valid_until=ends_at(outcome),
        sites=others,
        tolerance="tolerant" if is_pattern(listed.plate) else listed.tolerance,
        handling="covert" if is_covert else "open",
        vehicle=listed.vehicle,
        owner=f"UK control at {turned_away_at.title}"[:_MOST_NAME],
        legal_basis=listed.legal_basis or _LAW,
        source=f"outcome {outcome.action_id} at {outcome.site}"[:_MOST_TEXT],
    )


def ends_at(outcome: Action) -> datetime:
    """Return when the entry of an outcome ends: nothing is listed for it from then on."""
    return shifted(outcome.at, turned_away.LISTED_FOR)


def covered_entries(outcome: Action, alerts: Collection[Alert]) -> list[Entry]:
    """Return the entries of these alerts that an outcome covers, each once."""
    covered = {cover.entry_id for cover in outcome.covers}
    by_id = {alert.entry.entry_id: alert.entry for alert in alerts if alert.entry.entry_id in covered}
    return [by_id[entry_id] for entry_id in sorted(by_id)]


def _reason(outcome: Action, title: str, zone: ZoneInfo, listed_for: str) -> str:
    at = local_time(outcome.at, zone)
    day = f"{at.day} {at:%B} {at.year}"
    sentence = f"Turned away at {title} at {at:%H:%M %Z} on {day} by {outcome.officer}"
    return f"{sentence}. Reason there: {listed_for}"[:_MOST_TEXT] if listed_for else sentence[:_MOST_TEXT]


def _plate_of(alert: Alert) -> str:
    """Return the listed plate; of a pattern, the plate as it was read, with its gaps where they are known."""
    listed, read = alert.entry.plate, alert.read.plate
    if not is_pattern(listed):
        return listed
    return read if canonical(read) == alert.plate and not is_pattern(read) else alert.plate


def _is_usable(plate: str) -> bool:
    """Tell whether a list takes a plate: a site that publishes another could list half of the traffic elsewhere."""
    try:
        plate_key(plate)
    except InvalidCellError:
        return False
    return True
