"""What each reference table must hold. A fault in one is named by place, value and reason, never by a traceback.

A check yields slips in the order of the file; whoever loads a table says the first.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

CHARACTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LONGEST_BADGE: Final = 3
# As `anpr.matching.scoring.background_model` counts layouts.
LONGEST_FORM: Final = 12
# What the symbols of a form stand for.
SYMBOLS: Final = {"A": "alphabet", "S": "serial", "C": "codes"}

_COUNTRY = re.compile("[A-Z]{2}")
_PLATE_TEXT = re.compile("[A-Z0-9]+")
_LAYOUT = re.compile("[A9]{1,16}")
_LETTER = re.compile("[A-Z]")
_PER = 1_000_000


class TableFault(NamedTuple):
    """What is wrong in a table: where (a country, a section, and the field in it), the value, and why."""

    field: str
    value: Any
    reason: str


TableFaults = Iterator[TableFault]
Table = Mapping[str, Any]


def countries(table: Table) -> TableFaults:
    """Check `countries.toml`."""
    owners: dict[str, str] = {}
    for name, of_country in table.items():
        if not _COUNTRY.fullmatch(name):
            yield TableFault(f"[{name}]", name, "a country is named by its two letters of ISO 3166")
        if not isinstance(of_country, dict):
            yield TableFault(name, of_country, "a table of a country is wanted")
            continue
        for slip in _country(of_country):
            yield TableFault(f"[{name}] {slip.field}", slip.value, slip.reason)
        for badge in _listed(of_country, "badges"):
            if owners.setdefault(badge, name) != name:
                yield TableFault(f"[{name}] badges", badge, f"it is a badge of {owners[badge]} already")
        for alias in _listed(of_country, "aliases"):
            if alias in table:
                yield TableFault(f"[{name}] aliases", alias, "it is a country of this table itself")


def _country(table: Table) -> TableFaults:
    yield from _only(table, {"badges", "forms"}, {"trailer", "longest", "aliases", *SYMBOLS.values()})
    yield from _texts(table, "badges", f"[A-Z]{{1,{LONGEST_BADGE}}}", f"1 to {LONGEST_BADGE} letters")
    yield from _texts(table, "aliases", "[A-Z]{2}", "two letters")
    yield from _texts(table, "codes", "[A-Z0-9]{1,4}", "1 to 4 letters and digits")
    for key in ("alphabet", "serial"):
        if key in table and not (isinstance(table[key], str) and re.fullmatch("[A-Z]*", table[key])):
            yield TableFault(key, table[key], "a text of letters A to Z is wanted")
    longest = table.get("longest", LONGEST_FORM)
    if not isinstance(longest, int) or isinstance(longest, bool) or not 1 <= longest <= LONGEST_FORM:
        yield TableFault("longest", longest, f"a whole number from 1 to {LONGEST_FORM} is wanted")
    for key in ("forms", "trailer"):
        if key in table and (not isinstance(table[key], list) or not table[key]):
            yield TableFault(key, table[key], "a list of at least one form is wanted")
            continue
        for place, form in enumerate(table.get(key, ()), start=1):
            for slip in _form(form, table):
                yield TableFault(f"{key}, number {place}: {slip.field}", slip.value, slip.reason)


def _form(form: Any, table: Table) -> TableFaults:
    if not isinstance(form, dict):
        yield TableFault("form", form, "`{ form = ..., weight = ... }` is wanted")
        return
    yield from _only(form, {"form", "weight"}, set())
    text = form.get("form", "A")
    if not isinstance(text, str) or not _PLATE_TEXT.fullmatch(text) or len(text) > LONGEST_FORM:
        yield TableFault("form", text, f"1 to {LONGEST_FORM} capital letters and digits are wanted")
    elif missing := [name for symbol, name in SYMBOLS.items() if symbol in text and not table.get(name)]:
        yield TableFault("form", text, f"it needs `{missing[0]}`, which the country does not have")
    elif _shortest(text, table) > min(_longest(table), LONGEST_FORM):
        yield TableFault(
            "form", text, f"its plates have more than the {min(_longest(table), LONGEST_FORM)} characters that can be"
        )
    if not _is_number(form.get("weight", 1), 0):
        yield TableFault("weight", form["weight"], "a number above 0 is wanted")


def _shortest(form: str, table: Table) -> int:
    """Return the fewest characters that a form gives: codes are of several lengths."""
    code = min(map(len, _listed(table, "codes")), default=1)
    return sum(code if symbol == "C" else 1 for symbol in form)


def _longest(table: Table) -> int:
    longest = table.get("longest", LONGEST_FORM)
    return longest if isinstance(longest, int) else LONGEST_FORM


def folds(table: Table) -> TableFaults:
    """Check `folds.toml`."""
    yield from _only(table, {"classes"}, set())
    yield from _texts(table, "classes", "[A-Z0-9]{2,}", "two capital letters and digits or more")
    seen: dict[str, str] = {}
    for of_class in _listed(table, "classes"):
        for character in of_class:
            if character in seen:
                yield TableFault("classes", of_class, f"{character} is in {seen[character]!r} already")
            seen[character] = of_class


def glyphs(table: Table) -> TableFaults:
    """Check `glyphs.toml`."""
    for script, of_script in table.items():
        if not isinstance(of_script, dict):
            yield TableFault(script, of_script, "a table of characters is wanted")
            continue
        for glyph, latin in of_script.items():
            if len(glyph) != 1 or glyph.isascii():
                yield TableFault(f"[{script}] {glyph}", glyph, "one character is wanted that is not ASCII")
            elif glyph.upper() != glyph:
                yield TableFault(
                    f"[{script}] {glyph}", glyph, "upper case is wanted: text is put so before it is looked up"
                )
            if not isinstance(latin, str) or not re.fullmatch("[A-Z0-9]{0,2}", latin):
                yield TableFault(f"[{script}] {glyph}", latin, "up to two capital letters and digits are wanted")


def misreads(table: Table) -> TableFaults:
    """Check `misreads.toml`."""
    rates = {"insertion", "swap", "unreadable", "badge"}
    yield from _only(table, {"right_share", "alone_share", "deletion", "substitution", *rates}, set())
    for key in ("right_share", "alone_share"):
        if key in table and not _is_number(table[key], 0, 1):
            yield TableFault(key, table[key], "a share above 0 and below 1 is wanted")
    for key in sorted(rates & set(table)):
        if not _is_number(table[key], 0, _PER):
            yield TableFault(key, table[key], "millionths are wanted, above 0")
    yield from _rates("deletion", table.get("deletion", {}), CHARACTERS)
    substitution = table.get("substitution", {})
    if not isinstance(substitution, dict) or set(substitution) != set(CHARACTERS):
        yield TableFault("substitution", sorted(substitution), "a row for each of A to Z and 0 to 9 is wanted")
        return
    for true, row in substitution.items():
        yield from _rates(f"[substitution] {true}", row, CHARACTERS.replace(true, ""))


def _rates(field: str, row: Any, of: str) -> TableFaults:
    if not isinstance(row, dict) or set(row) != set(of):
        other = sorted(set(row) ^ set(of)) if isinstance(row, dict) else row
        yield TableFault(field, other, "a rate is wanted for each other letter and digit, and for nothing else")
        return
    for character, rate in row.items():
        if not _is_number(rate, 0, _PER):
            yield TableFault(f"{field}: {character}", rate, "millionths are wanted, above 0")
    if all(_is_number(rate, 0, _PER) for rate in row.values()) and field != "deletion" and sum(row.values()) >= _PER:
        yield TableFault(field, sum(row.values()), "a character cannot be misread more often than it is there")


def confidence(table: Table) -> TableFaults:
    """Check `confidence.toml`."""
    keys = ("confidence", "log_ratio", "right_share", "misread_share")
    yield from _only(table, set(keys), set())
    for key in keys:
        numbers = table.get(key, [0])
        if not isinstance(numbers, list) or not all(_is_number(number) for number in numbers):
            yield TableFault(key, numbers, "a list of numbers is wanted")
            return
        if len(numbers) != len(table.get("confidence", ())):
            yield TableFault(key, numbers, "as many numbers as there are confidences are wanted")
    told: Sequence[float] = table.get("confidence", ())
    if list(told) != sorted(set(told)) or not all(0 <= number <= 1 for number in told):
        yield TableFault("confidence", told, "numbers from 0 to 1 are wanted, each above the one before it")
    for key in ("right_share", "misread_share"):
        if min(table.get(key, [0])) < 0 or not math.isclose(sum(table.get(key, [1])), 1, abs_tol=1e-6):
            yield TableFault(key, table[key], "shares are wanted that are together 1")


def traffic(table: Table) -> TableFaults:
    """Check `traffic.toml`."""
    yield from _only(table, {"share"}, set())
    share = table.get("share", {"other": 1})
    if not isinstance(share, dict) or "other" not in share:
        yield TableFault("share", share, "the share of each country and of `other` is wanted")
        return
    for name, value in share.items():
        if name != "other" and not _COUNTRY.fullmatch(name):
            yield TableFault(f"[share] {name}", name, "a country is named by its two letters of ISO 3166")
        if not _is_number(value, 0):
            yield TableFault(f"[share] {name}", value, "a number above 0 is wanted")


def plates_seen(table: Table) -> TableFaults:
    """Check `plates_seen.toml`."""
    for name, of_country in table.items():
        if not _COUNTRY.fullmatch(name) or not isinstance(of_country, dict):
            yield TableFault(
                f"[{name}]", of_country, "a country's table is wanted, named by its two letters of ISO 3166"
            )
            continue
        for slip in _only(of_country, {"layouts", "letters"}, set()):
            yield TableFault(f"[{name}] {slip.field}", slip.value, slip.reason)
        yield from _counts(
            f"[{name}] layouts", of_country.get("layouts", {"A": 1}), _LAYOUT, "A for a letter, 9 for a digit"
        )
        yield from _counts(f"[{name}] letters", of_country.get("letters", {"A": 1}), _LETTER, "a capital letter")


def _counts(field: str, counts: Any, pattern: re.Pattern[str], wanted: str) -> TableFaults:
    if not isinstance(counts, dict) or not counts:
        yield TableFault(field, counts, "counts are wanted")
        return
    for text, count in counts.items():
        if not pattern.fullmatch(text):
            yield TableFault(field, text, f"wanted is {wanted}")
        elif not _is_number(count, 0):
            yield TableFault(f"{field}: {text}", count, "a number above 0 is wanted")


def _only(table: Table, needed: set[str], possible: set[str]) -> TableFaults:
    for key in sorted(needed - set(table)):
        yield TableFault(key, None, "it is missing")
    for key in table:
        if key not in needed | possible:
            yield TableFault(key, table[key], f"unknown here; there are {', '.join(sorted(needed | possible))}")


def _texts(table: Table, key: str, pattern: str, wanted: str) -> TableFaults:
    texts = table.get(key, ())
    if key in table and (not isinstance(texts, list) or not texts):
        yield TableFault(key, texts, "a list of at least one text is wanted")
        return
    for text in texts:
        if not isinstance(text, str) or not re.fullmatch(pattern, text):
            yield TableFault(key, text, f"{wanted} are wanted")


def _listed(table: Table, key: str) -> list[str]:
    texts = table.get(key, ())
    return [text for text in texts if isinstance(text, str)] if isinstance(texts, list) else []


def _is_number(value: Any, above: float = -math.inf, below: float = math.inf) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and above < value < below


CHECKS: Final[Mapping[str, Callable[[Table], TableFaults]]] = {
    of.__name__: of for of in (countries, folds, glyphs, misreads, confidence, traffic, plates_seen)
}
