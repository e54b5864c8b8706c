"""The rules for each reference table. A fault is named by its field, value and reason, without a traceback.

A check yields the faults in the order of the file. The loader reports the first.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from anpr.reference_data.characters import CHARACTERS
from anpr.reference_data.limits import ALPHABET, LONGEST_BADGE, LONGEST_LAYOUT
from anpr.reference_data.rare_layouts import RARE_LAYOUTS

# The symbols of a form, and the field of the country that holds their values.
SYMBOLS: Final = {"A": "alphabet", "S": "serial", "C": "codes"}

_COUNTRY = re.compile("[A-Z]{2}")
_PLATE_TEXT = re.compile("[A-Z0-9]+")
_LAYOUT = re.compile("[A9]{1,16}")
_LETTER = re.compile("[A-Z]")
# Groups of `marks.toml` that hold something else than characters as U+XXXX.
_NO_CHARACTER_RANGES = {"categories", "encodings", "traces", "pairs"}
_PER_MILLION = 1_000_000
_COUNTRY_RULE = "a country must have its two letters of ISO 3166"


class TableFault(NamedTuple):
    """A fault in a table: the field (with its country or section), the value, and the reason."""

    field: str
    value: Any
    reason: str


TableFaults = Iterator[TableFault]
Table = Mapping[str, Any]


def countries(table: Table) -> TableFaults:
    """Check `countries.toml`."""
    owners: dict[str, str] = {}
    for name, country in table.items():
        if not _COUNTRY.fullmatch(name):
            yield TableFault(f"[{name}]", name, _COUNTRY_RULE)
        if not isinstance(country, dict):
            yield TableFault(name, country, "it must be the table of a country")
            continue
        for fault in _country(country):
            yield TableFault(f"[{name}] {fault.field}", fault.value, fault.reason)
        for badge in _texts_of(country, "badges"):
            if owners.setdefault(badge, name) != name:
                yield TableFault(f"[{name}] badges", badge, f"it is already a badge of {owners[badge]}")
        for alias in _texts_of(country, "aliases"):
            if alias in table:
                yield TableFault(f"[{name}] aliases", alias, "it is a country of this table")


def _country(table: Table) -> TableFaults:
    optional = {"trailer", "longest", "aliases", "rare", "district_gap", *SYMBOLS.values()}
    yield from _only(table, {"badges", "forms"}, optional)
    yield from _texts(table, "badges", f"[A-Z]{{1,{LONGEST_BADGE}}}", f"1 to {LONGEST_BADGE} letters")
    yield from _texts(table, "aliases", "[A-Z]{2}", "two letters")
    yield from _texts(table, "rare", RARE_LAYOUTS.pattern, "letters A and digits 9, with ranges such as A{1,3}")
    yield from _texts(table, "codes", "[A-Z0-9]{1,4}", "1 to 4 letters and digits")
    for key in ("alphabet", "serial"):
        if key in table and not (isinstance(table[key], str) and re.fullmatch("[A-Z]*", table[key])):
            yield TableFault(key, table[key], "it must be a text of letters A to Z")
    longest = table.get("longest", LONGEST_LAYOUT)
    if not isinstance(longest, int) or isinstance(longest, bool) or not 1 <= longest <= LONGEST_LAYOUT:
        yield TableFault("longest", longest, f"it must be a whole number from 1 to {LONGEST_LAYOUT}")
    yield from _district_gap(table.get("district_gap"))
    for key in ("forms", "trailer"):
        if key in table and (not isinstance(table[key], list) or not table[key]):
            yield TableFault(key, table[key], "it must be a list of at least one form")
            continue
        for number, form in enumerate(table.get(key, ()), start=1):
            for fault in _form(form, table):
                yield TableFault(f"{key}, number {number}: {fault.field}", fault.value, fault.reason)


def _district_gap(gap: Any) -> TableFaults:
    if gap is None:
        return
    if not isinstance(gap, dict):
        yield TableFault("district_gap", gap, "it must be written `{ letters = ..., digits = ... }`")
        return
    for fault in _only(gap, {"letters", "digits"}, {"suffixes"}):
        yield TableFault(f"district_gap: {fault.field}", fault.value, fault.reason)
    letters, digits, suffixes = gap.get("letters", [[1, 1]]), gap.get("digits", [1, 1]), gap.get("suffixes", "A")
    if not isinstance(letters, list) or not letters or not all(map(_is_pair_of_counts, letters)):
        yield TableFault("district_gap: letters", letters, "it must be a list of pairs of whole numbers")
    if not _is_pair_of_counts(digits) or digits[0] > digits[1]:
        yield TableFault("district_gap: digits", digits, "it must be the fewest and the most digits")
    if not (isinstance(suffixes, str) and re.fullmatch("[A-Z]+", suffixes)):
        yield TableFault("district_gap: suffixes", suffixes, "it must be a text of letters A to Z")


def _is_pair_of_counts(pair: Any) -> bool:
    return (
        isinstance(pair, list)
        and len(pair) == 2
        and all(isinstance(count, int) and not isinstance(count, bool) and count >= 0 for count in pair)
    )


def _form(form: Any, table: Table) -> TableFaults:
    if not isinstance(form, dict):
        yield TableFault("form", form, "it must be written `{ form = ..., weight = ... }`")
        return
    yield from _only(form, {"form", "weight"}, set())
    text = form.get("form", "A")
    longest = min(_longest(table), LONGEST_LAYOUT)
    if not isinstance(text, str) or not _PLATE_TEXT.fullmatch(text) or len(text) > LONGEST_LAYOUT:
        yield TableFault("form", text, f"it must be 1 to {LONGEST_LAYOUT} capital letters and digits")
    elif missing := [name for symbol, name in SYMBOLS.items() if symbol in text and not table.get(name)]:
        yield TableFault("form", text, f"it needs `{missing[0]}`, which the country does not have")
    elif _shortest(text, table) > longest:
        yield TableFault("form", text, f"its plates have more than {longest} characters, the most that are allowed")
    if not _is_number(form.get("weight", 1), 0):
        yield TableFault("weight", form["weight"], "it must be a number above 0")


def _shortest(form: str, table: Table) -> int:
    """Return the fewest characters that a form gives: district codes have several lengths."""
    code = min(map(len, _texts_of(table, "codes")), default=1)
    return sum(code if symbol == "C" else 1 for symbol in form)


def _longest(table: Table) -> int:
    longest = table.get("longest", LONGEST_LAYOUT)
    return longest if isinstance(longest, int) else LONGEST_LAYOUT


def folds(table: Table) -> TableFaults:
    """Check `folds.toml`."""
    yield from _only(table, {"classes"}, set())
    yield from _texts(table, "classes", "[A-Z0-9]{2,}", "two or more capital letters and digits")
    class_of: dict[str, str] = {}
    for characters in _texts_of(table, "classes"):
        for character in characters:
            if character in class_of:
                yield TableFault("classes", characters, f"{character} is already in {class_of[character]!r}")
            class_of[character] = characters


def glyphs(table: Table) -> TableFaults:
    """Check `glyphs.toml`."""
    for script, characters in table.items():
        if not isinstance(characters, dict):
            yield TableFault(script, characters, "it must be a table of characters")
            continue
        for glyph, latin in characters.items():
            field = f"[{script}] {glyph}"
            if len(glyph) != 1 or glyph.isascii():
                yield TableFault(field, glyph, "it must be one character that is not ASCII")
            elif glyph.upper() != glyph:
                yield TableFault(field, glyph, "it must be upper case: text is put in upper case before the look-up")
            if not isinstance(latin, str) or not re.fullmatch("[A-Z0-9]{1,2}", latin):
                yield TableFault(field, latin, "it must be one or two capital letters and digits")


def marks(table: Table) -> TableFaults:
    """Check `marks.toml`."""
    yield from _only(table, {"separators", "invisible", "wildcards", "padding", "mojibake"}, set())
    for section, groups in table.items():
        if not isinstance(groups, dict):
            yield TableFault(section, groups, "it must be a table of groups of characters")
            continue
        for name, group in groups.items():
            if name not in _NO_CHARACTER_RANGES and _texts_of(groups, name) != group:
                yield TableFault(f"[{section}] {name}", group, "it must be a list of texts")
            for text in _texts_of(groups, name) if name not in _NO_CHARACTER_RANGES else ():
                if not CHARACTERS.fullmatch(text):
                    yield TableFault(f"[{section}] {name}", text, "it must be U+XXXX or U+XXXX-U+YYYY")


# Latin letters, or letters of one other alphabet.
_WORD: Final = r"[A-Z]{2,}|[^\W\d_\x00-\x7fa-z]{2,}"


def no_plate_words(table: Table) -> TableFaults:
    """Check `no_plate_words.toml`."""
    for name, language in table.items():
        if not isinstance(language, dict):
            yield TableFault(name, language, "it must be the table of a language")
            continue
        for key in ("words", "nouns"):
            for fault in _texts({key: language.get(key, [])}, key, _WORD, "two or more capital letters"):
                yield TableFault(f"[{name}] {fault.field}", fault.value, fault.reason)


def spreadsheet_words(table: Table) -> TableFaults:
    """Check `spreadsheet_words.toml`."""
    yield from _only(table, {"errors", "months"}, set())
    yield from _texts(table.get("errors", {}), "begin", "[#A-Z:]+", "the capital letters that an error begins with")
    for language in table.get("months", {}):
        yield from _texts(table["months"], language, "[A-Z]{3,}", "three or more capital letters")


def words_around(table: Table) -> TableFaults:
    """Check `words_around.toml`."""
    yield from _only(table, {"shares", "signs", "texts", "behind", "words"}, set())
    shares = table.get("shares", {})
    yield from _only(
        shares, {"letters_behind", "country_code", "right_band", "word", "two_lines", "read_twice"}, set()
    )
    for kind, share in shares.items():
        if not _is_number(share, 0, 1):
            yield TableFault(f"[shares] {kind}", share, "it must be a share above 0 and below 1")
    for sign, country in table.get("signs", {}).items():
        if not re.fullmatch(f"[A-Z]{{1,{LONGEST_BADGE}}}", sign) or not _COUNTRY.fullmatch(country):
            yield TableFault(f"[signs] {sign}", country, _COUNTRY_RULE)
    for name in table.get("texts", {}):
        yield from _texts(table["texts"], name, "[A-Z0-9]+", "capital letters and digits")
    for country, band in table.get("behind", {}).items():
        yield from _only(band, {"name", "parts"}, set())
        for part in {part for parts in band.get("parts", ()) for part in parts} - set(table.get("texts", {})):
            yield TableFault(f"[behind.{country}] parts", part, "it is no name of `texts`")
    for number, words in enumerate(table.get("words", ()), start=1):
        yield from _words(f"words, number {number}", words)


def _words(field: str, words: Table) -> TableFaults:
    yield from _only(words, {"name"}, {"of", "any"})
    lists = {**words.get("of", {}), "any": words.get("any", ["ANY"])}
    for key in lists:
        for fault in _texts(lists, key, "[A-Z]{2,14}", "2 to 14 capital letters"):
            yield TableFault(f"{field}: {fault.field}", fault.value, fault.reason)


def misreads(table: Table) -> TableFaults:
    """Check `misreads.toml`."""
    rates = {"insertion", "swap", "unreadable", "badge"}
    yield from _only(table, {"right_share", "alone_share", "deletion", "substitution", *rates}, set())
    for key in ("right_share", "alone_share"):
        if key in table and not _is_number(table[key], 0, 1):
            yield TableFault(key, table[key], "it must be a share above 0 and below 1")
    for key in sorted(rates & set(table)):
        if not _is_number(table[key], 0, _PER_MILLION):
            yield TableFault(key, table[key], "it must be a number of millionths, above 0")
    yield from _rates("deletion", table.get("deletion", {}), ALPHABET)
    substitution = table.get("substitution", {})
    if not isinstance(substitution, dict) or set(substitution) != set(ALPHABET):
        yield TableFault("substitution", sorted(substitution), "it must have a row for each of A to Z and 0 to 9")
        return
    for true, row in substitution.items():
        yield from _rates(f"[substitution] {true}", row, ALPHABET.replace(true, ""))


def _rates(field: str, row: Any, characters: str) -> TableFaults:
    if not isinstance(row, dict) or set(row) != set(characters):
        wrong_names = sorted(set(row) ^ set(characters)) if isinstance(row, dict) else row
        yield TableFault(
            field, wrong_names, "it must have a rate for each other letter and digit, and for nothing else"
        )
        return
    for character, rate in row.items():
        if not _is_number(rate, 0, _PER_MILLION):
            yield TableFault(f"{field}: {character}", rate, "it must be a number of millionths, above 0")
    are_numbers = all(_is_number(rate, 0, _PER_MILLION) for rate in row.values())
    if are_numbers and field != "deletion" and sum(row.values()) >= _PER_MILLION:
        yield TableFault(field, sum(row.values()), "a character cannot be misread more often than it occurs")


def confidence(table: Table) -> TableFaults:
    """Check `confidence.toml`."""
    keys = ("confidence", "log_ratio", "right_share", "misread_share")
    yield from _only(table, set(keys), set())
    for key in keys:
        numbers = table.get(key, [0])
        if not isinstance(numbers, list) or not all(_is_number(number) for number in numbers):
            yield TableFault(key, numbers, "it must be a list of numbers")
            return
        if len(numbers) != len(table.get("confidence", ())):
            yield TableFault(key, numbers, "it must have as many numbers as `confidence`")
    confidences: Sequence[float] = table.get("confidence", ())
    if list(confidences) != sorted(set(confidences)) or not all(0 <= number <= 1 for number in confidences):
        yield TableFault("confidence", confidences, "it must be numbers from 0 to 1, each above the one before it")
    for key in ("right_share", "misread_share"):
        if min(table.get(key, [0])) < 0 or not math.isclose(sum(table.get(key, [1])), 1, abs_tol=1e-6):
            yield TableFault(key, table[key], "the shares must add up to 1")


def traffic(table: Table) -> TableFaults:
    """Check `traffic.toml`."""
    yield from _only(table, {"share"}, set())
    shares = table.get("share", {"other": 1})
    if not isinstance(shares, dict) or "other" not in shares:
        yield TableFault("share", shares, "it must have the share of each country and of `other`")
        return
    for name, share in shares.items():
        if name != "other" and not _COUNTRY.fullmatch(name):
            yield TableFault(f"[share] {name}", name, _COUNTRY_RULE)
        if not _is_number(share, 0):
            yield TableFault(f"[share] {name}", share, "it must be a number above 0")


def plates_seen(table: Table) -> TableFaults:
    """Check `plates_seen.toml`."""
    for name, country in table.items():
        if not _COUNTRY.fullmatch(name) or not isinstance(country, dict):
            yield TableFault(f"[{name}]", country, f"{_COUNTRY_RULE}, and a table")
            continue
        for fault in _only(country, {"layouts", "letters"}, set()):
            yield TableFault(f"[{name}] {fault.field}", fault.value, fault.reason)
        layouts, letters = country.get("layouts", {"A": 1}), country.get("letters", {"A": 1})
        yield from _counts(f"[{name}] layouts", layouts, _LAYOUT, "A for a letter and 9 for a digit")
        yield from _counts(f"[{name}] letters", letters, _LETTER, "a capital letter")


def country_codes(table: Table) -> TableFaults:
    """Check `country_codes.toml`."""
    yield from _only(table, {"alpha_3", "signs", "us_states"}, set())
    yield from _texts(table, "us_states", "[A-Z]{2}", "two capital letters")
    for state in set(_texts_of(table, "us_states")) & set(map(str, table.get("alpha_3", {}).values())):
        yield TableFault("us_states", state, "it is the code of a country")
    for name, pattern in (("alpha_3", "[A-Z]{3}"), ("signs", "[A-Z]{1,3}")):
        codes = table.get(name, {})
        if not isinstance(codes, dict):
            yield TableFault(f"[{name}]", codes, "it must be a table of codes")
            continue
        for text, country in codes.items():
            if not re.fullmatch(pattern, text):
                yield TableFault(f"[{name}]", text, f"it must be {pattern[-2]} capital letters at most")
            if not isinstance(country, str) or not _COUNTRY.fullmatch(country):
                yield TableFault(f"[{name}] {text}", country, _COUNTRY_RULE)


def country_names(table: Table) -> TableFaults:
    """Check `country_names.toml`: no name may mean two countries."""
    known: dict[str, str] = {}
    for country in table:
        if not _COUNTRY.fullmatch(country):
            yield TableFault(country, table[country], _COUNTRY_RULE)
        yield from _texts(table, country, r"[^\W\d_].+[^\W\d_]", "a name that begins and ends with a letter")
        for name in _texts_of(table, country):
            if known.setdefault(name.casefold(), country) != country:
                yield TableFault(country, name, f"it is a name of {known[name.casefold()]} too")


def _counts(field: str, counts: Any, pattern: re.Pattern[str], rule: str) -> TableFaults:
    if not isinstance(counts, dict) or not counts:
        yield TableFault(field, counts, "it must be a table of counts")
        return
    for text, count in counts.items():
        if not pattern.fullmatch(text):
            yield TableFault(field, text, f"it must be {rule}")
        elif not _is_number(count, 0):
            yield TableFault(f"{field}: {text}", count, "it must be a number above 0")


def _only(table: Table, needed: set[str], optional: set[str]) -> TableFaults:
    for key in sorted(needed - set(table)):
        yield TableFault(key, None, "it is missing")
    for key in table:
        if key not in needed | optional:
            known_names = ", ".join(sorted(needed | optional))
            yield TableFault(key, table[key], f"this name is not known here; the names are {known_names}")


def _texts(table: Table, key: str, pattern: str, rule: str) -> TableFaults:
    texts = table.get(key, ())
    if key in table and (not isinstance(texts, list) or not texts):
        yield TableFault(key, texts, "it must be a list of at least one text")
        return
    for text in texts:
        if not isinstance(text, str) or not re.fullmatch(pattern, text):
            yield TableFault(key, text, f"it must be {rule}")


def _texts_of(table: Table, key: str) -> list[str]:
    texts = table.get(key, ())
    return [text for text in texts if isinstance(text, str)] if isinstance(texts, list) else []


def _is_number(value: Any, above: float = -math.inf, below: float = math.inf) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and above < value < below


CHECKS: Final[Mapping[str, Callable[[Table], TableFaults]]] = {
    check.__name__: check
    for check in (
        countries,
        country_codes,
        country_names,
        folds,
        glyphs,
        marks,
        no_plate_words,
        spreadsheet_words,
        words_around,
        misreads,
        confidence,
        traffic,
        plates_seen,
    )
}
