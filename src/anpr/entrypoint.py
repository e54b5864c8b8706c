"""The start of the command `anpr`: it lets a service stop in order from its first moment on.

On a busy machine a service takes a second to import its modules. A stop in that time finds nothing to finish, because
the service has read nothing and holds nothing. So until the service sets its own handler (`runtime.shutdown`), a stop
ends it immediately with exit code 0. Before this file runs there is only the interpreter, and the signal itself ends
it; supervisors count that as an orderly stop too. For these reasons this file imports nothing that takes time.
"""

import os
import signal
import sys
from collections.abc import Sequence

SERVICES = (
    ["back-check"],
    ["console"],
    ["history"],
    ["index"],
    ["match"],
    ["meet"],
    ["send"],
    ["watch"],
    ["watchlist", "keep"],
)
# It begins like a service, but ends by itself.
NO_SERVICE = ["history", "copy-days"]


def main() -> None:
    """Run the command line."""
    if is_service(sys.argv[1:]):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os._exit(0))
    from anpr.cli import main as run  # noqa: PLC0415  this import takes the time

    run()


def is_service(arguments: Sequence[str]) -> bool:
    """Return whether these arguments start a service: a command that runs until it is stopped."""
    rest = list(arguments)
    while rest and rest[0].startswith("--config"):
        rest = rest[1:] if "=" in rest[0] else rest[2:]
    if rest[: len(NO_SERVICE)] == NO_SERVICE:
        return False
    return any(rest[: len(service)] == service for service in SERVICES)
