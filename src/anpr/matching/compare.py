"""Compares one read with one entry, tier by tier, by the rules that the index applies to a whole list."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np
from msgspec import Struct

from anpr.contracts.events import Difference, Entry, Explanation, Read
from anpr.contracts.plates import MAX_CANONICAL_LENGTH, as_read, canonical_pattern, is_pattern
from anpr.matching.districts import Districts, compare_districts, with_gap
from anpr.matching.encoding.country_prefix import COUNTRY_PREFIXES
from anpr.matching.encoding.plate_codes import (
    TO_EQUIVALENT,
    TO_FOLDED,
    PlateCodes,
    country_text,
    encode_plates,
    translated,
)
from anpr.matching.explanation import explain, split_country_prefix
from anpr.matching.index import Index, Match
from anpr.matching.lookup.edits import one_edit_apart
from anpr.matching.lookup.patterns import fits
from anpr.matching.scoring.background_model import layouts_of, official_layouts
from anpr.matching.scoring.evidence import Evidence
from anpr.matching.scoring.likelihood import LEAST_SCORES, Likelihood
from anpr.reference_data import tables

_KEY_TABLES = {"exact": bytes(range(256)), "equivalent": TO_EQUIVALENT, "folded": TO_FOLDED}


class TierTest(Struct, frozen=True):
    """Whether a read and an entry are alike by the rule of a tier, and the two texts that the rule compares."""

    tier: str
    is_alike: bool
    read_as: str
    listed_as: str


class Comparison(Struct, frozen=True):
    """A comparison of a read and an entry.

    `tier` is the surest tier in which they are alike. They match when the score reaches the tier's least score. The
    score is that in a list of `entries`; it is None where they are alike in no tier, and for a pattern where they do
    not match. The evidence is the score as a sum of log-odds; it is empty for a pattern, whose score is not weighed,
    and where there is no score.
    """

    read_as: str
    listed_as: str
    tests: tuple[TierTest, ...]
    tier: str | None
    score: float | None
    least_score: float
    entries: int
    is_match: bool
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]
    evidence: tuple[Evidence, ...]


def compare(read: Read, entry: Entry, list_size: int) -> Comparison:
    """Compare the text of a read, without its candidates, with an entry of a list of that size."""
    read = msgspec.structs.replace(read, candidates=())
    likelihood = Likelihood(list_size)
    index = replace(Index.build([entry], entry.revision), likelihood=likelihood)
    [matches] = index.match([read])
    match = matches[0] if matches else None
    has_pattern = is_pattern(entry.plate)
    districts = compare_districts(read.plate, read, entry)
    other = districts if districts is not None and districts.are_different else None
    tests = _pattern_tests(read, entry, other) if has_pattern else _tier_tests(read, entry, other)
    tier = next((test.tier for test in tests if test.is_alike), None)
    score, evidence = _weigh(read, entry, likelihood, match, other) if tier and not has_pattern else (None, ())
    read_as, listed_as = as_read(read.plate), canonical_pattern(entry.plate)
    explanation = explain(read_as, listed_as, read, entry)
    if match is not None:
        tier, score, explanation = match.tier, match.score, match.explanation
    elif has_pattern:
        explanation = Explanation(read_as=read_as, listed_as=listed_as)
    return Comparison(
        read_as=explanation.read_as,
        listed_as=explanation.listed_as,
        tests=tests,
        tier=tier,
        score=score,
        least_score=LEAST_SCORES.get(tier, 0.0) if tier else 0.0,
        entries=list_size,
        is_match=match is not None,
        differences=explanation.differences,
        notes=(*explanation.notes, *(_own_plate_note(read) if tier and explanation.differences else ())),
        evidence=evidence,
    )


def _own_plate_note(read: Read) -> tuple[str, ...]:
    """Say whether the read may be another vehicle's plate, read correctly: the main reason against many matches."""
    plate = encode_plates([read.plate], [read.country])
    country = tables.load("countries").get(country_text(int(plate.countries[0])) or "")
    if country is None or not official_layouts(country)[layouts_of(plate)[0]]:
        return ()
    layout = f"letters and digits are arranged as on plates of {read.country}"
    return (f"{layout}: this may be another vehicle's plate, read correctly",)


def _encode_pair(read: Read, entry: Entry) -> tuple[PlateCodes, PlateCodes]:
    codes = encode_plates([read.plate], [read.country], [read.confidence], [read.char_confidences])
    return codes, encode_plates([entry.plate], [entry.country])


def _weigh(
    read: Read, entry: Entry, likelihood: Likelihood, match: Match | None, other_district: Districts | None
) -> tuple[float, tuple[Evidence, ...]]:
    """Return the score of the pair and its evidence: with the country prefix where the index scores it so."""
    codes, entry_codes = _encode_pair(read, entry)
    row = np.zeros(1, np.intp)
    if other_district is not None:
        [score] = likelihood.score_of_other_district(codes, row, entry_codes, row)
        return round(float(score), 4), likelihood.evidence(codes, entry_codes, is_other_district=True)
    plate = _behind_country_prefix(codes, entry_codes)
    if plate is not None:
        [score] = likelihood.score_with_prefix(codes, plate, row, entry_codes, row)
        # A read that matches although its score with the prefix is too low matches as it stands.
        if match is None or score >= likelihood.least_score("near"):
            return round(float(score), 4), likelihood.evidence(codes, entry_codes, plate)
    [score] = likelihood.score(codes, row, entry_codes, row)
    return round(float(score), 4), likelihood.evidence(codes, entry_codes)


def _behind_country_prefix(read: PlateCodes, entry: PlateCodes) -> PlateCodes | None:
    """Return the plate behind the read's country prefix, where it folds to the listed plate."""
    split = split_country_prefix(read.text(0), entry.text(0))
    stripped = COUNTRY_PREFIXES.strip(read)
    if split is None or stripped is None:
        return None
    plates = stripped[1]
    [row] = [row for row in range(len(plates)) if plates.text(row) == split.plate]
    return plates.take(np.array([row]))


def _tier_tests(read: Read, entry: Entry, other_district: Districts | None) -> tuple[TierTest, ...]:
    codes, entry_codes = _encode_pair(read, entry)
    tests = []
    for tier, table in _KEY_TABLES.items():
        read_key, listed_key = (replace(side, codes=translated(side.codes, table)) for side in (codes, entry_codes))
        read_as, listed_as = read_key.text(0), listed_key.text(0)
        tests.append(TierTest(tier, read_as == listed_as != "", read_as, listed_as))
    plate = _behind_country_prefix(codes, entry_codes)
    if plate is not None:
        folded = replace(plate, codes=translated(plate.codes, TO_FOLDED))
        tests[-1] = TierTest("folded", True, folded.text(0), listed_as)
    if other_district is not None:
        return _tests_of_other_district(tests, other_district, has_prefix=plate is not None)
    is_near = (
        min(len(read_as), len(listed_as)) > 0
        and one_edit_apart(read_key.codes, listed_key.codes, read_key.lengths, listed_key.lengths)[0]
    )
    return (*tests, TierTest("near", bool(is_near), read_as, listed_as))


def _tests_of_other_district(
    tests: Sequence[TierTest], districts: Districts, *, has_prefix: bool
) -> tuple[TierTest, ...]:
    """Return the tests where the read shows another district: alike texts are one edit apart, others are two."""
    with_gaps = []
    for test in tests:
        start = len(test.read_as) - len(test.listed_as) if has_prefix else 0
        read_as = with_gap(test.read_as, start + (districts.read or 0))
        with_gaps.append(TierTest(test.tier, False, read_as, with_gap(test.listed_as, districts.listed)))
    is_near = tests[-1].is_alike and not has_prefix
    return (*with_gaps, TierTest("near", is_near, with_gaps[-1].read_as, with_gaps[-1].listed_as))


def _pattern_tests(read: Read, entry: Entry, other_district: Districts | None) -> tuple[TierTest, ...]:
    plate, pattern = as_read(read.plate), canonical_pattern(entry.plate)
    is_plate = 0 < len(plate) <= MAX_CANONICAL_LENGTH
    if other_district is not None:
        gaps_shown = with_gap(plate, other_district.read or 0), with_gap(pattern, other_district.listed)
        return (TierTest("pattern", False, *gaps_shown),)
    return (TierTest("pattern", is_plate and fits(pattern, plate), plate, pattern),)
