"""An auditor finds what people did, over all chains of a site, newest first, and reads it page by page."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from pathlib import Path

import msgspec
import pytest

from anpr.audit.chain import AuditChain
from anpr.audit.query import AuditQuery
from anpr.audit.record import AuditEvent, AuditRecord
from anpr.audit.record_search import search
from anpr.audit.segments import segments
from anpr.runtime.errors import InputError, UnavailableError
from tests.support.audit import NOON, SetClock, look_up

ALL = AuditQuery(since=NOON - timedelta(days=1), until=NOON + timedelta(days=400), covert=True)


def opened(folder: Path, name: str, clock: SetClock) -> AuditChain:
    return AuditChain(folder / name, "calais", name, clock)


def plates(records: list[AuditRecord]) -> list[str]:
    return [record.event.plate for record in records]


def pages(folder: Path, query: AuditQuery = ALL, **limits: int) -> Iterator[list[str]]:
    after = ""
    while True:
        page = search(folder, query, after, **limits)
        yield plates(page.records)
        after = page.next
        if not after:
            return


def asked(**fields: object) -> AuditQuery:
    return msgspec.structs.replace(ALL, **fields)


def test_the_records_of_all_chains_come_newest_first_page_by_page_each_once(tmp_path: Path) -> None:
    clock = SetClock()
    one, other = opened(tmp_path, "console-1", clock), opened(tmp_path, "console-2", clock)
    for number in range(23):
        (one if number % 3 else other).append(look_up(f"P{number}"))
        clock.forward(days=0.25)
    newest_first = [f"P{number}" for number in reversed(range(23))]
    assert list(chain.from_iterable(pages(tmp_path, page_records=5))) == newest_first
    assert [len(page) for page in pages(tmp_path, page_records=5)] == [5, 5, 5, 5, 3]
    assert list(chain.from_iterable(pages(tmp_path, page_records=5, most_examined=2))) == newest_first


def test_what_is_written_meanwhile_moves_nothing_to_another_page(tmp_path: Path) -> None:
    clock = SetClock()
    console = opened(tmp_path, "console-1", clock)
    console.append(*(look_up(f"P{number}") for number in range(4)))
    first = search(tmp_path, ALL, page_records=2)
    console.append(look_up("NEW"))
    opened(tmp_path, "console-2", clock).append(look_up("NEW"))
    assert plates(search(tmp_path, ALL, first.next).records) == ["P1", "P0"]


def test_a_search_says_how_far_back_it_looked_and_goes_on_from_there(tmp_path: Path) -> None:
    clock = SetClock()
    console = opened(tmp_path, "console-1", clock)
    for number in range(6):
        console.append(look_up(f"P{number}"))
        clock.forward(days=1)
    page = search(tmp_path, asked(plate="P1"), most_examined=3)
    assert (page.records, page.searched_until) == ([], NOON + timedelta(days=3))
    assert plates(search(tmp_path, asked(plate="P1"), page.next).records) == ["P1"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (asked(user="anna"), ["E", "AB12CDE"]),
        (asked(plate="ab12 cde"), ["AB1?C*", "AB12CDE"]),
        (asked(operation="sign-in"), ["E"]),
        (asked(until=NOON + timedelta(hours=1)), ["AB12CDE"]),
        (asked(since=NOON + timedelta(hours=2)), ["E", "AB1?C*"]),
        (asked(covert=False), ["E", "AB12CDE"]),
    ],
)
def test_it_finds_what_is_asked_for_and_no_covert_record_for_others(
    tmp_path: Path, query: AuditQuery, found: list[str]
) -> None:
    clock = SetClock()
    console = opened(tmp_path, "console-1", clock)
    for event in (
        look_up("AB12CDE"),
        look_up("AB1?C*", "bob", covert=True),
        AuditEvent(operation="sign-in", what="signed in", user="anna", role="officer", plate="E"),
    ):
        console.append(event)
        clock.forward(days=0.1)
    assert plates(search(tmp_path, query).records) == found


def test_a_line_that_is_no_record_is_counted_and_one_being_written_is_not(tmp_path: Path) -> None:
    opened(tmp_path, "console-1", SetClock()).append(look_up("A"), look_up("B"))
    segment = segments(tmp_path / "console-1")[0]
    first, second = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(first.replace(b'"A"', b'"X"') + second + b'{"hash":"')
    page = search(tmp_path, ALL)
    assert (plates(page.records), page.unreadable) == (["B"], 1)


def test_a_folder_or_a_page_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError):
        search(tmp_path / "none", ALL)
    opened(tmp_path, "console-1", SetClock()).append(look_up("A"))
    with pytest.raises(InputError):
        search(tmp_path, ALL, "console-1")


@pytest.mark.parametrize(
    ("partial", "fits"),
    [
        *((partial, True) for partial in ("AB1?CDE", "AB*", "*CDE", "*B1*", "A*2*E", "*")),
        *((partial, False) for partial in ("AB1?CD", "B*", "*CD", "*X*", "AB12CDE?", "*A" * 30)),
    ],
)
def test_a_partial_plate_stands_for_the_plates_that_it_fits(partial: str, fits: bool) -> None:
    assert asked(plate="AB12 CDE").fits(_record(look_up(partial))) == fits
    assert not asked(plate="A" * 63 + "B").fits(_record(look_up("*A" * 33)))


@pytest.mark.parametrize(
    "typed",
    [
        "ab-12 coo",
        "AB12C00",
        "ABI2COO",
        "\u0410\u0412 12 \u0421\u041e\u041e",
        "\uff21\uff22\uff11\uff12\uff23\uff2f\uff2f",
        "\u00c1B12C\u00d6\u00d3",
        "A?I2C*",
        "\uff21*\u041e",
    ],
)
def test_a_look_up_of_the_same_vehicle_is_found_however_it_was_typed(typed: str) -> None:
    assert asked(plate="AB12COO").fits(_record(look_up(typed)))
    assert asked(plate="\u0410BI2 C0O").fits(_record(look_up(typed)))
    assert not asked(plate="XY99XYZ").fits(_record(look_up(typed)))


@pytest.mark.parametrize("plate", ["", "\u4eac", "\u4eacAB12COO", "\u4eac*"])
def test_a_letter_that_no_table_knows_is_never_left_out(plate: str) -> None:
    assert not asked(plate="AB12COO").fits(_record(look_up(plate)))


def _record(event: AuditEvent) -> AuditRecord:
    return AuditRecord(sequence=1, previous="", chain="c", at=NOON, site="calais", service="console-1", event=event)
