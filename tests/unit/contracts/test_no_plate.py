"""Which texts say that there is no plate. A read that does is unreadable, and a list refuses the cell."""

import pytest

from anpr.contracts.no_plate import says_no_plate
from anpr.reference_data import tables

LANGUAGES = tables.load("no_plate_words")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_says_it_alone_and_beside_every_noun_of_its_language(language: str) -> None:
    nouns = LANGUAGES[language]["nouns"]
    for word in LANGUAGES[language]["words"]:
        assert says_no_plate(word)
        assert [noun for noun in nouns if not (says_no_plate(word + noun) and says_no_plate(noun + word))] == []


@pytest.mark.parametrize(
    "text",
    [
        "no plate fitted",
        "No number plate",
        "NO REG. PLATE",
        "Plate not visible",
        "PLATE - NOT READ",
        "unknown / unknown",
        "NONE (not fitted)",
        "No plate, no registration",
        "front plate missing",
        "sans plaque",
        "Plaque absente / illisible",
        "PAS DE PLAQUE D'IMMATRICULATION",
        "plaque avant illisible",
        "kein Kennzeichen vorhanden",
        "Kennzeichen nicht lesbar",
        "geen kenteken bekend",
        "brak tablic rejestracyjnych",
        "fără număr de înmatriculare",
        "sin placa visible",
        "UNKNOWN KENTEKEN",
        "[NULL] value",
        "NO_PLATE",
        "__NO_PLATE__",
        "Not_Read",
        "n/a",
        "N.A.",
        "UNKNOWN?",
        "* none *",
        "Неизвестно",
        "нет номера",
        "Без номера!",
        "Номер не распознан",
        "Невідомий номер",
        "немає даних",
        "Няма табела",
        "ЛИПСВА НОМЕР",
        "непознат број",
        "Άγνωστη πινακίδα",
        "χωρίς πινακίδες",
        "άγνωστος",
        "PLAKASIZ ARAÇ",
        "plaka okunamıyor",
        "BİLİNMİYOR",
        "fără număr",
        "nincs rendszám",
        "Ismeretlen rendszám",
        "مجهول",
        "بدون لوحة",
        "לא ידוע",
        "ללא לוחית רישוי",
        "无车牌",
        "未识别",
    ],
)
def test_a_phrase_of_such_words_says_it_in_any_order_and_with_any_marks(text: str) -> None:
    assert says_no_plate(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?",
        "PLATE",
        "NUMBERPLATE",
        "AB12CDE",
        "UNKNOWN1",
        "NO1PLATE",
        "NANO",
        "NONA",
        "NDNC",
        "TESTA",
        "ATEST",
        "NOTARY",
        "NOPLATEX",
        "KENTEKENPLAATJE",
        "MLB",
        # a character that was not read may be the digit of a plate: N1 ONE, NUL 1L, T1 EST are UK plates
        "N?ONE",
        "NUL?L",
        "T*EST",
        "N_ONE",
        "S#ANS",
        "B\ufffdRAK",
        "N■ONE",
        "НОМЕР",
        "НЕТ 1",
        "ΠΙΝΑΚΙΔΑ",
        "车牌",
    ],
)
def test_a_noun_a_name_and_a_plate_do_not_say_it(text: str) -> None:
    assert not says_no_plate(text)
