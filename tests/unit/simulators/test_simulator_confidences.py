"""The confidence that a simulated camera reports for a character is a hint and no proof, as with a real camera."""

from random import Random
from statistics import mean, median

import pytest

from simulators import confidences, ocr
from simulators.alignment import align

PLATE = "WPI10471"
RECOGNISER = ocr.load()


def readings(count: int) -> list[tuple[ocr.Reading, tuple[float, ...]]]:
    rng = Random(1)
    read = [RECOGNISER.read(PLATE, RECOGNISER.quality(rng), rng) for _ in range(count)]
    return [(reading, confidences.char_confidences(reading, rng)) for reading in read]


@pytest.fixture(scope="module")
def many() -> list[tuple[ocr.Reading, tuple[float, ...]]]:
    return readings(20_000)


def test_each_character_has_its_confidence(many: list[tuple[ocr.Reading, tuple[float, ...]]]) -> None:
    assert all(len(reported) == len(reading.text) for reading, reported in many)
    assert all(0 <= confidence <= 1 for _, reported in many for confidence in reported)


def test_the_confidence_of_a_read_is_the_mean_of_its_characters(
    many: list[tuple[ocr.Reading, tuple[float, ...]]],
) -> None:
    uncut = [(reading, reported) for reading, reported in many if reported and min(reported) > 0.05]
    assert len(uncut) > 0.9 * len(many)
    assert all(mean(reported) == pytest.approx(reading.confidence, abs=0.002) for reading, reported in uncut)


def test_wrong_characters_mostly_but_not_always_have_lower_confidences(
    many: list[tuple[ocr.Reading, tuple[float, ...]]],
) -> None:
    right: list[float] = []
    wrong: list[float] = []
    for reading, reported in many:
        if reading.damage:
            left = list(reported)
            for step in (step for step in align(PLATE, reading.text) if step.read):
                (right if step.kind == "kept" else wrong).append(left.pop(0))
    assert median(right) > 0.85
    assert median(wrong) < 0.75
    # They overlap, so no threshold separates them.
    assert sum(sure > median(right) for sure in wrong) > 0.05 * len(wrong)
    assert sum(sure < median(wrong) for sure in right) > 0.03 * len(right)


@pytest.mark.parametrize(("edits", "share"), [((1, 2), 0), ((3, 7), 1)])
def test_the_true_text_is_among_the_candidates_of_a_misread_as_often_as_is_stated(
    many: list[tuple[ocr.Reading, tuple[float, ...]]], edits: tuple[int, int], share: int
) -> None:
    rng = Random(2)
    damaged = [r for r, _ in many if r.damage and edits[0] <= r.damage <= edits[1] and r.text != PLATE]
    named = [PLATE in {c.plate for c in confidences.candidates(PLATE, r, RECOGNISER, rng)} for r in damaged * 3]
    assert mean(named) == pytest.approx(confidences.TRUE_CANDIDATE_SHARES[share], abs=0.07)


def test_candidates_are_other_texts_with_lower_confidences_the_likeliest_first(
    many: list[tuple[ocr.Reading, tuple[float, ...]]],
) -> None:
    rng = Random(3)
    some = 0
    for reading, _ in many[:5000]:
        possible = confidences.candidates(PLATE, reading, RECOGNISER, rng)
        sure = [candidate.confidence or 0 for candidate in possible]
        assert reading.text not in {candidate.plate for candidate in possible}
        assert sure == sorted(sure, reverse=True)
        assert all(one <= reading.confidence for one in sure)
        some += bool(possible)
    assert some > 500


def test_a_lost_read_has_no_candidate_of_the_plate() -> None:
    lost = ocr.Reading("7", 0.4, (1.0,), None)
    rng = Random(1)
    assert all(
        candidate.plate != PLATE
        for _ in range(500)
        for candidate in confidences.candidates(PLATE, lost, RECOGNISER, rng)
    )
