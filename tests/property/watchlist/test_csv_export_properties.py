"""An exported list is read back as the same entries, and holds nothing that a spreadsheet would run."""

import csv
import io
from datetime import date, datetime
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
    "valid_from": st.sampled_from(
        ["", "2020-01-01", "0001-01-01", "0001-01-01T00:00+14:00", "2020-01-01T12:00:00.000001+02:00"]
    ),
    "valid_until": st.datetimes(datetime(2030, 1, 1)).map(lambda at: f"{at.isoformat()}Z")  # noqa: DTZ001
    | st.dates(date(2030, 1, 1)).map(date.isoformat)
    | st.just("9999-12-31T23:59:59-05:00"),
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


def test_a_day_is_written_as_a_day_and_a_time_as_a_time(file: Path) -> None:
    file.write_text("plate,valid_from,valid_until\nAB12 CDE,2029-12-31,2030-01-01\nB,,2030-01-01T12:00Z\n", "utf-8")
    out = io.StringIO(newline="")
    write_list(out, read_list(file, "stolen").entries)
    rows = csv.DictReader(io.StringIO(out.getvalue().removeprefix("\ufeff"), newline=""))
    written = [(row["valid_from"], row["valid_until"]) for row in rows]
    assert written == [("2029-12-31", "2030-01-01"), ("", "2030-01-01T12:00:00+00:00")]
