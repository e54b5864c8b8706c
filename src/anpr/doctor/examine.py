"""Runs all checks at the same time, so that several dead addresses cost one time-out and not one each."""

import queue
import threading
import time
from collections.abc import Iterator, Sequence

from anpr.doctor import (
    arrival_checks,
    back_check_checks,
    calibration_checks,
    camera_checks,
    history_checks,
    kafka_checks,
    loss_checks,
    machine_checks,
    redis_checks,
)
from anpr.doctor.findings import Check, Finding, wrong
from anpr.runtime.clock import Clock
from anpr.runtime.logs import location
from anpr.runtime.settings import Settings

# Each check has its own time-outs of a few seconds. This limits a check that still hangs.
MAX_SECONDS = 12.0


def checks(settings: Settings, clock: Clock) -> list[tuple[str, str, Check]]:
    """Return all checks, each with its kind and its subject."""
    return [
        *kafka_checks.checks(settings, clock),
        *camera_checks.checks(settings, clock),
        *loss_checks.checks(settings, clock),
        *redis_checks.checks(settings, clock),
        *history_checks.checks(settings, clock),
        *back_check_checks.checks(settings, clock),
        *calibration_checks.checks(settings, clock),
        *arrival_checks.checks(settings, clock),
        *machine_checks.checks(settings),
    ]


def examine(checks_to_run: Sequence[tuple[str, str, Check]], max_seconds: float = MAX_SECONDS) -> Iterator[Finding]:
    """Run the checks at the same time and yield each finding as soon as there is one."""
    answers: queue.SimpleQueue[tuple[int, Sequence[Finding]]] = queue.SimpleQueue()

    def run(number: int) -> None:
        kind, subject, check = checks_to_run[number]
        try:
            findings = list(check())
        except Exception as error:  # noqa: BLE001  a check that fails is a finding, and the other checks continue
            message = f"the check failed: {type(error).__name__} at {location(error)[-1]}"
            findings = [wrong(kind, subject, message, "send this line to the developers")]
        answers.put((number, findings))

    for number in range(len(checks_to_run)):
        # Daemon threads, so that a check that hangs does not stop the command from ending.
        threading.Thread(target=run, args=(number,), name="doctor", daemon=True).start()
    unanswered = set(range(len(checks_to_run)))
    until = time.monotonic() + max_seconds
    while unanswered:
        try:
            number, findings = answers.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        unanswered.discard(number)
        yield from findings
    for number in sorted(unanswered):
        kind, subject, _ = checks_to_run[number]
        yield wrong(kind, subject, f"no answer within {max_seconds:.0f} s", "check that this machine can reach it")
