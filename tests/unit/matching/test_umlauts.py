"""An umlaut that one side writes out is the same letter: MUE and MÜ meet, MUE and MU do not."""

import pytest
from click.testing import CliRunner

from anpr.cli.explain import command
from anpr.matching.index import Index
from anpr.matching.umlauts import written_otherwise
from tests.support.strategies import a_read, an_entry, generation


def match(read: str, listed: str, tolerance: str = "tolerant") -> tuple[str, list[str]] | None:
    """Return the tier and why each letter differs, None for no match."""
    index = Index.build([an_entry(plate=listed, tolerance=tolerance, country="DE")], generation(1))
    [matches] = index.match([a_read(plate=read, country="DE")])
    return (matches[0].tier, [d.why for d in matches[0].explanation.differences]) if matches else None


@pytest.mark.parametrize(
    ("read", "listed"),
    [
        ("MUEAB123", "MÜ-AB 123"),
        ("mue-ab 123", "MÜ-AB 123"),
        ("MÜAB123", "MUE-AB 123"),
        ("MU\u0308 AB 123", "MUEAB123"),
        ("LOEAE12", "LÖ-AE 12"),
        ("LOEAE12", "LÖ-Ä 12"),
        ("KAEX99", "KÄ-X 99"),
        ("MUEAB1Z3", "MÜ-AB 123"),
        ("D MUE AB 123", "MÜ-AB 123"),
        ("DLOEAE12", "LÖ-AE 12"),
        ("D MÜ AB 123", "MUE-AB 123"),
    ],
)
def test_an_umlaut_meets_its_writing_in_two_letters_and_the_explanation_says_so(read: str, listed: str) -> None:
    found = match(read, listed)
    assert found is not None
    tier, why = found
    assert tier == "folded"
    assert any("an umlaut" in reason for reason in why)
    assert not any("extra" in reason or "missed" in reason for reason in why)


@pytest.mark.parametrize(
    ("read", "listed"),
    [
        ("MUEAB123", "MU-AB 123"),
        ("MUAB123", "MUE-AB 123"),
        ("MUEAB123", "M-ÜAB 1234"),
        ("MUEAB123", "MÖ-AB 123"),
        ("MUEEAB123", "MÜ-AB 123"),
    ],
)
def test_without_the_umlaut_they_are_two_plates(read: str, listed: str) -> None:
    assert match(read, listed) is None


def test_a_listed_plate_that_must_be_read_exactly_meets_no_other_writing() -> None:
    assert match("MUEAB123", "MÜ-AB 123", "exact") is None
    assert match("MUEAB123", "MÜ-AB 123", "near") is not None


def test_the_text_as_it_stands_is_surer() -> None:
    assert match("MÜAB123", "MÜ-AB 123") == ("exact", [])
    assert match("MUEAB123", "MUE-AB 123") == ("exact", [])


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("AB12CDE", []),
        ("MUE12", ["MU12"]),
        ("MÜ12", ["MUE12"]),
        ("UEAE1", ["UEA1", "UAE1", "UA1"]),
        ("B ABER 1", []),
        ("Ж12", []),
    ],
)
def test_few_texts_can_be_written_otherwise(text: str, others: list[str]) -> None:
    assert list(written_otherwise(text)) == others


def test_explain_shows_the_same_with_the_evidence_of_its_score() -> None:
    result = CliRunner().invoke(command, ["MUEAB123", "MÜ-AB 123", "--country", "DE", "--listed-country", "DE"])
    assert result.exit_code == 0
    assert "an umlaut, which the other text writes out" in result.output
    assert "match: folded" in result.output
    assert "folded      yes" in result.output
    assert "MUEAB123 / MUAB123" in result.output, "a rule that does not hold shows two texts that differ"
