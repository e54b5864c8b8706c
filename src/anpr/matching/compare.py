"""How a read and an entry compare, tier by tier: what the index does with a whole list, shown for one pair."""

from dataclasses import replace

from msgspec import Struct

from anpr.contracts.events import Difference, Entry, Explanation, Read
from anpr.contracts.plates import MAX_CANONICAL_LENGTH, as_read, canonical_pattern, is_pattern
from anpr.matching.encoding.plate_codes import (
    TO_EQUIVALENT,
    TO_FOLDED,
    PlateCodes,
    country_text,
    encode_plates,
    translated,
)
from anpr.matching.explain import behind_badge, explain
from anpr.matching.index import Index
from anpr.matching.lookup.edits import one_edit_apart
from anpr.matching.lookup.patterns import fits
from anpr.matching.scoring.background_model import layouts_of, official_layouts
from anpr.matching.scoring.likelihood import LEAST_SCORES, Likelihood
from anpr.reference_data import tables

_KEYS = {"exact": bytes(range(256)), "equivalent": TO_EQUIVALENT, "folded": TO_FOLDED}


class TierTest(Struct, frozen=True):
    """Whether a read and an entry are alike as a tier asks it, and the texts that it compares."""

    tier: str
    is_alike: bool
    read_as: str
    listed_as: str


class Comparison(Struct, frozen=True):
    """`tier` is the surest in which they are alike; they match when the score is no less than the least of that.

    The score is that in a list of `entries`; None where they are alike in no tier, for then none is worked out.
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


def compare(read: Read, entry: Entry, list_size: int) -> Comparison:
    """Compare a read with an entry of a list of that size."""
    likelihood = Likelihood(list_size)
    index = replace(Index.build([entry], entry.revision), likelihood=likelihood)
    [matches] = index.match([read])
    tests = _pattern_tests(read, entry) if is_pattern(entry.plate) else _tests(read, entry)
    tier = next((test.tier for test in tests if test.is_alike), None)
    score: float | None
    if matches:
        tier, score, explanation = matches[0].tier, matches[0].score, matches[0].explanation
    else:
        score = _score(read, entry, likelihood) if tier else None
        explanation = explain(tests[0].read_as, tests[0].listed_as, read, entry)
        if is_pattern(entry.plate):
            explanation = Explanation(read_as=explanation.read_as, listed_as=explanation.listed_as)
    return Comparison(
        read_as=explanation.read_as,
        listed_as=explanation.listed_as,
        tests=tests,
        tier=tier,
        score=score,
        least_score=LEAST_SCORES.get(tier, 0.0) if tier else 0.0,
        entries=list_size,
        is_match=bool(matches),
        differences=explanation.differences,
        notes=(*explanation.notes, *(_own_plate(read) if tier and explanation.differences else ())),
    )


def _own_plate(read: Read) -> tuple[str, ...]:
    """Say of a read that it may be another vehicle's plate, read rightly: much of what speaks against a match."""
    plate = encode_plates([read.plate], [read.country])
    syntax = tables.load("countries").get(country_text(int(plate.countries[0])) or "")
    if syntax is None or not official_layouts(syntax)[layouts_of(plate)[0]]:
        return ()
    return (
        f"letters and digits stand as on plates of {read.country}: this may be another vehicle's plate, read rightly",
    )


def _packed(read: Read, entry: Entry) -> tuple[PlateCodes, PlateCodes]:
    return encode_plates([read.plate], [read.country], [read.confidence]), encode_plates(
        [entry.plate], [entry.country]
    )


def _score(read: Read, entry: Entry, likelihood: Likelihood) -> float:
    of_read, of_entry = _packed(read, entry)
    first = of_read.lengths.argsort()
    [score] = likelihood.score(of_read, first, of_entry, first)
    badged = behind_badge(of_read.text(0), of_entry.text(0))
    if badged is not None:
        plate = encode_plates([badged.plate], [badged.country], [read.confidence])
        [score] = likelihood.score_with_prefix(of_read, plate, first, of_entry, first)
    return round(float(score), 4)


def _tests(read: Read, entry: Entry) -> tuple[TierTest, ...]:
    both = _packed(read, entry)
    tests = []
    for tier, table in _KEYS.items():
        keys = [replace(plate, codes=translated(plate.codes, table)) for plate in both]
        read_as, listed_as = (key.text(0) for key in keys)
        tests.append(TierTest(tier, read_as == listed_as != "", read_as, listed_as))
    badged = behind_badge(both[0].text(0), both[1].text(0))
    if badged is not None:
        plate = encode_plates([badged.plate], [None])
        tests[-1] = TierTest(
            "folded", True, replace(plate, codes=translated(plate.codes, TO_FOLDED)).text(0), listed_as
        )
    some, other = keys
    is_near = (
        min(len(read_as), len(listed_as)) > 0
        and one_edit_apart(some.codes, other.codes, some.lengths, other.lengths)[0]
    )
    return (*tests, TierTest("near", bool(is_near), read_as, listed_as))


def _pattern_tests(read: Read, entry: Entry) -> tuple[TierTest, ...]:
    plate, pattern = as_read(read.plate), canonical_pattern(entry.plate)
    is_plate = 0 < len(plate) <= MAX_CANONICAL_LENGTH
    return (TierTest("pattern", is_plate and fits(pattern, plate), plate, pattern),)
