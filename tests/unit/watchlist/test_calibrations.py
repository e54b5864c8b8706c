"""The calibrations of a manifest, ready to be used: the same as long as no camera is calibrated anew."""

import msgspec

from anpr.watchlist.calibrations import calibrations_of
from anpr.watchlist.store.manifest import CameraCalibration
from tests.support.calibrations import OFTEN_UNSURE
from tests.support.strategies import minutes

# More cameras than any country has at its ports.
MANY = tuple(
    CameraCalibration.of("calais", f"camera-{number}", (*OFTEN_UNSURE[:-1], number), minutes(0), minutes(9))
    for number in range(3_000)
)


def test_a_change_of_a_list_derives_no_table_again() -> None:
    """Each change brings another manifest, and a matcher waits while its index is opened."""
    as_read_again = msgspec.json.decode(msgspec.json.encode(MANY), type=tuple[CameraCalibration, ...])
    assert calibrations_of(as_read_again) is calibrations_of(MANY)


def test_each_camera_has_its_own_table() -> None:
    of_all, last = calibrations_of(MANY), calibrations_of(MANY[-1:])
    assert of_all.tables[of_all.rows["calais", "camera-2999"]].tolist() == last.tables[0].tolist()
    assert of_all.tables[0].tolist() != last.tables[0].tolist()


def test_of_two_calibrations_of_a_camera_the_last_counts() -> None:
    first, last = MANY[0], CameraCalibration.of("calais", "camera-0", MANY[-1].counts, minutes(0), minutes(9))
    both, only = calibrations_of([first, last]), calibrations_of([last])
    assert both.rows == only.rows == {("calais", "camera-0"): 0}
    assert both.tables.tolist() == only.tables.tolist()


def test_no_calibrated_camera_is_none() -> None:
    assert not calibrations_of(())
