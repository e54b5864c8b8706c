"""The score of a match: its parts against slow versions of them, and rules that hold for any read and list."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from anpr.matching.encoding.columns import texts_for_kernels
from anpr.matching.encoding.country_prefix import COUNTRY_PREFIXES
from anpr.matching.encoding.plate_codes import PlateCodes, encode_plates
from anpr.matching.encoding.text_codes import encode_texts
from anpr.matching.lookup.plate_table import NEAR_TIER, PlateTable
from anpr.matching.scoring.confusion_model import (
    CONFUSION_MODEL,
    FURTHER_EDIT_FACTOR,
    IMPOSSIBLE,
    ConfusionModel,
)
from anpr.matching.scoring.likelihood import LEAST_SCORES, Likelihood
from anpr.reference_data.limits import ALPHABET
from tests.support.evidence import probability_of

# Few characters, so that near plates are drawn often.
texts = st.text("0OQ1I8BAS", min_size=1, max_size=12)
countries = st.sampled_from([None, "GB", "FR", "DE", "XX"])
confidences = st.none() | st.floats(0, 1)


@st.composite
def near_pairs(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a plate and a read of it: a few characters are other ones, one is missing or extra, or two are swapped."""
    plate = draw(texts)
    read = list(plate)
    for position in draw(st.lists(st.integers(0, len(read) - 1), max_size=2)):
        read[position] = draw(st.sampled_from("0OQ1I8BAS"))
    position = draw(st.integers(0, len(read) - 1))
    match draw(st.sampled_from(["kept", "missing", "extra", "swapped"])):
        case "missing":
            del read[position]
        case "extra":
            read.insert(position, draw(st.sampled_from(ALPHABET)))
        case "swapped":
            read[position : position + 2] = read[position : position + 2][::-1]
    return plate, "".join(read)


def slow_probability(read: str, plate: str) -> float:
    """Return the probability of a misread by trying every way in which it can happen."""
    if read == plate:
        return CONFUSION_MODEL.right_share
    probabilities = [0.0]
    if len(read) == len(plate):
        probabilities.append(combined(substitutions(read, plate)))
        for i in range(len(plate) - 1):
            crossed = read[:i] + read[i + 1] + read[i] + read[i + 2 :]
            probabilities.append(combined([20e-6, *substitutions(crossed, plate)]))
    for longer, shorter, rate in ((read, plate, insertion), (plate, read, deletion)):
        if len(longer) == len(shorter) + 1:
            for i, character in enumerate(longer):
                rest = longer[:i] + longer[i + 1 :]
                others = substitutions(rest, plate) if longer is read else substitutions(read, rest)
                probabilities.append(combined([rate(character), *others]))
    return max(probabilities)


def substitutions(read: str, plate: str) -> list[float]:
    return [CONFUSION_MODEL.substitution[code(a), code(b)] for a, b in zip(plate, read, strict=True) if a != b]


def insertion(character: str) -> float:  # noqa: ARG001  every character is inserted as often
    return CONFUSION_MODEL.insertion


def deletion(character: str) -> float:
    return float(CONFUSION_MODEL.deletion[code(character)])


def combined(rates: Sequence[float]) -> float:
    return CONFUSION_MODEL.alone_share * math.prod(rates) * FURTHER_EDIT_FACTOR ** (len(rates) - 1)


def code(character: str) -> int:
    return ALPHABET.index(character) + 1


def encoded(text: str, country: str | None = None, confidence: float | None = None) -> PlateCodes:
    return encode_texts([text], [country], [confidence])


def log_misread(read: str, plate: str, confusions: ConfusionModel = CONFUSION_MODEL) -> float:
    return Likelihood(1, confusions).terms(encoded(read), encoded(plate)).misread


def score(size: int, read: PlateCodes, entry: PlateCodes, at_least: float = 0.0) -> float:
    row = np.zeros(1, np.intp)
    return float(Likelihood(size).score(read, row, entry, row, at_least)[0])


@given(near_pairs())
def test_a_misread_is_as_probable_as_the_likeliest_way_in_which_it_can_happen(pair: tuple[str, str]) -> None:
    plate, read = pair
    if not read:
        return
    assert math.exp(log_misread(read, plate)) == pytest.approx(slow_probability(read, plate), rel=0.01, abs=1e-30)


class SearchedWhole(Likelihood):
    """Searches every deletion of every read."""

    def __init__(self, list_size: int) -> None:
        super().__init__(list_size)
        self.tables = self.tables._replace(least_near_units=2 * IMPOSSIBLE)


@given(near_pairs(), countries, countries, confidences, st.sampled_from([1, 10_000, 1_000_000, 10_000_000]))
def test_an_edit_that_is_not_searched_would_have_found_no_match_that_scores_enough(
    pair: tuple[str, str], read_country: str | None, listed_country: str | None, confidence: float | None, size: int
) -> None:
    plate, text = pair
    table = PlateTable.build(encoded(plate, listed_country), np.array([NEAR_TIER], np.uint8))
    read = encoded(text, read_country, confidence)
    found, found_whole = (
        table.search(texts_for_kernels(read), likelihood(size)) for likelihood in (Likelihood, SearchedWhole)
    )
    assert found.scores.tolist() == found_whole.scores.tolist()


@given(near_pairs(), countries, countries, confidences, st.sampled_from([1, 10_000, 1_000_000]))
def test_leaving_out_scores_that_cannot_be_enough_changes_no_score_that_is_enough(
    pair: tuple[str, str], read_country: str | None, listed_country: str | None, confidence: float | None, size: int
) -> None:
    plate, text = pair
    if not text:
        return
    read, entry = encoded(text, read_country, confidence), encoded(plate, listed_country)
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
        return score(size, encode_texts([text], [country], [confidence], (), [True]), encoded(plate))

    def share(confidence: float | None) -> float:
        """Return the share of the score that the text would have if the camera had read it."""
        return as_candidate(confidence) / score(size, encoded(text, country, confidence), encoded(plate))

    assume(score(size, encoded(text, country), encoded(plate)) > 0.1)
    assert share(None) == pytest.approx(0.25, abs=1e-3)
    assert as_candidate(0.0) > 0


@given(st.lists(st.tuples(near_pairs(), countries, countries, confidences), min_size=1, max_size=8))
def test_a_pair_scores_the_same_alone_and_among_others(
    drawn: list[tuple[tuple[str, str], str | None, str | None, float | None]],
) -> None:
    pairs = [pair for pair in drawn if pair[0][1]]
    reads = encode_texts([p[0][1] for p in pairs], [p[1] for p in pairs], [p[3] for p in pairs])
    entries = encode_plates([p[0][0] for p in pairs], [p[2] for p in pairs])
    rows = np.arange(len(pairs))
    scores_together = Likelihood(10_000).score(reads, rows, entries, rows)
    alone = [Likelihood(10_000).score(reads, row, entries, row)[0] for row in rows[:, None]]
    assert scores_together.tolist() == alone


@given(near_pairs(), countries, st.sampled_from([10_000, 1_000_000]))
def test_the_exact_plate_is_likelier_than_any_misread_of_it(
    pair: tuple[str, str], country: str | None, size: int
) -> None:
    plate, text = pair
    if not text or text == plate:
        return
    entry = encoded(plate, country)
    assert score(size, encoded(plate, country), entry) >= score(size, encoded(text, country), entry)


@given(near_pairs(), st.sampled_from(["GB", "FR", "DE"]), st.sampled_from([100, 10_000]))
def test_a_longer_list_and_another_country_never_make_a_match_surer(
    pair: tuple[str, str], country: str, size: int
) -> None:
    plate, text = pair
    if not text:
        return
    read, entry = encoded(text, country), encoded(plate, country)
    whole = score(size, read, entry)
    assert score(size * 100, read, entry) <= whole
    assert score(size, read, encoded(plate, "PL")) <= whole


# Half a digit of a score, and the rounding of the parts.
ROUNDING = 0.5e-4 + 1e-5


@given(
    near_pairs(),
    st.tuples(countries, countries),
    st.tuples(confidences, confidences),
    st.sampled_from([1, 10_000, 1_000_000]),
    st.booleans(),
)
def test_the_evidence_adds_up_to_the_score(
    pair: tuple[str, str],
    countries_of_pair: tuple[str | None, str | None],
    confidences_of_read: tuple[float | None, float | None],
    size: int,
    is_candidate: bool,
) -> None:
    plate, text = pair
    if not text:
        return
    (read_country, listed_country), (confidence, char_confidence) = countries_of_pair, confidences_of_read
    by_character = () if char_confidence is None else (char_confidence,) * len(text)
    read = encode_texts([text], [read_country], [confidence], [by_character], [is_candidate])
    entry = encoded(plate, listed_country)
    assume(abs(len(text) - len(plate)) <= 1)
    evidence = Likelihood(size).evidence(read, entry)
    assert probability_of(evidence) == pytest.approx(score(size, read, entry), abs=ROUNDING)
    assert all(part.log_odds != 0 for part in evidence), "a part that changes nothing is left out"


@given(st.sampled_from(["AB12CDE", "MAB1234", "A812COE"]), confidences, st.booleans())
def test_the_evidence_of_a_read_with_a_country_prefix_adds_up_to_its_score(
    plate: str, confidence: float | None, is_candidate: bool
) -> None:
    read = encode_texts([("D" if plate == "MAB1234" else "GB") + plate], [None], [confidence], (), [is_candidate])
    rows, plates = COUNTRY_PREFIXES.strip(read)
    entry = encoded("MAB1234" if plate == "MAB1234" else "AB12CDE")
    likelihood = Likelihood(1_000_000)
    share = np.array([likelihood.prefix_share])
    [with_prefix] = likelihood.score_inside(read, plates, share, rows, entry, np.zeros(1, np.intp))
    evidence = likelihood.evidence(read, entry, ("country prefix", plates, likelihood.prefix_share))
    assert probability_of(evidence) == pytest.approx(float(with_prefix), abs=ROUNDING)
    assert "country prefix" in [part.name for part in evidence]


@pytest.mark.parametrize(
    ("read", "entry", "names"),
    [
        (encoded("AB12CDE", "GB"), encoded("AB12CDE", "GB"), []),
        (encoded("AB12CDE", "GB", 0.5), encoded("AB12CDE", "GB"), ["confidence"]),
        (encoded("AB12CDE", "FR"), encoded("AB12CDE", "GB"), ["other country"]),
        (encoded("AB12CDF", "GB"), encoded("AB12CDE", "GB"), ["near"]),
        (encoded("AB13CDE", "GB"), encoded("AB12CDE", "GB"), ["near", "fleet"]),
    ],
)
def test_each_fact_that_counts_is_a_part_of_the_evidence(
    read: PlateCodes, entry: PlateCodes, names: list[str]
) -> None:
    evidence = Likelihood(10_000).evidence(read, entry)
    assert [part.name for part in evidence] == ["prior", "misread", "background", *names]


def test_a_good_plate_of_its_country_is_hardly_a_misread_of_another() -> None:
    entry = encoded("AB12CDE", "GB")
    impossible, possible = encoded("AB1ZCDE", "GB"), encoded("AB17CDE", "GB")
    assert score(1_000_000, impossible, entry) > 50 * score(1_000_000, possible, entry)


def test_the_next_number_of_a_fleet_is_taken_for_another_lorry() -> None:
    entry = encoded("KAA1234", "XX")
    sibling, stranger = encoded("KAA1239", "XX"), encoded("KAA9234", "XX")
    assert score(1_000, sibling, entry) < score(1_000, stranger, entry)
    assert score(1_000, sibling, entry) < LEAST_SCORES["folded"]


def test_doubt_at_the_character_that_differs_makes_the_match_likelier_than_doubt_elsewhere() -> None:
    entry = encode_plates(["AB12CDE"], ["GB"])
    row = np.zeros(1, np.intp)
    there, elsewhere = (
        encode_texts(["AB1ZCDE"], ["GB"], [0.9], [[0.5 if i == place else 0.99 for i in range(7)]])
        for place in (3, 0)
    )
    likelihood = Likelihood(1_000_000)
    assert likelihood.score(there, row, entry, row)[0] > likelihood.score(elsewhere, row, entry, row)[0]


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
    assert math.exp(log_misread("B", "A", ConfusionModel(table))) == pytest.approx(0.25 * 0.8, rel=0.001)


def test_every_rate_of_the_shipped_table_is_rare_enough_for_edits_together_to_be_rarer() -> None:
    rates = np.sort(np.concatenate([CONFUSION_MODEL.substitution.ravel(), CONFUSION_MODEL.deletion]))[::-1]
    assert rates[0] * FURTHER_EDIT_FACTOR < 1
    assert all(a >= b for a, b in pairwise(rates[:5]))
