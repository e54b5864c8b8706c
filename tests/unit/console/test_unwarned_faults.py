"""The Health page knows of each fault that it marks and that no warning names."""

import pytest

from anpr.board.back_checks import BackCheckHealth
from anpr.board.camera_liveness import CameraState
from anpr.console.status.status_warnings import status_warnings
from anpr.console.status.system_status import SystemStatus
from anpr.console.status.unwarned_faults import UnwarnedFaults, unwarned_faults
from anpr.contracts.events import UnknownCamera
from tests.support.strategies import NOON
from tests.unit.console.test_status_warnings import AT, CAMERAS, SETTINGS, changed, status


def clocks_off(seconds: float) -> SystemStatus:
    state = CameraState(NOON, 12, is_silent=False, clock_offset_seconds=seconds)
    return status(cameras={"calais": dict.fromkeys((camera.name for camera in CAMERAS), state)})


@pytest.mark.parametrize(
    "seen",
    [
        status(),
        clocks_off(5),
        clocks_off(-5),
        status(changed(lag=1000)),
        status(problems_without_cameras={"dover": ""}),
    ],
)
def test_while_all_is_well_there_is_none(seen: SystemStatus) -> None:
    assert unwarned_faults(seen, SETTINGS.console) == UnwarnedFaults()
    assert not unwarned_faults(seen, SETTINGS.console).any


@pytest.mark.parametrize(
    ("seen", "faults"),
    [
        (
            clocks_off(-90),
            UnwarnedFaults(clocks_off=frozenset(("calais", camera.name) for camera in CAMERAS)),
        ),
        (
            status(back_checks={"coquelles": BackCheckHealth(None, NOON)}),
            UnwarnedFaults(back_checks=frozenset({"coquelles"})),
        ),
        (status(changed(lag=1001)), UnwarnedFaults(lagging=frozenset({("calais", "m")}))),
        (status(changed(dead_letters=1)), UnwarnedFaults(dead_lettering=frozenset({("calais", "m")}))),
        (
            status(problems_without_cameras={"dover": "the broker does not answer"}),
            UnwarnedFaults(not_connected=frozenset({"dover"})),
        ),
        (
            status(unknown_cameras={"dover": {"camera-9": UnknownCamera(reads=1, last_read_at=NOON)}}),
            UnwarnedFaults(unknown_cameras=frozenset({"dover"})),
        ),
    ],
)
def test_each_is_found_and_rings_no_warning(seen: SystemStatus, faults: UnwarnedFaults) -> None:
    assert unwarned_faults(seen, SETTINGS.console) == faults
    assert faults.any
    assert status_warnings(seen, SETTINGS, "calais", AT) == ()
