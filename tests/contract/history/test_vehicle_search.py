"""SQLite and PostgreSQL answer look-ups alike, with what is known about each sighting and only what one may see."""

import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from anpr.contracts import look_up
from anpr.contracts.events import Action, Alert, encode
from anpr.contracts.site_topics import SiteTopic
from anpr.history import look_up as searching
from anpr.history.fact import facts_of
from anpr.history.fact_store import FactStore
from anpr.history.look_up import HistoryLookUp
from anpr.history.recorder import Recorder
from anpr.history.retention import KeptStores
from anpr.kafka.interfaces import Record
from anpr.matching.index import Index
from anpr.runtime.errors import InputError
from tests.support.history import SITE, TopicInMemory, at, everything, read_record, record_all
from tests.support.kept_stores import kept_stores
from tests.support.sites import a_look_up
from tests.support.strategies import an_action, an_alert, an_entry, generation

WEEK: dict[str, Any] = {"since": at(-86_400), "until": at(86_400)}


@pytest.fixture(params=["sqlite", "postgresql"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeptStores]:
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    opened = kept_stores(tmp_path, url, f"history-{uuid.uuid4().hex}")
    yield opened
    opened.close()


@pytest.fixture
def search(stores: KeptStores) -> HistoryLookUp:
    return HistoryLookUp(SITE, stores)


def publish(store: FactStore, *events: Alert | Action) -> None:
    """Let a store keep these alerts and actions, each kind as one topic, in their order."""
    for kind, topic in ((Alert, SiteTopic(SITE, "alerts")), (Action, SiteTopic(SITE, "actions"))):
        values = [encode(event) for event in events if isinstance(event, kind)]
        records = [Record("topic", 0, offset, at(offset * 3), value) for offset, value in enumerate(values)]
        Recorder(TopicInMemory(records, kind.__name__), store, partial(facts_of, topic)).run_once(0)


def plates(search: HistoryLookUp, plate: str = "AB12CDE", **fields: Any) -> list[tuple[str, str]]:
    answer = search.find(a_look_up(plate, **(WEEK | fields)), covert=False)
    return [(found.read.plate, found.tier) for found in answer.sightings]


def test_a_vehicle_is_found_however_it_was_read_and_the_newest_sighting_comes_first(
    stores: KeptStores, search: HistoryLookUp
) -> None:
    read_as = ["AB12CDE", "ab12-cde", "AB12CD3", "A812COE", "GB AB12CDE", "AB?2CDE", "KL98XYZ", "BA12CDE"]
    record_all(stores.sightings, *(read_record(n, seconds=n, plate=plate) for n, plate in enumerate(read_as)))
    assert plates(search) == [
        ("BA12CDE", "near"),
        ("AB?2CDE", "near"),
        ("GB AB12CDE", "folded"),
        ("A812COE", "folded"),
        ("AB12CD3", "near"),
        ("ab12-cde", "exact"),
        ("AB12CDE", "exact"),
    ]
    assert plates(search, "*98X?Z") == [("KL98XYZ", "pattern")]


def test_a_sighting_says_how_surely_it_is_the_vehicle_and_why(stores: KeptStores, search: HistoryLookUp) -> None:
    record_all(stores.sightings, read_record(0, plate="A812COE", camera="lane-2"))
    answer = search.find(a_look_up(**WEEK), covert=False)
    [found] = answer.sightings
    assert (answer.site, answer.is_whole, answer.kept_since) == (SITE, True, at(0).date())
    assert (found.site, found.read, found.arrived_at) == (SITE, everything(stores.sightings)[0].read, at(0))
    assert 0 < found.probability < 1
    assert not found.is_this_plate
    assert [(one.read, one.listed) for one in found.explanation.differences] == [("8", "B"), ("O", "D")]


def test_nothing_is_found_of_a_vehicle_that_was_not_there(stores: KeptStores, search: HistoryLookUp) -> None:
    answer = search.find(a_look_up(**WEEK), covert=True)
    assert (answer.sightings, answer.is_whole, answer.kept_since) == ((), True, None)
    record_all(stores.sightings, read_record(0, plate="KL98XYZ"))
    assert plates(search) == []


def test_a_period_begins_with_its_first_moment_and_ends_before_its_last(
    stores: KeptStores, search: HistoryLookUp
) -> None:
    record_all(stores.sightings, *(read_record(offset, seconds=offset) for offset in range(5)))
    answer = search.find(a_look_up(since=at(1), until=at(3)), covert=False)
    assert [found.arrived_at for found in answer.sightings] == [at(2), at(1)]


def test_a_country_leaves_out_the_reads_that_name_another(stores: KeptStores, search: HistoryLookUp) -> None:
    countries = ["GB", "UK", "FR", None]
    record_all(stores.sightings, *(read_record(n, seconds=n, country=name) for n, name in enumerate(countries)))

    def of(country: str | None) -> list[str | None]:
        answer = search.find(a_look_up(country=country, **WEEK), covert=False)
        return [found.read.country for found in answer.sightings]

    assert of(None) == [None, "FR", "UK", "GB"]
    assert of("GB") == of("UK") == [None, "UK", "GB"]
    assert of("FR") == [None, "FR"]


def test_a_misread_that_raised_an_alert_is_found_without_naming_the_country_of_the_list(
    stores: KeptStores, search: HistoryLookUp
) -> None:
    """The country of the list made it probable enough for an alert. A look-up from the incident gives none."""
    record_all(stores.sightings, read_record(0, plate="4BIZCDE", country="GB"), read_record(1, plate="4BIZCDE"))
    [found] = search.find(a_look_up("AB12CDE", **WEEK), covert=False).sightings
    [[as_listed]] = Index.build([an_entry(plate="AB12CDE", country="GB", tolerance="near")], generation(1)).match(
        [found.read]
    )
    assert (found.read.country, found.tier, found.probability) == ("GB", as_listed.tier, as_listed.score)


def test_what_is_said_of_a_read_does_not_depend_on_the_countries_of_others(
    stores: KeptStores, search: HistoryLookUp
) -> None:
    record_all(stores.sightings, read_record(0, plate="AB0I2CDE", country=None))
    alone = search.find(a_look_up("AB012CDE", **WEEK), covert=False).sightings
    record_all(stores.sightings, read_record(1, seconds=1, plate="AB0I2CDE", country="GB"))
    british, again = search.find(a_look_up("AB012CDE", **WEEK), covert=False).sightings
    assert (again,) == alone
    assert "UK plates" in british.explanation.differences[0].why


def test_a_repeated_read_shows_once_as_it_came_first(stores: KeptStores, search: HistoryLookUp) -> None:
    same: dict[str, Any] = {"read_id": "again", "captured_at": at(0)}
    record_all(stores.sightings, read_record(0, 0, **same), read_record(1, 4, **same), read_record(2, 1))
    record_all(stores.matched, read_record(0, 0, **same))
    answer = search.find(a_look_up(**WEEK), covert=False)
    assert [(found.read.read_id, found.arrived_at) for found in answer.sightings] == [
        ("read-0-2", at(1)),
        ("again", at(0)),
    ]


def test_a_site_answers_with_the_newest_and_says_that_there_are_more(
    stores: KeptStores, search: HistoryLookUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MOST_SIGHTINGS", 3)
    monkeypatch.setattr(searching, "_READS_AT_ONCE", 2)
    record_all(stores.sightings, *(read_record(n, seconds=n) for n in range(7)))
    for plate in ("AB12CDE", "AB12*"):
        answer = search.find(a_look_up(plate, **WEEK), covert=False)
        assert ([found.arrived_at for found in answer.sightings], answer.is_whole) == ([at(6), at(5), at(4)], False)
    answer = search.find(a_look_up(since=at(4), until=at(9)), covert=False)
    assert (len(answer.sightings), answer.is_whole) == (3, True)


def test_the_alerts_and_what_officers_did_come_with_the_sighting(stores: KeptStores, search: HistoryLookUp) -> None:
    record_all(stores.sightings, read_record(0), read_record(1, 1))
    first, second = (sighting.read for sighting in everything(stores.sightings))
    late, live = (an_alert(first, an_entry(), kind=kind) for kind in ("late", "live"))
    other_list = an_alert(first, an_entry("entry-2"))
    claim, outcome = an_action("1", "claimed", live), an_action("2", "outcome", live, outcome="turned_away")
    publish(stores.facts, late, live, live, other_list, claim, outcome, claim, an_action("3", "seen", "another"))
    newest, oldest = search.find(a_look_up(**WEEK), covert=False).sightings
    assert (newest.read, newest.alerts, newest.actions) == (second, (), ())
    assert (oldest.alerts, oldest.actions) == ((live, other_list), (claim, outcome))


def test_what_is_covert_shows_only_to_those_who_may_see_it(stores: KeptStores, search: HistoryLookUp) -> None:
    record_all(stores.sightings, read_record(0))
    [sighting] = everything(stores.sightings)
    plain, covert = (
        an_alert(sighting.read, an_entry(handling, handling=handling)) for handling in ("open", "covert")
    )
    misplaced = an_alert(sighting.read, an_entry("misplaced", handling="covert"))
    claims = [an_action(str(number), "claimed", alert) for number, alert in enumerate((plain, covert, misplaced))]
    publish(stores.facts, plain, misplaced, claims[0], claims[2])
    publish(stores.covert_facts, covert, claims[1], an_action("3", "comment", plain))
    [found] = search.find(a_look_up(**WEEK), covert=False).sightings
    assert (found.alerts, found.actions) == ((plain,), (claims[0],))
    [found] = search.find(a_look_up(**WEEK), covert=True).sightings
    assert {alert.alert_id for alert in found.alerts} == {alert.alert_id for alert in (plain, covert, misplaced)}
    assert {action.action_id for action in found.actions} == {"0", "1", "2", "3"}


def test_a_sighting_whose_day_has_gone_is_found_where_alerts_keep_it(
    stores: KeptStores, search: HistoryLookUp
) -> None:
    record_all(stores.sightings, read_record(0, 5))
    record_all(stores.matched, read_record(1, 1), read_record(2, 3))
    record_all(stores.matched_covert, read_record(3, 2), read_record(4, 0))

    def offsets(*, covert: bool) -> list[int]:
        return [
            int(found.read.read_id.rpartition("-")[2])
            for found in search.find(a_look_up(**WEEK), covert=covert).sightings
        ]

    assert offsets(covert=False) == [0, 2, 1]
    assert offsets(covert=True) == [0, 2, 3, 1, 4]
    assert search.find(a_look_up(**WEEK), covert=True).kept_since == at(5).date()


@pytest.mark.parametrize(
    ("plate", "fields", "problem"),
    [
        ("AB%2", {}, "a character that is on no plate"),
        ("- -", {}, "neither a letter nor a digit"),
        ("A" * 17, {}, "more than 16"),
        ("A?B", {}, "at least 3 letters or digits, and this one has 2"),
        ("*", {}, "neither a letter nor a digit"),
        ("AB1?", {"since": at(-8 * 86_400)}, "at most 7 days"),
    ],
)
def test_what_cannot_be_looked_up_is_refused_without_repeating_the_plate(
    search: HistoryLookUp, plate: str, fields: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InputError, match=problem) as refused:
        search.find(a_look_up(plate, **(WEEK | fields)), covert=False)
    assert plate not in str(refused.value)
    assert refused.value.code == "look-up-unusable"


def test_a_whole_plate_is_looked_up_over_any_period_and_a_partial_one_over_a_week(search: HistoryLookUp) -> None:
    week = {"since": at(0), "until": at(0) + look_up.LONGEST_PARTIAL_PERIOD}
    assert search.find(a_look_up("AB1?", **week), covert=False).sightings == ()
    assert search.find(a_look_up("AB1", since=at(-9e7), until=at(9e7)), covert=False).sightings == ()
