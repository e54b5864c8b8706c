"""The oracle under list changes finds every fault: each of its rules is broken once."""

import msgspec

from anpr.contracts.events import Alert, Entry
from anpr.matching.index import Index
from tests.support.list_oracle import Arrived, back_check_run, dry_run, faults, retrospective_faults
from tests.support.strategies import a_read, an_entry, generation

READ = a_read()
OLD = [an_entry("always"), an_entry("removed"), an_entry("same")]
NEW = [an_entry("always", revision=generation(2)), an_entry("same"), an_entry("new", revision=generation(2))]
CONTENTS: dict[int, list[Entry]] = {1: OLD, 2: NEW}


def alerts(number: int, *entry_ids: str) -> list[Alert]:
    of_all = dry_run([READ], Index.build(CONTENTS[number], generation(number)))
    return [alert for alert in of_all if alert.entry.entry_id in entry_ids or not entry_ids]


def faults_in(found: list[Alert], least: int = 1) -> str:
    contents = {generation(number): entries for number, entries in CONTENTS.items()}
    return "\n".join(faults([Arrived(READ, generation(least))], found, contents))


def test_a_read_matched_once_has_the_alerts_of_one_generation_even_if_published_twice() -> None:
    assert faults_in(alerts(1)) == faults_in(alerts(2)) == faults_in(alerts(2) + alerts(2)) == ""


def test_alerts_of_a_killed_attempt_may_stay_beside_those_of_the_last_attempt() -> None:
    assert faults_in(alerts(1, "removed", "always") + alerts(2)) == faults_in(alerts(1) + alerts(2)) == ""


def test_a_last_attempt_that_is_not_whole_is_a_fault() -> None:
    assert "no alert at all" in faults_in([])
    assert "2 of the 3 alerts" in faults_in(alerts(1, "removed", "same"))
    assert "1 of the 3 alerts" in faults_in(alerts(1) + alerts(2, "new"))


def test_alerts_of_a_mixture_of_two_lists_are_a_fault() -> None:
    half = [msgspec.structs.replace(alert, generation=generation(1)) for alert in alerts(2, "new")]
    assert "does not raise" in faults_in(alerts(1) + half)


def test_an_alert_with_the_entry_of_another_generation_is_a_fault() -> None:
    stale = [msgspec.structs.replace(alert, generation=generation(2)) for alert in alerts(1, "always")]
    assert "does not raise" in faults_in(stale + alerts(2, "same", "new"))


def test_a_match_with_an_older_list_than_the_matcher_had_is_a_fault() -> None:
    assert "was active before it arrived" in faults_in(alerts(1), least=2)


def looked_for(number: int, *entry_ids: str) -> list[Alert]:
    """Return what a back-check raises under a list."""
    of_all = back_check_run([READ], Index.build(CONTENTS[number], generation(number)))
    return [alert for alert in of_all if alert.entry.entry_id in entry_ids]


def back_check_faults(found: list[Alert]) -> str:
    contents = {generation(number): entries for number, entries in CONTENTS.items()}
    return "\n".join(retrospective_faults([READ], found, contents))


def test_what_the_last_list_has_is_there_live_or_retrospective() -> None:
    assert back_check_faults(alerts(1) + looked_for(2, "new")) == back_check_faults(alerts(2)) == ""
    assert "no alert of new, listed in the end" in back_check_faults(alerts(1))


def test_a_retrospective_alert_that_its_list_does_not_raise_is_a_fault() -> None:
    early = [msgspec.structs.replace(alert, generation=generation(1)) for alert in looked_for(2, "new")]
    assert "retrospective alert of new" in back_check_faults(alerts(1) + early)


def test_retrospective_alerts_do_not_make_the_last_attempt_of_a_matcher_whole() -> None:
    assert "2 of the 3 alerts" in faults_in(alerts(1, "removed", "same") + looked_for(1, "always"))
    assert faults_in(alerts(1) + looked_for(2, "new")) == ""
