"""What each tolerance would find and cost, on traffic that the tables make."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anpr.matching.densities import DENSITIES
from anpr.matching.misreads import MISREADS
from anpr.matching.packed import pack
from anpr.matching.traffic import Traffic
from anpr.watchlist.tolerances import tolerances_cost
from tests.strategies import an_entry


def traffic(seed: int = 1) -> Traffic:
    return Traffic(DENSITIES, MISREADS, np.random.default_rng(seed))


def test_the_traffic_has_the_countries_and_layouts_that_the_tables_say() -> None:
    plates = traffic().plates(20_000)
    rows = DENSITIES.rows(plates.countries)
    british = rows == DENSITIES.rows(pack(["X"], ["GB"]).countries)[0]
    assert british.mean() == pytest.approx(DENSITIES.shares[rows[british][0]], abs=0.02)
    usual = np.isfinite(DENSITIES.log_plates(plates.codes, plates.lengths, rows))
    assert usual.all()


@given(st.integers(0, 2**32))
def test_a_misread_always_differs_from_the_plate_and_a_read_seldom(seed: int) -> None:
    drawn = traffic(seed)
    plates = drawn.plates(50).take(np.arange(50))
    wrong = drawn.misread(plates)
    assert ((wrong.codes != plates.codes).any(axis=1) | (plates.lengths == 0)).all()
    right = (drawn.read(plates).codes == plates.codes).all(axis=1)
    assert right.sum() > 25


def test_a_wider_tolerance_finds_more_and_a_longer_list_costs_more() -> None:
    drawn = traffic(5).plates(20_000)
    texts = sorted({drawn.text(row) for row in range(len(drawn)) if drawn.lengths[row] > 3})
    entries = [an_entry(text, plate=text) for text in texts]
    short, long = (
        tolerances_cost(some, 1, np.random.default_rng(2), lambda *_: None) for some in (entries[:500], entries)
    )
    for cost in (short, long):
        found = [one.found_share for one in cost.tolerances]
        assert found[0] == 0  # no misread is the plate itself
        assert found[0] < found[1] < found[2]
    assert [one.tolerance for one in long.tolerances] == ["exact", "tolerant", "near"]
    assert long.tolerances[-1].false_a_day >= short.tolerances[-1].false_a_day


def test_patterns_are_counted_apart() -> None:
    entries = [an_entry("pattern", plate="AB1*"), an_entry("plate", plate="XY99ABC")]
    cost = tolerances_cost(entries, 2, np.random.default_rng(2), lambda *_: None)
    assert (cost.entries, cost.patterns) == (2, 1)
    assert cost.misreads > 0
