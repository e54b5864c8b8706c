"""A silent camera is found by what the other cameras see meanwhile. A lull between ferries is no silence."""

from datetime import datetime, timedelta

from anpr.board.camera_liveness import CameraLiveness
from anpr.contracts.events import Status
from tests.support.strategies import NOON

CAMERAS = ("one", "two", "three")


class Port:
    """A port with one vehicle a second. Its cameras see them one after the other."""

    def __init__(self) -> None:
        self.liveness = CameraLiveness(timedelta(minutes=30))
        self.now = NOON
        self.reads = 0
        self.last: dict[str, datetime] = {}

    def see(self, seconds: int, *blind: str) -> None:
        for _ in range(seconds):
            self.now += timedelta(seconds=1)
            camera = CAMERAS[self.now.second % len(CAMERAS)]
            if camera not in blind:
                self.reads += 1
                self.last[camera] = self.now
            status = Status(
                site="calais", matcher="m", at=self.now, started_at=NOON, reads=self.reads, cameras=dict(self.last)
            )
            self.liveness.note_status(status)

    def silent(self) -> set[str]:
        return {name for name in CAMERAS if self.liveness.state("calais", name, self.now).is_silent}


def test_a_blind_camera_is_silent_while_the_others_see_vehicles_and_well_when_it_sees_again() -> None:
    port = Port()
    port.see(60)
    assert port.silent() == set()
    port.see(30, "two")
    assert port.silent() == set(), "30 s could be chance"
    port.see(70, "two")
    assert port.silent() == {"two"}
    port.see(5)
    assert port.silent() == set()


def test_a_lull_is_no_fault_until_it_is_too_long_for_any_camera() -> None:
    port = Port()
    port.see(60)
    port.now += timedelta(minutes=20)
    assert port.silent() == set()
    port.now += timedelta(minutes=11)
    assert port.silent() == set(CAMERAS)


def test_cameras_that_fall_silent_together_are_found_by_the_longest_lull_of_the_port() -> None:
    port = Port()
    port.see(20 * 60)
    port.see(8, *CAMERAS)
    assert port.silent() == set(), "8 s could be chance"
    port.see(3, *CAMERAS)
    assert port.silent() == set(CAMERAS)
    port.see(1)
    assert port.silent() == set()


def test_a_port_with_lulls_is_silent_after_three_times_its_longest_lull() -> None:
    port = Port()
    port.see(20 * 60)
    port.see(60, *CAMERAS)
    port.see(60)
    port.see(170, *CAMERAS)
    assert port.silent() == set()
    port.see(20, *CAMERAS)
    assert port.silent() == set(CAMERAS)


def test_a_time_in_which_no_matcher_reported_is_no_lull() -> None:
    port = Port()
    port.see(20 * 60)
    port.now += timedelta(minutes=5)
    port.see(60)
    port.see(20, *CAMERAS)
    assert port.silent() == set(CAMERAS)


def test_the_usual_gap_of_a_camera_is_learned() -> None:
    port = Port()
    assert port.liveness.state("calais", "one", port.now).silent_after_reads is None
    port.see(60)
    assert port.liveness.state("calais", "one", port.now).silent_after_reads == 50
    for _ in range(50):  # from here on it sees one of nine vehicles
        port.see(9, "one")
        port.see(3)
    assert port.liveness.state("calais", "one", port.now).silent_after_reads == 90


def test_a_camera_that_has_never_seen_anything_is_silent_once_the_others_have_seen_much() -> None:
    port = Port()
    port.see(300, "two")
    assert port.silent() == set()
    port.see(600, "two")
    assert port.silent() == {"two"}


def test_a_restarted_matcher_counts_from_0_and_makes_no_camera_silent() -> None:
    port = Port()
    port.see(60)
    port.liveness.note_status(
        Status(site="calais", matcher="m", at=port.now, started_at=port.now, reads=0, cameras={})
    )
    assert port.silent() == set()


def test_a_cameras_clock_offset_is_that_of_the_matcher_that_has_the_camera_now() -> None:
    liveness = CameraLiveness(timedelta(minutes=30))

    def report(matcher: str, offset: float) -> None:
        offsets = {"one": offset}
        liveness.note_status(
            Status(site="calais", matcher=matcher, at=NOON, started_at=NOON, clock_offset_seconds=offsets)
        )

    assert liveness.state("calais", "one", NOON).clock_offset_seconds is None
    report("m", 90)
    report("n", 0.2)
    report("m", 90)  # the other matcher has the camera now; this one still reports its last offset
    assert liveness.state("calais", "one", NOON).clock_offset_seconds == 0.2
    report("n", -3)
    assert liveness.state("calais", "one", NOON).clock_offset_seconds == -3
