"""The names of cameras that the configuration does not have are counted, bounded, and forgotten when they stop."""

from datetime import timedelta

from anpr.contracts.events import MOST_UNKNOWN_CAMERAS
from anpr.matcher.unknown_camera_counts import FORGOTTEN_AFTER, MOST_KEPT, UnknownCameras
from tests.support.strategies import NOON


def test_reads_are_counted_by_name_and_the_last_one_is_kept() -> None:
    unknown = UnknownCameras(["camera-1"])
    assert [unknown.count_read(name, NOON) for name in ("camera-1", "camera-2", "", "camera-2")] == [
        False,
        True,
        True,
        True,
    ]
    unknown.count_read("camera-2", NOON - timedelta(seconds=5))
    cameras = unknown.at(NOON)
    assert {name: camera.reads for name, camera in cameras.items()} == {"camera-2": 3, "": 1}
    assert cameras["camera-2"].last_read_at == NOON


def test_a_corrected_name_disappears_an_hour_after_its_last_read() -> None:
    unknown = UnknownCameras([])
    unknown.count_read("old", NOON)
    assert unknown.at(NOON + FORGOTTEN_AFTER - timedelta(seconds=1))
    assert not unknown.at(NOON + FORGOTTEN_AFTER)


def test_a_camera_that_makes_reads_is_found_among_any_number_of_invented_names() -> None:
    unknown = UnknownCameras([])
    for number in range(10 * MOST_KEPT):
        unknown.count_read(f"invented-{number}", NOON)
        if number % 50 == 0:
            unknown.count_read("real", NOON)
        assert unknown.count() <= MOST_KEPT
    cameras = unknown.at(NOON)
    assert next(iter(cameras)) == "real"
    assert cameras["real"].reads == 10 * MOST_KEPT // 50
    assert len(cameras) == MOST_UNKNOWN_CAMERAS
