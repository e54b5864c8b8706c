import hashlib
from datetime import timedelta

import pytest

from anpr.contracts.alert_id import alert_id
from anpr.contracts.events import Alert, Correction, Entry, Read
from anpr.matcher.alerts import raise_alerts
from anpr.matching.index import Index
from tests.support.strategies import a_read, an_entry, generation, minutes

LATE_AFTER = timedelta(seconds=60)


def raised(reads: list[Read], entries: list[Entry], now_minute: float = 0) -> list[Alert | Correction]:
    return raise_alerts(reads, Index.build(entries, generation(7)), minutes(now_minute), LATE_AFTER)


def test_an_alert_id_is_the_first_128_bits_over_site_read_and_entry() -> None:
    digest = hashlib.sha256(b"calais\x00read-1\x00entry-\xc3\xa9").hexdigest()
    assert alert_id("calais", "read-1", "entry-é") == digest[:32]


def test_an_alert_id_has_not_changed_since_the_first_release() -> None:
    assert alert_id("calais", "read-1", "entry-1") == "449f5a8f48e0d476d6991fab3ec7a8ed"


def test_site_read_and_entry_are_kept_apart_in_the_id() -> None:
    assert len({alert_id("calais", "ab", "c"), alert_id("calais", "a", "bc"), alert_id("calaisa", "b", "c")}) == 3


def test_a_later_list_and_a_later_time_change_an_alert_but_never_its_id() -> None:
    [first] = raised([a_read()], [an_entry()])
    [again] = raise_alerts([a_read()], Index.build([an_entry(reason="armed")], generation(8)), minutes(9), LATE_AFTER)
    assert isinstance(first, Alert)
    assert isinstance(again, Alert)
    assert again.alert_id == first.alert_id
    assert (first.generation, again.generation) == (generation(7), generation(8))


@pytest.mark.parametrize(
    ("seconds_after_capture", "kind"), [(-5, "live"), (0, "live"), (60, "live"), (60.001, "late"), (3600, "late")]
)
def test_an_alert_is_late_when_the_capture_was_more_than_a_minute_ago(
    seconds_after_capture: float, kind: str
) -> None:
    [alert] = raised([a_read()], [an_entry()], seconds_after_capture / 60)
    assert isinstance(alert, Alert)
    assert alert.kind == kind
    assert alert.raised_at == minutes(seconds_after_capture / 60)


def test_an_alert_carries_the_whole_read_and_entry_and_the_plain_listed_plate() -> None:
    read, entry = a_read(plate="ab1o cde"), an_entry(plate="AB-10-CDE")
    [alert] = raised([read], [entry])
    assert isinstance(alert, Alert)
    assert (alert.read, alert.entry, alert.plate, alert.tier) == (read, entry, "AB10CDE", "equivalent")


def test_an_alert_of_a_pattern_is_about_the_plate_that_was_read() -> None:
    [alert] = raised([a_read(plate="ab12 cde")], [an_entry(plate="AB1*")])
    assert isinstance(alert, Alert)
    assert (alert.plate, alert.tier, alert.explanation.listed_as) == ("AB12CDE", "pattern", "AB1*")


def test_alerts_come_in_the_order_of_the_reads_one_for_each_entry() -> None:
    reads = [a_read("read-2"), a_read("read-0", plate="XY99ZZZ"), a_read("read-1")]
    entries = [an_entry("b"), an_entry("a")]
    alerts = [alert for alert in raised(reads, entries) if isinstance(alert, Alert)]
    assert [(alert.read.read_id, alert.entry.entry_id) for alert in alerts] == [
        ("read-2", "a"),
        ("read-2", "b"),
        ("read-1", "a"),
        ("read-1", "b"),
    ]


@pytest.mark.parametrize("plate", ["AB12CDE", "XY99ZZZ"])
def test_a_read_that_replaces_another_brings_a_correction_matched_or_not(plate: str) -> None:
    records = raised([a_read("read-2", plate=plate, supersedes="read-1")], [an_entry()])
    corrections = [record for record in records if isinstance(record, Correction)]
    assert corrections == [Correction(site="calais", read_id="read-2", supersedes="read-1")]


def test_a_read_that_replaces_none_brings_no_correction() -> None:
    assert raised([a_read(plate="XY99ZZZ")], [an_entry()]) == []
