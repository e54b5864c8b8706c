"""The entries of `turned_away` follow from actions and alerts alone, in any order, with any repetition or crash."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from anpr.contracts.events import Action, Alert, Entry
from anpr.runtime.settings import BoardSettings, Site
from anpr.turned_away.outcomes import TurnedAwayOutcomes, changes_to_make, entries_to_list
from tests.support.strategies import NOON, a_read, an_action, an_alert, an_entry, minutes

SITES = {name: Site(name.title(), "kafka", "redis") for name in ("calais", "coquelles", "dover")}
STAY_GAP = timedelta(minutes=30)
DAY = timedelta(hours=24)
LISTED = (
    an_entry("open", plate="AB12 CDE"),
    an_entry("covert", plate="CV77RST", handling="covert"),
    an_entry("pattern", plate="XY1?*"),
)
AS_READ = {"open": "AB12CDE", "covert": "CV77RST", "pattern": "XY12ABC"}


class Known(NamedTuple):
    """A record as the keeper gets it."""

    fact: Alert | Action
    offset: int
    arrived_at: datetime
    is_covert: bool


@st.composite
def records(draw: st.DrawFn) -> list[Known]:
    """Draw what happened at the ports: vehicles come, officers act, undo, and act on what they have not seen."""
    alerts = []
    for number in range(draw(st.integers(1, 4))):
        entry = draw(st.sampled_from(LISTED))
        read = a_read(
            str(number),
            site=draw(st.sampled_from(("calais", "coquelles"))),
            plate=AS_READ[entry.entry_id],
            captured_at=minutes(draw(st.sampled_from((0, 20, 40, 300)))),
        )
        alerts.append(an_alert(read, entry, plate=AS_READ[entry.entry_id]))
    found = [Known(alert, 0, alert.captured_at, alert.is_covert) for alert in alerts]
    for number in range(draw(st.integers(1, 8))):
        alert = draw(st.sampled_from(alerts))
        kind = draw(st.sampled_from(("outcome", "outcome", "plate_check", "retracted", "claimed")))
        at = minutes(draw(st.integers(0, 1600)))
        action = an_action(
            str(number),
            kind,
            alert,
            site=draw(st.sampled_from(("calais", "dover"))),
            at=at,
            outcome=draw(st.sampled_from(("turned_away", "turned_away", "misread"))) if kind == "outcome" else None,
            plate_check=draw(st.sampled_from(("same", "different", "unreadable"))) if kind == "plate_check" else None,
            retracts=str(draw(st.integers(0, 7))) if kind == "retracted" else None,
        )
        arrived_at = at + timedelta(minutes=draw(st.sampled_from((0, 0, 1, -60))))
        found.append(Known(action, number, arrived_at, alert.is_covert or draw(st.integers(0, 9)) == 0))
    return found


@st.composite
def as_delivered(draw: st.DrawFn, happened: Sequence[Known]) -> list[Known]:
    """Draw an order in which they come, some of them again: a repeated action has a later offset."""
    again = draw(st.lists(st.sampled_from(happened), max_size=4))
    repeats = [one._replace(offset=one.offset + 100) if isinstance(one.fact, Action) else one for one in again]
    return draw(st.permutations([*happened, *repeats]))


def fold(delivered: Sequence[Known]) -> TurnedAwayOutcomes:
    outcomes = TurnedAwayOutcomes(SITES, BoardSettings(stay_gap_minutes=30))
    for fact, offset, arrived_at, is_covert in delivered:
        if isinstance(fact, Alert):
            outcomes.add_alert(fact, is_covert=is_covert)
        else:
            outcomes.add_action(fact, offset, arrived_at, is_covert=is_covert)
    return outcomes


class Vehicle(NamedTuple):
    """What of an entry is compared."""

    plate: str
    sites: set[str]
    turned_away_at: datetime
    until: datetime
    is_covert: bool


def compared(entries: Sequence[Entry]) -> list[Vehicle]:
    found = []
    for entry in entries:
        assert entry.valid_from is not None
        found.append(Vehicle(entry.plate, set(entry.sites), entry.valid_from, entry.valid_until, entry.is_covert))
    return sorted(found, key=str)


def reference(happened: Sequence[Known], now: datetime) -> list[Vehicle]:
    """Return the vehicles on the list by going through everything again and again, as the rules are written."""
    alerts = [one.fact for one in happened if isinstance(one.fact, Alert)]
    records_of_actions = [one for one in happened if isinstance(one.fact, Action)]
    actions = [one.fact for one in records_of_actions if isinstance(one.fact, Action)]
    undone = [(action.site, action.retracts) for action in actions if action.kind == "retracted"]
    standing = [action for action in actions if (action.site, action.action_id) not in undone]
    found = []
    for record in records_of_actions:
        outcome = record.fact
        if not isinstance(outcome, Action) or outcome.outcome != "turned_away" or outcome not in standing:
            continue
        [alert] = [alert for alert in alerts if alert.alert_id == outcome.alert_id]
        stay = stay_of(alert, alerts)
        checks = [
            action.plate_check
            for action in standing
            if action.kind == "plate_check" and action.site == outcome.site and action.alert_id in stay
        ]
        if checks and checks[-1] == "different":
            continue
        turned_away_at = min(outcome.at, record.arrived_at)
        if now >= turned_away_at + DAY:
            continue
        plate = AS_READ["pattern"] if alert.entry.entry_id == "pattern" else alert.entry.plate
        others = SITES.keys() - {outcome.site}
        is_covert = record.is_covert or alert.entry.handling == "covert"
        found.append(Vehicle(plate, set(others), turned_away_at, turned_away_at + DAY, is_covert))
    return sorted(found, key=str)


def stay_of(alert: Alert, alerts: Sequence[Alert]) -> set[str]:
    """Return the ids of the alerts of the same vehicle and site that a chain of short gaps joins to this one."""
    same = [one for one in alerts if (one.read.site, one.plate) == (alert.read.site, alert.plate)]
    stay = {alert.alert_id}
    for _ in same:
        members = [one for one in same if one.alert_id in stay]
        near = [one for one in same if any(abs(one.captured_at - m.captured_at) <= STAY_GAP for m in members)]
        stay |= {one.alert_id for one in near}
    return stay


@given(st.data(), records())
def test_the_entries_at_any_moment_are_those_of_a_slow_plain_reference(
    data: st.DataObject, happened: list[Known]
) -> None:
    ends = [min(one.fact.at, one.arrived_at) + DAY for one in happened if isinstance(one.fact, Action)]
    now = data.draw(st.sampled_from(ends) | st.integers(0, 3200).map(minutes))
    delivered = data.draw(as_delivered(happened))
    listed = entries_to_list(fold(delivered).decisions(now))
    assert compared(list(listed.values())) == reference(happened, now)
    assert {entry_id: entry.entry_id for entry_id, entry in listed.items()} == {key: key for key in listed}


@given(st.data(), records())
def test_wherever_the_keeper_is_killed_the_list_ends_as_if_it_had_not_been(
    data: st.DataObject, happened: list[Known]
) -> None:
    delivered = data.draw(as_delivered(happened))
    listed: dict[str, Entry] = {}
    read = 0
    now = NOON
    while read < len(delivered):
        read += data.draw(st.integers(1, 4))
        now += timedelta(minutes=data.draw(st.integers(0, 500)))
        restarted = fold(delivered[:read])  # each time one that has only just started
        put, removed = changes_to_make(restarted.decisions(now), listed)
        if data.draw(st.booleans()):  # it is killed between the two changes, and between them and the next
            removed = []
        if data.draw(st.booleans()):
            put = []
        listed = after(listed, put, removed, now)
    outcomes = fold(delivered)
    listed = after(listed, *changes_to_make(outcomes.decisions(now), listed), now)
    assert compared(list(listed.values())) == reference(happened, now)
    assert changes_to_make(outcomes.decisions(now), listed) == ([], []), "a repetition changes nothing"
    over = now + 4 * DAY
    assert changes_to_make(fold(delivered).decisions(over), {}) == ([], []), "a replay adds nothing that is over"


def after(listed: dict[str, Entry], put: Sequence[Entry], removed: Sequence[str], now: datetime) -> dict[str, Entry]:
    """Return the list after a change, without what the list keeper removes because it has ended."""
    changed = {key: entry for key, entry in listed.items() if key not in removed}
    changed |= {entry.entry_id: entry for entry in put}
    return {key: entry for key, entry in changed.items() if now < entry.valid_until}
