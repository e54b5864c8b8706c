import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anpr.contracts import plates
from anpr.runtime.errors import InputError
from anpr.watchlist.csv_file import COLUMNS, ENCODINGS, ListFile, read_list
from anpr.watchlist.list_context import ListContext
from anpr.watchlist.list_format import ListFormat

# Some columns are drawn with cells that fit them, so that lines get as far as each check.
FITTING = {
    "plate": ["AB12 CDE", "ab12cde", "YO10 OIL", "AB?", "AB1?", "*b12*", "=A1", "ß-1"],
    "valid_until": ["2030-01-01", "2030-01-01T12:00Z", "2030-01-01T12:00", "9999-12-31"],
    "valid_from": ["2026-01-01", "2035-01-01", "0001-01-01T00:00+05:00"],
    "priority": ["1", "6", "9" * 5000],
    "country": ["GB", "gb"],
    "tolerance": ["exact", "loose"],
    "directions": ["uk_bound|fr_bound", "|"],
}
headers = st.lists(st.sampled_from(COLUMNS[2:]), unique=True, max_size=5).flatmap(
    lambda others: st.permutations(["plate", "valid_until", *(name for name in others if name != "valid_until")])
)


def cells(column: str) -> st.SearchStrategy[str]:
    return st.sampled_from(["", *FITTING.get(column, ())]) | st.text(max_size=20)


def rows(header: list[str]) -> st.SearchStrategy[list[str]]:
    whole = st.tuples(*map(cells, header)).map(list)
    return whole | st.lists(st.text(max_size=10), min_size=1, max_size=len(header) + 2)


tables = headers.flatmap(lambda header: st.tuples(st.just(header), st.lists(rows(header), max_size=8)))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lists") / "list.csv"


def read(file: Path, content: bytes, encoding: str = "utf-8") -> ListFile | None:
    """Return what the file holds, None when it is refused as a whole. Any other error is raised."""
    file.write_bytes(content)
    try:
        return read_list(file, "stolen", ListFormat(encoding))
    except InputError:
        return None


@given(st.binary(max_size=200), st.sampled_from(ENCODINGS))
def test_any_bytes_are_a_list_or_an_input_error(file: Path, content: bytes, encoding: str) -> None:
    read(file, content, encoding)


@given(st.text(st.characters(codec="utf-8") | st.sampled_from(',"\n\r\0|'), max_size=200))
@example("AB1,2030-01-01," + "9" * 5000)
@example("AB1,2030-01-01," + "x" * 200_000)
def test_any_text_below_a_header_is_a_list_or_an_input_error(file: Path, text: str) -> None:
    read(file, f"plate,valid_until,priority\n{text}".encode())


ends = st.sampled_from(["2020-01-01", "2021-01-01", "2030-01-01", "2031-01-01"])


@given(st.lists(st.tuples(st.sampled_from(["AB1 CDE", "ab1cde", "AB2 CDE"]), ends), max_size=8))
def test_a_plate_with_a_line_that_has_not_ended_is_always_applied(file: Path, lines: list[tuple[str, str]]) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    file.write_text("plate,valid_until\n" + "".join(f"{plate},{end}\n" for plate, end in lines), "utf-8")
    content = read_list(file, "stolen", context=ListContext({}, now))
    applied = {plates.canonical(entry.plate) for entry in content.entries if entry.valid_until > now}
    assert applied == {plates.canonical(plate) for plate, end in lines if end > "2026"}
    assert len(content.entries) + content.refused + content.duplicates + content.superseded == len(lines)


@given(
    st.permutations(["plate", "valid_until", "reason", "", ""]), st.sampled_from([str.upper, str.title, str.lower])
)
def test_the_case_of_the_header_and_columns_without_a_name_change_nothing(
    file: Path, columns: list[str], case: Callable[[str], str]
) -> None:
    cells = {"plate": "AB12 CDE", "valid_until": "2030-01-01", "reason": "x", "": ""}
    lines = [map(case, columns), (cells[column] for column in columns), ("" for _ in columns)]
    content = read(file, "\n".join(",".join(line) for line in lines).encode())
    plain = read(file, b"plate,valid_until,reason\nAB12 CDE,2030-01-01,x\n")
    assert content is not None
    assert plain is not None
    assert (content.entries, content.refused) == (plain.entries, 0)


@given(tables)
def test_every_line_is_an_entry_or_is_refused(file: Path, table: tuple[list[str], list[list[str]]]) -> None:
    header, lines = table
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([header, *lines])
    content = read_list(file, "stolen")
    lines = [line for line in lines if any(map(str.strip, line))]
    assert len(content.entries) + content.refused + content.duplicates == len(lines)
    assert len({entry.entry_id for entry in content.entries}) == len(content.entries)
    for entry in content.entries:
        assert 1 <= len(plates.canonical(entry.plate)) <= plates.MAX_CANONICAL_LENGTH
        assert entry.valid_from is None or entry.valid_from < entry.valid_until
