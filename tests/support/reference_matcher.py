"""The matcher as a person would explain it: slow, and simple enough to check by reading.

It compares every entry with every read, with one function for each tier. The index must give the same answers, in the
same order. Only the scores, the words around a plate and what layout is rare come from the same code as in the index.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from functools import cache
from itertools import pairwise, product
from math import log
from typing import Any, NamedTuple

import numpy as np

from anpr.contracts.events import Entry, Read
from anpr.matching.encoding.plate_codes import PlateCodes, encode_plates
from anpr.matching.encoding.text_codes import encode_texts
from anpr.matching.encoding.words_around import SHARES, WORDS_BEFORE, WORDS_BEHIND, Word
from anpr.matching.scoring.background_model import BACKGROUND_MODEL
from anpr.matching.scoring.likelihood import Likelihood
from anpr.reference_data import tables
from anpr.reference_data.rare_layouts import rare_layouts

LETTERS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
# The marks that separate the groups of a plate; what fills a read at its ends.
SEPARATORS = " \t\n.-·"
PADDING = "_"
CONFUSED = ("0OQD", "1IL", "8B", "5S", "2Z", "6G", "4A", "VY", "7T")
ALLOWED = {"exact": ("exact",), "tolerant": ("exact", "equivalent", "folded")}
ALL_TIERS = ("exact", "equivalent", "folded", "near", "pattern")
LONGEST = 16
UTC_ONLY: Mapping[str, tzinfo] = {}
COUNTRIES = tables.load("countries")
MEASURED = tables.load("confidence")
NOT_CALIBRATED: Mapping[tuple[str, str], Sequence[int]] = {}


class Text(NamedTuple):
    """One of the texts of a read."""

    plate: str
    confidence: float | None
    char_confidences: tuple[float, ...]
    country: str | None
    is_candidate: bool = False
    of_read: str = ""
    calibrated: float | None = None


class Answer(NamedTuple):
    """An entry that a read matches, with the tier, the score and the two texts."""

    entry_id: str
    tier: str
    score: float
    read_as: str
    listed_as: str


def answers(
    read: Read,
    entries: Iterable[Entry],
    zones: Mapping[str, tzinfo] = UTC_ONLY,
    counts: Mapping[tuple[str, str], Sequence[int]] = NOT_CALIBRATED,
) -> list[Answer]:
    """Return the entries that a read matches, in order of `entry_id`.

    `zones` holds the time zone of each site; a site without one has UTC. `counts` says how many reads of each
    calibrated camera have each confidence. Of characters that are not ASCII, only those of SEPARATORS are known here.
    """
    entries = list(entries)
    country = _country(read.country)
    texts = [Text(read.plate, read.confidence, read.char_confidences, country)]
    texts += [
        Text(candidate.plate, candidate.confidence, (), country, is_candidate=True, of_read=read.plate)
        for candidate in read.candidates
    ]
    of_camera = counts.get((read.site, read.camera))
    texts = [
        text._replace(
            calibrated=text.confidence
            if of_camera is None or text.confidence is None
            else counts_as(of_camera, text.confidence)
        )
        for text in texts
    ]
    found = []
    for entry in entries:
        if _applies_to(entry, read, zones.get(read.site, UTC)):
            by_text = [_answer_by_district(text, entry, Likelihood(len(entries))) for text in texts]
            matching = [answer for answer in by_text if answer is not None]
            if matching:
                best = min(matching, key=lambda answer: (ALL_TIERS.index(answer.tier), -answer.score))
                found.append(best._replace(score=max(answer.score for answer in matching)))
    return sorted(found)


def _answer_by_district(text: Text, entry: Entry, likelihood: Likelihood) -> Answer | None:
    """Answer; where the gap shows another district, a pair that is alike is `near` and any other is no match."""
    answer = _answer(text, entry, likelihood)
    if answer is None or not shows_other_district(text, entry):
        return answer
    is_alike = answer.tier in ALLOWED["tolerant"] and len(answer.read_as) == len(answer.listed_as)
    if not is_alike or entry.tolerance in ALLOWED:
        return None
    first = np.array([0])
    both = _encoded(text, text.plate, text.country), first, _listed(entry), first
    [score] = likelihood.score_of_other_district(*both).tolist()
    return answer._replace(tier="near", score=round(score, 4)) if score >= likelihood.least_score("near") else None


def shows_other_district(text: Text, entry: Entry) -> bool:
    """Return whether the gaps of a read show another district than those of the listed plate or pattern."""
    country, read = entry.country or text.country, _as_read(text.plate)
    listed = _plain(entry.plate, LETTERS_AND_DIGITS + "?*")
    listed_lengths = _lengths_shown(_gaps(entry.plate), _groups(listed, country))
    if len(listed_lengths) != 1:
        return False
    gaps = _gaps(text.plate)
    if _as_read(text.of_read) == read:
        gaps |= _gaps(text.of_read)
    if set(listed) & set("?*"):
        lengths = _lengths_shown(gaps, _groups(read, country))
    else:
        groups = _groups(listed, country)
        letters = max(district + behind for district, behind in groups)
        whole = [start for start in range(len(read)) if folded(read[start:]).startswith(folded(listed))]
        starts = whole or [at for at in range(4) if folded(read[at:]).startswith(folded(listed[:letters]))]
        lengths = _lengths_shown({gap - starts[0] for gap in gaps if gap > starts[0]}, groups) if starts else set()
    return bool(lengths) and not lengths & listed_lengths


def _lengths_shown(gaps: set[int], groups: set[tuple[int, int]]) -> set[int]:
    return {district for district, behind in groups if {gap for gap in gaps if gap < district + behind} == {district}}


def _groups(text: str, country: str | None) -> set[tuple[int, int]]:
    """Return how the letters of a text may be divided; empty where only one district is possible."""
    found = set()
    for name, syntax in COUNTRIES.items():
        if "district_gap" in syntax and name == (_country(country) or name):
            fewest, most = syntax["district_gap"]["digits"]
            for district, behind in syntax["district_gap"]["letters"]:
                letters = [LETTERS_AND_DIGITS[:26]] * (district + behind)
                for count in range(fewest, most + 1):
                    shape = letters + [LETTERS_AND_DIGITS[26:]] * count
                    ends = [
                        [],
                        *([[syntax["district_gap"]["suffixes"]]] if "suffixes" in syntax["district_gap"] else []),
                    ]
                    if any(_could_be(text, shape + end) for end in ends):
                        found.add((district, behind))
    return found if len({district for district, _ in found}) > 1 else set()


def _could_be(text: str, shape: list[str]) -> bool:
    if text.startswith("*"):
        return any(_could_be(text[1:], shape[start:]) for start in range(len(shape) + 1))
    if not text or not shape:
        return not text and not shape
    return text[0] in shape[0] + "?" and _could_be(text[1:], shape[1:])


def _gaps(plate: str) -> set[int]:
    """Return how many characters stand before each gap, up to the first `*`."""
    kept = plate.partition("*")[0].lstrip(SEPARATORS + PADDING)
    return {
        len([character for character in kept[:at] if character not in SEPARATORS])
        for at, character in enumerate(kept)
        if character in SEPARATORS
    }


def _answer(text: Text, entry: Entry, likelihood: Likelihood) -> Answer | None:
    if "?" in entry.plate or "*" in entry.plate:
        return _answer_to_pattern(text, entry)
    if any(character.upper() not in LETTERS_AND_DIGITS + SEPARATORS for character in entry.plate):
        return None  # the list refuses it
    answers_of_ways = [
        _answer_as_read(text, entry, likelihood),
        _answer_behind_prefix(text, entry, likelihood),
        _answer_inside(text, entry, likelihood),
    ]
    found = [answer for answer in answers_of_ways if answer is not None]
    return min(found, key=lambda answer: (ALL_TIERS.index(answer.tier), -answer.score), default=None)


def _answer_as_read(text: Text, entry: Entry, likelihood: Likelihood) -> Answer | None:
    read, listed = _as_read(text.plate), _plain(entry.plate)
    tier = _tier(read, listed)
    if tier is None or tier not in ALLOWED.get(entry.tolerance, ALL_TIERS):
        return None
    first = np.array([0])
    [score] = likelihood.score(_encoded(text, text.plate, text.country), first, _listed(entry), first).tolist()
    if tier in {"folded", "near"} and score < likelihood.least_score(tier):
        return None
    return Answer(entry.entry_id, tier, round(score, 4), read, listed)


def _answer_behind_prefix(text: Text, entry: Entry, likelihood: Likelihood) -> Answer | None:
    """Answer for a read that is a country prefix and a plate that folds to the listed one."""
    read, listed = _as_read(text.plate), _plain(entry.plate)
    if not 1 <= len(read) <= LONGEST or not 1 <= len(listed) <= LONGEST:
        return None
    for country, plate in behind_prefixes(read):
        if is_folded(plate, listed):
            positions = range(len(read) - len(plate), len(read))
            inside = Inside(plate, country, positions, likelihood.prefix_share, may_be_misread=False)
            score = _score_inside(text, entry, likelihood, inside)
            tier = "folded" if score >= likelihood.least_score("folded") else "near"
            if score >= likelihood.least_score(tier) and tier in ALLOWED.get(entry.tolerance, ALL_TIERS):
                return Answer(entry.entry_id, tier, round(score, 4), read, listed)
    return None


def _answer_inside(text: Text, entry: Entry, likelihood: Likelihood) -> Answer | None:
    """Answer for a read that holds a plate like the listed one: all are near."""
    read, listed = _as_read(text.plate), _plain(entry.plate)
    if not 1 <= len(read) <= LONGEST or not 1 <= len(listed) <= LONGEST:
        return None
    scores = [
        _score_inside(text, entry, likelihood, inside)
        for inside in plates_inside(read, text.country)
        if is_folded(inside.plate, listed) or (inside.may_be_misread and is_near(inside.plate, listed))
        if not inside.has_known_layout or _is_known(listed, inside.country or text.country)
    ]
    best = max(scores, default=0.0)
    if best < likelihood.least_score("near") or entry.tolerance in ALLOWED:
        return None
    return Answer(entry.entry_id, "near", round(best, 4), read, listed)


def _score_inside(text: Text, entry: Entry, likelihood: Likelihood, inside: "Inside") -> float:
    first, read = np.array([0]), _encoded(text, text.plate, text.country)
    chars = () if read.char_confidences is None else read.char_confidences[0][list(inside.positions)].tolist()
    country = inside.country or text.country
    plate = encode_texts([inside.plate], [country], [text.confidence], [chars], [text.is_candidate])
    plate = replace(plate, calibrated=read.calibrated)
    [score] = likelihood.score_inside(read, plate, np.array([inside.share]), first, _listed(entry), first).tolist()
    return float(score)


class Inside(NamedTuple):
    """A plate inside a text, the country that its surroundings speak for, its positions and how often it is so."""

    plate: str
    country: str | None
    positions: Sequence[int]
    share: float
    may_be_misread: bool
    has_known_layout: bool = False


def plates_inside(read: str, country: str | None) -> Iterator[Inside]:
    """List the plates inside a text: behind and before words, in two lines, and twice."""
    is_rare = bool(BACKGROUND_MODEL.has_rare_layout(encode_plates([read], [country]))[0])
    none, ends = Word("", None, 1.0, ""), range(1, len(read))
    before = [none, *(word for end in ends for word in WORDS_BEFORE.get(read[:end], ()))]
    behind = [none, *(word for start in ends for word in WORDS_BEHIND.get(read[start:], ()))]
    for first, last in product(before, behind):
        plate = read[len(first.text) : len(read) - len(last.text)]
        of_words = first.country or last.country
        is_telling = first.is_telling and not last.text
        is_one_country = not first.country or not last.country or first.country == last.country
        is_bare = not first.text and not last.text
        is_badge_only = not last.text or not first.text or first.is_badge
        is_long_enough = len(first.text) + 2 <= len(read) - len(last.text)
        if is_bare or not is_one_country or not is_badge_only or not is_long_enough:
            continue
        is_at_home = country is None or country == of_words
        if (is_telling and (is_rare or is_at_home)) or (is_rare and not is_telling):
            positions = range(len(first.text), len(read) - len(last.text))
            share = first.share * last.share
            yield Inside(plate, of_words, positions, share, is_telling and is_rare, not is_telling)
    if is_rare and len(read) >= 4:
        for start in range(1, len(read)):
            plate = read[start:] + read[:start]
            if _is_known(plate, country) and _is_likelier(plate, read, country):
                rotated = (*range(start, len(read)), *range(start))
                yield Inside(plate, None, rotated, SHARES["two_lines"] / (len(read) - 1), may_be_misread=False)
        half = len(read) // 2
        if read == read[:half] * 2:
            yield Inside(read[:half], None, range(half), SHARES["read_twice"], may_be_misread=True)
        elif len(read) in {8, 10, 12, 14, 16} and sum(read[at] == read[at + half] for at in range(half)) == half - 1:
            for start in (0, half):
                positions = range(start, start + half)
                plate = read[start : start + half]
                yield Inside(plate, None, positions, SHARES["read_twice"] / 2, may_be_misread=False)


def _is_likelier(plate: str, read: str, country: str | None) -> bool:
    """Return whether a plate has a commoner layout than the text, unless that is very rare."""
    of_plate, of_read = BACKGROUND_MODEL.layout_shares(encode_plates([plate, read], [country, country])).tolist()
    return bool(of_read < 0.002 or of_plate > of_read)


def _is_known(plate: str, country: str | None) -> bool:
    return _layout(plate.replace("?", "A")) in _known_layouts(country if country in COUNTRIES else None)


@cache
def _known_layouts(country: str | None) -> set[str]:
    """Return the layouts of a country, the rare ones too; of all countries where the country has none."""
    if country is None:
        return {layout for name in COUNTRIES for layout in _known_layouts(name)}
    return _layouts(country) | rare_layouts(COUNTRIES[country].get("rare", ()))


def behind_prefixes(read: str) -> Iterator[tuple[str, str]]:
    """Return the country and the plate of all ways to read a text as a country's badge and a plate of it."""
    for country, syntax in COUNTRIES.items():
        for badge in syntax["badges"]:
            plate = read.removeprefix(badge)
            if plate != read and _layout(plate) in _layouts(country):
                yield country, plate


@cache
def _layouts(country: str) -> set[str]:
    """Return the layouts (A a letter, 9 a digit) of a country's forms."""
    syntax = COUNTRIES[country]
    found = set()
    for form in (*syntax["forms"], *syntax.get("trailer", ())):
        values = [_values(symbol, syntax) for symbol in form["form"]]
        found |= {"".join(map(_layout, combination)) for combination in product(*values)}
    return {layout for layout in found if len(layout) <= min(syntax.get("longest", 12), 12)}


def _values(symbol: str, syntax: dict[str, Any]) -> set[str]:
    """Return the layouts of the values that a symbol of a form stands for."""
    named = {"A": "alphabet", "S": "serial", "C": "codes"}
    return {_layout(value) for value in syntax[named[symbol]]} if symbol in named else {symbol}


def _layout(text: str) -> str:
    return "".join("9" if character.isdigit() else "A" for character in text)


def _encoded(text: Text, plate: str, country: str | None) -> PlateCodes:
    codes = encode_texts([plate], [country], [text.confidence], [text.char_confidences], [text.is_candidate])
    return replace(codes, calibrated=np.array([text.calibrated], np.float32))


def counts_as(counts: Sequence[int], confidence: float) -> float:
    """Return what a confidence counts as for a camera, of whose reads so many have each hundredth.

    It counts as the confidence that is as low among the measured reads as this one is among the camera's own.
    """
    reads, table, most_sure = sum(counts) + 0.001 * len(counts), list[float](), MEASURED["log_ratio"][0]
    below = 0.0
    for count in counts:
        upto = below + (count + 0.001) / reads
        misreads, right = (
            _with_rank(upto, share) - _with_rank(below, share) for share in ("misread_share", "right_share")
        )
        most_sure = min(most_sure, max(log(misreads / right), MEASURED["log_ratio"][-1]))
        table.append(round(_confidence_with(most_sure), 4))
        below = upto
    hundredths = float(np.float32(confidence)) * 100
    lower = min(int(hundredths), 99)
    return table[lower] + (table[lower + 1] - table[lower]) * (hundredths - lower)


def _with_rank(rank: float, which: str) -> float:
    """Return how many of the measured misreads, or right reads, are among this share of all that is least sure."""
    found = passed = 0.0
    for misread, right, wanted in zip(
        MEASURED["misread_share"], MEASURED["right_share"], MEASURED[which], strict=True
    ):
        of_all = 0.092 * misread / sum(MEASURED["misread_share"]) + 0.908 * right / sum(MEASURED["right_share"])
        part = min(max((rank - passed) / of_all, 0), 1)
        found += part * wanted / sum(MEASURED[which])
        passed += of_all
    return found


def _confidence_with(log_ratio: float) -> float:
    """Return the confidence that says so much on the scale of the measured reads."""
    scale: list[tuple[float, float]] = list(zip(MEASURED["log_ratio"], MEASURED["confidence"], strict=True))
    for (above, surer_not), (below, surer) in pairwise(scale):
        if log_ratio >= below:
            return surer_not + (surer - surer_not) * (above - log_ratio) / (above - below)
    return scale[-1][1]


def _listed(entry: Entry) -> PlateCodes:
    return encode_plates([entry.plate], [_country(entry.country)])


def _country(code: str | None) -> str | None:
    """Return the country of a code: since 2021 British vehicles have UK."""
    return "GB" if code == "UK" else code


def _answer_to_pattern(text: Text, entry: Entry) -> Answer | None:
    read, pattern = _as_read(text.plate), _plain(entry.plate, LETTERS_AND_DIGITS + "?*")
    if not 1 <= len(read) <= LONGEST or not fits_pattern(read, pattern):
        return None
    # Without a confidence, nine in ten plates are read right, and one in four candidates is right.
    default = 0.25 if text.is_candidate else 0.9
    score = default if text.confidence is None else text.confidence
    if text.is_candidate:
        score = max(score, 0.01)  # the camera names it, so it is not impossible
    if text.country and entry.country and _country(text.country) != _country(entry.country):
        score *= 0.02  # how often a camera names the wrong country
    return Answer(entry.entry_id, "pattern", round(score, 4), read, pattern)


def _tier(read: str, listed: str) -> str | None:
    if not 1 <= len(read) <= LONGEST or not 1 <= len(listed) <= LONGEST:
        return None
    if is_exact(read, listed):
        return "exact"
    if is_equivalent(read, listed):
        return "equivalent"
    if is_folded(read, listed):
        return "folded"
    return "near" if is_near(read, listed) else None


def is_exact(read: str, listed: str) -> bool:
    return read == listed


def is_equivalent(read: str, listed: str) -> bool:
    return read.replace("0", "O").replace("1", "I") == listed.replace("0", "O").replace("1", "I")


def is_folded(read: str, listed: str) -> bool:
    return folded(read) == folded(listed)


def is_near(read: str, listed: str) -> bool:
    """Return whether one insertion, deletion, substitution or swap of neighbours makes the folded plates equal."""
    read, listed = folded(read), folded(listed)
    if len(read) != len(listed):
        longer, shorter = sorted((read, listed), key=len, reverse=True)
        return any(longer[:index] + longer[index + 1 :] == shorter for index in range(len(longer)))
    differing = [index for index in range(len(read)) if read[index] != listed[index]]
    if len(differing) == 1:
        return True
    if len(differing) != 2 or differing[1] != differing[0] + 1:
        return False
    first, second = differing
    return read[first] == listed[second] and read[second] == listed[first]


def fits_pattern(read: str, pattern: str) -> bool:
    if pattern == "":
        return read == ""
    if pattern[0] == "*":
        return any(fits_pattern(read[start:], pattern[1:]) for start in range(len(read) + 1))
    return read != "" and pattern[0] in {"?", read[0]} and fits_pattern(read[1:], pattern[1:])


def folded(plate: str) -> str:
    for characters in CONFUSED:
        for character in characters:
            plate = plate.replace(character, characters[0])
    return plate


def _applies_to(entry: Entry, read: Read, zone: tzinfo) -> bool:
    assert read.captured_at is not None, "intake gives every read a capture time"
    if not _has_begun(entry, read.captured_at, zone) or _has_ended(entry, read.captured_at, zone):
        return False
    if entry.sites and read.site not in entry.sites:
        return False
    # A direction that is not known here excludes nothing.
    if read.direction == "uk_bound":
        return set(entry.directions) != {"fr_bound"}
    if read.direction == "fr_bound":
        return set(entry.directions) != {"uk_bound"}
    return True


def _has_begun(entry: Entry, captured_at: datetime, zone: tzinfo) -> bool:
    if entry.valid_from_day is not None:  # the calendar on the wall at the site decides
        return captured_at.astimezone(zone).date() >= entry.valid_from_day
    return entry.valid_from is None or captured_at >= entry.valid_from


def _has_ended(entry: Entry, captured_at: datetime, zone: tzinfo) -> bool:
    if entry.valid_until_day is not None:
        return captured_at.astimezone(zone).date() > entry.valid_until_day
    return captured_at >= entry.valid_until


def _as_read(plate: str) -> str:
    """Return the text with a `?` for each character that is not understood: it is like no letter."""
    kept = "".join(character for character in plate.upper() if character not in SEPARATORS).strip(PADDING)
    return "".join(character if character in LETTERS_AND_DIGITS else "?" for character in kept)


def _plain(plate: str, kept: str = LETTERS_AND_DIGITS) -> str:
    return "".join(character for character in plate.upper() if character in kept)
