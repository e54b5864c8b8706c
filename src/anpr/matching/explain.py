"""Why a read matched: letter by letter, in words that an officer can check against the picture."""

from itertools import product
from operator import itemgetter

from anpr.contracts.events import Difference, Entry, Explanation, Read
from anpr.contracts.plates import GLYPH_PAIRS, UNREADABLE, country_of, is_pattern, unknown_letters
from anpr.matching.encoding.country_prefix import COUNTRY_PREFIXES, PrefixedPlate
from anpr.matching.encoding.plate_codes import FOLD_CLASSES

CANDIDATE_NOTE = "not the camera's first reading: it thought this one possible too"

# What setting one character against another costs when two plates are aligned: the likelier confusion is preferred.
_ONE_GLYPH_COST, _FOLDED_COST, _EDIT_COST = 1, 2, 10
_CLASS_OF = {character: of_class for of_class in FOLD_CLASSES for character in of_class}


def explain(
    read_plate: str, listed_plate: str, read: Read, entry: Entry, *, candidate: str | None = None
) -> Explanation:
    """Explain a match of two canonical plates, or a plate and a pattern.

    `candidate` is the text as the camera gave it where it was not its first reading.
    """
    is_british = "GB" in {country_of(country) for country in (read.country, entry.country) if country}
    notes = _notes(read, entry, candidate)
    if is_pattern(listed_plate):
        notes.insert(0, f"fits the pattern {listed_plate}")
        return Explanation(read_as=read_plate, listed_as=listed_plate, notes=tuple(notes))
    return Explanation(
        read_as=read_plate,
        listed_as=listed_plate,
        differences=differences(read_plate, listed_plate, is_british=is_british),
        notes=tuple(notes),
    )


def differences(read: str, listed: str, *, is_british: bool = False) -> tuple[Difference, ...]:
    """Return what must be changed in the read to give the listed plate, by the likeliest alignment of the two."""
    found, badge = [], ""
    if (badged := behind_badge(read, listed)) is not None:
        badge, country, read = badged
        why = f"the letters of {country} beside the plate, read with it"
        found.append(Difference(place=1, read=badge, listed="", why=why, read_place=1))
    for place, was_listed, read_place, was_read in aligned(read, listed):
        if was_read != was_listed:
            why = _why(was_read, was_listed, is_british=is_british)
            its_place = read_place + len(badge) if was_read else None
            found.append(Difference(place=place, read=was_read, listed=was_listed, why=why, read_place=its_place))
    return tuple(found)


def behind_badge(read: str, listed: str) -> PrefixedPlate | None:
    """Return the read as a country's badge and the listed plate, but for what is confused, where it can be that."""
    for badged in COUNTRY_PREFIXES.splits(read):
        if len(badged.plate) == len(listed) and all(
            _cost(*both) <= _FOLDED_COST for both in zip(badged.plate, listed, strict=True)
        ):
            return badged
    return None


def aligned(read: str, listed: str) -> list[tuple[int, str, int, str]]:
    """Return the two plates cut into steps: place and characters in the listed plate, place and characters read."""
    # cheapest[i, j]: what aligning the first i characters read with the first j listed costs, and the last step.
    cheapest: dict[tuple[int, int], tuple[int, int, int]] = {(0, 0): (0, 0, 0)}
    for at, listed_at in product(range(len(read) + 1), range(len(listed) + 1)):
        ways = [
            (cheapest[at - taken, listed_at - listed_taken][0] + cost, taken, listed_taken)
            for taken, listed_taken, cost in _last_steps(read[:at], listed[:listed_at])
        ]
        if ways:
            cheapest[at, listed_at] = min(ways, key=itemgetter(0))
    steps, at, listed_at = [], len(read), len(listed)
    while at or listed_at:
        _, taken, listed_taken = cheapest[at, listed_at]
        at, listed_at = at - taken, listed_at - listed_taken
        steps.append((listed_at + 1, listed[listed_at : listed_at + listed_taken], at + 1, read[at : at + taken]))
    return steps[::-1]


def _last_steps(read: str, listed: str) -> list[tuple[int, int, int]]:
    """Return how many characters of each the last step of an alignment may take and its cost, likeliest first."""
    steps = []
    if read and listed:
        steps.append((1, 1, _cost(read[-1], listed[-1])))
    if len(read) > 1 and len(listed) > 1:
        crosswise = _cost(read[-1], listed[-2]) + _cost(read[-2], listed[-1])
        if crosswise < _EDIT_COST:
            steps.append((2, 2, _EDIT_COST + crosswise))
    if listed:
        steps.append((0, 1, _EDIT_COST))
    if read:
        steps.append((1, 0, _EDIT_COST))
    return steps


def _why(was_read: str, listed: str, *, is_british: bool) -> str:
    if not was_read:
        return f"a {_kind(listed)} is missing here"
    if not listed:
        return f"one {_kind(was_read)} too many"
    if len(listed) == 2:
        return "two letters swapped" if listed.isalpha() else "two characters swapped"
    cost = _cost(was_read, listed)
    if cost == _ONE_GLYPH_COST:
        return "one glyph on a UK plate" if is_british else "one glyph on many plates"
    if cost == _FOLDED_COST:
        return f"often confused: {min(was_read, listed)} and {max(was_read, listed)}"
    return "not readable" if was_read == UNREADABLE else "read differently"


def _kind(character: str) -> str:
    return "digit" if character.isdigit() else "letter"


def _cost(was_read: str, listed: str) -> int:
    if was_read == listed:
        return 0
    if GLYPH_PAIRS.get(was_read, was_read) == GLYPH_PAIRS.get(listed, listed):
        return _ONE_GLYPH_COST
    return _FOLDED_COST if listed in _CLASS_OF.get(was_read, "") else _EDIT_COST


def _notes(read: Read, entry: Entry, candidate: str | None) -> list[str]:
    notes = [] if candidate is None else [CANDIDATE_NOTE]
    if unknown := unknown_letters(read.plate if candidate is None else candidate):
        notes.append(f"no table knows a Latin letter for {unknown[:8]!r}, so that place counts as not readable")
    if read.country and entry.country and country_of(read.country) != country_of(entry.country):
        notes.append(f"country read {read.country}, listed {entry.country}")
    if read.clock_suspect:
        notes.append("the camera's clock is not to be trusted; matched as of arrival")
    return notes
