import pytest

from anpr.runtime.plurals import counted


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 entries"), (1, "1 entry"), (2, "2 entries"), (1234, "1,234 entries")]
)
def test_one_is_not_many(count: int, words: str) -> None:
    assert counted(count, "entry", "entries") == words


def test_most_nouns_need_only_an_s() -> None:
    assert (counted(1, "line"), counted(3, "line")) == ("1 line", "3 lines")
