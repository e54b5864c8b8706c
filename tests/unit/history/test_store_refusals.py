"""What a store refuses is in the log once, however often a service tries again."""

from structlog.testing import capture_logs

from anpr.history.database import HistoryUnavailableError
from anpr.history.store_refusals import StoreRefusals

FULL, LOCKED = HistoryUnavailableError("the disk is full"), HistoryUnavailableError("the file is locked")


def test_a_refusal_is_logged_when_it_begins_and_shown_until_it_is_over() -> None:
    refusals = StoreRefusals()
    with capture_logs() as logs:
        for error in (FULL, FULL, LOCKED, LOCKED):
            refusals.note(error)
            assert refusals.why_not_ready() == [str(error)]
        refusals.clear()
        assert refusals.why_not_ready() == []
        refusals.note(LOCKED)
    assert [line["error"] for line in logs] == [str(FULL), str(LOCKED), str(LOCKED)]
    assert {line["event"] for line in logs} == {"the store refuses, trying again"}
