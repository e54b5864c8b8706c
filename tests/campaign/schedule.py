"""The faults of a campaign, from its seed: the same seed gives the same faults at the same moments. Pure."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

KILL: Final = "kill -9"
STOP: Final = "SIGSTOP, then SIGCONT"
FLUSH: Final = "FLUSHALL"
KILL_REDIS: Final = "Redis is killed, then started"
KILL_BROKER: Final = "the broker is killed, then started"
PARTITION: Final = "a topic gets a partition"
REBALANCE: Final = "matchers join and leave"
DISK_FULL: Final = "full disk"
GARBAGE: Final = "garbage on a topic"
CLOCK: Final = "clock set"
KILL_GATEWAY: Final = "a gateway is killed while it sends"

# How often each kind occurs beside the others. What takes the broker or the lists from everybody is rarer.
WEIGHTS: Final = {
    KILL: 34,
    STOP: 15,
    GARBAGE: 15,
    CLOCK: 10,
    DISK_FULL: 8,
    REBALANCE: 5,
    PARTITION: 4,
    KILL_GATEWAY: 3,
    FLUSH: 3,
    KILL_REDIS: 2,
    KILL_BROKER: 1,
}
KAFKA, REDIS, INDEX = "kafka", "redis", "index"
# The services that write files.
WRITERS = ("history", "back-check")
SERVICES = ("matcher", *WRITERS)
GARBAGE_TOPICS = ("reads", "alerts", "alerts-covert", "actions", "status", "deadletters")
GROWING_TOPICS = ("reads", "alerts", "alerts-covert")
# The shortest and the longest time that a fault lasts, in seconds. A matcher that is stopped for more than 6 s loses
# its partitions to others (`session_timeout_seconds`).
_LASTS: Final = {
    STOP: (0.2, 9.0),
    KILL_REDIS: (0.1, 4.0),
    REBALANCE: (0.5, 3.0),
    DISK_FULL: (0.5, 6.0),
    CLOCK: (0.5, 8.0),
    KILL_GATEWAY: (0.3, 1.5),
}


@dataclass(frozen=True, order=True)
class Fault:
    """A fault, `at_seconds` after the traffic has begun.

    Attributes:
        at_seconds: When it begins.
        number: Its place among the faults, from 1.
        what: Its kind.
        of: The process, site or topic that it strikes: `calais-matcher`, `calais`, `calais-reads`.
        lasts_seconds: How long it lasts, 0 for one that is over at once.
        amount: How many records, processes or lines; by how many seconds a clock is set.
    """

    at_seconds: float
    number: int
    what: str
    of: str = ""
    lasts_seconds: float = 0.0
    amount: int = 0

    def __str__(self) -> str:
        lasts = f" for {self.lasts_seconds:.1f} s" if self.lasts_seconds else ""
        amount = f" ({self.amount:+d} s)" if self.what == CLOCK else f" ({self.amount})" if self.amount else ""
        return f"{self.what}{' of ' if self.of else ''}{self.of}{amount}{lasts}"


def processes(sites: Sequence[str]) -> list[str]:
    """Return the names of the services at these sites."""
    return [f"{site}-{service}" for site in sites for service in SERVICES] + [INDEX]


def plan(seed: int, count: int, every_seconds: float, sites: Sequence[str]) -> list[Fault]:
    """Return `count` faults, one in each `every_seconds`. Each kind comes once before the others are drawn."""
    draw = random.Random(seed)
    kinds = list(WEIGHTS)
    draw.shuffle(kinds)
    kinds = (kinds + draw.choices(list(WEIGHTS), list(WEIGHTS.values()), k=count))[:count]
    return [
        _fault(draw, number, kind, round((number - 1 + draw.random()) * every_seconds, 3), sites)
        for number, kind in enumerate(kinds, 1)
    ]


def _fault(draw: random.Random, number: int, kind: str, at_seconds: float, sites: Sequence[str]) -> Fault:
    site, of, amount = draw.choice(sites), "", 0
    match kind:
        case "kill -9" | "clock set":
            of = draw.choice(processes(sites))
        case "SIGSTOP, then SIGCONT":
            of = draw.choice([*processes(sites), KAFKA, REDIS])
        case "full disk":
            of = draw.choice([INDEX, *(f"{site}-{writer}" for writer in WRITERS)])
        case "garbage on a topic":
            of, amount = f"{site}-{draw.choice(GARBAGE_TOPICS)}", draw.randint(1, 20)
        case "a topic gets a partition":
            of = f"{site}-{draw.choice(GROWING_TOPICS)}"
        case "matchers join and leave":
            of, amount = site, draw.randint(1, 3)
        case "a gateway is killed while it sends":
            of, amount = site, draw.randint(20, 400)
    if kind == CLOCK:
        amount = draw.choice((-1, 1)) * draw.choice((30, 600, 3600, 7200))
    lasts = round(draw.uniform(*_LASTS[kind]), 3) if kind in _LASTS else 0.0
    return Fault(at_seconds, number, kind, of, lasts, amount)
