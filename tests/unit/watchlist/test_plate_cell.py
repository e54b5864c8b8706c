"""What a plate cell may hold: a plate is taken, what is no plate is refused by name, what is doubtful is counted."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from anpr.backtest.replay import BacktestReplay
from anpr.contracts.local_days import UTC_DAYS
from anpr.watchlist.csv_cells import InvalidCellError
from anpr.watchlist.csv_file import ListFile, read_list
from anpr.watchlist.layout_check import fits_known_layout
from anpr.watchlist.plate_cell import (
    DIGITS_ONLY,
    MASKED,
    MAY_HOLD_COUNTRY,
    NO_KNOWN_LAYOUT,
    PATTERN_OF_NO_LAYOUT,
    TAKEN_FROM_MORE,
    read_plate_cell,
)

NUMBER = "a spreadsheet has made a number of the plate"
DATE = "a spreadsheet has made a date of the plate"
ERROR = "is an error that a spreadsheet wrote"
IS_NUMBER = "is a number, and the plates of"
NO_PLATE = "says that there is no plate"
TWO = "holds two plates"
REMARK = "holds a plate and something beside it"
MARK = "separates nothing on a plate"
UNKNOWN_MARKS = "may stand for characters that are not known"
DECODED = "the file was decoded wrongly before"


@pytest.mark.parametrize(
    ("cell", "country", "reason"),
    [
        ("1.00E+23", "GB", NUMBER),
        ("1.23E+08", None, NUMBER),
        ("1,23E+08", "FR", NUMBER),
        ("12345.0", "LU", NUMBER),
        ("1234.5", "LU", NUMBER),
        ("-12345", None, NUMBER),
        ("44927", "GB", IS_NUMBER),
        ("07700 900123", "GB", IS_NUMBER),
        ("12-Mar", "GB", DATE),
        ("1-MAR", "GB", DATE),
        ("Mar-12", "GB", DATE),
        ("1-Mar-24", "NL", DATE),
        ("12-mars", "FR", DATE),
        ("1. Mär", "DE", DATE),
        ("12-mrt", "NL", DATE),
        ("2026-03-12", None, DATE),
        ("2026-03-12 00:00:00", None, DATE),
        ("12/03/2026", "GB", DATE),
        ("12.03.2026", "DE", DATE),
        ("12:30", None, DATE),
        ("#NAME?", None, ERROR),
        ("#REF!", "GB", ERROR),
        ("#N/A", None, ERROR),
        ("#WERT!", "DE", ERROR),
        ("########", None, ERROR),
        ("Err:502", None, ERROR),
        ("UNKNOWN", None, NO_PLATE),
        ("n/a", "GB", NO_PLATE),
        ("none", None, NO_PLATE),
        ("(unknown)", None, NO_PLATE),
        ("No plate", "GB", NO_PLATE),
        ("UNKNOWN?", None, NO_PLATE),
        ("INCONNU", "FR", NO_PLATE),
        ("Sans plaque", "FR", NO_PLATE),
        ("KEINE", "DE", NO_PLATE),
        ("Kein Kennzeichen", "DE", NO_PLATE),
        ("Onbekend", "NL", NO_PLATE),
        ("NIEZNANY", "PL", NO_PLATE),
        ("brak tablic", "PL", NO_PLATE),
        ("necunoscut", "RO", NO_PLATE),
        ("NULL", None, NO_PLATE),
        ("няма табела", "BG", NO_PLATE),
        ("Неизвестно", None, NO_PLATE),
        ("άγνωστη πινακίδα", "GR", NO_PLATE),
        ("Plakasız", "TR", NO_PLATE),
        ("fără număr", "RO", NO_PLATE),
        ("nincs rendszám", "HU", NO_PLATE),
        ("无车牌", None, NO_PLATE),
        ("AB12 CDE / XY34 ZZZ", "GB", TWO),
        ("AB12CDE;CD34EFG", None, TWO),
        ("AB12 CDE, CD34 EFG", "GB", TWO),
        ("AB12 CDE and CD34 EFG", "GB", TWO),
        ("M-AB 123 und B-CD 4567", "DE", TWO),
        ("AB12CDE & CD34EFG", None, TWO),
        ("AB12CDE CD34EFG", None, TWO),
        ("AB12CDE\nCD34EFG", None, TWO),
        ("AB12* / CD34*", None, TWO),
        ("AB12CDE·CD34EFG", None, TWO),
        ("GB: AB12CDE CD34EFG", None, TWO),
        ("D: B-MW 555 blue", None, REMARK),
        ("AB12 CDE blue (stolen)", None, REMARK),
        ("GB AB12 CDE (stolen)", None, REMARK),
        ("AB12CDE • CD34EFG", "GB", TWO),
        ("AB12CDE.CD34EFG", None, TWO),
        ("AB12 CDE Germany", "GB", REMARK),
        ("#AB12CDE", None, MARK),
        ("#1 AB12CDE", None, MARK),
        ("AB12 CDE - blue Audi", "GB", REMARK),
        ("AB12 CDE blue Audi", None, REMARK),
        ("VRM: AB12CDE", None, REMARK),
        ("Reg AB12 CDE", "GB", REMARK),
        ("AB12 CDE (GB)", "PL", "says the plate is of GB, and the column `country` says PL"),
        ("AB12_DE", "GB", MARK),
        ("AB14%", "GB", MARK),
        ("AB[12]CDE", None, MARK),
        ("AB/12/CDE", None, MARK),
        ("AB12=CDE", None, MARK),
        ("AB12 CDE²", None, "no Latin letter is known for '²'"),
        ("M\ufffd-AB 123", "DE", DECODED),
        ("MÃœ-AB 123", "DE", DECODED),
        ("BÃ–-AB 123", "DE", DECODED),
        ("AB12Â CDE", "GB", DECODED),
        ("Ж123", None, "no Latin letter is known for 'Ж'"),
        ("AB12CD(E)", None, REMARK),
        ("AB-123-C(D)", None, REMARK),
        ("ABC 12 (3)", "GB", REMARK),
        ("AB12CDE/F", None, REMARK),
        ("<b>AB12CDE</b>", None, REMARK),
        ("M\\u00dc-AB 123", None, REMARK),
        ("AB12...", "GB", UNKNOWN_MARKS),
        ("AB12---", None, UNKNOWN_MARKS),
        ("...CDE 12", None, UNKNOWN_MARKS),
        ("AB1···CDE", "GB", UNKNOWN_MARKS),
        ("A--- BCD", "GB", UNKNOWN_MARKS),
        ("---", None, "this has none: leave the line out"),
        ("Unidentified", None, NO_PLATE),
        ("Pending", None, NO_PLATE),
        ("unreg vehicle", None, NO_PLATE),
        ("see above", None, NO_PLATE),
        ("AB12CDE formerly XY34ZZZ", None, TWO),
        ("AB12 CDE to AB12 CDH", "GB", TWO),
        ("AB12 CDE later known as XY34 ZZZ", "GB", TWO),
        ("M-AB 123 bis M-AB 130", None, TWO),
        ("AB12 CDE A123 4567", "GB", TWO),
        ("blue AB12 CDE pulls A123 4567", "GB", TWO),
        ("#1 AB12 CDE", "GB", MARK),
        ("#DIV/0!", "GB", ERROR),
    ],
)
def test_a_cell_that_is_no_plate_is_refused_by_name(cell: str, country: str | None, reason: str) -> None:
    with pytest.raises(InvalidCellError) as refused:
        read_plate_cell(cell, country)
    assert reason in refused.value.reason


@pytest.mark.parametrize(
    ("cell", "country", "plate", "beside"),
    [
        ("GB AB12 CDE", None, "AB12 CDE", "GB"),
        ("GB AB12 CDE", "GB", "AB12 CDE", "GB"),
        ("UK-AB12CDE", None, "AB12CDE", "GB"),
        ("AB12 CDE (GB)", None, "AB12 CDE", "GB"),
        ("AB12CDE/GBR", None, "AB12CDE", "GB"),
        ("AB1? C* (GB)", None, "AB1? C*", "GB"),
        ("B-MW 555(D)", None, "B-MW 555", "DE"),
        ("1-ABC-234 / B", None, "1-ABC-234", "BE"),
        ("A123BC77 (RUS)", None, "A123BC77", "RU"),
        ("AB12CDE GB", None, "AB12CDE", "GB"),
        ("(D) M-AB 123", None, "M-AB 123", "DE"),
        ("D: M-AB 123", "DE", "M-AB 123", "DE"),
        ("D M-AB 123", "DE", "M-AB 123", "DE"),
        ("F AB-123-CD", "FR", "AB-123-CD", "FR"),
        ("PL WPI 10471", None, "WPI 10471", "PL"),
        ("141-D-12345 [IRL]", None, "141-D-12345", "IE"),
        ("B-MW 555 (Germany)", None, "B-MW 555", "DE"),
        ("Deutschland: B-MW 555", None, "B-MW 555", "DE"),
        ("Germany B-MW 555", None, "B-MW 555", "DE"),
        ("AB-123-CD France", None, "AB-123-CD", "FR"),
        ("AB12 CDE United Kingdom", None, "AB12 CDE", "GB"),
        ("Wielka Brytania AB12 CDE", None, "AB12 CDE", "GB"),
        ("LT ABC 123", None, "ABC 123", "LT"),
        ("E 1234 BBC", None, "1234 BBC", "ES"),
        ("D OSLX-407", "DE", "OSLX-407", "DE"),
        ("D-FBTC390", "DE", "FBTC390", "DE"),
        ("FI-PXS009", None, "PXS009", "FI"),
        ("NL ZZ326F", None, "ZZ326F", "NL"),
        ("FBTC 390 D", "DE", "FBTC 390", "DE"),
        ("GB AB1? CDE", None, "AB1? CDE", "GB"),
        ("AB1? CDE GB", "GB", "AB1? CDE", "GB"),
        ("F AB-1?3-CD", None, "AB-1?3-CD", "FR"),
        ("D M-AB 1??", "DE", "M-AB 1??", "DE"),
        ("LT ABC 12?", "LT", "ABC 12?", "LT"),
        ("AB12 CDE (stolen)", "GB", "AB12 CDE", None),
        ("[lorry] AB12 CDE", None, "AB12 CDE", None),
        ("A123 4567 (trailer)", "GB", "A123 4567", None),
        ('"AB12 CDE"', None, "AB12 CDE", None),
        ("'AB12CDE", None, "AB12CDE", None),
        ('="AB12CDE"', None, "AB12CDE", None),
    ],
)
def test_a_plate_beside_its_country_or_a_remark_is_taken_and_counted(
    cell: str, country: str | None, plate: str, beside: str | None
) -> None:
    taken = read_plate_cell(cell, country)
    assert (taken.plate, taken.country) == (plate, beside)
    assert TAKEN_FROM_MORE in taken.notes


@pytest.mark.parametrize(
    ("cell", "country"),
    [
        # all digits, or like a date or a country and a plate: plates of their country all the same
        ("12345", "LU"),
        ("12.345", "LU"),
        ("MAR-123", "HU"),
        ("D-M 123", "DE"),
        ("D-AB 123", "DE"),
        ("DE-AB 123", "DE"),
        ("D-AB 123", None),
        ("D-AB 1??", "DE"),
        ("B ?23 ABC", "RO"),
        ("L-AB 1234", "DE"),
        ("EE-789-KY", "FR"),
        ("HH OI 1010", "DE"),
        ("B 701 OIZ", "RO"),
        ("E 8101 HO", "BG"),
        ("AB 12 345", "DK"),
        ("AB\n12 CDE", "GB"),
        ("MÜ-AB 123", "DE"),
        ("AB1? C*", "GB"),
        ("*B12*", "GB"),
        ("A?12 CDE", "GB"),
        ("AB12CDE*", "GB"),
        # dateless, personal, of an old series, diplomatic, or of a trailer: no form of the country, but real
        ("1 ABC", "GB"),
        ("ABC 12", "GB"),
        ("ABC 123 A", "GB"),
        ("123 D 456", "GB"),
        ("A123 4567", "GB"),
        ("W0 KROL", "PL"),
        ("PO 5K123", "PL"),
        ("KR 7LK98", "PL"),
        ("WPI JK34", "PL"),
        ("WPI 1JK4", "PL"),
        ("WPI 12J4", "PL"),
        ("W-123-AB", "FR"),
        ("EL 123 AB", "CZ"),
        ("BX-DL-01", "NL"),
        ("04-D-1", "IE"),
        ("MI A12345", "IT"),
        ("1234 AB 62", "FR"),
    ],
)
def test_a_plate_of_a_known_layout_is_taken_without_a_note(cell: str, country: str | None) -> None:
    taken = read_plate_cell(cell, country)
    assert (taken.plate, taken.country, taken.notes) == (cell, None, ())


@pytest.mark.parametrize(
    ("cell", "country", "note"),
    [
        ("MAR 12", "GB", NO_KNOWN_LAYOUT),
        ("W0 KROLIK", "PL", NO_KNOWN_LAYOUT),
        ("see notes", None, NO_KNOWN_LAYOUT),
        ("AB12CD", "GB", NO_KNOWN_LAYOUT),
        ("1E23", "GB", NO_KNOWN_LAYOUT),
        ("123456", None, NO_KNOWN_LAYOUT),
        ("44927", None, DIGITS_ONLY),
        ("AB12 xxx", "GB", MASKED),
        ("XXX 123 Y", None, MASKED),
        ("B-XXX 12", "DE", MASKED),
        ("EE 789 KY", None, MAY_HOLD_COUNTRY),
        ("L-AB 1234", None, MAY_HOLD_COUNTRY),
        ("H GAN-699", "HU", MAY_HOLD_COUNTRY),
        ("LTU-VK 807", None, MAY_HOLD_COUNTRY),
        ("LT AB? 123", None, MAY_HOLD_COUNTRY),
        ("AB1? C* GB", "GB", MAY_HOLD_COUNTRY),
        ("AB12CDE?", "GB", PATTERN_OF_NO_LAYOUT),
        ("AB12* XY34*", "GB", PATTERN_OF_NO_LAYOUT),
        ("12?34?56?78", None, PATTERN_OF_NO_LAYOUT),
    ],
)
def test_what_may_be_no_plate_is_taken_and_counted(cell: str, country: str | None, note: str) -> None:
    assert note in read_plate_cell(cell, country).notes


@pytest.mark.parametrize("cell", ["123", "1234567"])
def test_digits_of_an_unknown_layout_are_only_doubtful_where_plates_may_have_no_letter(cell: str) -> None:
    assert read_plate_cell(cell, "LU").notes
    with pytest.raises(InvalidCellError, match=IS_NUMBER):
        read_plate_cell(cell, "GB")


def test_the_layouts_are_those_of_the_countrys_forms() -> None:
    assert fits_known_layout("AB12CDE", "GB")
    assert not fits_known_layout("12345", "GB")
    assert fits_known_layout("12345", None)
    assert fits_known_layout("AB12CDE", "XK"), "of a country without forms every layout is known"


# --- whole files: the inputs of users, as they came ---


def read(tmp_path: Path, *lines: str) -> ListFile:
    file = tmp_path / "list.csv"
    file.write_text("\n".join(["plate,country,valid_until", *lines]) + "\n", "utf-8")
    return read_list(file, "stolen")


def alerts(content: ListFile, *texts: str) -> list[tuple[str, str]]:
    """Return the plate as read and the tier of each alert."""
    replay = BacktestReplay(content.entries, timedelta(minutes=5), UTC_DAYS)
    found = []
    for number, text in enumerate(texts):
        at = "2026-11-01T10:00:00Z"
        line = {"read_id": str(number), "site": "calais", "captured_at": at, "plate": text}
        found += [(alert.read.plate, alert.tier) for alert in replay.match_line(json.dumps(line).encode())[1]]
    return found


def test_a_ruined_letter_refuses_its_line_and_costs_no_other(tmp_path: Path) -> None:
    content = read(tmp_path, "M\ufffd-AB 123,DE,2099-12-31", "M-AB 123,DE,2099-12-30")
    assert [(fault.line, DECODED in fault.reason) for fault in content.faults] == [(2, True)]
    assert ("M AB 123", "exact") in alerts(content, "MÜ AB 123", "M AB 123")


def test_a_masked_character_is_never_exact(tmp_path: Path) -> None:
    content = read(tmp_path, "AB12 CD,GB,2099-12-31", "A123 BCD,GB,2099-12-31")
    assert len(content.entries) == 2
    assert {tier for _, tier in alerts(content, "AB12CD*", "A*123BCD", "AB12CD?")} <= {"near"}


@pytest.mark.parametrize(
    ("lines", "reads"),
    [
        (
            ("1.00E+23,GB,2099-12-31", "12345.0,LU,2099-12-31"),
            ("1E23", "MAR1", "1MAR", "12345", "123450"),
        ),
        (("AB12 CDE / XY34 ZZZ,GB,2099-12-31",), ("AB12CDE", "XY34ZZZ", "AB12CDF")),
        (("AB12_DE,GB,2099-12-31", "AB14%,GB,2099-12-31"), ("AB12DE", "AB123CDE", "AB12CDE", "AB14", "AB13DE")),
        (("UNKNOWN,,2099-12-31", "#NAME?,,2099-12-31"), ("NAME5",)),
    ],
)
def test_a_line_that_is_no_plate_rings_for_nobody(
    tmp_path: Path, lines: tuple[str, ...], reads: tuple[str, ...]
) -> None:
    content = read(tmp_path, *lines)
    assert content.refused == len(lines)
    assert not alerts(content, *reads)


@pytest.mark.parametrize(
    ("listed", "country", "text", "tiers"),
    [
        ("N1 ONE", "GB", "N1ONE", {"exact"}),
        ("N1 ONE", "GB", "N?ONE", {"near"}),
        ("NUL 1L", "GB", "NUL?L", {"near"}),
        ("NO 1", "GB", "NO1", {"exact"}),
        ("NA 1", "GB", "NA1", {"exact"}),
        ("W0 BRAK", "PL", "W0BRAK", {"exact"}),
        ("NO 12345", "NO", "NO12345", {"exact"}),
        ("BE 123 AB", "FR", "BE123AB", {"exact"}),
    ],
)
def test_a_word_for_no_plate_takes_no_plate_that_holds_it(
    tmp_path: Path, listed: str, country: str, text: str, tiers: set[str]
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"plate,country,valid_until,tolerance\n{listed},{country},2099-12-31,near\n", "utf-8")
    assert {tier for _, tier in alerts(read_list(file, "stolen"), text)} == tiers


@pytest.mark.parametrize("cell", ["NO", "NA", "TEST", "NONE", "BRAK"])
def test_a_personal_plate_that_is_a_word_for_no_plate_is_refused_by_name(cell: str) -> None:
    with pytest.raises(InvalidCellError, match="no read that says so is matched"):
        read_plate_cell(cell, "SE")


def test_the_plan_says_how_many_plates_are_doubtful_with_samples(tmp_path: Path) -> None:
    content = read(
        tmp_path,
        "GB AB12 CDE,,2099-12-31",
        "AB13 CDE,GB,2099-12-31",
        *(f"ABCD {number},GB,2099-12-31" for number in range(10, 15)),
    )
    assert [entry.country for entry in content.entries[:2]] == ["GB", "GB"]
    assert content.warnings == (
        (
            "cells that held more than a plate, of which the plate was taken: 1 "
            "(line 2: 'GB AB12 CDE' as 'AB12 CDE', country GB)"
        ),
        (
            "plates that fit no known layout of their country, or of any: 5 "
            "(line 4: 'ABCD 10'; line 5: 'ABCD 11'; line 6: 'ABCD 12'; ...)"
        ),
    )


def test_a_plate_with_its_country_beside_it_is_the_same_entry_as_without(tmp_path: Path) -> None:
    [beside] = read(tmp_path, "GB AB12 CDE,,2099-12-31").entries
    [alone] = read(tmp_path, "AB12 CDE,GB,2099-12-31").entries
    assert beside == alone
    assert read(tmp_path, "GB AB12 CDE,,never").refused_ids == {alone.entry_id}
