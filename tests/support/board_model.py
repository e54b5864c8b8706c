"""What officers must see, computed slowly and simply from a plain list of facts, as the design states it.

The model remembers nothing: each call goes through all facts again. The board must show the same.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

from anpr.board.board import Board
from anpr.board.incident import Incident
from anpr.contracts.events import (
    KINDS,
    OUTCOMES,
    TIERS,
    Action,
    Alert,
    Arrival,
    Correction,
    Entry,
    EntryEnded,
    EntryListed,
    Generation,
)

# Outcomes that say that it was not the listed vehicle.
OTHER_VEHICLE = ("misread", "same_plate_other_vehicle")
# The time zone of each site; another site has UTC. Midnight at Calais, 15:20 UTC, is within the time of the tests.
ZONES = {"calais": timezone(timedelta(hours=8, minutes=40)), "dover": ZoneInfo("America/Halifax")}


class OfficerAction(NamedTuple):
    """An action and its offset in the actions topic of its site."""

    action: Action
    offset: int


Fact = Alert | Arrival | Correction | OfficerAction | EntryEnded | EntryListed


class ExpectedIncident(NamedTuple):
    """The parts of an incident that are compared."""

    incident_id: str
    site: str
    plate: str
    status: str
    holders: dict[str, str]
    best_tier: str
    kinds: list[str]
    members: list[str]
    retracted: set[tuple[str, str]]
    arrivals: set[Arrival]
    alerts_there: set[tuple[Arrival, str]]
    of_others: set[Arrival]
    expected_by: list[str]
    listed_again: bool
    expected_again_at: datetime | None


def add_fact(board: Board, fact: Fact) -> None:
    """Add one fact to a board."""
    if isinstance(fact, Alert):
        board.add_alert(fact)
    elif isinstance(fact, Arrival):
        board.add_arrival(fact)
    elif isinstance(fact, Correction):
        board.add_correction(fact)
    elif isinstance(fact, EntryEnded):
        board.add_entry_ended(fact)
    elif isinstance(fact, EntryListed):
        board.add_entry_listed(fact)
    else:
        board.add_action(fact.action, fact.offset)


def seen(incident: Incident) -> ExpectedIncident:
    """Return the compared parts of an incident on a board."""
    return ExpectedIncident(
        incident_id=incident.incident_id,
        site=incident.site,
        plate=incident.plate,
        status=incident.status,
        holders=incident.holders,
        best_tier=incident.best.tier,
        kinds=[alert.kind for alert in incident.alerts],
        members=[alert.alert_id for alert in incident.alerts],
        retracted=set(incident.retracted),
        arrivals=set(incident.arrivals),
        alerts_there={(arrival, alert.alert_id) for arrival, alert in incident.alerts_there.items()},
        of_others=set(incident.of_others),
        expected_by=[alert.alert_id for alert in incident.expected_by],
        listed_again=incident.listed_again,
        expected_again_at=incident.expected_again_at,
    )


def expected(facts: Sequence[Fact], stay_gap: timedelta, now: datetime) -> list[ExpectedIncident]:
    """Return every incident of any age, as it is at `now`."""
    alerts = _merged([fact for fact in facts if isinstance(fact, Alert)])
    links = _links([alert for alert, _ in alerts], facts)
    stays = _stays(alerts, stay_gap)
    incidents = [_incident(stay, facts, links, now) for stay in stays]
    incidents = [incident._replace(of_others=_of_others(incident, incidents, facts)) for incident in incidents]
    standing = [_standing([alert for alert, _ in stay], facts, now) for stay in stays]
    return [
        incident._replace(
            expected_again_at=next(
                (
                    last_capture(later, facts)
                    for later, standing_later in zip(incidents, standing, strict=True)
                    if _expects_again(later, standing_later, incident, standing_then, facts)
                ),
                None,
            )
        )
        for incident, standing_then in zip(incidents, standing, strict=True)
    ]


def last_capture(incident: ExpectedIncident, facts: Sequence[Fact]) -> datetime:
    """Return when the vehicle of an incident was last captured."""
    return max(fact.captured_at for fact in facts if isinstance(fact, Alert) and fact.alert_id in incident.members)


def _merged(raised: Sequence[Alert]) -> list[tuple[Alert, str]]:
    """Return one alert per id, that of the highest generation, each with the most urgent kind of all of its id."""
    merged = []
    for alert_id in {alert.alert_id for alert in raised}:
        same = [alert for alert in raised if alert.alert_id == alert_id]
        newest = next(alert for alert in same if all(alert.generation >= other.generation for other in same))
        merged.append((newest, next(kind for kind in KINDS if any(alert.kind == kind for alert in same))))
    return sorted(merged, key=lambda alert_kind: (alert_kind[0].captured_at, alert_kind[0].alert_id))


def _stays(alerts: Sequence[tuple[Alert, str]], stay_gap: timedelta) -> list[list[tuple[Alert, str]]]:
    """Add each alert, in order of capture, to the stay of its site and plate that is near enough."""
    stays: list[list[tuple[Alert, str]]] = []
    for alert, kind in alerts:
        for stay in stays:
            last = stay[-1][0]
            same_vehicle = (last.read.site, last.plate) == (alert.read.site, alert.plate)
            if same_vehicle and alert.captured_at - last.captured_at <= stay_gap:
                stay.append((alert, kind))
                break
        else:
            stays.append([(alert, kind)])
    return stays


def _links(alerts: Sequence[Alert], facts: Sequence[Fact]) -> list[tuple[Alert, Arrival, Alert]]:
    """Return each alert that made a vehicle expected elsewhere, its arrival, and an alert that this read raised."""
    arrivals = [fact for fact in facts if isinstance(fact, Arrival) and not _is_replaced(fact, facts)]
    return [
        (before, arrival, after)
        for arrival in arrivals
        for before in alerts
        for after in alerts
        if before.alert_id == arrival.alert_id
        and before.entry.entry_id == after.entry.entry_id
        and before.read.site != after.read.site == arrival.site
        and (after.read.camera, after.read.read_id) == (arrival.camera, arrival.read_id)
        and after.captured_at == arrival.captured_at
    ]


def _standing(alerts: Sequence[Alert], facts: Sequence[Fact], now: datetime) -> list[Alert]:
    """Return the alerts that neither a correction nor a withdrawal has removed."""
    return [alert for alert in alerts if not _is_superseded(alert, facts) and not _is_withdrawn(alert, facts, now)]


def _incident(
    stay: Sequence[tuple[Alert, str]],
    facts: Sequence[Fact],
    links: Sequence[tuple[Alert, Arrival, Alert]],
    now: datetime,
) -> ExpectedIncident:
    alerts = [alert for alert, _ in stay]
    members = [alert.alert_id for alert in alerts]
    done = _in_order([fact for fact in facts if isinstance(fact, OfficerAction)])
    here = [action for action in done if action.alert_id in members and action.kind != "retracted"]
    retracted = [action for action in here if _is_retracted(action, done)]
    counting = [action for action in here if action not in retracted]
    standing = _standing(alerts, facts, now)
    if all(_is_superseded(alert, facts) for alert in alerts):
        status = "corrected"
    elif not standing:
        status = "withdrawn"
    elif all(_is_settled(alert, counting, alerts) for alert in standing):
        status = "closed"
    else:
        status = "open"
    return ExpectedIncident(
        incident_id=members[0],
        site=alerts[0].read.site,
        plate=alerts[0].plate,
        status=status,
        holders=_holders(counting),
        best_tier=min((alert.tier for alert in standing or alerts), key=_tier_rank),
        kinds=[kind for _, kind in stay],
        members=members,
        retracted={(action.site, action.action_id) for action in retracted},
        arrivals={
            fact
            for fact in facts
            if isinstance(fact, Arrival) and fact.alert_id in members and not _is_replaced(fact, facts)
        },
        alerts_there={
            (arrival, min(after.alert_id for _, other, after in links if other == arrival))
            for before, arrival, _ in links
            if before in alerts
        },
        of_others=set(),
        expected_by=_in_order_of_capture({before for before, _, after in links if after in alerts}),
        listed_again=any(_ends_since(alert, facts) for alert in standing),
        expected_again_at=None,
    )


def _of_others(
    incident: ExpectedIncident, incidents: Sequence[ExpectedIncident], facts: Sequence[Fact]
) -> set[Arrival]:
    """Return the arrivals of which the port said last that they were another vehicle."""
    merged = [alert for alert, _ in _merged([fact for fact in facts if isinstance(fact, Alert)])]
    found = set()
    for arrival, there in incident.alerts_there:
        stay_there = next(one for one in incidents if there in one.members)
        stay = [alert for alert in merged if alert.alert_id in stay_there.members]
        own = next(alert for alert in stay if alert.alert_id == there)
        settling = [
            action
            for action in _in_order([fact for fact in facts if isinstance(fact, OfficerAction)])
            if action.alert_id in stay_there.members
            and action.site == own.read.site
            and (action.site, action.action_id) not in stay_there.retracted
            and _is_settled(own, [action], stay)
        ]
        if settling and settling[-1].outcome in OTHER_VEHICLE:
            found.add(arrival)
    return found


def _expects_again(
    later: ExpectedIncident,
    standing_later: Sequence[Alert],
    incident: ExpectedIncident,
    standing: Sequence[Alert],
    facts: Sequence[Fact],
) -> bool:
    """Tell whether a later stay makes a vehicle expected elsewhere by all that an earlier one does.

    All vehicles go to the UK here.
    """
    captured = {fact.alert_id: fact.captured_at for fact in facts if isinstance(fact, Alert)}
    if (later.site, later.plate) != (incident.site, incident.plate):
        return False
    if captured[later.members[0]] <= last_capture(incident, facts) or later.status not in {"open", "closed"}:
        return False
    outcomes = [
        record.action.outcome
        for record in facts
        if isinstance(record, OfficerAction)
        and record.action.kind == "outcome"
        and record.action.alert_id in later.members
        and (record.action.site, record.action.action_id) not in later.retracted
    ]
    ended_there = set(OUTCOMES) - {"handed_to_uk_port", "passed_before_ack"}
    if later.status == "closed" and all(outcome in ended_there for outcome in outcomes):
        return False
    if any(map(_calls, standing)) and not any(map(_calls, standing_later)):
        return False
    return all(
        any(
            one.entry.entry_id == alert.entry.entry_id and _is_as_sure(one.tier, alert.tier) for one in standing_later
        )
        for alert in standing
    )


def _calls(alert: Alert) -> bool:
    """Return whether an alert is sure enough to call an officer out."""
    return alert.tier != "near" and alert.score >= 0.3


def _in_order_of_capture(alerts: set[Alert]) -> list[str]:
    return [alert.alert_id for alert in sorted(alerts, key=lambda alert: (alert.captured_at, alert.alert_id))]


def _in_order(done: Sequence[OfficerAction]) -> list[Action]:
    """Return each action once, in the order of its site's topic. One delivered twice counts at its first offset."""
    actions: list[Action] = []
    for action, _ in sorted(done, key=lambda record: record.offset):
        if action not in actions:
            actions.append(action)
    return actions


def _is_retracted(action: Action, done: Sequence[Action]) -> bool:
    return any(
        other.kind == "retracted" and other.retracts == action.action_id and other.site == action.site
        for other in done
    )


def _is_superseded(alert: Alert, facts: Sequence[Fact]) -> bool:
    """Return whether a correction of the same camera, at most ten minutes later, names its read.

    A correction of an earlier version has no time: it counts for every camera's reads of that version.
    """
    read = alert.read
    return any(
        (fact.camera == read.camera and timedelta() <= fact.captured_at - alert.captured_at <= timedelta(minutes=10))
        if fact.captured_at is not None
        else not read.claimed_at
        for fact in facts
        if isinstance(fact, Correction) and (fact.site, fact.supersedes) == (read.site, read.read_id)
    )


def _is_replaced(arrival: Arrival, facts: Sequence[Fact]) -> bool:
    """Return whether a correction of the same camera, at most ten minutes later, names its read."""
    return any(
        isinstance(fact, Correction)
        and (fact.site, fact.camera, fact.supersedes) == (arrival.site, arrival.camera, arrival.read_id)
        and fact.captured_at is not None
        and timedelta() <= fact.captured_at - arrival.captured_at <= timedelta(minutes=10)
        for fact in facts
    )


def _is_withdrawn(alert: Alert, facts: Sequence[Fact], now: datetime) -> bool:
    """Return whether its entry has left the list since and is not listed again, or has expired as listed last."""
    entry, listed_at = _newest_listed(alert, facts)
    if entry.valid_until_day is not None:
        today = now.astimezone(ZONES.get(alert.read.site, UTC)).date()
        if today > entry.valid_until_day:
            return True
    elif entry.valid_until <= now:
        return True
    # An open alert does not stand for an entry that is covert now.
    if entry.handling not in {alert.entry.handling, "open"}:
        return True
    return any(end > listed_at or entry.plate != alert.entry.plate for end in _ends_since(alert, facts))


def _ends_since(alert: Alert, facts: Sequence[Fact]) -> list[Generation]:
    """Return when the alert's entry left its list after the revision that raised the alert."""
    return [
        fact.revision
        for fact in facts
        if isinstance(fact, EntryEnded)
        and fact.entry_id == alert.entry.entry_id
        and fact.revision > alert.entry.revision
    ]


def _newest_listed(about: Alert, facts: Sequence[Fact]) -> tuple[Entry, Generation]:
    """Return an alert's entry as an alert of its site or the list has it at the newest generation."""
    listed = [
        (fact.entry, fact.generation)
        for fact in facts
        if isinstance(fact, EntryListed) or (isinstance(fact, Alert) and fact.read.site == about.read.site)
    ]
    of_entry = [(entry, number) for entry, number in listed if entry.entry_id == about.entry.entry_id]
    return max(of_entry, key=lambda version: version[1])


def _is_settled(alert: Alert, actions: Sequence[Action], stay: Sequence[Alert]) -> bool:
    """Return whether an outcome was recorded with this alert's entry on the screen at this tier or a surer one.

    One that says that it was another vehicle settles nothing that was captured later than the alert that it names.
    """
    for action in actions:
        if action.kind != "outcome":
            continue
        [about] = [named for named in stay if named.alert_id == action.alert_id]
        if action.outcome in OTHER_VEHICLE and alert.captured_at > about.captured_at:
            continue
        on_screen = [(cover.entry_id, cover.tier) for cover in action.covers]
        on_screen.append((about.entry.entry_id, about.tier))
        for entry_id, tier in on_screen:
            if entry_id == alert.entry.entry_id and _is_as_sure(tier, alert.tier):
                return True
    return False


def _is_as_sure(tier: str, other: str) -> bool:
    """Tell whether a tier is another one or surer. Of an unknown one nobody knows how sure it is."""
    return tier == other or (tier in TIERS and other in TIERS and _tier_rank(tier) < _tier_rank(other))


def _tier_rank(tier: str) -> int:
    """Return the rank of a tier, the surest first. An unknown tier needs a person, so it comes before all."""
    return TIERS.index(tier) if tier in TIERS else -1


def _holders(actions: Sequence[Action]) -> dict[str, str]:
    holders: dict[str, str] = {}
    for action in actions:
        nobody = action.site not in holders
        if action.kind == "claimed" and nobody:
            holders[action.site] = action.officer
        released_by = action.officer if action.holder is None else action.holder
        if action.kind == "released" and not nobody and holders[action.site] == released_by:
            del holders[action.site]
            if action.hands_to is not None:
                holders[action.site] = action.hands_to
    return holders
