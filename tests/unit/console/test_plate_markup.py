"""How a plate is drawn on the officers' pages."""

from datetime import UTC

import pytest

from anpr.console.http.render import environment


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
    template = environment(None, UTC).get_template("plate.html")
    drawn = str(vars(template.make_module())["plate"](country, "AB12CDE", position))
    assert ("plate--yellow" in drawn) is is_yellow
    assert (f">{country}<" in drawn) is (country is not None)
