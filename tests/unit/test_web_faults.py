"""Stale never looks quiet: whatever could hide a vehicle is said in words, and the count becomes a question mark."""

from datetime import UTC, timedelta
from typing import Any

import msgspec
import pytest

from anpr.events import Status
from anpr.services.board_feed import Canary, SiteHealth
from anpr.services.camera_watch import CameraState
from anpr.settings import Camera, Settings, Site
from anpr.web.faults import faults
from anpr.web.local_time import in_zone
from anpr.web.sight import Sight
from tests.strategies import NOON, generation

CAMERAS = tuple(Camera(f"camera-{number}", str(number), "front") for number in range(1, 6))
SETTINGS = Settings({"calais": Site("Calais", "k", "r", CAMERAS)})
AT = in_zone(UTC)
SEES = CameraState(NOON, 12, is_silent=False)
BLIND = CameraState(NOON, 12, is_silent=True)
STATUS = Status(
    site="calais",
    matcher="m",
    at=NOON,
    started_at=NOON,
    generation=generation(1),
    list_confirmed_at=NOON,
    partitions=1,
)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def sight(matcher: Status | None = STATUS, *, is_silent: bool = False, blind: int = 0, **fields: Any) -> Sight:
    given: dict[str, Any] = {
        "now": NOON,
        "opened_at": NOON - timedelta(hours=1),
        "caught_up": True,
        "health": (SiteHealth("calais", (matcher,) if matcher else (), NOON, is_silent),),
        "cameras": {"calais": {c.name: BLIND if at < blind else SEES for at, c in enumerate(CAMERAS)}},
        "canaries": {"calais": Canary(NOON - seconds(30), NOON - seconds(29))},
        "refused": {},
        "reads_per_second": {"calais": 1.0},
        "without_cameras": {},
    }
    return Sight(**(given | fields))


def test_while_all_is_well_nothing_is_said() -> None:
    assert faults(sight(), SETTINGS, AT) == ()


def changed(**fields: Any) -> Status:
    return msgspec.structs.replace(STATUS, **fields)


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (sight(caught_up=False), "not whole yet"),
        (sight(is_silent=True), "Calais: cut off since Sun 12:00:00 UTC"),
        (sight(health=(SiteHealth("calais", (), None, is_silent=True),)), "not heard at all"),
        (sight(changed(partitions=0)), "Nothing is being checked"),
        (sight(None), "Nothing is being checked"),
        (sight(changed(generation=None)), "has no watchlist"),
        (sight(changed(list_confirmed_at=None)), "kept on its disk"),
        (sight(changed(list_confirmed_at=NOON - seconds(11))), "watchlist at m is old"),
        (sight(changed(alerts_too_large=2)), "alerts of 2 reads could not be written and are NOT shown"),
        (sight(canaries={}), "test plate has not come back. None has come"),
        (
            sight(canaries={"calais": Canary(NOON - seconds(66), NOON - seconds(65))}),
            "The last one came at Sun 11:58:55",
        ),
        (
            sight(canaries={"calais": Canary(NOON - seconds(30), NOON - seconds(24))}),
            "took more than 5 s. Alerts from",
        ),
        (
            sight(canaries={"calais": Canary(NOON - seconds(50), NOON - seconds(8))}),
            "slow: the test plate took more than 40",
        ),
        (sight(blind=1), "camera camera-1 (lane 1) has seen nothing since Sun 12:00:00 UTC"),
        (sight(blind=4), "4 of 5 cameras see nothing"),
        (sight(blind=5), "no camera has seen anything since Sun 12:00:00 UTC. Look at the lanes yourself"),
        (sight(refused={"anpr.calais.alerts.v1": 2}), "2 records on anpr.calais.alerts.v1 cannot be read"),
    ],
)
def test_each_fault_is_said(seen: Sight, words: str) -> None:
    assert any(words in fault for fault in faults(seen, SETTINGS, AT)), faults(seen, SETTINGS, AT)


def test_a_console_that_has_just_been_opened_does_not_miss_what_it_could_not_see() -> None:
    just = sight(opened_at=NOON - seconds(20), canaries={})
    assert faults(just, SETTINGS, AT) == ()
    read_late = sight(opened_at=NOON - seconds(5), canaries={"calais": Canary(NOON - seconds(40), NOON)})
    assert faults(read_late, SETTINGS, AT) == ()


def test_a_fault_that_goes_on_is_not_said_anew_every_second() -> None:
    later = sight(is_silent=True, now=NOON + seconds(7))
    assert faults(later, SETTINGS, AT) == faults(sight(is_silent=True), SETTINGS, AT)


def test_a_site_that_stays_slow_is_not_said_anew_with_each_test_plate() -> None:
    slow = [sight(canaries={"calais": Canary(NOON - seconds(30), NOON - seconds(30 - took))}) for took in (6, 7.5)]
    assert faults(slow[0], SETTINGS, AT) == faults(slow[1], SETTINGS, AT) != ()
