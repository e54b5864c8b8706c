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
def test_a_plate_becomes_canonical_however_it_is_written(as_written: str, plain: str) -> None:
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
        # a mark that separates nothing is a position, in ASCII or not
        ("🚗AB12 CDE®", "?AB12CDE?"),
        ("AB12CD*", "AB12CD?"),
        ("A*123BCD", "A?123BCD"),
        ("AB[1]2CD%#", "AB?1?2CD??"),
        ("AB12 ²ª™ ½", "AB12????"),
        ("AB…CDE", "AB?CDE"),
        ("AB\x85CDE", "AB?CDE"),
        # what fills the field at its ends is no position; within, it is one that was not read
        ("__AB12CDE__", "AB12CDE"),
        (" _AB12 CDE-_ ", "AB12CDE"),
        ("AB12CDE\0\0\0", "AB12CDE"),
        ("AB12\0CDE\0_", "AB12?CDE"),
        ("AB12_CDE", "AB12?CDE"),
        ("＿AB１2＿CDE", "AB12?CDE"),
        ("____", ""),
        # a letter that was decoded wrongly is one position, and so is a trace of it
        ("MÃœ-AB 123", "M?AB123"),
        ("BÃ–-AB 123", "B?AB123"),
        ("mã¼ ab 123", "M?AB123"),
        ("MĂś AB 123", "M?AB123"),
        ("WZÄ„123", "WZ?123"),
        ("Р•555РљРҐ", "?555P?P?"),
        ("AB12Â CDE", "AB12?CDE"),
        ("ï»¿AB12CDE", "?AB12CDE"),
        # an accent belongs to the letter that Unicode knows with it, and to no other
        ("U\u0308AB1", "UAB1"),
        ("AB1\u03082", "AB1?2"),
        ("AB´12", "AB?12"),
        ("क्षि12", "??12"),
        # no ink
        ("AB\u200d12\ufe0f", "AB12"),
        ("\u202aAB12\u202c\ufeff", "AB12"),
        ("ЖЯ", "??"),
        ("", ""),
    ],
)
def test_what_is_not_understood_still_takes_up_a_position(as_given: str, as_read: str) -> None:
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


@pytest.mark.parametrize(
    ("listed", "named"),
    [
        ("AB12_DE", "_"),
        ("AB14%", "%"),
        ("AB[12]", "[]"),
        ("M\ufffd-AB 123", "\ufffd"),
        ("MÃœ AB 123", "Ãœ"),
        ("Ж123", "Ж"),
        ("AB12 (CDE)", "()"),
        ("AB1? C*", ""),
        ("ＡＢ？＊", ""),
        ("AB-12·C.D\u200b", ""),
    ],
)
def test_what_a_list_may_not_hold_is_named(listed: str, named: str) -> None:
    assert plates.not_understood(listed) == named


def test_the_marks_that_separate_in_ascii_are_few() -> None:
    assert set(plates.ASCII_SEPARATORS) == set("\t\n\v\f\r\x1c\x1d\x1e\x1f -.")
    assert set(plates.ASCII_PADDING) == set("_\0")


@pytest.mark.parametrize(("text", "wrongly"), [("MÃœ", True), ("M\ufffd", True), ("ABÂ 12", True), ("MÜ·Ä-1", False)])
def test_a_text_that_was_decoded_wrongly_is_known(text: str, wrongly: bool) -> None:
    assert plates.has_mojibake(text) is wrongly
