"""The page of an incident says why it matched: also that the camera's confidence counts for more or less."""

from pathlib import Path

import msgspec

from anpr.contracts import topics
from anpr.local.processes import wait_until
from tests.support.strategies import a_read, an_alert, an_entry
from tests.support.web_console import running_console
from tests.web.console.test_acting import text_of

NOTE = "the camera says 0.62, which counts as 0.93 for this camera"


def test_the_incident_says_what_the_confidence_counts_as_and_its_card_does_not(
    tmp_path: Path, redis_url: str
) -> None:
    with running_console(tmp_path / "console", redis_url) as server, server.browser("ann") as ann:
        now = server.clock()
        alert = an_alert(a_read(captured_at=now, lane="1"), an_entry(), raised_at=now)
        explanation = msgspec.structs.replace(alert.explanation, calibration=NOTE)
        server.put(topics.of_alert(alert), msgspec.structs.replace(alert, explanation=explanation))
        assert wait_until(lambda: alert.alert_id in server.shown(), 60)
        assert NOTE in text_of(ann.get(f"/incident/{alert.alert_id}"))
        board = text_of(ann.get("/"))
        assert "AB12CDE" in board
        assert "counts as" not in board, "it would stand on every card of a calibrated camera"
