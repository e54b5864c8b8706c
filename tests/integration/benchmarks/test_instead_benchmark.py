"""The comparison with other methods asks all of them the same reads, and reports their answers."""

import json
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from anpr.local.server import ServerUnavailableError
from anpr.local.valkey_server import ValkeyServer
from benchmarks import instead
from benchmarks.fit_likelihood import load
from tests.support.servers import missing

plates = st.text("AB10", min_size=1, max_size=6)
lists = st.lists(plates, min_size=1, max_size=8, unique=True)


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip the test where no Valkey can be started: the benchmark starts its own."""
    try:
        with ValkeyServer(tmp_path_factory.mktemp("valkey")):
            pass
    except ServerUnavailableError as error:
        missing(error)


@pytest.mark.parametrize("option", [("--entries", "0"), ("--days", "0"), ("--days", "nan"), ("--days", "inf")])
def test_a_comparison_without_entries_or_vehicles_is_refused(option: tuple[str, str]) -> None:
    refused = CliRunner().invoke(instead.main, option)
    assert refused.exit_code == 2
    assert option[0] in refused.output


@given(lists, st.lists(plates, max_size=8))
def test_the_methods_that_look_one_edit_away_find_the_same(listed: list[str], texts: list[str]) -> None:
    reads = instead.Reads(texts, [None] * len(texts), [None] * len(texts), texts)
    near = [{plate for plate in listed if OSA.distance(plate, text) <= 1} for text in texts]
    for method in (instead.by_variants, instead.by_symspell, instead.by_rapidfuzz):
        assert method(listed)(reads) == near


def test_unlisted_vehicles_have_no_plate_of_the_list() -> None:
    listed = set(instead.traffic(50, set(), Random(3)).plates)
    unlisted = instead.traffic(50, listed, Random(3))
    assert listed.isdisjoint(unlisted.plates)
    assert all(len(text) >= 4 for text in unlisted.texts)


def test_only_misreads_of_four_characters_or_more_count() -> None:
    misreads = instead.misread(load(Path("simulators/data/rapidocr.csv")))
    assert len(misreads.texts) == 1_434
    assert all(text != plate and len(text) >= 4 for text, plate in zip(misreads.texts, misreads.plates, strict=True))


@pytest.mark.usefixtures("valkey")
def test_a_small_run_reports_what_every_method_finds_and_costs() -> None:
    done = CliRunner().invoke(instead.main, ["--entries", "1500", "--days", "0.02", "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    figures = report["figures"]
    found = {name: row["found_percent"] for name, row in figures.items()}
    assert report["entries"] == 1_500
    assert len(figures) == 6
    assert found["set, all one-edit variants"] == found["symspellpy"] == found["rapidfuzz extract"]
    assert 0 < found["Redis SMISMEMBER"] < found["index, up to folded"] < found["index, all tiers"] <= 100
    assert all(row["ns_per_read"] > 0 and row["false_a_day"] >= 0 for row in figures.values())
    assert {row["reads"] for row in figures.values()} == {400}
