"""An exported list is read back as the same entries, and holds nothing that a spreadsheet would run."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anpr.watchlist.csv_cells import COLUMNS
from anpr.watchlist.csv_export import write_list
from anpr.watchlist.csv_file import read_list

texts = st.text(
    st.characters(codec="utf-8", exclude_characters="\0") | st.sampled_from("=+-@'\"\t\r\n|,＝"), max_size=12
)
BY_COLUMN = {
    "plate": st.sampled_from(["AB12 CDE", "mü-12", "AB1?", "*b12*", "=A1B2", "'+A123"]),
    "country": st.sampled_from(["", "GB", "FR"]),
    "tolerance": st.sampled_from(["", "exact", "near"]),
    "handling": st.sampled_from(["", "open", "covert"]),
    "priority": st.sampled_from(["", "1", "5"]),
    "valid_from": st.sampled_from(["", "2020-01-01", "2020-01-01T12:00:00.000001+02:00"]),
    "valid_until": st.datetimes(datetime(2030, 1, 1), datetime(9000, 1, 1)).map(lambda at: f"{at.isoformat()}Z"),  # noqa: DTZ001
    "directions": st.sampled_from(["", "uk_bound", "uk_bound|fr_bound"]),
    "sites": st.lists(texts, max_size=2).map("|".join),
    "warnings": st.lists(texts, max_size=3).map("|".join),
}
rows = st.tuples(*(BY_COLUMN.get(column, texts) for column in COLUMNS))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lists") / "list.csv"


@given(st.lists(rows, max_size=6))
def test_an_exported_list_is_read_back_as_the_same_entries(file: Path, lines: list[tuple[str, ...]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([COLUMNS, *lines])
    entries = read_list(file, "stolen").entries
    with file.open("w", encoding="utf-8", newline="") as opened:
        write_list(opened, entries)
    again = read_list(file, "stolen")
    assert not again.faults
    assert again.entries == entries


@given(st.lists(rows, max_size=6))
def test_no_cell_is_a_formula(file: Path, lines: list[tuple[str, ...]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([COLUMNS, *lines])
    out = io.StringIO(newline="")
    write_list(out, read_list(file, "stolen").entries)
    for row in csv.reader(io.StringIO(out.getvalue().removeprefix("\ufeff"), newline="")):
        assert not [cell for cell in row if cell[:1] in {"=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"}]


def test_the_end_of_a_validity_is_kept_as_a_time(file: Path) -> None:
    file.write_text("plate,valid_until\nAB12 CDE,2030-01-01\n", "utf-8")
    [entry] = read_list(file, "stolen").entries
    assert entry.valid_until == datetime(2030, 1, 2, tzinfo=UTC)
