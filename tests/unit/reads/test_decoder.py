import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from anpr.reads.decoder import MAX_READ_BYTES, BadRead, decode_read
from tests.support.strategies import NOON

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
        (value(read_id=7), "no usable read_id"),
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
        ({"country": "gb"}, ("country",)),
        ({"country": "GB\n"}, ("country",)),
        ({"lane": 4, "position": ["front"]}, ("lane", "position")),
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
