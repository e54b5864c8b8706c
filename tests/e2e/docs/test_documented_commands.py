"""Every command that the documents show is run, in the order in which they show it, and ends well."""

import os
import re
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import pytest

from anpr.cli import _COMMANDS, _anpr
from anpr.local.processes import wait_until
from tests.support.chromium import chromium

ROOT = Path(__file__).parents[3]
PAGES = [
    "README.md",
    "docs/officers.md",
    "docs/operators.md",
    "docs/engineers.md",
    "docs/data-protection.md",
    "docs/matching.md",
    "docs/simulators.md",
    "docs/quality.md",
]
# These run until they are stopped. The text in their output shows that they work.
UNTIL_STOPPED = {
    "anpr back-check": b"back-check runs",
    "anpr console": b"console runs",
    "anpr history --site": b"history runs",
    "anpr index": b"runs",
    "anpr match": b"runs",
    "anpr meet": b"watch for arrivals runs",
    "anpr watch": b"stolen from a depot",  # the reason of the vehicle that the block before it sends
    "anpr watchlist keep": b"keeper runs",
    "python -m simulators --site calais --live": b"read_id",
}
# `anpr topics` ends with 1 to say that something is missing: the page runs it before it creates the topics. When the
# page runs `anpr doctor` or asks which vehicles are due at Dover, no matcher runs. A history of few reads has nothing
# to learn from.
SAYS_NO = {
    "anpr topics",
    "anpr doctor",
    "anpr arrivals --site dover",
    "anpr calibration learn --site calais --out calais.json",
}
# No history runs when the page runs this: it says which sites do not answer.
NO_SITE_ANSWERS = {'anpr vehicle AB12CDE --reason "seen leaving the lane"'}
# What a person answers to a command that asks. This one asks only if the history that ran before stored a read of it.
ANSWERS = {'anpr vehicle AB12CDE --site calais --reason "request 4713" --erase': b"y\n"}
# The project needs two processors, and each benchmark waits half of its time.
BENCHMARK_QUEUES = 2
# A machine may be busy with other things, and the queues share it.
LONGEST_SECONDS = 300
SCREEN_BENCHMARK = "python -m benchmarks.screen --reads 5"  # needs a browser
# Takes minutes; tests/unit/benchmarks/test_quality_benchmark.py runs it with less.
FITTED_TABLES_BENCHMARK = (
    "python -m benchmarks.quality --reads simulators/data/rapidocr.csv --fit benchmarks/data/tesseract.csv --days 40"
)
IN_OTHER_TESTS = {
    "make demo",
    'make demo ARGS="--for 20s --json"',
    "make test",
    SCREEN_BENCHMARK,
    FITTED_TABLES_BENCHMARK,
}


def commands(page: str) -> list[str]:
    """Return the commands of a page's shell blocks.

    A command on several lines is one command. So is a block with a command in the background: people paste it whole.
    """
    blocks = re.findall(r"^```sh\n(.*?)^```$", (ROOT / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)
    found = list[str]()
    for block in blocks:
        lines = [line for line in block.replace("\\\n", "").splitlines() if line]
        found += ["\n".join(lines)] if any(line.endswith("&") for line in lines) else lines
    return found


@pytest.fixture(scope="module")
def environment(kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "KAFKA_BOOTSTRAP": kafka_bootstrap,
        "ANPR_WATCHLIST__STATE_DIR": str(tmp_path_factory.mktemp("state")),
        "ANPR_HISTORY__FOLDER": str(tmp_path_factory.mktemp("history")),
        "ANPR_CONSOLE__USERS_FILE": str(tmp_path_factory.mktemp("users") / "users.json"),
        "ANPR_HISTORY__TOKENS_FILE": str(tmp_path_factory.mktemp("tokens") / "tokens.json"),
        "PYTHONUNBUFFERED": "1",
    }


def test_every_page_that_shows_commands_is_tested() -> None:
    pages = (str(page.relative_to(ROOT)) for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
    assert {page for page in pages if commands(page)} == set(PAGES)


def test_every_documented_command_works(environment: dict[str, str], redis_url: str, tmp_path: Path) -> None:
    environment = environment | {"REDIS_URL": redis_url, "PYTHONPATH": str(ROOT)}
    shown = [(page, command) for page in PAGES for command in commands(page) if command not in IN_OTHER_TESTS]
    # A benchmark starts its own servers and leaves nothing behind, so it can run beside the other commands.
    benchmarks = [(page, command) for page, command in shown if command.startswith("python -m benchmarks")]
    in_order = [page_and_command for page_and_command in shown if page_and_command not in benchmarks]
    assert len(in_order) >= 15
    assert len(benchmarks) >= 5
    queues = {
        "in-order": in_order,
        **{f"benchmarks-{number}": benchmarks[number::BENCHMARK_QUEUES] for number in range(BENCHMARK_QUEUES)},
    }
    with ThreadPoolExecutor(len(queues)) as pool:
        for done in [pool.submit(run_all, queue, environment, tmp_path / name) for name, queue in queues.items()]:
            done.result()


def run_all(shown: list[tuple[str, str]], environment: dict[str, str], folder: Path) -> None:
    """Run commands one after the other in an own folder, as in a fresh clone of the project."""
    for name in ("config", "benchmarks", "simulators"):
        shutil.copytree(ROOT / name, folder / name)
    for page, command in shown:
        run(command, environment, folder, f"{page}: {command}")


def test_the_path_to_the_screen_is_measured_as_documented(environment: dict[str, str], tmp_path: Path) -> None:
    chromium()
    assert SCREEN_BENCHMARK in commands("docs/engineers.md")
    run_all([("docs/engineers.md", SCREEN_BENCHMARK)], environment | {"PYTHONPATH": str(ROOT)}, tmp_path / "screen")


def run(command: str, environment: dict[str, str], folder: Path, what: str) -> None:
    last = command.splitlines()[-1]
    sign = next((sign for start, sign in UNTIL_STOPPED.items() if f"{last} ".startswith(f"{start} ")), None)
    log, answer = folder / "log", folder / "answer"
    answer.write_bytes(ANSWERS.get(command, b""))
    with log.open("wb") as out, answer.open("rb") as given:
        process = subprocess.Popen(  # noqa: S602  a person's shell runs these too
            f"exec {command}" if sign is not None and command == last else command,
            shell=True, start_new_session=True,
            cwd=folder, env=environment, stdin=given, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    if sign is None:
        code = process.wait(LONGEST_SECONDS)
        expected = {0, 1} if command in SAYS_NO else {3} if command in NO_SITE_ANSWERS else {0}
        assert code in expected, f"{what}\n{log.read_text('utf-8')}"
        return

    def shows() -> bool:
        written = log.read_bytes()
        return sign in written

    try:
        assert wait_until(lambda: shows() or process.poll() is not None, LONGEST_SECONDS), what
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
        code = process.wait(LONGEST_SECONDS)
    # The shell that runs a whole block is interrupted too, unless it has become its last command.
    assert code in ({0} if command == last else {0, -signal.SIGINT}), f"{what}\n{log.read_text('utf-8')}"


def test_every_command_has_help_with_an_example_and_is_in_a_document() -> None:
    shown = "\n".join((ROOT / page).read_text("utf-8") for page in PAGES)
    for name in _COMMANDS:
        command = _anpr.commands.get(name) or _anpr.get_command(click.Context(_anpr), name)
        assert command is not None
        context = click.Context(command)
        group = command if isinstance(command, click.Group) else None
        leaves = [group.get_command(context, leaf) for leaf in group.list_commands(context)] if group else [command]
        for leaf in leaves:
            assert leaf is not None
            assert "Example" in (leaf.help or ""), f"{name} {leaf.name}"
        assert f"anpr {name}" in shown or name == "demo", name
