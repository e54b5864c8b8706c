"""What an officer may do to an incident as it stands, and the actions that come of it. Pure.

An incident may hold open and covert alerts together. What all may know (who has it in hand, whether the plate is the
same) names an open alert then and goes to the open topic; a comment goes to the covert one; an outcome is given on
both topics, on each for the entries that its readers know of, its note on the covert one alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from anpr.board.incident import Incident, certainty_order
from anpr.contracts.events import OUTCOMES, PLATE_CHECKS, Action, Alert, Cover
from anpr.contracts.topics import AddressedAction

MAX_NOTE_CHARACTERS: Final = 2000


class ActionRefusedError(Exception):
    """It cannot be done as things stand; the text says why to the officer."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it, at which site and when. `action_ids` are fresh ids, more than any deed needs.

    `may_claim` tells whether the incident is one for this site; `colleagues` are those who can be handed it.
    """

    officer: str
    site: str
    may_take_over: bool
    may_claim: bool
    at: datetime
    colleagues: frozenset[str]
    action_ids: Sequence[str]


def claim(incident: Incident, doer: Actor, _: Mapping[str, str]) -> list[AddressedAction]:
    """Take it in hand. Who else does so at the same moment is decided by the order of the topic."""
    if not doer.may_claim:
        why = (
            "The vehicle is not at your port or on its way to it. The port where it was seen deals with it."
            if incident.status == "open"
            else "It is no longer open."
        )
        raise ActionRefusedError(f"You cannot claim this. {why}")
    if holder := incident.holders.get(doer.site):
        raise ActionRefusedError(
            "You have already claimed this." if holder == doer.officer else f"{holder} has already claimed this."
        )
    return _one(incident, doer, "claimed")


def release(incident: Incident, doer: Actor, _: Mapping[str, str]) -> list[AddressedAction]:
    """Let it go, so that others are asked to take it."""
    return _one(incident, doer, "released", holder=_of_another(_must_hold(incident, doer), doer))


def hand_over(incident: Incident, doer: Actor, form: Mapping[str, str]) -> list[AddressedAction]:
    """Pass it to a colleague, who has it from that moment."""
    holder = _must_hold(incident, doer)
    to = form.get("to", "")
    if to not in doer.colleagues:
        cleared = " with covert permission, because this incident is covert" if incident.has_covert else ""
        raise ActionRefusedError(f"Select a colleague at this site{cleared}.")
    return _one(incident, doer, "released", holder=_of_another(holder, doer), hands_to=to)


def take_over(incident: Incident, doer: Actor, _: Mapping[str, str]) -> list[AddressedAction]:
    """Take what somebody else has in hand, as a supervisor may."""
    holder = _must_hold(incident, doer)
    if holder == doer.officer:
        raise ActionRefusedError("You have already claimed this.")
    return _one(incident, doer, "released", holder=holder, hands_to=doer.officer)


def check_plate(incident: Incident, doer: Actor, form: Mapping[str, str]) -> list[AddressedAction]:
    """Say whether the plate on the vehicle is the listed one, by eye."""
    _must_hold(incident, doer)
    value = form.get("plate_check", "")
    if value not in PLATE_CHECKS:
        raise ActionRefusedError("Select whether the plate is the same, different, or cannot be read.")
    return _one(incident, doer, "plate_check", plate_check=value)


def give_outcome(incident: Incident, doer: Actor, form: Mapping[str, str]) -> list[AddressedAction]:
    """Settle what the officer had on the screen (docs/adr/0004): `seen` holds the ids of the alerts shown."""
    _must_hold(incident, doer)
    found = checked(incident, doer.site)
    if found is None:
        raise ActionRefusedError("Check the plate by eye first. Then record the outcome.")
    value = form.get("outcome", "")
    if value not in OUTCOMES:
        raise ActionRefusedError("Select an outcome.")
    if value not in outcomes_that_fit(found):
        raise ActionRefusedError(
            "This outcome contradicts your plate check. If the check was wrong, check the plate again."
        )
    seen_ids = set(form.get("seen", "").split())
    seen = [alert for alert in incident.alerts if alert.alert_id in seen_ids] or [incident.best]
    placed: list[AddressedAction] = []
    note = _note(form)
    for covert in (False, True):
        alerts = sorted((alert for alert in seen if alert.is_covert == covert), key=certainty_order)
        if alerts:
            best_of = {alert.entry.entry_id: alert.tier for alert in reversed(alerts)}
            covers = tuple(Cover(entry_id=entry_id, tier=tier) for entry_id, tier in sorted(best_of.items()))
            tells = covert or not incident.has_covert
            placed.append(
                AddressedAction(
                    Action(
                        action_id=doer.action_ids[covert],
                        alert_id=alerts[0].alert_id,
                        site=doer.site,
                        officer=doer.officer,
                        at=doer.at,
                        kind="outcome",
                        outcome=value,
                        covers=covers,
                        note=note if tells else "",
                    ),
                    is_covert=covert,
                )
            )
    return placed


def comment(incident: Incident, doer: Actor, form: Mapping[str, str]) -> list[AddressedAction]:
    """Write something that stays with the incident."""
    note = _note(form)
    if not note:
        raise ActionRefusedError("Enter a comment.")
    return _one(incident, doer, "comment", covert=incident.has_covert, note=note)


def take_back(incident: Incident, doer: Actor, form: Mapping[str, str]) -> list[AddressedAction]:
    """Take back what was done at this site, by oneself or, for a supervisor, by anybody. Both stay visible."""
    action = next((a for a in incident.actions if (a.site, a.action_id) == (doer.site, form.get("action", ""))), None)
    if action is None or action.kind == "retracted":
        raise ActionRefusedError("Your site has no such action to undo.")
    if action.action_id in incident.retracted:
        raise ActionRefusedError("This action is already undone.")
    if action.officer != doer.officer and not doer.may_take_over:
        raise ActionRefusedError(f"Only {action.officer} or a supervisor can undo this action.")
    alert = next(alert for alert in incident.alerts if alert.alert_id == action.alert_id)
    return [AddressedAction(_action(doer, alert, "retracted", retracts=action.action_id), alert.is_covert)]


COMMANDS: Final = {
    "claim": claim,
    "release": release,
    "hand-over": hand_over,
    "take-over": take_over,
    "plate-check": check_plate,
    "outcome": give_outcome,
    "comment": comment,
    "take-back": take_back,
}


def checked(incident: Incident, site: str) -> str | None:
    """Return what the site's last plate check that stands has found; None, nobody has looked yet."""
    found = [
        action.plate_check
        for action in incident.actions
        if action.site == site and action.kind == "plate_check" and action.action_id not in incident.retracted
    ]
    return found[-1] if found else None


def outcomes_that_fit(found: str) -> tuple[str, ...]:
    """Return the outcomes that do not contradict what the plate check has found.

    Of another plate nothing came but that it was a misread, whatever came of the vehicle: it was not the listed one.
    """
    if found == "different":
        return ("misread",)
    return tuple(outcome for outcome in OUTCOMES if found != "same" or outcome != "misread")


def _must_hold(incident: Incident, doer: Actor) -> str:
    """Return who has it in hand. Raises RefusedError unless that is the officer, or the officer a supervisor."""
    holder = incident.holders.get(doer.site)
    if holder is None:
        raise ActionRefusedError("Claim this first, so that others know who is dealing with it.")
    if holder != doer.officer and not doer.may_take_over:
        raise ActionRefusedError(f"{holder} has claimed this. Only {holder} or a supervisor can do that.")
    return holder


def _of_another(holder: str, doer: Actor) -> str | None:
    """Return whose it was, where it was not the officer's own."""
    return None if holder == doer.officer else holder


def _one(
    incident: Incident, doer: Actor, kind: str, *, covert: bool = False, **fields: str | None
) -> list[AddressedAction]:
    """Return one action that names the surest alert that those concerned know of."""
    alerts = [alert for alert in incident.standing or incident.alerts if alert.is_covert == covert]
    alert = _surest(alerts or incident.standing or incident.alerts)
    return [AddressedAction(_action(doer, alert, kind, **fields), alert.is_covert)]


def _surest(alerts: Iterable[Alert]) -> Alert:
    return min(alerts, key=certainty_order)


def _action(doer: Actor, alert: Alert, kind: str, **fields: Any) -> Action:
    return Action(
        action_id=doer.action_ids[0],
        alert_id=alert.alert_id,
        site=doer.site,
        officer=doer.officer,
        at=doer.at,
        kind=kind,
        **fields,
    )


def _note(form: Mapping[str, str]) -> str:
    note = form.get("note", "").strip()
    if len(note) > MAX_NOTE_CHARACTERS:
        raise ActionRefusedError(f"Your text must be {MAX_NOTE_CHARACTERS} characters or fewer.")
    return note
