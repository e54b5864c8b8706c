"""The command of the campaign, without servers."""

from click.testing import CliRunner

from tests.campaign.__main__ import main


def test_its_help_has_examples() -> None:
    assert "python -m tests.campaign --faults 1000 --seed 7" in CliRunner().invoke(main, ["--help"]).output


def test_a_dry_run_prints_the_seed_and_the_faults_and_a_seed_repeats_them() -> None:
    printed = CliRunner().invoke(main, ["--faults", "30", "--seed", "7", "--dry-run"]).output
    assert printed.startswith("seed 7\n")
    assert len(printed.splitlines()) == 31
    assert printed == CliRunner().invoke(main, ["--faults", "30", "--seed", "7", "--dry-run"]).output
    drawn = CliRunner().invoke(main, ["--faults", "1", "--dry-run"]).output
    assert drawn.startswith("seed ")
