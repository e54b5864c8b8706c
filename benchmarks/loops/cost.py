"""What a loop over a topic of reads costs."""

import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct


class Work(Struct):
    """What a loop is to do: the broker, its topics of reads and of alerts, and how many reads there are."""

    kafka: str
    reads_topic: str
    alerts_topic: str
    reads: int


class Cost(Struct):
    """What a loop took: processor time of all its threads, time by the clock, memory, and the reads that it found."""

    cpu_us: float
    reads_per_second: float
    rss_mb: float
    alerts: int


def cost_of(run: Callable[[Work], int], work: Work) -> Cost:
    """Run a loop to the end of its topic. It returns how many alerts it sent."""
    began, cpu = time.perf_counter(), time.process_time()
    alerts = run(work)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return Cost(cpu / work.reads * 1e6, work.reads / seconds, _peak_rss_mb(), alerts)


def _peak_rss_mb() -> float:
    """Return the most memory that this process has had. `ru_maxrss` would count that of the parent at its start."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
