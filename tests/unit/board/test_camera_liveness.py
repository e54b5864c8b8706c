"""A camera that fell silent is found by what the others have seen meanwhile, and a lull between ferries is none."""

from datetime import datetime, timedelta

from anpr.board.camera_liveness import CameraLiveness
from anpr.contracts.events import Status
from tests.support.strategies import NOON

CAMERAS = ("one", "two", "three")


class Port:
    """A port whose cameras see a vehicle in turn, one a second."""

    def __init__(self) -> None:
        self.watch = CameraLiveness(timedelta(minutes=30))
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
            self.watch.note_status(status)

    def silent(self) -> set[str]:
        return {name for name in CAMERAS if self.watch.state("calais", name, self.now).is_silent}


def test_a_blind_camera_is_found_while_the_others_go_on_and_forgiven_when_it_sees_again() -> None:
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


def test_cameras_that_fall_silent_together_are_found_by_how_long_the_port_was_ever_quiet() -> None:
    port = Port()
    port.see(20 * 60)
    port.see(8, *CAMERAS)
    assert port.silent() == set(), "8 s could be chance"
    port.see(3, *CAMERAS)
    assert port.silent() == set(CAMERAS)
    port.see(1)
    assert port.silent() == set()


def test_a_port_with_lulls_is_given_three_times_as_long_as_its_longest() -> None:
    port = Port()
    port.see(20 * 60)
    port.see(60, *CAMERAS)
    port.see(60)
    port.see(170, *CAMERAS)
    assert port.silent() == set()
    port.see(20, *CAMERAS)
    assert port.silent() == set(CAMERAS)


def test_a_time_in_which_no_matcher_was_heard_counts_as_no_lull() -> None:
    port = Port()
    port.see(20 * 60)
    port.now += timedelta(minutes=5)
    port.see(60)
    port.see(20, *CAMERAS)
    assert port.silent() == set(CAMERAS)


def test_what_is_usual_is_learned_from_what_was_seen() -> None:
    port = Port()
    assert port.watch.state("calais", "one", port.now).silent_after_reads is None
    port.see(60)
    assert port.watch.state("calais", "one", port.now).silent_after_reads == 50
    for _ in range(50):  # from here on one of nine
        port.see(9, "one")
        port.see(3)
    assert port.watch.state("calais", "one", port.now).silent_after_reads == 90


def test_a_camera_that_has_never_seen_anything_shows_once_the_others_have_seen_much() -> None:
    port = Port()
    port.see(300, "two")
    assert port.silent() == set()
    port.see(600, "two")
    assert port.silent() == {"two"}


def test_a_matcher_that_was_restarted_counts_from_nought_and_costs_nothing() -> None:
    port = Port()
    port.see(60)
    port.watch.note_status(Status(site="calais", matcher="m", at=port.now, started_at=port.now, reads=0, cameras={}))
    assert port.silent() == set()


def test_how_far_a_cameras_clock_is_off_is_what_the_matcher_says_that_has_it_now() -> None:
    watch = CameraLiveness(timedelta(minutes=30))

    def say(matcher: str, offset: float) -> None:
        told = {"one": offset}
        watch.note_status(Status(site="calais", matcher=matcher, at=NOON, started_at=NOON, clock_offset_seconds=told))

    assert watch.state("calais", "one", NOON).clock_offset_seconds is None
    say("m", 90)
    say("n", 0.2)
    say("m", 90)  # it has lost the camera to the other, and goes on telling what it saw last
    assert watch.state("calais", "one", NOON).clock_offset_seconds == 0.2
    say("n", -3)
    assert watch.state("calais", "one", NOON).clock_offset_seconds == -3
