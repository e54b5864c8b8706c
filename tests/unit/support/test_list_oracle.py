"""The oracle under list changes sees what must not be: each of its rules, broken once."""

import msgspec

from anpr.contracts.events import Alert, Entry
from anpr.matching.index import Index
from tests.support.list_oracle import Arrived, dry_run, faults
from tests.support.strategies import a_read, an_entry, generation

READ = a_read()
OLD = [an_entry("always"), an_entry("gone"), an_entry("same")]
NEW = [an_entry("always", revision=generation(2)), an_entry("same"), an_entry("new", revision=generation(2))]
CONTENTS: dict[int, list[Entry]] = {1: OLD, 2: NEW}


def alerts(number: int, *entry_ids: str) -> list[Alert]:
    of_all = dry_run(READ, Index.build(CONTENTS[number], generation(number)))
    return [alert for alert in of_all if alert.entry.entry_id in entry_ids or not entry_ids]


def told(found: list[Alert], least: int = 1) -> str:
    contents = {generation(number): entries for number, entries in CONTENTS.items()}
    return "\n".join(faults([Arrived(READ, generation(least))], found, contents))


def test_a_read_matched_once_has_the_alerts_of_one_generation_be_it_published_twice() -> None:
    assert told(alerts(1)) == told(alerts(2)) == told(alerts(2) + alerts(2)) == ""


def test_what_a_killed_attempt_left_behind_may_stay_beside_the_last_attempt() -> None:
    assert told(alerts(1, "gone", "always") + alerts(2)) == told(alerts(1) + alerts(2)) == ""


def test_a_last_attempt_that_is_not_whole_is_seen() -> None:
    assert "no alert at all" in told([])
    assert "2 of the 3 alerts" in told(alerts(1, "gone", "same"))
    assert "1 of the 3 alerts" in told(alerts(1) + alerts(2, "new"))


def test_half_of_one_list_and_half_of_another_is_seen() -> None:
    half = [msgspec.structs.replace(alert, generation=generation(1)) for alert in alerts(2, "new")]
    assert "does not raise" in told(alerts(1) + half)


def test_an_entry_as_another_generation_has_it_is_seen() -> None:
    stale = [msgspec.structs.replace(alert, generation=generation(2)) for alert in alerts(1, "always")]
    assert "does not raise" in told(stale + alerts(2, "same", "new"))


def test_a_list_that_had_been_left_behind_is_seen() -> None:
    assert "was active before it arrived" in told(alerts(1), least=2)
