import hashlib
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from anpr.contracts.events import NO_GENERATION, Entry, Vehicle
from anpr.runtime.errors import InputError
from anpr.runtime.settings import Camera, Site
from anpr.watchlist.csv_file import COLUMNS, MAX_FAULTS_KEPT, LineFault, ListFile, read_cells, read_list
from anpr.watchlist.list_context import ListContext
from anpr.watchlist.list_format import ListFormat

SHIPPED = Path(__file__).parents[3] / "config" / "example_watchlist.csv"
REQUIRED = "plate,valid_until"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "list.csv"


def read(file: Path, *lines: str) -> ListFile:
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return read_list(file, "stolen")


def entry_with(file: Path, column: str, cell: str) -> Entry:
    """Return the entry of a line with this cell besides what must be given."""
    [entry] = read(file, f"{REQUIRED},{column}", f"AB12 CDE,2030-01-01,{cell}").entries
    return entry


def refused_with(file: Path, column: str, cell: str) -> LineFault:
    """Return the fault of a line with this cell besides what must be given."""
    given = {"plate": "AB12 CDE", "valid_until": "2030-01-01"} | {column: cell}
    content = read(file, ",".join(given), ",".join(given.values()))
    assert not content.entries
    [fault] = content.faults
    return fault


def refused_file(file: Path, content: bytes) -> str:
    file.write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_list(file, "stolen")
    assert str(file) in str(refused.value)
    return str(refused.value).removeprefix(f"{file}: ")


def test_no_column_is_named_as_the_nearest_when_none_is_near(file: Path) -> None:
    assert "nearest" not in refused_file(file, b"plate,valid_until,mileage\n")


def test_the_shipped_example_has_no_refused_line() -> None:
    content = read_list(SHIPPED, "example")
    assert not content.faults
    assert [entry.entry_id for entry in content.entries] == [f"EX-{number:03}" for number in range(1, 25)]
    assert {entry.list for entry in content.entries} == {"example"}


def test_every_column_finds_its_field(file: Path) -> None:
    columns = (
        "entry_id,plate,country,category,reason,instruction,owner,legal_basis,source,tolerance,handling,priority,"
        "valid_from,valid_until,warnings,sites,directions,vehicle_kind,vehicle_make,vehicle_colour"
    )
    line = (
        "E1,AB12 CDE,GB,stolen,why,what,who,law,where,near,covert,1,"
        "2026-01-01,2026-12-31T18:00+01:00,armed|two dogs,calais | dover,uk_bound,car,Ford,blue"
    )
    assert read(file, columns, line).entries == (
        Entry(
            entry_id="E1",
            revision=NO_GENERATION,
            list="stolen",
            plate="AB12 CDE",
            country="GB",
            category="stolen",
            priority=1,
            reason="why",
            instruction="what",
            warnings=("armed", "two dogs"),
            valid_from=datetime(2026, 1, 1, tzinfo=UTC),
            valid_from_day=date(2026, 1, 1),
            valid_until=datetime(2026, 12, 31, 17, tzinfo=UTC),
            sites=("calais", "dover"),
            directions=("uk_bound",),
            tolerance="near",
            handling="covert",
            vehicle=Vehicle(kind="car", make="Ford", colour="blue"),
            owner="who",
            legal_basis="law",
            source="where",
        ),
    )


def test_columns_that_are_missing_or_empty_take_their_defaults(file: Path) -> None:
    bare = read(file, REQUIRED, "AB12 CDE,2030-01-01")
    empty = read(file, f"{REQUIRED},priority,tolerance,sites,vehicle_make", "AB12 CDE,2030-01-01,,,,", " , ")
    assert empty.entries == bare.entries
    [entry] = bare.entries
    assert (entry.priority, entry.tolerance, entry.handling, entry.sites, entry.vehicle) == (
        3,
        "tolerant",
        "open",
        (),
        None,
    )


# --- how programs write CSV ---


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfplate,valid_until\nAB12 CDE,2030-01-01\n",
        b"plate,valid_until\r\nAB12 CDE,2030-01-01\r\n",
        b"plate,valid_until\rAB12 CDE,2030-01-01",
        b'"plate","valid_until"\n"AB12 CDE","2030-01-01"',
        b"valid_until,plate\n2030-01-01, AB12 CDE \n",
        b"plate,valid_until\n\n\nAB12 CDE,2030-01-01\n\n",
        b"sep=,\nplate,valid_until\nAB12 CDE,2030-01-01\n",
        b'\xef\xbb\xbf"sep=,"\r\nplate,valid_until\r\nAB12 CDE,2030-01-01\r\n',
        b"PLATE,VALID_UNTIL\nAB12 CDE,2030-01-01\n",
        b" Plate , Valid until\nAB12 CDE,2030-01-01\n",
        b"plate,valid_until,,\nAB12 CDE,2030-01-01,,\n",
        b"plate,valid_until,,\nAB12 CDE,2030-01-01\n",
        b"plate,,valid_until\nAB12 CDE, ,2030-01-01\n",
        b",plate,valid_until\n,AB12 CDE,2030-01-01\n",
        b"plate,valid_until\nAB12 CDE,2030-01-01,,,\n",
        b"plate,valid_until\nAB12 CDE,2030-01-01\n,,\n,\n",
        b",,\n\nplate,valid_until\n , \nAB12 CDE,2030-01-01\n",
    ],
    ids=[
        "byte order mark",
        "CRLF",
        "CR",
        "quotes",
        "other order",
        "blank lines",
        "sep line",
        "sep line in quotes",
        "upper-case header",
        "spaces in the header",
        "empty columns",
        "empty columns cut off",
        "empty column between",
        "empty first column",
        "empty cells behind the header",
        "empty rows",
        "empty rows before and after the header",
    ],
)
def test_however_a_program_writes_it_a_list_reads_the_same(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    content_of_it = read_list(file, "stolen")
    assert not content_of_it.faults
    assert content_of_it.entries == read(file, REQUIRED, "AB12 CDE,2030-01-01").entries


def test_commas_quotes_and_line_ends_within_quotes_are_text(file: Path) -> None:
    entry = entry_with(file, "reason", '"Owner, ""X"",\nwanted"')
    assert entry.reason == 'Owner, "X",\nwanted'


# --- files that cannot be used ---


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("plate,valid_untill", "unknown column 'valid_untill'; the nearest known one is 'valid_until'"),
        ("plate,valid_until,Reasons", "unknown column 'Reasons'; the nearest known one is 'reason'"),
        ("plate,valid_until,mileage", "unknown column 'mileage'"),
        ("plate;valid_until", "the columns are separated by semicolons, not by commas"),
        ("plate\tvalid_until\treason", "the columns are separated by tabs, not by commas"),
        ("plate|valid_until", "the columns are separated by vertical bars, not by commas"),
        ("Plate;Valid until;expires", "the columns are separated by semicolons, not by commas"),
        ("sep=;\nplate;expires", "the columns are separated by semicolons, not by commas"),
        ('"plate";"valid_until"', "the columns are separated by semicolons, not by commas"),
        ("AB12CDE,GB,2099-12-31", "the header is missing: the first line names no known column: 'AB12CDE, GB, 2099"),
        (
            "kenteken,geldig tot",
            "the header is missing: the first line names no known column: 'kenteken, geldig tot'",
        ),
        ("PLATE,Plate,valid_until", "the column 'plate' occurs twice"),
        ("plate", "the column 'valid_until' is missing"),
        ("valid_until", "the column 'plate' is missing"),
        ("plate,valid_until,valid_until", "the column 'valid_until' occurs twice"),
        ("", "the header is missing: the first line names no known column: 'AB12 CDE, 2030-01-01, 2040-01-01'"),
        (
            "Stolen vehicles,,\n1 November 2026,,\n,,\nPlate,Country,Valid until",
            "the header is missing: the first line names no known column: 'Stolen vehicles'; a line below has",
        ),
    ],
)
def test_a_faulty_header_refuses_the_file(file: Path, header: str, message: str) -> None:
    assert refused_file(file, f"{header}\nAB12 CDE,2030-01-01,2040-01-01\n".encode()).startswith(message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04\x14\0\0\0\x08\0xl/workbook.xml", "an Excel workbook: save it as CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "an Excel workbook: save it as CSV UTF-8"),
        (
            b"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
            "a spreadsheet (OpenDocument): save it as CSV UTF-8",
        ),
        (b"PK\x03\x04\x14\0list.csv", "a zip archive: unpack it first"),
        (b"\x1f\x8b\x08", "a compressed file: unpack it first"),
        (b"%PDF-1.7", "a PDF: ask for the list as CSV UTF-8"),
        (b"PK\x03\x04\x14\0\0\0\x08\0Index/Document.iwa", "a spreadsheet (Numbers): save it as CSV UTF-8"),
        (b"PK\x03\x04\x14\0\0\0\x08\0word/document.xml", "a text document: ask for the list as CSV UTF-8"),
        (b"{\\rtf1\\ansi AB12CDE}", "a text document (RTF): ask for the list as CSV UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0", "a picture: ask for the list as CSV UTF-8"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a picture: ask for the list as CSV UTF-8"),
        (b"SQLite format 3\0", "a database: ask for the list as CSV UTF-8"),
        (b"7z\xbc\xaf\x27\x1c", "a compressed file: unpack it first"),
        (b"\xff\xfe\0\0p\0\0\0", "the file is UTF-32"),
        (b"\r\n<html><table>", "a web page or XML: ask for the list as CSV UTF-8"),
        (b'[{"plate": "AB12CDE"}]', "JSON: ask for the list as CSV UTF-8"),
    ],
)
def test_a_file_that_is_no_text_is_refused_in_one_sentence(file: Path, content: bytes, message: str) -> None:
    assert refused_file(file, content) == message


def test_a_value_in_a_column_without_a_name_is_a_fault_of_its_line(file: Path) -> None:
    content = read(file, f"{REQUIRED},,reason", "AB1 CDE,2030-01-01,GB,x", "AB2 CDE,2030-01-01,,y")
    assert [str(fault) for fault in content.faults] == ["line 2: line 'GB': is in a column without a name"]
    assert [(entry.plate, entry.reason) for entry in content.entries] == [("AB2 CDE", "y")]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_file_that_is_not_utf_8_is_refused_with_the_position_of_the_byte(file: Path, mark: bytes) -> None:
    before = mark + b"plate,valid_until\n" + b"AB12 CDE,2030-01-01\n" * 2000
    assert refused_file(file, before + b"M\xdcNCHEN,2030-01-01\n") == f"not UTF-8 at byte {len(before) + 1}"


def test_a_quote_that_is_never_closed_refuses_the_file(file: Path) -> None:
    assert refused_file(file, b'plate,valid_until\n"AB12 CDE,2030-01-01\n').startswith(
        "not CSV: a quote is opened and not closed, in the entry that begins on line 2"
    )


def test_text_after_a_closing_quote_refuses_the_file(file: Path) -> None:
    assert refused_file(file, b'plate,valid_until\n"AB12"CDE,2030-01-01\n').startswith(
        "not CSV: there is text after a closing quote, in the entry that begins on line 2"
    )


def test_a_cell_of_10_megabytes_costs_its_line_alone(file: Path) -> None:
    content = read(file, f"{REQUIRED},reason", f"AB12 CDE,2030-01-01,{'x' * 10_000_000}", "AB13 CDE,2030-01-01,")
    [fault] = content.faults
    assert (fault.line, fault.field, fault.value) == (2, "reason", "x" * 64)
    assert [entry.plate for entry in content.entries] == ["AB13 CDE"]


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("reason", "é" + " " * 1_000_000 + "x"),
        ("country", "é" + "\u00a0" * 1_000_000 + "x"),
        ("sites", "calais\u200b" * 1_000_000),
        ("sites", "Germany " * 1_000_000),
        ("directions", "uk/" * 1_000_000),
    ],
)
def test_a_long_cell_is_read_once_however_much_white_space_and_however_many_values_it_has(
    file: Path, column: str, cell: str
) -> None:
    """If a cell were read again from each of its characters, this test would not end."""
    content = read(file, f"{REQUIRED},{column}", f"AB12 CDE,2030-01-01,{cell}", "AB13 CDE,2030-01-01,")
    assert [(fault.line, fault.field) for fault in content.faults] == [(2, column)]
    assert [entry.plate for entry in content.entries] == ["AB13 CDE"]


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_utf_16_is_known_by_its_mark_and_read_when_it_is_named(file: Path, mark: bytes) -> None:
    coding = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"
    text = mark + f"{REQUIRED}\nMÜ 12 CDE,2030-01-01\n".encode(coding)
    assert refused_file(file, text) == "the file begins as UTF-16 does"
    content = read_list(file, "stolen", ListFormat("utf-16"))
    assert [entry.plate for entry in content.entries] == ["MÜ 12 CDE"]
    assert not content.warnings


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("K\u00c3\u00b6ln", "'\u00c3\u00b6'"),
        ("M\u00c3\u0153ller", "'\u00c3\u0153'"),
        ("caf\u00c3\u00a9", "'\u00c3\u00a9'"),
        ("K\ufffdln", "'\ufffd'"),
        ("\u00c3\u0192\u00c2\u00bc", "'\u00c3\u0192'"),
    ],
)
def test_letters_that_were_decoded_wrongly_before_are_counted_wherever_they_stand(
    file: Path, text: str, shown: str
) -> None:
    content = read(file, f"{REQUIRED},reason", "AB1 CDE,2030-01-01,", f"AB2 CDE,2030-01-01,{text}")
    assert len(content.entries) == 2
    assert re.search(rf"decoded wrongly before: \d, the first on line 3 \({re.escape(shown)}\)", content.warnings[0])


@pytest.mark.parametrize("text", ["SÃO PAULO", "Köln", "œuvre", "Ärger – Größe", "Жук", "ÄÖÜ", "«HALLÅ»", "NIÑO"])
def test_right_letters_are_no_warning(file: Path, text: str) -> None:
    assert not read(file, f"{REQUIRED},reason", f"AB12 CDE,2030-01-01,{text}").warnings


@pytest.mark.parametrize("mark", ["\u200b", "\u200e", "\ufeff", "\u202a", "\u00a0", "\u2066 "])
def test_marks_that_nobody_sees_around_a_header_or_a_cell_cost_nothing(file: Path, mark: str) -> None:
    header = ",".join(f"{mark}{column}{mark}" for column in ("plate", "valid_until", "country", "sites", "priority"))
    line = ",".join(f"{mark}{cell}{mark}" for cell in ("AB12 CDE", "2030-01-01", "GB", "calais", "1"))
    content = checked(file, header, line)
    assert not content.faults
    [entry] = content.entries
    assert (entry.plate, entry.country, entry.sites, entry.priority) == ("AB12 CDE", "GB", ("calais",), 1)


def test_an_empty_file_is_reported_as_one(file: Path) -> None:
    assert refused_file(file, b"") == "the first line names no column"


@pytest.mark.parametrize("coding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_reported_as_such(file: Path, coding: str) -> None:
    text = f"{REQUIRED}\nAB12 CDE,2030-01-01\n".encode(coding)
    assert refused_file(file, text) == "the file looks like UTF-16 without its byte order mark"


def test_a_file_that_begins_as_utf_8_does_is_not_read_in_another_encoding(file: Path) -> None:
    file.write_bytes(f"{REQUIRED}\nAB12 CDE,2030-01-01\n".encode("utf-8-sig"))
    for encoding in ("windows-1252", "iso-8859-15", "utf-16"):
        with pytest.raises(InputError, match="the file begins as UTF-8 does"):
            read_list(file, "stolen", ListFormat(encoding))


def test_an_old_encoding_is_read_when_it_is_named_and_never_guessed(file: Path) -> None:
    text = f"{REQUIRED}\nMÜ 12 CDE,2030-01-01\n".encode("windows-1252")
    assert refused_file(file, text).startswith("not UTF-8 at byte")
    [entry] = read_list(file, "stolen", ListFormat("windows-1252")).entries
    assert entry.plate == "MÜ 12 CDE"
    with pytest.raises(InputError, match="not UTF-16"):
        read_list(file, "stolen", ListFormat("utf-16"))


# --- half a file ---

WHOLE = f'{REQUIRED},reason\nAB12 CDE,2030-01-01,stolen\nAB13 CDE,2030-01-01,"a, b"\n'


@pytest.mark.parametrize("kept", range(len(REQUIRED) + 8, len(WHOLE)))
def test_half_a_file_is_refused_or_says_that_it_may_be_half(file: Path, kept: int) -> None:
    file.write_text(WHOLE[:kept], "utf-8")
    try:
        content = read_list(file, "stolen")
        says_so = content.faults or content.warnings or WHOLE[:kept].endswith("\n")
    except InputError as error:
        says_so = "is the file whole" in error.next_step
    assert says_so


def test_a_missing_file_is_named(file: Path) -> None:
    with pytest.raises(InputError, match=r"list\.csv: No such file"):
        read_list(file, "stolen")


# --- lines that cannot be used ---


def test_a_refused_line_is_named_by_its_number_and_the_other_lines_are_read(file: Path) -> None:
    content = read(file, REQUIRED, "AB1,2030-01-01", '"AB\n2",2030-01-01', "AB?,2030-01-01", "AB4,2030-01-01")
    assert [entry.plate for entry in content.entries] == ["AB1", "AB\n2", "AB4"]
    assert [str(fault) for fault in content.faults] == [
        "line 5: plate 'AB?': a pattern needs at least 3 letters or digits"
    ]


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("plate", "AB?", "at least 3 letters or digits"),
        ("plate", "AB*", "at least 3 letters or digits"),
        ("plate", "???????", "at least 3 letters or digits"),
        ("plate", "ＡＢ＊", "at least 3 letters or digits"),
        ("plate", "", "1 to 16 letters and digits"),
        ("plate", "--", "1 to 16 letters and digits"),
        ("plate", "A" * 17, "1 to 16 letters and digits"),
        ("plate", "A" + " " * 63 + "B", "is longer than 64 characters: it has 65"),
        ("plate", "AB12_DE", "'_' separates nothing on a plate: write spaces, hyphens or dots"),
        ("plate", "AB14%", "'%' separates nothing on a plate"),
        ("plate", "AB[12]CDE", "'[]' separates nothing on a plate"),
        ("plate", "=A1B2", "'=' separates nothing on a plate"),
        ("plate", "M\ufffd-AB 123", "the file was decoded wrongly before"),
        ("plate", "MÃœ-AB 123", "the file was decoded wrongly before; export it again as UTF-8"),
        ("plate", "BÃ–-AB 123", "the file was decoded wrongly before"),
        ("plate", "AB12Â CDE", "the file was decoded wrongly before"),
        ("plate", "Ж123", "no Latin letter is known for 'Ж'"),
        ("entry_id", "a\0b", "a NUL character"),
        ("entry_id", "x" * 129, "is longer than 128 characters: it has 129"),
        ("reason", "a\0b", "a NUL character"),
        (
            "country",
            "Atlantis",
            "must be the code of a country, as GB, GBR or PL (ISO 3166), its sign, as D, or its name, as Germany",
        ),
        ("country", "ZZ", "must be the code of a country"),
        ("country", "G", "must be the code of a country"),
        ("country", "CYM", "must be the code of a country"),
        ("category", "x" * 65, "is longer than 64 characters: it has 65"),
        ("reason", "x" * 2001, "is longer than 2000 characters: it has 2001"),
        ("vehicle_make", "x" * 65, "is longer than 64 characters: it has 65"),
        ("priority", "0", "must be a number from 1 (highest) to 5"),
        ("priority", "6", "must be a number from 1 (highest) to 5"),
        ("priority", "high", "must be a number from 1 (highest) to 5"),
        ("priority", "-1", "must be a number from 1 (highest) to 5"),
        ("priority", "²", "must be a number from 1 (highest) to 5"),
        ("priority", "9" * 5000, "must be a number from 1 (highest) to 5"),
        ("tolerance", "Near", "must be one of exact, tolerant, near"),
        ("handling", "secret", "must be one of open, covert"),
        ("directions", "north", "must be one of uk_bound, fr_bound"),
        ("directions", "uk_bound|north", "must be one of uk_bound, fr_bound"),
        ("sites", "calais||dover", "has an empty value between bars"),
        ("directions", "UK_BOUND", "the nearest is 'uk_bound'"),
        ("directions", "uk-bound", "the nearest is 'uk_bound'"),
        ("directions", "uk_bound/fr_bound", "a bar separates several, as in uk_bound|fr_bound"),
        ("tolerance", "Near", "must be one of exact, tolerant, near; the nearest is 'near'"),
        ("handling", "Covert", "the nearest is 'covert'"),
        ("warnings", "x" * 2001, "is longer than 2000 characters: it has 2001"),
        ("warnings", "|".join("x" * 17), "has more than 16 values between bars: 17"),
        ("valid_from", "soon", "must be a date (2026-12-31) or a time"),
        ("valid_from", "2030-01-01T12:00", "a time needs its offset from UTC"),
        ("valid_until", "", "no entry is listed for ever"),
        ("valid_until", "31/12/2030", "must be a date (2026-12-31) or a time"),
        ("valid_until", "2030-02-30", "must be a date (2026-12-31) or a time"),
        ("valid_until", "20301231", "must be a date (2026-12-31) or a time"),
        ("valid_until", "20301231T18", "must be a date (2026-12-31) or a time"),
        ("valid_until", "2030-W01", "must be a date (2026-12-31) or a time"),
        ("valid_until", "2030-W01-1", "must be a date (2026-12-31) or a time"),
        ("valid_until", "2030-W01-1T18:00Z", "must be a date (2026-12-31) or a time"),
        ("valid_until", "47848.75", "a spreadsheet has made a number of it"),
        ("valid_until", "2030001", "must be a date (2026-12-31) or a time"),
        ("valid_until", "31.12.2030", "must be a date (2026-12-31) or a time"),
        ("valid_until", "47848", "a spreadsheet has made a number of it"),
        ("valid_until", "2030-01-01 12:00", "a time needs its offset from UTC"),
        ("valid_until", "31/12/9999", "must be a date (2026-12-31) or a time"),
        ("valid_until", "10000-01-01", "must be a date (2026-12-31) or a time"),
        ("valid_until", "0000-01-01", "must be a date (2026-12-31) or a time"),
    ],
)
def test_a_line_that_cannot_be_used_is_refused_by_column_value_and_reason(
    file: Path, column: str, cell: str, reason: str
) -> None:
    fault = refused_with(file, column, cell)
    assert fault.line == 2
    assert fault.field == column
    assert cell.startswith(fault.value) or fault.value in cell.split("|")
    assert reason in fault.reason
    assert "offset" not in fault.reason or ":" in cell


def test_a_validity_that_ends_before_it_begins_is_refused(file: Path) -> None:
    header = f"{REQUIRED},valid_from"
    content = read(file, header, "AB1,2026-06-01T12:00Z,2026-06-01T12:00Z", "AB2,2026-06-01,2026-06-01")
    assert [(fault.field, fault.reason) for fault in content.faults] == [("valid_until", "must be after valid_from")]
    assert [entry.plate for entry in content.entries] == ["AB2"], "a day from its first to its last moment"


def test_a_line_with_more_cells_than_columns_is_refused(file: Path) -> None:
    [fault] = read(file, REQUIRED, "AB1,2030-01-01,an unquoted, comma").faults
    assert (fault.line, fault.reason) == (2, "has more cells than the header has columns")
    assert "an unquoted" in fault.value


def test_a_line_that_ends_early_is_refused(file: Path) -> None:
    [fault] = read(file, f"{REQUIRED},handling", "AB1,2030-01-01").faults
    assert (fault.line, fault.reason) == (2, "has fewer cells than the header has columns: is the line whole?")


def test_the_entry_of_a_refused_line_is_known(file: Path) -> None:
    header = f"entry_id,{REQUIRED}"
    assert read(file, header, "E1,AB1,never", "E2,AB2", "\0,AB3,never").refused_ids == {"E1", "E2"}
    [entry] = read(file, REQUIRED, "AB12 CDE,2030-01-01").entries
    assert read(file, REQUIRED, "AB12 CDE,never").refused_ids == {entry.entry_id}


def test_of_two_lines_with_one_id_the_first_counts(file: Path) -> None:
    content = read(file, f"entry_id,{REQUIRED}", "1,AB1,2030-01-01", "2,AB2,2030-01-01", "1,AB3,2030-01-01")
    assert [entry.plate for entry in content.entries] == ["AB1", "AB2"]
    assert [str(fault) for fault in content.faults] == [
        "line 4: entry_id '1': line 2 has the same entry with other values"
    ]


def test_a_plate_that_occurs_twice_is_named_as_written_with_the_other_line(file: Path) -> None:
    content = read(file, f"{REQUIRED},reason", "AB1,2030-01-01,one", "AB2,2030-01-01,", "ab-1,2030-01-01,two")
    assert [str(fault) for fault in content.faults] == [
        "line 4: plate 'ab-1': line 2 has the same entry with other values"
    ]


def test_each_field_of_a_line_that_is_at_fault_is_named_in_the_order_of_the_columns(file: Path) -> None:
    header = "priority,plate,entry_id,valid_until,valid_from,vehicle_make,country"
    content = read(file, header, f"9,--,{'x' * 129},2030-01-01,2031-01-01,{'x' * 65},XX")
    assert content.refused == 1
    assert [(fault.line, fault.field) for fault in content.faults] == [
        (2, "priority"), (2, "plate"), (2, "entry_id"), (2, "vehicle_make"), (2, "country"), (2, "valid_until"),
    ]  # fmt: skip


def test_no_fault_has_the_wording_of_a_library(file: Path) -> None:
    for column in COLUMNS:
        for cell in ("x" * 3000, "|".join("x" * 100), "-1", "a\0b", "'", "?"):
            given = {"plate": "AB1", "valid_until": "2030-01-01"} | {column: cell}
            for fault in read(file, ",".join(given), ",".join(given.values())).faults:
                assert not re.search("Expected|`|regex|length", fault.reason), fault


def test_a_repeated_line_is_counted_and_is_not_a_fault(file: Path) -> None:
    content = read(file, f"entry_id,{REQUIRED}", "1,AB1,2030-01-01", "1,AB1,2030-01-01", "1,AB1,2030-01-01")
    assert (len(content.entries), content.refused, content.duplicates) == (1, 0, 2)


@pytest.mark.parametrize(
    ("line", "spellings"),
    [
        (
            "{},GB,2030-01-01",
            ("AB12 CDE", "ab12-cde", "AB12CDE", "ＡＢ１２ ＣＤＥ", "GB AB12 CDE", "AB12 CDE (stolen)"),
        ),
        ("{},,2030-01-01", ("AB12 CDE", "ab12-cde", "AB12\u200bCDE", "'AB12CDE'")),
        ("{},DE,2030-01-01", ("B-MW 555", "b mw555", "B·MW·555", "D B-MW 555")),
        ("{},DE,2030-01-01", ("BMW555", "bmw 555", "BMW-555")),
        ("{},DE,2030-01-01", ("MÜ-A 12", "mü a12", "MU\u0308-A 12")),
        ("{},GB,2030-01-01", ("AB1? CDE", "ab1?-cde", "AB1？CDE")),
    ],
)
def test_a_line_that_only_spells_the_plate_of_another_differently_repeats_it(
    file: Path, line: str, spellings: tuple[str, ...]
) -> None:
    content = read(file, "plate,country,valid_until", *map(line.format, spellings))
    assert [entry.plate for entry in content.entries] == [spellings[0]]
    assert [str(fault) for fault in content.faults] == []
    assert content.duplicates == len(spellings) - 1


@pytest.mark.parametrize(
    ("columns", "first", "again"),
    [
        ("sites", "calais|coquelles", "coquelles | calais|calais"),
        ("directions", "uk_bound|fr_bound", "fr_bound|uk_bound"),
        ("country", "GB", "uk"),
        ("priority", "3", ""),
        ("valid_from", "2026-01-01T12:00+02:00", "2026-01-01 10:00Z"),
    ],
)
def test_a_line_that_only_writes_a_value_differently_repeats_it(
    file: Path, columns: str, first: str, again: str
) -> None:
    content = read(file, f"{REQUIRED},{columns}", f"AB12 CDE,2030-01-01,{first}", f"AB12 CDE,2030-01-01,{again}")
    assert (len(content.entries), content.faults, content.duplicates) == (1, (), 1)


@pytest.mark.parametrize("plates", [("MÜ-A 12", "MU-A 12"), ("MU-A 12", "MÜ-A 12")])
def test_a_plate_without_its_umlaut_is_no_repeat_because_other_reads_match_it(
    file: Path, plates: tuple[str, str]
) -> None:
    content = read(file, REQUIRED, *(f"{plate},2030-01-01" for plate in plates))
    assert [(fault.line, fault.value) for fault in content.faults] == [(3, plates[1])]


def test_two_vehicles_under_one_id_of_the_file_are_no_repeat(file: Path) -> None:
    lines = (
        "1,B-MW 555,DE,2030-01-01",
        "1,BM-W 555,DE,2030-01-01",
        "1,BMW555,DE,2030-01-01",
        "1,b mw555,DE,2030-01-01",
    )
    content = read(file, "entry_id,plate,country,valid_until", *lines)
    assert [fault.line for fault in content.faults] == [3, 4]
    assert content.duplicates == 1


def test_of_many_refused_lines_all_are_counted_and_the_first_are_named(file: Path) -> None:
    content = read(file, REQUIRED, *[f"AB{number},never" for number in range(MAX_FAULTS_KEPT + 5)])
    assert content.refused == MAX_FAULTS_KEPT + 5
    assert [fault.line for fault in content.faults] == list(range(2, MAX_FAULTS_KEPT + 2))


def test_a_short_plate_is_accepted_with_a_warning(file: Path) -> None:
    content = read(file, REQUIRED, "AB12,2030-01-01", "A1,2030-01-01", "A 2,2030-01-01")
    assert len(content.entries) == 3
    assert content.warnings[0].startswith("2 plates with fewer than 4 letters and digits (the first on line 3)")


# --- what the configuration names, and what can never ring ---

CAMERA = Camera(name="c", lane="1", position="front")
SITES = {
    name: Site(title=name, kafka="", redis="", cameras=(CAMERA,) if name != "dover" else ())
    for name in ("calais", "coquelles", "dunkerque", "dover")
}
CONTEXT = ListContext(SITES, datetime(2026, 6, 1, tzinfo=UTC))


def checked(file: Path, *lines: str) -> ListFile:
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return read_list(file, "stolen", context=CONTEXT)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("Calais", "the nearest is 'calais'"),
        ("calias", "the nearest is 'calais'"),
        ("dunkerke", "the nearest is 'dunkerque'"),
        ("COQUELLES", "the nearest is 'coquelles'"),
        ("calais|Dover", "the nearest is 'dover'"),
        ("calais, coquelles", "a bar separates several, as in calais|coquelles"),
        ("Calais Port", "the nearest is 'calais'"),
        ("Port of Dover", "the nearest is 'dover'"),
        ("calais coquelles", "a bar separates several, as in calais|coquelles"),
        ("calais;coquelles", "a bar separates several, as in calais|coquelles"),
        ("Calais / Dunkerke", "a bar separates several, as in calais|dunkerque"),
        ("calais dover", "a bar separates several, as in calais|dover"),
        ("dover & lille", "a bar separates several, as in calais|coquelles"),
        ("Lille", "must be one of calais, coquelles, dunkerque, dover"),
    ],
)
def test_a_site_that_the_configuration_does_not_name_refuses_the_line(file: Path, cell: str, reason: str) -> None:
    [fault] = checked(file, f"{REQUIRED},sites", f'AB12 CDE,2030-01-01,"{cell}"').faults
    assert fault.field == "sites"
    assert fault.value in cell
    assert fault.reason.endswith(reason)


@pytest.mark.parametrize(("column", "cell"), [("sites", "all"), ("sites", "*"), ("directions", "Both")])
def test_who_writes_all_is_shown_that_an_empty_cell_means_it(file: Path, column: str, cell: str) -> None:
    [fault] = checked(file, f"{REQUIRED},{column}", f"AB12 CDE,2030-01-01,{cell}").faults
    assert fault.reason.endswith("; an empty cell means all")


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("Germany", "DE"),
        ("Deutschland", "DE"),
        ("allemagne", "DE"),
        ("NIEMCY", "DE"),
        ("United Kingdom", "GB"),
        ("U.K.", "GB"),
        ("England", "GB"),
        ("Großbritannien", "GB"),
        ("Bosnia & Herzegovina", "BA"),
        ("Česká republika", "CZ"),
        ("Ελλάδα", "GR"),
        ("Україна", "UA"),
        ("Türkiye", "TR"),
    ],
)
def test_a_country_written_out_is_its_code(file: Path, cell: str, code: str) -> None:
    [entry] = read(file, f"{REQUIRED},country", f"AB12 CDE,2030-01-01,{cell}").entries
    assert entry.country == code


@pytest.mark.parametrize(
    ("cell", "near"),
    [
        ("Germny", "; the nearest is Germany (DE)"),
        ("Frnace", "; the nearest is France (FR)"),
        ("XX", ""),
        ("Texas", ""),
    ],
)
def test_a_country_that_is_misspelt_is_refused_with_the_nearest_name(file: Path, cell: str, near: str) -> None:
    [fault] = read(file, f"{REQUIRED},country", f"AB12 CDE,2030-01-01,{cell}").faults
    assert fault.reason.endswith(f"or its name, as Germany{near}")


@pytest.mark.parametrize("cell", ["TX", "ny"])
def test_a_state_of_the_united_states_is_refused_with_the_country_to_write(file: Path, cell: str) -> None:
    [fault] = read(file, f"{REQUIRED},country", f"AB12 CDE,2030-01-01,{cell}").faults
    assert fault.reason.endswith("; the nearest is US, if the state of the United States is meant")


@pytest.mark.parametrize("cell", ["2026-12-31 00:00:00", "2026-12-31T00:00", "2026-12-31T00:00:00.000"])
def test_a_date_with_the_time_that_a_program_adds_is_refused_with_what_to_leave_out(file: Path, cell: str) -> None:
    [fault] = read(file, "plate,valid_until", f"AB12 CDE,{cell}").faults
    assert fault.reason.endswith(f"for the day, leave {cell[11:]} out")
    assert "offset" not in fault.reason


@pytest.mark.parametrize(
    ("line", "warning"),
    [
        (
            "AB12 CDE,2030-01-01,dover",
            "no camera of this configuration is at the sites: line 2: AB12 CDE (dover)",
        ),
        (
            "AB12 CDE FGH ?*,2030-01-01,",
            "no plate of any known country is as long as the pattern: line 2: AB12 CDE FGH ?*",
        ),
        (
            "AB12 CDE,2026-05-31,",
            "valid_until has passed: line 2: AB12 CDE",
        ),
    ],
)
def test_an_entry_that_can_never_ring_is_a_warning_by_name(file: Path, line: str, warning: str) -> None:
    content = checked(file, f"{REQUIRED},sites", line)
    assert but_of_layouts(content) == [f"1 entry can never ring, because {warning}"]
    assert len(content.entries) == 1
    assert content.never_rings == ("valid_until" not in warning), "those that have ended are counted as expired"


@pytest.mark.parametrize(
    "line",
    ["AB12 CDE,2030-01-01,dover|calais", "AB12 CDE,2026-06-01,", "AB1? CDE FG,2030-01-01,", "*AB12*,2030-01-01,"],
)
def test_an_entry_that_can_ring_is_no_warning(file: Path, line: str) -> None:
    content = checked(file, f"{REQUIRED},sites", line)
    assert (but_of_layouts(content), content.never_rings) == ([], 0)


def but_of_layouts(content: ListFile) -> list[str]:
    """Return the warnings, except that a pattern fits no known layout: a personal plate may fit it."""
    return [warning for warning in content.warnings if not warning.startswith("patterns that no plate of a known")]


def test_of_many_entries_that_can_never_ring_the_first_are_named(file: Path) -> None:
    content = checked(file, f"{REQUIRED},sites", *(f"AB{number} CDE,2030-01-01,dover" for number in range(10, 20)))
    assert content.never_rings == 10
    assert content.warnings[0].startswith("10 entries can never ring")
    assert content.warnings[0].endswith("line 6: AB14 CDE (dover); and 5 more")


def test_a_line_is_a_duplicate_only_of_a_line_that_is_applied(file: Path) -> None:
    content = checked(
        file, REQUIRED, "AB12 CDE,2026-01-01", "ab12cde,2030-01-01", "AB12-CDE,2031-01-01", "AB?,2030-01-01"
    )
    assert [(entry.plate, entry.valid_until.year) for entry in content.entries] == [("ab12cde", 2030)]
    assert [str(fault) for fault in content.faults] == [
        "line 4: plate 'AB12-CDE': line 3 has the same entry with other values",
        "line 5: plate 'AB?': a pattern needs at least 3 letters or digits",
    ]
    assert (content.superseded, content.duplicates, content.refused) == (1, 0, 2)


def test_one_entry_by_its_cells_has_the_faults_and_warnings_of_a_file() -> None:
    def cells(plate: str, sites: str) -> dict[str, str]:
        return {"plate": plate, "valid_until": "2030-01-01", "sites": sites}

    assert len(read_cells(cells("AB12 CDE", "calais"), "today", CONTEXT).entries) == 1
    assert read_cells(cells("A1", "dover"), "today", CONTEXT).warnings[0].startswith("1 plate with fewer than 4")
    assert read_cells(cells("A1", "dover"), "today", CONTEXT).warnings[1].startswith("1 entry can never ring")
    [fault] = read_cells(cells("AB12 CDE", "Calais"), "today", CONTEXT).faults
    assert fault.field == "sites"


# --- patterns, and formulas of spreadsheets ---


@pytest.mark.parametrize("plate", ["AB1?", "ab 12 *", "*B1C*", "？ABC"])
def test_a_pattern_with_3_letters_or_digits_is_accepted_as_written(file: Path, plate: str) -> None:
    [entry] = read(file, REQUIRED, f"{plate},2030-01-01").entries
    assert entry.plate == plate


def test_patterns_that_match_the_same_plates_are_one_entry(file: Path) -> None:
    same = read(file, REQUIRED, "AB1?*,2030-01-01", "ab-1*?,2030-01-01")
    assert (len(same.entries), same.duplicates) == (1, 1)
    assert len(read(file, REQUIRED, "AB1,2030-01-01", "AB1?,2030-01-01", "AB1*,2030-01-01").entries) == 3


def test_a_formula_is_text_and_the_mark_before_it_is_not(file: Path) -> None:
    assert entry_with(file, "reason", "=1+1").reason == "=1+1"
    assert entry_with(file, "reason", "'=1+1").reason == "=1+1"
    assert entry_with(file, "reason", "''=1+1").reason == "'=1+1"
    assert entry_with(file, "reason", "'twas stolen").reason == "'twas stolen"


# --- times ---


def test_a_date_alone_covers_its_whole_day(file: Path) -> None:
    [entry] = read(file, f"{REQUIRED},valid_from", "AB1,2026-12-31,2026-12-30").entries
    assert entry.valid_from == datetime(2026, 12, 30, tzinfo=UTC)
    assert entry.valid_until == datetime(2027, 1, 1, tzinfo=UTC)
    assert (entry.valid_from_day, entry.valid_until_day) == (date(2026, 12, 30), date(2026, 12, 31))


def test_a_time_is_converted_to_utc(file: Path) -> None:
    [entry] = read(file, REQUIRED, "AB1,2026-12-31T18:00-02:00").entries
    assert entry.valid_until == datetime(2026, 12, 31, 20, tzinfo=UTC)
    assert entry.valid_until.tzinfo == UTC
    assert entry.valid_until_day is None


# --- ids where the file has none ---


def test_an_entry_without_an_id_has_the_same_one_each_time_it_is_read(file: Path) -> None:
    [first] = read(file, f"{REQUIRED},reason", "AB12 CDE,2030-01-01,old").entries
    [again] = read(file, f"reason,{REQUIRED}", "new,ab12-cde,2040-01-01").entries
    # An id that changed with a release would withdraw and raise again every open incident.
    assert first.entry_id == again.entry_id == hashlib.sha256(b"stolen\0AB12CDE\0").hexdigest()[:32]


def test_an_entry_without_an_id_differs_by_plate_country_and_list(file: Path) -> None:
    content = read(file, f"{REQUIRED},country", "AB1,2030-01-01,", "AB2,2030-01-01,", "AB1,2030-01-01,GB")
    of_another_list = read_list(file, "customs")
    assert not content.faults
    assert len({entry.entry_id for entry in (*content.entries, *of_another_list.entries)}) == 6


@pytest.mark.parametrize(
    ("cell", "country"),
    [
        ("gb", "GB"), ("GBR", "GB"), ("UK", "GB"), ("uk", "GB"), (" Gb ", "GB"), ("EL", "GR"), ("GRC", "GR"),
        ("IRL", "IE"), ("irl", "IE"), ("d", "DE"), ("F", "FR"), ("SLO", "SI"), ("NMK", "MK"), ("RKS", "XK"),
        ("deu", "DE"), ("FL", "LI"),
    ],
)  # fmt: skip
def test_a_code_that_can_mean_one_country_only_is_that_country(file: Path, cell: str, country: str) -> None:
    assert entry_with(file, "country", cell).country == country


def test_uk_and_gb_are_one_country(file: Path) -> None:
    content = read(file, f"{REQUIRED},country", "AB1,2030-01-01,UK", "AB1,2031-01-01,GB")
    assert [(entry.plate, entry.country) for entry in content.entries] == [("AB1", "GB")]
    assert [fault.line for fault in content.faults] == [3]
    refused = read(file, f"{REQUIRED},country", "AB1,soon,UK")
    assert refused.refused_ids == {entry.entry_id for entry in content.entries}


def test_a_plate_twice_without_ids_is_refused_the_second_time(file: Path) -> None:
    content = read(file, REQUIRED, "AB12 CDE,2030-01-01", "ab12cde,2031-01-01")
    assert [entry.plate for entry in content.entries] == ["AB12 CDE"]
    assert [fault.line for fault in content.faults] == [3]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("2026-02-30", "must be a date (2026-12-31) or a time (2026-12-31T18:00Z): there is no such day"),
        ("0000-00-00", "must be a date (2026-12-31) or a time (2026-12-31T18:00Z): there is no such day"),
        ("2026-13-01", "must be a date (2026-12-31) or a time (2026-12-31T18:00Z): there is no such day"),
        ("2026-12-31+02:00", "must be a date (2026-12-31) or a time (2026-12-31T18:00Z)"),
        ("2026-12-31-02:00", "must be a date (2026-12-31) or a time (2026-12-31T18:00Z)"),
        ("2026-12-31+02:00Z", "must be a date (2026-12-31) or a time (2026-12-31T18:00Z)"),
        ("2026-12-31_18:00Z", "must be a date (2026-12-31) or a time (2026-12-31T18:00Z)"),
        ("20261231", "must be a date (2026-12-31) or a time (2026-12-31T18:00Z)"),
    ],
)
def test_a_day_that_is_none_is_refused_for_the_true_reason(file: Path, cell: str, reason: str) -> None:
    [fault] = read(file, REQUIRED, f"AB12 CDE,{cell}").faults
    assert fault.reason == reason


@pytest.mark.parametrize(
    "cell", ["2026-12-31T18:00Z", "2026-12-31 18:00+00:00", "2026-12-31t19:00+01", "20261231T180000Z"]
)
def test_a_time_may_be_written_in_each_usual_way(file: Path, cell: str) -> None:
    [entry] = read(file, REQUIRED, f"AB12 CDE,{cell}").entries
    assert entry.valid_until == datetime(2026, 12, 31, 18, tzinfo=UTC)
