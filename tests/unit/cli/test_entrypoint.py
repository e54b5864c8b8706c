"""A service that is stopped while it still imports ends with exit code 0. No other command does."""

import signal
import subprocess
import sys

import pytest

from anpr.entrypoint import is_service

# A fake `anpr.cli` stands in for the slow imports and sends a signal to its own process.
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
    return subprocess.run(arguments, check=False, capture_output=True, timeout=180).returncode


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_service_that_is_stopped_while_it_imports_ends_with_exit_code_0(number: signal.Signals) -> None:
    assert code_when_signalled("match --site calais", number) == 0


def test_a_command_that_is_killed_while_it_imports_does_not_end_with_exit_code_0() -> None:
    assert code_when_signalled("watchlist apply plan.json", signal.SIGTERM) == -signal.SIGTERM


@pytest.mark.parametrize(
    "line",
    [
        "match --site calais",
        "--config there send",
        "--config=there console --site dover",
        "watchlist keep",
        "watch",
        "history --site calais",
        "back-check --site calais",
    ],
)
def test_a_command_that_runs_until_it_is_stopped_is_a_service(line: str) -> None:
    assert is_service(line.split())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "watchlist apply plan.json",
        "watchlist show",
        "--config match doctor",
        "dry-run",
        "topics --create",
        "history copy-days --site calais --from there",
    ],
)
def test_a_command_that_ends_by_itself_is_not_a_service(line: str) -> None:
    assert not is_service(line.split())
