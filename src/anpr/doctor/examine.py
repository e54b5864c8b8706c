"""Runs all checks at once, so that dead addresses cost their time-out once and not each after the other."""

import queue
import threading
import time
from collections.abc import Iterator, Sequence

from anpr.doctor import kafka_checks, machine_checks, redis_checks
from anpr.doctor.findings import Check, Finding, wrong
from anpr.runtime.clock import Clock
from anpr.runtime.logs import location
from anpr.runtime.settings import Settings

# Each check has time-outs of its own, of a few seconds; this bounds one that hangs all the same.
LONGEST_SECONDS = 12.0


def checks(settings: Settings, clock: Clock) -> list[tuple[str, str, Check]]:
    """Return what is to be tried: the kind of each check, what it is about, and the check."""
    return [
        *kafka_checks.checks(settings, clock),
        *redis_checks.checks(settings, clock),
        *machine_checks.checks(settings),
    ]


def examine(to_try: Sequence[tuple[str, str, Check]], longest_seconds: float = LONGEST_SECONDS) -> Iterator[Finding]:
    """Run the checks side by side and return what they find, as it is found."""
    found: queue.SimpleQueue[tuple[int, Sequence[Finding]]] = queue.SimpleQueue()

    def run(number: int) -> None:
        kind, on, check = to_try[number]
        try:
            findings = list(check())
        except Exception as error:  # noqa: BLE001  a check that fails is a finding, and the others go on
            says = f"the check failed: {type(error).__name__} at {location(error)[-1]}"
            findings = [wrong(kind, on, says, "give this line to those who mend the program")]
        found.put((number, findings))

    for number in range(len(to_try)):
        # Daemons: one that hangs must not keep the command from ending.
        threading.Thread(target=run, args=(number,), name="doctor", daemon=True).start()
    missing = set(range(len(to_try)))
    until = time.monotonic() + longest_seconds
    while missing:
        try:
            number, findings = found.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        missing.discard(number)
        yield from findings
    for number in sorted(missing):
        kind, on, _ = to_try[number]
        yield wrong(kind, on, f"no answer within {longest_seconds:.0f} s", "is it reachable from this machine?")
