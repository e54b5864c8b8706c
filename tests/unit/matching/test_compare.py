"""What `anpr explain` shows is what the index does."""

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from anpr.cli.explain import command
from anpr.matching.compare import compare
from anpr.matching.index import Index
from anpr.runtime.errors import InputError
from tests.support.evidence import probability_of
from tests.support.strategies import a_read, an_entry, generation

plates = st.text("AB01O8?*", max_size=9)


def explained(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, list(arguments))
    return result.exit_code, result.output


@given(st.text("AB01O8", max_size=9), plates, st.none() | st.sampled_from((0.1, 0.9)))
@example("0000", "0", None)  # so improbable that the exponential of its log-odds is no float
def test_a_comparison_gives_the_answer_of_a_list_with_this_entry_alone(
    read: str, listed: str, confidence: float | None
) -> None:
    observed, entry = a_read(plate=read, confidence=confidence), an_entry(plate=listed, tolerance="near")
    comparison = compare(observed, entry, 1)
    [matches] = Index.build([entry], generation(1)).match([observed])
    assert comparison.is_match == bool(matches)
    for match in matches:
        assert (comparison.tier, comparison.score) == (match.tier, match.score)
        assert comparison.differences == match.explanation.differences
    assert (comparison.score is None) == (comparison.tier is None), "a pair that is alike in no tier has no score"
    if comparison.score is not None and not comparison.is_match:
        assert comparison.score < comparison.least_score
    if comparison.score is not None and comparison.tier != "pattern":
        assert probability_of(comparison.evidence) == pytest.approx(comparison.score, abs=6e-5)
    else:
        assert comparison.evidence == ()


@pytest.mark.parametrize(
    ("arguments", "code", "shown"),
    [
        (
            ["AB1OCDE", "AB10CDE", "--country", "GB"],
            0,
            ["0 and O look the same on UK plates", "match: equivalent", "^"],
        ),
        (["AB12CDE", "AB12CDE"], 0, ["match: exact"]),
        (["8B12CDE", "BB12CDE"], 0, ["cameras often confuse 8 and B", "match: folded"]),
        (
            ["AB12CD", "AB12CDE", "--entries", "10", "--confidence", "0"],
            0,
            ["listed E", "the camera missed this letter", "match: near"],
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
def test_a_score_that_is_too_low_is_shown_with_the_least_score_of_its_tier(read: str, least: str) -> None:
    code, output = explained(read, "AB12CDE", "--country", "GB", "--entries", "2000000")
    assert code == 1, output
    assert output.endswith(f" in a list of 2,000,000 entries is below {least}\n")
    _, as_json = explained(read, "AB12CDE", "--country", "GB", "--entries", "2000000", "--json")
    assert f'"least_score":{least},"entries":2000000,' in as_json


@pytest.mark.parametrize(
    ("entries", "shown"), [("1001", "of 1,001"), ("1000", "of up to 1,000"), ("7", "of up to 1,000")]
)
def test_a_score_is_shown_with_the_length_of_the_list(entries: str, shown: str) -> None:
    _, output = explained("AB12CDE", "AB12CDE", "--entries", entries)
    assert output.endswith(f" in a list {shown} entries\n")


def test_a_read_that_may_be_another_vehicles_plate_has_a_note_that_says_so() -> None:
    note = "as on plates of GB: this may be another vehicle's plate, read correctly"
    assert note in explained("AB12CDF", "AB12CDE", "--country", "GB")[1]
    assert note not in explained("AB12CD", "AB12CDE", "--country", "GB")[1]
    assert note not in explained("AB12CDE", "AB12CDE", "--country", "GB")[1]
    assert "another vehicle's" not in explained("AB12CDF", "AB12CDE")[1]


def test_the_evidence_is_shown_as_a_table_with_a_running_total() -> None:
    _, output = explained("AB12CDF", "AB12CDE", "--country", "GB", "--confidence", "0.7", "--entries", "10000")
    table = output[output.index("evidence") :].split("\n\n")[0].splitlines()
    names, parts, totals = zip(*((line[:14].strip(), *line[14:].split()) for line in table[1:]), strict=True)
    assert names == ("prior", "misread", "background", "confidence", "near")
    assert table[0].split() == ["evidence", "log-odds", "total"]
    assert float(totals[-1]) == pytest.approx(sum(map(float, parts)), abs=0.03)


def test_a_read_with_a_country_prefix_that_is_too_improbable_is_shown_as_it_stands() -> None:
    """At a million entries DAB1234 is near AB1234 by one extra letter; the prefix is not the surer explanation."""
    for read, listed in (("GBAB12CDE", "AB12CDE"), ("DAB1234", "AB1234")):
        observed, entry = a_read(plate=read, country="DE"), an_entry(plate=listed, tolerance="near")
        comparison = compare(observed, entry, 1_000_000)
        assert comparison.score is not None
        assert probability_of(comparison.evidence) == pytest.approx(comparison.score, abs=6e-5)


def test_a_missing_letter_leaves_a_gap_above_the_mark() -> None:
    _, output = explained("AB2CDE", "AB12CDE")
    assert output.splitlines()[:3] == ["read     A B · 2 C D E", "listed   A B 1 2 C D E", "             ^"]


def test_with_json_a_program_gets_one_object() -> None:
    code, output = explained("AB12CDE", "AB12CDE", "--json")
    assert code == 0
    assert output.count("\n") == 1
    assert '"tier":"exact"' in output


@pytest.mark.parametrize("listed", ["GB AB12 CDE", "AB12 CDE (GB)", "'AB12CDE", "AB12 CDE United Kingdom"])
def test_the_listed_plate_is_the_one_that_a_list_takes_from_the_cell(listed: str) -> None:
    result = CliRunner().invoke(command, ["AB12CDE", listed])
    assert result.exit_code == 0
    assert "match: exact" in result.stdout
    assert "a list counts it among the cells that held more than a plate" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["AB12CDE", "*"], "LISTED '*': a pattern needs at least"),
        (["AB12CDE", "?????"], "LISTED '?????': a pattern needs at least"),
        (["AB12CDE", "ЖB12"], "no Latin letter is known for 'Ж'"),
        (["AB12CDE", "A" * 17], "1 to 16 letters and digits"),
        (["A" * 17, "AB12CDE"], "17 characters; a plate has at most 16"),
        (["-", "AB12CDE"], "it has no letter or digit"),
        (["AB12CDE", "AB12CDE", "--country", "ZZ"], "--country 'ZZ': must be the code of a country"),
        (["AB12CDE", "AB12CDE", "--listed-country", "Atlantis"], "must be the code of a country"),
    ],
)
def test_a_text_that_the_decoder_or_the_list_refuses_is_refused_with_their_reason(
    arguments: list[str], reason: str
) -> None:
    with pytest.raises(InputError) as refused:
        CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("option", "value"), [("--entries", "0"), ("--entries", "-5"), ("--confidence", "nan"), ("--confidence", "2")]
)
def test_a_number_out_of_its_range_is_refused(option: str, value: str) -> None:
    code, output = explained("AB12CDE", "AB12CDE", option, value)
    assert code == 2
    assert f"'{option}': {value}" in output


def test_no_edit_is_shown_between_plates_that_fold_alike() -> None:
    _, output = explained("AB12CDE", "AB12CDE")
    [near] = [line for line in output.splitlines() if line.startswith("near")]
    assert "=" not in near
