"""A slice of the fuzzing: hostile inputs are used or refused, and a failure can be repeated.

`python -m tests.fuzz --inputs 10_000_000` is the whole of it.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.fuzz.__main__ import main
from tests.fuzz.targets import TARGETS, Target


def test_hostile_inputs_are_used_or_refused_as_promised() -> None:
    done = CliRunner().invoke(main, ["--inputs", "100", "--seed", "15"])
    assert done.exit_code == 0, done.output
    assert done.output.count("100 inputs") == len(TARGETS) == 4


def test_most_inputs_differ_and_many_get_past_the_first_check() -> None:
    for target in TARGETS.values():
        assert len({target.input(1, number) for number in range(200)}) > 150
    reads = [TARGETS["intake"].check(TARGETS["intake"].input(1, number)) for number in range(200)]
    assert sum(read is not None for read in reads) > 40


def test_a_failure_names_the_input_and_how_to_repeat_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(value: bytes) -> None:
        assert b"x" not in value, "an x"

    monkeypatch.setitem(TARGETS, "intake", Target((b"xx,xx\nxx",), breaks))
    found = CliRunner().invoke(main, ["--inputs", "50", "--seed", "3", "--target", "intake"])
    assert found.exit_code == 1
    assert "an x" in found.output
    shown = found.output.splitlines()[1]
    options = shown.partition("intake: ")[2].partition(": b")[0].split()
    again = CliRunner().invoke(main, [*options, "--target", "intake"])
    assert again.exit_code == 1
    assert shown in again.output


def test_its_help_has_examples_and_a_number_may_have_underscores() -> None:
    assert "--inputs 10_000_000 --seed 7 --target intake" in CliRunner().invoke(main, ["--help"]).output
    assert CliRunner().invoke(main, ["--inputs", "none"]).exit_code == 2


PLANTED = """
import sys
from tests.fuzz import guided, targets
def breaks(value):
    assert not value.startswith(b"A"), "a planted fault"
targets.TARGETS = {"planted": targets.Target((b"",), breaks)}
sys.argv = ["guided", "--target", "planted", "--inputs", "200_000", "--seed", "1"]
guided.main()
"""


def test_guided_by_coverage_it_finds_a_planted_fault(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris is not installed: see tests/fuzz/guided.py")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        [sys.executable, "-c", PLANTED], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "a planted fault" in done.stdout + done.stderr
