"""An incident: one stay of one listed vehicle at one site, with its alerts, actions and status. Pure.

Everything here is computed from sets of facts, never from the order in which they came. So every board that has read
the same topics shows the same incidents.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from anpr.contracts import turned_away
from anpr.contracts.events import KINDS, TIERS, Action, Alert, Arrival, Entry, encode
from anpr.contracts.readings import effective_tier, is_guess

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

STATUSES = ("open", "closed", "withdrawn", "corrected")
# An unlikely match, or one by an edit of the plate, is a question for a person and no alarm.
_REVIEWED_TIERS = ("near",)

# By these outcomes it was not the listed vehicle, which may still come: they say nothing about a later read.
OTHER_VEHICLE = ("misread", "same_plate_other_vehicle")
_ALWAYS = datetime.max.replace(tzinfo=UTC)

# By entry, then by tier: until which capture outcomes settle the alerts of a stay.
_Covered = Mapping[str, Mapping[str, datetime]]

# The identity of an action: its site and its id there. So no site can replace an action of another site.
ActionKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ActionAtOffset:
    """An action and its offset in its site's actions topic. The offset decides between two claims, not the clocks."""

    action: Action
    offset: int


class Incident(Struct, frozen=True, kw_only=True):
    """One stay of one listed vehicle at one site. Two vehicles may have one `plate` (`board.vehicles`).

    Attributes:
        status: `open` while an alert stands that no outcome covers; `closed` when outcomes cover all that stand;
            `withdrawn` when none stands because its entries left the list; `corrected` when every read was
            superseded.
        best: The surest of the standing alerts, of all alerts when none stands.
        holders: By site, the officer who has claimed it.
        alerts: All alerts of the stay, in order of capture.
        standing: The alerts that neither a correction nor a withdrawal has removed.
        actions: All that officers did, in the order of each site's topic.
        retracted: The actions that were retracted and do not count.
        arrivals: Where its vehicle was expected and seen, in order of capture.
        alerts_there: Of these, the alerts that the sightings raised where they were, by the same entry.
        of_others: Of these, those that were another vehicle, as the port says by its outcome for the alert there.
        expected_by: The alerts of other sites that made its vehicle expected here, in order of capture.
        listed_again: Whether an alert stands whose entry had left its list since then and is listed again.
        expected_again_at: When the vehicle was last seen in the next stay that makes it expected elsewhere as this
            one does; None for none yet.
    """

    incident_id: str
    site: str
    plate: str
    status: str
    best: Alert
    holders: dict[str, str]
    alerts: tuple[Alert, ...]
    standing: tuple[Alert, ...]
    actions: tuple[Action, ...]
    retracted: frozenset[ActionKey]
    arrivals: tuple[Arrival, ...] = ()
    alerts_there: dict[Arrival, Alert] = {}
    of_others: frozenset[Arrival] = frozenset()
    expected_by: tuple[Alert, ...] = ()
    listed_again: bool = False
    expected_again_at: datetime | None = None

    @property
    def priority(self) -> int:
        """The highest priority (the lowest number) of the standing alerts' entries, or of all when none stands."""
        return min(alert.entry.priority for alert in self.standing or self.alerts)

    @property
    def kind(self) -> str:
        """The most urgent kind of the standing alerts, or of all when none stands."""
        return min((alert.kind for alert in self.standing or self.alerts), key=lambda kind: (rank(kind, KINDS), kind))

    @property
    def raised_at(self) -> datetime:
        """When the first of the standing alerts was raised, or of all when none stands."""
        return min(alert.raised_at for alert in self.standing or self.alerts)

    @property
    def first_captured_at(self) -> datetime:
        """When the vehicle was first seen in this stay."""
        return self.alerts[0].captured_at

    @property
    def last_captured_at(self) -> datetime:
        """When the vehicle was last seen in this stay."""
        return self.alerts[-1].captured_at

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries that speak for it, the most urgent first: none hides another.

        Among equals the first is that of another port that turned the vehicle away: officers must read it.
        """
        by_id = {alert.entry.entry_id: alert.entry for alert in self.standing or self.alerts}
        return tuple(sorted(by_id.values(), key=lambda e: (e.priority, e.list != turned_away.LIST, e.entry_id)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings of all these entries, each once."""
        return tuple(dict.fromkeys(warning for entry in self.entries for warning in entry.warnings))

    @property
    def has_covert(self) -> bool:
        """Whether some of its alerts are only for people with the covert permission."""
        return any(alert.is_covert for alert in self.alerts)

    @property
    def waiting(self) -> tuple[Alert, ...]:
        """The standing alerts that no outcome covers."""
        covered = _covered(self.alerts, [action for action in self.actions if not self.is_retracted(action)])
        return tuple(alert for alert in self.standing if not _is_covered(alert, covered))

    @property
    def is_open(self) -> bool:
        """Whether it is open. One with an unknown status counts as open: a person must decide."""
        return self.status == "open" or self.status not in STATUSES

    @property
    def outcomes(self) -> list[Action]:
        """The outcomes that count, of every site."""
        return [action for action in self.actions if action.kind == "outcome" and not self.is_retracted(action)]

    def is_sure(self, review_below_score: float) -> bool:
        """Tell whether any standing alert is sure enough to call an officer out."""
        return any(is_sure(alert, review_below_score) for alert in self.standing)

    def speaks_for(self, other: "Incident") -> bool:
        """Tell whether each standing alert of another one has its equal among those of this one, or a surer one."""
        tiers: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
        for alert in self.standing:
            tiers[alert.entry.entry_id][effective_tier(alert)] = _ALWAYS
        return all(_is_covered(alert, tiers) for alert in other.standing)

    def is_retracted(self, action: Action) -> bool:
        """Tell whether one of its actions was retracted. Then it does not count."""
        return action_key(action) in self.retracted

    def plate_check_at(self, site: str) -> str | None:
        """Return the result of a site's last plate check that was not undone; None when there is none."""
        plate_checks = [
            action.plate_check
            for action in self.actions
            if action.site == site and action.kind == "plate_check" and not self.is_retracted(action)
        ]
        return plate_checks[-1] if plate_checks else None


def merge_alerts(alert: Alert, repeat: Alert) -> Alert:
    """Return one alert for two that have the same id. The order of the two does not matter.

    The content is that of the highest generation, the kind the most urgent, `raised_at` the earliest.
    """
    if alert == repeat:
        return alert
    content = max(alert, repeat, key=_content_order)
    kind = min(alert.kind, repeat.kind, key=lambda kind: (rank(kind, KINDS), kind))
    return msgspec.structs.replace(content, kind=kind, raised_at=min(alert.raised_at, repeat.raised_at))


def build_incident(  # noqa: PLR0913  all facts about a stay
    stay: Sequence[Alert],
    standing: Sequence[Alert],
    actions: Iterable[ActionAtOffset],
    arrivals: Iterable[Arrival] = (),
    *,
    alerts_there: dict[Arrival, Alert],
    of_others: frozenset[Arrival],
    expected_by: Iterable[Alert],
    retracted: frozenset[ActionKey],
    withdrawn: bool,
    listed_again: bool,
) -> Incident:
    """Build an incident.

    Args:
        stay: All its alerts in order of capture.
        standing: The alerts that neither a correction nor a withdrawal has removed.
        actions: The actions on the stay, in any order.
        arrivals: The sightings of its vehicle where it was expected, in any order.
        alerts_there: See `Incident`.
        of_others: See `Incident`.
        expected_by: See `Incident`, in any order.
        retracted: Which of the actions were retracted.
        withdrawn: Whether a withdrawal removed any of its alerts.
        listed_again: Whether any alert stands because its entry, which had ended, is listed again.
    """
    ordered_records = sorted(actions, key=lambda record: (record.action.site, record.offset, record.action.action_id))
    ordered_actions = tuple(record.action for record in ordered_records)
    counted_actions = [action for action in ordered_actions if action_key(action) not in retracted]
    best = min(standing or stay, key=certainty_order)
    return Incident(
        incident_id=stay[0].alert_id,
        site=best.read.site,
        plate=best.plate,
        status=_status(stay, standing, counted_actions, withdrawn=withdrawn),
        best=best,
        holders=_holders(counted_actions),
        alerts=tuple(stay),
        standing=tuple(standing),
        actions=ordered_actions,
        retracted=retracted,
        arrivals=tuple(sorted(arrivals, key=arrival_order)),
        alerts_there=alerts_there,
        of_others=of_others,
        expected_by=tuple(sorted(expected_by, key=capture_order)),
        listed_again=listed_again,
    )


def is_sure(alert: Alert, review_below_score: float) -> bool:
    """Tell whether an alert is sure enough to call an officer out. One of an unknown tier may be."""
    return alert.tier not in _REVIEWED_TIERS and alert.score >= review_below_score


def was_another_vehicle(alert: Alert, stay: Sequence[Alert], actions: Iterable[ActionAtOffset]) -> bool:
    """Tell whether the last outcome of its port that settles an alert says that it was not the listed vehicle.

    `actions` are those on its stay that count, in any order.
    """
    outcomes = [one for one in actions if one.action.kind == "outcome" and one.action.site == alert.read.site]
    newest_first = sorted(outcomes, key=lambda one: (one.offset, one.action.action_id), reverse=True)
    last = next((one.action for one in newest_first if _is_covered(alert, _covered(stay, [one.action]))), None)
    return last is not None and last.outcome in OTHER_VEHICLE


def arrival_order(arrival: Arrival) -> tuple[datetime, bytes]:
    """Return the sort key of arrivals: by capture. No two that differ have the same."""
    return (arrival.captured_at, encode(arrival))


def capture_order(alert: Alert) -> tuple[datetime, str]:
    """Return the sort key of alerts by capture."""
    return (alert.captured_at, alert.alert_id)


def certainty_order(alert: Alert) -> tuple[bool, int, int, bool, bool, float, str]:
    """Return the sort key of an incident's alerts: true readings before guesses, then the surest tier first.

    Within a tier the highest priority comes first, then a read with a picture, then one whose clock is trusted, then
    the latest.
    """
    read = alert.read
    return (
        is_guess(alert),
        rank(alert.tier, TIERS),
        alert.entry.priority,
        read.image is None,
        read.clock_suspect,
        -alert.captured_at.timestamp(),
        alert.alert_id,
    )


def urgency_order(incident: Incident) -> tuple[object, ...]:
    """Return the sort key of a board: open, the highest priority, true readings, live, the newest first."""
    return (
        rank(incident.status, STATUSES),
        incident.priority,
        is_guess(incident.best),
        rank(incident.kind, KINDS),
        -incident.raised_at.timestamp(),
        incident.incident_id,
    )


def action_key(action: Action) -> ActionKey:
    """Return the identity of an action."""
    return (action.site, action.action_id)


def rank(value: str, known_values: Sequence[str]) -> int:
    """Return the position of a value among the known ones. An unknown one needs a person, so it comes before them."""
    return known_values.index(value) if value in known_values else -1


def _content_order(alert: Alert) -> tuple[object, ...]:
    content = msgspec.structs.replace(alert, kind="", raised_at=_EPOCH)
    return (alert.generation, alert.entry.revision, encode(content))


def _status(stay: Sequence[Alert], standing: Sequence[Alert], actions: Sequence[Action], *, withdrawn: bool) -> str:
    if not standing:
        return "withdrawn" if withdrawn else "corrected"
    covered = _covered(stay, actions)
    return "closed" if all(_is_covered(alert, covered) for alert in standing) else "open"


def _covered(stay: Sequence[Alert], actions: Sequence[Action]) -> _Covered:
    """Return, by entry, the tiers for which an outcome was recorded, and until which capture it counts."""
    by_id = {alert.alert_id: alert for alert in stay}
    covered: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
    for action in actions:
        if action.kind != "outcome":
            continue
        named = by_id[action.alert_id]
        until = named.captured_at if action.outcome in OTHER_VEHICLE else _ALWAYS
        on_screen = {(cover.entry_id, cover.tier) for cover in action.covers}
        for entry_id, tier in on_screen | {(named.entry.entry_id, effective_tier(named))}:
            tiers = covered[entry_id]
            tiers[tier] = max(until, tiers.get(tier, until))
    return covered


def _is_covered(alert: Alert, covered: _Covered) -> bool:
    """Tell whether these tiers, by entry, have that of the alert or a surer one, until its capture or longer."""
    untils = covered.get(alert.entry.entry_id, {})
    tiers, tier = {tier for tier, until in untils.items() if alert.captured_at <= until}, effective_tier(alert)
    own_rank = rank(tier, TIERS)
    return tier in tiers or (own_rank >= 0 and any(0 <= rank(tier, TIERS) < own_rank for tier in tiers))


def _holders(actions: Iterable[Action]) -> dict[str, str]:
    """Return who holds the incident at each site. The first claim counts until its officer releases it."""
    holders: dict[str, str] = {}
    for action in actions:
        if action.kind == "claimed":
            holders.setdefault(action.site, action.officer)
        elif action.kind == "released" and holders.get(action.site) == (action.holder or action.officer):
            if action.hands_to:
                holders[action.site] = action.hands_to
            else:
                del holders[action.site]
    return holders
