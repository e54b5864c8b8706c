"""A record whose values nothing can be computed with is refused when it is decoded, with the place of the fault."""

import json
from typing import Any

import msgspec
import pytest

from anpr.contracts.events import Undecodable, decode_action, decode_alert_record, decode_status, encode
from tests.support.strategies import a_read, an_action, an_alert, an_entry

ALERT = json.loads(encode(an_alert(a_read(), an_entry())))


def with_field(path: str, value: Any) -> bytes:
    record = json.loads(json.dumps(ALERT))
    *folders, name = path.split(".")
    inner = record
    for folder in folders:
        inner = inner[folder]
    inner[name] = value
    return json.dumps(record).encode()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("read.captured_at", "9999-12-31T23:59:59Z"),
        ("read.captured_at", "0001-01-01T00:00:00+14:00"),
        ("raised_at", "2200-01-01T00:00:00Z"),
        ("raised_at", "1969-12-31T23:59:59Z"),
        ("generation.epoch", 10**300),
        ("entry.revision.number", -(2**63)),
        ("explanation.read_as", "A" * 2001),
        ("explanation.notes", ["a"] * 1001),
        ("explanation.notes", ["A" * 2001]),
    ],
)
def test_a_value_beyond_the_bounds_is_refused_by_its_place(path: str, value: Any) -> None:
    with pytest.raises(msgspec.ValidationError, match=f"^{path}"):
        decode_alert_record(with_field(path, value))


def test_an_entry_may_be_valid_for_ever() -> None:
    for moment in ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"):
        assert decode_alert_record(with_field("entry.valid_until", moment))


def test_a_record_that_is_nested_too_deeply_is_refused_as_any_other() -> None:
    value = b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    for decode in (decode_alert_record, decode_action, decode_status):
        with pytest.raises(Undecodable):
            decode(value)
    assert decode_action(encode(an_action("a", "claimed", "b")))
