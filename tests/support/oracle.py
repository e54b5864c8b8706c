"""The differential oracle compares what real servers and processes published under faults with the dry run.

`fault_times` is pure: the same seed gives the same faults at the same moments.
"""

import random
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

import msgspec

from anpr.board.board import Board
from anpr.board.board_feed import BoardFeed
from anpr.contracts import events, topics
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from tests.support.installation import Installation


@dataclass(frozen=True, order=True)
class Fault:
    """A fault, at a number of seconds after the traffic has begun."""

    at_seconds: float
    what: str
    of: str = ""


def fault_times(seed: int, matchers: Sequence[str], kills: int, seconds: float) -> list[Fault]:
    """Return `kills` kills of matchers and one of each other fault, spread over `seconds`."""
    random_ = random.Random(seed)

    def moment(start: float, end: float) -> float:
        return round(random_.uniform(start * seconds, end * seconds), 3)

    faults = [Fault(moment(0, 1), "kill matcher", random_.choice(matchers)) for _ in range(kills)]
    faults += [Fault(moment(0.1, 0.2), "second matcher joins"), Fault(moment(0.7, 0.8), "second matcher leaves")]
    faults += [Fault(moment(0.25, 0.35), "redis goes"), Fault(moment(0.45, 0.6), "redis comes back")]
    faults += [Fault(moment(0.3, 0.6), "broker is killed and restarted")]
    return sorted(faults)


def dry_run(installation: Installation, watchlist: Path, list_name: str, reads: Path) -> dict[str, events.Alert]:
    """Return by id the alerts that the dry run finds in a file of reads."""
    done = installation.run(
        "dry-run", "--watchlist", str(watchlist), "--list", list_name, "--reads", str(reads), timeout=600
    )
    assert done.returncode in (0, 1), done.stderr.decode()
    alerts = [msgspec.json.decode(line, type=events.Alert) for line in done.stdout.splitlines()]
    return {alert.alert_id: alert for alert in alerts}


def shown(board: Board) -> Counter[str]:
    """Return how often each alert is on a board, in all its incidents."""
    incidents = board.incidents(system_clock())
    return Counter(alert.alert_id for incident in incidents for alert in incident.alerts)


def settle(feed: BoardFeed, expected: AbstractSet[str]) -> None:
    """Let a board follow its topics until it shows the expected alerts, for half a minute at most."""

    def is_complete() -> bool:
        feed.fold_new_records(0.1)
        return shown(feed.board).keys() >= expected

    wait_until(is_complete, 60)


def dead_letters(installation: Installation) -> int:
    """Return how many different records no matcher could match."""
    found = set()
    for site in installation.sites:
        for record in installation.records([topics.deadletters(site)]):
            found.add((site, record.value))
    return len(found)
