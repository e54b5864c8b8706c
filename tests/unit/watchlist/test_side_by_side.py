"""An operator sees the active entry and the new one side by side, field by field."""

from datetime import UTC, datetime

from anpr.contracts.events import Vehicle
from anpr.watchlist.side_by_side import side_by_side
from tests.support.strategies import an_entry

ACTIVE = an_entry("1", plate="AB12 CDE", reason="left the scene", warnings=("armed", "two dogs"), priority=3)


def rows(text: str) -> dict[str, str]:
    return {line[2:17].strip(): line for line in text.splitlines()}


def test_the_fields_that_differ_are_marked_and_empty_ones_are_left_out() -> None:
    new = an_entry(
        "1",
        plate="AB12 CDE",
        reason="stolen",
        vehicle=Vehicle(make="Ford"),
        valid_until=datetime(2031, 1, 1, tzinfo=UTC),
    )
    shown = rows(side_by_side(ACTIVE, new))
    marked = {column for column, line in shown.items() if line.startswith("*")}
    assert marked == {"reason", "warnings", "vehicle_make", "valid_until"}
    assert shown["reason"].split() == ["*", "reason", "left", "the", "scene", "stolen"]
    assert shown["warnings"].split() == ["*", "warnings", "armed|two", "dogs"]
    assert "owner" not in shown


def test_a_long_text_is_wrapped_and_no_character_moves_the_cursor() -> None:
    new = an_entry("1", plate="AB12 CDE", reason="seen \x1b[2J\n" + "far " * 40)
    text = side_by_side(ACTIVE, new)
    assert text.count("far") == 40
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 2 + 15 + 2 + 44 + 2 + 44
