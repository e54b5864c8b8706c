"""What a board keeps is bounded by its window, however many weeks it runs."""

from datetime import timedelta

from anpr.board.board import Board
from anpr.board.camera_liveness import CameraLiveness
from anpr.board.site_monitor import SiteMonitor
from anpr.board.status_order import Place
from anpr.contracts.events import EntryEnded, EntryListed, Status
from anpr.runtime.settings import Settings, Site
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


def test_the_names_of_matchers_that_came_and_went_are_forgotten() -> None:
    monitor = SiteMonitor(Settings({"calais": Site("Calais", "x", "x")}), NOON)
    for hour in range(24 * 30):
        at = NOON + timedelta(hours=hour)
        monitor.note_status(Status(site="calais", matcher=f"m-{hour}", at=at, started_at=at), at, Place(0, hour, at))
        monitor.prune(at)
    assert len(monitor._statuses) == 25
