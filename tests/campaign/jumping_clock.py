"""Runs an `anpr` command whose clock a file sets: `python -m tests.campaign.jumping_clock FILE match --site calais`.

The file holds by how many seconds the clock is wrong. Only the time of day is: the monotonic clock goes on, as on a
machine whose clock is set.
"""

import sys
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from anpr.runtime import clock


def main() -> None:
    """Set the clock of this process, then import everything that reads it."""
    let_clock_jump()
    from anpr.entrypoint import main as run  # noqa: PLC0415  after the clock is set

    run()


def let_clock_jump() -> None:
    """Let the file that is the first argument set the clock of this process. What is imported later reads it."""
    offset, right_clock = Path(sys.argv[1]), clock.system_clock

    def wrong_clock() -> datetime:
        seconds = 0.0
        with suppress(OSError, ValueError):  # it is being written
            seconds = float(offset.read_text("utf-8") or 0)
        return right_clock() + timedelta(seconds=seconds)

    clock.system_clock = wrong_clock
    sys.argv = ["anpr", *sys.argv[2:]]


if __name__ == "__main__":
    main()
