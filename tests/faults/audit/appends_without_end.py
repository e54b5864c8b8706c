"""Appends records to a chain until it is killed. Prints the number of each record that is on the disk."""

import sys
from pathlib import Path

from anpr.audit.chain import AuditChain
from anpr.audit.record import AuditEvent
from anpr.runtime.clock import system_clock


def main() -> None:
    chain = AuditChain(Path(sys.argv[1]), "calais", "console-1", system_clock)
    look_up = AuditEvent(operation="consultation", what="look-up", user="anna", role="officer", plate="AB12CDE")
    while True:
        chain.append(look_up, look_up)
        print(chain.head.sequence, flush=True)  # noqa: T201  it is what the test reads


if __name__ == "__main__":
    main()
