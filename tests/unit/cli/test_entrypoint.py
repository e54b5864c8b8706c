"""A service that is asked to stop before it has begun ends well; nothing else says that it is done before it is."""

import signal
import subprocess
import sys

import pytest

from anpr.entrypoint import is_service

# The command line, put in place of what takes long to import, finds out what a signal does meanwhile.
SIGNALLED_WHILE_IMPORTING = """
import os, sys, types
sys.modules["anpr.cli"] = types.ModuleType("anpr.cli")
sys.modules["anpr.cli"].main = lambda: os.kill(os.getpid(), int(sys.argv[-1]))
from anpr import entrypoint
assert not {"click", "msgspec", "confluent_kafka"} & sys.modules.keys(), "this file must be quick"
entrypoint.main()
"""


def code_when_signalled(line: str, number: signal.Signals) -> int:
    arguments = [sys.executable, "-c", SIGNALLED_WHILE_IMPORTING, *line.split(), str(int(number))]
    return subprocess.run(arguments, check=False, capture_output=True, timeout=60).returncode


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_service_that_is_asked_to_stop_while_it_imports_ends_well(number: signal.Signals) -> None:
    assert code_when_signalled("match --site calais", number) == 0


def test_a_command_that_is_ended_while_it_imports_does_not_say_that_it_is_done() -> None:
    assert code_when_signalled("watchlist apply plan.json", signal.SIGTERM) == -signal.SIGTERM


@pytest.mark.parametrize(
    "line",
    ["match --site calais", "--config there send", "--config=there console --site dover", "watchlist keep", "watch"],
)
def test_what_runs_until_it_is_stopped_is_a_service(line: str) -> None:
    assert is_service(line.split())


@pytest.mark.parametrize(
    "line", ["", "watchlist apply plan.json", "watchlist show", "--config match doctor", "dry-run", "topics --create"]
)
def test_what_ends_by_itself_is_none(line: str) -> None:
    assert not is_service(line.split())
