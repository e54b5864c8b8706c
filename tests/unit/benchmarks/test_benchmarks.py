"""`python -m benchmarks` lists every benchmark with its question, and runs one by its name."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from benchmarks import headline
from benchmarks.__main__ import BENCHMARKS, main, question
from benchmarks.throughput import PEERS

FOLDER = Path("benchmarks")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, prog_name="python -m benchmarks")


def test_every_program_that_takes_options_is_listed() -> None:
    programs = {
        file.parent.name if file.name == "__main__.py" else file.stem
        for file in (*FOLDER.glob("*.py"), FOLDER / "quality" / "__main__.py")
        if "@click.option" in file.read_text(encoding="utf-8")
    }
    assert programs == set(BENCHMARKS)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_each_has_a_question_of_one_sentence(name: str) -> None:
    assert question(name).endswith(".")
    assert len(question(name)) < 125


@pytest.mark.parametrize("name", BENCHMARKS)
def test_quick_sets_parameters_that_the_benchmark_has(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert set(BENCHMARKS[name]) <= {parameter.name for parameter in command.params}


def test_the_list_names_each() -> None:
    listed = run()
    assert listed.exit_code == 0
    printed = " ".join(listed.output.split())
    assert all(f"{name} {question(name)}" in printed for name in BENCHMARKS)


def test_an_option_is_stronger_than_quick() -> None:
    refused = run("throughput", "--quick", "--rounds", "0")
    assert refused.exit_code == 2
    assert "Usage: python -m benchmarks throughput" in refused.output
    assert "0 is not in the range" in refused.output


def test_asked_for_help_the_program_that_runs_many_of_them_runs_none() -> None:
    asked = CliRunner().invoke(headline.main, ["--help"])
    assert asked.exit_code == 0
    assert "ten to fifteen minutes" in " ".join(asked.output.split())


def test_a_name_that_is_none_is_refused() -> None:
    assert "No such command 'speed'" in run("speed").output


@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_has_its_loop_and_its_packages_pinned_with_hashes(peer: str) -> None:
    assert (FOLDER / "peers" / f"{peer}_loop.py").is_file()
    packages = re.findall(
        r"^[a-z].*?(?=^[a-z]|\Z)", (FOLDER / "peers" / f"{peer}.lock").read_text(), re.MULTILINE | re.DOTALL
    )
    assert packages
    assert all("==" in package and "--hash=sha256:" in package for package in packages)
