"""History records how many reads it has stored: once an hour, and what is left when it stops."""

from datetime import date, timedelta

from anpr.audit.record import AuditEvent
from anpr.history.collection_audit import EVERY, CollectionAudit
from anpr.runtime.errors import UnavailableError
from tests.support.audit import SetClock


class Seen:
    """What it hands on, and an audit that may refuse."""

    def __init__(self) -> None:
        self.handed_on: list[tuple[str, float]] = []
        self.events: list[AuditEvent] = []
        self.is_full = False

    def committed(self, rows: int, records: int, seconds: float) -> None:
        self.handed_on.append(("committed", rows + records + seconds))

    def lost(self, records: int) -> None:
        self.handed_on.append(("lost", records))

    def waiting(self, records: int) -> None:
        self.handed_on.append(("waiting", records))

    def append(self, *events: AuditEvent) -> None:
        if self.is_full:
            raise UnavailableError("audit-unavailable", "full", "free space")
        self.events += events

    def erase_until(self, last_day: date) -> int:
        raise AssertionError(last_day)

    def reads(self) -> list[str]:
        return [event.details["reads"] for event in self.events]


def test_each_hour_has_one_record_with_the_count_and_none_when_nothing_came() -> None:
    clock, seen = SetClock(), Seen()
    collection = CollectionAudit(seen, seen, clock)
    for _ in range(3):
        collection.committed(5, 6, 0.5)
        collection.waiting(0)
    assert not seen.events
    clock.now += EVERY
    for _ in range(2):
        collection.waiting(0)
    clock.now += EVERY
    collection.waiting(0)
    (event,) = seen.events
    assert (event.operation, event.what, event.details["reads"]) == ("collection", "reads stored", "15")
    assert event.details["since"] < event.details["until"]
    assert not event.plate


def test_what_is_left_is_recorded_when_history_stops() -> None:
    clock, seen = SetClock(), Seen()
    collection = CollectionAudit(seen, seen, clock)
    collection.committed(2, 2, 0)
    collection.record()
    collection.record()
    assert seen.reads() == ["2"]


def test_a_count_that_cannot_be_recorded_is_in_the_next_record_and_stops_no_read() -> None:
    clock, seen = SetClock(), Seen()
    collection = CollectionAudit(seen, seen, clock)
    collection.committed(2, 2, 0)
    seen.is_full = True
    clock.now += EVERY
    collection.waiting(0)
    collection.committed(3, 3, 0)
    seen.is_full = False
    clock.now += timedelta(hours=1)
    collection.waiting(0)
    assert seen.reads() == ["5"]


def test_everything_is_handed_on() -> None:
    seen = Seen()
    collection = CollectionAudit(seen, seen, SetClock())
    collection.committed(1, 2, 3)
    collection.lost(4)
    collection.waiting(5)
    assert seen.handed_on == [("committed", 6), ("lost", 4), ("waiting", 5)]
