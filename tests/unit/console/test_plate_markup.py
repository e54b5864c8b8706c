"""How a plate is drawn on the officers' pages."""

from datetime import UTC

import pytest

from anpr.console.http.render import environment
from anpr.contracts.events import Explanation
from anpr.matching.explanation import differences


@pytest.mark.parametrize(
    ("country", "position", "is_yellow"),
    [
        ("GB", "rear", True),
        ("UK", "rear", True),
        ("UK", "front", False),
        ("NL", "front", True),
        ("FR", "rear", False),
        (None, "rear", False),
    ],
)
def test_a_plate_has_its_countrys_colour_and_shows_the_country_that_was_read(
    country: str | None, position: str, is_yellow: bool
) -> None:
    template = environment(None, UTC, {}).get_template("plate.html")
    drawn = str(vars(template.make_module())["plate"](country, "AB12CDE", position))
    assert ("plate--yellow" in drawn) is is_yellow
    assert (f">{country}<" in drawn) is (country is not None)


@pytest.mark.parametrize(
    ("read", "listed", "lines"),
    [
        ("FAB123CD62", "AB123CD", ["also read <b>F</b> at character 1", "also read <b>62</b> at character 9"]),
        ("AB13CD", "AB123CD", ["did not read <b>2</b> at character 4 of the listed plate"]),
        ("AB123CO", "AB123CD", ["At character 7 the camera read <b>O</b>, and the list has <b>D</b>"]),
    ],
)
def test_an_incident_names_no_character_that_the_listed_plate_does_not_have(
    read: str, listed: str, lines: list[str]
) -> None:
    found = differences(read, listed, country="FR", listed_country="FR")
    explanation = Explanation(read_as=read, listed_as=listed, differences=found)
    template = environment(None, UTC, {}).get_template("plate.html")
    drawn = str(vars(template.make_module())["differences"](explanation))
    assert all(line in drawn for line in lines)
    assert "nothing" not in drawn
