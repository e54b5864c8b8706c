"""Lists of other systems are read as they are: the operator names the columns, and how long lines are valid."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from anpr.contracts.local_days import LocalDays
from anpr.runtime.errors import InputError
from anpr.watchlist.csv_file import ListFile, read_list
from anpr.watchlist.list_format import ListFormat, end_of_validity, parse_columns

NOW = datetime(2026, 11, 29, 10, 30, tzinfo=UTC)
END = "2026-12-29"


def read(folder: Path, text: str, *columns: str, valid_until: str = END, encoding: str = "utf-8") -> ListFile:
    file = folder / "list.csv"
    file.write_bytes(text.encode(encoding))
    return read_list(file, "stolen", ListFormat(encoding, parse_columns(columns), valid_until))


def refused(folder: Path, text: str, *columns: str, valid_until: str = END) -> InputError:
    with pytest.raises(InputError) as error:
        read(folder, text, *columns, valid_until=valid_until)
    return error.value


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        (
            "LIC,LIS,LIY,VIN,VMA,VCO,MIS\nAB12CDE,GB,2026,1FTSW21P34ED12345,FORD,RED,STOLEN LKW\n",
            "plate=LIC,country=LIS,vehicle_make=VMA,reason=MIS",
            ("AB12CDE", "GB", "STOLEN LKW"),
        ),
        ("PLATE,STATE,STATUS\nAB12CDE,GB,S\n", "plate=PLATE,country=STATE", ("AB12CDE", "GB", "")),
        ("Reg No;Make;Colour\nAB12 CDE;FORD;BLUE\n", "plate=Reg No", ("AB12 CDE", None, "")),
        (
            "Plate\tNation\tRemark\nAB12 CDE\tUK\tseen, twice\n",
            "country=Nation,reason=Remark",
            ("AB12 CDE", "GB", "seen, twice"),
        ),
        (
            "Kennzeichen;Land;Grund;Farbe\r\nMÜ-AB 123;D;gestohlen;rot\r\n",
            "plate=Kennzeichen,country=Land,reason=Grund",
            ("MÜ-AB 123", "DE", "gestohlen"),
        ),
        (
            "N° d'immatriculation;Pays;Motif\nAB-123-CD;F;volé\n",
            "plate=N° d'immatriculation,country=pays,reason=MOTIF",
            ("AB-123-CD", "FR", "volé"),
        ),
        ("plate,,Make\nAB12CDE,,FORD\n", "vehicle_make=make", ("AB12CDE", None, "")),
        ("sep=;\nReg;Ctry\nAB12CDE;IRL\n", "plate=reg,country=CTRY", ("AB12CDE", "IE", "")),
        ('"Reg, No","Notes ""x"""\nAB12CDE,y\n', '"plate=Reg, No"', ("AB12CDE", None, "")),
        ("a=b|c\nAB12CDE|1\n", "plate=a=b", ("AB12CDE", None, "")),
    ],
    ids=["NCIC", "state", "semicolons", "tabs", "German", "French", "known names count too", "sep", "comma", "bar"],
)
def test_a_list_of_another_system_is_read_as_it_is(
    tmp_path: Path, text: str, columns: str, expected: tuple[str, str | None, str]
) -> None:
    content = read(tmp_path, text, columns)
    assert not content.faults
    [entry] = content.entries
    assert (entry.plate, entry.country, entry.reason) == expected
    assert entry.valid_until == datetime(2026, 12, 30, tzinfo=UTC)


def test_the_columns_that_are_not_used_are_named_with_what_they_may_be(tmp_path: Path) -> None:
    content = read(tmp_path, "REG;VIN;Priorty;plate;VIN\nAB12CDE;1;2;XY34ZZZ;3\n", "plate=reg")
    assert [entry.plate for entry in content.entries] == ["AB12CDE"]
    assert content.warnings[:3] == (
        "the columns are separated by semicolons",
        "columns that are not used: 'VIN', 'Priorty' (near to 'priority'), 'plate', 'VIN'",
        "1 line without a valid_until: they end on 2026-12-29",
    )


def test_many_columns_that_are_not_used_are_counted(tmp_path: Path) -> None:
    headers = ",".join(f"H{number}" for number in range(50))
    [unused] = read(tmp_path, f"reg,valid_until,{headers}\nAB12CDE,2030-01-01{',x' * 50}\n", "plate=reg").warnings
    assert unused.endswith("'H19' and 30 more")


def test_a_duration_counts_only_where_a_line_has_no_end(tmp_path: Path) -> None:
    content = read(tmp_path, "plate,valid_until\nAB12CDE,2030-01-01\nAB13CDE,\nAB14CDE, \nAB15CDE,soon\n")
    assert [f"{entry.valid_until:%Y-%m-%d}" for entry in content.entries] == [
        "2030-01-02",
        "2026-12-30",
        "2026-12-30",
    ]
    assert [(fault.line, fault.field, fault.value) for fault in content.faults] == [(5, "valid_until", "soon")]
    assert "2 lines without a valid_until: they end on 2026-12-29" in content.warnings


def test_without_a_duration_every_line_needs_an_end(tmp_path: Path) -> None:
    error = refused(tmp_path, "REG\nAB12CDE\n", "plate=REG", valid_until="")
    assert str(error).endswith("the column 'valid_until' is missing")
    assert "--columns valid_until=HEADER, or give all lines an end with --valid-for 30d" in error.next_step


@pytest.mark.parametrize("line", ["AB12CDE;GB", "AB12CDE", "AB12CDE;GB;x;y"])
def test_a_line_that_is_not_whole_is_refused_whatever_columns_are_used(tmp_path: Path, line: str) -> None:
    content = read(tmp_path, f"REG;LAND;VIN\n{line}\nAB13CDE;GB;1\n", "plate=REG,country=LAND")
    assert [(fault.line, fault.field) for fault in content.faults] == [(2, "line")]
    assert [entry.plate for entry in content.entries] == ["AB13CDE"]


@pytest.mark.parametrize(
    ("columns", "message", "next_step"),
    [
        (
            "plat=REG",
            "--columns: unknown column 'plat'; the nearest known one is 'plate'",
            "plate=PLATE,country=STATE",
        ),
        ("plate", "--columns: 'plate' names no column and header", "write COLUMN=HEADER"),
        ("plate=", "--columns: 'plate=' names no column and header", "write COLUMN=HEADER"),
        ("plate=Reg, No", "--columns: 'No' names no column and header", 'quote a comma: "plate=Reg, No"'),
        ("plate=REG,plate=VRM", "--columns: the column 'plate' occurs twice", "give each column one header"),
        (
            "plate=RGE",
            "no column has the header 'RGE', which --columns names for 'plate'; the headers are 'REG', 'VIN'",
            "write --columns plate=HEADER",
        ),
        (
            "plate=REG,reason=VINN",
            "no column has the header 'VINN', which --columns names for 'reason'; the nearest is 'VIN'",
            "write --columns reason=HEADER",
        ),
        ("country=VIN", "the column 'plate' is missing", "--columns plate=HEADER"),
    ],
)
def test_a_mapping_that_fits_no_column_is_refused_with_what_to_write(
    tmp_path: Path, columns: str, message: str, next_step: str
) -> None:
    error = refused(tmp_path, "REG,VIN\nAB12CDE,1\n", columns)
    assert message in str(error)
    assert next_step in error.next_step


def test_a_header_that_is_misspelt_is_looked_for_among_the_separated_ones(tmp_path: Path) -> None:
    error = refused(tmp_path, "Reg No;Make;Colour\nAB12CDE;Ford;red\n", "plate=RegNo")
    assert "the nearest is 'Reg No'; the headers are 'Reg No', 'Make', 'Colour'" in str(error)


def test_a_header_below_the_title_of_a_report_is_named_with_what_to_remove(tmp_path: Path) -> None:
    error = refused(tmp_path, "Stolen vehicles;;\n;;\nReg No;Make;Colour\nAB12CDE;Ford;red\n", "plate=Reg No")
    assert "the headers are 'Stolen vehicles'; a line below has 'Reg No', 'Make', 'Colour'" in str(error)
    assert error.next_step.startswith("remove the lines above the header")


def test_a_header_that_is_used_and_occurs_twice_is_refused(tmp_path: Path) -> None:
    assert "the column 'reg' occurs twice" in str(refused(tmp_path, "REG,Reg\nAB12CDE,1\n", "plate=reg"))


def test_a_file_without_its_header_is_refused_with_what_its_first_line_holds(tmp_path: Path) -> None:
    assert "the headers are 'AB12CDE', 'GB'" in str(refused(tmp_path, "AB12CDE,GB\n", "plate=PLATE"))


def test_an_unknown_column_refuses_a_list_of_our_own_and_the_message_names_the_option(tmp_path: Path) -> None:
    error = refused(tmp_path, "plate,mileage\nAB12CDE,1\n")
    assert "unknown column 'mileage'" in str(error)
    assert "--columns plate=PLATE" in error.next_step


@pytest.mark.parametrize(
    ("seconds", "cell"),
    [(30 * 86_400, "2026-12-29"), (86_400, "2026-11-30"), (90_000, "2026-11-30T11:30Z"), (60, "2026-11-29T10:31Z")],
)
def test_whole_days_end_with_a_day_and_others_at_a_time(seconds: float, cell: str) -> None:
    assert end_of_validity(NOW, seconds) == cell


@pytest.mark.parametrize(
    ("at", "zones", "day"),
    [
        ("2026-11-29T23:30+00:00", ["Europe/Paris", "Europe/London"], "2026-12-30"),
        ("2026-11-29T22:30+00:00", ["Europe/Paris", "Europe/London"], "2026-12-29"),
        ("2026-07-01T22:30+00:00", ["Europe/Paris"], "2026-08-01"),
        ("2026-11-29T00:30+00:00", ["America/Halifax"], "2026-12-28"),
        ("2026-10-01T22:30+00:00", ["Europe/Paris"], "2026-11-01"),
        ("2026-11-29T23:30+00:00", [], "2026-12-29"),
    ],
)
def test_whole_days_are_counted_from_today_at_the_ports(at: str, zones: list[str], day: str) -> None:
    days = LocalDays({zone: ZoneInfo(zone) for zone in zones})
    assert end_of_validity(datetime.fromisoformat(at), 30 * 86_400, days) == day


@pytest.mark.parametrize("seconds", [0, 59, 1e12, float("inf")])
def test_a_validity_that_no_entry_may_have_is_refused(seconds: float) -> None:
    with pytest.raises(InputError, match=r"at least 1m and at most \d+d"):
        end_of_validity(NOW, seconds)


def test_the_longest_validity_is_one_that_a_line_may_have(tmp_path: Path) -> None:
    longest = (datetime.max.replace(tzinfo=UTC) - NOW).days - 1
    end = end_of_validity(NOW, longest * 86_400)
    assert not read(tmp_path, "plate\nAB12CDE\n", valid_until=end).faults
