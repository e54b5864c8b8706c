"""What is scanned of a record says the same as what is decoded whole, whatever bytes a camera sends."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import event, example, given
from hypothesis import strategies as st

from anpr.contracts.events import Candidate, Read, encode
from anpr.matching.encoding.plain_reads import NO_ROW, ReadScanner
from anpr.matching.read_texts import texts_of
from anpr.reads.decoder import decode_read
from tests.support.strategies import NOON, a_read, json_values

CAMERAS = ["camera-1", "camera-2", "camera-22"]
SCANNER = ReadScanner("calais", CAMERAS)

not_as_usual = ["AB 1", "AB-1", " AB.1- ", "UNKNOWN", "ÄB1", "A·1", "", "٣", "AB_1", "A?1", "1" * 65, "1 " * 32]
as_umlauts = ["AE 1", "aa1", "OU1E", "AAE1", "OAEA1", "AEOEUEAEOEUE12"]
plates = st.text("AB01", min_size=1, max_size=17) | st.sampled_from([*not_as_usual, *as_umlauts])
shares = st.sampled_from([0.5, 1, 0, 0.1, 1e-7, 1.5, 95, -0.0, "0.5", None]) | st.floats(0, 1)
plausible: dict[str, st.SearchStrategy[Any]] = {
    "read_id": st.sampled_from(["1", "", "a\0b", "x" * 128, "x" * 129]),
    "site": st.sampled_from(["calais", "calais", "dover", "calai", "calaiss"]),
    "plate": plates,
    "camera": st.sampled_from([*CAMERAS, "camera-", "camera-3", "", "x" * 65]),
    "country": st.sampled_from(["GB", "UK", "gb", "GBR", "ZZ", "D", "[A", None]),
    "confidence": shares,
    "char_confidences": st.lists(shares, max_size=4) | st.sampled_from([[0.5] * 64, [0.5] * 65]),
    "candidates": st.lists(
        st.fixed_dictionaries({"plate": plates}, optional={"confidence": shares, "rank": json_values})
        | st.sampled_from(["AB1", ["AB1", 0.5], {"confidence": 0.5}]),
        max_size=3,
    )
    | st.sampled_from([[{"plate": "AB1"}] * 16, [{"plate": "AB1"}] * 17]),
    "supersedes": st.sampled_from([None, "0", "1", 7]),
    "captured_at": st.sampled_from(["2026-03-01T11:59:58Z", "9999-12-31T23:59:59Z", "x"]),
    "lane": st.sampled_from(["3", 3]),
    "vehicle": json_values,
}
usable = {"read_id": "1", "site": "calais", "plate": "AB1", "camera": "camera-1"}
layouts = st.sampled_from([{}, {"separators": (",", ":")}, {"indent": 1}, {"ensure_ascii": False}])
# Most records have one or two fields that are not as usual: with more, hardly one would be plain.
records = st.builds(
    lambda fields, layout: json.dumps(usable | fields, **layout).encode(),
    st.sets(st.sampled_from(sorted(plausible)), max_size=2).flatmap(
        lambda names: st.fixed_dictionaries({name: plausible[name] | json_values for name in sorted(names)})
    ),
    layouts,
)


def with_damage(value: bytes, position: int, damage: bytes, removed: int) -> bytes:
    position = min(position, len(value))
    return value[:position] + damage + value[position + removed :]


damaged = st.builds(
    with_damage, records, st.integers(0, 300), st.sampled_from([*b'"\\{}[],:0eE.-n']).map(lambda byte: bytes([byte]))
    | st.binary(max_size=3), st.integers(0, 3),
)  # fmt: skip


def check(*values: bytes) -> list[bool]:
    """Check that of each plain record decoding it whole gives the same values; return which are plain."""
    scanned = SCANNER.scan(values)
    plain = [bool(is_plain) for is_plain in scanned.are_plain]
    for row in np.flatnonzero(scanned.are_plain):
        of_row = scanned.read_rows == row
        read = decode_read(values[row], "calais", NOON)
        same_texts(read, *(column[of_row] for column in scanned.texts))
        assert read.supersedes is None
        assert "plate" not in read.dropped_fields
    cameras = [decode_read(value, "calais", NOON).camera if plain[row] else "" for row, value in enumerate(values)]
    newest = [max((row for row, of in enumerate(cameras) if of == name), default=NO_ROW) for name in CAMERAS]
    assert scanned.newest_rows.tolist() == newest
    assert set(scanned.read_rows.tolist()) == set(np.flatnonzero(scanned.are_plain).tolist())
    return plain


def same_texts(read: Read, *columns: Any) -> None:
    """Check that the columns of a read's texts are those that its objects would give."""
    whole: tuple[Any, ...] = texts_of([read]).columns
    for own, expected in zip(columns, whole, strict=True):
        assert own.dtype == expected.dtype
        assert own.tobytes() == expected.tobytes()


@given(records)
@example(json.dumps(usable | {"read_id": "a\0b"}).encode())
@example(json.dumps(usable | {"site": "dover"}).encode())
@example(json.dumps(usable | {"country": "ZZ"}).encode())
@example(json.dumps(usable | {"lane": 3, "\ud800": 1}).encode())
@example(b'{"read_id":"1","site":"calais","plate":"AB1","camera":"camera-1","lane":3,"\xff":1}')
@example(b'{"read_id":"1","site":"calais","plate":"AB1","camera":"camera-1","lane":"\xff"}')
@example(b'{"read_id":"1","site":"calais","plate":"AB1","camera":"camera-1","plate":7}')
@example(b'{"read_id":"1","site":"calais","plate":7,"camera":"camera-1","plate":"AB1"}')
@example(b'{"read_id":"1","site":"calais","plate":"AB1","camera":"camera-1","pl\\u0061te":"AB2"}')
@example(b'{"read_id":"1","site":"calais","plate":"AB1","camera":"camera-1","x":1e999,"lane":1e999}')
@example(b'{"read_id":"1","site":"calais","plate":"AB1","camera":"camera-1","confidence":0.50000002980232238770}')
@example(b'{"read_id":"1","site":"calais","plate":"AB1","camera":"camera-1","confidence":0.500000029802322388}')
@example(b'{"read_id":"1","site":"calais","plate":"AB1","camera":"camera-1","confidence":1.00000000000000001}')
@example(b'\xef\xbb\xbf{"read_id":"1","site":"calais","plate":"AB1","camera":"camera-1"}')
@example(b'{"read_id":"1","site":"calais","plate":"AB1","camera":"camera-1"}{}')
@example(
    b'{"read_id":"1","site":"calais","plate":"AB1","camera":"camera-1","lane":' + b"[" * 5000 + b"]" * 5000 + b"}"
)
def test_a_record_that_is_plain_reads_the_same_when_it_is_decoded_whole(value: bytes) -> None:
    event(f"is plain: {check(value)[0]}")


@given(damaged)
def test_so_does_a_damaged_record(value: bytes) -> None:
    event(f"is plain: {check(value)[0]}")


@given(st.binary(max_size=300))
def test_so_does_any_record(value: bytes) -> None:
    check(value)


@given(st.lists(records | damaged | st.binary(max_size=30), max_size=6))
def test_each_record_of_a_batch_is_scanned_as_if_it_were_alone(values: list[bytes]) -> None:
    alone = [check(value)[0] for value in values]
    assert check(*values) == alone


@given(records, st.integers(1, 400))
def test_a_record_that_is_cut_in_two_is_no_read(value: bytes, position: int) -> None:
    """So no record of a batch takes from its neighbours what it lacks."""
    position = min(position, len(value) - 1)
    assert not any(check(value[:position], value[position:]))


@given(st.floats(0, 1), st.lists(st.floats(0, 1), min_size=7, max_size=7))
def test_a_confidence_is_the_same_to_the_last_bit(confidence: float, of_characters: list[float]) -> None:
    """Engines that work with single precision write up to 17 digits."""
    fields = usable | {"plate": "AB12CDE", "confidence": confidence, "char_confidences": of_characters}
    check(json.dumps(fields).encode(), json.dumps(fields | {"confidence": float(np.float32(confidence))}).encode())


def usual(plate: str, country: str | None, candidates: Sequence[str]) -> bytes:
    return encode(
        a_read(
            plate=plate,
            camera="camera-22",
            country=country,
            confidence=0.9311,
            char_confidences=(0.25, 0.8731234669685364),
            candidates=tuple(Candidate(plate=of, confidence=0.1) for of in candidates),
        )
    )


@given(
    st.text("XB01 -", max_size=14).map(lambda text: f"{text}1"),
    st.sampled_from(["GB", None]),
    st.lists(st.text("XB01?", max_size=9), max_size=3),
)
def test_a_usual_read_is_plain(plate: str, country: str | None, candidates: list[str]) -> None:
    assert check(usual(plate, country, candidates)) == [True]
