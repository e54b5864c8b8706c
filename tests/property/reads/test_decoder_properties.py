import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anpr.contracts.events import DIRECTIONS, Read
from anpr.reads.decoder import CLOCK_TOLERANCE, MAX_READ_BYTES, BadRead, decode_read
from tests.support.strategies import NOON, identifiers, instants, json_values, vehicles, words

usable = st.fixed_dictionaries(
    {
        "read_id": identifiers,
        "site": st.just("calais"),
        "plate": st.text("AB01 -", max_size=14).map(lambda text: f"{text}Z"),
    }
)
optional_fields = sorted(set(Read.__struct_fields__) - {"read_id", "site", "plate"})
# Half of the values are nonsense, and half may fit the contract.
plausible: dict[str, st.SearchStrategy[Any]] = {
    "direction": words(DIRECTIONS),
    "captured_at": instants.map(datetime.isoformat) | st.just("2026-03-01T11:59:58Z"),
    "confidence": st.floats(0, 1),
    "vehicle": vehicles.map(msgspec.to_builtins),
    "supersedes": identifiers,
    "candidates": st.lists(st.fixed_dictionaries({"plate": st.text(max_size=10)}), max_size=2),
}
whatever_else = st.fixed_dictionaries(
    {}, optional={name: json_values | plausible.get(name, json_values) for name in optional_fields}
) | st.dictionaries(st.text(max_size=10), json_values, max_size=2)

REASONS = (
    "too long",
    "not JSON",
    "no usable read_id",
    "no usable site",
    "no usable plate",
    "no usable time",
    "wrong site",
)


def what_becomes_of(value: bytes | None, received_at: datetime | None) -> str:
    """Return why a record is refused, or that it can be matched. Any other error is raised."""
    try:
        read = decode_read(value, "calais", received_at)
    except BadRead as bad:
        return bad.reason
    return "matched" if read.captured_at else "matched without a capture time"


def _with_times(captured_at: str, received_at: str) -> bytes:
    record = {
        "read_id": "r",
        "site": "calais",
        "plate": "AB1",
        "captured_at": captured_at,
        "received_at": received_at,
    }
    return json.dumps(record).encode()


@given(st.binary(max_size=300) | st.none(), st.none() | st.just(NOON))
@example(b"[" * MAX_READ_BYTES, NOON)
@example(b'{"read_id":' * (MAX_READ_BYTES // 11), NOON)
@example(b'{"lane":' + b"[" * (MAX_READ_BYTES // 2), NOON)
@example(b" " * (MAX_READ_BYTES + 1), NOON)
@example(b'{"read_id":"r","site":"calais","plate":"AB1","captured_at":"0001-01-01T00:00:00+23:00"}', None)
@example(b'{"read_id":"r","site":"calais","plate":"AB1","received_at":"0001-01-01T00:00:00Z"}', None)
@example(_with_times("2026-03-01T12:00:00Z", "0001-01-01T00:00:00Z"), None)
@example(_with_times("2026-03-01T12:00:00Z", "9999-12-31T23:59:59Z"), None)
def test_any_record_is_a_read_or_a_bad_read_with_its_reason(
    value: bytes | None, received_at: datetime | None
) -> None:
    assert what_becomes_of(value, received_at) in {"matched", *REASONS}


@given(usable, whatever_else, st.integers(0, 300), st.binary(min_size=1, max_size=3))
def test_a_damaged_read_is_a_read_or_a_bad_read(
    required: dict[str, Any], others: dict[str, Any], position: int, damage: bytes
) -> None:
    value = json.dumps(others | required).encode()
    position = min(position, len(value))
    damaged = value[:position] + damage + value[position + len(damage) :]
    assert what_becomes_of(damaged, NOON) in {"matched", *REASONS}


@given(usable, whatever_else)
@example({"read_id": "1", "site": "calais", "plate": "Z"}, {"lane": 0, "pass_id": 0})
def test_a_read_that_can_be_matched_is_kept_whatever_else_is_wrong_with_it(
    required: dict[str, Any], others: dict[str, Any]
) -> None:
    record = others | required
    read = decode_read(json.dumps(record).encode(), "calais", NOON)

    assert {name: getattr(read, name) for name in required} == required
    bad = {name for name in others if name in optional_fields and not _is_good_alone(required, name, others[name])}
    bad -= {"received_at", "clock_suspect", "dropped_fields", "claimed_at"}  # nobody asked the camera
    # These are read in other forms too, or dropped in part; the tests below are about them.
    repaired = {"confidence", "char_confidences", "candidates", "country", "vehicle"}
    bad -= repaired
    # A camera that writes a name as a number has one.
    bad -= {name for name in ("camera", "lane", "pass_id", "supersedes") if type(others.get(name)) is int}
    if others.get("supersedes") == required["read_id"]:
        bad.add("supersedes")
    assert set(read.dropped_fields) - repaired == bad
    assert len(read.dropped_fields) == len(set(read.dropped_fields))
    bare = decode_read(json.dumps(required).encode(), "calais", NOON)
    for name in bad - {"captured_at"}:
        assert getattr(read, name) == getattr(bare, name), "a field that was dropped is as if it had never come"


good_candidates = st.fixed_dictionaries(
    {"plate": st.text("AB01 -", max_size=14).map(lambda text: f"{text}Z")}, optional={"confidence": st.floats(0, 1)}
)
bad_candidates = st.sampled_from(
    [
        {"plate": "A" * 100},
        {"plate": "·", "confidence": "x"},
        {"confidence": 0.5},
        {"plate": 7},
        ["AB1"],
        "·",
    ]
)
bad_confidences = st.sampled_from(["x", 1.5, -0.5, 1000, True, [0.5], {}, ""])


@given(
    usable,
    st.lists(
        good_candidates | st.fixed_dictionaries({"plate": st.just("AB1"), "confidence": bad_confidences}), max_size=16
    ),
)
def test_whatever_its_confidence_a_candidate_keeps_its_plate(
    required: dict[str, Any], candidates: list[dict[str, Any]]
) -> None:
    read = decode_read(json.dumps({**required, "candidates": candidates}).encode(), "calais", NOON)
    assert [candidate.plate for candidate in read.candidates] == [candidate["plate"] for candidate in candidates]


shares = st.integers(0, 1000).map(lambda permille: permille / 1000)


@given(usable, st.lists(shares.filter(lambda share: share >= 0.01), min_size=1, max_size=8))
def test_a_record_in_percent_reads_as_the_same_record_in_shares(
    required: dict[str, Any], confidences: list[float]
) -> None:
    def decoded(scale: Callable[[float], Any]) -> Read:
        candidates = [{"plate": "AB1", "confidence": scale(confidence)} for confidence in confidences]
        return decode_read(json.dumps({**required, "candidates": candidates}).encode(), "calais", NOON)

    in_shares = [candidate.confidence for candidate in decoded(float).candidates]
    assert [candidate.confidence for candidate in decoded(str).candidates] == in_shares
    in_percent = [candidate.confidence for candidate in decoded(lambda share: f"{share * 100:.1f}%").candidates]
    assert in_percent == pytest.approx(in_shares)
    if max(confidences) >= 0.02:
        plain = [candidate.confidence for candidate in decoded(lambda share: round(share * 100, 1)).candidates]
        assert plain == pytest.approx(in_shares)


@given(usable, st.lists(good_candidates, max_size=20), st.lists(st.tuples(st.integers(0, 20), bad_candidates)))
def test_adding_bad_candidates_to_a_read_never_removes_the_good_ones(
    required: dict[str, Any], good: list[dict[str, Any]], bad: list[tuple[int, Any]]
) -> None:
    candidates: list[Any] = list(good)
    for position, candidate in bad:
        candidates.insert(position, candidate)
    read = decode_read(json.dumps({**required, "candidates": candidates}).encode(), "calais", NOON)

    kept = [{"plate": candidate.plate, "confidence": candidate.confidence} for candidate in read.candidates]
    assert kept == [{"confidence": None} | candidate for candidate in good[:16]]
    assert read.dropped_fields == (("candidates",) if bad or len(good) > 16 else ())


no_plates = st.sampled_from([None, "", "·", "Ж?", "A" * 17, "A" * 65, 7, ["AB1"]])


@given(usable, no_plates, st.lists(good_candidates, min_size=1, max_size=4), st.lists(bad_candidates, max_size=2))
def test_a_read_with_an_unusable_plate_is_kept_for_its_candidates(
    required: dict[str, Any], plate: Any, good: list[dict[str, Any]], bad: list[Any]
) -> None:
    record = {**required, "plate": plate, "candidates": [*bad, *good]}
    if plate is None:
        del record["plate"]
    read = decode_read(json.dumps(record).encode(), "calais", NOON)
    assert [candidate.plate for candidate in read.candidates] == [of_one["plate"] for of_one in good]
    assert "plate" in read.dropped_fields
    assert read.plate == (plate if isinstance(plate, str) and len(plate) <= 64 else "")


@given(usable, no_plates, st.lists(bad_candidates | st.just({"plate": "·"}), max_size=3))
def test_a_read_without_any_usable_text_is_refused(
    required: dict[str, Any], plate: Any, candidates: list[Any]
) -> None:
    record = {**required, "plate": plate, "candidates": candidates}
    assert what_becomes_of(json.dumps(record).encode(), NOON) == "no usable plate"


def _is_good_alone(required: dict[str, Any], name: str, value: Any) -> bool:
    try:
        msgspec.json.decode(json.dumps({**required, name: value}), type=Read)
    except msgspec.ValidationError:
        return False
    return True


@given(usable, st.timedeltas(timedelta(hours=-71), CLOCK_TOLERANCE))
def test_a_plausible_capture_time_is_kept(required: dict[str, Any], since: timedelta) -> None:
    captured_at = NOON + since
    read = decode_read(_at(required, captured_at.isoformat()), "calais", NOON)
    assert not read.clock_suspect
    assert read.captured_at is not None
    assert timedelta(0) <= captured_at - read.captured_at < timedelta(milliseconds=1)


@given(usable, st.datetimes(min_value=(NOON + CLOCK_TOLERANCE + timedelta(milliseconds=1)).replace(tzinfo=None)))
def test_a_capture_time_in_the_future_is_replaced_by_the_time_of_arrival(
    required: dict[str, Any], captured_at: datetime
) -> None:
    _assert_matched_as_of_arrival(_at(required, f"{captured_at.isoformat()}Z"))


@given(usable, st.datetimes() | st.just(NOON.replace(tzinfo=None)))
def test_a_capture_time_without_a_zone_is_replaced_by_the_time_of_arrival(
    required: dict[str, Any], captured_at: datetime
) -> None:
    _assert_matched_as_of_arrival(_at(required, captured_at.isoformat()))


@given(usable)
def test_a_missing_capture_time_is_replaced_by_the_time_of_arrival(required: dict[str, Any]) -> None:
    _assert_matched_as_of_arrival(json.dumps(required).encode())


def _at(required: dict[str, Any], captured_at: str) -> bytes:
    return json.dumps({**required, "captured_at": captured_at}).encode()


def _assert_matched_as_of_arrival(value: bytes) -> None:
    read = decode_read(value, "calais", NOON)
    assert read.clock_suspect
    assert read.captured_at == read.received_at == NOON


@given(
    usable,
    st.fixed_dictionaries(
        {},
        optional={
            "received_at": json_values | instants.map(datetime.isoformat),
            "clock_suspect": st.just(True) | json_values,
            "dropped_fields": json_values | st.lists(st.text(max_size=5), max_size=2),
            "claimed_at": json_values | st.text(max_size=70),
        },
    ),
    st.fixed_dictionaries(
        {},
        optional={"captured_at": st.just("2026-03-01T11:59:58Z"), "confidence": st.just("high")},
    ),
)
def test_a_camera_cannot_set_the_fields_of_the_decoder(
    required: dict[str, Any], said: dict[str, Any], others: dict[str, Any]
) -> None:
    honest = decode_read(json.dumps(required | others).encode(), "calais", NOON)
    assert decode_read(json.dumps(required | others | said).encode(), "calais", NOON) == honest


times_as_written = (
    json_values
    | st.text(max_size=70)
    | st.text("0123456789", min_size=63, max_size=66)
    | st.datetimes().map(datetime.isoformat)
)


@given(usable, times_as_written, times_as_written, st.sampled_from(({}, {"confidence": "high"})), st.timedeltas())
def test_two_records_are_one_read_exactly_when_the_camera_wrote_one_time(
    required: dict[str, Any], first: Any, second: Any, others: dict[str, Any], later: timedelta
) -> None:
    def read(written: Any, arrived_at: datetime) -> Read:
        return decode_read(json.dumps({**required, **others, "captured_at": written}).encode(), "calais", arrived_at)

    def text(written: Any) -> str:
        return written if isinstance(written, str) else "" if written is None else json.dumps(written)

    first_read, second_read = read(first, NOON), read(second, NOON)
    assert (first_read.identity == second_read.identity) == (text(first) == text(second))
    assert read(first, NOON + abs(later % timedelta(days=365))).identity == first_read.identity
    assert len(first_read.claimed_at) <= 64
    assert "\0" not in first_read.claimed_at
