"""Nobody silences a vehicle for good: when a claim is unattended, against a plain statement of the rule."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from hypothesis import example, given
from hypothesis import strategies as st

from anpr.board.board import Board
from anpr.board.claims import NO_ACTION, SIGNED_OUT, Claim, ClaimTimes, claims_of
from anpr.board.incident import Incident
from anpr.contracts.events import Action
from tests.support.strategies import a_read, an_action, an_alert, an_entry, minutes

DUE = timedelta(minutes=10)
ACK_DUE = timedelta(minutes=2)
TIMES = ClaimTimes(DUE, ACK_DUE)
ALERT = an_alert(a_read(), an_entry())


class Step(NamedTuple):
    """What an officer does, and when by their console's clock."""

    kind: str
    site: str
    officer: str
    at: float
    to: str


officers = st.sampled_from(["ann", "bob"])
sites = st.sampled_from(["calais", "dover"])
# Also by a clock that is far behind or far ahead.
moments = st.floats(0, 40) | st.sampled_from([-600.0, 30.0, 600.0, 5_256_000.0])
kinds = st.sampled_from(["claimed", "released", "hands over", "takes over", "attended", "comment", "plate_check"])
steps = st.lists(st.builds(Step, kinds, sites, officers, moments, officers), max_size=8)
sessions = st.none() | st.frozensets(officers)
nows = st.sampled_from([10.0, 20.0, 30.0, 40.0]) | st.floats(0, 60)


def incident_after(done: Sequence[Step]) -> Incident:
    board = Board(timedelta(minutes=30), timedelta(hours=72))
    board.add_alert(ALERT)
    for offset, step in enumerate(done):
        board.add_action(_action(step, offset), offset)
    [incident] = board.incidents(minutes(0))
    return incident


def _action(step: Step, offset: int) -> Action:
    kind, holder, hands_to = step.kind, None, None
    if kind == "hands over":
        kind, hands_to = "released", step.to
    elif kind == "takes over":
        kind, holder, hands_to = "released", step.to, step.officer
    fields = {"site": step.site, "officer": step.officer, "at": minutes(step.at)}
    return an_action(f"action-{offset}", kind, ALERT, holder=holder, hands_to=hands_to, **fields)


def claim_after(done: Sequence[Step], signed_in: frozenset[str] | None, now: float) -> dict[str, Claim]:
    claims = claims_of(incident_after(done), "calais", signed_in, TIMES, minutes(now))
    return {claim.site: claim for claim in claims}


def is_attended(
    of_holder: Sequence[datetime], site: str, holder: str, signed_in: frozenset[str] | None, now: datetime
) -> bool:
    """Tell it as the docs do. `of_holder`: when the holder acted, or was given the incident."""
    did_something_in_the_last_ten_minutes = False
    did_something_just_now = False
    last = max(of_holder)
    if last <= now:
        did_something_in_the_last_ten_minutes = now - last < DUE
        did_something_just_now = now - last < timedelta(seconds=5)
    else:  # by a clock that is ahead
        did_something_in_the_last_ten_minutes = did_something_just_now = last - now < DUE
    if site == "calais" and signed_in is not None and holder not in signed_in and not did_something_just_now:
        return False
    return did_something_in_the_last_ten_minutes


@example([Step("claimed", "calais", "ann", 0, "ann")], frozenset(), 0.5)
@example([Step("claimed", "calais", "ann", 0, "ann"), Step("attended", "calais", "ann", 9, "")], None, 18)
@given(steps, sessions, nows)
def test_a_claim_is_attended_only_while_its_holder_is_there_and_does_something(
    done: list[Step], signed_in: frozenset[str] | None, now: float
) -> None:
    incident = incident_after(done)
    claims = claim_after(done, signed_in, now)
    assert {site: claim.holder for site, claim in claims.items()} == incident.holders
    for site, claim in claims.items():
        given_or_acted = [
            action.at
            for action in incident.actions
            if action.site == site and claim.holder in {action.officer, action.hands_to}
        ]
        expected = is_attended(given_or_acted, site, claim.holder, signed_in, minutes(now))
        assert claim.is_unattended != expected
        assert claim.why_unattended in {"", NO_ACTION, SIGNED_OUT}


@given(steps, sessions, nows)
def test_no_claim_lasts_for_ever(done: list[Step], signed_in: frozenset[str] | None, now: float) -> None:
    """Whatever was done, and by whatever clock: without a new action nobody attends to it for long."""
    moments_after = [now + 5 * step for step in range(6)]
    for site in ("calais", "dover"):
        attended = [
            site in claims and not claims[site].is_unattended
            for claims in (claim_after(done, signed_in, moment) for moment in moments_after)
        ]
        assert sum(attended) <= 4, "twice its time at the most: once before a clock that is ahead, once after it"


@given(steps, sessions, nows)
def test_who_waits_for_somebody_to_take_over_waits_no_longer_than_for_a_claim(
    done: list[Step], signed_in: frozenset[str] | None, now: float
) -> None:
    before, later = claim_after(done, signed_in, now), claim_after(done, signed_in, now + 2)
    for site, claim in before.items():
        assert not (claim.is_overdue and not claim.is_unattended), "a claim that is attended to calls nobody"
        has_gone_back = later[site].why_unattended != claim.why_unattended  # a clock that is ahead, believed later
        assert not claim.is_unattended or has_gone_back or later[site].is_overdue


@given(steps, sessions, nows)
def test_between_its_moments_a_claim_does_not_change(
    done: list[Step], signed_in: frozenset[str] | None, now: float
) -> None:
    for site, claim in claim_after(done, signed_in, now).items():
        until = min((moment for moment in claim.changes_at if moment > minutes(now)), default=minutes(now + 1e6))
        just_before = until - timedelta(milliseconds=1)
        if just_before > minutes(now) and minutes(now) not in claim.changes_at:
            [later] = [
                other
                for other in claims_of(incident_after(done), "calais", signed_in, TIMES, just_before)
                if other.site == site
            ]
            assert later == claim


@given(steps, sessions, nows)
def test_only_an_action_of_the_receiver_answers_a_hand_over(
    done: list[Step], signed_in: frozenset[str] | None, now: float
) -> None:
    for site, claim in claim_after(done, signed_in, now).items():
        if claim.handed_by:
            assert claim.handed_by != claim.holder
            answered = [*done, Step("attended", site, claim.holder, now, "")]
            assert not claim_after(answered, signed_in, now)[site].handed_by
            by_another = [*done, Step("comment", site, claim.handed_by, now, "")]
            assert claim_after(by_another, signed_in, now)[site].handed_by == claim.handed_by
