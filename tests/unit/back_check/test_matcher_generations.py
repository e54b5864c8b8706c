"""From when on no read can be matched with an older list."""

from datetime import timedelta
from typing import Any

from anpr.back_check.matcher_generations import MatcherGenerations
from anpr.contracts.events import Generation, Status
from tests.support.strategies import NOON, generation

PARTITIONS = 6


def status(matcher: str, number: int | None, partitions: int, **fields: Any) -> Status:
    given: dict[str, Any] = {"generation": generation(number) if number else None} | fields
    return Status(site="calais", matcher=matcher, at=NOON, started_at=NOON, partitions=partitions, **given)


def lowest(*statuses: Status, apart: float = 0.1, later: float = 1) -> Generation | None:
    """Return the oldest generation, `later` seconds after the last of the statuses, which come so far `apart`."""
    generations = MatcherGenerations()
    for number, one in enumerate(statuses):
        generations.note(one, NOON + timedelta(seconds=number * apart), 100.0)
    return generations.lowest(PARTITIONS, 100.0 + later)


def test_the_last_matcher_decides() -> None:
    assert lowest(status("a", 7, 3), status("b", 6, 3)) == generation(6)
    assert lowest(status("a", 7, 3), status("b", 6, 3), status("b", 7, 3)) == generation(7)


def test_a_matcher_on_standby_has_no_part() -> None:
    assert lowest(status("a", 7, 6), status("b", 6, 0)) == generation(7)
    assert lowest(status("a", 7, 6), status("b", None, 0)) == generation(7)


def test_as_long_as_a_partition_has_no_matcher_or_a_matcher_no_list_nobody_knows() -> None:
    assert lowest() is None
    assert lowest(status("a", 7, 5)) is None
    assert lowest(status("a", 7, 3), status("b", None, 3)) is None
    assert lowest(status("a", 7, 3), status("b", 7, 3, has_left=True)) is None
    assert lowest(status("a", 7, 6), later=20) is None, "it is silent"


def test_a_matcher_that_is_killed_does_not_count_when_others_have_taken_its_place() -> None:
    assert lowest(status("killed", 6, 3), status("a", 7, 6), apart=20) == generation(7)
    assert lowest(status("killed", 7, 3), status("a", 7, 3), apart=20) is None, "not yet"
    assert lowest(status("a", 7, 6), status("a", 7, 6), apart=-3600) == generation(7), "the broker's clock went back"
