"""The board: a fold over alerts, corrections, actions and list changes. Pure.

Theory of operation: the board keeps facts in sets and dictionaries keyed by what makes each fact itself (an
alert's id, a superseded read, an action's id, an ended entry). Adding a fact is commutative, associative and
idempotent. What officers see, the incidents, is worked out from those sets alone. So any process that has read the
topics shows the same board, whatever came late, twice or again after a restart.

Incidents are worked out per (site, plate) when somebody looks, and kept until a fact touches that key.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeVar

from anpr.board.incident import ActionKey, Incident, PlacedAction, action_key, build, merge, urgency
from anpr.contracts.events import (
    Action,
    Alert,
    Correction,
    Entry,
    EntryEnded,
    EntryListed,
    Generation,
    encode,
    is_covert_handling,
)
from anpr.contracts.plates import canonical_pattern

Key = tuple[str, str]
K = TypeVar("K")
M = TypeVar("M")


# Before and after every time that is told.
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class _WorkedOut(NamedTuple):
    """Incidents of a key, as they are from `since` until `until` unless a fact comes: entries expire in between."""

    incidents: tuple[Incident, ...]
    since: datetime
    until: datetime


class _Word(NamedTuple):
    """What was said of an entry, in the order in which it counts: that of the newest generation."""

    generation: Generation
    revision: Generation
    valid_until: datetime
    plate: str
    handling: str


class Board:
    """All incidents whose last alert was captured within `window`, of every site whose facts it is given."""

    def __init__(self, stay_gap: timedelta, window: timedelta) -> None:
        """Alerts of one plate at one site belong to one stay while their gaps are at most `stay_gap`."""
        self._stay_gap = stay_gap
        self._window = window
        self._alerts: dict[str, Alert] = {}
        self._alerts_of_key: defaultdict[Key, set[str]] = defaultdict(set)
        self._alerts_of_read: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._alerts_of_entry: defaultdict[str, set[str]] = defaultdict(set)
        # By list, how many alerts name an entry of it.
        self._named: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._superseded: set[tuple[str, str]] = set()
        self._actions: dict[ActionKey, PlacedAction] = {}
        self._actions_of_alert: defaultdict[str, set[ActionKey]] = defaultdict(set)
        self._retractions: defaultdict[ActionKey, set[ActionKey]] = defaultdict(set)
        self._ended: dict[str, EntryEnded] = {}
        self._listed: dict[str, _Word] = {}
        self._worked_out: dict[Key, _WorkedOut] = {}
        self._followers: list[set[Key]] = []

    def add_alert(self, alert: Alert) -> None:
        """Take an alert in; one that is known already merges with what is known."""
        told = EntryListed(entry=alert.entry, generation=alert.generation)
        known = self._alerts.get(alert.alert_id)
        if known is not None:
            self._touch(known.alert_id)
            _take_out(self._alerts_of_key, _key(known), known.alert_id)
            self._name_no_more(known.entry)
            alert = merge(known, alert)
        self._alerts[alert.alert_id] = alert
        self._alerts_of_key[_key(alert)].add(alert.alert_id)
        self._alerts_of_read[alert.read.site, alert.read.read_id].add(alert.alert_id)
        self._alerts_of_entry[alert.entry.entry_id].add(alert.alert_id)
        self._named[alert.entry.list][alert.entry.entry_id] += 1
        self._touch(alert.alert_id)
        self.add_listed(told)

    def add_correction(self, correction: Correction) -> None:
        """Take the superseded read's alerts from what is open, now or when they come."""
        read = (correction.site, correction.supersedes)
        self._superseded.add(read)
        self._touch(*self._alerts_of_read.get(read, ()))

    def add_action(self, action: Action, offset: int) -> None:
        """Take in what an officer did. `offset` is the record's place in the actions topic of the action's site."""
        placed = PlacedAction(action, offset)
        key = action_key(action)
        known = self._actions.get(key)
        if known is not None:
            _take_out(self._actions_of_alert, known.action.alert_id, key)
            self._touch(known.action.alert_id)
            placed = min(placed, known, key=lambda placed: (placed.offset, encode(placed.action)))
        self._actions[key] = placed
        self._actions_of_alert[placed.action.alert_id].add(key)
        self._touch(placed.action.alert_id)
        for retraction in (action, known.action if known else action):
            if retraction.kind == "retracted" and retraction.retracts is not None:
                target = (action.site, retraction.retracts)
                self._retractions[target].add(key)
                retracted = self._actions.get(target)
                self._touch(*([retracted.action.alert_id] if retracted else []))

    def add_ended(self, ended: EntryEnded) -> None:
        """Withdraw what an entry raised under the revisions before the one that ended it, unless it is back since."""
        known = self._ended.get(ended.entry_id)
        if known is None or known.revision < ended.revision:
            self._ended[ended.entry_id] = ended
            self._touch(*self._alerts_of_entry.get(ended.entry_id, ()))

    def add_listed(self, listed: EntryListed) -> None:
        """Take in what a list says of an entry; of all that is said the word of the newest generation counts.

        Once its `valid_until` is over, what the entry raised is withdrawn: so a longer one keeps alerts standing and
        a shorter one ends them. What was withdrawn because the entry had ended is open again when it is back.
        """
        entry = listed.entry
        word = _Word(listed.generation, entry.revision, entry.valid_until, entry.plate, entry.handling)
        known = self._listed.get(entry.entry_id)
        if known is None or known < word:
            self._listed[entry.entry_id] = word
            if known is not None and known[1:] == word[1:] and entry.entry_id not in self._ended:
                return  # a newer generation alone says nothing of an entry that never ended
            self._touch(*self._alerts_of_entry.get(entry.entry_id, ()))

    def incidents(self, now: datetime) -> list[Incident]:
        """Return the incidents in the window at `now`: what is open first, and of that the most urgent."""
        return sorted((one for key in self._alerts_of_key for one in self.incidents_of(key, now)), key=urgency)

    def incidents_of(self, key: Key, now: datetime) -> list[Incident]:
        """Return the incidents of one (site, plate) in the window at `now`."""
        return [one for one in self._incidents_of(key, now) if now - one.last_captured_at <= self._window]

    def changes_at(self, key: Key, now: datetime) -> datetime | None:
        """Return when time alone will change the incidents of a key: an entry ends, or one leaves the window."""
        shown = self.incidents_of(key, now)
        if not shown:
            return None
        return min(self._worked_out[key].until, min(one.last_captured_at for one in shown) + self._window)

    def keys(self) -> list[Key]:
        """Return every (site, plate) of which anything is known."""
        return list(self._alerts_of_key)

    def follow(self) -> set[Key]:
        """Return a set that gets each (site, plate) that changes from now on. Whoever follows empties it."""
        self._followers.append(set())
        return self._followers[-1]

    def incident_of(self, alert_id: str, now: datetime) -> Incident | None:
        """Return the incident that an alert belongs to, as of `now`; an old id leads to what took it in."""
        alert = self._alerts.get(alert_id)
        if alert is None:
            return None
        return next(
            incident
            for incident in self._incidents_of(_key(alert), now)
            if any(member.alert_id == alert_id for member in incident.alerts)
        )

    def has_action(self, site: str, action_id: str) -> bool:
        """Tell whether what was done at a site has been read."""
        return (site, action_id) in self._actions

    def entries_named(self) -> dict[str, set[str]]:
        """Return, by list, the entries that incidents name: what becomes of them the list must be asked for.

        Settled incidents too: a board that heard the end while one was open shows it withdrawn, and so must a board
        that was opened later. Kept up with each alert, for it is asked for several times a second.
        """
        return {name: set(entries) for name, entries in self._named.items()}

    def prune(self, now: datetime) -> None:
        """Forget incidents so old that no late alert can bring them back into the window: twice as old as it."""
        for key in list(self._alerts_of_key):
            for incident in self._incidents_of(key, now):
                if now - incident.last_captured_at > 2 * self._window:
                    for alert in incident.alerts:
                        self._forget(alert)

    def _forget(self, alert: Alert) -> None:
        self._touch(alert.alert_id)
        del self._alerts[alert.alert_id]
        self._name_no_more(alert.entry)
        _take_out(self._alerts_of_key, _key(alert), alert.alert_id)
        _take_out(self._alerts_of_read, (alert.read.site, alert.read.read_id), alert.alert_id)
        _take_out(self._alerts_of_entry, alert.entry.entry_id, alert.alert_id)
        for key in self._actions_of_alert.pop(alert.alert_id, ()):
            if self._actions[key].action.kind != "retracted":  # it may take back what was done elsewhere
                del self._actions[key]

    def _name_no_more(self, entry: Entry) -> None:
        named = self._named[entry.list]
        named[entry.entry_id] -= 1
        if not named[entry.entry_id]:
            del named[entry.entry_id]

    def _incidents_of(self, key: Key, now: datetime) -> tuple[Incident, ...]:
        if key not in self._alerts_of_key:
            return ()
        known = self._worked_out.get(key)
        if known is None or not known.since <= now < known.until:
            alerts = sorted(
                (self._alerts[alert_id] for alert_id in self._alerts_of_key[key]),
                key=lambda alert: (alert.captured_at, alert.alert_id),
            )
            ends = [self._listed[alert.entry.entry_id].valid_until for alert in alerts]
            self._worked_out[key] = known = _WorkedOut(
                tuple(self._incident(stay, now) for stay in self._stays(alerts)),
                since=max((end for end in ends if end <= now), default=_FIRST),
                until=min((end for end in ends if end > now), default=_LAST),
            )
        return known.incidents

    def _stays(self, alerts: Sequence[Alert]) -> Iterator[list[Alert]]:
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
        not_superseded = [a for a in stay if (a.read.site, a.read.read_id) not in self._superseded]
        standing = [alert for alert in not_superseded if not self._is_withdrawn(alert, now)]
        placed = [self._actions[done] for alert in stay for done in self._actions_of_alert.get(alert.alert_id, ())]
        retracted = frozenset(action_key(p.action) for p in placed if self._is_retracted(p.action))
        return build(
            stay,
            standing,
            placed,
            retracted=retracted,
            withdrawn=len(standing) < len(not_superseded),
            listed_again=any(self._has_ended(alert) for alert in standing),
        )

    def _is_withdrawn(self, alert: Alert, now: datetime) -> bool:
        is_over = self._listed[alert.entry.entry_id].valid_until <= now
        return is_over or (self._has_ended(alert) and not self._is_back(alert))

    def _has_ended(self, alert: Alert) -> bool:
        ended = self._ended.get(alert.entry.entry_id)
        return ended is not None and alert.entry.revision < ended.revision

    def _is_back(self, alert: Alert) -> bool:
        """Tell whether the entry, which has ended since this alert, was put in force again and is the same.

        It is not for an open alert whose entry is covert now: that would tell those who may not know of it.
        """
        word, entry = self._listed[alert.entry.entry_id], alert.entry
        return (
            word.generation > self._ended[entry.entry_id].revision
            and canonical_pattern(word.plate) == canonical_pattern(entry.plate)
            and (word.handling == entry.handling or not is_covert_handling(word.handling))
        )

    def _is_retracted(self, action: Action) -> bool:
        """Tell whether the site that did this has taken it back. A retraction itself stays."""
        return action.kind != "retracted" and any(
            placed.action.kind == "retracted" and placed.action.retracts == action.action_id
            for placed in map(self._actions.get, self._retractions.get(action_key(action), ()))
            if placed is not None
        )

    def _touch(self, *alert_ids: str) -> None:
        """Forget what was worked out for the keys of these alerts, as far as they are known yet."""
        for alert_id in alert_ids:
            if alert_id in self._alerts:
                key = _key(self._alerts[alert_id])
                self._worked_out.pop(key, None)
                for changed in self._followers:
                    changed.add(key)


def _take_out(sets: dict[K, set[M]], key: K, member: M) -> None:
    """Take a member out of a set, and an empty set out of its dictionary."""
    sets[key].discard(member)
    if not sets[key]:
        del sets[key]


def _key(alert: Alert) -> Key:
    return (alert.read.site, alert.plate)
