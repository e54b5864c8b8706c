"""Explains a match: each character that differs, in words that an officer can check against the picture."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import product
from operator import itemgetter
from typing import NamedTuple

from msgspec import UNSET

from anpr.contracts.events import Difference, Entry, Explanation, Read
from anpr.contracts.plates import (
    ASCII_PADDING,
    GLYPH_PAIRS,
    UNREADABLE,
    country_of,
    is_pattern,
    not_understood,
    unknown_letters,
)
from anpr.contracts.readings import guess_note
from anpr.matching.district_match import compare_districts, district_note
from anpr.matching.encoding.country_prefix import COUNTRY_PREFIXES, PrefixedPlate
from anpr.matching.encoding.known_layouts import KNOWN_LAYOUTS
from anpr.matching.encoding.plate_codes import FOLD_CLASSES, encode_plates
from anpr.matching.encoding.words_around import InnerPlate, TakenOff, country_letters, inner_plates
from anpr.matching.scoring.background_model import BACKGROUND_MODEL
from anpr.matching.scoring.confusion_model import CONFUSION_MODEL

# The costs of setting one character against another when two plates are aligned: the likelier confusion is preferred.
_SAME_GLYPH_COST, _FOLDED_COST, _EDIT_COST = 1, 2, 10
_CLASS_OF = {character: fold_class for fold_class in FOLD_CLASSES for character in fold_class}


class AlignedStep(NamedTuple):
    """A step of an alignment: the characters of both plates and their positions, counted from 1."""

    listed_position: int
    listed: str
    read_position: int
    read: str


def explain(
    read_plate: str,
    listed_plate: str,
    read: Read,
    entry: Entry,
    *,
    candidate: str | None = None,
    calibration: str = "",
) -> Explanation:
    """Explain a match of two canonical plates, or of a plate and a pattern.

    `candidate` is the text as the camera gave it, where it was a candidate and not the camera's reading.
    `calibration` says in words what the confidence of the text counts as, where that is not what the camera says.
    """
    is_british = "GB" in {country_of(country) for country in (read.country, entry.country) if country}
    notes = _notes(read, entry, candidate, listed_plate)
    if is_pattern(listed_plate):
        notes.insert(0, f"fits the pattern {listed_plate}")
        return Explanation(read_as=read_plate, listed_as=listed_plate, notes=tuple(notes))
    return Explanation(
        read_as=read_plate,
        listed_as=listed_plate,
        differences=differences(
            read_plate,
            listed_plate,
            country=read.country,
            listed_country=entry.country and country_of(entry.country),
            is_british=is_british,
        ),
        notes=tuple(notes),
        calibration=calibration or UNSET,
    )


# The cameras that a vehicle passes mostly read the same text, and a look-up explains all of them.
@lru_cache(maxsize=4096)
def differences(
    read: str,
    listed: str,
    *,
    country: str | None = None,
    listed_country: str | None = None,
    is_british: bool = False,
) -> tuple[Difference, ...]:
    """Return the changes that turn the read into the listed plate, by the likeliest alignment of the two.

    `country` is the one that the camera names. Text around the plate is named as a whole.
    """
    inner = plate_inside(read, listed, country, listed_country)
    if inner is None:
        return tuple(_changes(read, listed, range(len(read)), is_british=is_british))
    if inner.first_line:
        return tuple(_lines_exchanged(inner, listed, is_british=is_british))
    before, behind = (
        [part for part in inner.taken_off if bool(part.start) == is_behind] for is_behind in (False, True)
    )
    changes = _changes(inner.plate, listed, inner.positions, is_british=is_british)
    return (*_taken_off(before, 1), *changes, *_taken_off(behind, len(listed) + 1))


def _changes(read: str, listed: str, positions: Sequence[int], *, is_british: bool) -> Iterator[Difference]:
    """Yield the changes that turn a text into the listed plate. Its characters have these `positions` in the read."""
    for step in align(read, listed):
        if step.read != step.listed:
            read_place = positions[step.read_position - 1] + 1 if step.read else None
            why = _why(step.read, step.listed, is_british=is_british)
            yield Difference(
                place=step.listed_position, read=step.read, listed=step.listed, why=why, read_place=read_place
            )


def _taken_off(parts: Iterable[TakenOff], place: int) -> Iterator[Difference]:
    for part in parts:
        yield Difference(place=place, read=part.text, listed="", why=part.why, read_place=part.start + 1)


def _lines_exchanged(inner: InnerPlate, listed: str, *, is_british: bool) -> Iterator[Difference]:
    """Yield the changes of a plate whose second line was read before its first."""
    size, why = inner.first_line, "the second line of the plate, read before the first"
    yield Difference(place=1, read=inner.plate[size:], listed="", why=why, read_place=1)
    yield from _changes(inner.plate[:size], listed[:size], inner.positions, is_british=is_british)
    yield Difference(place=size + 1, read="", listed=listed[size:], why="here stands the line that was read first")


def plate_inside(read: str, listed: str, country: str | None, listed_country: str | None) -> InnerPlate | None:
    """Return the plate inside a read that is most like the listed one; None where the read itself is as like it."""
    as_it_stands = _distance(read, listed)
    if as_it_stands < _EDIT_COST:
        return None
    prefixed = (_without_prefix(split) for split in COUNTRY_PREFIXES.splits(read))
    has_rare_layout = bool(BACKGROUND_MODEL.has_rare_layout(encode_plates([read], [country]))[0])
    inside = [*prefixed, *inner_plates(read, country, has_rare_layout=has_rare_layout)]
    by_distance = [
        (_distance(inner.plate, listed), inner)
        for inner in inside
        if not inner.has_known_layout or KNOWN_LAYOUTS.has(listed, inner.country or country)
    ]
    # Two lines are told apart by their order alone, so no letter in them may differ.
    likely = [
        (distance, inner.country not in {None, listed_country}, -inner.share, inner)
        for distance, inner in by_distance
        if distance < (_EDIT_COST if inner.first_line else as_it_stands)
    ]
    return min(likely)[-1] if likely else None


def _without_prefix(split: PrefixedPlate) -> InnerPlate:
    start = len(split.prefix)
    taken_off = TakenOff(0, split.prefix, country_letters(split.country))
    positions = tuple(range(start, start + len(split.plate)))
    return InnerPlate(split.plate, positions, split.country, CONFUSION_MODEL.prefix_share, (taken_off,))


def _distance(read: str, listed: str) -> int:
    """Return the cost of the changes between two texts, at most that of two edits."""
    if len(read) == len(listed):
        costs = [_cost(*pair) for pair in zip(read, listed, strict=True)]
        different = [position for position, cost in enumerate(costs) if cost >= _EDIT_COST]
        if len(different) == 2 and different[1] == different[0] + 1:
            first, second = different
            crossed = _cost(read[first], listed[second]) + _cost(read[second], listed[first])
            return min(sum(costs) - _EDIT_COST + crossed, 2 * _EDIT_COST)
        return min(sum(costs), 2 * _EDIT_COST)
    longer, shorter = sorted((read, listed), key=len, reverse=True)
    if len(longer) > len(shorter) + 1:
        return 2 * _EDIT_COST
    without_one = (longer[:position] + longer[position + 1 :] for position in range(len(longer)))
    return min(_EDIT_COST + min(sum(map(_cost, shortened, shorter)) for shortened in without_one), 2 * _EDIT_COST)


def align(read: str, listed: str) -> list[AlignedStep]:
    """Return the steps of the cheapest alignment of the two plates."""
    same = _same_ending(read, listed)
    read_end, listed_end = len(read) - same, len(listed) - same
    ending = [
        AlignedStep(listed_end + at + 1, listed[listed_end + at], read_end + at + 1, read[read_end + at])
        for at in range(same)
    ]
    return _aligned(read[:read_end], listed[:listed_end]) + ending


def _same_ending(read: str, listed: str) -> int:
    """Return how many characters at the end are the same. To set them against each other is never dearer."""
    shorter = min(len(read), len(listed))
    return next((at for at in range(shorter) if read[-1 - at] != listed[-1 - at]), shorter)


def _aligned(read: str, listed: str) -> list[AlignedStep]:
    # cheapest[i, j]: the cost of aligning the first i characters read with the first j listed, and the last step.
    cheapest: dict[tuple[int, int], tuple[int, int, int]] = {(0, 0): (0, 0, 0)}
    for read_end, listed_end in product(range(len(read) + 1), range(len(listed) + 1)):
        options = [
            (cheapest[read_end - read_count, listed_end - listed_count][0] + cost, read_count, listed_count)
            for read_count, listed_count, cost in _last_steps(read[:read_end], listed[:listed_end])
        ]
        if options:
            cheapest[read_end, listed_end] = min(options, key=itemgetter(0))
    steps, read_end, listed_end = [], len(read), len(listed)
    while read_end or listed_end:
        _, read_count, listed_count = cheapest[read_end, listed_end]
        read_start, listed_start = read_end - read_count, listed_end - listed_count
        steps.append(
            AlignedStep(listed_start + 1, listed[listed_start:listed_end], read_start + 1, read[read_start:read_end])
        )
        read_end, listed_end = read_start, listed_start
    return steps[::-1]


def _last_steps(read: str, listed: str) -> list[tuple[int, int, int]]:
    """Return the possible last steps, likeliest first: how many characters of each plate, and the cost."""
    steps = []
    if read and listed:
        steps.append((1, 1, _cost(read[-1], listed[-1])))
    if len(read) > 1 and len(listed) > 1:
        crossed = _cost(read[-1], listed[-2]) + _cost(read[-2], listed[-1])
        if crossed < _EDIT_COST:
            steps.append((2, 2, _EDIT_COST + crossed))
    if listed:
        steps.append((0, 1, _EDIT_COST))
    if read:
        steps.append((1, 0, _EDIT_COST))
    return steps


def _why(read: str, listed: str, *, is_british: bool) -> str:
    if not read:
        return f"the camera missed this {_kind(listed)}"
    if not listed:
        return f"the camera read an extra {_kind(read)}"
    if len(listed) == 2:
        return "these two letters are swapped" if listed.isalpha() else "these two characters are swapped"
    first, second = sorted((read, listed))
    cost = _cost(read, listed)
    if cost == _SAME_GLYPH_COST:
        return f"{first} and {second} look the same on {'UK' if is_british else 'many'} plates"
    if cost == _FOLDED_COST:
        return f"cameras often confuse {first} and {second}"
    return "the camera could not read it" if read == UNREADABLE else "a different character"


def _kind(character: str) -> str:
    return "digit" if character.isdigit() else "letter"


def _cost(read: str, listed: str) -> int:
    if read == listed:
        return 0
    if GLYPH_PAIRS.get(read, read) == GLYPH_PAIRS.get(listed, listed):
        return _SAME_GLYPH_COST
    return _FOLDED_COST if listed in _CLASS_OF.get(read, "") else _EDIT_COST


def _guess(read: Read, candidate: str) -> str:
    """Return that only a later reading of the camera matches, and what it read first."""
    reading = next((number for number, other in enumerate(read.candidates, 2) if other.plate == candidate), 2)
    return guess_note("" if "plate" in read.dropped_fields else read.plate, reading)


def _notes(read: Read, entry: Entry, candidate: str | None, listed_plate: str) -> list[str]:
    notes = [] if candidate is None else [_guess(read, candidate)]
    text = read.plate if candidate is None else candidate
    if letters := unknown_letters(text):
        notes.append(f"{letters[:8]!r} stands for no Latin letter, so that position counts as unreadable")
    if marks := "".join(mark for mark in not_understood(text.strip(ASCII_PADDING)) if mark not in letters):
        notes.append(f"{marks[:8]!r} is no character of a plate, so that position counts as unreadable")
    districts = compare_districts(text, read, entry)
    if districts is not None and (note := district_note(districts, listed_plate)):
        notes.append(note)
    if read.country and entry.country and country_of(read.country) != country_of(entry.country):
        notes.append(f"country read {read.country}, listed {entry.country}")
    if read.clock_suspect:
        notes.append("the camera's clock cannot be trusted, so the time of arrival counts")
    return notes
