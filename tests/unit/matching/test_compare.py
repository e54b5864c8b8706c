"""What `anpr explain` shows is what the index does."""

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from anpr.cli.explain import command
from anpr.matching.compare import compare
from anpr.matching.index import Index
from anpr.runtime.errors import InputError
from tests.support.strategies import a_read, an_entry, generation

plates = st.text("AB01O8?*", max_size=9)


def explained(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, list(arguments))
    return result.exit_code, result.output


@given(st.text("AB01O8", max_size=9), plates, st.none() | st.sampled_from((0.1, 0.9)))
def test_a_comparison_ends_as_a_list_of_this_entry_would(read: str, listed: str, confidence: float | None) -> None:
    of_read, entry = a_read(plate=read, confidence=confidence), an_entry(plate=listed, tolerance="near")
    comparison = compare(of_read, entry, 1)
    [matches] = Index.build([entry], generation(1)).match([of_read])
    assert comparison.is_match == bool(matches)
    for match in matches:
        assert (comparison.tier, comparison.score) == (match.tier, match.score)
        assert comparison.differences == match.explanation.differences
    assert (comparison.score is None) == (comparison.tier is None), "no score is made up of what is not alike"
    if comparison.score is not None and not comparison.is_match:
        assert comparison.score < comparison.least_score


@pytest.mark.parametrize(
    ("arguments", "code", "shown"),
    [
        (["AB1OCDE", "AB10CDE", "--country", "GB"], 0, ["one glyph on a UK plate", "match: equivalent", "^"]),
        (["AB12CDE", "AB12CDE"], 0, ["match: exact"]),
        (["8B12CDE", "BB12CDE"], 0, ["often confused: 8 and B", "match: folded"]),
        (
            ["AB12CD", "AB12CDE", "--entries", "10", "--confidence", "0"],
            0,
            ["listed E", "missing here", "match: near"],
        ),
        (["AB12CD", "AB12CDE", "--confidence", "1"], 1, ["no match: near, but the score"]),
        (["AB12CDE", "AB1*"], 0, ["fits the pattern AB1*", "match: pattern"]),
        (["AB12CDE", "AC1*"], 1, ["no match: they are alike in no tier"]),
        (["XX", "AB12CDE"], 1, ["no match: they are alike in no tier"]),
    ],
)
def test_the_verdict_comes_with_its_reasons(arguments: list[str], code: int, shown: list[str]) -> None:
    exit_code, output = explained(*arguments)
    assert exit_code == code, output
    for text in shown:
        assert text in output


@pytest.mark.parametrize(("read", "least"), [("AB12CDF", "0.005"), ("A812CDE", "0.1")])
def test_a_score_that_is_too_low_is_told_with_the_least_as_the_table_has_it(read: str, least: str) -> None:
    code, output = explained(read, "AB12CDE", "--country", "GB", "--entries", "2000000")
    assert code == 1, output
    assert output.endswith(f" in a list of 2,000,000 entries is below {least}\n")
    _, as_json = explained(read, "AB12CDE", "--country", "GB", "--entries", "2000000", "--json")
    assert f'"least_score":{least},"entries":2000000,' in as_json


@pytest.mark.parametrize(
    ("entries", "said"), [("1001", "of 1,001"), ("1000", "of up to 1,000"), ("7", "of up to 1,000")]
)
def test_a_score_is_told_with_how_long_the_list_is(entries: str, said: str) -> None:
    _, output = explained("AB12CDE", "AB12CDE", "--entries", entries)
    assert output.endswith(f" in a list {said} entries\n")


def test_a_read_that_may_be_a_plate_of_its_own_is_said_to_be_one() -> None:
    said = "as on plates of GB: this may be another vehicle's plate, read rightly"
    assert said in explained("AB12CDF", "AB12CDE", "--country", "GB")[1]
    assert said not in explained("AB12CD", "AB12CDE", "--country", "GB")[1]
    assert said not in explained("AB12CDE", "AB12CDE", "--country", "GB")[1]
    assert "another vehicle's" not in explained("AB12CDF", "AB12CDE")[1]


def test_a_letter_that_is_missing_leaves_a_gap_above_the_mark() -> None:
    _, output = explained("AB2CDE", "AB12CDE")
    assert output.splitlines()[:3] == ["read     A B · 2 C D E", "listed   A B 1 2 C D E", "             ^"]


def test_a_program_gets_one_object() -> None:
    code, output = explained("AB12CDE", "AB12CDE", "--json")
    assert code == 0
    assert output.count("\n") == 1
    assert '"tier":"exact"' in output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["AB12CDE", "*"], "LISTED '*': a pattern needs at least"),
        (["AB12CDE", "?????"], "LISTED '?????': a pattern needs at least"),
        (["AB12CDE", "ЖB12"], "no table knows a Latin letter for 'Ж'"),
        (["AB12CDE", "A" * 17], "1 to 16 letters and digits"),
        (["A" * 17, "AB12CDE"], "17 characters; a plate has at most 16"),
        (["-", "AB12CDE"], "it has no letter or digit"),
        (["AB12CDE", "AB12CDE", "--country", "gb"], "--country 'gb': two capital letters are wanted"),
        (["AB12CDE", "AB12CDE", "--listed-country", "GBR"], "GB was probably meant"),
    ],
)
def test_what_intake_or_list_refuses_is_refused_with_their_words(arguments: list[str], said: str) -> None:
    with pytest.raises(InputError) as refused:
        CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("option", "value"), [("--entries", "0"), ("--entries", "-5"), ("--confidence", "nan"), ("--confidence", "2")]
)
def test_a_number_out_of_its_range_is_refused(option: str, value: str) -> None:
    code, output = explained("AB12CDE", "AB12CDE", option, value)
    assert code == 2
    assert f"'{option}': {value}" in output


def test_plates_that_are_alike_are_not_said_to_be_compared_for_an_edit() -> None:
    _, output = explained("AB12CDE", "AB12CDE")
    [near] = [line for line in output.splitlines() if line.startswith("near")]
    assert "=" not in near
