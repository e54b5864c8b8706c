"""Where the command `anpr` begins: a service can be asked to stop from its first moment on.

Importing takes a service a second on a busy machine. Asked to stop in that time it has nothing to finish: it has
taken nothing and holds nothing. So it ends at once and well, until it says itself how it stops (`runtime.shutdown`).
Before this file runs there is only the interpreter: a signal then ends it by itself, which supervisors count as
orderly too. This file imports nothing that takes time.
"""

import os
import signal
import sys
from collections.abc import Sequence

SERVICES = (["console"], ["index"], ["match"], ["send"], ["watch"], ["watchlist", "keep"])


def main() -> None:
    """Run the command line."""
    if is_service(sys.argv[1:]):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os._exit(0))
    from anpr.cli import main as run  # noqa: PLC0415  this is what takes the time

    run()


def is_service(arguments: Sequence[str]) -> bool:
    """Tell whether these arguments start something that runs until it is stopped."""
    rest = list(arguments)
    while rest and rest[0].startswith("--config"):
        rest = rest[1:] if "=" in rest[0] else rest[2:]
    return any(rest[: len(service)] == service for service in SERVICES)
