"""Compares one read with one entry, tier by tier, by the rules that the index applies to a whole list."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from anpr.contracts.events import Difference, Entry, Explanation, Read
from anpr.contracts.plates import MAX_CANONICAL_LENGTH, as_read, canonical_pattern, is_pattern
from anpr.matching.district_match import Districts, compare_districts, with_gap
from anpr.matching.encoding.country_prefix import COUNTRY_PREFIXES
from anpr.matching.encoding.inner_plates import INNER_PLATES
from anpr.matching.encoding.known_layouts import KNOWN_LAYOUTS
from anpr.matching.encoding.plate_codes import (
    TO_EQUIVALENT,
    TO_FOLDED,
    PlateCodes,
    Rows,
    country_text,
    encode_plates,
    translated,
)
from anpr.matching.explanation import explain
from anpr.matching.index import Index, Match
from anpr.matching.lookup.edits import are_one_edit_apart
from anpr.matching.lookup.patterns import fits
from anpr.matching.read_texts import texts_of
from anpr.matching.scoring.background_model import official_layouts
from anpr.matching.scoring.confidence_calibration import NO_CALIBRATIONS, Calibrations
from anpr.matching.scoring.confusion_model import CONFUSION_MODEL
from anpr.matching.scoring.evidence import COUNTRY_PREFIX, TEXT_AROUND, Evidence
from anpr.matching.scoring.likelihood import LEAST_SCORES, Likelihood
from anpr.matching.umlauts import written_otherwise
from anpr.reference_data import tables

# The tiers that compare the letters as they were read, however an umlaut is written.
_AS_READ = ("exact", "equivalent")
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


def compare(read: Read, entry: Entry, list_size: int, calibrations: Calibrations = NO_CALIBRATIONS) -> Comparison:
    """Compare the text of a read, without its candidates, with an entry of a list of that size."""
    read = msgspec.structs.replace(read, candidates=())
    index = Index.build([entry], entry.revision)
    index = replace(index, likelihood=Likelihood(list_size), calibrations=calibrations)
    [matches] = index.match([read])
    match = matches[0] if matches else None
    has_pattern = is_pattern(entry.plate)
    districts = compare_districts(read.plate, read, entry)
    other = districts if districts is not None and districts.are_different else None
    tests = _pattern_tests(read, entry, other) if has_pattern else _tier_tests(read, entry, other)
    tier = next((test.tier for test in tests if test.is_alike), None)
    score, evidence = _weigh(read, entry, index, match, other) if tier and not has_pattern else (None, ())
    if match is not None and match.tier == "folded" and tier != "folded":
        tests, evidence = _with_umlauts(read, entry, index, match) or (tests, evidence)
    read_as, listed_as = as_read(read.plate), canonical_pattern(entry.plate)
    note = texts_of([read], calibrations).calibration_note(0)
    explanation = explain(read_as, listed_as, read, entry, calibration=note)
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
        notes=(
            *explanation.notes,
            *((explanation.calibration,) if explanation.calibration else ()),
            *(_own_plate_note(read) if tier and explanation.differences else ()),
        ),
        evidence=evidence,
    )


def _with_umlauts(
    read: Read, entry: Entry, index: Index, match: Match
) -> tuple[tuple[TierTest, ...], tuple[Evidence, ...]] | None:
    """Return the tests and the evidence where the two meet once umlauts are written alike; None where they do not."""
    for other in written_otherwise(read.plate):
        rewritten = msgspec.structs.replace(read, plate=other)
        score, evidence = _weigh(rewritten, entry, index, None, None)
        if score == match.score:
            pairs = zip(_tier_tests(read, entry, None), _tier_tests(rewritten, entry, None), strict=True)
            tests = [own if own.tier in _AS_READ else alike for own, alike in pairs]
            return tuple(msgspec.structs.replace(t, is_alike=t.tier == "folded") for t in tests), evidence
    return None


def _own_plate_note(read: Read) -> tuple[str, ...]:
    """Say whether the read may be another vehicle's plate, read correctly: the main reason against many matches."""
    plate = encode_plates([read.plate], [read.country])
    country = tables.load("countries").get(country_text(int(plate.countries[0])) or "")
    if country is None or not official_layouts(country)[plate.layouts[0]]:
        return ()
    layout = f"letters and digits are arranged as on plates of {read.country}"
    return (f"{layout}: this may be another vehicle's plate, read correctly",)


def _encode_pair(
    read: Read, entry: Entry, calibrations: Calibrations = NO_CALIBRATIONS
) -> tuple[PlateCodes, PlateCodes]:
    own_text = texts_of([read], calibrations).codes.take(np.zeros(1, np.intp))
    return own_text, encode_plates([entry.plate], [entry.country])


def _weigh(
    read: Read, entry: Entry, index: Index, match: Match | None, other_district: Districts | None
) -> tuple[float, tuple[Evidence, ...]]:
    """Return the score of the pair and its evidence: as it stands, or of a plate inside it."""
    likelihood, (codes, entry_codes) = index.likelihood, _encode_pair(read, entry, index.calibrations)
    row = np.zeros(1, np.intp)
    if other_district is not None:
        [score] = likelihood.score_of_other_district(codes, row, entry_codes, row)
        return round(float(score), 4), likelihood.evidence(codes, entry_codes, is_other_district=True)
    [score] = likelihood.score(codes, row, entry_codes, row)
    evidence = likelihood.evidence(codes, entry_codes)
    for name, plate, share in _plates_inside(codes, entry_codes):
        [inside] = likelihood.score_inside(codes, plate, np.array([share]), row, entry_codes, row)
        is_matched_so = match is not None and round(float(inside), 4) == match.score
        if is_matched_so or (match is None and inside > score):
            score, evidence = inside, likelihood.evidence(codes, entry_codes, (name, plate, share))
    return round(float(score), 4), evidence


def _plates_inside(read: PlateCodes, entry: PlateCodes) -> Iterator[tuple[str, PlateCodes, float]]:
    """Yield the plates inside a read that are like the listed one, with the name of the evidence and their share."""
    _, stripped = COUNTRY_PREFIXES.strip(read)
    for row in _plates_like(stripped, entry, may_be_misread=np.zeros(len(stripped), bool)):
        yield COUNTRY_PREFIX, stripped.take(row), CONFUSION_MODEL.prefix_share
    inner = INNER_PLATES.find(read)
    is_known = KNOWN_LAYOUTS.have(inner.plates.countries, np.broadcast_to(entry.layouts, len(inner.plates)))
    for row in _plates_like(inner.plates, entry, may_be_misread=inner.may_be_misread):
        if inner.have_known_layout[row] and not is_known[row]:
            continue
        yield TEXT_AROUND, inner.plates.take(row), float(inner.shares[row].item())


def _plates_like(plates: PlateCodes, entry: PlateCodes, *, may_be_misread: NDArray[np.bool_]) -> Iterator[Rows]:
    """Yield the row of each plate that folds to the listed one, or may be misread and is one edit from that."""
    listed = entry.take(np.zeros(len(plates), np.intp))
    is_like = (translated(plates.codes, TO_FOLDED) == translated(listed.codes, TO_FOLDED)).all(axis=1)
    is_like |= may_be_misread & are_one_edit_apart(plates, listed)
    return iter(is_like.nonzero()[0][:, None])


def _tier_tests(read: Read, entry: Entry, other_district: Districts | None) -> tuple[TierTest, ...]:
    codes, entry_codes = _encode_pair(read, entry)
    tests = []
    for tier, table in _KEY_TABLES.items():
        read_key, listed_key = (replace(side, codes=translated(side.codes, table)) for side in (codes, entry_codes))
        read_as, listed_as = read_key.text(0), listed_key.text(0)
        tests.append(TierTest(tier, read_as == listed_as != "", read_as, listed_as))
    inside = [
        (name, replace(plate, codes=translated(plate.codes, TO_FOLDED)).text(0))
        for name, plate, _ in _plates_inside(codes, entry_codes)
    ]
    behind_prefix = next((plate for name, plate in inside if name == COUNTRY_PREFIX), None)
    if behind_prefix is not None:
        tests[-1] = TierTest("folded", True, behind_prefix, listed_as)
    if other_district is not None:
        return _tests_of_other_district(tests, other_district, has_prefix=behind_prefix is not None)
    is_near = min(len(read_as), len(listed_as)) > 0 and are_one_edit_apart(codes, entry_codes)[0]
    if inside and not is_near and behind_prefix is None:
        return (*tests, TierTest("near", True, inside[0][1], listed_as))
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
