import re
import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from anpr.contracts import plates
from anpr.matching.encoding.plate_codes import encode_plates
from anpr.matching.index import Index
from tests.support.strategies import a_read, an_entry, every_character, generation

# Any text at all: control characters, emoji, and lone surrogates, as a broken decoder may produce them.
any_text = st.text(st.characters() | st.characters(categories=["Cs"]))
listed_plates = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=plates.MAX_CANONICAL_LENGTH)


@given(any_text)
def test_any_text_becomes_a_plate_of_plain_letters_and_digits(text: str) -> None:
    assert re.fullmatch("[A-Z0-9]*", plates.canonical(text))


@given(any_text)
def test_a_read_is_the_plain_plate_except_for_the_positions_that_cannot_be_read(text: str) -> None:
    assert plates.as_read(text).replace("?", "") == plates.canonical(text)
    assert ("?" in plates.as_read(text)) >= (plates.unknown_letters(text) != "")


def test_no_character_of_unicode_vanishes_within_a_plate_unless_the_table_says_that_it_separates() -> None:
    for character in every_character():
        kept = plates.as_read(f"AB1{character}2CD").removeprefix("AB1").removesuffix("2CD")
        if kept == "":
            assert separates(character), f"{character!r} is left out"
        assert (kept.count("?") > 0) == (plates.not_understood(character) != "" or character in "?*？＊﹖﹡︖")


def separates(character: str) -> bool:
    """Return whether a character shows nothing, or no more than a space, a dash or a dot."""
    if unicodedata.category(character) in {"Zs", "Zl", "Zp", "Pd", "Cf"} or character.isspace():
        return character not in "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2"
    name = unicodedata.name(character, "")
    words = (
        "DOT",
        "FULL STOP",
        "BULLET",
        "MINUS",
        "VARIATION SELECTOR",
        "CIRCLE",
        "HORIZONTAL",
        "PROLONGED",
        "HYPHENATION",
    )
    return any(word in name for word in words) or character in "\u034f\u0640\u02d1\u02bc\u119e\u318d\u0387·ᐧ"


@given(any_text, any_text)
def test_a_mark_that_is_not_understood_makes_another_plate_of_a_read_and_none_of_a_list(
    front: str, back: str
) -> None:
    for mark in "*%#[]\ufffd":
        marked = plates.as_read(f"1{front} {mark} {back}1")
        assert "?" in marked
        assert marked != plates.as_read(f"1{front}  {back}1")
        assert mark == "*" or mark in plates.not_understood(f"{front} {mark} {back}")


@given(st.lists(any_text, max_size=6))
def test_a_batch_is_encoded_as_each_text_is_read(texts: list[str]) -> None:
    codes = encode_plates(texts, [None] * len(texts))
    for row, text in enumerate(texts):
        read = plates.as_read(text)
        assert codes.text(row) == (read if len(read) <= plates.MAX_CANONICAL_LENGTH else "")


@given(st.lists(st.text(st.characters(codec="ascii"), max_size=12), max_size=6))
def test_a_batch_of_ascii_is_encoded_as_each_text_is_read(texts: list[str]) -> None:
    codes = encode_plates(texts, [None] * len(texts))
    assert [codes.text(row) for row in range(len(texts))] == [plates.as_read(text) for text in texts]


@given(any_text)
def test_a_canonical_plate_stays_as_it_is(text: str) -> None:
    plain = plates.canonical(text)
    assert plates.canonical(plain) == plain
    key = plates.equivalent(plain)
    assert plates.equivalent(key) == key
    assert plates.canonical(key) == key


@example("b\u0345")
@example("\u03b1\u0301\u0345")
@given(any_text)
def test_upper_and_lower_case_are_the_same_plate_in_every_alphabet(text: str) -> None:
    assert {plates.canonical(text.upper()), plates.canonical(text.lower())} == {plates.canonical(text)}


@given(any_text, any_text)
def test_a_plate_in_two_parts_is_the_parts_joined(front: str, back: str) -> None:
    assert plates.canonical(f"{front} {back}") == plates.canonical(front) + plates.canonical(back)


@given(listed_plates, st.data())
def test_spaces_dots_hyphens_and_case_never_change_a_match(plate: str, data: st.DataObject) -> None:
    def written_another_way() -> str:
        separators = st.text(" .-·\u00a0\u2013", max_size=2)
        return "".join(
            data.draw(separators) + data.draw(st.sampled_from((character, character.lower())))
            for character in (*plate, "")
        )

    listed, read = written_another_way(), written_another_way()
    index = Index.build([an_entry(plate=listed, tolerance="exact")], generation(1))
    [[match]] = index.match([a_read(plate=read)])
    assert match.tier == "exact"


@given(st.text(st.sampled_from("aB1?*-？ ß") | st.characters(), max_size=20))
def test_a_canonical_pattern_stays_as_it_is(text: str) -> None:
    pattern = plates.canonical_pattern(text)
    assert set(pattern) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789?*")
    assert plates.canonical_pattern(pattern) == pattern
    assert plates.is_pattern(pattern) == plates.is_pattern(text)
    assert "*?" not in pattern
    assert "**" not in pattern
    if not plates.is_pattern(text):
        assert pattern == plates.canonical(text)
