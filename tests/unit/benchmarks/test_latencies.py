"""Latencies count from when a read was due, and are compared round by round with the echo."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anpr.contracts.events import Read, encode
from anpr.reads.decoder import decode_read
from benchmarks.latencies import Round, compared, percentiles
from benchmarks.loops.sender import Order, records, templates

SECONDS = st.lists(st.floats(1e-4, 250), min_size=1, max_size=20)
few = settings(max_examples=10)  # walking a histogram takes milliseconds
LINE = encode(Read(read_id="1", site="calais", plate="XY12ZZZ", camera="lane-1", captured_at=datetime.now(UTC)))
BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@few
@given(SECONDS)
def test_percentiles_rise_and_the_last_is_the_longest(seconds: list[float]) -> None:
    found = list(percentiles(seconds).values())
    assert found == sorted(found)
    assert found[-1] == pytest.approx(max(seconds) * 1000, rel=0.002, abs=0.01)


@few
@given(SECONDS)
def test_an_echo_that_is_twice_as_fast_has_half_the_latency(echo: list[float]) -> None:
    figures = compared([Round([2 * of for of in echo], echo)] * 3)
    for share in ("p50_times_echo", "p99_times_echo"):
        assert figures[share] == pytest.approx({"median": 2, "low": 2, "high": 2}, rel=0.01, abs=0.03)


def test_each_round_counts_alike_however_slow_the_machine_was_in_it() -> None:
    busy = Round([10.0], [10.0])
    figures = compared([Round([0.002], [0.001]), Round([0.002], [0.001]), busy])
    assert figures["p50_times_echo"] == {"median": 2.0, "low": 1.0, "high": 2.0}


@few
@given(st.integers(1, 50), st.integers(1, 20))
def test_reads_are_due_at_an_even_pace_and_say_whether_they_are_listed(rate: int, every: int) -> None:
    order = Order("7", rate, 1, every)
    sent = [decode_read(value, "calais", BEGAN) for _, value in records(order, templates([LINE]), ["AB12CDE"], BEGAN)]
    assert len(sent) == rate
    due = order.due()
    assert {read.read_id for read in sent if read.plate == "AB12CDE"} == set(due)
    for number, read in enumerate(sent):
        assert read.captured_at is not None
        assert (read.captured_at - BEGAN).total_seconds() == pytest.approx(number / rate, abs=0.0011)
        assert due.get(read.read_id, number / rate) == pytest.approx(number / rate)


def test_an_order_survives_its_way_to_the_sender() -> None:
    order = Order("7", 1000.0, 5.0, 10)
    assert msgspec.json.decode(msgspec.json.encode(order), type=Order) == order
