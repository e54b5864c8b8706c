import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from anpr.contracts import plates
from anpr.contracts.events import Read, Vehicle
from anpr.contracts.plates import as_read
from anpr.matching.index import Index
from anpr.reads.decoder import MAX_READ_BYTES, BadRead, decode_read
from anpr.reads.json_lines import numbered_lines, repaired_json
from tests.support.strategies import NOON, an_entry, generation

GOOD: dict[str, Any] = {
    "read_id": "read-1",
    "site": "calais",
    "plate": "AB12 CDE",
    "captured_at": "2026-03-01T11:59:58.123Z",
}


def value(**changes: Any) -> bytes:
    """Return a good read with the given fields. A field given as None is left out."""
    return json.dumps({name: given for name, given in (GOOD | changes).items() if given is not None}).encode()


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (None, "not JSON"),
        (b"", "not JSON"),
        (b"AB12CDE", "not JSON"),
        (b'"AB12CDE"', "not JSON"),
        (b"[]", "not JSON"),
        (value()[:-1], "not JSON"),
        (value() + b"}", "not JSON"),
        (value(image="i" * MAX_READ_BYTES), "too long"),
        (value(read_id=None), "no usable read_id"),
        (value(read_id=""), "no usable read_id"),
        (value(read_id=7.5), "no usable read_id"),
        (value(read_id=10**64), "no usable read_id"),
        (value(read_id=True), "no usable read_id"),
        (value(read_id="a\0b"), "no usable read_id"),
        (value(read_id="r" * 129), "no usable read_id"),
        (value().replace(b"read-1", b"\xff"), "no usable read_id"),
        (value(site=None), "no usable site"),
        (value(site=["calais"]), "no usable site"),
        (value(site="dover"), "wrong site"),
        (value(site="Calais"), "wrong site"),
        (value(plate=None), "no usable plate"),
        (value(plate=12345), "no usable plate"),
        (value(plate=""), "no usable plate"),
        (value(plate="- · -"), "no usable plate"),
        (value(plate="🚗"), "no usable plate"),
        (value(plate="A" * 17), "no usable plate"),
        (value(plate="A" * 16 + "Ж"), "no usable plate"),
        (value(plate="Ж?"), "no usable plate"),
        (value(plate="A" * 65), "no usable plate"),
        (value(plate="unknown"), "no usable plate"),
        (value(plate="N/A"), "no usable plate"),
        (value(plate="[No plate]"), "no usable plate"),
        (value(plate="SANS PLAQUE"), "no usable plate"),
        (value(plate="Kein Kennzeichen"), "no usable plate"),
        (value(plate="__________"), "no usable plate"),
        (value(plate="NONE", candidates=[{"plate": "null"}]), "no usable plate"),
    ],
)
def test_a_record_that_cannot_be_matched_is_refused_with_the_reason(record: bytes | None, reason: str) -> None:
    with pytest.raises(BadRead) as refused:
        decode_read(record, "calais", NOON)
    assert refused.value.reason == reason
    assert str(refused.value).startswith(f"{reason}: ")


@pytest.mark.parametrize(
    ("fields", "dropped"),
    [
        ({}, ()),
        ({"confidence": 0.93, "country": "GB", "lane": "4"}, ()),
        ({"direction": "sideways"}, ()),
        ({"unheard_of": {"deep": [1, 2]}}, ()),
        ({"confidence": 1.5}, ("confidence",)),
        ({"confidence": 10**400}, ("confidence",)),
        ({"country": "gb"}, ()),
        ({"country": "GB\n"}, ()),
        ({"country": "CYM"}, ("country",)),
        ({"country": "ZZ"}, ("country",)),
        ({"country": "ZZ", "confidence": 1.5}, ("confidence", "country")),
        ({"country": ["GB"]}, ("country",)),
        ({"lane": 4.5, "position": ["front"]}, ("lane", "position")),
        ({"char_confidences": [0.9, 2]}, ("char_confidences",)),
        ({"candidates": [{"plate": "AB12CDE"}, {"confidence": 0.5}]}, ("candidates",)),
        ({"vehicle": {"kind": "lorry", "colour": 7}}, ("vehicle",)),
        ({"image": "i" * 513}, ("image",)),
        ({"supersedes": "read-1"}, ("supersedes",)),
        ({"supersedes": "a\0b"}, ("supersedes",)),
    ],
)
def test_a_bad_optional_field_is_dropped_and_named(fields: dict[str, Any], dropped: tuple[str, ...]) -> None:
    read = decode_read(value(**fields), "calais", NOON)
    assert read.dropped_fields == dropped
    assert read.plate == "AB12 CDE"
    assert read.captured_at == datetime.fromisoformat(GOOD["captured_at"])


@pytest.mark.parametrize(
    ("text", "lane"),
    [
        (r"\ud800", "\ufffd"),
        (r"\udcff", "\ufffd"),
        (r"4\ud83d", "4\ufffd"),
        (r"\udCFF\uD800x", "\ufffd\ufffdx"),
        (r"\ud800\u0041", "\ufffdA"),
        (r"\ud83d\ude00\udcff", "\U0001f600\ufffd"),
        (r"\\ud800\udcff", "\\ud800\ufffd"),
    ],
)
def test_half_a_character_costs_only_itself(text: str, lane: str) -> None:
    line = f'{{"read_id": "1", "site": "calais", "plate": "AB12CDE", "lane": "{text}"}}'
    read = decode_read(line.encode(), "calais", NOON)
    assert (read.plate, read.lane) == ("AB12CDE", lane)
    plate = decode_read(line.replace("AB12CDE", r"AB12CD\udcff").encode(), "calais", NOON).plate
    assert as_read(plate) == "AB12CD?"


def test_a_number_that_names_a_read_its_camera_or_its_lane_is_the_text_of_its_digits() -> None:
    names = {"camera": 4, "lane": 2, "pass_id": 9, "supersedes": 12}
    read = decode_read(value(read_id=7, **names), "calais", NOON)
    assert (read.read_id, read.camera, read.lane, read.pass_id, read.supersedes) == ("7", "4", "2", "9", "12")
    assert read.dropped_fields == ()
    for bad in (4.0, True, [4], 10**64):
        read = decode_read(value(**dict.fromkeys(names, bad)), "calais", NOON)
        assert (read.camera, read.lane, read.pass_id, read.supersedes) == ("", None, None, None)
        assert set(read.dropped_fields) == set(names)


@pytest.mark.parametrize("nonsense", [b"1e999", b"9" * 6000, b'"\xff\xfe"', b'"2026-02-30T00:00:00Z"'])
def test_a_value_that_no_decoder_accepts_spoils_only_its_own_field(nonsense: bytes) -> None:
    record = value(confidence="HERE").replace(b'"HERE"', nonsense)
    assert decode_read(record, "calais", NOON).dropped_fields == ("confidence",)


@pytest.mark.parametrize(
    ("captured_at", "suspect"),
    [
        ("2026-03-01T12:00:00Z", False),
        ("2026-03-01T12:00:05Z", False),
        ("2026-03-01T13:00:00+01:00", False),
        ("2026-02-26T12:00:00Z", False),
        ("2026-03-01T12:00:05.001Z", True),
        ("2026-02-26T11:59:59.999Z", True),
        ("9999-12-31T23:59:59Z", True),
        ("9999-12-31T23:59:59-12:00", True),
        ("0001-01-01T00:00:00+12:00", True),
        ("1970-01-01T00:00:00Z", True),
        ("2026-03-01T12:00:00", True),
        ("2026-03-01", True),
        ("today", True),
        ("", True),
        (1772366400, True),
        (None, True),
    ],
)
def test_an_implausible_capture_time_is_replaced_by_the_time_of_arrival(captured_at: Any, suspect: bool) -> None:
    read = decode_read(value(captured_at=captured_at), "calais", NOON)
    assert read.clock_suspect is suspect
    assert read.received_at == NOON
    assert (read.captured_at == NOON) or not suspect


def test_times_are_kept_to_the_millisecond() -> None:
    read = decode_read(
        value(captured_at="2026-03-01T11:59:58.123999Z"), "calais", NOON + timedelta(microseconds=1999)
    )
    assert read.captured_at == datetime.fromisoformat("2026-03-01T11:59:58.123Z")
    assert read.received_at == NOON + timedelta(milliseconds=1)


@pytest.mark.parametrize("others", [{}, {"confidence": "high"}])
def test_a_dry_run_reads_the_time_of_arrival_from_the_record(others: dict[str, Any]) -> None:
    read = decode_read(value(captured_at=None, received_at="2026-03-01T12:00:00Z", **others), "calais", None)
    assert read.clock_suspect
    assert read.captured_at == read.received_at == NOON


def test_a_dry_run_accepts_the_reads_of_every_site() -> None:
    assert decode_read(value(site="dover"), None, None).site == "dover"


def test_a_dry_run_refuses_a_read_without_any_time() -> None:
    with pytest.raises(BadRead, match="no usable time"):
        decode_read(value(captured_at=None), "calais", None)


def test_a_bad_read_passes_through_a_context_as_itself() -> None:
    @contextmanager
    def managed() -> Iterator[None]:
        yield

    with pytest.raises(BadRead, match="not JSON"), managed():
        decode_read(b"", "calais", NOON)


# --- a bad part costs only itself ---


def candidates_of(*candidates: Any, **fields: Any) -> tuple[list[tuple[str, float | None]], tuple[str, ...]]:
    """Return the candidates of a read as plate and confidence, and the names of the dropped fields."""
    read = decode_read(value(plate="XXXXXXX", candidates=list(candidates), **fields), "calais", NOON)
    return [(candidate.plate, candidate.confidence) for candidate in read.candidates], read.dropped_fields


@pytest.mark.parametrize(
    ("candidate", "confidence", "dropped"),
    [
        ({"plate": "AB12CDE", "confidence": 82.1}, 0.821, ()),
        ({"plate": "AB12CDE", "confidence": "0.821"}, 0.821, ()),
        ("AB12CDE", None, ()),
        ({"plate": "AB12CDE", "confidence": 0.821}, 0.821, ()),
        ({"plate": "AB12CDE", "confidence": "82.1"}, 0.821, ()),
        ({"plate": "AB12CDE", "confidence": "82,1 %"}, 0.821, ()),
        ({"plate": "AB12CDE", "confidence": "0,821"}, 0.821, ()),
        ({"plate": "AB12CDE", "confidence": 100}, 1.0, ()),
        ({"plate": "AB12CDE", "confidence": None}, None, ()),
        ({"plate": "AB12CDE", "confidence": "8.21e-1"}, 0.821, ()),
        ({"plate": "AB12CDE", "confidence": "high"}, None, ("candidates",)),
        ({"plate": "AB12CDE", "confidence": True}, None, ("candidates",)),
        ({"plate": "AB12CDE", "confidence": -1}, None, ("candidates",)),
        ({"plate": "AB12CDE", "confidence": 101}, None, ("candidates",)),
        ({"plate": "AB12CDE", "confidence": 1.0000001}, None, ("candidates",)),
        ({"plate": "AB12CDE", "confidence": [0.8]}, None, ("candidates",)),
        ({"plate": "AB12CDE", "confidence": {"value": 0.8}}, None, ("candidates",)),
        ({"plate": "AB12CDE", "confidence": 10**400}, None, ("candidates",)),
    ],
)
def test_a_bad_confidence_costs_a_candidate_only_the_confidence(
    candidate: Any, confidence: float | None, dropped: tuple[str, ...]
) -> None:
    [(plate, kept)], named = candidates_of(candidate)
    assert (plate, named) == ("AB12CDE", dropped)
    assert kept == pytest.approx(confidence)


@pytest.mark.parametrize(
    ("candidate", "confidence", "dropped"),
    [
        (["AB12CDE", 0.8], 0.8, ()),
        (["AB12CDE", "80%"], 0.8, ()),
        (["AB12CDE", "unsure"], None, ("candidates",)),
    ],
)
def test_a_candidate_may_be_a_list_of_its_plate_and_its_confidence(
    candidate: Any, confidence: float | None, dropped: tuple[str, ...]
) -> None:
    assert candidates_of(candidate) == ([("AB12CDE", confidence)], dropped)
    assert candidates_of([candidate]) == ([], ("candidates",)), "nested deeper it may mean anything"
    assert candidates_of([0.8, "AB12CDE"], ["AB12CDE"]) == ([], ("candidates",))


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_costs_only_itself(word: str) -> None:
    record = value(confidence="HERE", candidates=[{"plate": "NaN 12", "confidence": "HERE"}], plate='A\\"NaN')
    read = decode_read(record.replace(b'"HERE"', word.encode()), "calais", NOON)
    assert (read.plate, read.confidence) == ('A\\"NaN', None)
    assert [(candidate.plate, candidate.confidence) for candidate in read.candidates] == [("NaN 12", None)]


@pytest.mark.parametrize("place", ["plate", "candidate"])
def test_a_letter_in_another_encoding_is_a_character_that_was_not_read(place: str) -> None:
    text = {"plate": "MHERE AB 123"} if place == "plate" else {"plate": "", "candidates": [{"plate": "MHERE AB 123"}]}
    read = decode_read(value(**text).replace(b"HERE", b"\xdc"), "calais", NOON)
    kept = read.plate if place == "plate" else read.candidates[0].plate
    assert kept == "M\ufffd AB 123"
    assert plates.as_read(kept) == "M?AB123"


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        (rb"x\ud83d", "x\ufffd"),
        (rb"\ude00x", "\ufffdx"),
        (rb"\ud83d\ude97\ud83d", "\U0001f697\ufffd"),
        (b"a\tb", "a\tb"),
        (rb"C:\img\1.jpg", "C:\\img\\1.jpg"),
        (rb"\u12", "\\u12"),
        (rb"\\ud83d\"", '\\ud83d"'),
    ],
)
def test_what_json_does_not_have_within_a_text_costs_only_itself(written: bytes, read_as: str) -> None:
    record = value(vehicle={"make": "HERE"}, confidence="LATER").replace(b'"LATER"', b"NaN")
    read = decode_read(record.replace(b"HERE", written), "calais", NOON)
    assert read.plate == "AB12 CDE"
    assert read.vehicle is not None
    assert read.vehicle.make == read_as


@pytest.mark.parametrize("written", [b"AB12\0CDE", rb"AB12\ud83dCDE", rb"AB12\qCDE"])
def test_a_character_that_json_does_not_have_is_one_that_was_not_read(written: bytes) -> None:
    read = decode_read(value(plate="HERE").replace(b"HERE", written), "calais", NOON)
    assert plates.as_read(read.plate).replace("Q", "") == "AB12?CDE"


@pytest.mark.parametrize("deep", ["[" * 30_000 + "]" * 30_000, '{"a":["]}",' * 2000 + "1" + "]}" * 2000])
@pytest.mark.parametrize("field", ["extra", "vehicle", "candidates", "confidence", "lane"])
def test_however_deep_a_field_is_nested_it_costs_only_itself(field: str, deep: str) -> None:
    record = value(plate="AB12CDE", **{field: "DEEP"}).replace(b'"DEEP"', deep.encode())

    def decoded(calls: int) -> Read:
        return decoded(calls - 1) if calls else decode_read(record, "calais", NOON)

    read = decoded(0)
    assert (read.plate, read.clock_suspect) == ("AB12CDE", False)
    assert decoded(300) == read, "it is the same read wherever in the program it is decoded"


def test_a_record_that_ends_deep_within_a_field_is_no_json() -> None:
    with pytest.raises(BadRead, match="not JSON"):
        decode_read(value(extra="DEEP").replace(b'"DEEP"', b"[" * 2000), "calais", NOON)


@pytest.mark.parametrize("record", [b'"\\' * 500_000, b'{"a":"' + b'\\"' * 500_000, b'{"a":[' + b'"b",' * 250_000])
def test_a_record_that_was_cut_off_within_a_text_is_read_once(record: bytes) -> None:
    """If it were read again from each of its quotes, this test would not end: it is longer than any record."""
    assert repaired_json(record)
    with pytest.raises(BadRead, match="not JSON"):
        decode_read(record[:MAX_READ_BYTES], "calais", NOON)


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-be", "utf-16-le"])
def test_reads_in_utf_16_are_named_as_such(coding: str) -> None:
    with pytest.raises(BadRead, match="not JSON: it is UTF-16: write UTF-8"):
        decode_read(value().decode().encode(coding), "calais", NOON)


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08\0\x01\x02", b"PK\x03\x04\x14\0\0\0", b"\0\0\0\0\xf4\xb7"])
def test_a_line_of_a_file_that_is_no_text_is_not_called_utf_16(content: bytes) -> None:
    with pytest.raises(BadRead, match=r"not JSON: (?!it is UTF-16)"):
        decode_read(content, "calais", NOON)


def test_a_single_candidate_needs_no_array() -> None:
    for candidates in ("AB12CDE", {"plate": "AB12CDE"}):
        read = decode_read(value(plate="XXXXXXX", candidates=candidates), "calais", NOON)
        assert [candidate.plate for candidate in read.candidates] == ["AB12CDE"]


def test_percent_is_understood_only_where_all_confidences_of_the_record_may_be_percentages() -> None:
    in_percent = {"confidence": 97, "char_confidences": [99, "98.5", 1]}
    read = decode_read(value(candidates=[{"plate": "AB12CDF", "confidence": 1}], **in_percent), "calais", NOON)
    assert (read.confidence, read.char_confidences) == (0.97, (0.99, 0.985, 0.01))
    assert [candidate.confidence for candidate in read.candidates] == [0.01]
    assert read.dropped_fields == ()
    mixed = ({"plate": "AB12CDE", "confidence": 82.1}, {"plate": "AB12CDF", "confidence": 0.5})
    assert candidates_of(*mixed) == ([("AB12CDE", None), ("AB12CDF", 0.5)], ("candidates",))
    assert candidates_of(mixed[0], confidence=0.9) == ([("AB12CDE", None)], ("candidates",))
    assert candidates_of(mixed[0], char_confidences=[0]) == ([("AB12CDE", None)], ("candidates",))


def test_a_bad_part_of_the_vehicle_costs_only_itself() -> None:
    read = decode_read(value(vehicle={"kind": "lorry", "colour": 7, "make": "DAF"}), "calais", NOON)
    assert read.vehicle == Vehicle(kind="lorry", make="DAF")
    assert read.dropped_fields == ("vehicle",)


@pytest.mark.parametrize(
    ("written", "country"),
    [
        ("gb", "GB"),
        ("GBR", "GB"),
        ("UK", "UK"),
        ("uk", "GB"),
        ("EL", "EL"),
        ("IRL", "IE"),
        ("d", "DE"),
        ("SLO", "SI"),
    ],
)
def test_a_country_is_understood_as_in_a_list(written: str, country: str) -> None:
    read = decode_read(value(country=written), "calais", NOON)
    assert (read.country, read.dropped_fields) == (country, ())


def test_a_byte_order_mark_before_a_record_is_read_past() -> None:
    record = b"\xef\xbb\xbf" + value()
    assert decode_read(record, "calais", NOON) == decode_read(value(), "calais", NOON)


CLAIMED: Any = GOOD["captured_at"]


@pytest.mark.parametrize("others", [{}, {"confidence": "high"}], ids=["whole", "with a bad field"])
@pytest.mark.parametrize(
    ("written", "claimed_at"),
    [
        (CLAIMED, CLAIMED),
        ("2026-03-01T12:59:58.123+01:00", "2026-03-01T12:59:58.123+01:00"),
        ("2026-03-01 11:59:58.123000Z", "2026-03-01 11:59:58.123000Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ("2026-03-01T11:59:58", "2026-03-01T11:59:58"),
        (" 01/03/2026 11.59 Uhr", " 01/03/2026 11.59 Uhr"),
        ("Ж" * 64, "Ж" * 64),
        ("", ""),
        (None, ""),
        (1772366398123, "1772366398123"),
        (1772366398.5, "1772366398.5"),
        (True, "true"),
        ([2026, 3, 1], "[2026, 3, 1]"),
    ],
    ids=repr,
)
def test_a_read_keeps_the_capture_time_as_the_camera_wrote_it(
    written: Any, claimed_at: str, others: dict[str, Any]
) -> None:
    record = value(captured_at=written, claimed_at="the camera's own", **others)
    read = decode_read(record, "calais", NOON)
    assert read.claimed_at == claimed_at
    later = decode_read(b"\xef\xbb\xbf" + record, "calais", NOON + timedelta(hours=1))
    assert later.identity == read.identity, "a repeat that arrives later is the same read"
    assert set(read.dropped_fields) <= {"confidence", "captured_at"}


def test_a_capture_time_given_as_null_is_none() -> None:
    record = value(captured_at="HERE").replace(b'"HERE"', b"null")
    assert decode_read(record, "calais", NOON).claimed_at == ""


@pytest.mark.parametrize(
    "written",
    [
        b'"%s"' % (b"1" * 65),
        b'"12\\u000000"',
        b'"12:\xff"',
        b"9" * 5000,
        b"[%s]" % (b'"x",' * 50 + b"1"),
    ],
    ids=["long", "NUL", "not UTF-8", "a long number", "a long list"],
)
def test_a_capture_time_that_cannot_be_kept_still_tells_two_reads_apart(written: bytes) -> None:
    record = value(captured_at="HERE").replace(b'"HERE"', written)
    read = decode_read(record, "calais", NOON)
    assert re.fullmatch("sha256:[0-9a-f]{32}", read.claimed_at)
    assert decode_read(record, "calais", NOON).identity == read.identity
    other = decode_read(record.replace(written, written.replace(b"1", b"2").replace(b"9", b"8")), "calais", NOON)
    assert other.identity != read.identity
    assert read.clock_suspect


def test_the_last_of_two_capture_times_counts_as_for_the_time_itself() -> None:
    record = value()[:-1] + b', "captured_at": "2026-03-01T11:59:57Z"}'
    read = decode_read(record, "calais", NOON)
    assert read.claimed_at == "2026-03-01T11:59:57Z"
    assert read.captured_at == datetime.fromisoformat(read.claimed_at)


def test_lines_are_read_past_byte_order_marks_and_blank_lines_and_keep_their_numbers() -> None:
    lines = [b"\xef\xbb\xbf{}\r\n", b" \n", b"{1}\n", b"\xef\xbb\xbf\n", b"{2}"]
    assert list(numbered_lines(lines)) == [(1, b"{}"), (3, b"{1}"), (5, b"{2}")]


def test_a_read_that_says_there_is_no_plate_is_matched_by_its_candidates() -> None:
    read = decode_read(value(plate="UNKNOWN", candidates=[{"plate": "AB12 CDE"}]), "calais", NOON)
    assert (read.plate, read.dropped_fields) == ("UNKNOWN", ("plate",))
    index = Index.build([an_entry("the plate"), an_entry("the word", plate="UNKNOWN")], generation(1))
    assert [match.entry.entry_id for match in index.match([read])[0]] == ["the plate"]


@pytest.mark.parametrize("plate", ["NAME5", "UNK 123", "N4", "NO1", "TEST 1", "1E23"])
def test_a_plate_that_holds_a_word_is_a_plate(plate: str) -> None:
    assert not decode_read(value(plate=plate), "calais", NOON).dropped_fields
