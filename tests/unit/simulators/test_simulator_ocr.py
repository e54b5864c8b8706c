"""The simulated recogniser makes the errors of the measured one."""

import json
from collections.abc import Iterable
from importlib import resources
from random import Random

import pytest

from anpr.contracts import plates
from simulators import fit_ocr, ocr
from simulators.alignment import align, edits

# How far a share among 16,000 simulated reads may lie from the measured one, in points: for one of all reads, and
# for one of the some 1,400 misreads. Three standard deviations are 0.8 and 4.0; what the model leaves out is more.
TOLERANCE_OF_READS = 1.0
TOLERANCE_OF_MISREADS = 5.0


def shares(reads: Iterable[tuple[str, str]]) -> dict[str, float]:
    """Return the shares in percent that describe the measured reads."""
    pairs = list(reads)
    misreads = [(plate, read) for plate, read in pairs if plate != read and len(read) >= ocr.SHORTEST]
    same_glyphs = [plates.equivalent(plate) == plates.equivalent(read) for plate, read in misreads]
    distances = [edits(plate, read) for plate, read in misreads]
    return {
        "right": 100 * sum(plate == read for plate, read in pairs) / len(pairs),
        "shorter than 4": 100 * sum(len(read) < ocr.SHORTEST for _, read in pairs) / len(pairs),
        "misreads in 0/O and 1/I alone": 100 * sum(same_glyphs) / len(misreads),
        "misreads one edit away": 100 * distances.count(1) / len(misreads),
        "misreads at most two edits away": 100 * sum(distance <= 2 for distance in distances) / len(misreads),
    }


def test_the_measured_reads_are_those_that_the_documentation_describes() -> None:
    measured = shares((sample.plate, sample.read) for sample in fit_ocr.samples())
    assert {name: round(share, 1) for name, share in measured.items()} == {
        "right": 88.6,
        "shorter than 4": 2.5,
        "misreads in 0/O and 1/I alone": 30.7,
        "misreads one edit away": 54.2,
        "misreads at most two edits away": 77.3,
    }


def test_the_committed_model_is_what_the_fit_gives() -> None:
    committed = (resources.files("simulators") / "data" / "ocr_model.json").read_text("utf-8")
    assert json.loads(committed) == fit_ocr.fit(fit_ocr.samples())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_simulated_reads_have_as_many_and_as_large_errors_as_the_measured_ones(seed: int) -> None:
    rng, recogniser, samples = Random(seed), ocr.load(), fit_ocr.samples()
    measured = shares((sample.plate, sample.read) for sample in samples)
    simulated = shares(
        (sample.plate, recogniser.read(sample.plate, recogniser.quality(rng), rng).text) for sample in samples
    )
    for name, share in measured.items():
        tolerance = TOLERANCE_OF_MISREADS if name.startswith("misreads") else TOLERANCE_OF_READS
        assert simulated[name] == pytest.approx(share, abs=tolerance), name


def test_errors_are_clustered_on_bad_plates() -> None:
    rng, recogniser = Random(1), ocr.load()
    wrong = [
        sum(recogniser.read("XW914GG", quality, rng).text != "XW914GG" for _ in range(2000)) / 2000
        for quality in range(len(fit_ocr.BANDS))
    ]
    assert wrong[0] < 0.02
    assert wrong[-1] > 0.2
    assert wrong == sorted(wrong)


def test_a_wrong_read_has_a_lower_confidence_than_a_right_one() -> None:
    rng, recogniser = Random(1), ocr.load()
    readings = [recogniser.read("KVW13955", recogniser.quality(rng), rng) for _ in range(5000)]
    right = sorted(reading.confidence for reading in readings if reading.text == "KVW13955")
    wrong = sorted(reading.confidence for reading in readings if reading.text != "KVW13955")
    assert right[len(right) // 2] == pytest.approx(0.974, abs=0.005)
    assert wrong[len(wrong) // 2] < 0.85
    assert 0 <= wrong[0] <= right[-1] <= 1


def test_the_same_random_numbers_give_the_same_reading() -> None:
    recogniser = ocr.load()
    assert [recogniser.read("AB12CDE", 5, Random(seed)) for seed in range(200)] == [
        recogniser.read("AB12CDE", 5, Random(seed)) for seed in range(200)
    ]


@pytest.mark.parametrize(
    ("plate", "read", "kinds"),
    [
        ("AB12CDE", "AB12CDE", []),
        ("VO19NXY", "V019NXY", ["swapped"]),
        ("XW914GG", "XW94G9", ["deleted", "substituted"]),
        ("SVLK93", "SVALK98", ["inserted", "substituted"]),
        ("B12", "", ["deleted", "deleted", "deleted"]),
        ("", "7", ["inserted"]),
    ],
)
def test_an_alignment_says_what_happened_to_each_character(plate: str, read: str, kinds: list[str]) -> None:
    steps = align(plate, read)
    assert [step.kind for step in steps if step.kind != "kept"] == kinds
    assert "".join(step.true for step in steps) == plate
    assert "".join(step.read for step in steps) == read
