import re

from hypothesis import given
from hypothesis import strategies as st

from anpr.contracts.no_plate import says_no_plate
from anpr.reference_data import tables

LANGUAGES = tables.load("no_plate_words").values()
NOUNS = {noun for language in LANGUAGES for noun in language["nouns"]}
WORDS = {word for language in LANGUAGES for word in language["words"]}
# A word of two Latin letters counts only alone or beside a noun of its language.
PHRASES = {word for word in WORDS if len(word) > 2 or not word.isascii()}
for language in LANGUAGES:
    for short in (word for word in language["words"] if len(word) == 2 and word.isascii()):
        PHRASES |= {short + noun for noun in language["nouns"]} | {noun + short for noun in language["nouns"]}
ANY = "|".join(sorted(PHRASES | NOUNS))
SAYS_NO_PLATE = re.compile(f"(?:{ANY})*(?:{'|'.join(sorted(PHRASES))})(?:{ANY})*")

pieces = st.sampled_from(sorted(WORDS | NOUNS)) | st.text("ABENOT", max_size=2)


@given(st.lists(pieces, max_size=4).map("".join))
def test_a_text_says_no_plate_if_words_and_nouns_make_it_whole(text: str) -> None:
    assert says_no_plate(text) == (text in WORDS or SAYS_NO_PLATE.fullmatch(text) is not None)


@given(
    st.lists(pieces, max_size=3).map("".join),
    st.lists(pieces, max_size=3).map("".join),
    st.sampled_from("0123456789"),
)
def test_a_text_with_a_digit_never_does(before: str, behind: str, digit: str) -> None:
    assert not says_no_plate(before + digit + behind)
