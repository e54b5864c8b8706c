"""Triage: where an incident belongs on a site's page, in which order, and whom it calls. Pure.

The sections of the board. What needs somebody stands first:
- `now`: vehicles that were surely seen here, and to which nobody attends.
- `review`: matches that a person must check first. They never ring.
- `elsewhere`: vehicles at other ports that concern this site (`board.journeys`). One that is due here rings a while
  before it can drive off; others may come by road. Where no route leads to a site, every open incident of another
  port concerns it.
- `passed`: vehicles that were surely seen here, but a while before they were listed. They have left: this is
  information, and each rings where it may be going. One that was listed moments later may still be in the lane: it
  is here now.
- `dealt`: what somebody at this site has claimed and attends to, of all the sections above.
- `settled`: incidents that are settled, withdrawn or corrected.
An incident that does not concern this site is in no section. Neither is one whose vehicle has arrived and raised an
alert of its own here: that one has the card, unless somebody here has claimed the other.

Within a section the highest priority comes first, and then the newest: a new vehicle of priority 1 is at the top. A
match by a later guess of the camera comes after the other matches of its priority. At a port where vehicles drive off
a ferry or a shuttle, those that come next stand first; those due in the same quarter of an hour are one group.

Time alone decides whom an incident calls: the officers until `ack_due`, then the supervisor too. No job has to run
for that, so none can be forgotten. A claim ends that while its holder attends to it (`board.claims`). An unattended
claim calls the supervisor and its holder; once it is overdue, the officers too, any of whom may then take it over.
Whoever was handed an incident is called until they do something about it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from anpr.board.claims import Claim, ClaimTimes, claims_of
from anpr.board.incident import Incident, is_sure, rank
from anpr.board.journeys import ALWAYS, ArrivalState, Concern, arrival_state, concern_of, is_current, routes_to
from anpr.contracts.events import KINDS, Alert
from anpr.contracts.moments import shifted
from anpr.contracts.readings import is_guess
from anpr.runtime.settings import ConsoleSettings, MatcherSettings, Route, Settings

NOW: Final = "now"
REVIEW: Final = "review"
ELSEWHERE: Final = "elsewhere"
PASSED: Final = "passed"
DEALT: Final = "dealt"
SETTLED: Final = "settled"
NOWHERE: Final = ""
SECTIONS: Final = (NOW, REVIEW, ELSEWHERE, PASSED, DEALT, SETTLED)

RINGS_OFFICER: Final = "officer"
RINGS_SUPERVISOR: Final = "supervisor"  # and the officers
RINGS_UNATTENDED: Final = "unattended"  # the supervisor, and the holder
RINGS_OVERDUE: Final = "overdue"  # the officers too, because nobody has taken it over
RINGS_NOBODY: Final = ""
# The roles that an incident calls, by `BoardPosition.rings`.
ROLES_CALLED: Final = {
    RINGS_OFFICER: ("officer",),
    RINGS_SUPERVISOR: ("officer", "supervisor"),
    RINGS_UNATTENDED: ("supervisor",),
    RINGS_OVERDUE: ("officer", "supervisor"),
}

_JUST_AFTER = timedelta(microseconds=1)
_DUE_TOGETHER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class TriageRules:
    """The settings that decide.

    Attributes:
        routes: The routes that lead to the site, by the site where they begin.
        claim_due: By priority, after how long without an action of its holder a claim is unattended.
        has_cameras: Whether cameras of the site see a vehicle arrive.
        late_after: A vehicle that was seen longer ago has left its lane.
    """

    site: str
    ack_due: timedelta
    review_below_score: float
    routes: Mapping[str, Route] = field(default_factory=dict)
    claim_due: Callable[[int], timedelta] = ConsoleSettings().claim_due
    has_cameras: bool = False
    late_after: timedelta = timedelta(seconds=MatcherSettings().late_after_seconds)


def triage_rules(settings: Settings, site: str) -> TriageRules:
    """Return the rules of a site."""
    return TriageRules(
        site,
        timedelta(seconds=settings.console.ack_due_seconds),
        settings.console.review_below_score,
        routes_to(site, settings.routes),
        settings.console.claim_due,
        has_cameras=bool(settings.sites[site].cameras),
        late_after=timedelta(seconds=settings.matcher.late_after_seconds),
    )


@dataclass(frozen=True, slots=True)
class BoardPosition:
    """Where an incident belongs.

    Attributes:
        section: The section of the board, `NOWHERE` for none.
        order: Text that sorts the cards of a section, the most urgent first.
        waits_since: Since when it waits for somebody of this site.
        due_from: From when at the earliest the vehicles of its group may drive off the ferry or shuttle; None for
            others.
        rings: Which roles it calls.
        calls: The officer whom it calls by name, "" for none.
        claims: The claims on it, by site.
        concern: Why another site's incident is here.
        arrival: Of one that is expected off a ferry or shuttle, what became of it.
        may_claim: Whether this site may claim it.
        changes_at: When time alone will next change its section or whom it calls: at that moment or just after.
    """

    section: str
    order: str
    rings: str
    concern: Concern | None = None
    may_claim: bool = False
    arrival: ArrivalState | None = None
    changes_at: datetime | None = None
    calls: str = ""
    claims: tuple[Claim, ...] = ()
    waits_since: datetime | None = None
    due_from: datetime | None = None

    @property
    def due_before(self) -> datetime | None:
        """Before when each vehicle of its group may drive off at the earliest; None for others."""
        return self.due_from and shifted(self.due_from, _DUE_TOGETHER)

    @property
    def asks_to_claim(self) -> bool:
        """Whether somebody of this site should claim it: not a vehicle that had left when it was listed."""
        return self.may_claim and self.section != PASSED

    def claim_at(self, site: str) -> Claim | None:
        """Return the claim of a site, None for none."""
        return next((claim for claim in self.claims if claim.site == site), None)


def position_of(
    incident: Incident,
    rules: TriageRules,
    now: datetime,
    signed_in: Collection[str] | None = None,
    watched_until: datetime = ALWAYS,
) -> BoardPosition:
    """Return where the incident belongs at `now`.

    `signed_in` names who is signed in at some console of the site; None where that is not known. `watched_until` is
    the moment until when arrivals were met at the site, if it has cameras.
    """
    if incident.site == rules.site:
        position = _position_of_own(incident, rules, now)
    else:
        position = _position_from_elsewhere(incident, rules, now, watched_until)
    if position.section in {SETTLED, NOWHERE}:
        return position
    times = ClaimTimes(rules.claim_due(incident.priority), rules.ack_due)
    claims = claims_of(incident, rules.site, signed_in, times, now)
    return _with_claims(position, claims, rules.site, now)


def _with_claims(position: BoardPosition, claims: tuple[Claim, ...], site: str, now: datetime) -> BoardPosition:
    """Return the position with what the claims mean for it: whom an unattended one or a hand-over calls."""
    changes = [moment for claim in claims for moment in claim.changes_at]
    changes += [position.changes_at] if position.changes_at else []
    position = replace(position, claims=claims, changes_at=_first_from(changes, now))
    own = position.claim_at(site)
    if own is None:
        return position
    if not own.is_unattended and not own.handed_by:
        return replace(position, section=DEALT, rings=RINGS_NOBODY)
    called = RINGS_OVERDUE if own.is_overdue else RINGS_UNATTENDED
    rings = called if own.is_unattended and position.rings else RINGS_NOBODY
    return replace(position, rings=rings, calls=own.holder if rings or own.handed_by else "")


def _position_of_own(incident: Incident, rules: TriageRules, now: datetime) -> BoardPosition:
    if not incident.is_open:
        return _settled(incident)
    section = _section_of_own(incident, rules)
    since = _waiting_since(incident, rules.site)
    is_called_for = section == NOW
    rings = _rings(since, rules, now) if is_called_for else RINGS_NOBODY
    changes = _first_from(_ring_changes(since, rules) if is_called_for else [], now)
    order = _urgency(incident, rules, since)
    return BoardPosition(section, order, rings, may_claim=True, changes_at=changes, waits_since=since)


def _section_of_own(incident: Incident, rules: TriageRules) -> str:
    if not incident.is_sure(rules.review_below_score):
        return REVIEW
    return NOW if any(_was_listed_in_time(alert, rules) for alert in incident.waiting) else PASSED


def calls(incident: Incident, rules: TriageRules, now: datetime) -> bool:
    """Tell whether an incident calls somebody at the site, now or later, if nobody acts and nothing else is seen."""
    moment: datetime | None = now
    while moment is not None:
        position = position_of(incident, rules, moment)
        if position.rings:
            return True
        # What changes does so at that moment or just after.
        moment = position.changes_at and shifted(position.changes_at, _JUST_AFTER)
    return False


def _position_from_elsewhere(
    incident: Incident, rules: TriageRules, now: datetime, watched_until: datetime
) -> BoardPosition:
    concern = concern_of(incident, rules.site, rules.routes)
    if not rules.routes:
        if not incident.is_open:
            return _settled(incident)
        return BoardPosition(ELSEWHERE, _order_elsewhere(incident, rules), RINGS_NOBODY, may_claim=True)
    if concern is not None:
        if not is_current(incident, concern, rules.site, now):
            return BoardPosition(NOWHERE, "", RINGS_NOBODY)
        return _position_of_arrival(incident, concern, rules, now, watched_until)
    if incident.site in rules.routes and not incident.is_open:
        return _settled(incident)
    return BoardPosition(NOWHERE, "", RINGS_NOBODY)


def _position_of_arrival(
    incident: Incident, concern: Concern, rules: TriageRules, now: datetime, watched_until: datetime
) -> BoardPosition:
    """Return the position of a vehicle that comes here: next off the ship first, ringing in time to meet it."""
    if rules.site not in incident.holders and _has_card_of_its_own(concern, rules):
        return BoardPosition(NOWHERE, "", RINGS_NOBODY, concern, arrival="met", changes_at=concern.until)
    order, rings, due_from = _order_elsewhere(incident, rules), RINGS_NOBODY, None
    waits_since = since = _waiting_since(incident, rules.site)
    arrival, changes = None, []
    if concern.latest is not None:
        due_from = _start_of_quarter(concern.earliest)
        order = f"{due_from.isoformat()} {_urgency(incident, rules, since)}"
        arrival = arrival_state(concern, now, watched_until if rules.has_cameras else None)
        changes += [concern.latest] if rules.has_cameras else []
    changes += [] if rules.site in incident.holders else [concern.until]
    changes += [concern.seen_before] if concern.seen_before is not None else []
    if concern.call_at is not None and since is not None and incident.is_sure(rules.review_below_score):
        since = max(since, concern.call_at)
        rings = _rings(since, rules, now)
        changes += _ring_changes(since, rules)
    return BoardPosition(
        ELSEWHERE,
        order,
        rings,
        concern,
        concern.may_claim,
        arrival,
        _first_from(changes, now),
        waits_since=waits_since,
        due_from=due_from,
    )


def _settled(incident: Incident) -> BoardPosition:
    """Return the position of a settled incident: the newest first."""
    order = f"{_newest_first(incident.last_captured_at)} {incident.incident_id}"
    return BoardPosition(SETTLED, order, RINGS_NOBODY)


def _has_card_of_its_own(concern: Concern, rules: TriageRules) -> bool:
    """Tell whether the arrival of a vehicle raised an alert here that calls somebody as the vehicle itself would."""
    alert = concern.own_alert
    return alert is not None and _was_listed_in_time(alert, rules) and is_sure(alert, rules.review_below_score)


def _waiting_since(incident: Incident, site: str) -> datetime | None:
    """Return since when it waits for somebody at the site: since it was raised, released or dealt with."""
    raised = min((alert.raised_at for alert in incident.standing), default=None)
    released = max(
        (action.at for action in incident.actions if action.site == site and action.kind in ("released", "outcome")),
        default=None,
    )
    return max((moment for moment in (raised, released) if moment is not None), default=None)


def _was_listed_in_time(alert: Alert, rules: TriageRules) -> bool:
    """Tell whether the vehicle was listed when it passed, or moments later, when it had hardly left its lane."""
    return alert.kind != "retrospective" or alert.raised_at - alert.captured_at <= rules.late_after


def _rings(since: datetime | None, rules: TriageRules, now: datetime) -> str:
    if since is None or now < since:
        return RINGS_NOBODY
    return RINGS_SUPERVISOR if now - since >= rules.ack_due else RINGS_OFFICER


def _ring_changes(since: datetime | None, rules: TriageRules) -> list[datetime]:
    """Return when time alone may change whom it rings. The start counts: another site's clock may be ahead."""
    return [] if since is None else [since, shifted(since, rules.ack_due)]


def _first_from(changes: Iterable[datetime], now: datetime) -> datetime | None:
    """Return the first moment that has not passed. `now` counts: some changes come just after their moment."""
    return min((moment for moment in changes if moment >= now), default=None)


def _urgency(incident: Incident, rules: TriageRules, since: datetime | None) -> str:
    """Return text that sorts by urgency: see the module. Whatever has left comes after what was just seen."""
    unsure = is_guess(incident.best) + 2 * (not incident.is_sure(rules.review_below_score))
    kind, newest = rank(incident.kind, KINDS) + 1, _newest_first(since or incident.raised_at)
    return f"{incident.priority} {unsure} {kind} {newest} {incident.incident_id}"


def _order_elsewhere(incident: Incident, rules: TriageRules) -> str:
    """Return text that sorts another port's incidents: what nobody there has claimed comes first."""
    return (
        f"{int(incident.site in incident.holders)} {_urgency(incident, rules, _waiting_since(incident, rules.site))}"
    )


def _newest_first(moment: datetime) -> str:
    return f"{10**15 - int(moment.timestamp() * 1000):016d}"


def _start_of_quarter(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute - moment.minute % 15, second=0, microsecond=0)
