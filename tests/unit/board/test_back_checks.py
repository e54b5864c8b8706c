"""Boards know since when nobody looks for newly listed vehicles, and are not alarmed by a restart."""

from datetime import datetime, timedelta

import pytest

from anpr.board.back_checks import BackCheckHealth, BackChecks, back_check_faults
from anpr.board.journeys import ALWAYS, NEVER
from anpr.board.site_health import SiteHealth
from anpr.contracts.events import BACK_CHECK_GONE_AFTER, BACK_CHECK_LATE_AFTER, BackCheckStatus, Status
from tests.support.strategies import NOON, generation

MOMENT = timedelta(seconds=1)


def told(number: int = 1, *, left: int = 0, behind_since: datetime | None = None) -> BackCheckStatus:
    return BackCheckStatus(
        site="calais",
        at=NOON,
        looked_up_to=generation(number),
        records_left=left,
        behind_since=behind_since,
    )


def by_site(checks: BackChecks, now: datetime, *matchers: Status) -> dict[str, BackCheckHealth]:
    return checks.by_site(now, lambda _: matchers)


def looked_until(checks: BackChecks, now: datetime) -> datetime:
    return by_site(checks, now)["calais"].looked_until


def test_after_the_limit_of_silence_nobody_looks_since_it_was_last_heard_of() -> None:
    checks = BackChecks((), NOON)
    assert by_site(checks, NOON) == {}, "where none should be and none is, nothing is said"
    checks.note(told(), NOON)
    assert looked_until(checks, NOON + BACK_CHECK_GONE_AFTER) == ALWAYS, "a restart takes less"
    gone = NOON + BACK_CHECK_GONE_AFTER + MOMENT
    assert looked_until(checks, gone) == NOON
    checks.note(told(), gone)
    assert looked_until(checks, gone) == ALWAYS, "it looks again"


def test_where_one_should_be_and_none_is_heard_of_nobody_has_ever_looked() -> None:
    checks = BackChecks(["calais"], NOON)
    assert by_site(checks, NOON + BACK_CHECK_GONE_AFTER) == {"calais": BackCheckHealth(None, ALWAYS)}
    assert looked_until(checks, NOON + BACK_CHECK_GONE_AFTER + MOMENT) == NEVER


def test_of_two_back_checks_of_a_site_the_one_that_is_ahead_counts_as_long_as_it_reports() -> None:
    checks = BackChecks((), NOON)
    behind = told(6, left=500, behind_since=NOON)
    for status in (behind, told(7), behind):
        checks.note(status, NOON)
    assert by_site(checks, NOON)["calais"].status == told(7)
    # The one that is ahead is down. The other one looks all the time.
    now = NOON
    while now <= NOON + BACK_CHECK_GONE_AFTER:
        now += 20 * MOMENT
        checks.note(behind, now)
        assert looked_until(checks, now) == ALWAYS
    assert by_site(checks, now)["calais"].status == behind


def has(number: int, applied_at: datetime | None = None) -> Status:
    """Return the status of a matcher that has the list of a generation, applied so many seconds after noon."""
    return Status(
        site="calais",
        matcher=str(number),
        at=NOON,
        started_at=NOON,
        generation=generation(number),
        list_applied_at=applied_at or NOON + number * MOMENT,
    )


def test_one_that_does_not_know_of_the_list_that_a_matcher_has_had_for_long_looks_for_nobody() -> None:
    later = NOON + 8 * MOMENT + BACK_CHECK_GONE_AFTER
    checks = BackChecks((), NOON)
    checks.note(told(7), later)
    assert by_site(checks, later, has(6), has(7))["calais"].looked_until == ALWAYS
    assert by_site(checks, later, has(8))["calais"].looked_until == ALWAYS, "it has just been applied"
    assert by_site(checks, later + MOMENT, has(8), has(7))["calais"].looked_until == NOON + 8 * MOMENT
    checks.note(told(7, left=9, behind_since=later), later)
    assert by_site(checks, later + MOMENT, has(8))["calais"].looked_until == ALWAYS, "it looks for them"


def test_lists_that_change_all_the_time_do_not_hide_one_that_knows_of_none_of_them() -> None:
    """Whoever is turned away changes a list: on a busy day the newest list is never old."""
    checks = BackChecks((), NOON)
    minute = timedelta(minutes=1)
    for number in range(2, 8):
        now = NOON + number * minute
        checks.note(told(1), now)
        shown = by_site(checks, now, has(number, now))["calais"].looked_until
        assert shown == (ALWAYS if now <= NOON + 2 * minute + BACK_CHECK_GONE_AFTER else NOON + 2 * minute), number
    checks.note(told(6), now)
    assert by_site(checks, now, has(7, now))["calais"].looked_until == ALWAYS, "it has got all but the last"


def test_one_that_looks_for_each_change_in_turn_is_no_fault_however_many_there_are() -> None:
    checks = BackChecks(["calais"], NOON)
    for number in range(2, 400):
        now = NOON + number * MOMENT
        if number % 20 == 0:
            checks.note(told(number - 1), now)
        assert by_site(checks, now, has(number, now))["calais"].looked_until == ALWAYS


@pytest.mark.parametrize("is_heard", [True, False])
def test_a_silence_after_this_clock_was_set_back_is_noticed_as_soon_as_any_other(*, is_heard: bool) -> None:
    checks = BackChecks(["calais"], NOON)
    if is_heard:
        checks.note(told(), NOON)
    back = NOON - timedelta(hours=1)
    checks.forget_the_future(back)
    assert looked_until(checks, back + BACK_CHECK_GONE_AFTER) == ALWAYS
    assert looked_until(checks, back + BACK_CHECK_GONE_AFTER + MOMENT) == (back if is_heard else NEVER)


def faults(back_check: BackCheckHealth, now: datetime = NOON, *, is_silent: bool = False) -> list[str]:
    health = [SiteHealth("calais", (), NOON, is_silent)]
    return [fault.what for _, fault in back_check_faults({"calais": back_check}, health, now)]


def test_a_search_that_goes_on_is_no_fault_until_a_list_of_a_million_would_have_been_looked_for() -> None:
    searching = BackCheckHealth(told(left=54_475, behind_since=NOON), ALWAYS)
    assert faults(searching, NOON + BACK_CHECK_LATE_AFTER) == []
    (late,) = faults(searching, NOON + BACK_CHECK_LATE_AFTER + MOMENT)
    words = "the check whether newly listed vehicles have passed already began at {since} and has not ended."
    assert late.startswith(words)


def test_of_a_port_that_is_cut_off_only_that_is_said() -> None:
    gone = BackCheckHealth(told(), NOON)
    assert len(faults(gone)) == 1
    assert faults(gone, is_silent=True) == []
