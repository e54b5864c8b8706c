"""The officer's words for values that travel as codes. An unknown code is shown as it is. Pure."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from anpr.contracts.events import Action, Alert, Difference, Vehicle
from anpr.contracts.readings import FIRST, reading_that_matched
from anpr.runtime.durations import in_words
from anpr.runtime.settings import ConsoleSettings

CERTAINTY: Final = {
    "exact": "Exact: the same plate",
    "equivalent": "Same plate, except for 0/O or 1/I",
    "folded": "Likely: only look-alike letters differ. Check the plate",
    "pattern": "Fits a listed pattern",
}
# What was done with personal data, in the words of the Data Protection Act 2018, section 62.
OPERATION: Final = {
    "collection": "Collection",
    "alteration": "Alteration",
    "consultation": "Consultation",
    "disclosure": "Disclosure",
    "erasure": "Erasure",
    "sign-in": "Sign-in",
}
SAME_PLATE: Final = "Same plate"
UNSURE: Final = "Possible: check the plate"
_LETTERS_DIFFER: Final = "Possible: one or two letters differ. Check the plate"
_GAP_DIFFERS: Final = "Possible: same letters, but the gap is elsewhere: perhaps another vehicle. Check the plate"
_TEXT_AROUND: Final = "the camera read more than this plate. Check the plate"
_UMLAUT: Final = "Likely: the same plate, with an umlaut written in another way. Check the plate"
_LINES_EXCHANGED: Final = "Possible: the parts of the plate were read in another order. Check the plate"
DIRECTION: Final = {"uk_bound": "to the UK", "fr_bound": "to France"}
COVERT: Final = "Covert: do not tell the driver, or colleagues without covert permission"
PARTLY_COVERT: Final = (
    "Partly covert: do not tell the driver, or colleagues without covert permission, about anything marked Covert"
)
ALERT_KIND: Final = {
    "live": "",
    "late": "LATE: this alert came late. The vehicle may be long gone",
    "retrospective": "EARLIER: the vehicle was seen before it was listed",
}
INCIDENT_STATUS: Final = {
    "open": "Open",
    "closed": "Settled",
    "withdrawn": "Withdrawn: taken off the list. You do not need to act",
    "corrected": "Corrected: the camera has since read a different plate",
}
LISTED_AGAIN: Final = "Listed again: it was taken off the list for a while. It is valid now"
ACTION_KIND: Final = {
    "seen": "looked at this",
    "claimed": "claimed this",
    "released": "released this",
    "plate_check": "checked the plate",
    "outcome": "recorded the outcome",
    "comment": "commented",
    "retracted": "undid",
    "attended": "is still with it",
    "loss_acknowledged": "acknowledged deleted reads",
}
PLATE_CHECK: Final = {"same": "Same plate", "different": "Different plate", "unreadable": "Cannot be read"}
OUTCOME: Final = {
    "stopped_found": "Stopped, something found",
    "stopped_nothing_found": "Stopped, nothing found",
    "turned_away": "Turned away",
    "misread": "Misread: not this plate",
    "same_plate_other_vehicle": "Same plate, but not the wanted vehicle",
    "entry_out_of_date": "The list entry is out of date",
    "already_dealt_with": "Already dealt with",
    "passed_before_ack": "Passed before anybody could act",
    "handed_to_uk_port": "Handed over to a UK port",
    "observed_only": "Observed only, as instructed",
}

SECTION: Final = {
    "now": "Here now: needs somebody",
    "review": "To review",
    "passed": "Seen before it was listed",
    "dealt": "Being dealt with",
}
ELSEWHERE: Final = "At other ports"
ON_THE_WAY: Final = "On the way here"  # the same section of a port where vehicles arrive
SENT_ON: Final = {
    "turned_away": "Turned away",
    "handed_to_uk_port": "Handed over to the UK port",
    "passed_before_ack": "Passed before anybody could act",
}


def certainty(alert: Alert, review_below_score: float) -> str:
    """Return how sure a match is, in words. An unlikely one, or a guess of the camera, is never called exact."""
    reading = reading_that_matched(alert.read, alert.explanation)
    if alert.score < review_below_score or reading != FIRST:
        return UNSURE
    differences = alert.explanation.differences
    if alert.tier == "near":
        return _nearly(differences)
    if alert.tier == "folded" and any(not difference.listed or not difference.read for difference in differences):
        is_before = any(difference.place == 1 and not difference.listed for difference in differences)
        return f"Likely: {_TEXT_AROUND}" if is_before else _UMLAUT
    return CERTAINTY.get(alert.tier, UNSURE)


def doubt(alert: Alert, review_below_score: float) -> str:
    """Return how sure a match is, in words; "" for the same plate, which needs no words on a card."""
    words = certainty(alert, review_below_score)
    return "" if words == CERTAINTY["exact"] else words


def _nearly(differences: Sequence[Difference]) -> str:
    """Return how a read differs from a listed plate that it nearly is."""
    if not differences:
        return _GAP_DIFFERS
    if not any(len(difference.read) > 1 and not difference.listed for difference in differences):
        return _LETTERS_DIFFER
    is_moved = any(difference.listed and not difference.read for difference in differences)
    return _LINES_EXCHANGED if is_moved else f"Possible: {_TEXT_AROUND}"


COMMAND_DONE: Final = {
    "claim": "You have claimed this.",
    "still-with-it": "You are still with it. The time starts again.",
    "release": "You have released this. A colleague can claim it now.",
    "hand-over": "You have handed this over.",
    "take-over": "You have taken this over.",
    "plate-check": "Plate check saved.",
    "outcome": "Outcome saved.",
    "comment": "Comment saved.",
    "take-back": "Undone. Both stay in the record.",
}


def describe_action(action: Action) -> str:
    """Return what somebody did."""
    what = ACTION_KIND.get(action.kind, action.kind)
    if action.kind == "released" and action.hands_to:
        whose = f" from {action.holder}" if action.holder not in {None, action.officer} else ""
        is_for_themselves = action.hands_to == action.officer
        what = f"took it over{whose}" if is_for_themselves else f"handed it{whose} to {action.hands_to}"
    found = PLATE_CHECK.get(action.plate_check or "", action.plate_check)
    outcome = OUTCOME.get(action.outcome or "", action.outcome)
    return ": ".join(part for part in (what, found, outcome) if part)


def detail(name: str, value: str) -> str:
    """Return a detail of an audit record: a code in the officers' words, any other as it is."""
    return {"plate_check": PLATE_CHECK, "outcome": OUTCOME}.get(name, {}).get(value, value)


def clock(offset_seconds: float | None) -> str:
    """Return how far a camera's clock is off."""
    if offset_seconds is None:
        return "not known yet"
    if abs(offset_seconds) < 1:
        return "right"
    if offset_seconds > 0:
        return f"{offset_seconds:.0f} s ahead"
    return f"{-offset_seconds:.0f} s behind, or its reads arrive late"


def clock_set(by: timedelta) -> str:
    """Return how a clock was set."""
    return f"{'forward' if by > timedelta() else 'back'} by {in_words(abs(by))}"


def clock_ahead(ahead: timedelta) -> str:
    """Return how a clock of another machine differs from the one here."""
    return f"{in_words(abs(ahead))} {'ahead of' if ahead > timedelta() else 'behind'}"


def claim_due_words(console: ConsoleSettings) -> str:
    """Return after how long a claim is unattended. It may depend on the priority."""
    dues = [console.claim_due(priority) for priority in range(1, 6)]
    shortest, longest = (f"{due.total_seconds() / 60:g}" for due in (min(dues), max(dues)))
    return f"{longest} minutes" if shortest == longest else f"{shortest} to {longest} minutes"


def vehicle(listed: Vehicle | None) -> str:
    """Return what a list says of the vehicle itself."""
    return " ".join(part for part in (listed.colour, listed.make, listed.kind) if part) if listed else ""
