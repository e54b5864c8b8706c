"""The board: a fold over alerts, corrections, actions, arrivals and list changes. Pure.

The board keeps facts in sets and dictionaries, each fact under its own identity (an alert's id, a correction, an
action's id, an ended entry). Adding a fact is commutative, associative and idempotent. The incidents are computed
from those sets alone. So every process that has read the topics shows the same board, even if records came late,
twice, or again after a restart.

Incidents are computed for one (site, plate) when they are asked for, and cached until a fact changes that key.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, TypeVar

from anpr.board.corrections import Corrections
from anpr.board.incident import (
    ActionAtOffset,
    ActionKey,
    Incident,
    action_key,
    build_incident,
    capture_order,
    merge_alerts,
    urgency_order,
    was_another_vehicle,
)
from anpr.board.later_stays import with_later_stays
from anpr.board.vehicles import split_by_vehicle
from anpr.contracts.districts import is_same_plate
from anpr.contracts.events import (
    Action,
    Alert,
    Arrival,
    Correction,
    Entry,
    EntryEnded,
    EntryListed,
    Generation,
    Read,
    encode,
    is_covert_handling,
)
from anpr.contracts.local_days import UTC_DAYS, LocalDays
from anpr.contracts.moments import shifted
from anpr.runtime.settings import ConsoleSettings, Settings

Key = tuple[str, str]
K = TypeVar("K")
M = TypeVar("M")


# Who says how an entry is listed, beside the sites in their alerts.
_THE_LIST = ""
# Before and after every possible time.
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class _CachedIncidents(NamedTuple):
    """The incidents of a key from `since` until `until`, unless a fact comes. At those times entries expire."""

    incidents: tuple[Incident, ...]
    since: datetime
    until: datetime


class _ListedVersion(NamedTuple):
    """How an entry was listed at a generation. They compare in field order, so the newest generation counts.

    `last_day` is the entry's `valid_until_day` as text, "" without one.
    """

    generation: Generation
    revision: Generation
    valid_until: datetime
    last_day: str
    plate: str
    handling: str

    @property
    def valid_until_day(self) -> date | None:
        """The last day, None when the end is a moment."""
        return date.fromisoformat(self.last_day) if self.last_day else None


class Board:
    """All incidents whose last alert was captured within `window`, of every site whose facts are added.

    Attributes:
        failed_keys: Each (site, plate) whose incidents could not be computed. They are missing from the board; all
            others are there.
    """

    def __init__(
        self,
        stay_gap: timedelta,
        window: timedelta,
        days: LocalDays = UTC_DAYS,
        review_below_score: float = ConsoleSettings().review_below_score,
    ) -> None:
        """Alerts of one vehicle at one site belong to one stay while their gaps are at most `stay_gap`.

        `days` says when an entry that gives days ends at the site of an alert. Alerts of a score below
        `review_below_score` call nobody.
        """
        self._stay_gap = stay_gap
        self._window = window
        self._days = days
        self._review_below_score = review_below_score
        self._alerts: dict[str, Alert] = {}
        self._alerts_of_key: defaultdict[Key, set[str]] = defaultdict(set)
        # By site and read_id, which several cameras may use: the alerts that a correction may concern.
        self._alerts_of_read: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._alerts_of_entry: defaultdict[str, set[str]] = defaultdict(set)
        # By list and entry, how many alerts name the entry.
        self._alert_counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._corrections = Corrections()
        self._actions: dict[ActionKey, ActionAtOffset] = {}
        self._actions_of_alert: defaultdict[str, set[ActionKey]] = defaultdict(set)
        self._retractions: defaultdict[ActionKey, set[ActionKey]] = defaultdict(set)
        self._arrivals_of_alert: defaultdict[str, set[Arrival]] = defaultdict(set)
        # By site and read_id, as above: the alerts whose arrivals a correction may concern.
        self._alerts_of_arrival: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        # By key, its alerts about an arrival: what officers say of them changes the incidents that expected it.
        self._arrived: defaultdict[Key, set[str]] = defaultdict(set)
        self._ended: dict[str, EntryEnded] = {}
        # By entry, then by who says so: the list itself, or a site in its alerts. No site speaks for another.
        self._listed: defaultdict[str, dict[str, _ListedVersion]] = defaultdict(dict)
        self.failed_keys: set[Key] = set()
        self._cached: dict[Key, _CachedIncidents] = {}
        self._change_sets: list[set[Key]] = []

    def add_alert(self, alert: Alert) -> None:
        """Add an alert. A repeated alert is merged with the known one."""
        listed = EntryListed(entry=alert.entry, generation=alert.generation)
        known_alert = self._alerts.get(alert.alert_id)
        if known_alert is not None:
            self._invalidate(known_alert.alert_id)
            _discard(self._alerts_of_key, _key(known_alert), known_alert.alert_id)
            _discard(self._arrived, _key(known_alert), known_alert.alert_id)
            self._uncount_alert(known_alert.entry)
            alert = merge_alerts(known_alert, alert)
        self._invalidate(*self._linked(alert))
        self._alerts[alert.alert_id] = alert
        self._alerts_of_key[_key(alert)].add(alert.alert_id)
        if (alert.read.site, alert.read.read_id) in self._alerts_of_arrival:
            self._arrived[_key(alert)].add(alert.alert_id)
        self._alerts_of_read[alert.read.site, alert.read.read_id].add(alert.alert_id)
        self._alerts_of_entry[alert.entry.entry_id].add(alert.alert_id)
        self._alert_counts[alert.entry.list][alert.entry.entry_id] += 1
        self._invalidate(alert.alert_id)
        self._add_listed(listed, alert.read.site)

    def add_correction(self, correction: Correction) -> None:
        """Remove the superseded read's alerts from those that stand, now or when they come; see `Correction`."""
        self._corrections.add(correction)
        read = (correction.site, correction.supersedes)
        self._invalidate(*self._alerts_of_read.get(read, ()), *self._alerts_of_arrival.get(read, ()))

    def add_action(self, action: Action, offset: int) -> None:
        """Add an action of an officer. `offset` is that of the record in the actions topic of the action's site."""
        added = ActionAtOffset(action, offset)
        key = action_key(action)
        known_record = self._actions.get(key)
        if known_record is not None:
            _discard(self._actions_of_alert, known_record.action.alert_id, key)
            self._invalidate(known_record.action.alert_id)
            added = min(added, known_record, key=lambda record: (record.offset, encode(record.action)))
        self._actions[key] = added
        self._actions_of_alert[added.action.alert_id].add(key)
        self._invalidate(added.action.alert_id)
        for retraction in (action, known_record.action if known_record else action):
            if retraction.kind == "retracted" and retraction.retracts is not None:
                target = (action.site, retraction.retracts)
                self._retractions[target].add(key)
                retracted = self._actions.get(target)
                self._invalidate(*([retracted.action.alert_id] if retracted else []))

    def add_arrival(self, arrival: Arrival) -> None:
        """Add that an expected vehicle was seen where it was expected. Its alert may come later."""
        self._arrivals_of_alert[arrival.alert_id].add(arrival)
        self._alerts_of_arrival[arrival.site, arrival.read_id].add(arrival.alert_id)
        alerts_there = self._alerts_of_read.get((arrival.site, arrival.read_id), ())
        for alert_id in alerts_there:
            self._arrived[_key(self._alerts[alert_id])].add(alert_id)
        self._invalidate(arrival.alert_id, *alerts_there)

    def add_entry_ended(self, ended: EntryEnded) -> None:
        """Withdraw an entry's alerts of revisions before the one that ended it, unless it has been listed again."""
        known_end = self._ended.get(ended.entry_id)
        if known_end is None or known_end.revision < ended.revision:
            self._ended[ended.entry_id] = ended
            self._invalidate(*self._alerts_of_entry.get(ended.entry_id, ()))

    def add_entry_listed(self, listed: EntryListed) -> None:
        """Add how a list has an entry at a generation. The newest generation counts.

        After its end at their site the entry's alerts are withdrawn: a longer validity keeps alerts standing, a
        shorter one ends them. Alerts that were withdrawn because the entry had ended stand again when it is listed
        again.
        """
        self._add_listed(listed, _THE_LIST)

    def incidents(self, now: datetime) -> list[Incident]:
        """Return the incidents in the window at `now`: the open ones first, the most urgent on top."""
        incidents = (incident for key in self._alerts_of_key for incident in self.incidents_of(key, now))
        return sorted(incidents, key=urgency_order)

    def incidents_of(self, key: Key, now: datetime) -> list[Incident]:
        """Return the incidents of one (site, plate) in the window at `now`; none when they cannot be computed.

        Then `failed_keys` names the key: whatever is wrong with its facts must not take others off the board.
        """
        try:
            incidents = self._incidents_of(key, now)
        except Exception:  # noqa: BLE001  whatever it is, the other keys do not have it
            self.failed_keys.add(key)
            return []
        self.failed_keys.discard(key)
        return [incident for incident in incidents if now - incident.last_captured_at <= self._window]

    def changes_at(self, key: Key, now: datetime) -> datetime | None:
        """Return when time alone will change the incidents of a key: an entry ends, or one leaves the window.

        That is `now` for one that is in the window for the last moment: it leaves just after.
        """
        shown = self.incidents_of(key, now)
        if not shown:
            return None
        return min(
            self._cached[key].until, shifted(min(incident.last_captured_at for incident in shown), self._window)
        )

    def keys(self) -> list[Key]:
        """Return every (site, plate) that has alerts."""
        return list(self._alerts_of_key)

    def track_changes(self) -> set[Key]:
        """Return a set to which the board adds each (site, plate) that changes from now on. The caller empties it."""
        self._change_sets.append(set())
        return self._change_sets[-1]

    def incident_of(self, alert_id: str, now: datetime) -> Incident | None:
        """Return the incident that an alert belongs to at `now`. A former id leads to the joined incident."""
        alert = self._alerts.get(alert_id)
        if alert is None:
            return None
        return next(
            incident
            for incident in self._incidents_of(_key(alert), now)
            if any(member.alert_id == alert_id for member in incident.alerts)
        )

    def has_action(self, site: str, action_id: str) -> bool:
        """Tell whether an action of a site has been added."""
        return (site, action_id) in self._actions

    def action(self, key: ActionKey) -> Action | None:
        """Return an action as it counts, None while it is unknown."""
        known_record = self._actions.get(key)
        return known_record.action if known_record else None

    def has_alert(self, alert_id: str) -> bool:
        """Tell whether an alert has been added and not been forgotten."""
        return alert_id in self._alerts

    def has_superseded(self, read: Read) -> bool:
        """Tell whether another read has replaced this one, as far as a correction says so."""
        captured_at = read.captured_at
        return captured_at is not None and self._corrections.has_replaced(
            read.site, read.camera, read.read_id, captured_at
        )

    def entries_named(self) -> dict[str, set[str]]:
        """Return, by list, the entries that incidents name: the list must be asked whether they end or change.

        Settled incidents count too: a board that learned of an entry's end while its incident was open shows the
        incident as withdrawn, and so must a board that was opened later. The counts are kept up with each alert,
        because this is asked for several times a second.
        """
        return {name: set(entries) for name, entries in self._alert_counts.items()}

    def prune(self, now: datetime) -> None:
        """Forget incidents twice as old as the window: no late alert can bring them back into it."""
        for key in set(self._alerts_of_key) - self.failed_keys:
            for incident in self._incidents_of(key, now):
                if now - incident.last_captured_at > 2 * self._window:
                    for alert in incident.alerts:
                        self._forget(alert)
        before = now - 2 * self._window
        self._corrections.prune(before, self._alerts_of_read)
        self._forget_orphans(before)

    def _forget_orphans(self, before: datetime) -> None:
        """Forget the actions of before a moment whose alerts are unknown, and entries that no alert names.

        The list is asked about an entry again as soon as an alert names it.
        """
        for key, record in list(self._actions.items()):
            action = record.action
            may_retract = action.retracts is not None and (action.site, action.retracts) in self._actions
            if action.at < before and action.alert_id not in self._alerts and not may_retract:
                del self._actions[key]
                _discard(self._actions_of_alert, action.alert_id, key)
        for target, retractions in list(self._retractions.items()):
            retractions.intersection_update(self._actions.keys())
            if not retractions:
                del self._retractions[target]
        for alert_id in self._arrivals_of_alert.keys() - self._alerts.keys():
            for arrival in [one for one in self._arrivals_of_alert[alert_id] if one.captured_at < before]:
                self._forget_arrival(arrival)
        for of_entry in (self._ended, self._listed):
            for entry_id in of_entry.keys() - self._alerts_of_entry.keys():
                del of_entry[entry_id]
        for name in [name for name, counts in self._alert_counts.items() if not counts]:
            del self._alert_counts[name]

    def _forget(self, alert: Alert) -> None:
        self._invalidate(alert.alert_id, *self._linked(alert))
        del self._alerts[alert.alert_id]
        self._uncount_alert(alert.entry)
        _discard(self._alerts_of_key, _key(alert), alert.alert_id)
        _discard(self._arrived, _key(alert), alert.alert_id)
        _discard(self._alerts_of_read, (alert.read.site, alert.read.read_id), alert.alert_id)
        _discard(self._alerts_of_entry, alert.entry.entry_id, alert.alert_id)
        for key in self._actions_of_alert.pop(alert.alert_id, ()):
            if self._actions[key].action.kind != "retracted":  # it may retract an action on another alert
                del self._actions[key]

        for arrival in list(self._arrivals_of_alert.get(alert.alert_id, ())):
            self._forget_arrival(arrival)

    def _forget_arrival(self, arrival: Arrival) -> None:
        self._invalidate(*self._alerts_of_read.get((arrival.site, arrival.read_id), ()))
        _discard(self._arrivals_of_alert, arrival.alert_id, arrival)
        read = (arrival.site, arrival.read_id)
        left = self._arrivals_of_alert.get(arrival.alert_id, ())
        if read not in {(other.site, other.read_id) for other in left}:
            _discard(self._alerts_of_arrival, read, arrival.alert_id)

    def _uncount_alert(self, entry: Entry) -> None:
        counts = self._alert_counts[entry.list]
        counts[entry.entry_id] -= 1
        if not counts[entry.entry_id]:
            del counts[entry.entry_id]

    def _incidents_of(self, key: Key, now: datetime) -> tuple[Incident, ...]:
        if key not in self._alerts_of_key:
            return ()
        cached = self._cached.get(key)
        if cached is None or not cached.since <= now < cached.until:
            alerts = self._alerts_in_order(key)
            stays = [self._incident(stay, now) for stay in self._stays(alerts)]
            ends = [self._end_of(alert) for alert in alerts]
            self._cached[key] = cached = _CachedIncidents(
                with_later_stays(stays, self._review_below_score),
                since=max((end for end in ends if end <= now), default=_EARLIEST),
                until=min((end for end in ends if end > now), default=_LATEST),
            )
        return cached.incidents

    def _alerts_in_order(self, key: Key) -> list[Alert]:
        return sorted((self._alerts[alert_id] for alert_id in self._alerts_of_key[key]), key=capture_order)

    def _stays(self, alerts: Sequence[Alert]) -> Iterator[list[Alert]]:
        """Cut alerts of one text in order of capture into stays, each of one vehicle."""
        for of_any_vehicle in self._without_long_gaps(alerts):
            for of_vehicle in split_by_vehicle(of_any_vehicle):
                yield from self._without_long_gaps(of_vehicle)

    def _without_long_gaps(self, alerts: Sequence[Alert]) -> Iterator[list[Alert]]:
        """Cut alerts in order of capture where the vehicle was away for longer than the gap."""
        stay: list[Alert] = []
        for alert in alerts:
            if stay and alert.captured_at - stay[-1].captured_at > self._stay_gap:
                yield stay
                stay = []
            stay.append(alert)
        if stay:
            yield stay

    def _incident(self, stay: Sequence[Alert], now: datetime) -> Incident:
        not_superseded = [alert for alert in stay if not self._corrections.has_superseded(alert)]
        standing = [alert for alert in not_superseded if not self._is_withdrawn(alert, now)]
        actions = self._actions_on(stay)
        retracted = frozenset(action_key(record.action) for record in actions if self._is_retracted(record.action))
        arrivals = self._standing_arrivals(stay)
        alerts_there = {arrival: alert for arrival in arrivals if (alert := self._raised_by(arrival))}
        return build_incident(
            stay,
            standing,
            actions,
            arrivals,
            alerts_there=alerts_there,
            of_others=frozenset(one for one, alert in alerts_there.items() if self._was_another_vehicle(alert)),
            expected_by={alert for own in stay for alert in self._expecting(own)},
            retracted=retracted,
            withdrawn=len(standing) < len(not_superseded),
            listed_again=any(self._has_ended(alert) for alert in standing),
        )

    def _actions_on(self, stay: Sequence[Alert]) -> list[ActionAtOffset]:
        return [self._actions[key] for alert in stay for key in self._actions_of_alert.get(alert.alert_id, ())]

    def _was_another_vehicle(self, alert: Alert) -> bool:
        """Tell whether the port of an alert has settled it as another vehicle.

        Only facts are asked, no incident: two incidents that expect each other would ask without end.
        """
        stay = next(stay for stay in self._stays(self._alerts_in_order(_key(alert))) if alert in stay)
        actions = [record for record in self._actions_on(stay) if not self._is_retracted(record.action)]
        return was_another_vehicle(alert, stay, actions)

    def _linked(self, alert: Alert) -> set[str]:
        """Return the alerts whose incidents this one belongs to as well, by an arrival; see `Incident`."""
        arrivals = self._arrivals_of_alert.get(alert.alert_id, ())
        reads = [(arrival.site, arrival.read_id) for arrival in arrivals]
        return {
            *self._alerts_of_arrival.get((alert.read.site, alert.read.read_id), ()),
            *(alert_id for read in reads for alert_id in self._alerts_of_read.get(read, ())),
        }

    def _raised_by(self, arrival: Arrival) -> Alert | None:
        """Return the alert that a sighting of an expected vehicle raised by the entry that made it expected."""
        expecting = self._alerts[arrival.alert_id]
        raised = (self._alerts[one] for one in self._alerts_of_read.get((arrival.site, arrival.read_id), ()))
        of_entry = (alert for alert in raised if _is_raised_by(alert, arrival, expecting))
        return min(of_entry, key=capture_order, default=None)

    def _expecting(self, alert: Alert) -> Iterator[Alert]:
        """Yield the alerts of other sites that made a vehicle expected, whose arrival is the read of this alert."""
        for alert_id in self._alerts_of_arrival.get((alert.read.site, alert.read.read_id), ()):
            expecting = self._alerts.get(alert_id)
            if expecting is not None and any(
                _is_raised_by(alert, arrival, expecting) for arrival in self._standing_arrivals([expecting])
            ):
                yield expecting

    def _standing_arrivals(self, stay: Sequence[Alert]) -> list[Arrival]:
        """Return the arrivals that name an alert of the stay and whose read no other has replaced."""
        return [
            arrival
            for alert in stay
            for arrival in self._arrivals_of_alert.get(alert.alert_id, ())
            if not self._corrections.has_replaced(arrival.site, arrival.camera, arrival.read_id, arrival.captured_at)
        ]

    def _add_listed(self, listed: EntryListed, said_by: str) -> None:
        """Add how an entry is listed, as the list itself or the alerts of a site say."""
        entry_id, version = listed.entry.entry_id, _version(listed)
        versions = self._listed[entry_id]
        known_version = versions.get(said_by)
        if known_version is None or known_version < version:
            is_same = known_version is not None and all(known[1:] == version[1:] for known in versions.values())
            versions[said_by] = version
            if is_same and entry_id not in self._ended:
                return  # for an entry that never ended, a newer generation alone changes nothing
            self._invalidate(*self._alerts_of_entry.get(entry_id, ()))

    def _version_for(self, alert: Alert) -> _ListedVersion:
        """Return how an alert's entry is listed now, as far as the list and the alert's own site have said."""
        versions = self._listed[alert.entry.entry_id]
        of_site = versions[alert.read.site]
        return max(of_site, versions.get(_THE_LIST, of_site))

    def _is_withdrawn(self, alert: Alert, now: datetime) -> bool:
        if self._end_of(alert) <= now or self._has_become_covert(alert):
            return True
        return self._has_ended(alert) and not self._is_listed_again(alert)

    def _has_become_covert(self, alert: Alert) -> bool:
        """Tell whether the entry of an open alert is covert now: the alert would show it to people without the right.

        An entry changes so in place, or by its end and another listing.
        """
        handling = self._version_for(alert).handling
        return handling != alert.entry.handling and is_covert_handling(handling)

    def _end_of(self, alert: Alert) -> datetime:
        """Return when the validity of an alert's entry ends at the alert's site."""
        return self._days.ends_at(self._version_for(alert), alert.read.site)

    def _has_ended(self, alert: Alert) -> bool:
        ended = self._ended.get(alert.entry.entry_id)
        return ended is not None and alert.entry.revision < ended.revision

    def _is_listed_again(self, alert: Alert) -> bool:
        """Tell whether the entry, which has ended since this alert, is listed again and is the same."""
        version, entry = self._version_for(alert), alert.entry
        return version.generation > self._ended[entry.entry_id].revision and is_same_plate(
            version.plate, entry.plate, entry.country
        )

    def _is_retracted(self, action: Action) -> bool:
        """Tell whether the site of an action has retracted it. A retraction itself cannot be retracted."""
        return action.kind != "retracted" and any(
            record.action.kind == "retracted" and record.action.retracts == action.action_id
            for record in map(self._actions.get, self._retractions.get(action_key(action), ()))
            if record is not None
        )

    def _invalidate(self, *alert_ids: str) -> None:
        """Drop the cached incidents of these alerts' keys, and note that the keys have changed.

        Those change too that expected a vehicle for which one of these keys was taken. Ids of alerts that have not
        come yet are ignored.
        """
        for alert_id in alert_ids:
            if alert_id in self._alerts:
                key = _key(self._alerts[alert_id])
                self._drop(key)
                for arrived in self._arrived.get(key, ()):
                    read = self._alerts[arrived].read
                    for expecting in self._alerts_of_arrival.get((read.site, read.read_id), ()):
                        if expecting in self._alerts:
                            self._drop(_key(self._alerts[expecting]))

    def _drop(self, key: Key) -> None:
        self._cached.pop(key, None)
        for changed_keys in self._change_sets:
            changed_keys.add(key)


def empty_board(settings: Settings) -> Board:
    """Return a board without facts, as the settings say."""
    return Board(
        timedelta(minutes=settings.board.stay_gap_minutes),
        timedelta(hours=settings.board.window_hours),
        LocalDays(settings.zones),
        settings.console.review_below_score,
    )


def _version(listed: EntryListed) -> _ListedVersion:
    entry = listed.entry
    last_day = entry.valid_until_day.isoformat() if entry.valid_until_day else ""
    return _ListedVersion(listed.generation, entry.revision, entry.valid_until, last_day, entry.plate, entry.handling)


def _discard(sets: dict[K, set[M]], key: K, member: M) -> None:
    """Remove a member from a set, and an empty set from its dictionary."""
    if key not in sets:
        return
    sets[key].discard(member)
    if not sets[key]:
        del sets[key]


def _is_raised_by(alert: Alert, arrival: Arrival, expecting: Alert) -> bool:
    """Tell whether an alert is about the read of an arrival, by the entry that made the vehicle expected."""
    read = (alert.read.site, alert.read.camera, alert.read.read_id, alert.captured_at)
    return (
        read == (arrival.site, arrival.camera, arrival.read_id, arrival.captured_at)
        and alert.entry.entry_id == expecting.entry.entry_id
        and alert.read.site != expecting.read.site
    )


def _key(alert: Alert) -> Key:
    return (alert.read.site, alert.plate)
