"""People write the tables of facts about plates: a fault is named by its field, and a new country needs no code."""

import json
import os
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from anpr.reference_data import tables

MONTENEGRO = """
[ME]
badges = ["MNE"]
alphabet = "ABCDEFGHIJKLMNOPRSTUVZ"
codes = ["BR", "PG", "NK"]
forms = [{ form = "CAA999", weight = 1 }]
"""


@pytest.mark.parametrize(
    ("table", "was", "fault", "named"),
    [
        ("countries", "CAA999", "CSA999", ("[ME] forms, number 1: form", "'CSA999'", "needs `serial`")),
        ("countries", "CAA999", "CAA-999", ("[ME] forms, number 1: form", "'CAA-999'", "capital letters")),
        ("countries", "CAA999", "CAA9999999999", ("[ME] forms, number 1: form", "capital letters")),
        ("countries", "CAA999", "CAA999999999", ("[ME] forms, number 1: form", "more than 12 characters")),
        ("countries", "weight = 1 }]\n#", "weight = 0 }]", ("[ME] forms, number 1: weight", ": 0:", "above 0")),
        ("countries", "weight = 1 }]\n#", "wait = 1 }]", ("[ME] forms, number 1: weight", "missing")),
        ("countries", '"MNE"', '"MNEG"', ("[ME] badges", "'MNEG'", "1 to 3 letters")),
        ("countries", '"MNE"', '"D"', ("[ME] badges", "'D'", "already a badge of DE")),
        ("countries", "[ME]", "[MNE]", ("[MNE]", "two letters of ISO 3166")),
        ("countries", "[ME]", "[FR]", ("FR",)),
        ("countries", "codes = ", "code = ", ("[ME] code", "not known here", "codes")),
        ("countries", '"PG"', "7", ("[ME] codes", ": 7:", "letters and digits")),
        ("countries", "alphabet = ", "longest = 4\nalphabet = ", ("[ME] forms, number 1", "4 characters")),
        ("countries", 'badges = ["MNE"]', "", ("[ME] badges", "missing")),
        ("countries", 'badges = ["MNE"]', 'badges = "MNE"', ("[ME] badges", "'MNE'", "a list")),
        ("countries", 'badges = ["MNE"]', 'badges = ["MNE"]\naliases = ["PL"]', ("[ME] aliases", "'PL'", "country")),
        ("countries", "alphabet = ", "district_gap = 2\nalphabet = ", ("[ME] district_gap", "2", "letters = ...")),
        (
            "countries",
            "alphabet = ",
            "district_gap = { letters = [[1]], digits = [1, 4] }\nalphabet = ",
            ("[ME] district_gap: letters", "[[1]]", "pairs"),
        ),
        (
            "countries",
            "alphabet = ",
            "district_gap = { letters = [[1, 2]], digits = [4, 1] }\nalphabet = ",
            ("[ME] district_gap: digits", "[4, 1]", "the fewest and the most"),
        ),
        ("folds", '"8B"', '"8B0"', ("classes", "'8B0'", "0 is already in '0OQD'")),
        ("folds", '"8B"', '"8b"', ("classes", "'8b'")),
        ("glyphs", '"В" = "B"', '"В" = "BBB"', ("[cyrillic] В", "'BBB'")),
        ("glyphs", '"В" = "B"', '"в" = "B"', ("[cyrillic] в", "upper case")),
        ("marks", '"U+2212"', '"U+212"', ("[separators] dashes", "'U+212'", "U+XXXX")),
        ("marks", '["U+005F", "U+FF3F"]', '"_"', ("[padding] low_line", "a list of texts")),
        ("misreads", "right_share = 0.908", "right_share = 1.2", ("right_share", "1.2", "share")),
        ("misreads", '"O" = 36260', '"O" = "many"', ("[substitution] 0: O", "'many'", "millionths")),
        ("misreads", '"O" = 36260, ', "", ("[substitution] 0", "['O']")),
        ("confidence", "0.80, 0.88", "0.88, 0.80", ("confidence", "each above the one before")),
        ("confidence", "[2.0, ", "[", ("log_ratio", "as many")),
        ("traffic", "GB = 0.46", "GB = -1", ("[share] GB", "-1")),
        ("traffic", "other = 0.002", "", ("share", "other")),
        ("plates_seen", '"9AAA999"', '"9BBB999"', ("[BE] layouts", "'9BBB999'")),
    ],
)
def test_a_fault_in_a_table_is_named_by_field_value_and_reason(
    table: str, was: str, fault: str, named: tuple[str, ...]
) -> None:
    shipped = resources.files("anpr.reference_data").joinpath(f"{table}.toml").read_text("utf-8")
    text = f"{shipped}{MONTENEGRO}#\n" if table == "countries" else shipped
    before, found, after = text.rpartition(was)
    assert found
    with pytest.raises(ValueError) as refused:
        tables.parse(table, before + fault + after)
    for part in named:
        assert part in str(refused.value)


@pytest.fixture(scope="module")
def other_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the package and one more country in its table."""
    folder = tmp_path_factory.mktemp("package")
    shutil.copytree(Path("src/anpr"), folder / "anpr", ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "anpr/reference_data/countries.toml").open("a", encoding="utf-8") as file:
        file.write(MONTENEGRO)
    return folder


def explain(folder: Path | str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "anpr", "explain", *arguments, "--json"]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_country_is_added_by_its_table_alone(other_tables: Path) -> None:
    with_prefix = ("MNE PG AB 123", "PGAB123")
    # The letters are known, the layout is not: that is a matter for review.
    assert json.loads(explain("src", *with_prefix).stdout)["tier"] == "near"
    with_country = json.loads(explain(other_tables, *with_prefix).stdout)
    assert (with_country["tier"], with_country["is_match"]) == ("folded", True)
    # The score counts the layouts of the country: a neighbour of the listed plate is a plate of its own.
    neighbour = ("PGAB128", "PGAB123", "--country", "ME")
    without, weighed = (json.loads(explain(tables_of, *neighbour).stdout) for tables_of in ("src", other_tables))
    assert weighed["score"] < without["score"]
    assert any("plates of ME" in note for note in weighed["notes"])


def test_a_fault_in_a_table_ends_a_command_with_a_message_that_names_the_file(
    other_tables: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "package"
    shutil.copytree(other_tables, folder)
    table = folder / "anpr/reference_data/countries.toml"
    before, _, after = table.read_text("utf-8").rpartition("CAA999")
    table.write_text(f"{before}CSA999{after}", encoding="utf-8")
    ended = explain(folder, "AB12CDE", "AB12CDE")
    assert ended.returncode == 2
    assert f"{table}: [ME] forms, number 1: form: 'CSA999': it needs `serial`" in ended.stderr
    assert "Traceback" not in ended.stderr
