"""The matcher as one would explain it: slow, and plain enough to be checked by reading it.

It looks at every entry for every read, with one function for each tier. The index must give the same answers, in the
same order. Only how probable a pair is comes from the same place as the index has it.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from anpr.contracts.events import Entry, Read
from anpr.matching.encoding.plate_codes import PlateCodes, encode_plates
from anpr.matching.scoring.likelihood import Likelihood
from anpr.reference_data import tables

LETTERS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
# What a camera gives for a place that it could not read; a letter of no table is one.
UNREADABLE = "?Ж\ufffd"
CONFUSED = ("0OQD", "1IL", "8B", "5S", "2Z", "6G", "4A", "VY", "7T")
ALLOWED = {"exact": ("exact",), "tolerant": ("exact", "equivalent", "folded")}
ALL_TIERS = ("exact", "equivalent", "folded", "near", "pattern")
LONGEST = 16
COUNTRIES = tables.load("countries")


class Text(NamedTuple):
    """One of the texts of a read."""

    plate: str
    confidence: float | None
    char_confidences: tuple[float, ...]
    country: str | None
    is_candidate: bool = False


class Answer(NamedTuple):
    """An entry that a read matches, how surely, by which of its texts, and against what."""

    entry_id: str
    tier: str
    score: float
    read_as: str
    listed_as: str


def answers(read: Read, entries: Iterable[Entry]) -> list[Answer]:
    """Return the entries that a read matches, in order of `entry_id`.

    Of what is not ASCII only the letters of UNREADABLE are known here.
    """
    entries = list(entries)
    country = _country(read.country)
    texts = [Text(read.plate, read.confidence, read.char_confidences, country)]
    texts += [
        Text(candidate.plate, candidate.confidence, (), country, is_candidate=True) for candidate in read.candidates
    ]
    found = []
    for entry in entries:
        if _is_meant_for(entry, read):
            of_texts = [_answer(text, entry, Likelihood(len(entries))) for text in texts]
            matching = [answer for answer in of_texts if answer is not None]
            if matching:
                best = min(matching, key=lambda answer: (ALL_TIERS.index(answer.tier), -answer.score))
                found.append(best._replace(score=max(answer.score for answer in matching)))
    return sorted(found)


def _answer(text: Text, entry: Entry, likelihood: Likelihood) -> Answer | None:
    if "?" in entry.plate or "*" in entry.plate:
        return _answer_to_pattern(text, entry)
    if set(entry.plate) & set(UNREADABLE):
        return None  # no plate: the list refuses it
    return _answer_behind_badge(text, entry, likelihood) or _answer_as_it_is(text, entry, likelihood)


def _answer_as_it_is(text: Text, entry: Entry, likelihood: Likelihood) -> Answer | None:
    read, listed = _as_read(text.plate), _plain(entry.plate)
    tier = _tier(read, listed)
    if tier is None or tier not in ALLOWED.get(entry.tolerance, ALL_TIERS):
        return None
    first = np.array([0])
    [score] = likelihood.score(_packed(text, text.plate, text.country), first, _listed(entry), first).tolist()
    if tier in {"folded", "near"} and score < likelihood.least_score(tier):
        return None
    return Answer(entry.entry_id, tier, round(score, 4), read, listed)


def _answer_behind_badge(text: Text, entry: Entry, likelihood: Likelihood) -> Answer | None:
    """Answer for a read that is a country's badge and the listed plate, but for what is confused."""
    read, listed = _as_read(text.plate), _plain(entry.plate)
    if not 1 <= len(read) <= LONGEST or not 1 <= len(listed) <= LONGEST:
        return None
    for country, plate in behind_badges(read):
        if isfolded(plate, listed):
            first = np.array([0])
            both = _packed(text, text.plate, text.country), _packed(text, plate, country)
            [score] = likelihood.score_with_prefix(*both, first, _listed(entry), first).tolist()
            tier = "folded" if score >= likelihood.least_score("folded") else "near"
            if score >= likelihood.least_score(tier) and tier in ALLOWED.get(entry.tolerance, ALL_TIERS):
                return Answer(entry.entry_id, tier, round(score, 4), read, listed)
    return None


def behind_badges(read: str) -> Iterator[tuple[str, str]]:
    """Return country and plate of all that a read can be as badge and plate of one country."""
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
        found |= {"".join(map(_layout, one)) for one in product(*values)}
    return {layout for layout in found if len(layout) <= min(syntax.get("longest", 12), 12)}


def _values(symbol: str, syntax: dict[str, Any]) -> set[str]:
    """Return what a symbol of a form stands for, one of each layout."""
    named = {"A": "alphabet", "S": "serial", "C": "codes"}
    return {_layout(value) for value in syntax[named[symbol]]} if symbol in named else {symbol}


def _layout(text: str) -> str:
    return "".join("9" if character.isdigit() else "A" for character in text)


def _packed(text: Text, plate: str, country: str | None) -> PlateCodes:
    chars = text.char_confidences[-len(plate) :] if plate != text.plate else text.char_confidences
    return encode_plates([plate], [country], [text.confidence], [chars], [text.is_candidate])


def _listed(entry: Entry) -> PlateCodes:
    return encode_plates([entry.plate], [_country(entry.country)])


def _country(code: str | None) -> str | None:
    """Return the country that a code means: since 2021 British vehicles bear UK."""
    return "GB" if code == "UK" else code


def _answer_to_pattern(text: Text, entry: Entry) -> Answer | None:
    read, pattern = _as_read(text.plate), _plain(entry.plate, LETTERS_AND_DIGITS + "?*")
    if not 1 <= len(read) <= LONGEST or not is_of_pattern(read, pattern):
        return None
    # Of a plate read without saying how surely, nine in ten are right; of a candidate, one in four.
    untold = 0.25 if text.is_candidate else 0.9
    score = untold if text.confidence is None else text.confidence
    if text.is_candidate:
        score = max(score, 0.01)  # named, so not impossible
    if text.country and entry.country and _country(text.country) != _country(entry.country):
        score *= 0.02  # a camera is wrong about the country so often
    return Answer(entry.entry_id, "pattern", round(score, 4), read, pattern)


def _tier(read: str, listed: str) -> str | None:
    if not 1 <= len(read) <= LONGEST or not 1 <= len(listed) <= LONGEST:
        return None
    if is_exact(read, listed):
        return "exact"
    if is_equivalent(read, listed):
        return "equivalent"
    if isfolded(read, listed):
        return "folded"
    return "near" if is_near(read, listed) else None


def is_exact(read: str, listed: str) -> bool:
    return read == listed


def is_equivalent(read: str, listed: str) -> bool:
    return read.replace("0", "O").replace("1", "I") == listed.replace("0", "O").replace("1", "I")


def isfolded(read: str, listed: str) -> bool:
    return folded(read) == folded(listed)


def is_near(read: str, listed: str) -> bool:
    """Tell whether one insertion, deletion, substitution or swap of neighbours makes the folded plates equal."""
    some, other = folded(read), folded(listed)
    if len(some) != len(other):
        longer, shorter = sorted((some, other), key=len, reverse=True)
        return any(longer[:place] + longer[place + 1 :] == shorter for place in range(len(longer)))
    places = [place for place in range(len(some)) if some[place] != other[place]]
    if len(places) == 1:
        return True
    if len(places) != 2 or places[1] != places[0] + 1:
        return False
    first, second = places
    return some[first] == other[second] and some[second] == other[first]


def is_of_pattern(read: str, pattern: str) -> bool:
    if pattern == "":
        return read == ""
    if pattern[0] == "*":
        return any(is_of_pattern(read[place:], pattern[1:]) for place in range(len(read) + 1))
    return read != "" and pattern[0] in {"?", read[0]} and is_of_pattern(read[1:], pattern[1:])


def folded(plate: str) -> str:
    for alike in CONFUSED:
        for character in alike:
            plate = plate.replace(character, alike[0])
    return plate


def _is_meant_for(entry: Entry, read: Read) -> bool:
    assert read.captured_at is not None, "intake gives every read a capture time"
    if entry.valid_from is not None and read.captured_at < entry.valid_from:
        return False
    if read.captured_at >= entry.valid_until:
        return False
    if entry.sites and read.site not in entry.sites:
        return False
    # Only two words that are understood can contradict one another.
    if read.direction == "uk_bound":
        return set(entry.directions) != {"fr_bound"}
    if read.direction == "fr_bound":
        return set(entry.directions) != {"uk_bound"}
    return True


def _as_read(plate: str) -> str:
    """Return what was read, with a `?` for each place that cannot be read: it is like no letter."""
    marked = "".join("?" if character in UNREADABLE else character for character in plate.upper())
    return _plain(marked, LETTERS_AND_DIGITS + "?")


def _plain(plate: str, kept: str = LETTERS_AND_DIGITS) -> str:
    return "".join(character for character in plate.upper() if character in kept)
