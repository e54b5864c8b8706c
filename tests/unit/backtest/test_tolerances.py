"""What each tolerance would find and cost, on simulated traffic."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from anpr.backtest.confidence_intervals import count_interval, share_interval
from anpr.backtest.synthetic_traffic import SyntheticTraffic
from anpr.backtest.tolerances import estimate_tolerance_costs
from anpr.cli.watchlist.cost import command
from anpr.matching.encoding.plate_codes import encode_plates
from anpr.matching.scoring.background_model import BACKGROUND_MODEL
from anpr.matching.scoring.confusion_model import CONFUSION_MODEL
from tests.support.strategies import an_entry

CONFIG = Path(__file__).parents[3] / "config"


def traffic(seed: int = 1) -> SyntheticTraffic:
    return SyntheticTraffic(BACKGROUND_MODEL, CONFUSION_MODEL, np.random.default_rng(seed))


def test_the_traffic_has_the_countries_and_layouts_of_the_tables() -> None:
    plates = traffic().plates(20_000)
    rows = BACKGROUND_MODEL.rows(plates.countries)
    british = rows == BACKGROUND_MODEL.rows(encode_plates(["X"], ["GB"]).countries)[0]
    assert british.mean() == pytest.approx(BACKGROUND_MODEL.shares[rows[british][0]], abs=0.02)
    assert (BACKGROUND_MODEL.layout_shares(plates) > 0).all()


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
        estimate_tolerance_costs(some, 1, np.random.default_rng(2), lambda *_: None)
        for some in (entries[:500], entries)
    )
    for cost in (short, long):
        found = [one.found_share or 0.0 for one in cost.tolerances]
        assert found[0] == 0  # no misread is the plate itself
        assert found[0] < found[1] < found[2]
    assert [one.tolerance for one in long.tolerances] == ["exact", "tolerant", "near"]
    assert long.tolerances[-1].false_a_day >= short.tolerances[-1].false_a_day


def test_numbers_have_intervals_and_are_missing_where_nothing_was_measured() -> None:
    plates = [an_entry("plate", plate="XY99ABC")]
    cost = estimate_tolerance_costs(plates, 2, np.random.default_rng(2), lambda *_: None)
    for one in cost.tolerances:
        assert one.found_share is not None
        assert one.found_share_interval is not None
        assert one.found_share_interval[0] <= one.found_share <= one.found_share_interval[1]
        assert one.false_a_day_interval[0] <= one.false_a_day < one.false_a_day_interval[1]
    of_patterns = estimate_tolerance_costs([an_entry(plate="AB1*")], 1, np.random.default_rng(2), lambda *_: None)
    assert [one.found_share for one in of_patterns.tolerances] == [None, None, None]


def test_the_command_checks_a_list_as_plan_does(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("Reg;Site\nAB12 CDE;Calais\nAB13 CDE;calais\nAB14 CDE;dover\n", "utf-8")
    options = ["--days", "1", "--columns", "plate=Reg,sites=Site", "--valid-for", "30d"]
    done = CliRunner().invoke(command, [str(file), *options], obj=CONFIG)
    assert done.exit_code == 1
    assert "line 2: sites 'Calais': must be one of" in done.stderr
    assert "no camera of this configuration is at the sites: line 4" in done.stderr
    assert "2 entries, 0 of them patterns" in done.stderr


def test_the_command_shows_that_its_traffic_is_made_up_and_never_0_percent_of_nothing(tmp_path: Path) -> None:
    file = tmp_path / "patterns.csv"
    file.write_text("plate,valid_until\nAB1*,2099-01-01\n", "utf-8")
    done = CliRunner().invoke(command, [str(file), "--days", "1"], obj=CONFIG)
    assert done.exit_code == 0
    assert "made up" in done.stderr
    assert "no plate to misread" in done.stderr
    assert "0.0 %" not in done.stderr


def test_simulated_reads_have_the_confidences_of_the_tables() -> None:
    drawn = traffic(4)
    plates = drawn.plates(5_000)
    misread, read = drawn.misread(plates), drawn.read(plates)
    assert misread.confidences.mean() < 0.88
    assert read.confidences.mean() > 0.93


@pytest.mark.parametrize(("count", "of", "low", "high"), [(0, 10, 0.0, 0.28), (5, 10, 0.24, 0.76), (10, 10, 0.72, 1)])
def test_the_interval_of_a_share_holds_the_shares_that_may_give_it(
    count: int, of: int, low: float, high: float
) -> None:
    assert share_interval(count, of) == pytest.approx((low, high), abs=0.005)


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0.0, 3.69), (1, 0.03, 5.57), (100, 81.4, 121.6)])
def test_the_interval_of_a_count_is_that_of_poisson(count: int, low: float, high: float) -> None:
    """The exact bounds, from a table of the chi-squared distribution; the approximation is near them."""
    assert count_interval(count) == pytest.approx((low, high), abs=0.06)


def test_patterns_are_counted_separately() -> None:
    entries = [an_entry("pattern", plate="AB1*"), an_entry("plate", plate="XY99ABC")]
    cost = estimate_tolerance_costs(entries, 2, np.random.default_rng(2), lambda *_: None)
    assert (cost.entries, cost.patterns) == (2, 1)
    assert cost.misreads > 0
