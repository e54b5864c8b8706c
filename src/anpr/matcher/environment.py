"""The parts that a matcher gets from its process: its name, its lifecycle and its clocks."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from anpr.runtime.clock import Clock, system_clock


class MatcherIdentity(NamedTuple):
    """The site whose reads are matched, and a name that no other matcher of the site has."""

    site: str
    name: str


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """How the process stops a matcher, and how the matcher shows that it is well.

    Attributes:
        is_stopping: Returns whether the matcher must finish its batch and end.
        heartbeat: Called on each pass of the loop, and while the loop waits for the broker.
        on_healthy: Called when the broker accepts this matcher's work: its partitions have no lag, and the broker has
            acknowledged every record that it published.
    """

    is_stopping: Callable[[], bool]
    heartbeat: Callable[[], None]
    on_healthy: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Clocks:
    """The time of day, a stopwatch in seconds for durations, and a way to wait for some seconds."""

    now: Clock = system_clock
    stopwatch: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep


SYSTEM_CLOCKS: Final = Clocks()
