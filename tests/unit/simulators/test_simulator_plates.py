"""Simulated plates follow their country's syntax."""

from random import Random

import pytest

from anpr.contracts import plates as keys
from simulators import plate_syntax

# Plates from the road or from the rules themselves, not drawn from the table.
KNOWN = [
    ("PL", "WI12345"),
    ("PL", "GDA4A56"),
    ("RO", "B123ABC"),
    ("RO", "CJ12XYZ"),
    ("GB", "AB12CDE"),
    ("GB", "EU03ORC"),
    ("GB", "AIG1234"),
    ("LT", "ABC123"),
    ("HU", "ABC123"),
    ("HU", "AABC123"),
    ("ES", "1234BCD"),
    ("NL", "12BDF3"),
    ("DE", "BAB123E"),
    ("BG", "CB1234AB"),
    ("FR", "AB123CD"),
    ("BE", "1ABC234"),
    ("IE", "131D12345"),
    ("IT", "EP008LM"),
    ("IT", "XA123BC"),
    ("CZ", "1A23456"),
    ("CZ", "9AZ1234"),
    ("SK", "BA123CD"),
    ("SK", "AA001AA"),
    ("SK", "NR123YA"),
    ("PT", "AA01AA"),
    ("PT", "12AB34"),
    ("UA", "KA1234BC"),
    ("TR", "34PLT34"),
    ("TR", "06J9999"),
    ("LV", "AB1234"),
    ("LV", "P1234"),
    ("EE", "195AGM"),
    ("SI", "LJAB123"),
    ("HR", "ZG1234AB"),
    ("RS", "BG1234AA"),
    ("AT", "W76067I"),
    ("AT", "KU217BI"),
    ("CH", "ZH123456"),
    ("DK", "AB12345"),
    ("SE", "WER84A"),
    ("NO", "DP70231"),
    ("FI", "ABC123"),
    ("GR", "AXA1000"),
    ("LU", "BA4001"),
    ("MK", "SK2345MG"),
    ("BA", "A99K987"),
    ("MD", "ABC123"),
    ("MD", "KAB123"),
]
UNKNOWN = [
    ("FR", "OB123CD"),
    ("ES", "1234ABC"),
    ("RO", "XX12ABC"),
    ("RO", "B12OAB"),
    ("BG", "CB1234AD"),
    ("DE", "HROAB1234"),
    ("NL", "12AEI3"),
    ("GB", "AB1CDEF"),
    ("IT", "AU123CD"),
    ("CZ", "1G23456"),
    ("UA", "KA1234BD"),
    ("TR", "82AB123"),
    ("LV", "AQ1234"),
    ("SE", "ABV123"),
    ("GR", "ABC1000"),
    ("LU", "AI1234"),
    ("BA", "B99A123"),
    ("CH", "AA1234"),
]


@pytest.mark.parametrize("country", plate_syntax.COUNTRIES)
@pytest.mark.parametrize("trailer", [False, True])
def test_every_plate_made_fits_its_country_and_is_canonical(country: str, trailer: bool) -> None:
    rng = Random(1)
    for _ in range(300):
        plate = plate_syntax.make_plate(country, rng, trailer=trailer)
        assert plate_syntax.fits_country(country, plate), plate
        assert keys.canonical(plate) == plate
        assert 4 <= len(plate) <= keys.MAX_CANONICAL_LENGTH


@pytest.mark.parametrize(("country", "plate"), KNOWN)
def test_a_real_plate_fits_its_country(country: str, plate: str) -> None:
    assert plate_syntax.fits_country(country, plate)


@pytest.mark.parametrize(("country", "plate"), UNKNOWN)
def test_letters_and_lengths_that_a_country_does_not_use_do_not_fit(country: str, plate: str) -> None:
    assert not plate_syntax.fits_country(country, plate)


@pytest.mark.parametrize(
    ("country", "plate", "by", "later"),
    [
        ("PL", "WPI10471", 1, "WPI10472"),
        ("PL", "WPI99999", 2, "WPI00001"),
        ("GB", "AB12CDE", 2, "AB12CDG"),
        ("GB", "AB12CDZ", 1, "AB12CDA"),
        ("FR", "AB009CD", 3, "AB012CD"),
        ("NL", "10BKD1", 1, "10BKF1"),
        ("CH", "ZH123456", 0, "ZH123456"),
    ],
)
def test_plates_of_a_fleet_follow_one_another(country: str, plate: str, by: int, later: str) -> None:
    assert plate_syntax.later_plate(country, plate, by) == later


@pytest.mark.parametrize("country", plate_syntax.COUNTRIES)
def test_a_later_plate_is_one_of_its_country(country: str) -> None:
    rng = Random(1)
    for by in range(200):
        assert plate_syntax.fits_country(
            country, plate_syntax.later_plate(country, plate_syntax.make_plate(country, rng), by)
        )


def test_the_table_has_the_countries_whose_vehicles_come_through_the_ports() -> None:
    assert len(plate_syntax.COUNTRIES) >= 20


def test_one_text_can_be_a_plate_of_several_countries() -> None:
    assert [country for country in plate_syntax.COUNTRIES if plate_syntax.fits_country(country, "ABC123")] == [
        *("LT", "HU", "DE", "SE", "FI", "MD")
    ]
    assert [country for country in plate_syntax.COUNTRIES if plate_syntax.fits_country(country, "AB123CD")] == [
        "FR",
        "IT",
        "SK",
    ]
    assert {"GB", "RO"} <= {
        country for country in plate_syntax.COUNTRIES if plate_syntax.fits_country(country, "CJ12ABC")
    }
