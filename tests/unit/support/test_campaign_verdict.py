"""The verdict of a campaign finds every kind of loss: each is brought about once."""

from dataclasses import replace
from typing import Any

from msgspec.structs import replace as with_fields

from anpr.contracts.events import Alert, Entry
from anpr.contracts.local_days import UTC_DAYS
from anpr.matcher.alerts import raise_retrospective
from anpr.matching.index import Index
from tests.campaign.verdict import Evidence, Verdict, judge
from tests.support.list_oracle import Arrived, dry_run
from tests.support.strategies import NOON, a_read, an_entry, generation

EARLY, LATE = a_read("early"), a_read("late")
NEVER_LISTED = a_read("other", plate="ZZ99ZZZ")
FIRST, SECOND = generation(1), generation(2)
OLD = [an_entry("always")]
NEW = [an_entry("always"), an_entry("new", revision=SECOND)]


def raised(read: Any, entries: list[Entry], number: int) -> list[Alert]:
    return dry_run([read], Index.build(entries, generation(number)))


RETROSPECTIVE = raise_retrospective(
    [EARLY], Index.build(NEW, SECOND), NOON, UTC_DAYS, lambda entry: entry.entry_id == "new"
)
ALERTS = [*raised(EARLY, OLD, 1), *RETROSPECTIVE, *raised(LATE, NEW, 2)]
ALL_ONCE = {alert.alert_id: 1 for alert in ALERTS}
CLEAN = Evidence(
    sent={read.identity for read in (EARLY, LATE, NEVER_LISTED)},
    reads=[EARLY, LATE, NEVER_LISTED],
    whole=[Arrived(EARLY, FIRST), Arrived(LATE, SECOND)],
    alerts=ALERTS,
    contents={FIRST: OLD, SECOND: NEW},
    garbage={b"garbage"},
    dead_letters={b"garbage"},
    readable={("calais", 0, 0), ("calais", 0, 1), ("calais", 1, 0)},
    sightings={("calais", 0, 0): 1, ("calais", 0, 1): 1, ("calais", 1, 0): 1},
    boards={"a board": ALL_ONCE},
)


def found(**changed: Any) -> Verdict:
    verdict = judge(replace(CLEAN, **changed))
    assert not verdict.is_clean
    assert "SOMETHING WENT WRONG" in str(verdict)
    return verdict


def test_where_everything_is_there_nothing_is_found() -> None:
    verdict = judge(replace(CLEAN, alerts=ALERTS + ALERTS[:2]))
    assert verdict.is_clean
    assert (verdict.expected, verdict.published, verdict.repeats) == (4, 4, 2)
    assert str(verdict).endswith("nothing was lost")


def test_a_missing_alert_is_lost_whether_live_or_retrospective() -> None:
    for number in range(len(ALERTS)):
        verdict = found(alerts=ALERTS[:number] + ALERTS[number + 1 :])
        assert len(verdict.findings["alerts lost"]) == 1
    assert "new (retrospective)" not in str(judge(CLEAN))


def test_an_alert_that_no_list_raises_is_found() -> None:
    invented = with_fields(ALERTS[0], alert_id="invented")
    assert found(alerts=[*ALERTS, invented]).findings["alerts that no list raises"]
    of_no_list = with_fields(ALERTS[0], generation=generation(9))
    assert "never active" in found(alerts=[*ALERTS, of_no_list]).findings["alerts that no list raises"][0]
    [of_no_read] = raised(a_read("never sent"), OLD, 1)
    assert found(alerts=[*ALERTS, of_no_read]).findings["alerts that no list raises"]


def test_an_alert_with_the_entry_of_another_list_is_found() -> None:
    other = with_fields(ALERTS[0], entry=with_fields(ALERTS[0].entry, reason="another"))
    assert found(alerts=[*ALERTS, other]).findings["alerts that no list raises"]


def test_a_read_that_was_matched_with_an_older_list_than_before_is_found() -> None:
    assert found(whole=[Arrived(EARLY, SECOND)]).findings["reads without the alerts of one generation"]


def test_a_read_that_never_came_to_the_topic_is_found() -> None:
    assert found(sent={*CLEAN.sent, a_read("lost").identity}).findings["reads lost on their way to the topic"]


def test_a_dead_letter_too_few_or_too_many_is_found() -> None:
    assert found(dead_letters=set()).findings["garbage without a dead letter"]
    assert found(dead_letters={b"garbage", b"a read"}).findings["dead letters that are no garbage"]


def test_a_sighting_that_is_missing_twice_there_or_of_no_read_is_found() -> None:
    for position, times in ((("calais", 0, 0), 0), (("calais", 0, 1), 2), (("calais", 7, 7), 1)):
        assert found(sightings={**CLEAN.sightings, position: times}).findings["history"]


def test_a_board_that_misses_an_alert_or_shows_it_twice_is_found() -> None:
    [first, *others] = ALL_ONCE
    assert found(boards={"a board": dict.fromkeys(others, 1)}).findings["boards"]
    assert found(boards={"a board": {**ALL_ONCE, first: 2}}).findings["boards"]


def test_what_could_not_be_done_is_found() -> None:
    assert found(problems=["a gateway has not ended"]).findings["problems"]
