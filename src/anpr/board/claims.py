"""Whether somebody attends to what they have claimed: a function of (incident, sessions, now). Pure.

A claim calls nobody else while its holder deals with the vehicle. So it must not last for ever by itself:

- Each action of the holder on the incident shows that they attend to it, "Still with it" (`attended`) too.
- The claim is unattended once the last of these is `due` or longer ago. An action from the future counts only while
  it is less than `due` ahead: a clock that is further off must not keep a vehicle silent.
- At the own site it is unattended at once when its holder is signed in at no console. A console may learn of a
  sign-in a little later, so for a few seconds after an action its officer counts as signed in.
- It is unattended at once, too, when its holder has recorded an outcome and the incident is open again, as after a
  surer read: they have gone on to the next vehicle.
- Who is signed in at another site is not known here, and at times not at the own one (`signed_in` is None). Then only
  the time counts.
- It is overdue when nobody has taken an unattended claim over within the time that an unclaimed incident may wait.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from anpr.board.incident import Incident
from anpr.contracts.events import Action
from anpr.contracts.moments import shifted

# Why a claim is unattended.
SIGNED_OUT: Final = "signed_out"
NO_ACTION: Final = "no_action"
ATTENDED: Final = ""

# Within this time of a sign-in every console of the site knows of it.
_SIGN_IN_KNOWN_WITHIN: Final = timedelta(seconds=5)


class Claim(NamedTuple):
    """The claim of one site on an incident.

    Attributes:
        site: The site whose officer has claimed it.
        holder: The officer.
        last_action_at: When the holder last did something about the incident, or got it.
        handed_by: Who handed it to the holder, while the holder has done nothing about it since; "" otherwise.
        why_unattended: Why nobody attends to it: `SIGNED_OUT`, `NO_ACTION`, or `ATTENDED`.
        is_overdue: Whether nobody has attended to it for so long that it concerns every officer of the site.
        changes_at: The moments at which time alone may change the two: at them or just after.
    """

    site: str
    holder: str
    last_action_at: datetime
    handed_by: str
    why_unattended: str
    is_overdue: bool
    changes_at: tuple[datetime, ...]

    @property
    def is_unattended(self) -> bool:
        """Whether nobody attends to it."""
        return self.why_unattended != ATTENDED


class ClaimTimes(NamedTuple):
    """How long a claim counts.

    Attributes:
        due: After how long without an action of its holder it is unattended.
        ack_due: How much longer a supervisor has to take it over.
    """

    due: timedelta
    ack_due: timedelta


def claims_of(
    incident: Incident, own_site: str, signed_in: Collection[str] | None, times: ClaimTimes, now: datetime
) -> tuple[Claim, ...]:
    """Return the claims on an incident, by site.

    `signed_in` names who is signed in at some console of `own_site`; None where that is not known.
    """
    return tuple(
        _claim(incident, site, signed_in if site == own_site else None, times, now)
        for site in sorted(incident.holders)
    )


def _claim(
    incident: Incident, site: str, signed_in: Collection[str] | None, times: ClaimTimes, now: datetime
) -> Claim:
    holder = incident.holders[site]
    actions = [action for action in incident.actions if action.site == site and _concerns(action, holder, incident)]
    last_action_at = max(action.at for action in actions)
    believed_from, due_at = shifted(last_action_at, -times.due), shifted(last_action_at, times.due)
    signed_in_until = shifted(last_action_at, _SIGN_IN_KNOWN_WITHIN)
    newest = actions[-1]  # in the order of the topic
    is_reopened = newest.kind == "outcome" and incident.status == "open"
    why = ATTENDED
    if signed_in is not None and holder not in signed_in and now >= signed_in_until:
        why = SIGNED_OUT
    elif is_reopened or not believed_from < now < due_at:
        why = NO_ACTION
    # A sign-out or a reopening came after the last action, nobody knows when. Counted from that, nobody waits long.
    overdue_at = shifted(last_action_at if why == SIGNED_OUT or is_reopened else due_at, times.ack_due)
    is_overdue = why != ATTENDED and not believed_from < now < overdue_at
    handed_by = "" if newest.officer == holder else newest.officer
    changes_at = (believed_from, signed_in_until, due_at, overdue_at)
    return Claim(site, holder, last_action_at, handed_by, why, is_overdue, changes_at)


def _concerns(action: Action, holder: str, incident: Incident) -> bool:
    """Tell whether an action is one of the holder, or the one that made them the holder."""
    if action.officer == holder:
        return True
    return action.kind == "released" and action.hands_to == holder and not incident.is_retracted(action)
