"""The quality benchmark measures what it says: a few minutes of its traffic, with the answers checked."""

import csv
import json
import math
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from anpr.matching.encoding.plate_codes import country_codes, encode_plates
from anpr.matching.scoring.background_model import BACKGROUND_MODEL
from benchmarks import fit_likelihood
from benchmarks.fit_likelihood import Sample, load
from benchmarks.quality import kinds, report
from benchmarks.quality.__main__ import half, main
from benchmarks.quality.measure import MATCHER, WITH_CANDIDATES, Fitted, Measured, Run, measure
from benchmarks.quality.passes import ANY_READ, SUREST, TOLERANCES, WAYS, recogniser_of
from benchmarks.quality.rules import RULES
from benchmarks.quality.world import Generator, Templates, next_number

MEASURED = Path("simulators/data/rapidocr.csv")


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return random.Random(1).sample(load(MEASURED), 1_500)


def test_a_drawn_vehicle_is_misread_like_the_measured_one_that_is_its_template(samples: list[Sample]) -> None:
    templates = Templates.of(samples)
    vehicles = Generator(templates, seed=3).vehicles(4_000)
    read_right = (vehicles.plates.codes == vehicles.reads.codes).all(axis=1)
    assert (read_right == templates.is_right[vehicles.templates]).all()
    lengths = np.array([len(s.read) for s in samples])[vehicles.templates]
    assert (vehicles.reads.lengths == lengths).all()


def test_the_list_has_fleets_with_consecutive_plates(samples: list[Sample]) -> None:
    plates = Generator(Templates.of(samples), seed=3).plates(2_000)
    in_a_row = sum((next_number(a, 1) == b).all() for a, b in zip(plates.codes[:-1], plates.codes[1:], strict=True))
    assert 300 < in_a_row < 900


@pytest.mark.parametrize(("plate", "step", "next_one"), [("AB12CDE", 1, "AB13CDE"), ("KAA0099", -99, "KAA0000")])
def test_the_next_number_counts_in_the_last_group_of_digits(plate: str, step: int, next_one: str) -> None:
    [codes], [wanted] = encode_plates([plate], [None]).codes, encode_plates([next_one], [None]).codes
    assert (next_number(codes, step) == wanted).all()


def test_the_same_seed_gives_the_same_figures_and_the_matcher_finds_more_than_the_rules(
    samples: list[Sample],
) -> None:
    fitted = Fitted.on([s for s in samples if half(s.plate) == 0])
    other = [s for s in samples if half(s.plate) == 1]
    one, again = (measure(other, fitted, Run(100_000, 0.5, 5), lambda _: None) for _ in range(2))
    assert (one.found[MATCHER] == again.found[MATCHER]).all()
    assert (one.false[MATCHER] == again.false[MATCHER]).all()
    found = {way: one.found_at(way, 2)[1] for way in (MATCHER, *RULES)}
    assert found[MATCHER] > max(found[rule] for rule in RULES), found


def test_vehicles_come_from_each_country_in_the_shares_of_the_traffic_table(samples: list[Sample]) -> None:
    countries = Generator(Templates.of(samples), seed=3).vehicles(20_000).plates.countries
    british, french = (float(np.mean(countries == code)) for code in country_codes(["GB", "FR"]))
    stated_british, stated_french = BACKGROUND_MODEL.shares[
        BACKGROUND_MODEL.rows(country_codes(["GB", "FR"]))
    ].tolist()
    assert british / french == pytest.approx(stated_british / stated_french, rel=0.15)


def test_the_cameras_candidates_find_misread_vehicles_that_its_reading_does_not(samples: list[Sample]) -> None:
    one = measure(samples, Fitted.shipped(), Run(3_000, 0.5, 5), lambda _: None)
    alone, too = one.found[MATCHER], one.found[WITH_CANDIDATES]
    assert (too >= alone).all()
    assert ((too >= 0) & (alone < 0)).sum() > 5


def test_at_a_threshold_there_are_no_more_false_alerts_than_were_asked_for(samples: list[Sample]) -> None:
    one = measure(samples, Fitted.shipped(), Run(3_000, 0.5, 5), lambda _: None)
    for way in (MATCHER, *RULES):
        for a_day in (0, 2, 100):
            threshold, _ = one.found_at(way, a_day)
            assert (one.false[way] >= threshold).sum() <= a_day * one.days


def test_a_list_shorter_than_the_measured_plates_is_as_long_as_was_asked(samples: list[Sample]) -> None:
    measured = measure(samples, Fitted.shipped(), Run(200, 0.1, 5), lambda _: None)
    assert len(measured.listed[MATCHER]) == 200
    assert 0 < len(measured.found[MATCHER]) < 40


def test_the_share_of_true_alerts_lies_within_its_interval(samples: list[Sample]) -> None:
    rows = report.figures("any", measure(samples, Fitted.shipped(), Run(100_000, 0.5, 5), lambda _: None))[
        "reliability"
    ]
    assert any(row["true_share"] in {0, 1} for row in rows)
    assert all(row["low"] <= row["true_share"] <= row["high"] for row in rows)


def test_a_misread_is_of_the_narrowest_kind_by_which_it_is_like_its_plate() -> None:
    plates = encode_plates(["AB10CDE"] * 6, [None] * 6)
    reads = encode_plates(["ABIOCDE", "A810CDE", "AB10CWE", "AB10CE", "BA10CDE", "AB1OXXE"], [None] * 6)
    named = [kinds.MISREADS[kind] for kind in kinds.of_misreads(plates, reads).tolist()]
    assert named == ["one glyph", "folds", "one edit", "one edit", "one edit", "further"]


@pytest.fixture(scope="module")
def unsure() -> Measured:
    """Return what was measured of an engine that is unsure of many a right read: it has false near alerts."""
    return measure(load(Path("benchmarks/data/tesseract.csv")), Fitted.shipped(), Run(20_000, 4, 5), lambda _: None)


def test_false_near_alerts_are_counted_by_the_kind_of_vehicle(unsure: Measured) -> None:
    figures = report.figures("any", unsure)
    [near] = [row for row in figures["as_shipped"]["by_tier"] if row["tier"] == "near"]
    by_vehicle = [cell["a_day"] for cell in figures["near_false_a_day"].values()]
    assert sum(by_vehicle) == pytest.approx(near["false_a_day"]["a_day"])
    assert all(by_vehicle)


def test_when_the_odds_of_all_near_scores_are_halved_the_factor_that_corrects_them_doubles(unsure: Measured) -> None:
    def halved(scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(scores > 0, scores / (2 - scores), scores)

    less = replace(
        unsure, listed={MATCHER: halved(unsure.listed[MATCHER])}, false={MATCHER: halved(unsure.false[MATCHER])}
    )
    asked, of_less = (report.near_odds(one, MATCHER) for one in (unsure, less))
    assert of_less["factor"] == pytest.approx(2 * asked["factor"], rel=0.03)
    assert asked["low"] < asked["factor"] < asked["high"]


def test_reads_are_judged_by_tables_fitted_to_other_ones() -> None:
    few = ["--entries", "300", "--days", "0.1", "--json"]
    reads = ["--reads", "benchmarks/data/tesseract.csv"]
    shipped, fitted = (CliRunner().invoke(main, [*few, *reads, *of]) for of in ([], ["--fit", str(MEASURED)]))
    assert (shipped.exit_code, fitted.exit_code) == (0, 0), fitted.output
    assert (
        json.loads(shipped.stdout)["figures"][0]["as_shipped"]
        == json.loads(fitted.stdout)["figures"][0]["as_shipped"]
    )
    assert CliRunner().invoke(main, ["--fit", str(MEASURED)]).exit_code == 2


def test_other_engines_reads_are_measured_engine_by_engine(samples: list[Sample], tmp_path: Path) -> None:
    reads = tmp_path / "reads.csv"
    with reads.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["country", "plate", "read", "engine", "severity", "confidence"])
        for number, s in enumerate(samples):
            writer.writerow([s.country, s.plate, s.read, ("one", "other")[number % 2], 0.5, s.confidence])
    options = ["--reads", str(reads), "--entries", "2000", "--days", "0.2", "--json", "--draw", str(tmp_path)]
    done = CliRunner().invoke(main, options)
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)["figures"]
    assert [of["engine"] for of in figures] == ["one", "other"]
    assert all(of["misread_listed_vehicles"] > 0 for of in figures)
    assert (tmp_path / "found.svg").read_text().startswith("<?xml")


def test_asking_for_help_on_fitting_the_tables_does_not_write_them() -> None:
    tables = [Path("src/anpr/reference_data") / name for name in ("misreads.toml", "plates_seen.toml")]
    written = [table.stat().st_mtime_ns for table in tables]
    result = CliRunner().invoke(fit_likelihood.main, ["--help"])
    assert result.exit_code == 0
    assert "plates_seen.toml" in result.output
    assert [table.stat().st_mtime_ns for table in tables] == written


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (["country,plate,engine,confidence", "GB,AB12CDE,x,1"], "F.csv: no column read"),
        (["plate,read", "AB12CDE,AB12CDE"], "F.csv: no column country, confidence"),
        ([""], "F.csv: no column"),
        (["country,plate,read,confidence"], "F.csv: no reads in it"),
        (
            ["country,plate,read,confidence", "GB,AB12CDE,AB12CDE,", "GB,AB12CDE,AB12CDE,high"],
            "line 3: confidence 'high'",
        ),
        (["country,plate,read,confidence", "GB,AB12CDE,AB12CDE,1.5"], "line 2: confidence '1.5'"),
        (["country,plate,read,confidence", "GB,AB12CDE,AB12CDE,nan"], "line 2: confidence 'nan'"),
        (["country,plate,read,confidence", "GB,ab12 cde,AB12CDE,1"], "line 2: plate 'ab12 cde'"),
        (["country,plate,read,confidence", "GB,,AB12CDE,1"], "line 2: no plate"),
        (["country,plate,read,confidence", "GB,AB12CDE"], "F.csv: F needs right reads and misreads"),
        (
            ["country,plate,read,confidence", "GB,AB12CDE,AB12CDE,1"],
            "F.csv: F needs right reads and misreads",
        ),
    ],
)
def test_a_file_that_cannot_be_measured_is_refused_with_what_is_wrong(
    lines: list[str], fault: str, tmp_path: Path
) -> None:
    path = tmp_path / "F.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    result = CliRunner().invoke(main, ["--reads", str(path), "--entries", "10", "--days", "0.1"])
    assert result.exit_code == 1
    assert fault in result.output


@pytest.mark.parametrize(("option", "value"), [("--days", "0"), ("--days", "nan"), ("--entries", "0")])
def test_a_run_without_entries_or_vehicles_is_refused(option: str, value: str) -> None:
    result = CliRunner().invoke(main, [option, value])
    assert result.exit_code == 2
    assert f"Invalid value for '{option}'" in result.output


def test_a_reader_without_confidence_is_measured_by_its_texts(tmp_path: Path) -> None:
    path = tmp_path / "F.csv"
    path.write_text("country,plate,read,confidence\nGB,AB12CDE,AB12CDE,\nGB,AB12CDF,A812CDF,\n", encoding="utf-8")
    assert all(math.isnan(sample.confidence) for sample in load(path))
    result = CliRunner().invoke(main, ["--reads", str(path), "--entries", "1000", "--days", "0.1", "--json"])
    assert result.exit_code == 0, result.output


def test_measured_by_the_pass_any_of_its_reads_finds_at_least_what_its_surest_read_finds(unsure: Measured) -> None:
    passes = unsure.by_pass
    assert passes is not None
    for tolerance in TOLERANCES:
        surest_read, any_read, _, as_sent = (passes.found[way, tolerance] for way in WAYS)
        assert (any_read >= surest_read).all()
        assert (as_sent >= 0).sum() >= (any_read >= 0).sum()
    assert (passes.found[ANY_READ, "near"] >= 0).sum() > (passes.found[SUREST, "near"] >= 0).sum()
    assert (passes.found[ANY_READ, "near"] >= passes.found[ANY_READ, "exact"]).all()


def test_no_more_passes_are_false_at_a_threshold_than_were_asked_for(unsure: Measured) -> None:
    passes = unsure.by_pass
    assert passes is not None
    none, some, many = (passes.found_at(ANY_READ, "near", a_day).sum() for a_day in (0, 2, 1_000))
    assert none <= some <= many == (passes.found[ANY_READ, "near"] >= 0).sum()


def test_an_engine_with_few_misreads_is_not_measured_by_the_pass(samples: list[Sample]) -> None:
    assert recogniser_of(samples[:500]) is None


def test_the_frames_of_a_pass_are_as_unsure_of_right_reads_as_the_engine_is() -> None:
    of_engine = load(MEASURED)
    recogniser = recogniser_of(of_engine)
    assert recogniser is not None
    rng = random.Random(1)
    reads = [recogniser.read("KT47WXM", recogniser.quality(rng), rng) for _ in range(20_000)]
    simulated = [read.confidence for read in reads if read.text == "KT47WXM"]
    measured = [sample.confidence for sample in of_engine if sample.read == sample.plate]
    for low in (0.8, 0.88):
        shares = (float(np.mean(np.array(confidences) < low)) for confidences in (simulated, measured))
        assert next(shares) == pytest.approx(next(shares), abs=0.005)
