"""An incident: what an officer acts on. One stay of one listed plate at one site, with all that is known of it.

Pure.

Everything here is worked out from sets of facts, never from the order in which they came, so that every board that
has read the same topics shows the same incidents.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from anpr.contracts.events import KINDS, TIERS, Action, Alert, encode

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

STATUSES = ("open", "closed", "withdrawn", "corrected")

# What makes an action itself: its site and its id there. So no site can put an action in the place of another's.
ActionKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class PlacedAction:
    """An action and its place in its site's actions topic: the place decides between two claims, not the clocks."""

    action: Action
    offset: int


class Incident(Struct, frozen=True, kw_only=True):
    """One stay of one listed plate at one site.

    `status` is `open` while an alert stands that no outcome covers; `closed` when outcomes cover all that stand;
    `withdrawn` when none stands because its entries left the list; `corrected` when every read was superseded.
    `standing` are the alerts that neither a correction nor a withdrawal has taken away, `best` the surest of them
    (of all, when none stands). `holders` names who has it in hand, by site.
    `actions` is all that officers did, in the order of each site's topic; those in `retracted` count for nothing.
    `listed_again` tells that an alert stands whose entry had been taken off its list since, and is back.
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
    retracted: frozenset[str]
    listed_again: bool = False

    @property
    def priority(self) -> int:
        """The highest priority (the lowest number) of the entries that speak for it."""
        return min(alert.entry.priority for alert in self.standing or self.alerts)

    @property
    def first_captured_at(self) -> datetime:
        """When the vehicle was first seen in this stay."""
        return self.alerts[0].captured_at

    @property
    def last_captured_at(self) -> datetime:
        """When the vehicle was last seen in this stay."""
        return self.alerts[-1].captured_at

    @property
    def has_covert(self) -> bool:
        """Whether some of its alerts are only for people with the covert permission."""
        return any(alert.is_covert for alert in self.alerts)


def merge(one: Alert, other: Alert) -> Alert:
    """Return the one alert that two of one id make, whichever comes first.

    The content is that of the highest generation, the kind the most urgent, `raised_at` the earliest.
    """
    if one == other:
        return one
    content = max(one, other, key=_content_order)
    kind = min(one.kind, other.kind, key=lambda kind: (rank(kind, KINDS), kind))
    return msgspec.structs.replace(content, kind=kind, raised_at=min(one.raised_at, other.raised_at))


def build(  # noqa: PLR0913  all that is known of a stay
    stay: Sequence[Alert],
    standing: Sequence[Alert],
    placed: Iterable[PlacedAction],
    *,
    retracted: frozenset[ActionKey],
    withdrawn: bool,
    listed_again: bool,
) -> Incident:
    """Put an incident together.

    `stay` is all its alerts in order of capture; `standing` those of them that neither a correction nor a
    withdrawal has taken away; `placed` the actions on the stay, of which those in `retracted` were taken back;
    `withdrawn` tells whether a withdrawal took any of its alerts; `listed_again` whether any stands all the same.
    """
    in_order = sorted(placed, key=lambda placed: (placed.action.site, placed.offset, placed.action.action_id))
    actions = tuple(placed.action for placed in in_order)
    counting = [action for action in actions if action_key(action) not in retracted]
    best = min(standing or stay, key=sureness)
    return Incident(
        incident_id=stay[0].alert_id,
        site=best.read.site,
        plate=best.plate,
        status=_status(stay, standing, counting, withdrawn=withdrawn),
        best=best,
        holders=_holders(counting),
        alerts=tuple(stay),
        standing=tuple(standing),
        actions=actions,
        retracted=frozenset(action_id for _, action_id in retracted),
        listed_again=listed_again,
    )


def sureness(alert: Alert) -> tuple[int, int, int, datetime, str]:
    """Return the order in which the alerts of one incident speak for it: surest tier first, then priority."""
    return (
        rank(alert.tier, TIERS),
        alert.entry.priority,
        rank(alert.kind, KINDS),
        alert.captured_at,
        alert.alert_id,
    )


def urgency(incident: Incident) -> tuple[object, ...]:
    """Return the order of a board: open first, then the highest priority, the surest, live before late, oldest."""
    return (rank(incident.status, STATUSES), incident.priority, *sureness(incident.best))


def action_key(action: Action) -> ActionKey:
    """Return what makes an action itself."""
    return (action.site, action.action_id)


def rank(value: str, known: Sequence[str]) -> int:
    """Return the place of a value among the known ones. An unknown one needs a person and comes before them."""
    return known.index(value) if value in known else -1


def _content_order(alert: Alert) -> tuple[object, ...]:
    content = msgspec.structs.replace(alert, kind="", raised_at=_EPOCH)
    return (alert.generation, alert.entry.revision, encode(content))


def _status(stay: Sequence[Alert], standing: Sequence[Alert], actions: Sequence[Action], *, withdrawn: bool) -> str:
    if not standing:
        return "withdrawn" if withdrawn else "corrected"
    covered = _covered(stay, actions)
    return "closed" if all(_is_covered(alert, covered) for alert in standing) else "open"


def _covered(stay: Sequence[Alert], actions: Sequence[Action]) -> dict[str, set[str]]:
    """Return, by entry, the tiers at which an outcome has settled it."""
    by_id = {alert.alert_id: alert for alert in stay}
    covered: dict[str, set[str]] = {}
    for action in actions:
        if action.kind != "outcome":
            continue
        named = by_id[action.alert_id]
        covered.setdefault(named.entry.entry_id, set()).add(named.tier)
        for cover in action.covers:
            covered.setdefault(cover.entry_id, set()).add(cover.tier)
    return covered


def _is_covered(alert: Alert, covered: dict[str, set[str]]) -> bool:
    """Tell whether an outcome was given with this entry seen at this tier or at a better one."""
    tiers = covered.get(alert.entry.entry_id, set())
    place = rank(alert.tier, TIERS)
    return alert.tier in tiers or (place >= 0 and any(0 <= rank(tier, TIERS) < place for tier in tiers))


def _holders(actions: Iterable[Action]) -> dict[str, str]:
    """Return who has the incident in hand at each site. The first claim holds until its officer lets go."""
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
