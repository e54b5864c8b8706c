import pytest

from anpr.contracts import plates


@pytest.mark.parametrize(
    ("as_written", "plain"),
    [
        # what people and cameras write differently
        ("AB12 CDE", "AB12CDE"),
        ("ab12cde", "AB12CDE"),
        ("AB-123-CD", "AB123CD"),
        ("B·MW 1234", "BMW1234"),
        ("  1-ABC-234\t\n", "1ABC234"),
        ("AB\u00a012\u2013CD", "AB12CD"),
        # Cyrillic and Greek letters with a Latin shape
        ("А123ВС77", "A123BC77"),
        ("авекмнорстух", "ABEKMHOPCTYX"),
        ("ІЅЈ", "ISJ"),
        ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"),
        ("νικ", "NIK"),
        # letters without a Latin shape are left out
        ("Ж123Я", "123"),
        ("ΩΛ12", "12"),
        # other widths and styles
        ("ＡＢ１２　ＣＤＥ", "AB12CDE"),
        ("𝐀𝐁①②", "AB12"),
        # accents, umlauts, strokes and ligatures
        ("MÜ-ÄÖ 12", "MUAO12"),
        ("U\u0308", "U"),
        ("š č ž", "SCZ"),
        ("Ø Å Æ", "OAAE"),
        ("øåæ", "OAAE"),
        ("ŁÓDŹ", "LODZ"),
        ("Þ Ð đ ħ ŧ œ", "THDDHTOE"),
        ("weiß", "WEISS"),
        ("WEIẞ", "WEISS"),
        ("İı", "II"),
        # digits of other scripts
        ("١٢٣", "123"),
        ("۴۵۶", "456"),
        ("१२३", "123"),
        ("７８９", "789"),
        # no letter and no digit
        ("", ""),
        ("🚗🚙", ""),
        ("🚗AB12CDE🚙", "AB12CDE"),
        ("AB\u200d12\ufe0f", "AB12"),
        ("\0\x07", ""),
        ("\ud800AB\udfff", "AB"),
        ("京A12345", "A12345"),
    ],
)
def test_a_plate_however_written_becomes(as_written: str, plain: str) -> None:
    assert plates.canonical(as_written) == plain


@pytest.mark.parametrize(
    ("as_given", "as_read"),
    [
        ("ab-12 cde", "AB12CDE"),
        ("Ж123 УХ77", "?123YX77"),
        ("AB?2·CDE", "AB?2CDE"),
        ("AB？2CDE", "AB?2CDE"),
        ("AB\ufffd2CDE", "AB?2CDE"),
        ("12\udcd6CDE", "12?CDE"),
        # one letter of several parts is one position
        ("Й123", "?123"),
        ("12가3456", "12?3456"),
        ("MÜ-ÄÖ 12", "MUAO12"),
        # a separator between the groups of a plate is no position, whatever Unicode calls it
        ("B·MW•12–34", "BMW1234"),
        ("BꞏMWㆍ12ー34", "BMW1234"),
        ("AB・12ـ34", "AB1234"),
        # a sign that is no letter is no position
        ("🚗AB12 CDE®", "AB12CDE"),
        ("ЖЯ", "??"),
        ("", ""),
    ],
)
def test_a_letter_that_no_table_knows_still_takes_up_a_position(as_given: str, as_read: str) -> None:
    assert plates.as_read(as_given) == as_read
    assert plates.has_unreadable(as_given) is ("?" in as_read)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("AB10CDE", "ABIOCDE", True),
        ("0O1I", "O0I1", True),
        ("AB8", "ABB", False),
        ("S5", "55", False),
        ("AB1", "AB11", False),
    ],
)
def test_plates_that_differ_only_in_one_drawn_glyph_share_a_key(one: str, other: str, same: bool) -> None:
    assert (plates.equivalent(one) == plates.equivalent(other)) is same


def test_letters_that_no_table_knows_are_named() -> None:
    assert plates.unknown_letters("Ж123УХ77") == "Ж"
    assert plates.unknown_letters("АВ 12-CDE ö １２ ®") == ""
