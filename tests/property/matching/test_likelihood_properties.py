"""The probability of a match: its parts against slow ones, and what must hold whatever the read and the list."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from anpr.matching.encoding.plate_codes import PlateCodes, encode_plates
from anpr.matching.scoring.confusion_model import CONFUSION_MODEL, FURTHER_EDIT_FACTOR, UNITS, ConfusionModel
from anpr.matching.scoring.likelihood import LEAST_SCORES, Likelihood
from anpr.reference_data.limits import ALPHABET
from tests.support.reference_matcher import folded, is_near

# Few characters, so that near plates are drawn often.
texts = st.text("0OQ1I8BAS", min_size=1, max_size=12)
countries = st.sampled_from([None, "GB", "FR", "DE", "XX"])
confidences = st.none() | st.floats(0, 1)


@st.composite
def near_pairs(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a plate, and what may have been read of it: a few characters other, one lost or too many, two swapped."""
    plate = draw(texts)
    read = list(plate)
    for place in draw(st.lists(st.integers(0, len(read) - 1), max_size=2)):
        read[place] = draw(st.sampled_from("0OQ1I8BAS"))
    place = draw(st.integers(0, len(read) - 1))
    match draw(st.sampled_from(["kept", "lost", "too many", "swapped"])):
        case "lost":
            del read[place]
        case "too many":
            read.insert(place, draw(st.sampled_from(ALPHABET)))
        case "swapped":
            read[place : place + 2] = read[place : place + 2][::-1]
    return plate, "".join(read)


def slow_probability(read: str, plate: str) -> float:
    """Return the probability of a misread by trying every way in which it can have come about."""
    if read == plate:
        return CONFUSION_MODEL.right_share
    ways = [0.0]
    if len(read) == len(plate):
        ways.append(together(substitutions(read, plate)))
        for i in range(len(plate) - 1):
            crossed = read[:i] + read[i + 1] + read[i] + read[i + 2 :]
            ways.append(together([20e-6, *substitutions(crossed, plate)]))
    for longer, shorter, rate in ((read, plate, insertion), (plate, read, deletion)):
        if len(longer) == len(shorter) + 1:
            for i, character in enumerate(longer):
                rest = longer[:i] + longer[i + 1 :]
                others = substitutions(rest, plate) if longer is read else substitutions(read, rest)
                ways.append(together([rate(character), *others]))
    return max(ways)


def substitutions(read: str, plate: str) -> list[float]:
    return [CONFUSION_MODEL.substitution[code(a), code(b)] for a, b in zip(plate, read, strict=True) if a != b]


def insertion(character: str) -> float:  # noqa: ARG001  every character is as likely to be one too many
    return CONFUSION_MODEL.insertion


def deletion(character: str) -> float:
    return float(CONFUSION_MODEL.deletion[code(character)])


def together(rates: Sequence[float]) -> float:
    return CONFUSION_MODEL.alone_share * math.prod(rates) * FURTHER_EDIT_FACTOR ** (len(rates) - 1)


def code(character: str) -> int:
    return ALPHABET.index(character) + 1


def packed(text: str, country: str | None = None, confidence: float | None = None) -> PlateCodes:
    return encode_plates([text], [country], [confidence])


def ways_to_find(read: str, plate: str) -> list[int]:
    """Return the columns by which a near match can be found: the read as it is, or without one of its characters."""
    if not is_near(read, plate):
        return []
    read, plate = folded(read), folded(plate)
    if len(plate) > len(read):
        return [0]
    shorter = {plate} if len(plate) < len(read) else {plate[:at] + plate[at + 1 :] for at in range(len(plate))}
    return [1 + at for at in range(len(read)) if read[:at] + read[at + 1 :] in shorter]


def score(size: int, read: PlateCodes, entry: PlateCodes, at_least: float = 0.0) -> float:
    one = np.zeros(1, np.intp)
    return float(Likelihood(size).score(read, one, entry, one, at_least)[0])


@given(near_pairs())
def test_a_misread_is_as_probable_as_the_likeliest_way_in_which_it_can_have_come_about(pair: tuple[str, str]) -> None:
    plate, read = pair
    if not read:
        return
    one, other = packed(read), packed(plate)
    [log] = CONFUSION_MODEL.log_probability(one.codes, one.lengths, other.codes, other.lengths)
    assert math.exp(log / UNITS) == pytest.approx(slow_probability(read, plate), rel=0.01, abs=1e-30)


@given(near_pairs())
def test_no_near_misread_is_likelier_than_the_most_that_is_said_of_its_characters(pair: tuple[str, str]) -> None:
    plate, read = pair
    ways = ways_to_find(read, plate)
    if not read or not ways:
        return
    one, other = packed(read), packed(plate)
    [log] = CONFUSION_MODEL.log_probability(one.codes, one.lengths, other.codes, other.lengths)
    assert log <= CONFUSION_MODEL.most_near(one.codes)[0, ways].max()


@given(near_pairs(), countries, countries, confidences, st.sampled_from([1, 10_000, 1_000_000, 10_000_000]))
def test_a_read_that_is_not_searched_has_no_match_that_scores_enough(
    pair: tuple[str, str], read_country: str | None, listed_country: str | None, confidence: float | None, size: int
) -> None:
    plate, text = pair
    ways = ways_to_find(text, plate)
    if not text or not ways:
        return
    read = packed(text, read_country, confidence)
    if not Likelihood(size).worth_searching(read)[0, ways].any():
        assert score(size, read, packed(plate, listed_country)) < LEAST_SCORES["near"]


@given(near_pairs(), countries, countries, confidences, st.sampled_from([1, 10_000, 1_000_000]))
def test_the_short_way_round_gives_the_same_score_wherever_it_is_enough(
    pair: tuple[str, str], read_country: str | None, listed_country: str | None, confidence: float | None, size: int
) -> None:
    plate, text = pair
    if not text:
        return
    read, entry = packed(text, read_country, confidence), packed(plate, listed_country)
    whole = score(size, read, entry)
    for least in LEAST_SCORES.values():
        assert score(size, read, entry, least) == whole or (whole < least and score(size, read, entry, least) == 0)


@given(near_pairs(), countries, st.sampled_from([1, 10_000, 1_000_000]))
def test_a_candidate_counts_a_quarter_where_the_camera_does_not_say_how_much_and_is_never_impossible(
    pair: tuple[str, str], country: str | None, size: int
) -> None:
    plate, text = pair
    if not text:
        return

    def as_candidate(confidence: float | None) -> float:
        return score(size, encode_plates([text], [country], [confidence], None, [True]), packed(plate))

    def share(confidence: float | None) -> float:
        """Return what is left of the score that the text would have had if it had been read."""
        return as_candidate(confidence) / score(size, packed(text, country, confidence), packed(plate))

    assume(score(size, packed(text, country), packed(plate)) > 0.1)
    assert share(None) == pytest.approx(0.25, abs=1e-3)
    assert as_candidate(0.0) > 0


@given(st.lists(st.tuples(near_pairs(), countries, countries, confidences), min_size=1, max_size=8))
def test_a_pair_scores_the_same_alone_and_among_others(
    drawn: list[tuple[tuple[str, str], str | None, str | None, float | None]],
) -> None:
    pairs = [pair for pair in drawn if pair[0][1]]
    reads = encode_plates([p[0][1] for p in pairs], [p[1] for p in pairs], [p[3] for p in pairs])
    entries = encode_plates([p[0][0] for p in pairs], [p[2] for p in pairs])
    rows = np.arange(len(pairs))
    together_ = Likelihood(10_000).score(reads, rows, entries, rows)
    alone = [Likelihood(10_000).score(reads, row, entries, row)[0] for row in rows[:, None]]
    assert together_.tolist() == alone


@given(near_pairs(), countries, st.sampled_from([10_000, 1_000_000]))
def test_the_exact_plate_is_likelier_than_any_misread_of_it(
    pair: tuple[str, str], country: str | None, size: int
) -> None:
    plate, text = pair
    if not text or text == plate:
        return
    entry = packed(plate, country)
    assert score(size, packed(plate, country), entry) >= score(size, packed(text, country), entry)


@given(near_pairs(), st.sampled_from(["GB", "FR", "DE"]), st.sampled_from([100, 10_000]))
def test_a_longer_list_and_another_country_never_make_a_match_surer(
    pair: tuple[str, str], country: str, size: int
) -> None:
    plate, text = pair
    if not text:
        return
    read, entry = packed(text, country), packed(plate, country)
    whole = score(size, read, entry)
    assert score(size * 100, read, entry) <= whole
    assert score(size, read, packed(plate, "PL")) <= whole


def test_a_good_plate_of_its_country_is_hardly_a_misread_of_another() -> None:
    entry = packed("AB12CDE", "GB")
    impossible, possible = packed("AB1ZCDE", "GB"), packed("AB17CDE", "GB")
    assert score(1_000_000, impossible, entry) > 50 * score(1_000_000, possible, entry)


def test_the_next_number_of_a_fleet_is_taken_for_another_lorry() -> None:
    entry = packed("KAA1234", "XX")
    sibling, stranger = packed("KAA1239", "XX"), packed("KAA9234", "XX")
    assert score(1_000, sibling, entry) < score(1_000, stranger, entry)
    assert score(1_000, sibling, entry) < LEAST_SCORES["folded"]


def test_doubt_at_the_character_that_differs_makes_the_match_likelier_than_doubt_elsewhere() -> None:
    entry = encode_plates(["AB12CDE"], ["GB"])
    one = np.zeros(1, np.intp)
    there, elsewhere = (
        encode_plates(["AB1ZCDE"], ["GB"], [0.9], [[0.5 if i == place else 0.99 for i in range(7)]])
        for place in (3, 0)
    )
    likelihood = Likelihood(1_000_000)
    assert likelihood.score(there, one, entry, one)[0] > likelihood.score(elsewhere, one, entry, one)[0]


def test_rates_are_read_from_the_table() -> None:
    table = {
        "right_share": 0.5,
        "alone_share": 0.8,
        "insertion": 1,
        "swap": 1,
        "unreadable": 1,
        "badge": 1,
        "deletion": dict.fromkeys(ALPHABET, 1),
        "substitution": {
            a: {b: 1 for b in ALPHABET if b != a} | ({"B": 250_000} if a == "A" else {}) for a in ALPHABET
        },
    }
    read, plate = packed("B"), packed("A")
    [log] = ConfusionModel(table).log_probability(read.codes, read.lengths, plate.codes, plate.lengths)
    assert math.exp(log / UNITS) == pytest.approx(0.25 * 0.8, rel=0.001)


def test_every_rate_of_the_shipped_table_is_rare_enough_for_edits_together_to_be_rarer() -> None:
    rates = np.sort(np.concatenate([CONFUSION_MODEL.substitution.ravel(), CONFUSION_MODEL.deletion]))[::-1]
    assert rates[0] * FURTHER_EDIT_FACTOR < 1
    assert all(a >= b for a, b in pairwise(rates[:5]))
