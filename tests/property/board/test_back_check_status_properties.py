"""In whatever order the back-checks of a site report, a board shows the one that is ahead."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from anpr.board.back_checks import BackChecks
from anpr.board.journeys import ALWAYS
from anpr.contracts.events import BACK_CHECK_GONE_AFTER, BackCheckStatus
from tests.support.strategies import NOON, generation

seconds = st.integers(0, int(BACK_CHECK_GONE_AFTER.total_seconds()))


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 99), seconds), min_size=1))
def test_the_board_shows_the_back_check_that_is_ahead(reports: list[tuple[int, int, int]]) -> None:
    checks = BackChecks((), NOON)
    for number, left, second in reports:
        status = BackCheckStatus(site="calais", at=NOON, looked_up_to=generation(number), records_left=left)
        checks.note(status, NOON + timedelta(seconds=second))
    shown = checks.by_site(NOON + BACK_CHECK_GONE_AFTER, lambda _: ())["calais"]
    assert shown.looked_until == ALWAYS
    assert shown.status is not None
    assert shown.status.looked_up_to == max(generation(number) for number, _, _ in reports)
