"""What may stand around a plate and be read with it, and the possible plates inside a text. Pure.

`UKA1234567` is most likely the British trailer `A1234567`, `AB123CD62` the French plate `AB123CD` with its
department, `CDEAB12` the British plate `AB12CDE` whose lines were read in the wrong order. The words are those of
`words_around.toml` and the badges of all countries. `inner_plates` lists the plates that a text may hold;
`encoding/inner_plates.py` finds the same in a batch.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Final, NamedTuple

from anpr.contracts.plates import country_of
from anpr.matching.encoding.known_layouts import KNOWN_LAYOUTS
from anpr.matching.encoding.plate_codes import encode_plates
from anpr.matching.scoring.background_model import BACKGROUND_MODEL, RARE_LAYOUT_SHARE
from anpr.reference_data import tables

# Characters that a plate inside a text has at least; and a plate in two lines.
SHORTEST_INNER: Final = 2
SHORTEST_OF_TWO_LINES: Final = 4
# Characters that a plate has at least which was read twice, once of them with another character.
SHORTEST_READ_UNLIKE: Final = 4
# Letters of a badge that chance seldom writes.
TELLING_BADGE: Final = 2

_PER_MILLION = 1_000_000


class Word(NamedTuple):
    """A text that may stand beside a plate.

    `country` is the country that it speaks for. `share` is how often a plate (of that country) is read with it. A
    badge before a plate is telling if chance seldom writes its letters there: any plate may stand behind it.
    """

    text: str
    country: str | None
    share: float
    why: str
    is_badge: bool = False
    is_telling: bool = False


class TakenOff(NamedTuple):
    """A part of a text that does not belong to the plate inside it, and its position, from 0."""

    start: int
    text: str
    why: str


class InnerPlate(NamedTuple):
    """A possible plate inside a text.

    `positions` are those of its characters in the text, from 0. `country` is the country that the surroundings speak
    for, `share` how often a plate is read with them. `first_line` is the number of characters of the plate's first
    line where the lines were read in the wrong order, else 0. `has_known_layout` says that only a listed plate in a
    known layout counts: a misread character may have given the text another one.
    """

    plate: str
    positions: tuple[int, ...]
    country: str | None
    share: float
    taken_off: tuple[TakenOff, ...] = ()
    first_line: int = 0
    has_known_layout: bool = False


def inner_plates(text: str, country: str | None, *, has_rare_layout: bool) -> Iterator[InnerPlate]:
    """List the possible plates inside a canonical text. `country` is the one that the camera names.

    - Behind a telling badge stands any plate. Before a text in a common layout, which is most likely a plate by
      itself, the badge must be that of the camera's country where the camera names one.
    - Beside other words, and in two lines, stands a plate in a known layout. Only texts in a rare layout hold one.
      Beside words the listed plate must have the layout, in two lines the text.
      Two lines have a commoner layout than the text, where no country is named and the text's layout is not so rare.
    - A text that is twice the same holds any plate; so does one whose halves differ in one character.
    """
    before = [word for size in range(1, len(text)) for word in WORDS_BEFORE.get(text[:size], ())]
    for word in before:
        if word.is_telling and (has_rare_layout or not country or country_of(country) == word.country):
            yield from _between(text, word, None)
    if not has_rare_layout:
        return
    behind = [word for size in range(1, len(text)) for word in WORDS_BEHIND.get(text[-size:], ())]
    surroundings: list[tuple[Word | None, Word | None]] = [(word, None) for word in before if not word.is_telling]
    surroundings += [(None, word) for word in behind]
    surroundings += [pair for pair in product(before, behind) if pair[0].is_badge and speak_for_one_country(*pair)]
    yield from (inner._replace(has_known_layout=True) for pair in surroundings for inner in _between(text, *pair))
    two_lines = (inner for inner in _two_lines(text) if _is_likelier(inner.plate, text, country))
    yield from (inner for inner in two_lines if KNOWN_LAYOUTS.has(inner.plate, country))
    yield from _read_twice(text)


def country_letters(country: str) -> str:
    """Return the words that explain a badge before a plate."""
    return f"the country letters of {country}, read as part of the plate"


def speak_for_one_country(before: Word, behind: Word) -> bool:
    """Return whether two words can stand around one plate."""
    return before.country == behind.country or before.country is None or behind.country is None


def _between(text: str, before: Word | None, behind: Word | None) -> Iterator[InnerPlate]:
    """Yield what is left of a text between two words, or beside one, where it is long enough."""
    start, end = len(before.text) if before else 0, len(text) - (len(behind.text) if behind else 0)
    if end - start < SHORTEST_INNER:
        return
    taken_off = [TakenOff(0, before.text, before.why)] if before else []
    taken_off += [TakenOff(end, behind.text, behind.why)] if behind else []
    words = [word for word in (before, behind) if word]
    country = next((word.country for word in words if word.country), None)
    share = words[0].share * (words[1].share if len(words) > 1 else 1.0)
    yield InnerPlate(text[start:end], tuple(range(start, end)), country, share, tuple(taken_off))


def _two_lines(text: str) -> Iterator[InnerPlate]:
    """Yield the plates whose second line is the beginning of the text."""
    for second_line in range(1, len(text) if len(text) >= SHORTEST_OF_TWO_LINES else 1):
        positions = (*range(second_line, len(text)), *range(second_line))
        share = SHARES["two_lines"] / (len(text) - 1)
        plate = text[second_line:] + text[:second_line]
        yield InnerPlate(plate, positions, None, share, first_line=len(text) - second_line)


def _is_likelier(plate: str, text: str, country: str | None) -> bool:
    """Return whether a plate in two lines has a commoner layout than the text, where that is not rare by itself."""
    of_plate, of_text = BACKGROUND_MODEL.layout_shares(encode_plates([plate, text], [country, country])).tolist()
    return bool(of_text < RARE_LAYOUT_SHARE or of_plate > of_text)


def _read_twice(text: str) -> Iterator[InnerPlate]:
    """Yield the first half of a text that is twice the same; both halves where one character differs."""
    half, odd = divmod(len(text), 2)
    if odd or half < SHORTEST_INNER:
        return
    first, second = text[:half], text[half:]
    different = sum(left != right for left, right in zip(first, second, strict=True))
    if different > (half >= SHORTEST_READ_UNLIKE):
        return
    why = "the plate again: the camera read it twice"
    share = SHARES["read_twice"] / (1 + different)
    yield InnerPlate(first, tuple(range(half)), None, share, (TakenOff(half, second, why),))
    if different:
        yield InnerPlate(second, tuple(range(half, len(text))), None, share, (TakenOff(0, first, why),))


def _badges() -> Iterator[tuple[str, str]]:
    """Yield all country letters with their country."""
    countries, codes = tables.load("countries"), tables.load("country_codes")
    signs = codes["signs"] | tables.load("words_around")["signs"]
    for country, syntax in countries.items():
        yield from ((badge, country) for badge in syntax["badges"])
    known = countries.keys() | signs.values()
    yield from ((code, country) for code, country in codes["alpha_3"].items() if country in known)
    yield from signs.items()


def _country_codes() -> Iterator[tuple[str, str]]:
    """Yield the codes of two letters of the countries that have a badge, with their country.

    Many plates begin with such letters, and no vehicle shows them; software puts them beside a plate. So they count
    as little as a badge of one letter, unless they are the badge of that country (which replaces them).
    """
    for country, syntax in tables.load("countries").items():
        yield from ((alias, country) for alias in syntax.get("aliases", ()))
    yield from ((country, country) for country in dict.fromkeys(country for _, country in _badges()))


def _named_words(table: Mapping[str, Any]) -> Iterator[Word]:
    """Yield the names and words that may stand on either side of a plate."""
    for words in table["words"]:
        lists = [*words.get("of", {}).items(), *([(None, words["any"])] if "any" in words else [])]
        for country, texts in lists:
            for text in texts:
                yield Word(text, country, table["shares"]["word"] / len(texts), words["name"])


def _words_before(table: Mapping[str, Any]) -> Iterator[Word]:
    share = tables.load("misreads")["badge"] / _PER_MILLION
    for code, country in _country_codes():
        yield Word(code, country, table["shares"]["country_code"], country_letters(country), is_badge=True)
    for badge, country in dict.fromkeys(_badges()):
        is_telling = len(badge) >= TELLING_BADGE
        yield Word(badge, country, share, country_letters(country), is_badge=True, is_telling=is_telling)
    for word in _named_words(table):
        yield word._replace(why=f"text before the plate: {word.why}")


def _words_behind(table: Mapping[str, Any]) -> Iterator[Word]:
    shares = table["shares"]
    for code, country in _country_codes():
        why = f"text behind the plate: the country letters of {country}"
        yield Word(code, country, shares["country_code"], why, is_badge=True)
    for badge, country in dict.fromkeys(_badges()):
        why = f"text behind the plate: the country letters of {country}"
        yield Word(badge, country, shares["letters_behind"], why, is_badge=True)
    for country, band in table["behind"].items():
        why = f"text behind the plate: {band['name']}"
        for parts in band["parts"]:
            texts = list(map("".join, product(*(table["texts"][part] for part in parts))))
            share = shares["right_band"] / len(band["parts"]) / len(texts)
            yield from (Word(text, country, share, why) for text in texts)
    for word in _named_words(table):
        yield word._replace(why=f"text behind the plate: {word.why}")


def _by_text(words: Iterator[Word]) -> Mapping[str, tuple[Word, ...]]:
    by_text: defaultdict[str, tuple[Word, ...]] = defaultdict(tuple)
    for word in {(word.text, word.country): word for word in words}.values():
        by_text[word.text] += (word,)
    return dict(by_text)


_TABLE: Final = tables.load("words_around")
SHARES: Final[Mapping[str, float]] = _TABLE["shares"]
WORDS_BEFORE: Final = _by_text(_words_before(_TABLE))
WORDS_BEHIND: Final = _by_text(_words_behind(_TABLE))
