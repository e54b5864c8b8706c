"""What a pass is worth does not depend on the order or the repetition of its reads."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anpr.contracts.events import Read
from benchmarks.quality.passes import best_of_passes, counted_once, surest

_NUMBERS = st.integers(0, 5)
_READS = st.lists(
    st.builds(
        lambda number, superseded, plate, confidence: Read(
            read_id=f"r{number}",
            site="calais",
            camera="c",
            plate=plate,
            confidence=confidence,
            supersedes=None if superseded is None or superseded >= number else f"r{superseded}",
        ),
        _NUMBERS,
        st.none() | _NUMBERS,
        st.sampled_from(["AB12CDE", "AB12CD", "XY34ZZZ"]),
        st.none() | st.sampled_from([0.0, 0.5, 0.9]),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda read: read.read_id,
)
_ALERTS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.0, 0.2, 0.7, 1.0])), max_size=12)


@given(_READS, st.data())
def test_a_repeated_or_superseded_read_counts_once_in_any_order(reads: list[Read], data: st.DataObject) -> None:
    records = data.draw(st.permutations(reads + data.draw(st.lists(st.sampled_from(reads)))))
    counted = counted_once(records)
    superseded = {read.supersedes for read in reads}
    assert sorted(read.read_id for read in counted) == sorted(
        read.read_id for read in reads if read.read_id not in superseded
    )


@given(_READS, st.data())
def test_the_surest_read_is_the_same_in_any_order(reads: list[Read], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(reads))
    assert shuffled[surest(shuffled)] == reads[surest(reads)]
    assert all((read.confidence or 0) <= (reads[surest(reads)].confidence or 0) for read in reads)


@given(_ALERTS, st.data())
def test_a_pass_is_found_by_any_of_its_reads_and_one_read_more_loses_none(
    alerts: list[tuple[int, float]], data: st.DataObject
) -> None:
    def best(of: list[tuple[int, float]]) -> list[float]:
        rows, scores = np.array([row for row, _ in of], np.intp), np.array([score for _, score in of])
        found: list[float] = best_of_passes(rows, scores, 4).tolist()
        return found

    whole = best(alerts)
    assert whole == [max((score for row, score in alerts if row == of_pass), default=-1) for of_pass in range(4)]
    assert best(data.draw(st.permutations(alerts))) == whole
    assert all(before <= after for before, after in zip(best(alerts[1:]), whole, strict=True))
