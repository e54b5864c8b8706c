"""The system's status names covert topics only to people with the covert permission."""

from anpr.console.status.system_status import SystemStatus, for_everybody
from anpr.contracts import topics
from tests.support.strategies import NOON

UNREADABLE = {topics.alerts("calais"): 1, topics.covert_alerts("calais"): 2, topics.covert_actions("dover"): 3}


def test_everybody_sees_nothing_of_unreadable_or_missed_covert_records() -> None:
    whole = SystemStatus(
        now=NOON,
        opened_at=NOON,
        unread_sites=frozenset(),
        health=(),
        cameras={},
        canaries={},
        unreadable_records=UNREADABLE,
        missed_records=UNREADABLE,
        reads_per_second={},
        problems_without_cameras={},
        losses={},
    )
    known = for_everybody(whole, ("calais", "dover"))
    assert known.unreadable_records == known.missed_records == {topics.alerts("calais"): 1}
