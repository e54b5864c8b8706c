"""What the doctor says of arrivals: whether anybody looks for the vehicles that are expected."""

from anpr.board.journeys import NEVER
from anpr.doctor.arrival_checks import checks, judge
from anpr.runtime.settings import Camera, Route, Settings, Site
from tests.support.strategies import NOON, minutes

CAMERAS = (Camera(name="in-1", lane="1", position="front"),)
ROUTES = (
    Route(origin="calais", destination="dover", by="ferry", crossing_minutes=90),
    Route(origin="dover", destination="calais", by="road", crossing_minutes=90),
)


def test_a_port_is_checked_if_its_cameras_can_see_vehicles_arrive() -> None:
    settings = Settings({name: Site(name, "k", "r", CAMERAS) for name in ("calais", "dover")}, ROUTES)
    assert [site for _, site, _ in checks(settings, lambda: NOON)] == ["dover"]
    without = Settings({name: Site(name, "k", "r") for name in ("calais", "dover")}, ROUTES)
    assert checks(without, lambda: NOON) == []


def test_it_says_since_when_nobody_meets_arrivals_and_what_to_start() -> None:
    assert judge("dover", minutes(-1), NOON).state == "well"
    silent, never = judge("dover", minutes(-3), NOON), judge("dover", None, NOON)
    assert (silent.state, never.state) == ("wrong", "wrong")
    assert "nobody has met arrivals for 3 minutes" in silent.message
    assert "anpr meet --site dover" in never.next_step
    assert judge("dover", NEVER, NOON).state == "wrong"
