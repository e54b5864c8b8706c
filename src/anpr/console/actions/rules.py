"""The rules of each command that an officer gives on an incident, and the actions that it makes. Pure.

An incident may hold open and covert alerts together. Then:
- Claims, releases and plate checks name an open alert and go to the open topic: everybody may know of them.
- A comment goes to the covert topic.
- An outcome goes to both topics, on each for the entries that its readers know of. Its note goes to the covert topic.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from anpr.board.incident import OTHER_VEHICLE, Incident, capture_order, certainty_order, rank
from anpr.contracts.events import OUTCOMES, PLATE_CHECKS, TIERS, Action, Alert, Cover
from anpr.contracts.readings import effective_tier
from anpr.contracts.topics import AddressedAction

MAX_NOTE_CHARACTERS: Final = 2000


class ActionRefusedError(Exception):
    """The command cannot be carried out now. The text tells the officer why.

    `field` is the field of the form that must be mended, "" when none is at fault.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Actor:
    """The officer who gives a command, at which site and when.

    Attributes:
        may_take_over: Whether they may act on what others have claimed, as a supervisor may.
        is_overdue: Whether a claim at this site is overdue (`board.claims`): any officer may take it over.
        may_claim: Whether this site may claim the incident.
        colleagues: Who can be handed the incident.
        action_ids: Two fresh ids. An outcome may need both, one for each topic.
    """

    officer: str
    site: str
    may_take_over: bool
    is_overdue: bool
    may_claim: bool
    at: datetime
    colleagues: frozenset[str]
    action_ids: Sequence[str]


def claim(incident: Incident, actor: Actor, _: Mapping[str, str]) -> list[AddressedAction]:
    """Claim the incident. When two officers claim at the same moment, the order of the topic decides."""
    if not actor.may_claim:
        why = (
            "The vehicle is not at your port or on its way to it. The port where it was seen deals with it."
            if incident.status == "open"
            else "It is no longer open."
        )
        raise ActionRefusedError(f"You cannot claim this. {why}")
    if holder := incident.holders.get(actor.site):
        raise ActionRefusedError(
            "You have already claimed this." if holder == actor.officer else f"{holder} has already claimed this."
        )
    return _single_action(incident, actor, "claimed")


def still_with_it(incident: Incident, actor: Actor, _: Mapping[str, str]) -> list[AddressedAction]:
    """Say that the officer still deals with what they have claimed."""
    holder = incident.holders.get(actor.site)
    if holder != actor.officer:
        who = f"{holder} has" if holder else "Nobody has"
        raise ActionRefusedError(f"You have not claimed this. {who} claimed it.")
    return _single_action(incident, actor, "attended")


def release(incident: Incident, actor: Actor, form: Mapping[str, str]) -> list[AddressedAction]:
    """Release the incident, so that others are asked to claim it."""
    holder = _holder_to_act_on(incident, actor)
    _must_be_holder_shown(holder, form)
    return _single_action(incident, actor, "released", holder=_other_holder(holder, actor))


def hand_over(incident: Incident, actor: Actor, form: Mapping[str, str]) -> list[AddressedAction]:
    """Hand the incident to a colleague, who is the holder from that moment."""
    holder = _holder_to_act_on(incident, actor)
    _must_be_holder_shown(holder, form)
    to = form.get("to", "")
    if to not in actor.colleagues:
        cleared = " with covert permission, because this incident is covert" if incident.has_covert else ""
        raise ActionRefusedError(f"Select a colleague at this site{cleared}.", "to")
    return _single_action(incident, actor, "released", holder=_other_holder(holder, actor), hands_to=to)


def take_over(incident: Incident, actor: Actor, form: Mapping[str, str]) -> list[AddressedAction]:
    """Take over an incident that somebody else has claimed, as a supervisor may, and anybody once it is overdue."""
    holder = incident.holders.get(actor.site) if actor.is_overdue else None
    holder = holder or _holder_to_act_on(incident, actor)
    if holder == actor.officer:
        raise ActionRefusedError("You have already claimed this.")
    _must_be_holder_shown(holder, form)
    return _single_action(incident, actor, "released", holder=holder, hands_to=actor.officer)


def check_plate(incident: Incident, actor: Actor, form: Mapping[str, str]) -> list[AddressedAction]:
    """Record whether the plate on the vehicle is the listed one, as the officer saw it."""
    _must_be_holder(incident, actor)
    value = form.get("plate_check", "")
    if value not in PLATE_CHECKS:
        raise ActionRefusedError("Select whether the plate is the same, different, or cannot be read.")
    return _single_action(incident, actor, "plate_check", plate_check=value)


def give_outcome(incident: Incident, actor: Actor, form: Mapping[str, str]) -> list[AddressedAction]:
    """Give the outcome of the alerts that the officer saw (docs/adr/0004): the form's `seen` holds their ids."""
    _must_be_holder(incident, actor)
    plate_check = incident.plate_check_at(actor.site)
    if plate_check is None:
        raise ActionRefusedError("Check the plate by eye first. Then record the outcome.")
    value = form.get("outcome", "")
    if value not in OUTCOMES:
        raise ActionRefusedError("Select an outcome.", "outcome")
    if value not in fitting_outcomes(plate_check):
        raise ActionRefusedError(
            "This outcome contradicts your plate check. If the check was wrong, check the plate again.", "outcome"
        )
    seen_ids = set(form.get("seen", "").split())
    seen_alerts = [alert for alert in incident.alerts if alert.alert_id in seen_ids] or [incident.best]
    note = _note(form)
    addressed_actions: list[AddressedAction] = []
    for is_covert in (False, True):
        if alerts := [alert for alert in seen_alerts if alert.is_covert == is_covert]:
            has_note = is_covert or not incident.has_covert
            action = _outcome(actor, alerts, value, note if has_note else "", actor.action_ids[is_covert])
            addressed_actions.append(AddressedAction(action, is_covert))
    return addressed_actions


def _outcome(actor: Actor, alerts: Sequence[Alert], outcome: str, note: str, action_id: str) -> Action:
    """Return the outcome of these alerts. It covers each of their entries, at the surest tier that was seen.

    If it was another vehicle, the outcome settles nothing that comes later, so it names the last of them.
    """
    surest_first = sorted(alerts, key=certainty_order)
    least_sure_first = sorted(alerts, key=lambda alert: rank(effective_tier(alert), TIERS), reverse=True)
    tiers = {alert.entry.entry_id: effective_tier(alert) for alert in least_sure_first}
    covers = tuple(Cover(entry_id=entry_id, tier=tier) for entry_id, tier in sorted(tiers.items()))
    named = max(alerts, key=capture_order) if outcome in OTHER_VEHICLE else surest_first[0]
    return _action(actor, named, "outcome", action_id, outcome=outcome, covers=covers, note=note)


def comment(incident: Incident, actor: Actor, form: Mapping[str, str]) -> list[AddressedAction]:
    """Write a comment that stays with the incident."""
    note = _note(form)
    if not note:
        raise ActionRefusedError("Enter a comment.", "note")
    return _single_action(incident, actor, "comment", covert=incident.has_covert, note=note)


def take_back(incident: Incident, actor: Actor, form: Mapping[str, str]) -> list[AddressedAction]:
    """Undo an action of this site. A supervisor can undo any action, an officer only their own. Both stay visible."""
    action = next(
        (a for a in incident.actions if (a.site, a.action_id) == (actor.site, form.get("action", ""))), None
    )
    if action is None or action.kind == "retracted":
        raise ActionRefusedError("Your site has no such action to undo.")
    if incident.is_retracted(action):
        raise ActionRefusedError("This action is already undone.")
    if action.officer != actor.officer and not actor.may_take_over:
        raise ActionRefusedError(f"Only {action.officer} or a supervisor can undo this action.")
    alert = next(alert for alert in incident.alerts if alert.alert_id == action.alert_id)
    return [
        AddressedAction(
            _action(actor, alert, "retracted", actor.action_ids[0], retracts=action.action_id), alert.is_covert
        )
    ]


COMMANDS: Final = {
    "claim": claim,
    "still-with-it": still_with_it,
    "release": release,
    "hand-over": hand_over,
    "take-over": take_over,
    "plate-check": check_plate,
    "outcome": give_outcome,
    "comment": comment,
    "take-back": take_back,
}


def fitting_outcomes(plate_check: str) -> tuple[str, ...]:
    """Return the outcomes that do not contradict the result of the plate check.

    A different plate is always a misread, whatever happened to that vehicle: it was not the listed one.
    """
    if plate_check == "different":
        return ("misread",)
    return tuple(outcome for outcome in OUTCOMES if plate_check != "same" or outcome != "misread")


def _holder_to_act_on(incident: Incident, actor: Actor) -> str:
    """Return the holder. Raises ActionRefusedError unless that is the officer, or the officer is a supervisor."""
    holder = incident.holders.get(actor.site)
    if holder is None:
        raise ActionRefusedError("Claim this first, so that others know who is dealing with it.")
    if holder != actor.officer and not actor.may_take_over:
        raise ActionRefusedError(f"{holder} has claimed this. Only {holder} or a supervisor can do that.")
    return holder


def _must_be_holder(incident: Incident, actor: Actor) -> None:
    """Raise ActionRefusedError unless the officer is the holder. A supervisor takes over first, so that all know."""
    holder = _holder_to_act_on(incident, actor)
    if holder != actor.officer:
        raise ActionRefusedError(
            f"{holder} has claimed this. Take it over first, so that others know who deals with it."
        )


def _must_be_holder_shown(holder: str, form: Mapping[str, str]) -> None:
    """Raise ActionRefusedError if the page showed another holder: nobody ends a claim that they did not see."""
    if form.get("holder", holder) != holder:
        raise ActionRefusedError(f"{holder} has claimed this since you opened the page. Ask {holder} first.")


def _other_holder(holder: str, actor: Actor) -> str | None:
    """Return the holder if it is not the officer: the action must name whose claim it ends."""
    return None if holder == actor.officer else holder


def _single_action(
    incident: Incident, actor: Actor, kind: str, *, covert: bool = False, **fields: str | None
) -> list[AddressedAction]:
    """Return one action. It names the surest alert that the action's audience knows of."""
    alerts = [alert for alert in incident.standing or incident.alerts if alert.is_covert == covert]
    alert = _surest(alerts or incident.standing or incident.alerts)
    return [AddressedAction(_action(actor, alert, kind, actor.action_ids[0], **fields), alert.is_covert)]


def _surest(alerts: Iterable[Alert]) -> Alert:
    return min(alerts, key=certainty_order)


def _action(actor: Actor, alert: Alert, kind: str, action_id: str, **fields: Any) -> Action:
    return Action(
        action_id=action_id,
        alert_id=alert.alert_id,
        site=actor.site,
        officer=actor.officer,
        at=actor.at,
        kind=kind,
        **fields,
    )


def _note(form: Mapping[str, str]) -> str:
    note = form.get("note", "").strip()
    if len(note) > MAX_NOTE_CHARACTERS:
        raise ActionRefusedError(f"Your text must be {MAX_NOTE_CHARACTERS} characters or fewer.", "note")
    return note
