from hypothesis import given
from hypothesis import strategies as st

from anpr.contracts.word_search import WordSearch

texts = st.text("AB?é", max_size=12)
words = st.text("AB?é", min_size=1, max_size=4)


@given(st.sets(words, max_size=20), texts)
def test_every_occurrence_of_every_word_is_found_once_with_its_value(words: set[str], text: str) -> None:
    search = WordSearch({word: f"value of {word}" for word in words})
    expected = [
        (last, f"value of {word}") for last in range(len(text)) for word in words if text[: last + 1].endswith(word)
    ]
    assert sorted(search.find(text)) == sorted(expected)
    assert len(search) == len(words)
