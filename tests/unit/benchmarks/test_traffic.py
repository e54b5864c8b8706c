"""What the loops are to find is known: the reads of the listed plates, and no others."""

from datetime import UTC, datetime
from random import Random

import pytest

from anpr.contracts.events import Read, encode
from benchmarks.plates import make
from benchmarks.stored_reads import plates_of
from benchmarks.throughput import LISTED_EVERY, Traffic

# The plates that a long list would have too.
LINES = [
    encode(Read(read_id=str(number), site="calais", plate=plate, captured_at=datetime.now(UTC)))
    for number, plate in enumerate(make(2 * LISTED_EVERY, Random(1)).texts)
]


@pytest.mark.parametrize("count", [2 * LISTED_EVERY, 50 * LISTED_EVERY])
def test_a_list_has_the_listed_plates_and_others_that_no_read_has(count: int) -> None:
    traffic = Traffic(LINES, count)
    entries = traffic.list_of(500)
    assert len(entries) == 500
    read = set(plates_of(traffic.reads()))
    assert traffic.listed_plates
    assert read & set(entries) == traffic.listed_plates


def test_each_read_has_an_id_of_its_own() -> None:
    assert len({value.split(b'"', 4)[3] for value in Traffic(LINES, 4500).reads()}) == 4500
