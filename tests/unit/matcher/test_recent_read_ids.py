import pytest

from anpr.matcher.recent_read_ids import SLOTS, RecentReadIds
from tests.support.strategies import a_read, minutes


@pytest.fixture
def recent() -> RecentReadIds:
    return RecentReadIds()


def test_a_repeat_of_a_read_is_no_reuse_of_its_id_however_late_it_comes(recent: RecentReadIds) -> None:
    read = a_read("1", camera="camera-1")
    assert [recent.is_reused(read) for _ in range(3)] == [False, False, False]
    assert not recent.is_reused(a_read("1", camera="camera-1", received_at=minutes(60)))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"captured_at": minutes(300)}),
        ({}, {"claimed_at": "2026-03-01 12:00:00Z"}),
        ({}, {"claimed_at": ""}),
        ({"claimed_at": ""}, {"claimed_at": "", "plate": "XY99ZZZ"}),
    ],
    ids=["the camera restarted", "a gateway wrote the time anew", "without a time", "both without a time"],
)
def test_a_known_id_with_another_capture_is_counted(
    recent: RecentReadIds, first: dict[str, object], second: dict[str, object]
) -> None:
    assert not recent.is_reused(a_read("1", camera="camera-1", **first))
    assert recent.is_reused(a_read("1", camera="camera-1", **second))


def test_each_camera_counts_its_reads_for_itself(recent: RecentReadIds) -> None:
    cameras = ("camera-1", "camera-2", "")
    assert not any(
        recent.is_reused(a_read("1", camera=name, captured_at=minutes(n))) for n, name in enumerate(cameras)
    )


def test_two_devices_with_one_name_are_noticed_at_each_id_that_both_use(recent: RecentReadIds) -> None:
    reads = [
        a_read(str(number), captured_at=minutes(number + device)) for number in range(100) for device in (0, 0.5)
    ]
    assert sum(map(recent.is_reused, reads)) == 100


def test_most_of_the_last_reads_are_known_and_the_memory_is_bounded(recent: RecentReadIds) -> None:
    def count(first: int, minute: float) -> int:
        reads = (a_read(str(first + number), captured_at=minutes(minute)) for number in range(1000))
        return sum(map(recent.is_reused, reads))

    count(0, 0)
    for number in range(0, 3 * SLOTS, 30):  # 100,000 reads of other cameras
        recent.is_reused(a_read(str(number), camera="camera-2"))
    assert count(0, 300) > 800, "a restart is noticed after most of a day"
    assert recent._ids.nbytes + recent._captures.nbytes == 16 * SLOTS
