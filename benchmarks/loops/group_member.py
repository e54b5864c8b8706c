"""One of several matchers that share a topic: it notes how far it has come, and when."""

import sys
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from anpr.matcher.matcher_metrics import MatcherMetrics
from benchmarks.loops.cost import Work
from benchmarks.loops.matcher import active_index, prepare, run, taken

# A share that has brought nothing for this long is at its end. A new share takes less to arrive.
_AT_END_SECONDS = 3.0
_NOTHING_SECONDS = 60.0


class Sample(Struct, array_like=True):
    """By a moment: the processor time of this process, its reads and its alerts so far."""

    at: float
    cpu_seconds: float
    reads: int
    alerts: int


class Progress:
    """What one matcher has done by when."""

    def __init__(self) -> None:
        self.samples = [Sample(time.monotonic(), time.process_time(), 0, 0)]

    def is_done(self, metrics: MatcherMetrics) -> bool:
        """Note a turn. Return whether the matcher's share of the topic is at its end."""
        last, reads = self.samples[-1], taken(metrics)
        now = time.monotonic()
        if reads > last.reads:
            self.samples.append(Sample(now, time.process_time(), reads, metrics.counts["alerts"]))
            return False
        return now - last.at > (_AT_END_SECONDS if last.reads else _NOTHING_SECONDS)


def main(work: str, path: str, group: str) -> None:
    """Match in the group once a line comes on stdin. `work` is JSON, `path` the index folder."""
    active = active_index(Path(path))
    prepare()
    print("ready", flush=True)
    sys.stdin.readline()
    progress = Progress()
    run(msgspec.json.decode(work, type=Work), active, progress.is_done, group=group)
    sys.stdout.buffer.write(msgspec.json.encode(progress.samples))


if __name__ == "__main__":
    main(*sys.argv[1:])
