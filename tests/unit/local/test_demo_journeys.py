"""The demo gives the UK ports cameras, shortens the crossings and says so."""

from pathlib import Path

from anpr.local.demo_journeys import crossings_in_words, demo_environment, uk_ports
from anpr.runtime.settings_files import load_settings

CONFIG = Path(__file__).parents[3] / "config"


def test_the_shipped_uk_ports_have_no_cameras_and_those_of_the_demo_have_inbound_lanes() -> None:
    shipped = load_settings(CONFIG, {})
    demo = load_settings(CONFIG, demo_environment(shipped))
    assert uk_ports(shipped) == ["dover", "folkestone"]
    for port in uk_ports(shipped):
        assert not shipped.sites[port].cameras
        assert {camera.direction for camera in demo.sites[port].cameras} == {"uk_bound"}
        assert {camera.position for camera in demo.sites[port].cameras} == {"front", "rear"}
    assert demo.sites["calais"].cameras == shipped.sites["calais"].cameras


def test_crossings_take_seconds_and_the_demo_states_how_many() -> None:
    shipped = load_settings(CONFIG, {})
    demo = load_settings(CONFIG, demo_environment(shipped))
    ways = [(route.origin, route.destination, route.by) for route in shipped.routes]
    assert [(route.origin, route.destination, route.by) for route in demo.routes] == ways
    assert all((route.crossing_minutes + route.wait_minutes) * 60 < 20 for route in demo.routes)
    assert "Calais to Dover 8 to 12 s" in crossings_in_words(demo)
    assert "by road 4 s" in crossings_in_words(demo)
