"""What is decoded in part says the same as what is decoded whole, whatever bytes a camera sends."""

import json
from typing import Any

from hypothesis import event, example, given
from hypothesis import strategies as st

from anpr.contracts.events import Read
from anpr.reads.decoder import decode_read
from anpr.reads.plain_read import PlainRead, plain_read
from tests.support.strategies import NOON, json_values

plates = st.text("AB01", min_size=1, max_size=17) | st.sampled_from(["AB 1", "UNKNOWN", "ÄB1", "A·1", "", "٣"])
plausible: dict[str, st.SearchStrategy[Any]] = {
    "read_id": st.sampled_from(["1", "", "a\0b", "x" * 129]),
    "site": st.sampled_from(["calais", "calais", "dover"]),
    "plate": plates,
    "camera": st.sampled_from(["camera-1", "x" * 65]),
    "country": st.sampled_from(["GB", "gb", "GBR", "ZZ", "D", None]),
    "confidence": st.sampled_from([0.5, 1, 0, 1.5, 95, "0.5", None]),
    "char_confidences": st.lists(st.sampled_from([0.5, 1, 95, None]), max_size=3) | st.just([0.5] * 65),
    "candidates": st.lists(
        st.fixed_dictionaries({"plate": plates}, optional={"confidence": st.sampled_from([0.5, 95, "x", None])})
        | st.sampled_from(["AB1", ["AB1", 0.5]]),
        max_size=3,
    )
    | st.just([{"plate": "AB1"}] * 17),
    "supersedes": st.sampled_from([None, "0", "1", 7]),
    "captured_at": st.sampled_from(["2026-03-01T11:59:58Z", "9999-12-31T23:59:59Z", "x"]),
    "lane": st.sampled_from(["3", 3]),
}
usable = {"read_id": "1", "site": "calais", "plate": "AB1"}
# Most records have one or two fields that are not as usual: with more, hardly one would be plain.
records = (
    st.sets(st.sampled_from(sorted(plausible)), max_size=2)
    .flatmap(lambda names: st.fixed_dictionaries({name: plausible[name] | json_values for name in names}))
    .map(lambda fields: json.dumps(usable | fields).encode())
)


def agree(value: bytes) -> bool:
    """Check that a record that is plain is a usable read with the same values; return whether it is plain."""
    plain = plain_read(value, "calais")
    if plain is not None:
        whole = decode_read(value, "calais", NOON)
        assert deciding(plain) == deciding(whole)
        assert whole.supersedes is None
        assert "plate" not in whole.dropped_fields
    return plain is not None


def deciding(read: Read | PlainRead) -> list[object]:
    names = ("read_id", "site", "plate", "camera", "country", "confidence", "char_confidences", "candidates")
    return [getattr(read, name) for name in names]


@given(records)
@example(json.dumps(usable | {"read_id": "a\0b"}).encode())
@example(json.dumps(usable | {"site": "dover"}).encode())
@example(json.dumps(usable | {"country": "ZZ"}).encode())
@example(json.dumps(usable | {"lane": 3, "\ud800": 1}).encode())
@example(b'{"read_id":"1","site":"calais","plate":"AB1","lane":3,"\xff":1}')
@example(b'{"read_id":"1","site":"calais","plate":"AB1","lane":"\xff"}')
@example(b'{"read_id":"1","site":"calais","plate":"AB1","plate":7}')
@example(b'{"read_id":"1","site":"calais","plate":7,"plate":"AB1"}')
@example(b'{"read_id":"1","site":"calais","plate":"AB1","x":1e999,"lane":1e999}')
@example(b'\xef\xbb\xbf{"read_id":"1","site":"calais","plate":"AB1"}')
@example(b'{"read_id":"1","site":"calais","plate":"AB1"}{}')
@example(b'{"read_id":"1","site":"calais","plate":"AB1","lane":' + b"[" * 5000 + b"]" * 5000 + b"}")
def test_a_record_that_is_plain_reads_the_same_when_it_is_decoded_whole(value: bytes) -> None:
    event(f"is plain: {agree(value)}")


@given(records, st.integers(0, 300), st.binary(min_size=1, max_size=3))
def test_so_does_a_damaged_record(value: bytes, position: int, damage: bytes) -> None:
    position = min(position, len(value))
    agree(value[:position] + damage + value[position + len(damage) :])


@given(st.binary(max_size=300))
def test_so_does_any_record(value: bytes) -> None:
    agree(value)


@given(st.text("AB01", min_size=1, max_size=16).map(lambda text: f"{text[:15]}1"), st.sampled_from(["GB", None]))
def test_a_usual_read_is_plain(plate: str, country: str | None) -> None:
    record = usable | {"plate": plate, "country": country, "confidence": 0.9, "candidates": [{"plate": "AB1"}]}
    assert agree(json.dumps(record).encode())
