from datetime import timedelta

import pytest

from anpr.board.corrections import Corrections
from anpr.contracts.events import Alert
from tests.support.strategies import a_correction, a_read, an_alert, an_entry, minutes


def seen(minute: float, read_id: str = "7") -> Alert:
    return an_alert(a_read(read_id, camera="camera-1", captured_at=minutes(minute)), an_entry())


@pytest.mark.parametrize("order", [(5, 40, 80), (80, 40, 5), (40, 80, 5, 40)])
def test_each_of_several_corrections_reaches_ten_minutes_back(order: tuple[float, ...]) -> None:
    corrections = Corrections()
    for minute in order:
        corrections.add(a_correction(seen(minute)))
    superseded = [minute for minute in range(0, 90, 5) if corrections.has_superseded(seen(minute))]
    assert superseded == [0, 5, 30, 35, 40, 70, 75, 80]


def test_old_corrections_are_forgotten_except_those_of_reads_that_are_known() -> None:
    corrections = Corrections()
    for read_id in ("7", "8"):
        for minute in (0, 30):
            corrections.add(a_correction(seen(minute, read_id)))
    corrections.prune(minutes(30), {("calais", "8")})
    assert not corrections.has_superseded(seen(0))
    assert corrections.has_superseded(seen(30)), "it was captured at that very moment"
    assert corrections.has_superseded(seen(0, "8"))
    corrections.prune(minutes(30) + timedelta(milliseconds=1), set())
    assert not any(corrections.has_superseded(seen(minute, read_id)) for read_id in ("7", "8") for minute in (0, 30))
