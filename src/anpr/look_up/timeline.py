"""Puts the answers of all sites together: where the vehicle was, newest first, and what nobody could tell. Pure."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from anpr.contracts.events import Action, Alert
from anpr.contracts.look_up import FoundSighting
from anpr.contracts.plates import canonical
from anpr.look_up.site_reply import SiteReply


@dataclass(frozen=True, slots=True)
class Stay:
    """Sightings at one site without a long gap between them. `sightings` has the newest first.

    The sightings of a possible misread all have the same text.
    """

    site: str
    sightings: tuple[FoundSighting, ...]

    @property
    def first_seen_at(self) -> datetime:
        """When it was seen first."""
        return seen_at(self.sightings[-1])

    @property
    def last_seen_at(self) -> datetime:
        """When it was seen last."""
        return seen_at(self.sightings[0])

    @property
    def likeliest(self) -> FoundSighting:
        """The sighting that is most surely of the vehicle, the newest of several."""
        return max(self.sightings, key=lambda sighting: sighting.probability)

    @property
    def lanes(self) -> tuple[str, ...]:
        """The lanes, each once."""
        return tuple(dict.fromkeys(s.read.lane for s in self.sightings if s.read.lane))

    @property
    def directions(self) -> tuple[str, ...]:
        """The directions, each once."""
        return tuple(dict.fromkeys(s.read.direction for s in self.sightings if s.read.direction))

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """The newest alert of each entry, the most urgent entry first."""
        newest = {alert.entry.entry_id: alert for s in reversed(self.sightings) for alert in s.alerts}
        return tuple(sorted(newest.values(), key=lambda alert: (alert.entry.priority, alert.entry.entry_id)))

    @property
    def actions(self) -> tuple[Action, ...]:
        """What officers did, each once, in order of time."""
        by_id = {(action.site, action.action_id): action for s in self.sightings for action in s.actions}
        return tuple(sorted(by_id.values(), key=lambda action: (action.at, action.site, action.action_id)))

    def is_undone(self, action: Action) -> bool:
        """Tell whether an officer of the same site has undone an action."""
        return any(other.site == action.site and other.retracts == action.action_id for other in self.actions)

    @property
    def outcomes(self) -> tuple[Action, ...]:
        """The outcomes that nobody has undone, the newest first."""
        return tuple(a for a in reversed(self.actions) if a.kind == "outcome" and not self.is_undone(a))


@dataclass(frozen=True, slots=True)
class Timeline:
    """What all sites know of a vehicle.

    Attributes:
        stays: Where its plate was read as asked, the newest stay first.
        possible_misreads: Where a plate was read that may be a misread of it, or another vehicle.
        missing: The sites that did not answer.
        cut_off: The sites that have more sightings than an answer holds. The oldest are missing.
        kept_since: By site, the first day of which it still holds sightings.
    """

    stays: tuple[Stay, ...]
    possible_misreads: tuple[Stay, ...]
    missing: tuple[SiteReply, ...]
    cut_off: tuple[str, ...]
    kept_since: Mapping[str, date]

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was found."""
        return not self.stays and not self.possible_misreads


def seen_at(sighting: FoundSighting) -> datetime:
    """Return when the camera saw it; when the read arrived, where the camera named no time."""
    return sighting.read.captured_at or sighting.arrived_at


def timeline_of(replies: Sequence[SiteReply], stay_gap: timedelta) -> Timeline:
    """Put the replies together. Sightings of a site that are closer than `stay_gap` are one stay."""
    found = [sighting for reply in replies if reply.answer for sighting in reply.answer.sightings]
    return Timeline(
        stays=_stays((s for s in found if s.is_this_plate), stay_gap),
        possible_misreads=_stays((s for s in found if not s.is_this_plate), stay_gap),
        missing=tuple(reply for reply in replies if reply.answer is None),
        cut_off=tuple(reply.site for reply in replies if reply.answer and not reply.answer.is_whole),
        kept_since={r.site: r.answer.kept_since for r in replies if r.answer and r.answer.kept_since},
    )


def _stays(found: Iterable[FoundSighting], stay_gap: timedelta) -> tuple[Stay, ...]:
    """Return the stays of these sightings, the newest first."""
    vehicles: defaultdict[Hashable, list[FoundSighting]] = defaultdict(list)
    for sighting in found:
        vehicles[_vehicle_of(sighting)].append(sighting)
    stays = [Stay(part[0].site, tuple(part)) for one in vehicles.values() for part in _parts(one, stay_gap)]
    return tuple(sorted(stays, key=lambda stay: (stay.last_seen_at, stay.site), reverse=True))


def _vehicle_of(sighting: FoundSighting) -> Hashable:
    """Return what the sightings of one vehicle at one site share. A partial plate or a misread may fit several."""
    if sighting.tier in {"exact", "equivalent"} and sighting.is_this_plate:
        return sighting.site, ""
    return sighting.site, canonical(sighting.read.plate)


def _parts(sightings: Sequence[FoundSighting], stay_gap: timedelta) -> Iterator[list[FoundSighting]]:
    """Cut sightings into parts with a long gap between them; each part has its newest first."""
    part: list[FoundSighting] = []
    for sighting in sorted(sightings, key=lambda one: (seen_at(one), one.read.identity), reverse=True):
        if part and seen_at(part[-1]) - seen_at(sighting) > stay_gap:
            yield part
            part = []
        part.append(sighting)
    if part:
        yield part
