"""What a board and a back-check keep is bounded, however many weeks they run."""

from datetime import timedelta

from anpr.back_check.matcher_generations import MatcherGenerations
from anpr.board.board import Board
from anpr.board.camera_liveness import CameraLiveness
from anpr.board.rates import RecentRates
from anpr.board.site_monitor import SiteMonitor
from anpr.board.status_order import TopicPosition
from anpr.contracts.events import EntryEnded, EntryListed, Status
from anpr.runtime.settings import Camera, Settings, Site
from tests.support.strategies import NOON, a_correction, a_read, an_action, an_alert, an_entry, generation

DAY = timedelta(days=1)


def test_thirty_days_of_facts_leave_no_more_than_the_window_holds() -> None:
    board = Board(timedelta(minutes=30), timedelta(hours=72))
    kept = []
    for day in range(30):
        now = NOON + day * DAY
        for number in range(20):
            name = f"{day}-{number}"
            entry = an_entry(name, plate=f"AB{number}", list=f"list-{day}", valid_until=now + 300 * DAY)
            alert = an_alert(a_read(name, captured_at=now), entry, raised_at=now)
            board.add_alert(alert)
            board.add_correction(a_correction(alert))
            board.add_action(an_action(name, "claimed", alert, at=now), number)
            board.add_action(an_action(f"r{name}", "retracted", alert, at=now, retracts=name), number)
            board.add_action(an_action(f"o{name}", "retracted", f"no alert {name}", at=now, retracts="x"), number)
            board.add_entry_listed(EntryListed(entry=entry, generation=generation(day + 2)))
            board.add_entry_ended(EntryEnded(entry_id=name, revision=generation(day + 3), ended_at=now, why="w"))
        board.prune(now)
        kept.append({name: len(held) for name, held in vars(board).items() if isinstance(held, dict)})
    assert kept[-1] == kept[10]
    assert max(kept[-1].values()) <= 3 * 20 * 7


def test_a_matcher_that_is_started_again_each_hour_leaves_nothing_behind() -> None:
    liveness = CameraLiveness(timedelta(minutes=30))
    for hour in range(24 * 30):
        at = NOON + timedelta(hours=hour)
        liveness.note_status(Status(site="calais", matcher="m", at=at, started_at=at, cameras={"one": at}))
    assert max(len(held) for held in vars(liveness).values() if isinstance(held, dict)) == 1


def test_the_names_of_matchers_and_cameras_that_came_and_went_are_forgotten() -> None:
    monitor = SiteMonitor(Settings({"calais": Site("Calais", "x", "x", (Camera("one", "1", "front"),))}), NOON)
    for hour in range(24 * 30):
        at, name = NOON + timedelta(hours=hour), f"made up {hour}"
        seen, offsets = {"one": at, name: at}, {"one": 0.5, name: 0.5}
        status = Status(
            site="calais", matcher=name, at=at, started_at=at, reads=hour, cameras=seen, clock_offset_seconds=offsets
        )
        monitor.note_status(status, at, TopicPosition(0, hour, at))
        monitor.prune(at)
    assert len(monitor._statuses) == 25
    assert max(len(held) for held in vars(monitor.cameras).values() if isinstance(held, dict)) <= 25
    assert monitor.cameras.state("calais", "one", at).last_read_at == at


def test_a_matcher_whose_clock_stands_still_fills_no_memory() -> None:
    rates = RecentRates()
    for second in range(10_000):
        rates.note_status(Status(site="calais", matcher="m", at=NOON, started_at=NOON, reads=second))
    assert max(map(len, rates._reads.values())) <= 100


def test_a_back_check_forgets_matchers_that_came_and_went() -> None:
    generations = MatcherGenerations()
    for second in range(1000):
        status = Status(site="calais", matcher=f"m-{second}", at=NOON, started_at=NOON)
        generations.note(status, NOON + timedelta(seconds=second), float(second))
    assert len(generations._reported) <= 11
