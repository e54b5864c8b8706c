"""The benchmark of the boards' memory puts so many incidents on them as it says."""

import json

from click.testing import CliRunner

from benchmarks.board_memory import main


def test_it_says_for_each_number_of_incidents_what_they_take() -> None:
    done = CliRunner().invoke(main, ["--incidents", "0", "--incidents", "300", "--json"])
    assert done.exit_code == 0, done.output
    none, some = json.loads(done.output)["sizes"]
    assert (none["incidents"], none["kb_an_incident"]) == (0, None)
    assert some["incidents"] == 300
    assert some["kb_an_incident"] > 0
