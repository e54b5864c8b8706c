"""The cost of a matcher is divided among its stages on a real broker."""

import json

from click.testing import CliRunner

from anpr.local.server import ServerUnavailableError
from benchmarks import stages
from benchmarks.loops.staged import STAGES
from tests.support.servers import missing


def test_a_small_run_has_a_cost_for_each_stage() -> None:
    options = ["--entries", "1000", "--batch", "20", "--reads", "1500", "--rounds", "1", "--json"]
    done = CliRunner().invoke(stages.main, options)
    if isinstance(done.exception, ServerUnavailableError):
        missing(done.exception)
    assert done.exit_code == 0, done.output
    [row] = json.loads(done.stdout)["rows"]
    assert set(row["stages_us"]) == set(STAGES)
    assert all(us > 0 for us in row["stages_us"].values())
    assert 1 <= row["reads_a_turn"] <= 20


def test_more_reads_than_a_topic_has_are_refused() -> None:
    assert "too few for batches of 2000" in CliRunner().invoke(stages.main, ["--reads", "5000"]).output
