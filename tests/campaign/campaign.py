"""A campaign: traffic and changing lists at the ports, faults of every kind, and the verdict of the oracle."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from anpr.board.board_feed import BoardFeed
from tests.campaign import schedule
from tests.campaign.aftermath import Aftermath
from tests.campaign.injector import Injector
from tests.campaign.schedule import Fault
from tests.campaign.traffic import Lists, Road, Traffic
from tests.campaign.verdict import Verdict, judge
from tests.support.installation import Installation
from tests.support.servers import OwnServers


@dataclass(frozen=True)
class Campaign:
    """What is to be done. The same values give the same faults at the same moments."""

    seed: int
    faults: int
    every_seconds: float = 1.5
    sites: tuple[str, ...] = ("calais", "coquelles", "dunkerque")
    reads_per_second: float = 60.0

    def schedule(self) -> list[Fault]:
        """Return the faults."""
        return schedule.plan(self.seed, self.faults, self.every_seconds, self.sites)


@dataclass(frozen=True)
class Report:
    """What was done, and the verdict."""

    done: Counter[str]
    reads: int
    generations: int
    seconds: float
    verdict: Verdict

    def __str__(self) -> str:
        kinds = "\n".join(f"  {count:5}  {kind}" for kind, count in self.done.most_common())
        return (
            f"{self.done.total()} faults in {self.seconds:.0f} s, with {self.reads} reads and "
            f"{self.generations} generations of the list:\n{kinds}\n{self.verdict}"
        )


def run(
    campaign: Campaign,
    it: Installation,
    servers: OwnServers,
    say: Callable[[str], None],
    is_stopping: Callable[[], bool] = lambda: False,
) -> Report:
    """Run a campaign on servers that nobody else uses. `say` is told what is done.

    Once `is_stopping` says so there are no more faults, and what was done so far is judged.
    """
    injector = Injector(it, servers, campaign.seed)
    lists = Lists(it.store, campaign.seed)
    road = Road(it.kafka, campaign.sites, campaign.reads_per_second)
    injector.start_services(campaign.sites)
    traffic = Traffic(road, lists)
    board = it.open_feed()
    traffic.start()
    for fault in campaign.schedule():
        if is_stopping():
            break
        _watch_until(traffic.began + fault.at_seconds, injector, board)
        injector.inject(fault)
        say(f"{time.monotonic() - traffic.began:8.1f} s  {fault.number}/{campaign.faults}  {fault}")
    _watch_until(time.monotonic() + campaign.every_seconds, injector, board)
    injector.end()
    traffic.stop()
    seconds = time.monotonic() - traffic.began
    say(f"{seconds:8.1f} s  all faults are over; {len(road.sent)} reads were sent; waiting for the alerts")
    boards = {"a board that was open all the time": board}
    evidence = Aftermath(campaign.sites, it, injector, traffic, boards, say, list(injector.problems)).evidence()
    say("comparing what is there with what must be there")
    return Report(injector.done, len(evidence.reads), len(lists.contents), seconds, judge(evidence))


def _watch_until(moment: float, injector: Injector, board: BoardFeed) -> None:
    """Let the board follow its topics, and end faults, until a moment of the monotonic clock."""
    while (now := time.monotonic()) < moment:
        board.fold_new_records(max(0.0, min(0.05, moment - now, injector.end_due() - now)))
